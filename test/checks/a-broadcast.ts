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
import type { MetricNames } from '../../support/broadcast/service-names';
import { type Criterion, judge } from '../../support/checks/criterion';
import { projectRoot } from '../../support/config';
import { aRecord } from '../broadcast/a-record';
import { STREAM } from '../broadcast/an-exchange';

export const NAMES = {
  ...{ mediaService: 'media-service', sts: 'sts-service' },
  paths: { input: 'live/{stream}/in', output: 'live/{stream}/out' },
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
  /** The whole log of media-service, in a format of its own, in place of `log`. */
  logText?: string;
  /** What the metrics are called and how they are read, where that is not NAMES. */
  metrics?: Partial<MetricNames>;
  /** The label that names the stream. */
  streamLabel?: string | null;
  mediamtx?: Evidence['mediamtx'];
  record?: Partial<BroadcastRecord>;
}

export function aBroadcast(given: Given = {}): BroadcastFindings {
  const { events: tap = [], log = [], polls = [], types = {}, mediamtx = [], record } = given;
  const folder = mkdtempSync(join(folders, 'broadcast-'));
  const lines = log.map(([seconds, message, fields = {}]) =>
    JSON.stringify({ timestamp: seconds, stream_id: STREAM, level: 'INFO', message, ...fields }),
  );
  writeFileSync(join(folder, `${NAMES.mediaService}.log`), given.logText ?? lines.join('\n'));
  const metrics = polls.map(([seconds, values]): MetricsRecord => ({
    ...{ at: 1000 * seconds, types },
    samples: Object.entries(values).map(([series, value]) =>
      sampleOf(series, value, given.streamLabel),
    ),
  }));
  const fixture = readFixture(join(projectRoot, 'fixtures/90-s-tones.yaml'));
  const fragments = fragmentsOf(tap, 1, 1000 * fixture.segmentSeconds);
  const evidence: Evidence = {
    ...{ folder, tap, unmatched: [], metrics, mediamtx, fragments },
    record: aRecord({ stream: STREAM, times: { published: 0 }, ...record }),
  };
  const names = { ...NAMES, metrics: { ...NAMES.metrics, ...given.metrics } };
  return new BroadcastFindings(evidence, fixture, names);
}

function sampleOf(
  series: string,
  value: number,
  streamLabel: string | null = 'stream_id',
): MetricsRecord['samples'][number] {
  const [, name = '', label, labelValue = ''] = /^(\w+)(?:\{(\w+)="(.*)"\})?$/.exec(series) ?? [];
  const labels = {
    ...(streamLabel === null ? {} : { [streamLabel]: STREAM }),
    ...(label === undefined ? {} : { [label]: labelValue }),
  };
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
