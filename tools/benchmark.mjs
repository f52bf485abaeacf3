// `npm run benchmark -- reports/evidence/{stream} [PAIRS]`: how long the whole analysis of a recording takes, as a ratio
// to decoding it once (`ffmpeg -i output.mp4 -f null -`). Each pair runs one right after the other; the median of the
// ratios counts. Exit code 1 above LIMIT.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const LIMIT = 3;
const [folder, pairs = '5'] = process.argv.slice(2);
if (!folder) {
  console.error('usage: npm run benchmark -- reports/evidence/{stream} [PAIRS]');
  process.exit(2);
}

function seconds(program, args) {
  const from = performance.now();
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status === 0) return (performance.now() - from) / 1000;
  console.error(`${program} ${args.join(' ')}: exit code ${status}\n${stderr}`);
  return process.exit(1);
}

const file = join(folder, 'output.mp4');
const ratios = Array.from({ length: Number(pairs) }, () => {
  const decoding = seconds('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-']);
  const analysis = seconds(process.execPath, [
    ...['-r', 'ts-node/register', 'tools/analyze.ts', folder],
  ]);
  const ratio = analysis / decoding;
  console.log(
    `decoding ${decoding.toFixed(2)} s, analysis ${analysis.toFixed(2)} s, ratio ${ratio.toFixed(2)}`,
  );
  return ratio;
}).sort((a, b) => a - b);
const median = ratios[Math.floor(ratios.length / 2)];
console.log(`median ratio ${median.toFixed(2)}, at most ${LIMIT}`);
process.exitCode = median > LIMIT ? 1 : 0;
