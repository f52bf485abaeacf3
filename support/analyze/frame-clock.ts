import type { Span } from './ffmpeg';
import { type Finding, percentile, unobserved } from './finding';
import { FRAME_NUMBERS } from './frame-strip';
import type { Frame } from './video';

/** Frames that are shown at the source's own speed, without a jump. */
export interface ClockRun {
  firstFrame: number;
  lastFrame: number;
  /** The first presentation of each frame. */
  frames: { frame: number; ptsSeconds: number }[];
}

/** When source time is shown in the output, and what is wrong with the order of its frames. */
export interface FrameClock {
  framesPerSecond: number;
  /** Of the source, where it is known. */
  lastFrame?: number;
  /** `strip`: by the numbers in the frames. `matched`: by what is seen in them, compared with the source. */
  kind: 'strip' | 'matched';
  /** Of `matched`: stretches of a second or more in which nothing moves, so that frames cannot be told apart. */
  untold: Span[];
  runs: ClockRun[];
  /** Frames without a readable number; of `matched`, frames that are none of the source. */
  unreadable: number;
  /** Frames that are never shown between the first one shown and the last one of the source. */
  lost: { fromFrame: number; count: number; atSeconds: number }[];
  /** A frame shown for longer than its presentation interval; `seconds` is the excess. */
  longPresentations: (Span & { frame: number })[];
  /** Frames one after the other of which each is shown for less than half of its interval; `seconds` is what they lack. */
  bunches: (Span & { fromFrame: number; count: number })[];
  /** A later frame followed by an earlier one: out of order, or a repeat. */
  backward: { fromFrame: number; toFrame: number; atSeconds: number }[];
}

/** Where a stretch of the source begins in the output. */
export interface Presentation {
  ptsSeconds: number;
  /** Frames between the wanted one and the nearest one that is shown; 0 when that very frame is there. */
  frameDistance: number;
}

/** A jump of the clock by more than this begins another run of frames; ms timestamps jitter by far less. */
const RUN_JUMP_SECONDS = 0.05;
/** Frames up to this long after the wanted one are used to tell its time. */
const CLOCK_SECONDS = 0.4;

/**
 * The clock that numbered frames make.
 *
 * @param framesPerSecond of the source
 * @param lastFrame of the source; where given, frames missing at the end count as lost
 * @param told by what the numbers of the frames were told
 */
export function frameClock(
  frames: readonly Frame[],
  framesPerSecond: number,
  lastFrame?: number,
  told: Pick<FrameClock, 'kind' | 'untold'> = { kind: 'strip', untold: [] },
): FrameClock {
  const read = frames.filter(
    (frame): frame is { ptsSeconds: number; frame: number } => frame.frame !== null,
  );
  const clock: FrameClock = {
    ...{ framesPerSecond, ...told, runs: [], lost: [], longPresentations: [], backward: [] },
    ...{ bunches: bunchesOf(read, framesPerSecond), unreadable: frames.length - read.length },
    ...(lastFrame === undefined ? {} : { lastFrame }),
  };
  let previous: { frame: number; ptsSeconds: number } | undefined;
  for (const { frame, ptsSeconds } of read) {
    if (previous && frame === previous.frame) continue;
    if (previous) {
      const jump = ptsSeconds - previous.ptsSeconds - (frame - previous.frame) / framesPerSecond;
      if (Math.abs(jump) > RUN_JUMP_SECONDS) clock.runs.push(newRun(frame));
      if (frame < previous.frame) {
        clock.backward.push({ fromFrame: previous.frame, toFrame: frame, atSeconds: ptsSeconds });
      }
    } else {
      clock.runs.push(newRun(frame));
    }
    const run = clock.runs.at(-1);
    run?.frames.push({ frame, ptsSeconds });
    if (run) {
      run.firstFrame = Math.min(run.firstFrame, frame);
      run.lastFrame = Math.max(run.lastFrame, frame);
    }
    previous = { frame, ptsSeconds };
  }
  clock.longPresentations.push(...longPresentations(read, framesPerSecond));
  clock.lost.push(...lost(read, lastFrame));
  return clock;
}

function newRun(frame: number): ClockRun {
  return { firstFrame: frame, lastFrame: frame, frames: [] };
}

function longPresentations(
  read: readonly { frame: number; ptsSeconds: number }[],
  framesPerSecond: number,
): FrameClock['longPresentations'] {
  const found: FrameClock['longPresentations'] = [];
  let first = read[0];
  for (let i = 1; i <= read.length; i += 1) {
    const [frame, before] = [read[i], read[i - 1]];
    if (!first || !before || frame?.frame === first.frame) continue;
    if (before !== first) {
      found.push({
        frame: first.frame,
        fromSeconds: first.ptsSeconds,
        seconds:
          (frame?.ptsSeconds ?? before.ptsSeconds + 1 / framesPerSecond) -
          first.ptsSeconds -
          1 / framesPerSecond,
      });
    }
    first = frame;
  }
  return found;
}

