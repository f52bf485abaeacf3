import { audioLevels } from './audio-levels';
import { type Finding, percentile, unobserved } from './finding';
import { type FrameClock, type Presentation, presentationsOf } from './frame-clock';
import { locateAround, type LongLocator, makeLongLocator } from './long-search';
import { FOUND_SCORE, locate, makeLocator, type Place, type Placement } from './placement';
import { takeOut } from './residual';
import { findAtOtherTempo } from './tempo';
import { type MeasuredOffset, type OffsetTrend, offsetTrend } from './trend';
import type { AudioTimeline } from './audio-track';
import { energyOf, padded, partOf, productOf, type Samples, samplesIn } from './samples';

/** A fragment of the source and the dub that it was given; samples are mono, at the rate of the output's audio. */
export interface DubbedFragment {
  sequence: number;
  /** Where it begins in the source, in seconds. */
  startSeconds: number;
  /** As long as the fragment; silence around the speech is fine. */
  dubbed: Samples;
  /** Its audio before dubbing; without it, whether the original is still heard is unknown. */
  original?: Samples;
}

/** One place of the output where a dub is heard. */
export interface Occurrence {
  /** Where the fragment would begin, in the output's timeline. */
  ptsSeconds: number;
  /** Normalised correlation, 0 to 1. */
  score: number;
  /** How much faster it is heard than the STS returned it; 1 unless it was found only after stretching. */
  speed: number;
  /** It is faster or slower at the same pitch: not the same samples, and found by pieces, whose share is `score`. */
  hasOtherTempo?: true;
  /** A/V offset in ms, positive when the audio is late. Undefined where its video is not shown. */
  offsetMs?: number;
  /** The share of the dub's loud time that is there unaltered, 0 to 1. */
  heardShare: number;
  /** How much of the dub's loud time is gone before the first of it is heard, in seconds. */
  lateSeconds: number;
  /** Frames between the wanted one and the one that the time was taken from; see {@link Presentation}. */
  frameDistance?: number;
}

/** How much of a fragment's original audio is heard: anywhere as it is, or beside its dub where its video is shown. */
export interface OriginalInOutput {
  /** Normalised correlation with the output as it is, or after the dub is taken out of it; the higher one, 0 to 1. */
  score: number;
  /** Its level against the source's, in dB; 0 when it is passed through. */
  levelDb: number;
}

/** What became of one fragment in the output. */
export interface FragmentPlacement {
  sequence: number;
  startSeconds: number;
  /** How much faster its dub has to be to be as long as the fragment that was sent; not there where that is not known. */
  fittingSpeed?: number;
  /** Where its video is shown. */
  presentations: Finding<{ presentations: Presentation[] }>;
  /** Every place where its dub is heard, by time. Unobserved when there is no dub to search for. */
  occurrences: Finding<{ occurrences: Occurrence[]; bestScore: number }>;
  /** The A/V offset of the first occurrence at its video. */
  avOffset: Finding<Occurrence & { offsetMs: number }>;
  original: Finding<OriginalInOutput>;
}

/** The A/V offsets of all fragments that are heard at their video. */
export interface Sync extends OffsetTrend {
  measuredFragments: number;
  /** The A/V offset that is farthest from 0, with its sign. */
  worstMs: number;
  worstSequence: number;
  /** Percentiles (nearest rank) of the absolute A/V offsets. */
  p50AbsoluteMs: number;
  p95AbsoluteMs: number;
}

/** The worker decodes the fixture's audio: resampled at most, it correlates above 0.9. */
const LEAST_SOURCE_SCORE = 0.8;
/** Most begin where they are expected: so near, and so alike, that no other place is looked at. */
const NEAR_SECONDS = 2;
const SURE_SOURCE_SCORE = 0.9;
/** An occurrence belongs to frames that are at most this share of the fragment's length away. */
const MATCH_SHARE = 1 / 3;
/**
 * A worker's clock that runs up to 1 % fast or slow stretches the dub beyond what correlation finds; and the tempo that pieces of
 * it tell is right to 1 %.
 */
