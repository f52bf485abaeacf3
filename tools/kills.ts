/**
 * `npm run kills -- [--runs 30] [--from K] [--seed N] [--runtime host|docker] [--tags …] [--window SECONDS]`: starts the suite, kills it
 * at a random moment by a random signal at a random place, and checks what is left: at once, after the watchdog, and after
 * the sweep that the next run begins with. Everything random is drawn from the seed, which is printed. At the end the
 * suite must pass undisturbed. With `--from K` the runs before the Kth are drawn but not made, to see one again.
 * Output: `reports/kills.json`, a table on standard output; exit code 1 when something is left,
 * or the watchdog has not removed it before the sweep.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { randomInt } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { execa } from 'execa';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { z } from 'zod';

import { projectRoot, readConfig } from '../support/config';
import { readCommandLine, usageError } from '../support/base/command-line';
import { SuiteError } from '../support/base/errors';
import { isRunning, signalGroup, signalIfThere } from '../support/platform/processes';
import type { ProcessInfo } from '../support/platform/system-view';
import {
  environmentOf,
  processesOf,
  refuseWhileOthersRun,
  remainsOf,
  treeOf,
  type Trial,
} from './remains';

/** Short, and with all that there is to leave: services, a tap, publishers, spare workers. */
const TAGS = '@018-US2-2';
/** From the start of npm to the end of that run; a moment after the end finds nothing to kill. */
const WINDOW_SECONDS = 90;
/** A signal that is ignored by whom it hits lets the run go on to its own end. */
const CLEAN_WITHIN_MS = 180_000;
const POLL_MS = 250;

const PLACES = [
  'runner',
  'cucumber.mjs',
  'npm',
  'group',
  'terminal',
  'pipe',
  'everything',
] as const;
const SIGNALS = ['SIGKILL', 'SIGKILL', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** The run had ended before. */
const NOTHING = 'nothing';
type Place = (typeof PLACES)[number];
/** A terminal that goes away; the other signals are what its keys send, to the group. */
const SIGNALS_AT: Partial<Record<Place, readonly Signal[]>> = {
  terminal: ['SIGKILL', 'SIGHUP', 'SIGTERM'],
};
type Signal = (typeof SIGNALS)[number];

/** What is drawn for one run. */
interface Draw {
  place: Place;
  signal: Signal;
  atSeconds: number;
  /** The same again, so much later; a second Ctrl-C. */
  againAfterMs: number | undefined;
  /** Whether the next run begins while the watchdog may still be at work. */
  nextAtOnce: boolean;
}

interface Outcome extends Draw {
  run: number;
  /** What was hit; nothing when the run had ended. */
  hit: string;
  /** How many of a kind there were, just before the kill and just after. */
  before: string;
  atOnce: string;
  /** From the kill until nothing was there. */
  cleanAfterSeconds: number | undefined;
  /** The sweep of the next run, with the start of its program: how long, and what it removed. */
  sweepSeconds: number;
  swept: string[];
  left: string[];
}

const USAGE = [
  'usage: npm run kills -- [--runs 30] [--from K] [--seed N] [--runtime host|docker] [--tags …]',
  '                        [--window SECONDS]',
].join('\n');
const { values } = readCommandLine(USAGE, {
  runs: { type: 'string', default: '30' },
  from: { type: 'string', default: '1' },
  seed: { type: 'string', default: String(randomInt(0x7fffffff)) },
  runtime: { type: 'string', default: 'host' },
  tags: { type: 'string', default: TAGS },
  window: { type: 'string', default: String(WINDOW_SECONDS) },
});
const optionsSchema = z.object({
  runs: z.coerce.number().int().min(1),
  from: z.coerce.number().int().min(1),
  seed: z.coerce.number().int().min(0).max(0x7fffffff),
  runtime: z.enum(['host', 'docker']),
  tags: z.string().min(1),
  window: z.coerce.number().positive(),
});
const checked = optionsSchema.safeParse(values);
if (!checked.success) usageError(USAGE, z.prettifyError(checked.error));
const options = checked.data;

const config = readConfig();
const random = xoroshiro128plus(options.seed);
const oneOf = <T>(list: readonly T[]): T => list[uniformInt(random, 0, list.length - 1)] as T;

function draw(): Draw {
  const place = oneOf(PLACES);
  return {
    place,
    // All at once can only be done by force; the reader of a pipe just goes away.
    signal: place === 'everything' ? 'SIGKILL' : oneOf(SIGNALS_AT[place] ?? SIGNALS),
    atSeconds: uniformInt(random, 0, options.window * 1000) / 1000,
    againAfterMs: uniformInt(random, 0, 2) === 0 ? uniformInt(random, 0, 3000) : undefined,
    nextAtOnce: uniformInt(random, 0, 1) === 1,
  };
}

const folder = mkdtempSync(join(tmpdir(), 'kills-'));
let running: ChildProcess | undefined;
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // Its watchdog removes what it has started.
    if (running?.pid !== undefined && running.exitCode === null) signalGroup(running.pid, signal);
    process.exit(1);
  });
}
const reportsFolder = join(config.reportsFolder, 'kills');
mkdirSync(reportsFolder, { recursive: true });

