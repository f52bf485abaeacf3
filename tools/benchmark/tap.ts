/** How much later a message arrives through the tap than without it, and what the tap takes for that. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

import { percentile } from '../../support/analyze/finding';
import { Tap } from '../../support/observe/tap';
import { SocketIOMonitor } from '../../support/observe/socket-io-monitor';
import type { BenchmarkFigure as Figure } from '../../support/report/benchmark-file';
import type { Sending, Told } from './tap-peers';

/** As 6 s of mono audio at 44.1 kHz, for each stream every 6 s. */
const BYTES = 6 * 44_100 * 2;
const EVERY_MS = 6000;
const FRAGMENTS = 5;
const SAMPLE_MS = 500;

/**
 * @param streams whose fragments are on the way at the same time
 * @param everyMs of each stream
 */
export async function tapDelay(streams: number, everyMs = EVERY_MS): Promise<Figure[]> {
  const peers = fork(join(__dirname, 'tap-peers.ts'), {
    execArgv: ['-r', join(__dirname, '../../support/base/typescript.cjs')],
  });
  const gone = once(peers, 'exit').then(([code, signal]): never => {
    throw new Error(`tap-peers.ts has ended before its answer: ${signal ?? `exit code ${code}`}`);
  });
  const ask = async (what: 'listen' | Sending): Promise<Told> => {
    peers.send(what);
    const [told] = (await Promise.race([once(peers, 'message'), gone])) as [Told];
    return told;
  };
  const listening = await ask('listen');
  const sts = `127.0.0.1:${'port' in listening ? listening.port : 0}`;
  const tap = await Tap.start(`http://${sts}`);
  const monitor = new SocketIOMonitor(tap);
  await monitor.connect();
  const rss: number[] = [];
  const timer = setInterval(() => rss.push(process.memoryUsage.rss()), SAMPLE_MS);
  try {
    const before = process.cpuUsage();
    rss.push(process.memoryUsage.rss());
    const from = performance.now();
    const urls = [`ws://127.0.0.1:${tap.port}`, `ws://${sts}`];
    const sending = { urls, streams, fragments: FRAGMENTS, everyMs, bytes: BYTES };
    const told = await ask(sending);
    const [tapped = [], direct = []] = 'delays' in told ? told.delays : [];
    const { user, system } = process.cpuUsage(before);
    // Half of the time nothing goes through it.
    const seconds = (performance.now() - from) / 1000 / 2;
    const of = `of ${tapped.length} messages of ${streams} streams`;
    return [
      { name: `tap, delay, p99 ${of}`, value: p99(tapped), unit: 'ms', limit: 100 },
      { name: 'the same without the tap', value: p99(direct), unit: 'ms' },
      { name: 'tap, processors', value: (user + system) / 1e6 / seconds, unit: '' },
      { name: 'tap, memory', value: Math.max(...rss) / 1e6, unit: 'MB', limit: 400 },
    ];
  } finally {
    clearInterval(timer);
    monitor.disconnect();
    await tap.close();
    peers.kill();
  }
}

function p99(values: readonly number[]): number {
  const found = percentile(values, 99);
  return found.observed ? found.value : NaN;
}
