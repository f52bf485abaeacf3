/** How long the analysis of a recording takes, as a ratio to decoding it once (`ffmpeg -i output.mp4 -f null -`). */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { median } from '../../support/base/median';
import { projectRoot } from '../../support/config';
import type { BenchmarkFigure as Figure } from '../../support/report/benchmark-file';

/** Ratios, and MB. */
const LIMITS = { all: 16, 'without the listener': 2.74, memory: 400 };

interface Round {
  all: number;
  'without the listener': number;
  memory: number;
}

/**
 * All of it, and without the listener, a speech recognizer that takes most of that time. They run one right after the other, `pairs`
 * times; the median of each ratio counts. The memory is the largest that node itself, with its worker threads, has had.
 *
 * @param folder of the evidence of a broadcast
 */
export function analysisTimes(folder: string, pairs: number): Figure[] {
  const scratch = mkdtempSync(join(tmpdir(), 'benchmark-'));
  try {
    const analyze = analyzing(folder, scratch);
    const rounds = Array.from({ length: pairs }, () => round(join(folder, 'output.mp4'), analyze));
    return (Object.keys(LIMITS) as (keyof Round)[]).map((name) => ({
      name: name === 'memory' ? 'analysis, memory of node' : `analysis / decoding, ${name}`,
      value: median(rounds.map((one) => one[name])),
      unit: name === 'memory' ? 'MB' : '',
      limit: LIMITS[name],
    }));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

type Analyze = (...options: string[]) => { took: number; memory: number };

function round(file: string, analyze: Analyze): Round {
  const decoding = seconds('ffmpeg', ['-v', 'error', '-i', file, '-f', 'null', '-']);
  const [all, deaf] = [analyze(), analyze('--without-listener')];
  const memory = Math.max(all.memory, deaf.memory);
  console.log(
    `decoding ${decoding.toFixed(2)} s, analysis ${all.took.toFixed(2)} s, without the listener ${deaf.took.toFixed(2)} s, ` +
      `memory ${memory.toFixed(0)} MB`,
  );
  return { all: all.took / decoding, 'without the listener': deaf.took / decoding, memory };
}

/** What `npm run analyze` runs, and how much memory it has had: seconds and MB. */
function analyzing(folder: string, scratch: string): Analyze {
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
  const probed = ['-r', probe, ...scripts.analyze.split(' ').slice(1), folder];
  return (...options) => {
    const took = seconds(process.execPath, [...probed, ...options]);
    return { took, memory: (Number(readFileSync(memory, 'utf8')) * 1024) / 1e6 };
  };
}

function seconds(program: string, args: readonly string[]): number {
  const from = performance.now();
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status === 0) return (performance.now() - from) / 1000;
  throw new Error(`${program} ${args.join(' ')}: exit code ${status}\n${stderr}`);
}