function start(trial: Trial, inTerminal: boolean): ChildProcess {
  const suite = ['run', '--silent', 'acceptance', '--', '--tags', options.tags];
  const env = {
    ...config.variables,
    ...environmentOf(trial),
    ...{ RUNTIME: options.runtime, REPORTS_DIR: join(reportsFolder, 'run') },
    // It is no run of the services' history.
    HISTORY_FILE: '',
  };
  // A terminal of its own: with `script`, its other end goes away.
  const quoted = ['npm', ...suite].map((word) => `'${word}'`).join(' ');
  const child = inTerminal
    ? spawn('script', ['--quiet', '--return', '--command', quoted, '/dev/null'], {
        env,
        cwd: projectRoot,
        detached: true,
        stdio: ['ignore', 'pipe', 'ignore'],
      })
    : spawn('npm', suite, {
        env,
        cwd: projectRoot,
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
  const log = createWriteStream(join(reportsFolder, `${trial.name}.log`));
  child.stdout.pipe(log);
  child.stderr?.pipe(log);
  return child;
}

/** The process that a place means, or the one nearest to it that is there. */
function victim(place: Place, tree: readonly ProcessInfo[]): ProcessInfo | undefined {
  const npm = tree.find(({ command }) => command.startsWith('npm '));
  const setup = tree.find(({ command }) => /^\S*node \S*scripts\/setup\.mjs/.test(command));
  const wrapper = tree.find(({ command }) => /^\S*node scripts\/after-setup\.mjs/.test(command));
  const runner = tree.find(({ command }) => command.includes('bin/cucumber.js'));
  if (place === 'runner') return runner ?? setup ?? wrapper ?? npm;
  if (place === 'cucumber.mjs') return setup ?? wrapper ?? npm;
  if (place === 'terminal') return tree[0];
  return npm ?? tree[0];
}

function kill(child: ChildProcess, { place, signal }: Draw, tree: readonly ProcessInfo[]): string {
  const one = victim(place, tree);
  if (!one) return NOTHING;
  switch (place) {
    case 'pipe':
      child.stdout?.destroy();
      child.stderr?.destroy();
      return 'the reader of its output';
    case 'group':
      signalGroup(one.group, signal);
      return `group ${one.group} (${one.command})`;
    case 'everything':
      tree.forEach(({ pid }) => signalIfThere(pid, 'SIGKILL'));
      return `${tree.length} processes, the watchdog with them`;
    default:
      signalIfThere(one.pid, signal);
      return `${one.pid} (${one.command})`;
  }
}

/** "3 process, 1 port" */
function counted(remains: readonly string[]): string {
  const kinds = new Map<string, number>();
  remains.forEach((line) => {
    const kind = line.split(' ')[0] ?? '';
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  });
  return [...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ') || 'nothing';
}

async function sweep(): Promise<{ seconds: number; removed: string[]; left: string[] }> {
  const from = performance.now();
  const program = [
    '-r',
    './support/base/typescript.cjs',
    'support/environment/sweep.ts',
    config.stateFolder,
  ];
  const { stdout } = await execa(process.execPath, program, { cwd: projectRoot });
  const said = z.object({ removed: z.array(z.string()), left: z.array(z.string()) });
  return { seconds: (performance.now() - from) / 1000, ...said.parse(JSON.parse(stdout)) };
}

async function killOnce(run: number, drawn: Draw): Promise<Outcome> {
  const trial: Trial = {
    ...{ config, name: `${options.seed}-${run}`, temporary: join(folder, String(run)) },
    withDocker: options.runtime === 'docker',
  };
  mkdirSync(trial.temporary);
  const child = start(trial, drawn.place === 'terminal');
  running = child;
  const exited = new Promise((done) => child.once('exit', done));
  await Promise.race([delay(1000 * drawn.atSeconds), exited]);
  const tree = treeOf(child.pid ?? 0);
  // Those whose parents are gone are of it, too.
  const all = [...new Map([...tree, ...processesOf(trial)].map((one) => [one.pid, one])).values()];
  const before = counted(await remainsOf(trial, all));
  const killedAt = performance.now();
  const hit = kill(child, drawn, drawn.place === 'everything' ? all : tree);
  const again = async (): Promise<void> => {
    if (drawn.againAfterMs === undefined) return;
    await delay(drawn.againAfterMs);
    kill(child, drawn, tree.filter(isRunning));
  };
  const [, first] = await Promise.all([again(), remainsOf(trial, all)]);
  const early = drawn.nextAtOnce ? await sweep() : undefined;
  let remains = first;
  // Without a watchdog it is the sweep that has to do it.
  const withinMs = drawn.place === 'everything' ? 0 : CLEAN_WITHIN_MS;
  while (remains.length > 0 && performance.now() - killedAt < withinMs) {
    await delay(POLL_MS);
    remains = await remainsOf(trial, all);
  }
  const cleanAfterSeconds =
    remains.length === 0 ? (performance.now() - killedAt) / 1000 : undefined;
  const late = await sweep();
  const left = [...(await remainsOf(trial, all)), ...late.left];
  for (const one of all.filter(isRunning)) signalIfThere(one.pid, 'SIGKILL');
  rmSync(trial.temporary, { recursive: true, force: true });
  return {
    ...{ run, ...drawn, hit, before, atOnce: counted(first), cleanAfterSeconds },
    sweepSeconds: (early ?? late).seconds,
    swept: [...(early?.removed ?? []), ...late.removed],
    left,
  };
}

function table(outcomes: readonly Outcome[]): string {
  const head =
    'run   at/s place        signal   again  before the kill -> just after -> clean after/s, sweep/s, left';
  const rows = outcomes.map((one) => {
    const cells = [
      String(one.run).padStart(3),
      one.atSeconds.toFixed(1).padStart(6),
      (one.hit === NOTHING ? NOTHING : one.place).padEnd(12),
      (one.place === 'pipe' ? 'closed' : one.signal).padEnd(8),
      (one.againAfterMs === undefined ? '-' : `${(one.againAfterMs / 1000).toFixed(1)} s`).padEnd(
        6,
      ),
      `${one.before} -> ${one.atOnce} -> ${one.cleanAfterSeconds?.toFixed(1) ?? 'not before the sweep'},`,
      `${one.sweepSeconds.toFixed(1)}${one.nextAtOnce ? ' (at once)' : ''},`,
      one.left.join('; ') || 'nothing',
    ];
    return cells.join(' ');
  });
  return [head, ...rows].join('\n');
}

interface Report extends z.infer<typeof optionsSchema> {
  outcomes: Outcome[];
  /** A run at the end that is not killed; undefined until then. */
  undisturbed: { exitCode: number; seconds: number; left: string[] } | undefined;
}

async function main(): Promise<void> {
  refuseWhileOthersRun(config);
  console.log(
    `kills: ${options.runs} runs, seed ${options.seed}, runtime ${options.runtime}, ${options.tags}, within ${options.window} s`,
  );
  const before = await sweep();
  if (before.removed.length > 0) console.log(`removed first: ${before.removed.join(', ')}`);
  const outcomes: Outcome[] = [];
  const report: Report = { ...options, outcomes, undisturbed: undefined };
  const write = (): void => {
    writeFileSync(join(config.reportsFolder, 'kills.json'), JSON.stringify(report, null, 2));
  };
  // A moment after the end of the run hits nothing, and is drawn again.
  for (let run = 1, kills = 0; kills < options.runs; run += 1) {
    const drawn = draw();
    if (run < options.from) continue;
    const outcome = await killOnce(run, drawn);
    if (outcome.hit !== NOTHING) kills += 1;
    outcomes.push(outcome);
    // Run by run: what breaks off still tells.
    write();
    console.log(table([outcome]).split('\n')[1]);
  }
  const trial: Trial = {
    ...{ config, name: `${options.seed}-undisturbed`, temporary: join(folder, 'undisturbed') },
    withDocker: options.runtime === 'docker',
  };
  mkdirSync(trial.temporary);
  const from = performance.now();
  const child = start(trial, false);
  running = child;
  const exitCode = await new Promise<number>((done) =>
    child.once('exit', (code) => done(code ?? -1)),
  );
  const seconds = (performance.now() - from) / 1000;
  const undisturbed = { exitCode, seconds, left: await remainsOf(trial) };
  report.undisturbed = undisturbed;
  write();
  const left = outcomes.filter((one) => one.left.length > 0);
  // Only what was killed together with its watchdog is left to the sweep.
  const late = outcomes.filter(
    ({ place, cleanAfterSeconds }) => place !== 'everything' && cleanAfterSeconds === undefined,
  );
  const sweeps = outcomes.map(({ sweepSeconds }) => sweepSeconds).sort((a, b) => a - b);
  console.log(`\n${table(outcomes)}`);
  console.log(
    `\n${outcomes.filter(({ hit }) => hit !== NOTHING).length} kills; left after the sweep: ${left.length} of ${outcomes.length} runs;` +
      ` not removed by the watchdog: ${late.map(({ run }) => `run ${run}`).join(', ') || 'none'}; sweep ${sweeps.at(0)?.toFixed(1) ?? '-'} to ${sweeps.at(-1)?.toFixed(1) ?? '-'} s;` +
      ` undisturbed run: exit code ${exitCode}, ${seconds.toFixed(0)} s, left: ${undisturbed.left.join('; ') || 'nothing'}`,
  );
  const isRight = left.length + late.length + undisturbed.left.length === 0 && exitCode === 0;
  process.exitCode = isRight ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof SuiteError ? error.message : error);
  process.exitCode = 1;
});
