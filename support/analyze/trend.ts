import { percentile } from './finding';

/*
 * How A/V offsets change over a recording: by drift (a straight line, as clocks of different speeds make), by jumps (levels one
 * after the other), or by both. The model is a line of one slope, broken into pieces that have a level each. Which breaks there
 * are is found by optimal partitioning, with a penalty for each (B. Jackson et al., "An algorithm for optimal partitioning of
 * data on an interval", 2005); the penalty is that of the Bayesian information criterion (G. Schwarz, 1978) for place and size
 * of a break, and half as much again, as offsets of few fragments scatter.
 */

/** One measured offset. */
export interface TrendPoint {
  /** In the source, in seconds; points are ordered by it. */
  atSeconds: number;
  ms: number;
}

/** The offset changes from one point to the next, and stays so. */
export interface TrendJump {
  /** Index of the first point after it. */
  at: number;
  byMs: number;
}

/** A single point that is away from those before and after it. */
export interface TrendOutlier {
  at: number;
  /** Against the level of its neighbours, in ms. */
  byMs: number;
  /** The first or the last point: whether that is a jump cannot be told. */
  isAtEdge: boolean;
}

export interface Trend {
  /** The slope within the pieces, in ppm (0.001 ms a second): how much longer the audio takes than the video. */
  ppm: number;
  /** By so much the slope may be wrong, either way, in 95 of 100 recordings; Infinity where there is nothing to tell it by. */
  errorPpm: number;
  /** What the slope makes from the first point to the last; where jumps take it back, from one of these to the next, at most. */
  driftMs: number;
  /** Jumps take back what the slope adds, as where each segment is too long and begins in time. They are not listed then. */
  isTakenBack: boolean;
  jumps: TrendJump[];
  outliers: TrendOutlier[];
  /** The offset that is farthest from 0 when what the slope has added since the first point is taken out. */
  worstWithoutDriftMs: number;
  /** Whether there are enough points to tell drift from a jump: three. */
  isTold: boolean;
}

/** An A/V offset that was measured somewhere. */
export interface MeasuredOffset extends TrendPoint {
  /** What it was measured at: the sequence number of a fragment, the second of a tone. */
  number: number;
  /** When its audio is heard, in the output's timeline. */
  ptsSeconds: number;
}

/** A jump of the A/V offset, with what it was measured at. */
export interface OffsetJump {
  byMs: number;
  /** The number of the last one before it, and of the first one after it. */
  before: number;
  after: number;
  /** When the video of the first one after it is shown, in the output's timeline. */
  fromSeconds: number;
  /** By how much the audio, and the video, is later than it would be by the source's time. */
  audioLaterMs: number;
  videoLaterMs: number;
}

/** How A/V offsets change over an output. */
export interface OffsetTrend extends Omit<Trend, 'jumps' | 'outliers'> {
  jumps: OffsetJump[];
  /** Those of which the offset is unlike that of their neighbours. */
  outliers: { number: number; byMs: number; isAtEdge: boolean }[];
}

/** @param offsets at least one, in order */
export function offsetTrend(offsets: readonly MeasuredOffset[]): OffsetTrend {
  const trend = trendOf(offsets);
  const alone = new Set(trend.outliers.map(({ at }) => at));
  return {
    ...trend,
    jumps: trend.jumps.flatMap(({ at, byMs }): OffsetJump[] => {
      const after = offsets[at];
      const before = offsets.findLast((_, i) => i < at && !alone.has(i));
      if (!before || !after) return [];
      const audioLaterMs = later(before, after, ({ ptsSeconds }) => ptsSeconds);
      const videoLaterMs = later(before, after, shownAt);
      const fromSeconds = shownAt(after);
      const numbers = { before: before.number, after: after.number };
      return [{ byMs, ...numbers, fromSeconds, audioLaterMs, videoLaterMs }];
    }),
    outliers: trend.outliers.map(({ at, byMs, isAtEdge }) => ({
      ...{ number: offsets[at]?.number ?? at, byMs, isAtEdge },
    })),
  };
}

function shownAt({ ptsSeconds, ms }: MeasuredOffset): number {
  return ptsSeconds - ms / 1000;
}

/** By how much more than the source's time passes from one to the other, in ms. */
function later(
  before: MeasuredOffset,
  after: MeasuredOffset,
  timeOf: (one: MeasuredOffset) => number,
): number {
  return 1000 * (timeOf(after) - timeOf(before) - (after.atSeconds - before.atSeconds));
}

