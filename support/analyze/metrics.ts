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
 * By how much a counter rose from each look to the next, summed over the series that match: one figure less than looks. A
 * series that is new counts from 0, as libraries make one with its first count only. One that fell was reset and counts from 0
 * as well, as Prometheus' `increase` does. One that is gone rises no more; where it comes back, it counts from where it was.
 *
 * @returns unobserved where a value is not finite
 */
export function counterRises(
  looks: readonly (readonly Sample[])[],
  name: string,
  labels: Labels = {},
): Finding<{ rises: number[] }> {
  const last = new Map<string, number>();
  const rises: number[] = [];
  for (const samples of looks) {
    let rise = 0;
    for (const { labels: own, value } of matching(samples, name, labels)) {
      if (!Number.isFinite(value)) return unobserved(`${describeSeries(name, own)} is ${value}`);
      const from = last.get(seriesKey(own)) ?? 0;
      rise += value < from ? value : value - from;
      last.set(seriesKey(own), value);
    }
    rises.push(rise);
  }
  // What was counted before the first look is no rise.
  return { observed: true, rises: rises.slice(1) };
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
