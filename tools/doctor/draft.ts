/** A configuration for the system that was asked: what is configured, with what was found in its place. */
import { readFileSync } from 'node:fs';

import { parseDocument } from 'yaml';

import { mappingOf, type MetricNames } from '../../support/broadcast/service-names';
import type { SeenMetrics } from './broadcast';
import { foundMetrics } from './metrics';

/**
 * acceptance.yaml with the metrics as they were seen; everything else, comments too, stays.
 *
 * @param path of the configuration that was used
 * @param seen undefined where no metrics were seen: they then stay as they are
 */
export function draftOf(path: string, names: MetricNames, seen: SeenMetrics | undefined): string {
  const draft = parseDocument(readFileSync(path, 'utf8'));
  for (const { key, type, near } of seen ? foundMetrics(names, seen) : []) {
    const [first] = near;
    if (type !== undefined || mappingOf(names, key) === undefined) continue;
    const kind = first === undefined ? undefined : seen?.get(first);
    draft.setIn(
      ['metrics', key],
      first === undefined
        ? 'absent'
        : draft.createNode({ name: first, ...(isKind(kind) ? { kind } : {}) }, { flow: true }),
    );
  }
  return draft.toString({ lineWidth: 0 });
}

const isKind = (type: string | undefined): boolean =>
  type === 'counter' || type === 'gauge' || type === 'histogram' || type === 'summary';
