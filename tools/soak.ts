/**
 * `npm run soak -- --runs N [--runtime host|docker] [cucumber arguments]`: repeats the suite and reports how often it passes, how
 * long it takes, and what it leaves or takes more of from run to run. `npm run soak -- --recorded FOLDER …` takes runs that
 * lie in results folders instead. Both judge what only repeated runs can show of the requirements (support/history/repeated-runs.ts).
 * `reports/soak.json`, written after each run, is what `npm run report -- --soak` takes; a table goes to standard output, and
 * the results of runs that failed stay in `reports/soak/`. Exit code 1 when a run failed, something leaked, or such a
 * requirement failed.
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
import { endIfHelp, usageError } from '../support/base/command-line';
import { messageOf, SuiteError } from '../support/base/errors';
import { hidingSecrets } from '../support/base/safe-text';
import { recordOf } from '../support/history/record-of-run';
import { judgeRepeated, passRates, passRatesInWords } from '../support/history/repeated-runs';
import { type RepeatedRun, verdictLine } from '../support/history/repeated-runs';
import { endsIn, HISTORY_VERSION, isPassed } from '../support/history/run-record';
import { historyFileOf } from '../support/history/store';
import { system } from '../support/platform/processes';
import { readRequirements } from '../support/report/requirements';
import { faultsOf, factsAlone, readPart } from '../support/report/run-report';
import { outcomeOf, readScenarioResults } from '../support/report/scenario-results';
import type { SoakVerdict } from '../support/report/soak-record';
import { environmentOf, refuseWhileOthersRun, remainsOf, type Trial } from './remains';
import { grown, spread, type Usage } from './soak-figures';
import { UsageSampler } from './usage-sampler';

const USAGE = [
  'usage: npm run soak -- --runs N [--runtime host|docker] [cucumber arguments]',
  '       npm run soak -- --recorded FOLDER …',
].join('\n');
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
  /** Processor time of the run and of all that it has started, but for containers; undefined where the system does not tell. */
  processorSeconds: number | undefined;
  /** By program: the runner, and each service. */
  usage: Record<string, Usage>;
  /** What was there after the end. */
  left: string[];
}

interface Arguments {
  runs: number;
  runtime: string;
  rest: string[];
  /** Results folders; empty where the suite is run. */
  folders: string[];
}

function readArguments(args: readonly string[]): Arguments {
  endIfHelp(USAGE, args);
  const rest = [...args];
  if (rest[0] === '--recorded' && rest.length > 1 && !rest.slice(1).some((one) => /^-/.test(one))) {
    return { runs: 0, runtime: '', rest: [], folders: rest.slice(1) };
  }
  const take = (name: string): string | undefined => {
    const at = rest.indexOf(name);
    return at < 0 ? undefined : rest.splice(at, 2)[1];
  };
  const runs = Number(take('--runs'));
  const runtime = take('--runtime') ?? 'host';
  if (!Number.isInteger(runs) || runs < 1 || !['host', 'docker'].includes(runtime)) {
    usageError(USAGE, '--runs takes a number from 1 on, --runtime host or docker');
  }
  return { runs, runtime, rest, folders: [] };
}

const { runs, runtime, rest, folders } = readArguments(process.argv.slice(2));
const config = readConfig();
const reports = join(config.reportsFolder, 'soak');
// Each run empties its folder.
const history = historyFileOf(config, config.reportsFolder);
const specs = readRequirements();
const temporary = mkdtempSync(join(tmpdir(), 'soak-'));
process.on('exit', () => rmSync(temporary, { recursive: true, force: true }));
let isStopping = false;

