/*
 * Tells which frame of the source each frame of an output shows, without a number in it: by correlation of small grey copies.
 * Neighbouring frames are much alike, and nothing moves in some, so each frame is not judged by itself: of all ways through
 * the source, the one is taken that fits best and leaves its lag least often (the Viterbi algorithm, over the best states).
 */
import type { Span } from './ffmpeg';
import { beyond, type Finding, percentile, unobserved } from './finding';
import {
  blockWith,
  evenText,
  LUMA_BYTES,
  LUMA_COLUMNS,
  LUMA_ROWS,
  startOf,
  type Thumbnails,
  thumbnailOf,
} from './thumbnails';

/** The frames of the source that the frames of an output show. */
export interface MatchedFrames {
  /** By frame of the output; null where it shows none of the source. */
  frames: (number | null)[];
  /** Median of the correlation of the output's frames with their own of the source, 1 where they are the same. */
  correlation: number;
  /** Stretches of the output, of a second or more, in which nothing moves, so that its frames cannot be told apart. */
  untold: Span[];
  /** Nothing moves in all of it: `frames` only says that it shows the source, not which of its frames when. */
  isStatic: boolean;
}

/**
 * Below this correlation a frame shows something else. Seen in 8 s of a test card, of a zoom into a fractal, and of noisy,
 * dark and pale pans with cuts: 0.96 and more in re-encodes to 300 kb/s at 240p and 360p and to 1.5 and 8 Mb/s at 720p; 0.88 in
 * the median for the fractal at 720p and 300 kb/s by x264's fastest preset, in which little can be made out. Of another video:
 * at most 0.75 at its best frame, less than 0.5 in the median.
 */
const LEAST_CORRELATION = 0.8;

/** In the same re-encodes, of a frame and its own; what is less is the same. 1 - correlation. */
const LEAST_NOISE = 3e-5;

/** Costs, in distances that an intact frame has from its own (1 - correlation, by the median of the best matches). */
const COST = {
  /** A frame is at most so unlike: a few damaged ones tell nothing. */
  worst: 30,
  /** To go on at another lag, a few frames away; to begin to repeat a frame. */
  step: 4,
  /** To repeat it once more. */
  hold: 0.5,
  /** To go on anywhere in the source. */
  jump: 25,
};

/**
 * In a video from which so much is missing, an encoder has left parts of frames as they were before: costs of leaving a lag
 * grow with what is beyond this.
 */
const MUCH_NOISE = 1e-3;

/** Frames that a step may go beyond the expected one. */
const STEP_FRAMES = 3;
/** A frame this far from where its lag has it, in frames, is still at its lag: timestamps and frame rates are not exact. */
const SAME_LAG = 0.75;
/** Where in the source an output may go on is looked for this often. */
const LOOK_SECONDS = 0.5;
/** What is found there may be where any frame belongs that is at most this far away. */
const NEAR_SECONDS = 1.2;
/** Places that a look finds, at most; they are at least this far apart. */
const PLACES = 3;
const PLACES_APART_SECONDS = 0.2;
/** In a source that is longer, only what is so near is looked at, and not as often. */
const LONG_SECONDS = 300;
const LONG_LOOK_SECONDS = 2;
const LONG_NEAR_SECONDS = 60;
/** States that are followed at the same time, at most, and how much worse than the best they may be. */
const STATES = 64;
const WORSE = 80;

/** Something moves where frames this far apart differ by this many times an intact frame's distance from its own. */
const MOVES_SECONDS = 0.5;
const MOVES_TIMES = 3;
const UNTOLD_SECONDS = 1;

/** One way through the source, up to a frame of the output. */
interface State {
  frame: number;
  /** Where its lag has it; goes on while a frame is repeated. */
  expected: number;
  isHeld: boolean;
  cost: number;
  from: State | undefined;
}

/**
 * @param times PTS of the output's frames in seconds, in order
 * @returns unobserved where the output does not show the source
 */
