/** A configuration for the system that was asked: what is configured, with what was found in its place. */
import { readFileSync } from 'node:fs';

import { parseDocument } from 'yaml';

import {
  mappingOf,
  type MetricKey,
  type MetricNames,
  SPEC_KINDS,
} from '../../support/broadcast/service-names';
import { type FoundMetric, foundMetrics, labelsToName } from './metrics';
import { seenMetric, type SeenMetrics } from './seen-metrics';

/** What was seen while a broadcast was dubbed. */
export interface Seen {
  metrics: SeenMetrics;
  stream: string;
}

/**
 * acceptance.yaml with the metrics as they were seen; everything else, comments too, stays.
 *
 * @param path of the configuration that was used
 * @param seen undefined where no metrics were seen: they then stay as they are
 */
export function draftOf(path: string, names: MetricNames, seen: Seen | undefined): string {
  const draft = parseDocument(readFileSync(path, 'utf8'));
  for (const found of seen ? foundMetrics(names, seen.metrics) : []) {
    const value = seen && valueOf(names, found, seen);
    if (value === undefined) continue;
    const isText = typeof value === 'string';
    draft.setIn(['metrics', found.key], isText ? value : draft.createNode(value, { flow: true }));
  }
  return draft.toString({ lineWidth: 0 });
}

/** What has to be said of a metric in place of what is configured; undefined where that stays. */
function valueOf(
  names: MetricNames,
  { key, type, near }: FoundMetric,
  { metrics, stream }: Seen,
): object | string | undefined {
  const mapping = mappingOf(names, key);
  if (mapping === undefined) return undefined;
  const name = type === undefined ? near[0] : mapping.name;
  const metric = name === undefined ? undefined : seenMetric(metrics, name);
  if (name === undefined || metric === undefined) return 'absent';
  const labels = { ...labelsToName(key, metric, stream), ...mapping.labels };
  const kind = mapping.kind ?? kindOf(key, metric.type);
  const differs = type === undefined || kind !== mapping.kind;
  const hasNewLabels = Object.keys(labels).length > Object.keys(mapping.labels ?? {}).length;
  if (!differs && !hasNewLabels) return undefined;
  return {
    ...{ ...mapping, name },
    ...(kind === undefined ? {} : { kind }),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
  };
}

/** Undefined where it is the spec's, or none that can be declared. */
function kindOf(key: MetricKey, type: string): string | undefined {
  const isKind = ['counter', 'gauge', 'histogram', 'summary'].includes(type);
  return isKind && type !== SPEC_KINDS[key] ? type : undefined;
}
