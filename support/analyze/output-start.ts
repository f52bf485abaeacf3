import type { FragmentPlacement } from './dub-placement';
import { type ClockRun, type FrameClock, presentationsOf } from './frame-clock';
import { TONE_AT_SECONDS, TONE_SECONDS, type ToneHeard } from './tones';

/** How much of the beginning of its broadcast an output lacks, in seconds; undefined where that cannot be told. */
export interface OutputStart {
  video: number | undefined;
  audio: number | undefined;
}

/** What tells where in the broadcast an output begins. */
export interface StartEvidence {
  clock: FrameClock;
  /** When the output's audio begins, in its timeline. */
  audioFromSeconds: number;
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

/** A worker may show one frame for a while before its content begins. */
function firstMoving({ kind, runs }: FrameClock): ClockRun | undefined {
  return kind === 'strip' ? runs.find(({ frames }) => frames.length > 1) : undefined;
}

function firstFrame(moving: ClockRun, { runs }: FrameClock): number {
  const isShownBefore = runs.some(({ lastFrame }) => lastFrame === moving.firstFrame - 1);
  return moving.firstFrame - (isShownBefore ? 1 : 0);
}

function audioStart(evidence: StartEvidence, run: ClockRun | undefined): number | undefined {
  const { clock, audioFromSeconds, sourceAudioFromSeconds, firstFragmentSeconds } = evidence;
  const zero = run && zeroOf(clock, run);
  const starts = [
    ...(zero === undefined ? [] : [audioFromSeconds - zero]),
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
