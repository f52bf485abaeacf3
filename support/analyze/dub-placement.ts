import { audioLevels } from './audio';
import { type Finding, percentile, unobserved } from './finding';
import { type FrameClock, type Presentation, presentationsOf } from './frame-clock';
import { FOUND_SCORE, locate, makeLocator, type Place, type Placement } from './placement';
import { takeOut } from './residual';
import type { AudioTimeline } from './audio-track';

/** A fragment of the source and the dub that it was given; samples are mono, at the rate of the output's audio. */
export interface DubbedFragment {
  sequence: number;
  /** Where it begins in the source, in seconds. */
  startSeconds: number;
  /** Of the same length as the fragment; silence around the speech is fine. */
  dubbed: Float32Array;
  /** Its audio before dubbing; without it, whether the original is still heard cannot be told. */
  original?: Float32Array;
}

/** One time that a dub is heard. */
export interface Occurrence {
  /** Where the fragment would begin, in the output's timeline. */
  ptsSeconds: number;
  /** Normalised correlation, 0 to 1. */
  score: number;
  /** How much faster it occurrences than it was given; 1 unless it was found only after stretching. */
  speed: number;
  /** Audio minus video, in ms: positive when the audio is late. Undefined where its video are not shown. */
  deltaMs?: number;
  /** The part of the dub's loud time that is there unaltered, 0 to 1. */
  heardShare: number;
  /** Frames between the one that the time was taken from and the wanted one; see `Showing`. */
  frameDistance?: number;
}

/** How much of a fragment's original audio is heard where its video are shown. */
export interface OriginalInOutput {
  /** Correlation with what is left of the output without the dub, 0 to 1. */
  score: number;
  /** Its level against how it was, in dB; 0 when it is passed through. */
  levelDb: number;
}

/** What became of one fragment in the output. */
export interface FragmentPlacement {
  sequence: number;
  startSeconds: number;
  /** When its video are shown. */
  presentations: Finding<{ showings: Presentation[] }>;
  /** Every time that its dub is heard, in the order of time. Unobserved when there is nothing to look for. */
  occurrences: Finding<{ occurrences: Occurrence[]; bestScore: number }>;
  /** Audio minus video of its first play at its video, in ms. */
  delta: Finding<Occurrence & { deltaMs: number }>;
  original: Finding<OriginalInOutput>;
}

/** How far audio and video are apart over all fragments that are heard at their video. */
export interface Sync {
  measuredFragments: number;
  /** The delta that is farthest from 0, with its sign. */
  worstMs: number;
  worstSequence: number;
  /** Percentiles (nearest rank) of the deltas without sign. */
  p50AbsoluteMs: number;
  p95AbsoluteMs: number;
  /** The least-squares line through the deltas: how much they change from the first to the last fragment. */
  driftMs: number;
  /** The delta that is farthest from 0 when that change is taken out, its middle kept. */
  worstWithoutDriftMs: number;
}

/** The worker decodes what the fixture holds: the same audio, short of some resampling, correlates above 0.9. */
const LEAST_SOURCE_SCORE = 0.8;
/** A play belongs to frames that are at most this part of the fragment's length away. */
const MATCH_SHARE = 1 / 3;
/** A worker's clock that runs up to 1 % fast or slow stretches the dub beyond what correlation finds. */
const MOST_SPEED_CHANGE = 0.01;
const SPEED_STEPS = [0.0005, 0.0001, 0.00002];
const HEARD_WINDOW_SECONDS = 0.1;
/** Of a dub that is not heard as well as this, it is tried whether it occurrences faster or slower. */
const WHOLE_SHARE = 0.9;

/**
 * Where audio begin in the source of an output.
 *
 * @param audio mono, at the rate of the source's audio
 */
export function startsIn(
  source: AudioTimeline,
  audio: readonly Float32Array[],
): Finding<{ seconds: number }>[] {
  const find = makeLocator(source.samples, source.rateHz);
  return audio.map((samples) => {
    const needle = trimSilence(samples, source.rateHz);
    if (!needle.observed) return needle;
    const found = find(needle.samples);
    if (!found.observed) return found;
    if (found.score < LEAST_SOURCE_SCORE) return unobserved('this audio is not in the source');
    const from = source.firstPtsSeconds + found.offsetSeconds;
    return { observed: true, seconds: from - needle.trimmedStartSeconds };
  });
}