const MOST_SPEED_CHANGE = 0.01;
const SPEED_STEPS = [0.0005, 0.0001, 0.00002];
/** The longest that a dub of another tempo is searched in, against its length. */
const MOST_SLOWER = 1.25;
const HEARD_WINDOW_SECONDS = 0.1;
/** A dub of which less is heard is searched again at other speeds. */
const WHOLE_SHARE = 0.9;

/**
 * Where stretches of audio begin in the source of an output.
 *
 * @param audio mono, at the rate of the source's audio
 * @param expectedSeconds about where each begins; it is searched there first
 */
export function startsIn(
  source: AudioTimeline<Samples>,
  audio: readonly Samples[],
  expectedSeconds: readonly number[] = [],
): Finding<{ seconds: number }>[] {
  const find = makeLongLocator(source.samples, source.rateHz);
  return audio.map((samples, i) => {
    const needle = trimSilence(samples, source.rateHz);
    if (!needle.observed) return needle;
    const at = expectedSeconds[i];
    const expected = at === undefined ? at : at + needle.trimmedStartSeconds;
    const wanted = samplesIn(needle.samples);
    const near =
      expected === undefined
        ? undefined
        : locateAround(wanted, source.samples, source.rateHz, expected, NEAR_SECONDS);
    const isSure = near?.observed && near.score >= SURE_SOURCE_SCORE;
    const found = isSure ? near : find(wanted, expected, true);
    if (!found.observed) return found;
    if (found.score < LEAST_SOURCE_SCORE) return unobserved('this audio is not in the source');
    const from = source.firstPtsSeconds + found.offsetSeconds;
    return { observed: true, seconds: from - needle.trimmedStartSeconds };
  });
}

/** A fragment whose dub was searched in the whole output; not yet compared with the video. */
export interface LocatedDub {
  fragment: DubbedFragment;
  needle: Finding<Trimmed>;
  found: Finding<Placement>;
  /** Its audio before dubbing; unobserved where that is not known. */
  original: Finding<Placement & { needle: Samples }>;
}

/**
 * Where each fragment's dub is heard in an output. Of all timestamps only those of the recorded file are used.
 *
 * @param audio of the output
 */
export function locateDubs(
  audio: AudioTimeline<Samples>,
  fragments: readonly DubbedFragment[],
): LocatedDub[] {
  const find = makeLongLocator(audio.samples, audio.rateHz);
  return fragments.map((fragment) => {
    const needle = trimSilence(fragment.dubbed, audio.rateHz);
    const reason = needle.observed ? '' : `the dubbed audio cannot be searched: ${needle.reason}`;
    const { startSeconds } = fragment;
    const found = needle.observed
      ? find(samplesIn(needle.samples), startSeconds + needle.trimmedStartSeconds, true)
      : unobserved(reason);
    return { fragment, needle, found, original: locateOriginal(fragment, audio.rateHz, find) };
  });
}

/** Where dubs that are found once would be heard, whichever frames are shown there: most are. */
export function likelyPlaces(
  { firstPtsSeconds }: Pick<AudioTimeline, 'firstPtsSeconds'>,
  dubs: readonly LocatedDub[],
): { sequence: number; ptsSeconds: number; speed: number }[] {
  return dubs.flatMap(({ fragment: { sequence }, needle, found }) => {
    const [place, ...others] = found.observed ? found.places : [];
    if (!needle.observed || !place || others.length > 0) return [];
    const ptsSeconds = ptsOf(place.offsetSeconds, needle, 1, firstPtsSeconds);
    return [{ sequence, ptsSeconds, speed: 1 }];
  });
}

/** Where a dub begins of which the part without silence is found at `offsetSeconds` of the audio. */
function ptsOf(
  offsetSeconds: number,
  { trimmedStartSeconds }: Pick<Trimmed, 'trimmedStartSeconds'>,
  speed: number,
  firstPtsSeconds: number,
): number {
  return firstPtsSeconds + offsetSeconds - trimmedStartSeconds / speed;
}

