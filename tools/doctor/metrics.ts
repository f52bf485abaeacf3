/** The metrics that the specs ask for, beside those that media-service has. */
import {
  type MetricKey,
  METRIC_KEYS,
  type MetricMapping,
  mappingOf,
  metricName,
  type MetricNames,
  SPEC_KINDS,
} from '../../support/broadcast/service-names';
import { type Line, ok } from './line';
import { likeness, NEAR } from './metric-names';
import { type SeenMetric, seenMetric, type SeenMetrics } from './seen-metrics';

const TOPIC = 'metrics';
const MOST_NAMED = 3;
const STREAM_LABEL = 'stream_id';

/** By the specs' label: the values by which the specs tell counts apart (specs 018, 021). */
const SPEC_LABELS: Partial<Record<MetricKey, Readonly<Record<string, readonly string[]>>>> = {
  fallbacks: { reason: ['timeout', 'error', 'circuit_open', 'disconnected'] },
  audioFragments: { status: ['sent', 'processed', 'fallback'] },
  backpressureEvents: { action: ['slow_down', 'pause', 'resume', 'none'] },
};

/** What labels add to the likeness of names, which is 1 at most. */
const SAME_LABELS = 0.5;

/** What is found of each metric of the specs. */
export interface FoundMetric {
  key: MetricKey;
  /** Its type as media-service says it; undefined where it is not there. */
  type: string | undefined;
  /** Those that may be meant, best first. */
  near: string[];
}

export function foundMetrics(names: MetricNames, seen: SeenMetrics): FoundMetric[] {
  const given = METRIC_KEYS.flatMap((key) => mappingOf(names, key)?.name ?? []);
  const free = [...seen].filter(([name]) => !given.includes(name));
  return METRIC_KEYS.map((key) => {
    const name = mappingOf(names, key)?.name;
    const type = name === undefined ? undefined : seenMetric(seen, name)?.type;
    return { key, type, near: type === undefined ? nearMetrics(key, name ?? key, free) : [] };
  });
}

/** By their names, and by labels whose values are the specs'; at most three, best first. */
function nearMetrics(key: MetricKey, name: string, all: [string, SeenMetric][]): string[] {
  return all
    .map(([other, metric]) => {
      const hasLabels = Object.keys(labelsLike(key, metric)).length > 0;
      return { other, score: likeness(name, other) + (hasLabels ? SAME_LABELS : 0) };
    })
    .filter(({ score }) => score >= NEAR)
    .sort((a, b) => b.score - a.score || (a.other < b.other ? -1 : 1))
    .slice(0, MOST_NAMED)
    .map(({ other }) => other);
}

/** The specs' labels of a metric, each with the one of the seen metric that has nothing but the specs' values. */
function labelsLike(key: MetricKey, { labels }: SeenMetric): Record<string, string> {
  const wanted = Object.entries(SPEC_LABELS[key] ?? {});
  return Object.fromEntries(
    wanted.flatMap(([label, values]): [string, string][] => {
      const isLike = ([, own]: [string, ReadonlySet<string>]): boolean =>
        [...own].every((value) => values.includes(value));
      const [found] = [...labels].filter(isLike);
      return found ? [[label, found[0]]] : [];
    }),
  );
}

/**
 * Which labels acceptance.yaml has to name: those that are called otherwise than in the specs, and that of the stream, or
 * `none`.
 *
 * @param stream the one that was dubbed while the metric was seen
 */
export function labelsToName(
  key: MetricKey,
  metric: SeenMetric,
  stream: string,
): Record<string, string> {
  if (!metric.hasSeries) return {};
  const naming = [...metric.labels].find(([, values]) => values.has(stream))?.[0];
  const others = Object.entries(labelsLike(key, metric)).filter(
    ([label, own]) => label !== own && !metric.labels.has(label),
  );
  return {
    ...(naming === STREAM_LABEL ? {} : { stream: naming ?? 'none' }),
    ...Object.fromEntries(others),
  };
}

/**
 * @param file the configuration that is used, as it is shown
 * @param stream the one that was dubbed while they were seen
 */
export function metricLines(
  names: MetricNames,
  seen: SeenMetrics,
  { file, stream }: { file: string; stream: string },
): Line[] {
  const found = foundMetrics(names, seen);
  const there = found
    .filter(({ type }) => type !== undefined)
    .map(({ key }) => metricName(names, key));
  return [
    ...(there.length > 0 ? [ok(TOPIC, there.join(', '))] : []),
    ...found.flatMap((one) => lineOf(names, seen, one, file)),
    ...withoutStream(names, seen, stream),
  ];
}

function lineOf(
  names: MetricNames,
  seen: SeenMetrics,
  { key, type, near }: FoundMetric,
  file: string,
): Line[] {
  const mapping = mappingOf(names, key);
  const expected = mapping?.kind ?? SPEC_KINDS[key];
  if (mapping === undefined) return [];
  if (type === undefined) {
    const others = near.map((name) => `${name} (${seen.get(name)?.type ?? 'untyped'})`).join(', ');
    return [
      {
        ...{ topic: TOPIC, state: 'missing', text: `${mapping.name} (${expected}): not there` },
        next: others
          ? `is it ${others}? Say so in metrics.${key} of ${file}; else write absent`
          : `say what it is called in metrics.${key} of ${file}, or absent`,
      },
    ];
  }
  if (type === expected) return [];
  return [
    {
      ...{
        topic: TOPIC,
        state: 'wrong',
        text: `${mapping.name}: a ${type}, expected: a ${expected}`,
      },
      next: `export it as a ${expected}, or say in ${file}: metrics.${key}: {name: ${mapping.name}, kind: ${type}}`,
    },
  ];
}

/** One line for all whose series do not name the stream, unless the configuration says so already. */
function withoutStream(names: MetricNames, seen: SeenMetrics, stream: string): Line[] {
  const nameless = METRIC_KEYS.flatMap((key): { name: string; label: string }[] => {
    const mapping: MetricMapping | undefined = mappingOf(names, key);
    const metric = mapping && seenMetric(seen, mapping.name);
    if (!metric || mapping.labels?.['stream'] !== undefined) return [];
    const { stream: label } = labelsToName(key, metric, stream);
    return label === undefined ? [] : [{ name: mapping.name, label }];
  });
  if (nameless.length === 0) return [];
  const all = nameless.map(({ name }) => name).join(', ');
  const labels = [...new Set(nameless.map(({ label }) => label))];
  return [
    {
      ...{ topic: TOPIC, state: 'missing', text: `no label ${STREAM_LABEL} of ${all}` },
      next:
        labels[0] === 'none'
          ? 'labels: { stream: none }, as in the draft: with maxStreams: 1 they are read by differences'
          : `labels: { stream: ${labels.join(' or ')} }, as in the draft`,
    },
  ];
}
