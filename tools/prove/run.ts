/**
 * `npm run prove [-- --baseline FOLDER] [--only TEXT] [--recorded] [--fewest] [--jobs N]`: mutation tests of the suite. Every
 * scenario must turn red for its own reason. Faults are injected one at a time, in copies of recorded evidence or outside,
 * and the scenarios that turn red are compared with those that should. Exit code 1 when they differ, or when no fault turns
 * a scenario red.
 *
 * FOLDER is the reports folder of a green run; without it, the suite is run first. TEXT is a part of a fault's name, or the
 * beginning of a scenario that it turns red; several are allowed. `--recorded` leaves out the faults for which services are started;
 * `--fewest` takes only so many of them that each scenario is turned red by one. N faults are tried at the same time where
 * services are not needed (2 unless given).
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { execa } from 'execa';

import { projectRoot, readConfig } from '../../support/config';
import { readCommandLine, usageError } from '../../support/base/command-line';
import { messageOf, SuiteError } from '../../support/base/errors';
import { readVerdicts } from '../../support/checks/verdict-log';
import {
  outcomeOf,
  readScenarioResults,
  type ScenarioResult,
} from '../../support/report/scenario-results';
import { alterable } from './altered-evidence';
import { checkNames, chosenFaults, inBaseline, NoFaultMeant, shownIn, type Wanted } from './choice';
import {
  type EvidenceFault,
  type Fault,
  isOfEvidence,
  isQuiet,
  type OutsideFault,
  scenarioOf,
  titleOf,
} from './fault';
import { isWrong, judgeFault, type Trial, unproved, withVerdicts, wrongBefore } from './judge';
import { FAULTS } from './faults/all';
import { type ScenarioOfFeature, scenariosOfFeatures } from './features';
import { page } from './page';

const USAGE =
  'usage: npm run prove [-- --baseline FOLDER] [--only TEXT] [--recorded] [--fewest] [--jobs N]';
const CUCUMBER = join(projectRoot, 'node_modules/@cucumber/cucumber/bin/cucumber.js');
/** Longer than any run takes: all recorded broadcasts, judged again without faults, some 8 minutes. */
const RUN_MS = 1_200_000;

interface Baseline {
  folder: string;
  evidence: string;
  scenarios: ScenarioResult[];
}

const ownCache = (folder: string): string => join(folder, 'cache');

/** Runs some scenarios to their end, red or green. */
async function runScenarios(
  selection: readonly string[],
  environment: Record<string, string>,
  reports: string,
): Promise<ScenarioResult[]> {
  // What is not altered is not analyzed again for each fault; with the cache of the baseline's own run, not at all.
  const cache = readConfig().analysisCache ?? ownCache(dirname(dirname(reports)));
  mkdirSync(reports, { recursive: true });
  const { exitCode, timedOut, shortMessage, all } = await execa(
    process.execPath,
    [CUCUMBER, '--profile', 'messages', ...selection],
    {
      cwd: projectRoot,
      env: { ANALYSIS_CACHE: cache, ...environment, REPORTS_DIR: reports },
      reject: false,
      all: true,
      stdin: 'ignore',
      timeout: RUN_MS,
    },
  );
  // 0: all passed; 1: scenarios failed. Anything else is no run to its end.
  if (exitCode === 0 || exitCode === 1) {
    return withVerdicts(
      readScenarioResults(join(reports, 'messages.ndjson')),
      readVerdicts(reports),
    );
  }
  throw new SuiteError({
    what: 'the run did not complete',
    where: reports,
    seen: `${timedOut ? `no end within ${RUN_MS / 1000} s` : shortMessage}\n${all.split('\n').slice(-10).join('\n')}`,
    expected: 'scenarios that pass or fail',
  });
}

/** Runs scenarios of the baseline, and those alone. */
async function runAgain(
  wanted: readonly ScenarioResult[],
  evidence: string,
  reports: string,
): Promise<ScenarioResult[]> {
  const results = await runScenarios(placesOf(wanted), { EVIDENCE: evidence }, reports);
  const [asked, ran] = [wanted, results].map((list) => list.map(titleOf).sort());
  if (asked?.join() === ran?.join()) return results;
  throw new SuiteError({
    what: 'other scenarios were run than the baseline has',
    where: 'features/',
    seen: ran?.join('; ') || 'none',
    expected: asked?.join('; ') ?? '',
    next: 'make a new baseline: the features have changed since, or the run was interrupted',
  });
}

/** As cucumber-js takes them: file:line:line. */
function placesOf(scenarios: readonly ScenarioResult[]): string[] {
  const lines = new Map<string, string>();
  for (const { place } of scenarios) {
    const [file = '', line = ''] = place.split(':');
    lines.set(file, `${lines.get(file) ?? file}:${line}`);
  }
  return [...lines.values()];
}

