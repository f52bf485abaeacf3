import { z } from 'zod';

import type { FragmentPlacement } from '../analyze/dub-placement';
import { answersOf, type Wait, waitsOf } from '../analyze/exchange';
import { milliseconds } from '../analyze/finding';
import { type FrameClock, presentationsOf } from '../analyze/frame-clock';
import { isOriginalHeard, LIMITS, whatIsWrong } from '../analyze/output-checks';
import type { LogLine } from '../analyze/service-log';
import { segmentOfTone, type ToneHeard } from '../analyze/tones';
import { wordErrorRate } from '../analyze/transcript';
import type { JudgedText } from '../analyze/translation';
import type { Fixture } from '../broadcast/fixture';
import type { TapEvent } from '../observe/tap';
import type { FragmentFacts, Stage } from './facts';

/** A fragment as the tap has seen it, whether its events fit the contract or not; times are ms since the epoch. */
export interface SeenFragment {
  id: string;
  /** As media-service counts; it begins again with each connection. */
  sequenceNumber: number | undefined;
  sentAt: number;
  /** Where it begins, in seconds since media-service has joined the broadcast. */
  timestampSeconds: number | undefined;
  durationSeconds: number | undefined;
  original: string | undefined;
  end: Wait;
  answer: SeenAnswer | undefined;
}

interface SeenAnswer {
  at: number;
  /** Of an error. */
  code: string | undefined;
  dubbed: string | undefined;
  transcript: string | undefined;
  translation: string | undefined;
  timingsMs: { asr: number; translation: number; tts: number } | undefined;
}

/** A field that may be missing, or anything. */
const maybe = <T>(schema: z.ZodType<T>): z.ZodType<T | undefined> =>
  schema.optional().catch(undefined);
const milliSeconds = z.number().nonnegative();
const audio = z.looseObject({ file: maybe(z.string()), duration_ms: maybe(milliSeconds) });
const sentSchema = z.looseObject({
  fragment_id: z.string(),
  sequence_number: maybe(z.number()),
  timestamp: maybe(z.number()),
  audio: maybe(audio),
});
const answerSchema = z.looseObject({
  fragment_id: z.string(),
  dubbed_audio: maybe(audio),
  transcript: maybe(z.string()),
  translated_text: maybe(z.string()),
  stage_timings: maybe(
    z.looseObject({ asr_ms: milliSeconds, translation_ms: milliSeconds, tts_ms: milliSeconds }),
  ),
});
const initSchema = z.looseObject({ timeout_ms: z.number().positive() });

/** Every fragment that was sent, once, in the order sent; events that name none are passed over. */
export function fragmentsSeen(events: readonly TapEvent[]): SeenFragment[] {
  const init = initSchema.safeParse(events.find(({ event }) => event === 'stream:init')?.payload);
  const waits = waitsOf(events, init.success ? init.data.timeout_ms : Infinity);
  const ended = answersOf(events);
  const answers = events.flatMap(({ at, direction, event, payload }) => {
    const parsed = answerSchema.safeParse(payload);
    const isAnswer = event === 'fragment:processed' && direction === 'from-sts' && parsed.success;
    return isAnswer ? [{ at, ...parsed.data }] : [];
  });
  const fragments = new Map<string, SeenFragment>();
  for (const { at, event, direction, payload } of events) {
    const parsed = sentSchema.safeParse(payload);
    if (event !== 'fragment:data' || direction !== 'to-sts' || !parsed.success) continue;
    const { fragment_id: id, sequence_number: sequenceNumber, timestamp, audio } = parsed.data;
    const end = waits.findLast(({ fragmentId }) => fragmentId === id);
    if (fragments.has(id) || !end) continue;
    const answer = answers.find((one) => one.fragment_id === id && one.at >= at);
    const error = ended.find((one) => one.fragmentId === id && one.at >= at);
    const timings = answer?.stage_timings;
    fragments.set(id, {
      ...{ id, sequenceNumber, sentAt: at, end },
      timestampSeconds: timestamp === undefined ? undefined : timestamp / 1000,
      durationSeconds: audio?.duration_ms === undefined ? undefined : audio.duration_ms / 1000,
      original: audio?.file,
      answer:
        answer || error
          ? {
              at: answer?.at ?? error?.at ?? end.sentAt,
              code: error?.code,
              dubbed: answer?.dubbed_audio?.file,
              transcript: answer?.transcript,
              translation: answer?.translated_text,
              timingsMs: timings && {
                asr: timings.asr_ms,
                translation: timings.translation_ms,
                tts: timings.tts_ms,
              },
            }
          : undefined,
    });
  }
  return [...fragments.values()];
}