/**
 * Standard deviation of one measured offset, in ms. Measured: 0.1 to 0.5 ms from tone to tone, 0.3 to 1.2 ms from dub to dub in
 * recordings of RTMP, whose timestamps are rounded to 1 ms, and up to 1 ms after re-encoding.
 */
export const DETECTOR_MS = 1;
/** Smaller jumps are of no interest: AAC frames, and ms timestamps, make up to 3 ms. */
const LEAST_JUMP_MS = 5;
const PENALTY = 3;
/** Fewer offsets do not tell how much they scatter. */
const LEAST_SCATTERED = 6;
/** Rounds of finding breaks for a slope, and the slope for these breaks. */
const ROUNDS = 8;

/** Sums over the points before each one, so that a piece's sums of squares are differences. */
interface Sums {
  x: Float64Array;
  y: Float64Array;
  xx: Float64Array;
  xy: Float64Array;
  yy: Float64Array;
}

/** A model: the first point of each piece, and a slope in ms a second. */
interface Model {
  starts: number[];
  slope: number;
  cost: number;
}

/** @param points at least one, in order */
export function trendOf(points: readonly TrendPoint[]): Trend {
  const sums = sumsOf(points);
  const noise = noiseOf(points);
  const [steepness] = slopesOf(points);
  const starts = [0, slopeWithin(sums, [0], points.length), steepness];
  const models = starts.map((slope, i) => refined(sums, points.length, slope, noise, i > 0));
  const best = models.reduce((one, other) => (other.cost < one.cost ? other : one));
  return described(points, sums, best.starts);
}

function sumsOf(points: readonly TrendPoint[]): Sums {
  const origin = points[0]?.atSeconds ?? 0;
  const of = (value: (x: number, y: number) => number): Float64Array => {
    const sums = new Float64Array(points.length + 1);
    points.forEach(({ atSeconds, ms }, i) => {
      sums[i + 1] = (sums[i] ?? 0) + value(atSeconds - origin, ms);
    });
    return sums;
  };
  return {
    ...{ x: of((x) => x), y: of((_, y) => y) },
    ...{ xx: of((x) => x * x), xy: of((x, y) => x * y), yy: of((_, y) => y * y) },
  };
}

/** Sums of squares about the mean of the points from one to before another. */
function squares(sums: Sums, from: number, to: number): { xx: number; xy: number; yy: number } {
  const sum = (all: Float64Array): number => (all[to] ?? 0) - (all[from] ?? 0);
  const [count, x, y] = [to - from, sum(sums.x), sum(sums.y)];
  return {
    xx: sum(sums.xx) - (x * x) / count,
    xy: sum(sums.xy) - (x * y) / count,
    yy: sum(sums.yy) - (y * y) / count,
  };
}

/** Squared distance of a piece from a line of that slope through its middle; called millions of times. */
function restOf({ x, y, xx, xy, yy }: Sums, from: number, to: number, slope: number): number {
  const count = to - from;
  const sumX = (x[to] ?? 0) - (x[from] ?? 0);
  const sumY = (y[to] ?? 0) - (y[from] ?? 0);
  const ofXx = (xx[to] ?? 0) - (xx[from] ?? 0) - (sumX * sumX) / count;
  const ofXy = (xy[to] ?? 0) - (xy[from] ?? 0) - (sumX * sumY) / count;
  const ofYy = (yy[to] ?? 0) - (yy[from] ?? 0) - (sumY * sumY) / count;
  return Math.max(0, ofYy - 2 * slope * ofXy + slope * slope * ofXx);
}

/** The least-squares slope that all pieces have in common, in ms a second; 0 where each has one point. */
function slopeWithin(sums: Sums, starts: readonly number[], count: number): number {
  let [xx, xy] = [0, 0];
  starts.forEach((from, i) => {
    const piece = squares(sums, from, starts[i + 1] ?? count);
    xx += piece.xx;
    xy += piece.xy;
  });
  return xx > 1e-9 ? xy / xx : 0;
}

/** The median change from one point to the next, in ms a second, and how far the changes are from it. */
function slopesOf(points: readonly TrendPoint[]): [steepness: number, changes: number[]] {
  const steps = points.slice(1).map(({ atSeconds, ms }, i) => {
    const before = points[i] ?? { atSeconds, ms };
    return { seconds: atSeconds - before.atSeconds, ms: ms - before.ms };
  });
  const steepness = medianOf(steps.map(({ seconds, ms }) => ms / seconds));
  return [steepness, steps.map(({ seconds, ms }) => Math.abs(ms - steepness * seconds))];
}