export function matchFrames(
  output: Thumbnails,
  times: readonly number[],
  source: Thumbnails,
  framesPerSecond: number,
): Finding<MatchedFrames> {
  if (output.count === 0 || source.count === 0) return unobserved('there is no frame');
  const [shown, own] = [framesOf(output), framesOf(source)];
  const places = lookAround(shown, times, own, framesPerSecond);
  const bests = places.flatMap(({ found }) => found[0]?.distance ?? []);
  const median = percentile(bests, 50);
  if (!median.observed) return unobserved('there is no frame');
  const noise = Math.max(LEAST_NOISE, median.value);
  const path = bestPath(shown, times, own, framesPerSecond, places, noise);
  const distances = path.map((frame, i) => distance(shown, i, own, frame));
  const middle = percentile(distances, 50);
  const correlation = 1 - (middle.observed ? middle.value : 1);
  const even = evenIn(shown);
  if (correlation < LEAST_CORRELATION && even !== undefined) {
    return unobserved(`the output does not show the source: ${even}`);
  }
  if (correlation < LEAST_CORRELATION) {
    return unobserved(
      'the output does not show the source: correlation of its frames ' +
        `${beyond(correlation, LEAST_CORRELATION, 2)} (${halvesText(output, source, path)}), ` +
        `where at least ${LEAST_CORRELATION} is needed`,
    );
  }
  const reach = Math.round(MOVES_SECONDS * framesPerSecond);
  const isTold = path.map((frame) =>
    [frame - reach, frame + reach].some(
      (other) =>
        other >= 0 &&
        other < own.count &&
        distance(own, frame, own, other) > MOVES_TIMES * noise + 2 * LEAST_NOISE,
    ),
  );
  return {
    observed: true,
    frames: path.map((frame, i) => ((distances[i] ?? 1) > 1 - LEAST_CORRELATION ? null : frame)),
    ...{ correlation, untold: stretches(isTold, times), isStatic: !isTold.includes(true) },
  };
}

/** Of the luma of a frame in which nothing is seen, the standard deviation is less. */
const EVEN_CONTRAST = 2;

/** That most frames of a video are of one colour, in words; undefined where they are not. */
function evenIn({ count, means, lengths }: Frames): string | undefined {
  const even = [...means].filter(
    (_, i) => (lengths[i] ?? 0) < EVEN_CONTRAST * Math.sqrt(LUMA_BYTES),
  );
  const middle = percentile(even, 50);
  if (even.length <= count / 2 || !middle.observed) return undefined;
  return `${even.length} of its ${count} frames are ${evenText(middle.value)}`;
}

/** Halves of a frame, each as its first column and row, and those after its last. */
const HALVES: Record<string, readonly [number, number, number, number]> = {
  left: [0, 0, LUMA_COLUMNS / 2, LUMA_ROWS],
  right: [LUMA_COLUMNS / 2, 0, LUMA_COLUMNS, LUMA_ROWS],
  upper: [0, 0, LUMA_COLUMNS, LUMA_ROWS >> 1],
  lower: [0, LUMA_ROWS >> 1, LUMA_COLUMNS, LUMA_ROWS],
};

/** How much each half is like the source, where the whole is not. */
function halvesText(output: Thumbnails, source: Thumbnails, path: readonly number[]): string {
  const texts = Object.entries(HALVES).map(([name, [left, top, right, bottom]]) => {
    const blocks: number[] = [];
    for (let row = top; row < bottom; row += 1) {
      for (let column = left; column < right; column += 1) blocks.push(row * LUMA_COLUMNS + column);
    }
    const found = percentile(
      path.map((frame, i) =>
        correlationOf(thumbnailOf(output, i), thumbnailOf(source, frame), blocks),
      ),
      50,
    );
    return `${name} half ${found.observed ? found.value.toFixed(2) : '-'}`;
  });
  return texts.join(', ');
}

/** Of some blocks of luma; 0 where one of the two is even in them. */
function correlationOf(a: Uint8Array, b: Uint8Array, blocks: readonly number[]): number {
  let [sumA, sumB, ofA, ofB, both] = [0, 0, 0, 0, 0];
  for (const k of blocks) {
    const [x, y] = [a[k] ?? 0, b[k] ?? 0];
    sumA += x;
    sumB += y;
    ofA += x * x;
    ofB += y * y;
    both += x * y;
  }
  const { length } = blocks;
  const spread = (length * ofA - sumA ** 2) * (length * ofB - sumB ** 2);
  return spread > 0 ? (length * both - sumA * sumB) / Math.sqrt(spread) : 0;
}

