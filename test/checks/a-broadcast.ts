/** Broadcasts for tests of criteria: what was seen of them is given, nothing is recorded. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

import { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import type { TapEvent } from '../../support/broadcast/events';
import type { Evidence, MetricsRecord } from '../../support/broadcast/evidence';
import { readFixture } from '../../support/broadcast/fixture';
import { fragmentsOf } from '../../support/broadcast/fragment';
import type { BroadcastRecord } from '../../support/broadcast/record';
import { type Criterion, judge } from '../../support/checks/criterion';
import { projectRoot } from '../../support/config';
import { aRecord } from '../broadcast/a-record';
import { STREAM } from '../broadcast/an-exchange';

export const NAMES = {
  ...{ mediaService: 'media-service', sts: 'sts-service' },
  metrics: {
    ...{ segmentsProcessed: 'segments_total', audioFragments: 'fragments_total' },
    ...{ avSyncDelta: 'av_delta', stsProcessingTime: 'sts_time', fallbacks: 'fallbacks_total' },
    ...{ inflight: 'inflight', breakerState: 'breaker', backpressureEvents: 'backpressure_total' },
    reconnections: 'reconnections_total',
  },
};

/** Time in seconds, message, further fields. */
export type Logged = [at: number, message: string, fields?: Record<string, unknown>];
/** Time in seconds, and the value of each series: `name`, or `name{label="value"}`. */
export type Poll = [at: number, values: Record<string, number>];

const folders = mkdtempSync(join(tmpdir(), 'broadcasts-'));
after(() => rmSync(folders, { recursive: true }));

interface Given {
  events?: TapEvent[];
  /** What media-service has logged about the stream. */
  log?: Logged[];
  polls?: Poll[];
  types?: Record<string, string>;
  mediamtx?: Evidence['mediamtx'];
  record?: Partial<BroadcastRecord>;
}

export function aBroadcast(given: Given = {}): BroadcastFindings {
  const { events: tap = [], log = [], polls = [], types = {}, mediamtx = [], record } = given;
  const folder = mkdtempSync(join(folders, 'broadcast-'));
  const lines = log.map(([seconds, message, fields = {}]) =>
    JSON.stringify({ timestamp: seconds, stream_id: STREAM, level: 'INFO', message, ...fields }),
  );
  writeFileSync(join(folder, `${NAMES.mediaService}.log`), lines.join('\n'));
  const metrics = polls.map(([seconds, values]): MetricsRecord => ({
    ...{ at: 1000 * seconds, types },
    samples: Object.entries(values).map(([series, value]) => sampleOf(series, value)),
  }));
  const evidence: Evidence = {
    ...{ folder, tap, metrics, mediamtx, fragments: fragmentsOf(tap) },
    record: aRecord({ stream: STREAM, times: { published: 0 }, ...record }),
  };
  const fixture = readFixture(join(projectRoot, 'fixtures/90-s-tones.yaml'));
  return new BroadcastFindings(evidence, fixture, NAMES);
}

function sampleOf(series: string, value: number): MetricsRecord['samples'][number] {
  const [, name = '', label, labelValue = ''] = /^(\w+)(?:\{(\w+)="(.*)"\})?$/.exec(series) ?? [];
  const labels = { stream_id: STREAM, ...(label === undefined ? {} : { [label]: labelValue }) };
  return { name, labels, value };
}

/** The state of the verdict. */
export async function stateOf<Subject, Measured, Limit>(
  criterion: Criterion<Subject, Measured, Limit>,
  subject: Subject,
  limit: Limit,
): Promise<string> {
  return (await judge(criterion, subject, limit)).state;
}
