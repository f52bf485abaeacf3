/* At what rate the frames of a source are shown, where somebody has converted it. */
import { isSameRate, meantRate } from '../base/frame-rates';
import { percentile } from './finding';

/** Frames of a source that are left out at regular intervals, as a conversion to a lower rate does. */
export interface RateConversion {
  /** Frames of the source that are shown each second. */
  framesPerSecond: number;
  /** How many are left out by it. */
  leftOut: number;
}

/** A presentation of a frame after that of an earlier one. */
export interface Advance {
  frame: number;
  ptsSeconds: number;
  /** How much earlier the frame before it is in the source (1: none is left out), and was shown. */
  frames: number;
  seconds: number;
}

/** Timestamps in whole ms may be off by so much, each. */
const JITTER_SECONDS = 0.0011;
/** This share of the frames has to be as regular as a conversion leaves them. */
const REGULAR_SHARE = 0.9;
/** Fewer frames left out do not tell a conversion, where the output's own rate is another. */
const LEAST_LEFT_OUT = 10;
/** Frames that are left out are at least this share of their mean distance apart: rounding moves each by one. */
const LEAST_APART = 0.6;

/**
 * The rate of frames that come regularly; gaps are left out. Right to 1 ms over the length of the video.
 *
 * @param times PTS in seconds, in order
 * @returns undefined where they do not come regularly, or there are none
 */
export function frameRateOf(times: readonly number[]): number | undefined {
  const steps = times.slice(1).map((time, i) => time - (times[i] ?? NaN));
  const median = percentile(steps, 50);
  if (!median.observed || median.value <= 0) return undefined;
  const usual = steps.filter((step) => Math.abs(step - median.value) <= 0.5 * median.value);
  const mean = usual.reduce((sum, step) => sum + step, 0) / usual.length;
  const regular = steps.filter((step) => Math.abs(step - mean) <= JITTER_SECONDS);
  return regular.length >= REGULAR_SHARE * steps.length ? meantRate(1 / mean) : undefined;
}

/**
 * The conversion of a source's rate to a lower one. It is told by the output's own rate, where that is as much lower as frames
 * are left out (29.97 of 30: 1 of 1001), or by frames that are left out at regular intervals.
 *
 * @param advances of the output, in order; those that go back are none
 * @param outputRate see {@link frameRateOf}
 * @returns undefined where the rate is the source's; `isLeftOut`: whether the frames before a presentation are left out by it
 */
export function conversionIn(
  advances: readonly Advance[],
  sourceRate: number,
  outputRate: number | undefined,
): (RateConversion & { isLeftOut: (advance: Advance) => boolean }) | undefined {
  const median = percentile(
    advances.map(({ frames }) => frames),
    50,
  );
  if (!median.observed) return undefined;
  // What is more is no conversion, but a loss.
  const usual = advances.filter(({ frames }) => Math.abs(frames - median.value) <= 1);
  const step = usual.reduce((sum, { frames }) => sum + frames, 0) / usual.length;
  const isOwn = outputRate !== undefined && isOwnRate(outputRate, sourceRate, step, usual.length);
  const ratio = isOwn ? sourceRate / outputRate : regularStep(usual, step);
  if (ratio === undefined) return undefined;
  const rate = isOwn ? outputRate : meantRate(sourceRate / ratio);
  const leftOut = new Set<Advance>();
  let last = -Infinity;
  for (const advance of advances) {
    const { frames, seconds, frame } = advance;
    const isInTime = !isOwn || seconds <= 1.5 / rate + JITTER_SECONDS;
    const isNear = frame - last >= LEAST_APART * distance(ratio);
    if (frames < 2 || frames > Math.ceil(ratio - 1e-6) || !isInTime || !isNear) continue;
    leftOut.add(advance);
    last = frame;
  }
  const count = [...leftOut].reduce((sum, { frames }) => sum + frames - 1, 0);
  if (count === 0) return undefined;
  return { framesPerSecond: rate, leftOut: count, isLeftOut: (one) => leftOut.has(one) };
}

/** Frames of the source from one that is left out to the next. @param ratio of the source's rate to the output's */
function distance(ratio: number): number {
  return Math.max(ratio, ratio / (ratio - 1));
}

/** @param step frames of the source from one presentation to the next, on average over `count` */
function isOwnRate(outputRate: number, sourceRate: number, step: number, count: number): boolean {
  const isLower = outputRate < sourceRate && !isSameRate(outputRate, sourceRate);
  return isLower && Math.abs(sourceRate / step / outputRate - 1) <= 1.5 / count;
}

/** The same as `step`, of frames that are left out at regular intervals: exact, whatever is lost at other places. */
function regularStep(advances: readonly Advance[], step: number): number | undefined {
  const skips = advances.filter(({ frames }) => frames > 1).map(({ frame }) => frame);
  if (skips.length < LEAST_LEFT_OUT) return undefined;
  const apart = skips.slice(1).map((frame, i) => frame - (skips[i] ?? NaN));
  const usual = percentile(apart, 50);
  if (!usual.observed || Math.abs(usual.value - distance(step)) > 1) return undefined;
  const regular = apart.filter((frames) => Math.abs(frames - usual.value) <= 1);
  if (regular.length < REGULAR_SHARE * apart.length) return undefined;
  const mean = regular.reduce((sum, frames) => sum + frames, 0) / regular.length;
  return step < 2 ? mean / (mean - 1) : mean;
}