/** Frames with what a correlation of their luma needs; copies of them as unit vectors would be 230 MB an hour. */
interface Frames {
  count: number;
  thumbnails: Thumbnails;
  /** Of each frame's luma: the mean, and the length of what is left without it; 0 where it is even. */
  means: Float64Array;
  lengths: Float64Array;
}

function framesOf(thumbnails: Thumbnails): Frames {
  const { count } = thumbnails;
  const [means, lengths] = [new Float64Array(count), new Float64Array(count)];
  for (let i = 0; i < count; i += 1) {
    const luma = thumbnailOf(thumbnails, i).subarray(0, LUMA_BYTES);
    const mean = luma.reduce((sum, one) => sum + one, 0) / LUMA_BYTES;
    means[i] = mean;
    lengths[i] = Math.sqrt(luma.reduce((sum, one) => sum + (one - mean) ** 2, 0));
  }
  return { count, thumbnails, means, lengths };
}

/** 1 - correlation of two frames; 1 where one of them is even. */
function distance(a: Frames, i: number, b: Frames, j: number): number {
  const length = (a.lengths[i] ?? 0) * (b.lengths[j] ?? 0);
  if (length === 0) return 1;
  // No views of the two: they would take a third of the time.
  const [p, q] = [blockWith(a.thumbnails, i), blockWith(b.thumbnails, j)];
  const [x, y] = [startOf(a.thumbnails, i), startOf(b.thumbnails, j)];
  let sum = 0;
  for (let k = 0; k < LUMA_BYTES; k += 1) sum += (p[x + k] ?? 0) * (q[y + k] ?? 0);
  return 1 - (sum - LUMA_BYTES * (a.means[i] ?? 0) * (b.means[j] ?? 0)) / length;
}

/** Where in the source one frame of the output may be; the nearest first. */
interface Look {
  seconds: number;
  found: { frame: number; distance: number }[];
}

function lookAround(shown: Frames, times: readonly number[], own: Frames, fps: number): Look[] {
  const isLong = own.count > LONG_SECONDS * fps;
  const every = isLong ? LONG_LOOK_SECONDS : LOOK_SECONDS;
  const near = isLong ? LONG_NEAR_SECONDS * fps : own.count;
  const looks: Look[] = [];
  for (let i = 0; i < shown.count; i += 1) {
    const seconds = times[i] ?? NaN;
    const last = looks.at(-1);
    if (last && seconds - last.seconds < every) continue;
    const at = Math.round((seconds - (times[0] ?? 0)) * fps);
    const [from, to] = [Math.max(0, at - near), Math.min(own.count, at + near)];
    const distances = Array.from({ length: Math.max(0, to - from) }, (_, k) =>
      distance(shown, i, own, from + k),
    );
    looks.push({ seconds, found: nearestPlaces(distances, from, fps) });
  }
  return looks;
}

function nearestPlaces(distances: number[], from: number, fps: number): Look['found'] {
  const found: Look['found'] = [];
  const apart = Math.round(PLACES_APART_SECONDS * fps);
  while (found.length < PLACES) {
    let best = -1;
    for (let k = 0; k < distances.length; k += 1) {
      if ((distances[k] ?? Infinity) < (distances[best] ?? Infinity)) best = k;
    }
    if (best < 0) break;
    found.push({ frame: from + best, distance: distances[best] ?? NaN });
    distances.fill(Infinity, Math.max(0, best - apart), best + apart + 1);
  }
  return found;
}