/**
 * A green run, which is made where none is given.
 *
 * @param features where scenarios are now: steps may have been added since
 */
async function baselineIn(
  given: string | undefined,
  own: string,
  features: readonly ScenarioOfFeature[],
): Promise<Baseline> {
  const folder = given ?? own;
  if (!given) {
    rmSync(own, { recursive: true, force: true });
    await execa(process.execPath, [join(projectRoot, 'scripts/cucumber.mjs')], {
      cwd: projectRoot,
      env: { REPORTS_DIR: own, EVIDENCE: '', HISTORY_FILE: '' },
      reject: false,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  }
  const scenarios = readScenarioResults(join(folder, 'messages.ndjson'));
  const notGreen = scenarios.filter((one) => !['passed', 'not shown'].includes(outcomeOf(one)));
  if (notGreen.length > 0) throw notGreenBefore(folder, notGreen);
  const places = new Map(features.map((one) => [titleOf(one), one.place]));
  return {
    ...{ folder, evidence: join(folder, 'evidence') },
    scenarios: scenarios.map((one) => ({ ...one, place: places.get(titleOf(one)) ?? one.place })),
  };
}

function notGreenBefore(where: string, scenarios: readonly ScenarioResult[]): SuiteError {
  return new SuiteError({
    what: 'scenarios are not green without any fault: nothing can be proved',
    where,
    seen: scenarios.map(({ name, status, message }) => `${name}: ${status} ${message}`).join('\n'),
    expected: 'a green run of all scenarios',
  });
}

/** The scenarios that are judged by the broadcast of a fault, and its stream. */
function judgedBy(
  { name, broadcast, which = 0 }: EvidenceFault,
  { evidence, scenarios }: Baseline,
): { stream: string; scenarios: ScenarioResult[] } {
  const stream = scenarioOf(scenarios, broadcast, name).judgedBy[which];
  if (stream) {
    return { stream, scenarios: scenarios.filter(({ judgedBy }) => judgedBy.includes(stream)) };
  }
  throw new SuiteError({
    what: 'this scenario is judged by no broadcast',
    where: evidence,
    seen: broadcast,
    expected: 'a scenario that is judged by a broadcast',
  });
}

async function runWithEvidence(
  fault: EvidenceFault,
  baseline: Baseline,
  folder: string,
): Promise<ScenarioResult[]> {
  const { stream, scenarios } = judgedBy(fault, baseline);
  const evidence = join(folder, 'evidence');
  await fault.alter(alterable(baseline.evidence, stream, evidence));
  return runAgain(scenarios, evidence, join(folder, 'reports'));
}

async function runOutside(
  fault: OutsideFault,
  baseline: Baseline,
  folder: string,
): Promise<ScenarioResult[]> {
  const { environment, end } = await fault.make(folder);
  try {
    const EVIDENCE = fault.isReplay ? baseline.evidence : '';
    const all = { EVIDENCE, ...environment };
    return await runScenarios(['--tags', fault.tags], all, join(folder, 'reports'));
  } finally {
    await end?.();
  }
}

async function tryFault(fault: Fault, baseline: Baseline, folder: string): Promise<Trial> {
  const started = performance.now();
  const trial: Trial = { fault: fault.name, effects: [], problem: '', seconds: 0 };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const run = isOfEvidence(fault) ? runWithEvidence : runOutside;
    trial.effects = judgeFault(fault, await run(fault as never, baseline, folder));
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    // The other faults are tried all the same; this one fails the command.
    trial.problem = messageOf(error);
  }
  trial.seconds = (performance.now() - started) / 1000;
  show(trial);
  return trial;
}

function show(trial: Trial): void {
  const { fault, effects, problem, seconds } = trial;
  const count = (kind: string): number => effects.filter((one) => one.kind === kind).length;
  const figures = `${count('proved')} red, ${count('follows')} follow`;
  console.log(
    `${isWrong(trial) ? 'WRONG' : 'ok   '} ${seconds.toFixed(1).padStart(6)} s  ${fault}: ${problem || figures}`,
  );
  for (const { kind, scenario, message } of effects) {
    if (kind === 'proved' || kind === 'follows') continue;
    console.log(`      ${kind}: ${scenario}\n        ${message.replaceAll('\n', '\n        ')}`);
  }
}

/** Injects the faults, some at the same time, in copies of their own; the results are in the order of the faults. */
async function tryAll(
  faults: readonly Fault[],
  jobs: number,
  attempt: (fault: Fault) => Promise<Trial>,
): Promise<Trial[]> {
  const trials: Trial[] = [];
  const queue = [...faults.entries()];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      trials[next[0]] = await attempt(next[1]);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return trials;
}

interface Options extends Wanted {
  baseline: string | undefined;
  jobs: number;
}

function readOptions(): Options {
  const { values } = readCommandLine(USAGE, {
    baseline: { type: 'string' },
    only: { type: 'string', multiple: true },
    recorded: { type: 'boolean', default: false },
    fewest: { type: 'boolean', default: false },
    jobs: { type: 'string', default: '2' },
  });
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) usageError(USAGE, 'N is a number from 1 on');
  const { baseline, only, recorded, fewest } = values;
  return { baseline, only, recorded, fewest, jobs };
}