/** How much offsets scatter from one to the next, as a standard deviation in ms; jumps, being few, do not count. */
function noiseOf(points: readonly TrendPoint[]): number {
  if (points.length < LEAST_SCATTERED) return DETECTOR_MS;
  const [, changes] = slopesOf(points);
  // 1.4826 makes a standard deviation of a normal distribution's median deviation; a difference has twice the variance.
  return Math.max(DETECTOR_MS, (1.4826 * medianOf(changes)) / Math.SQRT2);
}

function medianOf(values: readonly number[]): number {
  const median = percentile(values, 50);
  return median.observed ? median.value : 0;
}

/** Breaks for a slope and a slope for these breaks, in turn, until nothing changes. */
function refined(sums: Sums, count: number, first: number, noise: number, isFree: boolean): Model {
  let slope = first;
  let starts: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = piecesAt(sums, count, slope, noise);
    const isSame = found.length === starts.length && found.every((one, i) => one === starts[i]);
    starts = found;
    if (isSame || !isFree) break;
    slope = slopeWithin(sums, starts, count);
  }
  const rest = starts.reduce(
    (sum, from, i) => sum + restOf(sums, from, starts[i + 1] ?? count, slope),
    0,
  );
  // A slope between points of which each pair has a level of its own fits anything.
  const isBare = isFree && starts.length > 1 && count - starts.length < 2;
  const penalties = PENALTY * (starts.length - 1) + (isFree ? 1 : 0);
  const cost = isBare ? Infinity : rest / noise ** 2 + penalties * Math.log(count);
  return { starts, slope, cost };
}

/** The pieces that cost least: the squared distances of their points in units of the noise, and a penalty for each break. */
function piecesAt(sums: Sums, count: number, slope: number, noise: number): number[] {
  for (let penalty = PENALTY * Math.log(count); ; penalty *= 2) {
    const starts = cheapest(sums, count, slope, noise, penalty);
    // Half as many breaks as points fit anything.
    if (starts.length - 1 <= (count + 1) / 2 || !(penalty < Number.MAX_VALUE)) return starts;
  }
}

function cheapest(
  sums: Sums,
  count: number,
  slope: number,
  noise: number,
  penalty: number,
): number[] {
  const costs = new Float64Array(count + 1);
  const lastStart = new Int32Array(count + 1);
  costs[0] = -penalty;
  // Starts that can no longer win are left out (R. Killick et al., "Optimal detection of changepoints with a linear
  // computational cost", 2012): an hour has 3600 tones. No objects in these loops, for the same reason.
  const candidates = new Int32Array(count + 1);
  const priced = new Float64Array(count + 1);
  let open = 1;
  for (let end = 1; end <= count; end += 1) {
    let best = 0;
    for (let i = 0; i < open; i += 1) {
      const from = candidates[i] ?? 0;
      priced[i] = (costs[from] ?? 0) + restOf(sums, from, end, slope) / noise ** 2;
      if ((priced[i] ?? 0) < (priced[best] ?? 0)) best = i;
    }
    const limit = (priced[best] ?? 0) + penalty;
    costs[end] = limit;
    lastStart[end] = candidates[best] ?? 0;
    let kept = 0;
    for (let i = 0; i < open; i += 1) {
      if ((priced[i] ?? 0) <= limit) candidates[kept++] = candidates[i] ?? 0;
    }
    candidates[kept] = end;
    open = kept + 1;
  }
  const starts: number[] = [];
  for (let end = count; end > 0; end = lastStart[end] ?? 0) starts.unshift(lastStart[end] ?? 0);
  return starts;
}

function described(points: readonly TrendPoint[], sums: Sums, starts: readonly number[]): Trend {
  const slope = slopeWithin(sums, starts, points.length);
  const error = errorPpm(sums, starts, points.length, slope);
  // A slope that is none is not to change what was measured.
  const sure = Math.abs(1000 * slope) > error ? slope : 0;
  const spanOf = (from: number, to: number): number =>
    (points[to - 1]?.atSeconds ?? 0) - (points[from]?.atSeconds ?? 0);
  const longest = Math.max(
    ...starts.map((from, i) => spanOf(from, starts[i + 1] ?? points.length)),
  );
  const whole = spanOf(0, points.length);
  const changes = changesIn(levelsOf(points, sure, [0]), starts);
  const isTakenBack = takesBack(changes.jumps, sure * whole);
  const levels = levelsOf(points, sure, isTakenBack ? starts : [0]);
  return {
    ...{ ppm: 1000 * slope, errorPpm: error, isTakenBack, isTold: points.length > 2 },
    driftMs: slope * (isTakenBack ? longest : whole),
    ...(isTakenBack ? { ...changes, jumps: [] } : changes),
    worstWithoutDriftMs: levels.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0),
  };
}

