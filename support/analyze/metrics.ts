import {
  describeSeries,
  type Labels,
  matching,
  readNumber,
  type Sample,
  seriesKey,
} from '../base/prometheus';
import { type Finding, unobserved } from './finding';

export interface Bucket {
  /** Upper edge, inclusive; Infinity for the last one. */
  le: number;
  /** Observations at or below `le`, all lower buckets included. */
  cumulative: number;
}

export interface Histogram {
  count: number;
  /** In the unit of the metric. */
  sum: number;
  /** By rising edge, the last is +Inf. */
  buckets: Bucket[];
}

/**
 * By how much a counter rose between two samples, summed over the series that match. A series that is new
 * counts from 0. A series that fell was reset and counts from 0 as well, as Prometheus' `increase` does.
 * A series that is gone, or whose value is not finite, makes the answer unobserved.
 */
export function counterDelta(
  before: readonly Sample[],
  after: readonly Sample[],
  name: string,
  labels: Labels = {},
): Finding<{ delta: number; resets: number; series: number }> {
  const then = new Map(matching(before, name, labels).map((s) => [seriesKey(s.labels), s]));
  const now = new Map(matching(after, name, labels).map((s) => [seriesKey(s.labels), s]));
  if (now.size === 0) return unobserved(`there is no ${describeSeries(name, labels)} afterwards`);
  for (const [key, series] of then) {
    if (!now.has(key)) return unobserved(`${describeSeries(name, series.labels)} has gone`);
  }
  let delta = 0;
  let resets = 0;
  for (const [key, { value }] of now) {
    const from = then.get(key)?.value ?? 0;
    if (!Number.isFinite(value) || !Number.isFinite(from)) {
      return unobserved(`${describeSeries(name, labels)} is ${value}, was ${from}`);
    }
    const reset = value < from;
    delta += reset ? value : value - from;
    if (reset) resets += 1;
  }
  return { observed: true, delta, resets, series: now.size };
}

/** The histogram of that base name (without `_bucket`), summed over the series whose labels include `labels`. */
export function histogram(
  samples: readonly Sample[],
  name: string,
  labels: Labels = {},
): Finding<Histogram> {
  const counts = matching(samples, `${name}_count`, labels);
  const sums = matching(samples, `${name}_sum`, labels);
  const buckets = matching(samples, `${name}_bucket`, labels);
  const missing = Object.entries({ _count: counts, _sum: sums, _bucket: buckets })
    .filter(([, found]) => found.length === 0)
    .map(([suffix]) => describeSeries(name + suffix, labels));
  if (missing.length > 0) return unobserved(`there is no ${missing.join(', no ')}`);

  const byEdge = new Map<number, Sample[]>();
  for (const sample of buckets) {
    const le = readNumber(sample.labels['le'] ?? '');
    if (le === undefined) {
      return unobserved(`${describeSeries(sample.name, sample.labels)} has no usable le`);
    }
    byEdge.set(le, [...(byEdge.get(le) ?? []), sample]);
  }
  if (!byEdge.has(Infinity)) return unobserved(`${name} has no +Inf bucket`);
  if ([...byEdge.values()].some((series) => series.length !== counts.length)) {
    return unobserved(`the series of ${describeSeries(name, labels)} have different buckets`);
  }
  const [count, sum] = [total(counts), total(sums)];
  const edges = [...byEdge]
    .map(([le, series]) => ({ le, cumulative: total(series) }))
    .sort((a, b) => a.le - b.le);
  const rises = edges.every(({ cumulative }, i) => cumulative >= (edges[i - 1]?.cumulative ?? 0));
  if (!rises || edges.at(-1)?.cumulative !== count || !Number.isFinite(count + sum)) {
    const said = edges.map(({ le, cumulative }) => `${cumulative} up to ${le}`).join(', ');
    return unobserved(`${name} contradicts itself: count ${count}, sum ${sum}, ${said}`);
  }
  return { observed: true, count, sum, buckets: edges };
}

/**
 * What a histogram has counted since an earlier look, where there was one.
 *
 * @param scale by which edges and sum are multiplied: 1000 where they are seconds, and ms are wanted
 */
export function histogramSince(
  seen: Histogram,
  earlier: Finding<Histogram>,
  scale: number,
): Histogram {
  const before = earlier.observed ? earlier : { count: 0, sum: 0, buckets: [] };
  const buckets = seen.buckets.map(({ le, cumulative }) => {
    const then = before.buckets.find((one) => one.le === le)?.cumulative ?? 0;
    return { le: le * scale, cumulative: cumulative - then };
  });
  return { count: seen.count - before.count, sum: scale * (seen.sum - before.sum), buckets };
}

/**
 * What a histogram proves about a limit. Buckets do not tell where inside of them an observation lies, so a
 * limit between two edges is judged by the next lower edge.
 *
 * @param limit in the unit of the metric, inclusive as `le` is
 * @returns `provenAtMost`: observations surely <= limit; `maybeAbove`: all others; `provenAbove`: those
 *   of the others that are surely above; `edge`: the edge used, null when all edges are above the limit
 */
export function countAbove(
  seen: Histogram,
  limit: number,
): { provenAtMost: number; maybeAbove: number; provenAbove: number; edge: number | null } {
  const below = seen.buckets.filter(({ le }) => le <= limit).at(-1);
  const above = seen.buckets.find(({ le }) => le >= limit);
  const provenAtMost = below?.cumulative ?? 0;
  return {
    provenAtMost,
    maybeAbove: seen.count - provenAtMost,
    provenAbove: seen.count - (above?.cumulative ?? seen.count),
    edge: below?.le ?? null,
  };
}

function total(samples: readonly Sample[]): number {
  return samples.reduce((sum, { value }) => sum + value, 0);
}