function locateOriginal(
  { original, startSeconds }: DubbedFragment,
  rateHz: number,
  find: LongLocator,
): LocatedDub['original'] {
  if (!original) return unobserved('the original audio of the fragment is unknown');
  const trimmed = trimSilence(original, rateHz);
  if (!trimmed.observed) {
    return unobserved(`the original audio cannot be searched: ${trimmed.reason}`);
  }
  // In most outputs it is nowhere.
  const expected = startSeconds + trimmed.trimmedStartSeconds;
  const found = find(samplesIn(trimmed.samples), expected, false);
  return found.observed ? { ...found, needle: trimmed.samples } : found;
}

/** With it, where its video is shown. */
export interface ShownDub extends LocatedDub {
  shown: FragmentPlacement['presentations'];
}

/** @param rateHz of the dubs */
export function shownDubs(
  clock: FrameClock,
  dubs: readonly LocatedDub[],
  rateHz: number,
): ShownDub[] {
  return dubs.map((dub) => {
    const { startSeconds, dubbed } = dub.fragment;
    return { ...dub, shown: presentationsOf(clock, startSeconds, dubbed.length / rateHz) };
  });
}

/** The dubs compared with the presentation of the frames of their source time. */
export function placeDubs(
  audio: AudioTimeline<Samples>,
  dubs: readonly ShownDub[],
): FragmentPlacement[] {
  return dubs.map((dub) => place(audio, dub));
}

function place(audio: AudioTimeline<Samples>, dub: ShownDub): FragmentPlacement {
  const { shown } = dub;
  const { sequence, startSeconds, dubbed, original } = dub.fragment;
  const lengthSeconds = dubbed.length / audio.rateHz;
  const at = shown.observed ? shown.presentations : [];
  const occurrences = findOccurrences(audio, at, lengthSeconds, dub);
  const [first] = occurrences.observed
    ? occurrences.occurrences.filter((one) => one.offsetMs !== undefined)
    : [];
  return {
    ...{ sequence, startSeconds, presentations: shown, occurrences },
    ...(original ? { fittingSpeed: dubbed.length / original.length } : {}),
    avOffset:
      first?.offsetMs !== undefined
        ? { observed: true, ...first, offsetMs: first.offsetMs }
        : whyNoDelta(shown, occurrences),
    original: originalHeard(audio, dub, at[0], first),
  };
}

function whyNoDelta(
  shown: FragmentPlacement['presentations'],
  occurrences: FragmentPlacement['occurrences'],
): { observed: false; reason: string } {
  if (!occurrences.observed) return occurrences;
  if (!shown.observed) return shown;
  const [occurrence] = occurrences.occurrences;
  return unobserved(
    occurrence
      ? `the dub is heard elsewhere, at ${occurrence.ptsSeconds.toFixed(2)} s; its video is shown at ` +
          shown.presentations.map(({ ptsSeconds }) => `${ptsSeconds.toFixed(2)} s`).join(', ')
      : `the dub was not found in the output: best correlation ${occurrences.bestScore.toFixed(2)}, ` +
          `needed ${FOUND_SCORE}`,
  );
}