async function runOnce(run: number): Promise<{ result: Run; recorded: RepeatedRun }> {
  const folder = join(reports, 'run');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const name = `soak-${process.pid}-${run}`;
  const trial: Trial = {
    ...{ config, name, temporary: join(temporary, String(run)) },
    withDocker: runtime === 'docker',
  };
  mkdirSync(trial.temporary);
  const [from, takenBefore] = [performance.now(), system.secondsOfChildren()];
  const child = spawn(process.execPath, ['scripts/cucumber.mjs', ...rest], {
    cwd: projectRoot,
    env: {
      ...config.variables,
      ...environmentOf(trial),
      ...{ RUNTIME: runtime, REPORTS_DIR: folder, HISTORY_FILE: history },
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
  const taken = system.secondsOfChildren();
  const processorSeconds =
    taken === undefined || takenBefore === undefined ? undefined : taken - takenBefore;
  const left = await remainsOf(trial);
  const result: Run = {
    ...{ run, exitCode, seconds, processorSeconds, ...resultsIn(folder) },
    ...{ reportBytes: sizeOf(folder), usage: sampler.usage(), left },
  };
  const recorded = recordedIn(folder, { name: `run ${run}`, seconds, exitCode });
  if (exitCode !== 0) {
    rmSync(join(reports, `failed-${run}`), { recursive: true, force: true });
    renameSync(folder, join(reports, `failed-${run}`));
  }
  return { result, recorded };
}

function resultsIn(folder: string): Pick<Run, 'passed' | 'failed' | 'skipped' | 'faults'> {
  try {
    const results = readScenarioResults(join(folder, 'messages.ndjson'));
    const count = (outcome: string): number =>
      results.filter((result) => outcomeOf(result) === outcome).length;
    const [passed, skipped, failed] = [count('passed'), count('skipped'), count('failed')];
    const faults = results
      .filter((result) => !['passed', 'not shown'].includes(outcomeOf(result)))
      .map(({ name, status, message, skipReason }) => ({
        name,
        message: message || skipReason || status,
      }));
    if (results.length === 0) faults.push({ name: 'the run', message: faultsOf(results).join() });
    return { passed, skipped, failed, faults };
  } catch (error) {
    const faults = [{ name: 'the run', message: messageOf(error) }];
    return { passed: 0, skipped: 0, failed: 0, faults };
  }
}

/** @param seconds of the whole command; by default those that its messages tell */
function repeatedRun(name: string, folder: string, seconds?: number): RepeatedRun {
  const part = readPart(folder);
  const run = recordOf([part], factsAlone(part), specs);
  return { ...run, name, ...(run.seconds !== undefined && seconds !== undefined && { seconds }) };
}

/** Of a run that could not begin there are no results: it was to be what the others are. */
function recordedIn(
  folder: string,
  { name, seconds, exitCode }: { name: string; seconds: number; exitCode: number },
): RepeatedRun {
  try {
    const run = repeatedRun(name, folder, seconds);
    const isExplained = run.problems.length > 0 || /[FM]/.test(run.ends);
    const problems = exitCode === 0 || isExplained ? [] : [`exit code ${exitCode}`];
    return { ...run, problems: [...run.problems, ...problems] };
  } catch (error) {
    return {
      ...{ name, ends: '', problems: [messageOf(error)], revision: 'unknown', images: {} },
      names: { version: HISTORY_VERSION, scenarios: [], broadcasts: [], figures: [], limited: [] },
      specs: specs.map(({ spec }) => spec),
    };
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
    `${one.processorSeconds?.toFixed(0) ?? '-'} s of a processor`,
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

function tell(recorded: readonly RepeatedRun[], judged: readonly SoakVerdict[]): void {
  console.log(
    `\nhow often each scenario passed\n${passRatesInWords(passRates(recorded)).join('\n')}`,
  );
  console.log(`\nrequirements of repeated runs\n${judged.map(verdictLine).join('\n')}`);
}

function hasFailed(judged: readonly SoakVerdict[]): boolean {
  return judged.some(({ state }) => state === 'failed');
}

async function judgeRecorded(): Promise<void> {
  const recorded = folders.map((folder) => repeatedRun(folder, folder));
  recorded.forEach(({ name, seconds, ends }) => {
    const passed = endsIn(ends).filter(isPassed).length;
    const time = seconds === undefined ? 'no end' : `${seconds.toFixed(0)} s`;
    console.log(`${name}: ${passed} of ${ends.length} scenarios passed, ${time}`);
  });
  const judged = await judgeRepeated(specs, recorded);
  tell(recorded, judged);
  mkdirSync(config.reportsFolder, { recursive: true });
  const file = join(config.reportsFolder, 'soak.json');
  writeFileSync(file, JSON.stringify({ folders, judged }, hidingSecrets, 2));
  console.log(`\n${file}`);
  process.exitCode = hasFailed(judged) ? 1 : 0;
}

async function main(): Promise<void> {
  if (folders.length > 0) return judgeRecorded();
  refuseWhileOthersRun(config);
  mkdirSync(reports, { recursive: true });
  const done: Run[] = [];
  const recorded: RepeatedRun[] = [];
  let judged: SoakVerdict[] = [];
  const write = (): string[] => {
    const leaks = [
      ...done.flatMap(({ run, left }) => left.map((what) => `run ${run} left ${what}`)),
      ...grown(done),
    ];
    const passed = done.filter(({ exitCode }) => exitCode === 0).length;
    const summary = { asked: runs, done: done.length, passed, leaks };
    const report = { runtime, arguments: rest, summary, judged, runs: done };
    writeFileSync(
      join(config.reportsFolder, 'soak.json'),
      JSON.stringify(report, hidingSecrets, 2),
    );
    return leaks;
  };
  while (done.length < runs && !isStopping) {
    const { result: run, recorded: own } = await runOnce(done.length + 1);
    done.push(run);
    recorded.push(own);
    judged = await judgeRepeated(specs, recorded);
    write();
    console.log(lineOf(run));
    run.faults.forEach(({ name, message }) => {
      console.log(`    ${name}: ${message.trim().replaceAll('\n', '\n      ')}`);
    });
  }
  const leaks = write();
  const passed = done.filter(({ exitCode }) => exitCode === 0).length;
  const seconds = spread(done.map((run) => Math.round(run.seconds)));
  const taken = spread(
    done.flatMap(({ processorSeconds: one }) => (one === undefined ? [] : Math.round(one))),
  );
  console.log(`\n${usageTable(done)}`);
  console.log(
    `\n${passed} of ${done.length} runs passed (${((100 * passed) / done.length).toFixed(0)} %)` +
      `${done.length < runs ? `, ${runs} were asked for` : ''}; seconds: ${seconds}; ` +
      `of a processor: ${taken}; ` +
      `results, MB: ${spread(done.map((run) => Math.round(run.reportBytes / 1e5) / 10))}`,
  );
  console.log(`leaks: ${leaks.join('; ') || 'none'}`);
  tell(recorded, judged);
  process.exitCode = passed === runs && leaks.length === 0 && !hasFailed(judged) ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(error instanceof SuiteError ? error.message : error);
  process.exitCode = 1;
});