/** What is known of a stream besides what was said on the wire; undefined: not looked at, or not observed. */
interface KnownOfStream {
  fixture: Fixture;
  /** What media-service has logged about the stream. */
  logLines: readonly LogLine[];
  /** When media-service began to read the broadcast; ms since the epoch. */
  ingestedAt: number | undefined;
  /** A moment in ms since the epoch as seconds of the stream. */
  secondsAt: (ms: number) => number;
  /** When the output's PTS 0 was there, in seconds of the stream. */
  ptsZeroAtSeconds: number | undefined;
  clock: FrameClock | undefined;
  placements: readonly FragmentPlacement[] | undefined;
  /** Where fragments begin in the source, by their sequence number. */
  sourceStarts: ReadonlyMap<number, number> | undefined;
  texts: readonly JudgedText[] | undefined;
  /** The tones that are whole in the output, and where in the source media-service has joined. */
  tones: { heard: readonly ToneHeard[]; joinedSeconds: number } | undefined;
  /** Whether dubs are half as loud as the original, so that what is heard can be told by its level. */
  isSoftened: boolean;
}

/** What is heard of a fragment in the output. */
type Heard = Pick<
  FragmentFacts,
  | 'state'
  | 'faults'
  | 'sourceSeconds'
  | 'offsetMs'
  | 'correlation'
  | 'heardShare'
  | 'originalCorrelation'
  | 'shownAtPts'
  | 'heardAtPts'
>;

/** Between the level of a dub that is half as loud, and that of the original. */
const SOFTENED_BELOW = 0.7;

/** Each fragment's way, in the order sent; they are counted from 0 over all connections, as plans count them. */
export function fragmentFacts(
  fragments: readonly SeenFragment[],
  known: KnownOfStream,
): FragmentFacts[] {
  const stagesOf = stagesInOrder(known);
  return fragments.map((fragment, sequence): FragmentFacts => {
    const { end, answer } = fragment;
    const isUnique =
      fragments.filter((one) => one.sequenceNumber === fragment.sequenceNumber).length === 1;
    const numbered = <T extends { sequence: number }>(all?: readonly T[]): T | undefined =>
      isUnique ? all?.find((one) => one.sequence === fragment.sequenceNumber) : undefined;
    const heard = known.fixture.audio?.tones
      ? heardOfTones(fragment, sequence, known)
      : heardOfDub(
          fragment,
          numbered(known.placements),
          isUnique ? known.sourceStarts?.get(fragment.sequenceNumber ?? NaN) : undefined,
          known,
        );
    const script = known.fixture.script[fragment.sequenceNumber ?? sequence];
    const text = numbered(known.texts);
    const { state, faults, ...places } = heard;
    const facts: Undefinable<FragmentFacts> = {
      ...{ sequence, state, ...places },
      faults: [...whyNoDub(fragment, known), ...faults],
      stages: stagesOf(fragment, heard.shownAtPts),
      ended: end.how,
      roundTripMs: answer && answer.at - fragment.sentAt,
      asrMs: answer?.timingsMs?.asr,
      translationMs: answer?.timingsMs?.translation,
      ttsMs: answer?.timingsMs?.tts,
      script: script === '' ? undefined : script,
      transcript: answer?.transcript,
      translation: answer?.translation,
      wordErrorRate: text?.words.wordErrorRate ?? errorsOf(script, answer?.transcript),
      chrf: text?.match?.chrf,
      original: fragment.original,
      dubbed: answer?.dubbed,
    };
    return withoutUndefined(facts);
  });
}

type Undefinable<T> = { [K in keyof T]: T[K] | undefined };

