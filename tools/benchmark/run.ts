/**
 * `npm run benchmark -- RESULTS [--pairs N] [--streams N]`: how fast the suite is, by the results folder of a run: ratios of that run, the
 * analysis of its one-minute broadcast against decoding it (N times, 5 by default), what the tap costs with the traffic of 20 streams, and
 * so many broadcasts that are dubbed by the Echo STS and watched at once (8 by default, as two processors have time for; 30 at most; 0: none). Nothing else may run meanwhile. `benchmark.json` in the results folder has all of it, which
 * `npm run compare` reads. Exit code 1 where a figure is above its limit, 2 for a usage error.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { readCommandLine, usageError } from '../../support/base/command-line';
import { recordedBroadcasts } from '../../support/broadcast/evidence';
import { keyOf, requestOf } from '../../support/broadcast/request';
import {
  BENCHMARK_FILE,
  type BenchmarkFigure as Figure,
} from '../../support/report/benchmark-file';
import { analysisTimes } from './analysis';
import { isWithin, lineOf } from './figure';
import { runFigures } from './run-figures';
import { tapDelay } from './tap';

/** Of which the tap has the traffic, whatever the services of this machine could dub. */
const TAPPED_STREAMS = 20;
/** More are not on the air at once: starts are 2.6 s apart, and on slower processors more. */
const MOST_STREAMS = 30;
const USAGE = 'usage: npm run benchmark -- RESULTS [--pairs N] [--streams N]';

/** Programs of the suite, so that what is measured of one is not that of the others. */
function streamFigures(count: number): Figure[] {
  const program = ['-r', './support/base/typescript.cjs', join(__dirname, 'streams.ts')];
  const { status, stdout } = spawnSync(process.execPath, [...program, String(count)], {
    ...{ encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  });
  if (status !== 0) throw new Error(`${count} streams at once: exit code ${status}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Figure[];
}

async function main(): Promise<void> {
  const { values, positionals } = readCommandLine(
    USAGE,
    { pairs: { type: 'string', default: '5' }, streams: { type: 'string', default: '8' } },
    1,
  );
  const [results] = positionals;
  const [pairs, streams] = [Number(values.pairs), Number(values.streams)];
  if (results === undefined) usageError(USAGE, 'the results folder of a run is needed');
  const evidence = join(results, 'evidence');
  if (!existsSync(evidence)) usageError(USAGE, `${results}: no results of a run with broadcasts`);
  if (!(Number.isInteger(pairs) && pairs > 0)) usageError(USAGE, '--pairs is a number from 1 on');
  if (!(Number.isInteger(streams) && streams >= 0 && streams <= MOST_STREAMS)) {
    usageError(USAGE, `--streams is a number from 0 to ${MOST_STREAMS}`);
  }
  const minute = recordedBroadcasts(evidence).get(keyOf(requestOf()));
  const all: Figure[] = [];
  const show = (figures: readonly Figure[]): void => {
    for (const figure of figures) console.log(lineOf(figure));
    all.push(...figures);
    // What was measured is kept, whatever fails after it.
    writeFileSync(join(results, BENCHMARK_FILE), JSON.stringify(all, null, 2));
  };
  show(runFigures(results, evidence));
  if (minute === undefined) console.log('the run has no one-minute broadcast: nothing is analyzed');
  else show(analysisTimes(minute, pairs));
  show(await tapDelay(TAPPED_STREAMS));
  if (streams > 0) show(streamFigures(streams));
  if (!all.every(isWithin)) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
