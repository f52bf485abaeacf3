/**
 * `npm run benchmark -- reports/evidence/{stream} [PAIRS]`: how long the analysis of a recording takes, as a ratio to decoding
 * it once (`ffmpeg -i output.mp4 -f null -`): all of it, and without the listener, a speech recognizer that takes most of that
 * time. They run one right after the other, PAIRS times; the median of each ratio counts. The memory is the largest that node
 * itself, with its worker threads, has had. Exit code 1 where one of the three is above its limit, 2 for a usage error.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readCommandLine, usageError } from '../support/base/command-line';
import { median } from '../support/base/median';
import { projectRoot } from '../support/config';

/** Ratios, and MB. */
const LIMITS = { all: 16, 'without the listener': 2.74, memory: 400 };
const USAGE = 'usage: npm run benchmark -- reports/evidence/{stream} [PAIRS]';
const [given, pairs = '5'] = readCommandLine(USAGE, {}, 2).positionals;
const folder = given ?? usageError(USAGE, 'the folder of a broadcast is needed');
if (!(Number(pairs) >= 1)) usageError(USAGE, 'PAIRS is a number from 1 on');

function seconds(program: string, args: readonly string[]): number {
  const from = performance.now();
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status === 0) return (performance.now() - from) / 1000;
  console.error(`${program} ${args.join(' ')}: exit code ${status}\n${stderr}`);
  process.exit(1);
}

const file = join(folder, 'output.mp4');
const scratch = mkdtempSync(join(tmpdir(), 'benchmark-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
/** Loaded into the analysis before anything else: writes its memory down when it ends. In KB of 1024 bytes. */
const [probe, memory] = [join(scratch, 'probe.cjs'), join(scratch, 'memory')];
writeFileSync(
  probe,
  `if (require('node:worker_threads').isMainThread) process.on('exit', () =>
    require('node:fs').writeFileSync(${JSON.stringify(memory)}, String(process.resourceUsage().maxRSS)));`,
);

const { scripts } = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
  scripts: { analyze: string };
};
/** What `npm run analyze` runs, without node. */
const probed = ['-r', probe, ...scripts.analyze.split(' ').slice(1), folder];

/** Seconds and MB. */
function analysis(...options: string[]): { took: number; memory: number } {
  const took = seconds(process.execPath, [...probed, ...options]);
  return { took, memory: (Number(readFileSync(memory, 'utf8')) * 1024) / 1e6 };
}

const rounds = Array.from({ length: Number(pairs) }, (): Record<keyof typeof LIMITS, number> => {
  const decoding = seconds('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-']);
  const [all, deaf] = [analysis(), analysis('--without-listener')];
  const most = Math.max(all.memory, deaf.memory);
  console.log(
    `decoding ${decoding.toFixed(2)} s, analysis ${all.took.toFixed(2)} s, without the listener ${deaf.took.toFixed(2)} s, ` +
      `memory ${most.toFixed(0)} MB`,
  );
  return {
    ...{ all: all.took / decoding, 'without the listener': deaf.took / decoding, memory: most },
  };
});
for (const name of Object.keys(LIMITS) as (keyof typeof LIMITS)[]) {
  const of = median(rounds.map((round) => round[name]));
  console.log(`${name}: median ${of.toFixed(2)}, at most ${LIMITS[name]}`);
  if (!(of <= LIMITS[name])) process.exitCode = 1;
}