function findOccurrences(
  audio: AudioTimeline<Samples>,
  at: readonly Presentation[],
  lengthSeconds: number,
  { needle: trimmed, found }: LocatedDub,
): FragmentPlacement['occurrences'] {
  if (!found.observed) return found;
  if (!trimmed.observed) return trimmed;
  const needle = { ...trimmed, samples: samplesIn(trimmed.samples) };
  const toPts = (offsetSeconds: number, speed: number): number =>
    ptsOf(offsetSeconds, needle, speed, audio.firstPtsSeconds);
  const tolerance = MATCH_SHARE * lengthSeconds;
  const isAt =
    (presentation: Presentation) =>
    (occurrence: Occurrence): boolean =>
      Math.abs(occurrence.ptsSeconds - presentation.ptsSeconds) <= tolerance;
  const occurrenceOf = (
    { offsetSeconds, score }: Place,
    samples: Float32Array,
    speed = 1,
  ): Occurrence => ({
    ...{ ptsSeconds: toPts(offsetSeconds, speed), score, speed },
    ...heardPart(audio, offsetSeconds, samples),
  });
  const occurrences = found.places.map((one) => occurrenceOf(one, needle.samples));
  for (const presentation of at) {
    const before = occurrences.findIndex(isAt(presentation));
    const known = occurrences[before];
    if (known && known.heardShare >= WHOLE_SHARE) continue;
    const resampledAbout = (speed: number, leastScore: number): Occurrence | undefined => {
      const found = findStretched(audio, presentation, tolerance, needle, speed);
      return found && found.place.score > leastScore
        ? occurrenceOf(found.place, found.samples, found.speed)
        : undefined;
    };
    const resampled = resampledAbout(1, known?.score ?? 0);
    const least = Math.max(known?.heardShare ?? 0, resampled?.heardShare ?? 0);
    const faster =
      least < WHOLE_SHARE ? atOtherTempo(audio, presentation, tolerance, needle) : undefined;
    // By pieces, both kinds of faster audio are found; as a whole, only that of another pitch is.
    const occurrence =
      faster && faster.heardShare > least
        ? (resampledAbout(faster.speed, FOUND_SCORE) ?? faster)
        : resampled;
    if (!occurrence) continue;
    // As a needle may stick out of where it is searched, one that is heard elsewhere would be found, and listed, once more.
    if (!isAt(presentation)(occurrence)) continue;
    occurrences.splice(known ? before : occurrences.length, known ? 1 : 0, occurrence);
  }
  matchWithFrames(occurrences, at, isAt);
  occurrences.sort((a, b) => a.ptsSeconds - b.ptsSeconds);
  return { observed: true, occurrences, bestScore: found.score };
}

/** Gives the nearest occurrence to each presentation its offset. */
function matchWithFrames(
  occurrences: readonly Occurrence[],
  at: readonly Presentation[],
  isAt: (presentation: Presentation) => (occurrence: Occurrence) => boolean,
): void {
  for (const presentation of at) {
    const [nearest] = occurrences
      .filter((occurrence) => isAt(presentation)(occurrence) && occurrence.offsetMs === undefined)
      .sort(
        (a, b) =>
          Math.abs(a.ptsSeconds - presentation.ptsSeconds) -
          Math.abs(b.ptsSeconds - presentation.ptsSeconds),
      );
    if (!nearest) continue;
    nearest.offsetMs = (nearest.ptsSeconds - presentation.ptsSeconds) * 1000;
    nearest.frameDistance = presentation.frameDistance;
  }
}

/** The dub near its video, a little faster or slower than the STS returned it, or than `about`. */
function findStretched(
  audio: AudioTimeline<Samples>,
  presentation: Presentation,
  toleranceSeconds: number,
  needle: Trimmed<Float32Array>,
  about = 1,
): { place: Place; samples: Float32Array; speed: number } | undefined {
  const { rateHz } = audio;
  const wanted = presentation.ptsSeconds + needle.trimmedStartSeconds - audio.firstPtsSeconds;
  const from = Math.max(0, Math.round((wanted - toleranceSeconds) * rateHz));
  const to = Math.round((wanted + toleranceSeconds) * rateHz) + needle.samples.length;
  const find = makeLocator(samplesIn(audio.samples, from, to), rateHz);
  let best: ReturnType<typeof findStretched>;
  // Coarse steps first, then finer ones around the best: 0.0005 of 4 s is 2 ms, 0.00002 a fraction of a sample.
  let [slowest, fastest] = [about - MOST_SPEED_CHANGE, about + MOST_SPEED_CHANGE];
  for (const step of SPEED_STEPS) {
    for (let speed = slowest; speed <= fastest; speed += step) {
      const samples = atSpeed(needle.samples, speed);
      const found = find(samples);
      if (!found.observed || found.score < Math.max(FOUND_SCORE, best?.place.score ?? 0)) continue;
      const offsetSeconds = from / rateHz + found.offsetSeconds;
      best = { place: { offsetSeconds, score: found.score }, samples, speed };
    }
    if (!best) return undefined;
    [slowest, fastest] = [best.speed - step, best.speed + step];
  }
  return best;
}

