import type { Span } from './ffmpeg';
import { type Finding, percentile, unobserved } from './finding';
import { type Advance, conversionIn, frameRateOf, type RateConversion } from './frame-rate';
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
  /** When the first of them is shown. */
  firstUnreadableSeconds?: number;
  /** Where the source's rate was converted to a lower one: what that leaves out is not lost. */
  conversion?: RateConversion;
  /** Frames that are never shown between the first one shown and the last one of the source. */
  lost: {
    fromFrame: number;
    count: number;
    atSeconds: number;
    /** Frames without a number that are shown in their place. */
    hidden?: number;
  }[];
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
 * The clock that numbered frames make. A strip's numbers begin again after 65536 frames (36 min at 30 frames per second): of a
 * source that is longer they are counted on, by the time at which they are shown.
 *
 * @param framesPerSecond of the source
 * @param lastFrame of the source; where given, frames missing at the end count as lost
 * @param told by what the numbers of the frames were told
 * @param repeats frames that only repeat the one before in the source: without them, nothing is lost
 */
export function frameClock(
  frames: readonly Frame[],
  framesPerSecond: number,
  lastFrame?: number,
  told: Pick<FrameClock, 'kind' | 'untold'> = { kind: 'strip', untold: [] },
  repeats: ReadonlySet<number> = new Set(),
): FrameClock {
  const numbered = told.kind === 'strip' ? countedOn(frames, framesPerSecond, lastFrame) : frames;
  const read = readable(numbered);
  const unreadable = numbered.find(({ frame }) => frame === null);
  const conversion = conversionOf(read, frames, framesPerSecond, repeats);
  const clock: FrameClock = {
    ...{ framesPerSecond, ...told, runs: [], backward: [] },
    ...{ bunches: bunchesOf(read, framesPerSecond), unreadable: frames.length - read.length },
    ...(lastFrame === undefined ? {} : { lastFrame }),
    ...(unreadable ? { firstUnreadableSeconds: unreadable.ptsSeconds } : {}),
    ...(conversion ? { conversion: conversion.found } : {}),
    longPresentations: longPresentations(read, framesPerSecond),
    lost: lost(read, lastFrame, conversion?.leftOutBefore).filter(({ fromFrame, count }) =>
      hasOwn(fromFrame, count, repeats),
    ),
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
  return clock;
}

/** A frame whose number could be read. `hidden`: so many frames without one are shown before it. */
type Numbered = { ptsSeconds: number; frame: number; hidden: number };

function readable(frames: readonly Frame[]): Numbered[] {
  const read: Numbered[] = [];
  let hidden = 0;
  for (const { frame, ptsSeconds } of frames) {
    if (frame !== null) read.push({ frame, ptsSeconds, hidden });
    hidden = frame === null ? hidden + 1 : 0;
  }
  return read;
}

/**
 * The numbers of a strip, counted on where the source has more frames than a strip can number. What the source does not have, by
 * more than a second, is not read: a strip that is mirrored or torn may look like another number.
 *
 * @param lastFrame of the source; where it is not known, numbers are taken as they are
 */
export function countedOn(
  frames: readonly Frame[],
  framesPerSecond: number,
  lastFrame?: number,
): readonly Frame[] {
  if (lastFrame === undefined) return frames;
  if (lastFrame < FRAME_NUMBERS) {
    const most = lastFrame + framesPerSecond;
    return frames.map((one) => ((one.frame ?? 0) > most ? { ...one, frame: null } : one));
  }
  let last: { frame: number; ptsSeconds: number } | undefined;
  return frames.map(({ frame, ptsSeconds }) => {
    if (frame === null) return { frame, ptsSeconds };
    const expected = last ? last.frame + (ptsSeconds - last.ptsSeconds) * framesPerSecond : frame;
    const rounds = Math.max(0, Math.round((expected - frame) / FRAME_NUMBERS));
    last = { frame: frame + rounds * FRAME_NUMBERS, ptsSeconds };
    return last;
  });
}

function conversionOf(
  read: readonly Numbered[],
  all: readonly Frame[],
  framesPerSecond: number,
  repeats: ReadonlySet<number>,
): { found: RateConversion; leftOutBefore: ReadonlySet<number> } | undefined {
  const advances: Advance[] = [];
  let before: Numbered | undefined;
  for (const one of read) {
    if (before && one.frame <= before.frame) {
      // What goes back begins anew; a frame that is shown again goes on.
      if (one.frame < before.frame) before = one;
      continue;
    }
    if (before) {
      // What something else is shown in place of is not left out by a conversion.
      const skipped = Math.max(0, one.frame - before.frame - 1 - one.hidden);
      const frames = hasOwn(before.frame + 1, skipped, repeats) ? skipped + 1 : 1;
      advances.push({ ...one, frames, seconds: one.ptsSeconds - before.ptsSeconds });
    }
    before = one;
  }
  const rate = frameRateOf(all.map(({ ptsSeconds }) => ptsSeconds));
  const conversion = conversionIn(advances, framesPerSecond, rate);
  if (!conversion) return undefined;
  const { isLeftOut, ...found } = conversion;
  const leftOutBefore = new Set(advances.filter(isLeftOut).map(({ frame }) => frame));
  return { found, leftOutBefore };
}

function newRun(frame: number): ClockRun {
  return { firstFrame: frame, lastFrame: frame, frames: [] };
}

function longPresentations(
  read: readonly Numbered[],
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

function bunchesOf(read: readonly Numbered[], framesPerSecond: number): FrameClock['bunches'] {
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

/** Whether any of these frames shows something else than the one before. */
function hasOwn(fromFrame: number, count: number, repeats: ReadonlySet<number>): boolean {
  for (let i = 0; i < count; i += 1) if (!repeats.has(fromFrame + i)) return true;
  return false;
}

/** @param leftOutBefore frames before which a conversion has left out others */
function lost(
  read: readonly Numbered[],
  lastFrame: number | undefined,
  leftOutBefore: ReadonlySet<number> = new Set(),
): FrameClock['lost'] {
  const shown = new Map<number, number>();
  const hiddenBefore = new Map<number, number>();
  for (const { frame, ptsSeconds, hidden } of read) {
    if (!shown.has(frame)) shown.set(frame, ptsSeconds);
    if (hidden > 0) hiddenBefore.set(frame, hidden);
  }
  const numbers = [...shown.keys()].sort((a, b) => a - b);
  const end = Math.max(lastFrame ?? 0, numbers.at(-1) ?? 0) + 1;
  return numbers.flatMap((frame, i) => {
    const next = numbers[i + 1] ?? end;
    const count = next - frame - 1;
    if (count <= 0 || leftOutBefore.has(next)) return [];
    const hidden = hiddenBefore.get(next);
    const found = { fromFrame: frame + 1, count, atSeconds: shown.get(frame) ?? NaN };
    return [hidden === undefined ? found : { ...found, hidden }];
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
  // Of a source that is longer, they were counted on.
  const isCountedOn = (clock.lastFrame ?? 0) >= FRAME_NUMBERS;
  if (clock.kind === 'strip' && to > FRAME_NUMBERS && !isCountedOn) {
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
    if (shown < 0.5 * (to - from)) return [];
    const first = firstFrom(run.frames, from - 0.5);
    const nearest = run.frames[first];
    if (!nearest) return [];
    const times: number[] = [];
    for (let i = first; i < run.frames.length; i += 1) {
      const { frame, ptsSeconds } = run.frames[i] ?? nearest;
      if (frame - nearest.frame > CLOCK_SECONDS * fps) break;
      times.push(ptsSeconds + (from - frame) / fps);
    }
    const median = percentile(times, 50);
    if (!median.observed) return [];
    const frameDistance = Math.round(Math.abs(nearest.frame - from));
    return [{ ptsSeconds: median.value, frameDistance }];
  });
  return found.length > 0
    ? { observed: true, presentations: found }
    : unobserved(whyNotShown(clock, from, to));
}

/** Neighbours in a run may be exchanged, where frames are shorter than a jump of time; by no more than so many places. */
const EXCHANGED_FRAMES = 8;

/** The index of the first frame of a run from a number on; after the last one where there is none. */
function firstFrom(frames: ClockRun['frames'], number: number): number {
  let [low, high] = [0, frames.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((frames[middle]?.frame ?? Infinity) < number) low = middle + 1;
    else high = middle;
  }
  const near = Math.max(0, low - EXCHANGED_FRAMES);
  const first = frames.slice(near, low).findIndex(({ frame }) => frame >= number);
  return first < 0 ? low : near + first;
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
  const [is, wanted] = [seconds, (last - first + 1) / framesPerSecond].map((one) => one.toFixed(2));
  return (
    `${shown} of the ${frames} are in the output, but in ${pieces.length} pieces between which time jumps` +
    (is === wanted ? '' : `, for ${is} s in place of ${wanted} s`)
  );
}