/** A fragment whose dub has been looked for in the whole output; not yet compared with the video. */
export interface LocatedDub {
  fragment: DubbedFragment;
  needle: Finding<Trimmed>;
  found: Finding<Placement>;
}

/**
 * Where each fragment's dub is heard in an output. No timestamp of the pipeline is believed but those of the file.
 *
 * @param audio of the output
 */
export function locateDubs(
  audio: AudioTimeline,
  fragments: readonly DubbedFragment[],
): LocatedDub[] {
  const find = makeLocator(audio.samples, audio.rateHz);
  return fragments.map((fragment) => {
    const needle = trimSilence(fragment.dubbed, audio.rateHz);
    const reason = needle.observed ? '' : `the dubbed audio is no use: ${needle.reason}`;
    return { fragment, needle, found: needle.observed ? find(needle.samples) : unobserved(reason) };
  });
}

/** The same against when the frames of that source time are shown. */
export function placeDubs(
  audio: AudioTimeline,
  clock: FrameClock,
  dubs: readonly LocatedDub[],
): FragmentPlacement[] {
  return dubs.map((dub) => place(audio, clock, dub));
}

function place(audio: AudioTimeline, clock: FrameClock, dub: LocatedDub): FragmentPlacement {
  const { sequence, startSeconds, dubbed } = dub.fragment;
  const lengthSeconds = dubbed.length / audio.rateHz;
  const shown = presentationsOf(clock, startSeconds, lengthSeconds);
  const at = shown.observed ? shown.showings : [];
  const occurrences = findOccurrences(audio, at, lengthSeconds, dub);
  const [first] = occurrences.observed
    ? occurrences.occurrences.filter((one) => one.deltaMs !== undefined)
    : [];
  return {
    ...{ sequence, startSeconds, presentations: shown, occurrences },
    delta:
      first?.deltaMs !== undefined
        ? { observed: true, ...first, deltaMs: first.deltaMs }
        : whyNoDelta(shown, occurrences),
    original: originalHeard(audio, dub.fragment, at[0], first),
  };
}

function whyNoDelta(
  shown: FragmentPlacement['presentations'],
  occurrences: FragmentPlacement['occurrences'],
): { observed: false; reason: string } {
  if (!occurrences.observed) return occurrences;
  if (!shown.observed) return shown;
  const [play] = occurrences.occurrences;
  return unobserved(
    play
      ? `the dub is heard elsewhere, at ${play.ptsSeconds.toFixed(2)} s; its video are shown at ` +
          shown.showings.map(({ ptsSeconds }) => `${ptsSeconds.toFixed(2)} s`).join(', ')
      : `the dub was not found in the output: best correlation ${occurrences.bestScore.toFixed(2)}, ` +
          `needed ${FOUND_SCORE}`,
  );
}

function findOccurrences(
  audio: AudioTimeline,
  at: readonly Presentation[],
  lengthSeconds: number,
  { needle, found }: LocatedDub,
): FragmentPlacement['occurrences'] {
  if (!found.observed) return found;
  if (!needle.observed) return needle;
  const toPts = (offsetSeconds: number, speed: number): number =>
    audio.firstPtsSeconds + offsetSeconds - needle.trimmedStartSeconds / speed;
  const tolerance = MATCH_SHARE * lengthSeconds;
  const isAt =
    (showing: Presentation) =>
    (play: Occurrence): boolean =>
      Math.abs(play.ptsSeconds - showing.ptsSeconds) <= tolerance;
  const playOf = (
    { offsetSeconds, score }: Place,
    samples: Float32Array,
    speed = 1,
  ): Occurrence => ({
    ...{ ptsSeconds: toPts(offsetSeconds, speed), score, speed },
    heardShare: heardShare(audio, offsetSeconds, samples),
  });
  const occurrences = found.places.map((one) => playOf(one, needle.samples));
  for (const showing of at) {
    const before = occurrences.findIndex(isAt(showing));
    const known = occurrences[before];
    if (known && known.heardShare >= WHOLE_SHARE) continue;
    const stretched = findStretched(audio, showing, tolerance, needle);
    if (!stretched || stretched.place.score <= (known?.score ?? 0)) continue;
    const play = playOf(stretched.place, stretched.samples, stretched.speed);
    occurrences.splice(known ? before : occurrences.length, known ? 1 : 0, play);
  }
  for (const showing of at) {
    const [nearest] = occurrences
      .filter((play) => isAt(showing)(play) && play.deltaMs === undefined)
      .sort(
        (a, b) =>
          Math.abs(a.ptsSeconds - showing.ptsSeconds) - Math.abs(b.ptsSeconds - showing.ptsSeconds),
      );
    if (!nearest) continue;
    nearest.deltaMs = (nearest.ptsSeconds - showing.ptsSeconds) * 1000;
    nearest.frameDistance = showing.frameDistance;
  }
  occurrences.sort((a, b) => a.ptsSeconds - b.ptsSeconds);
  return { observed: true, occurrences, bestScore: found.score };
}

