import type { FragmentPlacement } from '../analyze/dub-placement';
import { type FrameClock, presentationsOf } from '../analyze/frame-clock';
import type { SegmentAudio } from '../analyze/resilience-findings';
import type { SegmentSpoken } from '../analyze/segments-heard';
import { segmentOfTone, type ToneHeard } from '../analyze/tones';
import { wordErrorRate } from '../analyze/transcript';
import { type Unsent, whyWithoutDub } from '../analyze/without-dub';
import type { JudgedText } from '../analyze/translation';
import { type Fault, isSoftened, isSoftening } from '../broadcast/fault';
import { type Fixture, isScriptKnown } from '../broadcast/fixture';
import type { Fragment } from '../broadcast/fragment';
import type { FragmentFacts, UnsentFacts, VerdictFacts } from './facts';
import { stagesInOrder, type StageClock } from './fragment-stages';
import { deviationsAt } from './verdict-facts';

/** What is heard of a broadcast of tones. */
export interface TonesHeard {
  /** The tones that are whole in the output. */
  heard: readonly ToneHeard[];
  /** Where in the source media-service has joined. */
  joinedSeconds: number;
  /** By segment; undefined where that could not be told. */
  segments: readonly SegmentAudio[] | undefined;
}

/** What is known of a broadcast besides its fragments; undefined: not measured, or not observed. */
export interface KnownOfBroadcast {
  fixture: Fixture;
  faults: readonly Fault[];
  /** Whether an STS transcribes and translates it: the Echo STS says what it was told, whatever is said. */
  isTranslated: boolean;
  verdicts: readonly VerdictFacts[];
  clockOfStages: StageClock;
  clock: FrameClock | undefined;
  placements: readonly FragmentPlacement[] | undefined;
  /** Where fragments begin in the source, by segment. */
  sourceStarts: ReadonlyMap<number, number> | undefined;
  texts: readonly JudgedText[] | undefined;
  /** What is heard at the video of each segment. */
  spoken: readonly SegmentSpoken[] | undefined;
  tones: TonesHeard | undefined;
}

/** What is heard of a fragment in the output. */
interface Heard extends Partial<FragmentFacts> {
  state: 'heard' | 'unheard' | 'not measured';
  /** What is heard in place of its dub. */
  instead?: string | undefined;
}

/** Each fragment's way, in the order sent; one that was sent again is there once. */
export function fragmentFacts(
  fragments: readonly Fragment[],
  known: KnownOfBroadcast,
): FragmentFacts[] {
  const stagesOf = stagesInOrder(known.clockOfStages);
  const first = fragments.filter(
    ({ index }, at) => fragments.findIndex((one) => one.index === index) === at,
  );
  return first.map((fragment): FragmentFacts => {
    const { index: sequence, answer } = fragment;
    const isTones = known.fixture.audio?.tones ?? false;
    // What a reconnected media-service sends is numbered from its timestamps: the tones are.
    const segment = isTones ? segmentByTime(fragment, known.fixture) : fragment.segment;
    const { state, instead, ...places } = isTones
      ? heardOfTones(fragment, segment, known)
      : heardOfDub(fragment, known);
    const deviations = deviationsAt(segment, known.verdicts);
    const isHeard = state === 'not measured' ? undefined : state === 'heard';
    const text = known.texts?.find((one) => one.sequence === segment);
    const script = isScriptKnown(known.fixture) ? known.fixture.script[segment] : undefined;
    return {
      ...{ ...places, sequence, segment },
      state: state === 'heard' && deviations.length > 0 ? 'wrong' : state,
      isHeard,
      withoutDub: whyWithoutDub(fragment),
      remarks: [...remarksOn(fragment), ...(instead === undefined ? [] : [instead]), ...deviations],
      stages: stagesOf(fragment, { ...places, isHeard }),
      ended: fragment.end,
      roundTripMs: fragment.roundTripMs,
      script: script === '' ? undefined : script,
      transcript: answer?.transcript,
      translation: answer?.translation,
      reference: text === undefined ? undefined : known.fixture.translation?.[segment],
      wordErrorRate:
        script === undefined || !known.isTranslated
          ? undefined
          : (text?.words.wordErrorRate ?? errorsOf(script, answer?.transcript)),
      chrf: text?.match?.chrf,
      ...speechOf(known.spoken?.find((one) => one.sequence === segment)),
      original: fragment.audio?.file,
      dubbed: answer?.audio?.file,
    };
  });
}

function speechOf(spoken: SegmentSpoken | undefined): Partial<FragmentFacts> {
  if (!spoken?.heard.observed) return {};
  const { text, other, language } = spoken.heard;
  return {
    heard: other ?? text,
    spokenErrorRate: spoken.words?.wordErrorRate,
    languageProbability: language?.probability,
  };
}

function errorsOf(script: string | undefined, transcript: string | undefined): number | undefined {
  if (transcript === undefined) return undefined;
  try {
    return script ? wordErrorRate(script, transcript).wordErrorRate : undefined;
  } catch {
    // Too long to be compared, or a script without words.
    return undefined;
  }
}

