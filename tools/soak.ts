/**
 * `npm run soak -- --runs N [--runtime host|docker] [cucumber arguments]`: repeats the suite and reports how often it passes, how
 * long it takes, and what it leaves or takes more of from run to run. `reports/soak.json`, written after each run, and a
 * table on standard output; the results of runs that failed stay in `reports/soak/`. Exit code 1 when a run failed or
 * something leaked.
 */
import { spawn } from 'node:child_process';
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { projectRoot, readConfig } from '../support/config';
import { messageOf, SuiteError } from '../support/base/errors';
import { faultsOf, readScenarioResults } from '../support/report/scenario-results';
import { environmentOf, refuseWhileOthersRun, remainsOf, type Trial } from './remains';
import { grown, spread, type Usage } from './soak-figures';
import { UsageSampler } from './usage-sampler';

const USAGE = 'usage: npm run soak -- --runs N [--runtime host|docker] [cucumber arguments]';
const SAMPLE_EVERY_MS = 1000;

interface Run {
  run: number;
  exitCode: number;
  seconds: number;
  passed: number;
  failed: number;
  skipped: number;
  /** What failed, was skipped, or did not run, with its messages. */
  faults: { name: string; message: string }[];
  /** Everything under the results folder at the end. */
  reportBytes: number;
  /** By program: the runner, and each service. */
  usage: Record<string, Usage>;
  /** What was there after the end. */
  left: string[];
}

function readArguments(args: readonly string[]): { runs: number; runtime: string; rest: string[] } {
  const rest = [...args];
  const take = (name: string): string | undefined => {
    const at = rest.indexOf(name);
    return at < 0 ? undefined : rest.splice(at, 2)[1];
  };
  const runs = Number(take('--runs'));
  const runtime = take('--runtime') ?? 'host';
  if (!Number.isInteger(runs) || runs < 1 || !['host', 'docker'].includes(runtime)) {
    console.error(USAGE);
    process.exit(2);
  }
  return { runs, runtime, rest };
}

const { runs, runtime, rest } = readArguments(process.argv.slice(2));
const config = readConfig();
const reports = join(config.reportsFolder, 'soak');
const temporary = mkdtempSync(join(tmpdir(), 'soak-'));
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }));
let isStopping = false;

async function runOnce(run: number): Promise<Run> {
  const folder = join(reports, 'run');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const name = `soak-${process.pid}-${run}`;
  const trial: Trial = {
    ...{ config, name, temporary: join(temporary, String(run)) },
    withDocker: runtime === 'docker',
  };
  mkdirSync(trial.temporary);
  const from = performance.now();
  const child = spawn(process.execPath, ['scripts/cucumber.mjs', ...rest], {
    cwd: projectRoot,
    env: {
      ...config.variables,
      ...environmentOf(trial),
      ...{ RUNTIME: runtime, REPORTS_DIR: folder },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = createWriteStream(join(folder, 'output.log'));
  child.stdout.pipe(output);
  child.stderr.pipe(output);
  const forward = (signal: NodeJS.Signals): void => {
    isStopping = true;
    child.kill(signal);
  };
  process.on('SIGINT', forward).on('SIGTERM', forward).on('SIGHUP', forward);
  const sampler = new UsageSampler(config.stateFolder);
  const timer = setInterval(() => void sampler.sample(), SAMPLE_EVERY_MS);
  const exitCode = await new Promise<number>((done) => {
    child.once('close', (code, signal) => done(code ?? (signal === null ? -1 : 128)));
  });
  clearInterval(timer);
  process.off('SIGINT', forward).off('SIGTERM', forward).off('SIGHUP', forward);
  const seconds = (performance.now() - from) / 1000;
  const left = await remainsOf(trial);
  const result: Run = {
    ...{ run, exitCode, seconds, ...resultsIn(folder) },
    ...{ reportBytes: sizeOf(folder), usage: sampler.usage(), left },
  };
  if (exitCode !== 0) {
    rmSync(join(reports, `failed-${run}`), { recursive: true, force: true });
    renameSync(folder, join(reports, `failed-${run}`));
  }
  return result;
}

function resultsIn(folder: string): Pick<Run, 'passed' | 'failed' | 'skipped' | 'faults'> {
  try {
    const results = readScenarioResults(join(folder, 'messages.ndjson'));
    const count = (status: string): number =>
      results.filter((result) => result.status === status).length;
    const [passed, skipped] = [count('PASSED'), count('SKIPPED')];
    const faults = results
      .filter(({ status }) => status !== 'PASSED')
      .map(({ name, status, message, skipReason }) => ({
        name,
        message: message || skipReason || status,
      }));
    if (results.length === 0) faults.push({ name: 'the run', message: faultsOf(results).join() });
    return { passed, skipped, failed: results.length - passed - skipped, faults };
  } catch (error) {
    const faults = [{ name: 'the run', message: messageOf(error) }];
    return { passed: 0, skipped: 0, failed: 0, faults };
  }
}

function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false }))
    .reduce((sum, entry) => sum + (entry?.isFile() ? entry.size : 0), 0);
}