function withoutUndefined<T extends object>(facts: Undefinable<T>): T {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as T;
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

function whyNoDub({ end, answer }: SeenFragment, { secondsAt }: KnownOfStream): string[] {
  if (answer?.code !== undefined) return [`the STS answered with the error ${answer.code}`];
  if (end.how !== 'answered' && end.how !== 'still waiting') {
    const after = secondsAt(end.endedAt ?? end.sentAt) - secondsAt(end.sentAt);
    return [`${end.how} after ${after.toFixed(1)} s`];
  }
  if (!answer) return ['not answered'];
  return answer.dubbed === undefined ? ['an answer without a dub'] : [];
}

function heardOfDub(
  { answer, durationSeconds }: SeenFragment,
  placement: FragmentPlacement | undefined,
  sourceSeconds: number | undefined,
  { fixture, placements, clock }: KnownOfStream,
): Heard {
  if (!placement) {
    const shown =
      clock && sourceSeconds !== undefined
        ? presentationsOf(clock, sourceSeconds, durationSeconds ?? fixture.segmentSeconds)
        : undefined;
    const shownAtPts = shown?.observed ? shown.showings[0]?.ptsSeconds : undefined;
    // Nothing can be heard of a dub that never was.
    const isUnheard = placements !== undefined && answer?.dubbed === undefined;
    return {
      ...{ state: isUnheard ? 'unheard' : 'not looked at', faults: [] },
      ...withoutUndefined<Partial<Heard>>({ sourceSeconds, shownAtPts }),
    };
  }
  const { sequence, startSeconds, occurrences, delta, original } = placement;
  const shown = placement.presentations.observed ? placement.presentations.showings[0] : undefined;
  const wrong = whatIsWrong(placement);
  const faults = [
    ...(wrong === undefined ? [] : [wrong]),
    ...(delta.observed && Math.abs(delta.deltaMs) >= LIMITS.deltaMs
      ? [farFrom(delta.deltaMs)]
      : []),
    ...(original.observed && isOriginalHeard(placement)
      ? [`the original audio is heard, correlation ${original.score.toFixed(2)}`]
      : []),
  ];
  // Where nobody speaks the dub is silent: there is nothing to look for.
  const isSilent = !occurrences.observed && !fixture.script[sequence];
  return {
    state: isSilent
      ? 'not looked at'
      : !delta.observed
        ? 'unheard'
        : faults.length > 0
          ? 'wrong'
          : 'fine',
    faults,
    ...withoutUndefined<Partial<Heard>>({
      sourceSeconds: startSeconds,
      shownAtPts: shown?.ptsSeconds,
      offsetMs: delta.observed ? delta.deltaMs : undefined,
      heardAtPts: delta.observed ? delta.ptsSeconds : undefined,
      heardShare: delta.observed ? delta.heardShare : undefined,
      correlation: delta.observed
        ? delta.score
        : occurrences.observed
          ? occurrences.bestScore
          : undefined,
      originalCorrelation: original.observed ? original.score : undefined,
    }),
  };
}

function farFrom(deltaMs: number): string {
  const side = deltaMs > 0 ? 'after' : 'before';
  return `heard ${milliseconds(Math.abs(deltaMs))} ${side} its video, limit ${LIMITS.deltaMs} ms`;
}

function heardOfTones(
  { timestampSeconds }: SeenFragment,
  sequence: number,
  { fixture, clock, tones, isSoftened }: KnownOfStream,
): Heard {
  if (!clock || !tones) return { state: 'not looked at', faults: [] };
  const { segmentSeconds } = fixture;
  const fromSeconds = timestampSeconds ?? sequence * segmentSeconds;
  const segment = Math.round(fromSeconds / segmentSeconds);
  const sourceSeconds = tones.joinedSeconds + fromSeconds;
  const shown = presentationsOf(clock, sourceSeconds, segmentSeconds);
  const shownAtPts = shown.observed ? shown.showings[0]?.ptsSeconds : undefined;
  const places = withoutUndefined<Partial<Heard>>({ sourceSeconds, shownAtPts });
  const ours = tones.heard.filter(
    ({ second }) => segmentOfTone(second, tones.joinedSeconds, segmentSeconds) === segment,
  );
  const heard = ours.flatMap(({ delta, level }) => (delta.observed ? [{ ...delta, level }] : []));
  const [worst] = [...heard].sort((a, b) => Math.abs(b.deltaMs) - Math.abs(a.deltaMs));
  if (ours.length === 0) return { state: 'not looked at', faults: [], ...places };
  if (!worst) return { state: 'unheard', faults: ['none of its tones is heard'], ...places };
  const originals = heard.filter(({ level }) => isSoftened && level > SOFTENED_BELOW).length;
  const faults = [
    ...(heard.length < ours.length ? [`${heard.length} of ${ours.length} tones are heard`] : []),
    ...(originals > 0
      ? [`the original audio is heard in ${originals} of ${ours.length} tones`]
      : []),
    ...(Math.abs(worst.deltaMs) >= LIMITS.deltaMs ? [farFrom(worst.deltaMs)] : []),
  ];
  const isOriginalOnly = originals === heard.length;
  return {
    state: isOriginalOnly ? 'unheard' : faults.length > 0 ? 'wrong' : 'fine',
    faults: isOriginalOnly ? ['the original audio is heard in place of the dub'] : faults,
    ...places,
    offsetMs: worst.deltaMs,
    heardShare: heard.length / ours.length,
    ...(shownAtPts === undefined ? {} : { heardAtPts: shownAtPts + worst.deltaMs / 1000 }),
  };
}

/**
 * The stages of one fragment after the other. An output has to wait for an answer that comes after the moment at which it
 * should be played, and is as much later from then on: it goes on at the speed of the broadcast.
 */
function stagesInOrder(
  known: KnownOfStream,
): (fragment: SeenFragment, shownAtPts: number | undefined) => FragmentFacts['stages'] {
  const late = { seconds: 0 };
  return (fragment, shownAtPts) => stagesOf(fragment, shownAtPts, known, late);
}

function stagesOf(
  fragment: SeenFragment,
  shownAtPts: number | undefined,
  known: KnownOfStream,
  late: { seconds: number },
): FragmentFacts['stages'] {
  const { secondsAt, ptsZeroAtSeconds, fixture } = known;
  const { end, answer } = fragment;
  const stages: FragmentFacts['stages'] = [];
  const add = (stage: Stage, fromSeconds: number, toSeconds: number): void => {
    // Times are kept to the millisecond.
    if (toSeconds - fromSeconds >= 0.0005) stages.push({ stage, fromSeconds, toSeconds });
  };
  const sent = secondsAt(end.sentAt);
  const cutAt = cutAtOf(fragment, known);
  if (cutAt !== undefined) add('waiting', secondsAt(cutAt), sent);
  const isAnswered = end.how === 'answered' && answer !== undefined;
  const ended = end.endedAt === undefined ? undefined : secondsAt(end.endedAt);
  const { asr = 0, translation = 0, tts = 0 } = (isAnswered && answer.timingsMs) || {};
  if (ended !== undefined) {
    const from = (...stagesMs: number[]): number =>
      Math.max(sent, ended - stagesMs.reduce((sum, ms) => sum + ms, 0) / 1000);
    add('queued', sent, from(asr, translation, tts));
    add('asr', from(asr, translation, tts), from(translation, tts));
    add('translation', from(translation, tts), from(tts));
    add('tts', from(tts), ended);
  }
  if (ptsZeroAtSeconds !== undefined && shownAtPts !== undefined) {
    const onTime = ptsZeroAtSeconds + shownAtPts;
    late.seconds = Math.max(late.seconds, (ended ?? onTime) - onTime);
    const played = onTime + late.seconds;
    if (isAnswered && ended !== undefined) add('returned', ended, played);
    add('played', played, played + (fragment.durationSeconds ?? fixture.segmentSeconds));
  }
  return stages;
}

/** When the fragment's audio was complete: as media-service logs it, or at the earliest possible moment. */
function cutAtOf(
  { timestampSeconds, durationSeconds }: SeenFragment,
  { logLines, ingestedAt, fixture }: KnownOfStream,
): number | undefined {
  if (timestampSeconds === undefined) return undefined;
  const cut = logLines.find(
    ({ message, fields }) =>
      message === 'segment cut' &&
      Math.abs(Number(fields['start_ms']) - timestampSeconds * 1000) < 1,
  );
  if (cut?.at !== undefined) return cut.at;
  const endsAtSeconds = timestampSeconds + (durationSeconds ?? fixture.segmentSeconds);
  return ingestedAt === undefined ? undefined : ingestedAt + 1000 * endsAtSeconds;
}
