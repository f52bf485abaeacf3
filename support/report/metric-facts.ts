import { matching, type Sample } from '../base/prometheus';
import type { MetricsRecord } from '../broadcast/evidence';
import type { HistogramFacts, MetricSeries } from './facts';

/** More than a page can show. */
const MOST_SERIES = 40;
/** What says nothing of a broadcast: when a series was made, and the state of the program. */
const BESIDES = /_created$|^python_|^process_/;

/**
 * Counters and gauges over time. Points that repeat the one before and the one after are left out, and values that are no
 * finite numbers; of many series, those that change are kept.
 *
 * @param polls of the metrics during one broadcast, in the order of time
 * @param secondsAt a moment in ms since the epoch as seconds of the broadcast
 */
export function seriesOf(
  polls: readonly MetricsRecord[],
  stream: string,
  secondsAt: (ms: number) => number,
): MetricSeries[] {
  const types = typesOf(polls);
  const all = new Map<string, MetricSeries>();
  for (const { at, samples } of polls) {
    for (const sample of samples) {
      const type = types.get(sample.name) ?? types.get(sample.name.replace(/_total$/, ''));
      if (!isShown(sample, stream) || (type !== 'counter' && type !== 'gauge')) continue;
      const labels = labelsOf(sample);
      const key = JSON.stringify([sample.name, labels]);
      const series = all.get(key) ?? { name: sample.name, labels, type, points: [] };
      all.set(key, series);
      if (!Number.isFinite(sample.value)) continue;
      series.points.push({ atSeconds: secondsAt(at), value: sample.value });
    }
  }
  return [...all.values()]
    .map((series) => ({ ...series, points: withoutPlateaus(series.points) }))
    .filter(({ points }) => points.length > 0)
    .sort((a, b) => changes(b) - changes(a))
    .slice(0, MOST_SERIES)
    .sort((a, b) => (`${a.name} ${a.labels}` < `${b.name} ${b.labels}` ? -1 : 1));
}

/** The histograms of the last poll that have counted anything. */
export function histogramsOf(polls: readonly MetricsRecord[], stream: string): HistogramFacts[] {
  const samples = polls.at(-1)?.samples ?? [];
  const types = typesOf(polls);
  return samples.flatMap((sample): HistogramFacts[] => {
    const name = sample.name.replace(/_count$/, '');
    if (name === sample.name || types.get(name) !== 'histogram') return [];
    const sum = matching(samples, `${name}_sum`, sample.labels)[0]?.value ?? NaN;
    const mean = sum / sample.value;
    if (!isShown(sample, stream) || !Number.isFinite(mean)) return [];
    return [{ name, labels: labelsOf(sample), count: sample.value, mean }];
  });
}

/** By name; only the first and the last poll have them. */
function typesOf(polls: readonly MetricsRecord[]): Map<string, string> {
  return new Map(polls.flatMap(({ types }) => Object.entries(types ?? {})));
}

function isShown({ name, labels }: Sample, stream: string): boolean {
  return !BESIDES.test(name) && (labels['stream_id'] ?? stream) === stream;
}

function labelsOf({ labels }: Sample): string {
  return Object.entries(labels)
    .filter(([name]) => name !== 'stream_id')
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(', ');
}

function withoutPlateaus(points: MetricSeries['points']): MetricSeries['points'] {
  return points.filter(
    ({ value }, i) => value !== points[i - 1]?.value || value !== points[i + 1]?.value,
  );
}

/** A series of which only the two ends are left has not changed, unless these differ. */
function changes({ points }: MetricSeries): number {
  return points[0]?.value === points.at(-1)?.value ? points.length - 2 : points.length;
}