/** The dub near its video, faster or slower at the same pitch. */
function atOtherTempo(
  audio: AudioTimeline<Samples>,
  presentation: Presentation,
  toleranceSeconds: number,
  needle: Trimmed<Float32Array>,
): Occurrence | undefined {
  const { rateHz } = audio;
  const wanted = presentation.ptsSeconds + needle.trimmedStartSeconds - audio.firstPtsSeconds;
  const from = Math.max(0, Math.round((wanted - toleranceSeconds) * rateHz));
  const to = Math.round((wanted + toleranceSeconds) * rateHz + MOST_SLOWER * needle.samples.length);
  const found = findAtOtherTempo(needle.samples, samplesIn(audio.samples, from, to), rateHz);
  if (!found) return undefined;
  const { offsetSeconds, ...heard } = found;
  const before = needle.trimmedStartSeconds / found.speed;
  const ptsSeconds = audio.firstPtsSeconds + from / rateHz + offsetSeconds - before;
  return { ptsSeconds, ...heard, hasOtherTempo: true };
}

/** Linear interpolation: good enough to recognise speech by. */
function atSpeed(samples: Float32Array, speed: number): Float32Array {
  return Float32Array.from({ length: Math.floor(samples.length / speed) }, (_, i) => {
    const [whole, part] = [Math.floor(i * speed), (i * speed) % 1];
    return (1 - part) * (samples[whole] ?? 0) + part * (samples[whole + 1] ?? 0);
  });
}

/** Of the 0.1 s windows with a loud dub, those in which more than half of the energy is the dub's. */
function heardPart(
  audio: AudioTimeline<Samples>,
  offsetSeconds: number,
  needle: Float32Array,
): Pick<Occurrence, 'heardShare' | 'lateSeconds'> {
  const { rateHz } = audio;
  const heard = cut(audio, offsetSeconds, needle.length);
  const { fitted } = takeOut(heard, needle);
  const size = Math.round(HEARD_WINDOW_SECONDS * rateHz);
  const windows = Array.from({ length: Math.ceil(fitted.length / size) }, (_, i) => {
    const [wanted, is] = [fitted, heard].map((all) => all.subarray(i * size, (i + 1) * size));
    return { wanted: wanted ?? fitted, is: is ?? heard };
  });
  const mean = energyOf(fitted) / windows.length;
  const loud = windows.filter(({ wanted }) => energyOf(wanted) > mean / 10);
  const isWhole = loud.map(({ wanted, is }) => {
    // Squared correlation: where half of a dub is missing, the fit is too quiet for the other half.
    const product = productOf(wanted, is);
    return product > 0 && product ** 2 > 0.5 * energyOf(wanted) * energyOf(is);
  });
  const whole = isWhole.filter(Boolean).length;
  const late = whole === 0 ? loud.length : isWhole.indexOf(true);
  return {
    heardShare: loud.length === 0 ? 0 : whole / loud.length,
    lateSeconds: late * HEARD_WINDOW_SECONDS,
  };
}

/**
 * Searches the original in the output as it is, wherever that is: of an echo nothing else would be left beside the dub. And in
 * what is left at its video when the dub is taken out: so it is found far below the dub.
 */
function originalHeard(
  audio: AudioTimeline<Samples>,
  { fragment, original: located }: LocatedDub,
  presentation: Presentation | undefined,
  occurrence: Occurrence | undefined,
): Finding<OriginalInOutput> {
  if (!located.observed) return located;
  const needle = samplesIn(located.needle);
  const { samples, rateHz } = audio;
  const heardIn = (heard: Samples, { score, offsetSeconds }: Placement) => ({
    ...{ observed: true as const, score },
    levelDb: levelOf(needle, heard, Math.round(offsetSeconds * rateHz)),
  });
  const asItIs = heardIn(samples, located);
  // A dub of another tempo cannot be taken out.
  if (!presentation || !occurrence || occurrence.hasOtherTempo) return asItIs;
  const rest = withoutDub(audio, samplesIn(fragment.dubbed), presentation, occurrence);
  const beside = locate(needle, rest, rateHz);
  return beside.observed && beside.score > asItIs.score ? heardIn(rest, beside) : asItIs;
}