/** The frame of the source for each frame of the output. */
function bestPath(
  shown: Frames,
  times: readonly number[],
  own: Frames,
  fps: number,
  looks: readonly Look[],
  noise: number,
): number[] {
  let states: State[] = [];
  const price = Math.max(1, noise / MUCH_NOISE);
  for (let i = 0; i < shown.count; i += 1) {
    const seconds = times[i] ?? NaN;
    const advance = (seconds - (times[i - 1] ?? seconds)) * fps;
    const next = new Map<number, State>();
    const known = new Map<number, number>();
    const offer = (state: State): void => {
      const { frame, isHeld } = state;
      if (frame < 0 || frame >= own.count) return;
      const unlike =
        known.get(frame) ?? Math.min(COST.worst, distance(shown, i, own, frame) / noise);
      known.set(frame, unlike);
      const key = 2 * frame + (isHeld ? 1 : 0);
      const cost = state.cost + unlike;
      if (cost < (next.get(key)?.cost ?? Infinity)) next.set(key, { ...state, cost });
    };
    states.forEach((state) => {
      goOn(state, advance, price, offer);
    });
    const best = states[0];
    const jump = {
      isHeld: false,
      cost: (best?.cost ?? 0) + (best ? price * COST.jump : 0),
      from: best,
    };
    for (const frame of placesAt(looks, seconds, fps)) offer({ frame, expected: frame, ...jump });
    const sorted = [...next.values()].sort((a, b) => a.cost - b.cost);
    const worst = (sorted[0]?.cost ?? 0) + price * WORSE;
    states = sorted.slice(0, STATES).filter(({ cost }) => cost <= worst);
  }
  const path: number[] = [];
  for (let state = states[0]; state; state = state.from) path.push(state.frame);
  return path.reverse();
}

/** Ways on from a state. */
function goOn(state: State, advance: number, price: number, offer: (next: State) => void): void {
  const expected = state.expected + advance;
  const from = state;
  const { frame, isHeld, cost } = state;
  const isNear = (target: number): boolean => Math.abs(target - expected) <= SAME_LAG;
  // At a higher rate than the source's, a frame is shown again in its own time.
  const isAgain = isNear(frame) && !isHeld;
  const again = isAgain ? 0 : price * (isHeld ? COST.hold : COST.step);
  offer({ frame, expected, isHeld: !isAgain, cost: cost + again, from });
  // After a repeated frame: what would be shown without it, or the frame that follows it.
  const targets = new Set([Math.round(expected), Math.floor(expected), Math.ceil(expected)]);
  for (let k = 1; k <= Math.ceil(advance) + STEP_FRAMES; k += 1) targets.add(frame + k);
  for (const target of targets) {
    if (target <= frame) continue;
    const isAtLag = isNear(target);
    const step = isAtLag && !isHeld ? 0 : price * COST.step;
    const at = isAtLag ? expected : target;
    offer({ frame: target, expected: at, isHeld: false, cost: cost + step, from });
  }
}

/** Where in the source an output may be at a time, by what was found around it: it may move there, or stand still. */
function placesAt(looks: readonly Look[], seconds: number, fps: number): Set<number> {
  const reach = Math.max(NEAR_SECONDS, (looks[1]?.seconds ?? 0) - (looks[0]?.seconds ?? 0) + 0.2);
  const places = new Set<number>();
  // Looks are in order of time, and few are near.
  const first = lowerBound(looks, seconds - reach);
  for (let k = first; k < looks.length; k += 1) {
    const look = looks[k];
    if (!look || look.seconds > seconds + reach) break;
    for (const { frame } of look.found) {
      places.add(frame);
      places.add(frame + Math.round((seconds - look.seconds) * fps));
    }
  }
  return places;
}

function lowerBound(looks: readonly Look[], seconds: number): number {
  let [low, high] = [0, looks.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if ((looks[middle]?.seconds ?? Infinity) < seconds) low = middle + 1;
    else high = middle;
  }
  return low;
}

function stretches(isTold: readonly boolean[], times: readonly number[]): Span[] {
  const found: Span[] = [];
  let first = -1;
  for (let i = 0; i <= isTold.length; i += 1) {
    const isUntold = i < isTold.length && !isTold[i];
    if (isUntold && first < 0) first = i;
    if (isUntold || first < 0) continue;
    const fromSeconds = times[first] ?? NaN;
    const seconds = (times[i] ?? times[i - 1] ?? NaN) - fromSeconds;
    if (seconds >= UNTOLD_SECONDS) found.push({ fromSeconds, seconds });
    first = -1;
  }
  return found;
}