function bunchesOf(
  read: readonly { frame: number; ptsSeconds: number }[],
  framesPerSecond: number,
): FrameClock['bunches'] {
  const found: FrameClock['bunches'] = [];
  let isOpen = false;
  read.forEach(({ frame, ptsSeconds }, i) => {
    const next = read[i + 1];
    const lack = 1 / framesPerSecond - ((next?.ptsSeconds ?? Infinity) - ptsSeconds);
    // A frame that is shown again goes on; one after a jump is another fault.
    const isShort = next?.frame === frame + 1 && lack > 0.5 / framesPerSecond;
    const last = isOpen ? found.at(-1) : undefined;
    if (isShort && last) {
      last.count += 1;
      last.seconds += lack;
    } else if (isShort) {
      found.push({ fromFrame: frame, count: 1, fromSeconds: ptsSeconds, seconds: lack });
    }
    isOpen = isShort;
  });
  return found.filter(({ count }) => count > 1);
}

function lost(
  read: readonly { frame: number; ptsSeconds: number }[],
  lastFrame: number | undefined,
): FrameClock['lost'] {
  const shown = new Map<number, number>();
  for (const { frame, ptsSeconds } of read) {
    if (!shown.has(frame)) shown.set(frame, ptsSeconds);
  }
  const numbers = [...shown.keys()].sort((a, b) => a - b);
  const end = Math.max(lastFrame ?? 0, numbers.at(-1) ?? 0) + 1;
  return numbers.flatMap((frame, i) => {
    const count = (numbers[i + 1] ?? end) - frame - 1;
    return count > 0 ? [{ fromFrame: frame + 1, count, atSeconds: shown.get(frame) ?? NaN }] : [];
  });
}

/**
 * Where a stretch of the source is shown: once for each run that shows at least half of it.
 *
 * The time is the median over the frames of the first 0.4 s, as a single displaced frame says nothing about the
 * stretch, be it the first of ffmpeg's fragmented MP4 (21 ms early), the lead-in that a worker sends because media
 * servers drop an RTMP publisher's first 2 s, or the jitter of ms timestamps.
 *
 * @returns unobserved when no run shows it
 */
export function presentationsOf(
  clock: FrameClock,
  startSeconds: number,
  lengthSeconds: number,
): Finding<{ presentations: Presentation[] }> {
  const { framesPerSecond: fps } = clock;
  const from = startSeconds * fps;
  const to = (startSeconds + lengthSeconds) * fps;
  if (clock.kind === 'strip' && to > FRAME_NUMBERS) {
    return unobserved(`frame ${Math.round(to)} is beyond the ${FRAME_NUMBERS} of a strip`);
  }
  if (clock.runs.length === 0) {
    return unobserved(
      clock.kind === 'strip'
        ? 'no frame of the output has a readable frame number'
        : 'no frame of the output is one of the source',
    );
  }
  const found = clock.runs.flatMap((run): Presentation[] => {
    const shown = Math.min(run.lastFrame + 1, to) - Math.max(run.firstFrame, from);
    const later = run.frames.filter(({ frame }) => frame >= from - 0.5);
    const nearest = later[0];
    if (shown < 0.5 * (to - from) || !nearest) return [];
    const times = later
      .filter(({ frame }) => frame - nearest.frame <= CLOCK_SECONDS * fps)
      .map(({ frame, ptsSeconds }) => ptsSeconds + (from - frame) / fps);
    const median = percentile(times, 50);
    if (!median.observed) return [];
    const frameDistance = Math.round(Math.abs(nearest.frame - from));
    return [{ ptsSeconds: median.value, frameDistance }];
  });
  return found.length > 0
    ? { observed: true, presentations: found }
    : unobserved(whyNotShown(clock, from, to));
}

/** What of a stretch of the source is in the output, in words; frames of the source only. */
function whyNotShown(
  { runs, framesPerSecond, lastFrame = Infinity }: FrameClock,
  from: number,
  to: number,
): string {
  const [first, last] = [Math.max(0, Math.round(from)), Math.min(lastFrame, Math.round(to) - 1)];
  const frames = `frames ${first} to ${last}`;
  if (first > last) return `the source has no ${frames}`;
  const pieces = runs
    .map((run) => run.frames.filter(({ frame }) => frame >= first && frame <= last))
    .filter(({ length }) => length > 0);
  const shown = new Set(pieces.flat().map(({ frame }) => frame)).size;
  if (shown === 0) return `${frames} are not in the output`;
  if (shown < (last - first + 1) / 2) return `only ${shown} of the ${frames} are in the output`;
  const seconds = pieces.reduce((sum, piece) => {
    const [begin, end] = [piece[0], piece.at(-1)];
    return sum + (end?.ptsSeconds ?? NaN) - (begin?.ptsSeconds ?? NaN) + 1 / framesPerSecond;
  }, 0);
  const wanted = ((last - first + 1) / framesPerSecond).toFixed(2);
  return (
    `${shown} of the ${frames} are in the output, but in ${pieces.length} pieces between which time jumps, ` +
    `for ${seconds.toFixed(2)} s in place of ${wanted} s`
  );
}