/**
 * Makes sure that the scenarios that are judged by recorded evidence are green before anything is altered.
 *
 * @throws SuiteError when one is not
 */
async function checkBefore(
  faults: readonly Fault[],
  baseline: Baseline,
  reports: string,
): Promise<void> {
  const concerned = new Set(
    faults.flatMap((one) => (isOfEvidence(one) ? judgedBy(one, baseline).scenarios : [])),
  );
  if (concerned.size === 0) return;
  const results = await runAgain([...concerned], baseline.evidence, reports);
  if (wrongBefore(results).length > 0) {
    throw notGreenBefore(
      baseline.evidence,
      results.filter(({ status }) => status === 'FAILED'),
    );
  }
  console.log(
    `${results.length} scenarios are judged by recorded evidence; without a fault none is red`,
  );
}

/** Writes the results, and says whether all is as it should be. */
function report(
  trials: Trial[],
  scenarios: ScenarioResult[],
  folder: string,
  { seconds, isWhole }: { seconds: number; isWhole: boolean },
): boolean {
  const missing = unproved(scenarios, trials);
  const proof = {
    ...{ seconds, isWhole, trials, unproved: isWhole ? missing : [] },
    scenarios: scenarios.map(({ tags, name, place }) => ({ tags, name, place })),
  };
  writeFileSync(join(folder, 'prove.json'), JSON.stringify(proof, null, 2));
  writeFileSync(join(folder, 'prove.html'), page(proof));
  proof.unproved.forEach((title) => console.log(`NOT PROVED  ${title}`));
  const wrong = trials.filter(isWrong);
  const proved = scenarios.length - missing.length;
  console.log(
    `${proved} of ${scenarios.length} scenarios proved by ${trials.length} faults in ${seconds.toFixed(0)} s` +
      (wrong.length > 0 ? `; ${wrong.length} faults did something else than expected` : ''),
  );
  return wrong.length === 0 && proof.unproved.length === 0;
}

async function main(): Promise<void> {
  const started = performance.now();
  const options = readOptions();
  const chosen = chosenFaults(FAULTS, options);
  // Names that mean no scenario are found before anything takes time.
  const features = await scenariosOfFeatures();
  checkNames(chosen, features);
  const { reportsFolder } = readConfig();
  const folder = join(reportsFolder, 'prove');
  const baseline = await baselineIn(options.baseline, join(folder, 'baseline'), features);
  const { faults: there, leftOut } = inBaseline(chosen, options.only, baseline);
  for (const { name } of leftOut)
    console.log(`left out: the baseline lacks scenarios of "${name}"`);
  const { faults, unable } = shownIn(there, baseline.scenarios);
  for (const { name } of unable)
    console.log(`left out: the runtime of the baseline cannot show the scenarios of "${name}"`);
  // Of an older baseline, whose scenarios have other names.
  checkNames(faults, baseline.scenarios);
  // Of an earlier one that was ended.
  rmSync(ownCache(folder), { recursive: true, force: true });
  await checkBefore(faults, baseline, join(folder, 'before', 'reports'));

  const attempt = (fault: Fault): Promise<Trial> =>
    tryFault(fault, baseline, join(folder, String(faults.indexOf(fault))));
  const loud = faults.filter((fault) => !isQuiet(fault));
  const trials = [
    ...(await tryAll(faults.filter(isQuiet), options.jobs, attempt)),
    // Services need the machine, and their ports, for themselves.
    ...(await tryAll(loud, 1, attempt)),
  ];
  // What was cached of altered recordings is of no further use.
  rmSync(ownCache(folder), { recursive: true, force: true });
  const seconds = (performance.now() - started) / 1000;
  const shown = baseline.scenarios.filter((one) => outcomeOf(one) === 'passed');
  const isWhole = trials.length + unable.length === FAULTS.length;
  const isRight = report(trials, shown, reportsFolder, { seconds, isWhole });
  process.exitCode = isRight ? 0 : 1;
}

main().catch((error: unknown) => {
  if (error instanceof NoFaultMeant) usageError(USAGE, error.message);
  console.error(messageOf(error));
  process.exitCode = 1;
});
