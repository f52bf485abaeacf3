import type { FragmentPlacement } from './dub-placement';
import { type ClockRun, type FrameClock, presentationsOf } from './frame-clock';
import { TONE_AT_SECONDS, TONE_SECONDS, type ToneHeard } from './tones';

/** How much of the beginning of its broadcast an output lacks, in seconds; undefined where that cannot be told. */
export interface OutputStart {
  video: number | undefined;
  audio: number | undefined;
}

/** How much of its end it lacks, in seconds; undefined where that cannot be told. */
export type OutputEnd = OutputStart;

/** What tells where in the broadcast an output begins. */
export interface StartEvidence {
  clock: FrameClock;
  /** When the output's audio begins, in its timeline; undefined where it has none. */
  audioFromSeconds: number | undefined;
  /** So much later than its video the source's own audio begins. */
  sourceAudioFromSeconds: number;
  /** Where the first fragment begins in the source; undefined where that is not known. */
  firstFragmentSeconds: number | undefined;
  /** Where the dub of the first fragment is heard; undefined where it was not looked for. */
  firstDub: FragmentPlacement | undefined;
  /** Of a broadcast of tones. */
  tones: readonly ToneHeard[];
}

/** From so much of its loud time on, the beginning of a dub is taken for cut: a codec may spoil a tenth of a second. */
const DUB_IS_CUT_SECONDS = 0.3;

/** Video by the numbers of its frames; audio by where its track and its first fragment begin, and by what is heard. */
export function outputStart(evidence: StartEvidence): OutputStart {
  const run = firstMoving(evidence.clock);
  return {
    video: run && firstFrame(run, evidence.clock) / evidence.clock.framesPerSecond,
    audio: audioStart(evidence, run),
  };
}

/**
 * Video by the last of its frames; audio by where its track ends, in the time of its video.
 *
 * @param audioToSeconds when the output's audio ends, in its timeline; undefined where it has none
 * @param source when its video and its audio end, in seconds; no audio where it has none
 */
export function outputEnd(
  clock: FrameClock,
  audioToSeconds: number | undefined,
  source: { video: number; audio: number | undefined },
): OutputEnd {
  const { framesPerSecond: fps, runs } = clock;
  const last = runs.at(-1);
  if (!last) return { video: undefined, audio: undefined };
  const [lastFrame, end] = [Math.max(...runs.map((run) => run.lastFrame)), last.frames.at(-1)];
  // Of a stretch in which nothing moves, the end cannot be told.
  const isTold = !isUntoldAt(clock, last.frames.at(-1)?.ptsSeconds ?? NaN);
  const zero = (end?.ptsSeconds ?? NaN) - (end?.frame ?? NaN) / fps;
  return {
    video: isTold ? Math.max(0, source.video - (lastFrame + 1) / fps) : undefined,
    audio:
      source.audio === undefined || audioToSeconds === undefined
        ? undefined
        : Math.max(0, source.audio - (audioToSeconds - zero)),
  };
}

/** A worker may show one frame for a while before its content begins. Where nothing moves, it cannot be told where that is. */
function firstMoving(clock: FrameClock): ClockRun | undefined {
  const run = clock.runs.find(({ frames }) => frames.length > 1);
  const isTold = run && !isUntoldAt(clock, run.frames[0]?.ptsSeconds ?? NaN);
  return isTold ? run : undefined;
}

function isUntoldAt({ untold }: FrameClock, at: number): boolean {
  return untold.some(
    ({ fromSeconds, seconds }) => at >= fromSeconds && at <= fromSeconds + seconds,
  );
}

function firstFrame(moving: ClockRun, { runs }: FrameClock): number {
  const isShownBefore = runs.some(({ lastFrame }) => lastFrame === moving.firstFrame - 1);
  return moving.firstFrame - (isShownBefore ? 1 : 0);
}

function audioStart(evidence: StartEvidence, run: ClockRun | undefined): number | undefined {
  const { clock, audioFromSeconds, sourceAudioFromSeconds, firstFragmentSeconds } = evidence;
  const zero = run && zeroOf(clock, run);
  const starts = [
    ...(zero === undefined || audioFromSeconds === undefined ? [] : [audioFromSeconds - zero]),
    ...(firstFragmentSeconds === undefined ? [] : [firstFragmentSeconds]),
    ...unheardAtFirst(evidence, run),
  ];
  return starts.length === 0
    ? undefined
    : Math.max(0, ...starts.map((at) => at - sourceAudioFromSeconds));
}

/** When the source's first frame is shown in the output, or would be. */
function zeroOf(clock: FrameClock, run: ClockRun): number | undefined {
  const fromSeconds = run.firstFrame / clock.framesPerSecond;
  const shown = presentationsOf({ ...clock, runs: [run] }, fromSeconds, 1 / clock.framesPerSecond);
  const [first] = shown.observed ? shown.presentations : [];
  return first && first.ptsSeconds - fromSeconds;
}

/** Up to where nothing is heard although the track has begun; nothing where the beginning is heard. */
function unheardAtFirst(
  { clock, firstDub, tones }: StartEvidence,
  run: ClockRun | undefined,
): number[] {
  // Tones are looked for at their frames: without those of the first one, it may be heard all the same.
  const isShown =
    run !== undefined && firstFrame(run, clock) < TONE_AT_SECONDS * clock.framesPerSecond;
  const first = isShown ? tones.findIndex(({ level }) => level > 0) : -1;
  // Of a tone that is not heard at all, not even the end is there.
  const untilTone = first > 0 ? [first - 1 + TONE_AT_SECONDS + TONE_SECONDS] : [];
  if (!firstDub?.avOffset.observed) return untilTone;
  const { lateSeconds } = firstDub.avOffset;
  const isCut = lateSeconds >= DUB_IS_CUT_SECONDS;
  return isCut ? [...untilTone, firstDub.startSeconds + lateSeconds] : untilTone;
}