/** The dub near its video, played a little faster or slower than it was given. */
function findStretched(
  audio: AudioTimeline,
  showing: Presentation,
  toleranceSeconds: number,
  needle: Trimmed,
): { place: Place; samples: Float32Array; speed: number } | undefined {
  const { rateHz } = audio;
  const wanted = showing.ptsSeconds + needle.trimmedStartSeconds - audio.firstPtsSeconds;
  const from = Math.max(0, Math.round((wanted - toleranceSeconds) * rateHz));
  const to = Math.round((wanted + toleranceSeconds) * rateHz) + needle.samples.length;
  const find = makeLocator(audio.samples.subarray(from, to), rateHz);
  let best: ReturnType<typeof findStretched>;
  // Coarse steps first, then finer ones around the best: 0.0005 of 4 s is 2 ms, 0.00002 a fraction of a sample.
  let [slowest, fastest] = [1 - MOST_SPEED_CHANGE, 1 + MOST_SPEED_CHANGE];
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

/** Linear interpolation: good enough to recognise speech by. */
function atSpeed(samples: Float32Array, speed: number): Float32Array {
  return Float32Array.from({ length: Math.floor(samples.length / speed) }, (_, i) => {
    const [whole, part] = [Math.floor(i * speed), (i * speed) % 1];
    return (1 - part) * (samples[whole] ?? 0) + part * (samples[whole + 1] ?? 0);
  });
}

/** By windows of 0.1 s in which the dub is loud: there, more than half of the energy must be the dub's. */
function heardShare(audio: AudioTimeline, offsetSeconds: number, needle: Float32Array): number {
  const { rateHz } = audio;
  const heard = cut(audio, offsetSeconds, needle.length);
  const { fitted } = takeOut(heard, needle);
  const size = Math.round(HEARD_WINDOW_SECONDS * rateHz);
  const windows = Array.from({ length: Math.ceil(fitted.length / size) }, (_, i) => {
    const [wanted, is] = [fitted, heard].map((all) => all.subarray(i * size, (i + 1) * size));
    return { wanted: wanted ?? fitted, is: is ?? heard };
  });
  const mean = energy(fitted) / windows.length;
  const loud = windows.filter(({ wanted }) => energy(wanted) > mean / 10);
  const whole = loud.filter(({ wanted, is }) => {
    // Squared correlation: where half of a dub is missing, the fit is too quiet for the other half.
    const product = wanted.reduce((sum, sample, i) => sum + sample * (is[i] ?? 0), 0);
    return product > 0 && product ** 2 > 0.5 * energy(wanted) * energy(is);
  });
  return loud.length === 0 ? 0 : whole.length / loud.length;
}

/** The original is looked for in what is left of the output when the dub is taken out of it. */
function originalHeard(
  audio: AudioTimeline,
  { original, dubbed }: DubbedFragment,
  showing: Presentation | undefined,
  play: Occurrence | undefined,
): Finding<OriginalInOutput> {
  if (!original) return unobserved('the original audio of the fragment is not known');
  if (!showing) return unobserved('its video are not shown');
  const { rateHz } = audio;
  const lengthSeconds = original.length / rateHz;
  const tolerance = MATCH_SHARE * lengthSeconds;
  const from = showing.ptsSeconds - audio.firstPtsSeconds - tolerance;
  const heard = cut(audio, from, Math.round((lengthSeconds + 2 * tolerance) * rateHz));
  if (play) {
    const known = new Float32Array(heard.length);
    const samples = play.speed === 1 ? dubbed : atSpeed(dubbed, play.speed);
    const start = Math.round((play.ptsSeconds - audio.firstPtsSeconds - from) * rateHz);
    known.set(samples.subarray(Math.max(0, -start), heard.length - start), Math.max(0, start));
    const { rest } = takeOut(heard, known);
    // Around the dub its neighbours are heard, which nobody has taken out.
    heard.fill(0);
    heard.set(rest.subarray(Math.max(0, start), start + samples.length), Math.max(0, start));
  }
  const needle = trimSilence(original, rateHz);
  if (!needle.observed) return unobserved(`the original audio is no use: ${needle.reason}`);
  const found = locate(needle.samples, heard, rateHz);
  if (!found.observed) return { observed: true, score: 0, levelDb: -Infinity };
  const place = Math.round(found.offsetSeconds * rateHz);
  let product = 0;
  needle.samples.forEach((sample, i) => (product += sample * (heard[place + i] ?? 0)));
  const levelDb = 20 * Math.log10(Math.abs(product) / energy(needle.samples));
  return { observed: true, score: found.score, levelDb };
}

/** Samples of the output; silence where it has none. */
function cut(audio: AudioTimeline, fromSeconds: number, count: number): Float32Array {
  const piece = new Float32Array(count);
  const from = Math.round(fromSeconds * audio.rateHz);
  const part = audio.samples.subarray(Math.max(0, from), Math.max(0, from + count));
  piece.set(part, Math.max(0, -from));
  return piece;
}

function energy(samples: Float32Array): number {
  return samples.reduce((sum, sample) => sum + sample * sample, 0);
}

export interface Trimmed {
  samples: Float32Array;
  trimmedStartSeconds: number;
}

/** The part of the samples between the first and the last 20 ms window that is not silent. */
export function trimSilence(samples: Float32Array, rateHz: number): Finding<Trimmed> {
  const window = Math.max(1, Math.round(0.02 * rateHz));
  let first: number | undefined;
  let end = 0;
  for (let at = 0; at < samples.length; at += window) {
    const piece = audioLevels(samples.subarray(at, at + window), rateHz);
    if (!piece.observed || piece.nonSilentSeconds === 0) continue;
    first ??= at;
    end = Math.min(samples.length, at + window);
  }
  if (first === undefined) return unobserved(samples.length === 0 ? 'it is empty' : 'it is silent');
  return {
    observed: true,
    samples: samples.subarray(first, end),
    trimmedStartSeconds: first / rateHz,
  };
}

/** @returns unobserved when no fragment is heard at its video */
export function syncOf(placements: readonly FragmentPlacement[]): Finding<Sync> {
  const measured = placements.flatMap(({ sequence, startSeconds, delta }) =>
    delta.observed ? [{ sequence, x: startSeconds, ms: delta.deltaMs }] : [],
  );
  const worst = [...measured].sort((a, b) => Math.abs(b.ms) - Math.abs(a.ms))[0];
  const absolute = measured.map(({ ms }) => Math.abs(ms));
  const [p50, p95] = [percentile(absolute, 50), percentile(absolute, 95)];
  if (!worst || !p50.observed || !p95.observed) {
    return unobserved(`none of ${placements.length} fragments could be measured`);
  }
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const [x, y] = [mean(measured.map((one) => one.x)), mean(measured.map((one) => one.ms))];
  const spread = measured.reduce((sum, one) => sum + (one.x - x) ** 2, 0);
  const slope =
    spread === 0 ? 0 : measured.reduce((sum, one) => sum + (one.x - x) * (one.ms - y), 0) / spread;
  const places = measured.map((one) => one.x);
  const rests = measured.map((one) => one.ms - slope * (one.x - x));
  return {
    observed: true,
    measuredFragments: measured.length,
    worstMs: worst.ms,
    worstSequence: worst.sequence,
    p50AbsoluteMs: p50.value,
    p95AbsoluteMs: p95.value,
    driftMs: slope * (Math.max(...places) - Math.min(...places)),
    worstWithoutDriftMs: rests.sort((a, b) => Math.abs(b) - Math.abs(a))[0] ?? worst.ms,
  };
}