function lineOf({ run, exitCode, seconds, passed, failed, skipped, ...one }: Run): string {
  const { runner } = one.usage;
  return [
    `run ${run}: ${exitCode === 0 ? 'passed' : `exit code ${exitCode}`} in ${seconds.toFixed(0)} s`,
    `${passed} passed, ${failed} failed, ${skipped} skipped`,
    `runner ${runner?.peakMegabytes ?? '-'} MB, ${runner?.descriptors.last ?? '-'} descriptors at the end`,
    `results ${(one.reportBytes / 1e6).toFixed(1)} MB`,
    `left: ${one.left.join('; ') || 'nothing'}`,
  ].join(' · ');
}

function usageTable(done: readonly Run[]): string {
  const programs = [...new Set(done.flatMap(({ usage }) => Object.keys(usage)))];
  const rows = programs.map((program) => {
    const usages = done.flatMap(({ usage }) => usage[program] ?? []);
    const megabytes = spread(usages.map(({ peakMegabytes }) => peakMegabytes));
    const descriptors = (which: 'first' | 'peak' | 'last'): string =>
      spread(usages.map((usage) => usage.descriptors[which]));
    return `${program.padEnd(28)} ${megabytes.padEnd(20)} ${descriptors('first').padEnd(16)} ${descriptors('peak').padEnd(16)} ${descriptors('last')}`;
  });
  return [
    'min / median / max over the runs',
    `${'program'.padEnd(28)} ${'peak memory, MB'.padEnd(20)} ${'descriptors: first'.padEnd(16)} peak             at the end`,
    ...rows,
  ].join('\n');
}

async function main(): Promise<void> {
  refuseWhileOthersRun(config);
  mkdirSync(reports, { recursive: true });
  const done: Run[] = [];
  const write = (): string[] => {
    const leaks = [
      ...done.flatMap(({ run, left }) => left.map((what) => `run ${run} left ${what}`)),
      ...grown(done),
    ];
    const passed = done.filter(({ exitCode }) => exitCode === 0).length;
    const summary = { asked: runs, done: done.length, passed, leaks };
    const report = { runtime, arguments: rest, summary, runs: done };
    writeFileSync(join(config.reportsFolder, 'soak.json'), JSON.stringify(report, null, 2));
    return leaks;
  };
  while (done.length < runs && !isStopping) {
    const run = await runOnce(done.length + 1);
    done.push(run);
    write();
    console.log(lineOf(run));
    run.faults.forEach(({ name, message }) => {
      console.log(`    ${name}: ${message.trim().replaceAll('\n', '\n      ')}`);
    });
  }
  const leaks = write();
  const passed = done.filter(({ exitCode }) => exitCode === 0).length;
  const seconds = spread(done.map((run) => Math.round(run.seconds)));
  console.log(`\n${usageTable(done)}`);
  console.log(
    `\n${passed} of ${done.length} runs passed (${((100 * passed) / done.length).toFixed(0)} %)` +
      `${done.length < runs ? `, ${runs} were asked for` : ''}; seconds: ${seconds}; ` +
      `results, MB: ${spread(done.map((run) => Math.round(run.reportBytes / 1e5) / 10))}`,
  );
  console.log(`leaks: ${leaks.join('; ') || 'none'}`);
  process.exitCode = passed === runs && leaks.length === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof SuiteError ? error.message : error);
  process.exitCode = 1;
});
