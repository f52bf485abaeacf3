/** The metrics that the specs ask for, beside those that media-service has. */
import { familyType } from '../../support/base/prometheus';
import {
  type MetricKey,
  METRIC_KEYS,
  mappingOf,
  metricName,
  type MetricNames,
  SPEC_KINDS,
} from '../../support/broadcast/service-names';
import type { SeenMetrics } from './broadcast';
import { type Line, ok } from './line';
import { nearNames } from './metric-names';

const TOPIC = 'metrics';

/** What is found of each metric of the specs. */
export interface FoundMetric {
  key: MetricKey;
  /** Its type as media-service says it; undefined where it is not there. */
  type: string | undefined;
  /** Those that may be meant, best first. */
  near: string[];
}

const typeOf = (seen: SeenMetrics, name: string): string | undefined =>
  familyType(Object.fromEntries(seen), name);

export function foundMetrics(names: MetricNames, seen: SeenMetrics): FoundMetric[] {
  return METRIC_KEYS.map((key) => {
    const name = mappingOf(names, key)?.name;
    const type = name === undefined ? undefined : typeOf(seen, name);
    return { key, type, near: type === undefined ? nearNames(name ?? key, seen.keys()) : [] };
  });
}

export function metricLines(names: MetricNames, seen: SeenMetrics): Line[] {
  const found = foundMetrics(names, seen);
  const there = found
    .filter(({ type }) => type !== undefined)
    .map(({ key }) => metricName(names, key));
  return [
    ...(there.length > 0 ? [ok(TOPIC, there.join(', '))] : []),
    ...found.flatMap(({ key, type, near }) => lineOf(names, seen, { key, type, near })),
  ];
}

function lineOf(names: MetricNames, seen: SeenMetrics, { key, type, near }: FoundMetric): Line[] {
  const mapping = mappingOf(names, key);
  const expected = mapping?.kind ?? SPEC_KINDS[key];
  if (mapping === undefined) return [];
  if (type === undefined) {
    const others = near.map((name) => `${name} (${typeOf(seen, name) ?? 'untyped'})`).join(', ');
    return [
      {
        ...{ topic: TOPIC, state: 'missing', text: `${mapping.name} (${expected}): not there` },
        next: others
          ? `is it ${others}? Say so in metrics.${key} of acceptance.yaml; else write absent`
          : `say what it is called in metrics.${key} of acceptance.yaml, or absent`,
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
      next: `export it as a ${expected}, or say in acceptance.yaml: metrics.${key}: {name: ${mapping.name}, kind: ${type}}`,
    },
  ];
}
