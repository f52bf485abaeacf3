/**
 * `npm run benchmark -- reports/evidence/{stream} [PAIRS]`: how long the whole analysis of a recording takes, as a ratio
 * to decoding it once (`ffmpeg -i output.mp4 -f null -`). Each pair runs one right after the other; the median of the
 * ratios counts. Exit code 1 above LIMIT, 2 for a usage error. The memory is the largest that node itself, with its worker
 * threads, has had.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { readCommandLine, usageError } from '../support/base/command-line';

const LIMIT = 3;
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

const ratios = Array.from({ length: Number(pairs) }, () => {
  const decoding = seconds('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-']);
  const analysis = seconds(process.execPath, [
    ...['-r', probe, '-r', './support/base/typescript.cjs', 'tools/analyze.ts', folder],
  ]);
  const megabytes = (Number(readFileSync(memory, 'utf8')) * 1024) / 1e6;
  const ratio = analysis / decoding;
  console.log(
    `decoding ${decoding.toFixed(2)} s, analysis ${analysis.toFixed(2)} s, ratio ${ratio.toFixed(2)}, ` +
      `memory ${megabytes.toFixed(0)} MB`,
  );
  return ratio;
}).sort((a, b) => a - b);
const median = ratios[Math.floor(ratios.length / 2)] ?? NaN;
console.log(`median ratio ${median.toFixed(2)}, at most ${LIMIT}`);
process.exitCode = median > LIMIT ? 1 : 0;
