/** What media-service was seen to export while it dubbed a clip. */
import { familyType, type Sample } from '../../support/base/prometheus';
import type { MetricsRecord } from '../../support/broadcast/evidence';

export interface SeenMetric {
  /** As its TYPE line says it; `untyped` without one. */
  type: string;
  /** The values of each label, over all its series; empty where no series was seen. */
  labels: ReadonlyMap<string, ReadonlySet<string>>;
  /** Whether any series of it was seen: many metrics are announced before anything was counted. */
  hasSeries: boolean;
}

/** By the name by which acceptance.yaml would call it: that of a counter's series, of a histogram that without `_bucket`. */
export type SeenMetrics = ReadonlyMap<string, SeenMetric>;

/** All of all polls: many appear with the first stream only, and go with it. */
export function seenIn(polls: readonly Pick<MetricsRecord, 'samples' | 'types'>[]): SeenMetrics {
  const types = Object.fromEntries(polls.flatMap((poll) => Object.entries(poll.types ?? {})));
  const series = new Map<string, Sample[]>();
  for (const sample of polls.flatMap(({ samples }) => samples)) {
    const name = nameOf(sample.name, types);
    series.set(name, [...(series.get(name) ?? []), sample]);
  }
  // Of OpenMetrics' counters the family is not called as its series are.
  for (const family of Object.keys(types)) {
    if (!series.has(family) && !series.has(`${family}_total`)) series.set(family, []);
  }
  return new Map(
    [...series].map(([name, samples]) => {
      const type = familyType(types, name) ?? 'untyped';
      return [name, { type, labels: labelsOf(samples), hasSeries: samples.length > 0 }];
    }),
  );
}

function nameOf(series: string, types: Readonly<Record<string, string>>): string {
  const family = series.replace(/_(bucket|sum|count|created)$/, '');
  return !(series in types) && family in types ? family : series;
}

function labelsOf(samples: readonly Sample[]): SeenMetric['labels'] {
  const labels = new Map<string, Set<string>>();
  for (const [label, value] of samples.flatMap((one) => Object.entries(one.labels))) {
    labels.set(label, (labels.get(label) ?? new Set()).add(value));
  }
  return labels;
}

/** Also by the family of its series. */
export function seenMetric(seen: SeenMetrics, name: string): SeenMetric | undefined {
  return seen.get(name) ?? seen.get(name.replace(/_total$/, ''));
}
