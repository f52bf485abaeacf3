/**
 * `streams.ts COUNT`: one process of the suite watches so many broadcasts at once, which the Echo STS dubs in real time. Writes figures of
 * the time in which all were on the air, and its delay from the beginning, as JSON, to standard output.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

import { readEvidence, recordedBroadcasts } from '../../support/broadcast/evidence';
import { requestOf } from '../../support/broadcast/request';
import { readConfig } from '../../support/config';
import { closeSession, openSession } from '../../support/session/lifecycle';
import type { BenchmarkFigure as Figure } from '../../support/report/benchmark-file';
import { longestWait } from './figure';

const SAMPLE_MS = 500;
/** Of the longest broadcast of tones. */
const SECONDS = 90;

interface Sample {
  at: number;
  processorMs: number;
  rss: number;
}

async function main(count: number): Promise<Figure[]> {
  const reportsFolder = mkdtempSync(join(tmpdir(), 'streams-'));
  // A signal ends the session, and this process with it.
  process.once('exit', () => rmSync(reportsFolder, { recursive: true, force: true }));
  const config = readConfig({ ...readConfig().variables, MAX_STREAMS: String(count) });
  const session = openSession(() => ({ ...config, reportsFolder }));
  const composition = { echoSegmentSeconds: 6 };
  const requests = Array.from({ length: count }, (_, use) =>
    requestOf({ fixture: '90-s-tones', seconds: SECONDS, composition, use }),
  );
  const samples: Sample[] = [];
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage();
    const processorMs = (user + system) / 1000;
    samples.push({ at: Date.now(), processorMs, rss: process.memoryUsage.rss() });
  }, SAMPLE_MS);
  const late = monitorEventLoopDelay({ resolution: 10 });
  late.enable();
  try {
    session.begin(requests.map((request) => ({ request, group: 'echo', together: count })));
    await Promise.all(requests.map((request) => session.dub(request)));
    return figuresOf(samples, late.percentile(99) / 1e6, join(reportsFolder, 'evidence'));
  } finally {
    clearInterval(timer);
    await closeSession();
  }
}

function figuresOf(samples: readonly Sample[], lateMs: number, evidence: string): Figure[] {
  const records = [...recordedBroadcasts(evidence).values()].map(
    (folder) => readEvidence(folder).record,
  );
  const from = Math.max(...records.map(({ times }) => times.published ?? Infinity));
  const to = Math.min(...records.map(({ times }) => times.publisherEnded ?? -Infinity));
  const within = samples.filter(({ at }) => at >= from && at <= to);
  const [first, last] = [within[0], within.at(-1)];
  if (!first || !last || first === last) {
    throw new Error(`not all ${records.length} streams were on the air at once`);
  }
  const of = `${records.length} streams at once`;
  const processors = (last.processorMs - first.processorMs) / (last.at - first.at);
  const rss = Math.max(...within.map((one) => one.rss));
  return [
    { name: `${of}: processors of the suite`, value: processors, unit: '', limit: 1 },
    { name: `${of}: memory of the suite`, value: rss / 1e6, unit: 'MB', limit: 400 },
    { name: `${of}: its own delay, p99`, value: lateMs, unit: 'ms' },
    { name: `${of}: the longest it was kept waiting`, value: longestWait(records), unit: 'ms' },
  ];
}

main(Number(process.argv[2])).then(
  (figures) => process.stdout.write(`\n${JSON.stringify(figures)}\n`, () => process.exit(0)),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
