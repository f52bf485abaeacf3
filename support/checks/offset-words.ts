/** How A/V offsets change, in words: drift as a rate, jumps, and what stands alone; of segments (dubs) and of seconds (tones). */
import { milliseconds } from '../analyze/finding';
import type { OffsetJump, OffsetTrend } from '../analyze/trend';

/**
 * Two sound cards, each with a crystal of ± 100 ppm, are apart by no more; clocks that are derived from one another not at all.
 * Wrong rates are far beyond: 500 ppm and more, 1000 of 29.97 for 30 frames a second. In a minute, 200 ppm are 12 ms.
 */
export const CLOCKS_APART_PPM = 200;

/** So many jumps are told one by one. */
const TOLD = 3;

/** Limits of how A/V offsets change. */
export interface ChangeLimit {
  /** Of drift from the first to the last, and of a jump. */
  limitMs: number;
  /** Of the rate, beyond the error with which it is measured; {@link CLOCKS_APART_PPM} where not given. */
  limitPpm?: number;
}

/** `998 ± 37 ppm` */
export function rateText({ ppm, errorPpm }: Pick<OffsetTrend, 'ppm' | 'errorPpm'>): string {
  // Over an hour it is known to a fraction of a ppm.
  const digits = errorPpm < 3 ? 2 : 0;
  const rounded = Number(ppm.toFixed(digits)) || 0;
  return `${rounded.toFixed(digits)} ± ${errorPpm.toFixed(digits)} ppm`;
}

/** The drift, and its rate as far as it is told. */
export function driftText(trend: OffsetTrend): string {
  const { driftMs, errorPpm, isTold, isTakenBack } = trend;
  if (!isTold)
    return `${milliseconds(driftMs)}, by drift or by a jump: which cannot be told of two`;
  if (!Number.isFinite(errorPpm)) {
    return 'the offset jumps from each one to the next: whether it drifts as well cannot be told';
  }
  if (!isTakenBack) return `${milliseconds(driftMs)} (${rateText(trend)})`;
  return `${milliseconds(driftMs)} (${rateText(trend)}), taken back by jumps again and again`;
}

/** `a jump of -139.2 ms between segments 1 and 2 (from 12.10 s on; the audio is 139.2 ms earlier)` */
export function jumpText(jump: OffsetJump, of: 'segment' | 'second'): string {
  const { byMs, before, after, fromSeconds, audioLaterMs, videoLaterMs } = jump;
  const moved = (what: string, laterMs: number): string[] =>
    Math.abs(laterMs) > 0.8 * Math.abs(byMs)
      ? [`the ${what} is ${milliseconds(Math.abs(laterMs))} ${laterMs > 0 ? 'later' : 'earlier'}`]
      : [];
  // Where both have moved, or each by a part, it is left open.
  const all = [...moved('audio', audioLaterMs), ...moved('video', videoLaterMs)];
  const which = all.length === 1 ? `; ${all[0]}` : '';
  return (
    `a jump of ${milliseconds(byMs)} between ${of}s ${before} and ${after} ` +
    `(from ${fromSeconds.toFixed(2)} s on${which})`
  );
}

/** The jumps, and what stands alone at the beginning and the end; empty where there are none. */
export function jumpsText({ jumps, outliers }: OffsetTrend, of: 'segment' | 'second'): string {
  const told = jumps.slice(0, TOLD).map((jump) => jumpText(jump, of));
  const more = jumps.length > TOLD ? [`${jumps.length - TOLD} more jumps`] : [];
  const atEdge = outliers.filter(({ isAtEdge }) => isAtEdge);
  const open = atEdge.map(
    ({ number, byMs }) =>
      `${of} ${number} alone by ${milliseconds(byMs)} unlike its neighbour: whether that is a jump cannot be told`,
  );
  return [...told, ...more, ...open].join('; ');
}

/** Whether it drifts: by more than its limit in all, or at a higher rate than clocks do. */
export function driftsBeyond(
  trend: OffsetTrend,
  { limitMs, limitPpm = CLOCKS_APART_PPM }: ChangeLimit,
  isWithin: (driftMs: number, limitMs: number) => boolean = (ms, limit) => ms <= limit,
): boolean {
  const { driftMs, ppm, errorPpm, isTold } = trend;
  const isFast = isTold && Math.abs(ppm) - errorPpm > limitPpm;
  // Of what jumps from one to the next, a drift by less than its error is none.
  const isDrift = !isTold || Math.abs(ppm) > errorPpm;
  return isFast || (isDrift && !isWithin(Math.abs(driftMs), limitMs));
}

/** Jumps by more than a limit, one by one or together. */
export function jumpsBeyond({ jumps }: OffsetTrend, limitMs: number): OffsetJump[] {
  const alone = jumps.filter(({ byMs }) => Math.abs(byMs) > limitMs);
  const together = jumps.reduce((sum, { byMs }) => sum + byMs, 0);
  return alone.length === 0 && Math.abs(together) > limitMs ? [...jumps] : alone;
}

/** What is expected of both, where `less` says "at most" or "less than". */
export function changeExpected(
  less: string,
  { limitMs, limitPpm = CLOCKS_APART_PPM }: ChangeLimit,
): string {
  return `${less} ${limitMs} ms from the first to the last, and at most ${limitPpm} ppm beyond the error of measurement`;
}