/** What is heard at a fragment's video, a third of its length before it and after it too, beside its dub. */
function withoutDub(
  audio: AudioTimeline<Samples>,
  dubbed: Float32Array,
  presentation: Presentation,
  occurrence: Occurrence,
): Float32Array {
  const { rateHz, firstPtsSeconds } = audio;
  const lengthSeconds = dubbed.length / rateHz;
  const tolerance = MATCH_SHARE * lengthSeconds;
  const from = presentation.ptsSeconds - firstPtsSeconds - tolerance;
  const heard = cut(audio, from, Math.round((lengthSeconds + 2 * tolerance) * rateHz));
  const known = new Float32Array(heard.length);
  const samples = occurrence.speed === 1 ? dubbed : atSpeed(dubbed, occurrence.speed);
  const start = Math.round((occurrence.ptsSeconds - firstPtsSeconds - from) * rateHz);
  known.set(samples.subarray(Math.max(0, -start), heard.length - start), Math.max(0, start));
  const { rest } = takeOut(heard, known);
  // Before and after the dub its neighbours are heard, which are not taken out.
  heard.fill(0);
  heard.set(rest.subarray(Math.max(0, start), start + samples.length), Math.max(0, start));
  return heard;
}

/** The level at which a needle is heard from a sample on, in dB against its own. */
function levelOf(needle: Float32Array, heard: Samples, from: number): number {
  const there = padded(heard, from, needle.length);
  const product = productOf(needle, there);
  return 20 * Math.log10(Math.abs(product) / energyOf(needle));
}

/** A stretch of the output; silence where it has no samples. */
function cut(audio: AudioTimeline<Samples>, fromSeconds: number, count: number): Float32Array {
  return padded(audio.samples, Math.round(fromSeconds * audio.rateHz), count);
}

export interface Trimmed<Held extends Samples = Samples> {
  samples: Held;
  trimmedStartSeconds: number;
}

/** The part of the samples between the first and the last 20 ms window that is not silent. */
export function trimSilence(samples: Float32Array, rateHz: number): Finding<Trimmed<Float32Array>>;
export function trimSilence(samples: Samples, rateHz: number): Finding<Trimmed>;
export function trimSilence(samples: Samples, rateHz: number): Finding<Trimmed> {
  const window = Math.max(1, Math.round(0.02 * rateHz));
  const held = samplesIn(samples);
  let first: number | undefined;
  let end = 0;
  for (let at = 0; at < samples.length; at += window) {
    const piece = audioLevels(held.subarray(at, at + window), rateHz);
    if (!piece.observed || piece.nonSilentSeconds === 0) continue;
    first ??= at;
    end = Math.min(samples.length, at + window);
  }
  if (first === undefined) return unobserved(samples.length === 0 ? 'it is empty' : 'it is silent');
  return {
    observed: true,
    samples: partOf(samples, first, end),
    trimmedStartSeconds: first / rateHz,
  };
}

/** @returns unobserved when no fragment is heard at its video */
export function syncOf(placements: readonly FragmentPlacement[]): Finding<Sync> {
  const measured = placements.flatMap(({ sequence, startSeconds, avOffset }): MeasuredOffset[] =>
    avOffset.observed
      ? [
          {
            ...{ number: sequence, atSeconds: startSeconds },
            ...{ ms: avOffset.offsetMs, ptsSeconds: avOffset.ptsSeconds },
          },
        ]
      : [],
  );
  measured.sort((a, b) => a.atSeconds - b.atSeconds);
  const worst = [...measured].sort((a, b) => Math.abs(b.ms) - Math.abs(a.ms))[0];
  const absolute = measured.map(({ ms }) => Math.abs(ms));
  const [p50, p95] = [percentile(absolute, 50), percentile(absolute, 95)];
  if (!worst || !p50.observed || !p95.observed) {
    return unobserved(`none of ${placements.length} fragments could be measured`);
  }
  return {
    observed: true,
    measuredFragments: measured.length,
    worstMs: worst.ms,
    worstSequence: worst.number,
    p50AbsoluteMs: p50.value,
    p95AbsoluteMs: p95.value,
    ...offsetTrend(measured),
  };
}