function remarksOn(fragment: Fragment): string[] {
  const { end, endedAt, sentAt } = fragment;
  const why = whyWithoutDub(fragment);
  if (why === undefined) return [];
  const waited = `after ${(((endedAt ?? sentAt) - sentAt) / 1000).toFixed(1)} s`;
  return [end === 'disconnected' ? `${why}, ${waited}` : why];
}

/** What is shown of segments that were never sent. */
export function unsentFacts(
  unsent: readonly Unsent[],
  { fixture, clock, tones, clockOfStages }: KnownOfBroadcast,
): UnsentFacts[] {
  return unsent.map(({ segment, why, dueAt }) => {
    const sourceSeconds = (tones?.joinedSeconds ?? 0) + segment * fixture.segmentSeconds;
    return {
      ...{ segment, why, dueSeconds: clockOfStages.secondsAt(dueAt) },
      script: (isScriptKnown(fixture) && fixture.script[segment]) || undefined,
      shownAtPts: firstShownAt(clock, sourceSeconds, fixture.segmentSeconds),
    };
  });
}

function heardOfDub(fragment: Fragment, known: KnownOfBroadcast): Heard {
  const { fixture, placements, sourceStarts, clock } = known;
  const { segment, answer, audio } = fragment;
  const placement = placements?.find((one) => one.sequence === segment);
  if (!placement) {
    const sourceSeconds = sourceStarts?.get(segment);
    const seconds = audio?.durationMs ? audio.durationMs / 1000 : fixture.segmentSeconds;
    const shownAtPts = firstShownAt(clock, sourceSeconds, seconds);
    // Nothing can be heard of a dub that never was.
    const isUnheard = placements !== undefined && answer?.audio === undefined;
    return { state: isUnheard ? 'unheard' : 'not measured', sourceSeconds, shownAtPts };
  }
  const { startSeconds, occurrences, avOffset, original, presentations } = placement;
  const bestScore = occurrences.observed ? occurrences.bestScore : undefined;
  // Where nobody speaks the dub is silent: there is nothing to search for.
  const isSilent = !occurrences.observed && !fixture.script[segment];
  return {
    state: isSilent ? 'not measured' : avOffset.observed ? 'heard' : 'unheard',
    sourceSeconds: startSeconds,
    shownAtPts: presentations.observed ? presentations.presentations[0]?.ptsSeconds : undefined,
    offsetMs: avOffset.observed ? avOffset.offsetMs : undefined,
    heardShare: avOffset.observed ? avOffset.heardShare : undefined,
    correlation: avOffset.observed ? avOffset.score : bestScore,
    originalCorrelation: original.observed ? original.score : undefined,
  };
}

/** A media-service that has joined late or connected again counts timestamps, not segments, from where it joined. */
function segmentByTime({ timestampMs, segment }: Fragment, { segmentSeconds }: Fixture): number {
  return timestampMs === undefined ? segment : Math.round(timestampMs / 1000 / segmentSeconds);
}

function heardOfTones(
  fragment: Fragment,
  segment: number,
  { fixture: { segmentSeconds }, faults, clock, tones }: KnownOfBroadcast,
): Heard {
  if (!clock || !tones) return { state: 'not measured' };
  const { index, timestampMs } = fragment;
  const from = timestampMs === undefined ? segment * segmentSeconds : timestampMs / 1000;
  const sourceSeconds = tones.joinedSeconds + from;
  const shownAtPts = firstShownAt(clock, sourceSeconds, segmentSeconds);
  const ours = tones.heard.filter(
    ({ second }) => segmentOfTone(second, tones.joinedSeconds, segmentSeconds) === segment,
  );
  const offsets = ours.flatMap(({ avOffset }) => (avOffset.observed ? [avOffset.offsetMs] : []));
  const [worst] = [...offsets].sort((a, b) => Math.abs(b) - Math.abs(a));
  // Only a dub whose level was changed can be told from the original by its level. Where others were changed, what has the
  // level of the original and was answered in time is taken for its dub; where none was, nobody can tell.
  const isToldApart = faults.some(isSoftening) && whyWithoutDub(fragment) === undefined;
  const untold = isToldApart ? 'dub' : 'unknown';
  const audio = isSoftened(faults, index) ? (tones.segments?.[segment] ?? 'unknown') : untold;
  const isMeasured = ours.length > 0 && audio !== 'unknown';
  const isHeard = worst !== undefined && audio !== 'original';
  const instead =
    worst === undefined
      ? 'none of its tones is heard'
      : 'the original audio is heard in place of the dub';
  return {
    ...{ sourceSeconds, shownAtPts },
    state: !isMeasured ? 'not measured' : isHeard ? 'heard' : 'unheard',
    instead: isMeasured && !isHeard ? instead : undefined,
    // Of the dub: where something else is heard, they say nothing of it.
    ...(isMeasured && isHeard ? { offsetMs: worst, heardShare: offsets.length / ours.length } : {}),
  };
}

function firstShownAt(
  clock: FrameClock | undefined,
  sourceSeconds: number | undefined,
  seconds: number,
): number | undefined {
  if (!clock || sourceSeconds === undefined) return undefined;
  const shown = presentationsOf(clock, sourceSeconds, seconds);
  return shown.observed ? shown.presentations[0]?.ptsSeconds : undefined;
}