/** The offsets without what a slope has added since the last of some points. */
function levelsOf(
  points: readonly TrendPoint[],
  slope: number,
  starts: readonly number[],
): number[] {
  let from = 0;
  const begins = new Set(starts);
  return points.map(({ atSeconds, ms }, i) => {
    if (begins.has(i)) from = atSeconds;
    return ms - slope * (atSeconds - from);
  });
}

/** Whether jumps, more than one, take back half of a drift or more. */
function takesBack(jumps: readonly TrendJump[], driftMs: number): boolean {
  const back = jumps.filter(({ byMs }) => byMs * driftMs < 0);
  const backMs = back.reduce((sum, { byMs }) => sum + Math.abs(byMs), 0);
  return back.length > 1 && backMs >= Math.abs(driftMs) / 2;
}

/** Two-sided 95 % quantiles of Student's t for 1, 2, … degrees of freedom; 2 is near enough beyond. */
const STUDENT = [12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23] as const;

/** By the standard error of the slope: of what was measured, and never less than that of the detector. */
function errorPpm(sums: Sums, starts: readonly number[], count: number, slope: number): number {
  let [xx, rest] = [0, 0];
  starts.forEach((from, i) => {
    const to = starts[i + 1] ?? count;
    xx += squares(sums, from, to).xx;
    rest += restOf(sums, from, to, slope);
  });
  if (xx < 1e-9) return Infinity;
  const freedom = count - starts.length - 1;
  const scatter = freedom > 0 ? Math.sqrt(rest / freedom) * (STUDENT[freedom - 1] ?? 2) : 0;
  return (1000 * Math.max(2 * DETECTOR_MS, scatter)) / Math.sqrt(xx);
}

interface Piece {
  from: number;
  count: number;
  ms: number;
}

/** What happens between the pieces. */
function changesIn(
  levels: readonly number[],
  starts: readonly number[],
): Pick<Trend, 'jumps' | 'outliers'> {
  const pieces = starts.map((from, i): Piece => {
    const values = levels.slice(from, starts[i + 1]);
    return { from, count: values.length, ms: values.reduce((a, b) => a + b, 0) / values.length };
  });
  const bumps = pieces.filter((_, i) => isBump(pieces, i));
  const level = pieces.filter((one) => !bumps.includes(one));
  // With two points, or one of each level, neither is more at the edge than the other.
  const edges = [level[0], level.at(-1)].filter(
    (one, i): one is Piece => one?.count === 1 && level.length > 1 && (i > 0 || levels.length > 2),
  );
  const steady = level.filter((one) => !edges.includes(one));
  const outlier = (piece: Piece, among: readonly Piece[]): TrendOutlier => {
    const before = among.findLast(({ from }) => from < piece.from);
    const after = among.find(({ from }) => from > piece.from);
    const beside = [before, after].flatMap((one) => (one ? [piece.ms - one.ms] : []));
    const byMs = beside.reduce((a, b) => (Math.abs(b) < Math.abs(a) ? b : a), Infinity);
    return { at: piece.from, byMs, isAtEdge: edges.includes(piece) };
  };
  const alone = [...bumps, ...edges].map((piece) => outlier(piece, level));
  const jumps = steady.slice(1).map(({ from, ms }, i): TrendJump => {
    return { at: from, byMs: ms - (steady[i]?.ms ?? ms) };
  });
  const isLarge = ({ byMs }: { byMs: number }): boolean => Math.abs(byMs) >= LEAST_JUMP_MS;
  return {
    jumps: jumps.filter(isLarge),
    outliers: alone.filter(isLarge).sort((a, b) => a.at - b.at),
  };
}

/** One point that is above or below both of its neighbours. */
function isBump(pieces: readonly Piece[], index: number): boolean {
  const [before, piece, after] = [-1, 0, 1].map((step) => pieces[index + step]);
  return (
    piece?.count === 1 &&
    before !== undefined &&
    after !== undefined &&
    (piece.ms - before.ms) * (piece.ms - after.ms) > 0
  );
}
