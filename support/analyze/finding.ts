/** What could not be measured, and why. Never replaced by a default value. */
export interface Unobserved {
  observed: false;
  reason: string;
}

/** A measurement, or the reason why there is none. */
export type Finding<T> = ({ observed: true } & T) | Unobserved;

export function unobserved(reason: string): Unobserved {
  return { observed: false, reason };
}

/** Whether a signed A/V offset lies within a tolerance, both in ms; the limit itself is within. */
export function withinMs(offsetMs: number, toleranceMs: number): boolean {
  return Math.abs(offsetMs) <= toleranceMs;
}

/** Whether a value lies within `tolerance` of `expected` (same unit); the limits are within. */
export function within(value: number, expected: number, tolerance: number): boolean {
  // A nanosecond of slack, so that 59.1 - 60 does not fail for its binary representation.
  return Math.abs(value - expected) <= tolerance + 1e-9;
}

/**
 * Nearest-rank percentile: the smallest value with at least `percent` % of the values at or below it.
 * https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method
 *
 * @param percent above 0, at most 100
 */
export function percentile(values: readonly number[], percent: number): Finding<{ value: number }> {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)];
  return value === undefined ? unobserved('there are no values') : { observed: true, value };
}

/** A signed time for people: `-26.7 ms`, and never `-0.0 ms`. */
export function milliseconds(ms: number): string {
  return `${(Math.round(10 * ms) / 10 || 0).toFixed(1)} ms`;
}

/**
 * A figure that breaks a limit, for people: with as many digits, at least `digits`, as it takes to be seen on its side of the limit.
 * `0.797` for at least 0.8.
 */
export function beyond(value: number, limit: number, digits: number): string {
  for (let more = digits; more < MOST_DIGITS; more += 1) {
    const text = value.toFixed(more);
    if (Math.sign(Number(text) - limit) === Math.sign(value - limit)) return text;
  }
  return value.toFixed(MOST_DIGITS);
}

const MOST_DIGITS = 9;

/** Something that is known of a segment, such as when it begins. */
export interface AtSegment {
  segment: number;
  at: number;
}

/** The same of another segment, by the nearest one of which it is known; segments are `period` apart. */
export function bySegments(
  known: readonly AtSegment[],
  segment: number,
  period: number,
): number | undefined {
  const distance = (one: AtSegment): number => Math.abs(one.segment - segment);
  const [nearest] = [...known].sort((a, b) => distance(a) - distance(b));
  return nearest && nearest.at + (segment - nearest.segment) * period;
}

/** Whole numbers in their order, for people: `0 to 4, 7`. */
export function ranges(numbers: readonly number[]): string {
  const runs: number[][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last?.at(-1) === number - 1) last.push(number);
    else runs.push([number]);
  }
  return runs
    .map((run) => (run.length > 1 ? `${run[0]} to ${run.at(-1)}` : String(run[0])))
    .join(', ');
}
