/**
 * `npm run prove [-- --baseline FOLDER] [--only TEXT] [--recorded] [--jobs N]`: proves that every scenario can turn red, for its own
 * reason. Faults are made one at a time, in copies of recorded evidence or outside, and the scenarios that turn red are
 * compared with those that should. Exit code 1 when they differ, or when no fault turns a scenario red.
 *
 * FOLDER is the reports folder of a green run; without it, the suite is run first. TEXT is a part of a fault's name, or of
 * a scenario that it turns red; several are allowed. `--recorded` leaves out the faults for which services are started. N faults are tried at the same time where services are not needed.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { execa } from 'execa';

import { projectRoot, readConfig } from '../../support/config';
import { messageOf, SuiteError } from '../../support/base/errors';
import { readScenarioResults, type ScenarioResult } from '../../support/report/scenario-results';
import { alterable } from './altered-evidence';
import { type EvidenceFault, type Fault, type OutsideFault, scenarioOf, titleOf } from './fault';
import { isWrong, judgeFault, unproved, type Verdict, wrongBefore } from './judge';
import { FAULTS } from './faults/all';
import { page } from './page';

const USAGE = 'usage: npm run prove [-- --baseline FOLDER] [--only TEXT] [--recorded] [--jobs N]';
const CUCUMBER = join(projectRoot, 'node_modules/@cucumber/cucumber/bin/cucumber.js');
/** Longer than any run with a fault takes. */
const RUN_MS = 600_000;

interface Baseline {
  evidence: string;
  scenarios: ScenarioResult[];
}

/** Runs some scenarios to their end, red or green. */
async function runScenarios(
  selection: readonly string[],
  environment: Record<string, string>,
  reports: string,
): Promise<ScenarioResult[]> {
  // What is not altered is not looked at again for each fault.
  const cache = join(dirname(dirname(reports)), 'cache');
  mkdirSync(reports, { recursive: true });
  const { exitCode, timedOut, shortMessage, all } = await execa(
    process.execPath,
    [CUCUMBER, '--profile', 'prove', ...selection],
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
    return readScenarioResults(join(reports, 'messages.ndjson'));
  }
  throw new SuiteError({
    what: 'the run did not come to its end',
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
    next: 'make a new baseline: the features have changed since, or the run was cut short',
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

/** A green run, which is made where none is given. */
async function baselineIn(given: string | undefined, own: string): Promise<Baseline> {
  const folder = given ?? own;
  if (!given) {
    rmSync(own, { recursive: true, force: true });
    await execa(process.execPath, [join(projectRoot, 'scripts/cucumber.mjs')], {
      cwd: projectRoot,
      env: { REPORTS_DIR: own, EVIDENCE: '' },
      reject: false,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  }
  const scenarios = readScenarioResults(join(folder, 'messages.ndjson'));
  const notGreen = scenarios.filter(({ status }) => status !== 'PASSED');
  if (notGreen.length > 0) throw notGreenBefore(folder, notGreen);
  return { evidence: join(folder, 'evidence'), scenarios };
}

function notGreenBefore(where: string, scenarios: readonly ScenarioResult[]): SuiteError {
  return new SuiteError({
    what: 'without any fault scenarios are not green: nothing can be proved',
    where,
    seen: scenarios.map(({ name, status, message }) => `${name}: ${status} ${message}`).join('\n'),
    expected: 'a green run of all scenarios',
  });
}

const isOfEvidence = (fault: Fault): fault is EvidenceFault => 'broadcast' in fault;

/** The scenarios that look at the broadcast of a fault, and its stream. */
function lookingAt(
  { broadcast, which = 0 }: EvidenceFault,
  { evidence, scenarios }: Baseline,
): { stream: string; scenarios: ScenarioResult[] } {
  const stream = scenarioOf(scenarios, broadcast).judgedBy[which];
  if (stream) {
    return { stream, scenarios: scenarios.filter(({ judgedBy }) => judgedBy.includes(stream)) };
  }
  throw new SuiteError({
    what: 'this scenario looks at no broadcast',
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
  const { stream, scenarios } = lookingAt(fault, baseline);
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

async function tryFault(fault: Fault, baseline: Baseline, folder: string): Promise<Verdict> {
  const started = performance.now();
  const verdict: Verdict = { fault: fault.name, effects: [], problem: '', seconds: 0 };
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const run = isOfEvidence(fault) ? runWithEvidence : runOutside;
    verdict.effects = judgeFault(fault, await run(fault as never, baseline, folder));
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    // The other faults are tried all the same; this one fails the command.
    verdict.problem = messageOf(error);
  }
  verdict.seconds = (performance.now() - started) / 1000;
  show(verdict);
  return verdict;
}

function show(verdict: Verdict): void {
  const { fault, effects, problem, seconds } = verdict;
  const count = (kind: string): number => effects.filter((one) => one.kind === kind).length;
  const figures = `${count('proved')} red, ${count('follows')} follow`;
  console.log(
    `${isWrong(verdict) ? 'WRONG' : 'ok   '} ${seconds.toFixed(1).padStart(6)} s  ${fault}: ${problem || figures}`,
  );
  for (const { kind, scenario, message } of effects) {
    if (kind === 'proved' || kind === 'follows') continue;
    console.log(`      ${kind}: ${scenario}\n        ${message.replaceAll('\n', '\n        ')}`);
  }
}

/** Tries the faults, some at the same time; the verdicts are in the order of the faults. */
async function tryAll(
  faults: readonly Fault[],
  jobs: number,
  attempt: (fault: Fault) => Promise<Verdict>,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const queue = [...faults.entries()];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      verdicts[next[0]] = await attempt(next[1]);
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return verdicts;
}

async function main(): Promise<void> {
  const started = performance.now();
  const { values } = parseArgs({
    options: {
      baseline: { type: 'string' },
      only: { type: 'string', multiple: true },
      recorded: { type: 'boolean', default: false },
      jobs: { type: 'string', default: '2' },
    },
  });
  const jobs = Number(values.jobs);
  if (!Number.isInteger(jobs) || jobs < 1) throw new TypeError('N is a number from 1 on');
  const { reportsFolder } = readConfig();
  const folder = join(reportsFolder, 'prove');
  const baseline = await baselineIn(values.baseline, join(folder, 'baseline'));
  const { scenarios, evidence } = baseline;

  const isQuiet = (fault: Fault): boolean => isOfEvidence(fault) || fault.isReplay === true;
  const isNamed = ({ name, red }: Fault): boolean =>
    !values.only ||
    values.only.some((text) => [name, ...Object.keys(red)].some((one) => one.includes(text)));
  const isWanted = (fault: Fault): boolean =>
    isNamed(fault) && (isQuiet(fault) || !values.recorded);
  const faults = FAULTS.filter(isWanted);
  if (faults.length === 0) throw new TypeError(`there is no fault like ${values.only?.join(', ')}`);
  // Names that mean no scenario are found before anything takes time.
  for (const { red, follows = [] } of faults) {
    [...Object.keys(red), ...follows].forEach((name) => scenarioOf(scenarios, name));
  }

  // The scenarios that are judged by recorded evidence must be green before anything is altered.
  const concerned = new Set(
    faults.flatMap((one) => (isOfEvidence(one) ? lookingAt(one, baseline).scenarios : [])),
  );
  if (concerned.size > 0) {
    const before = join(folder, 'before', 'reports');
    const results = await runAgain([...concerned], evidence, before);
    if (wrongBefore(results).length > 0) {
      throw notGreenBefore(
        evidence,
        results.filter(({ status }) => status === 'FAILED'),
      );
    }
    console.log(
      `${results.length} scenarios are judged by recorded evidence; without a fault none is red`,
    );
  }

  const attempt = (fault: Fault): Promise<Verdict> =>
    tryFault(fault, baseline, join(folder, String(faults.indexOf(fault))));
  const verdicts = [
    ...(await tryAll(faults.filter(isQuiet), jobs, attempt)),
    // Services need the machine, and their ports, for themselves.
    ...(await tryAll(
      faults.filter((fault) => !isQuiet(fault)),
      1,
      attempt,
    )),
  ];

  const isWhole = faults.length === FAULTS.length;
  // What was kept of altered recordings is of no use to anybody.
  rmSync(join(folder, 'cache'), { recursive: true, force: true });
  const wrong = verdicts.filter(isWrong);
  const missing = isWhole ? unproved(scenarios, verdicts) : [];
  const seconds = (performance.now() - started) / 1000;
  const proof = {
    ...{ seconds, isWhole },
    ...{ scenarios: scenarios.map(({ tags, name, place }) => ({ tags, name, place })) },
    ...{ verdicts, unproved: missing },
  };
  writeFileSync(join(reportsFolder, 'prove.json'), JSON.stringify(proof, null, 2));
  writeFileSync(join(reportsFolder, 'prove.html'), page(proof));
  missing.forEach((title) => console.log(`NOT PROVED  ${title}`));
  const proved = scenarios.length - unproved(scenarios, verdicts).length;
  console.log(
    `${proved} of ${scenarios.length} scenarios proved by ${faults.length} faults in ${seconds.toFixed(0)} s` +
      (wrong.length > 0 ? `; ${wrong.length} faults did something else than expected` : ''),
  );
  process.exitCode = wrong.length > 0 || missing.length > 0 ? 1 : 0;
}

main().catch((error: unknown) => {
  const isUsage = error instanceof TypeError;
  console.error(isUsage ? `${error.message}\n${USAGE}` : messageOf(error));
  process.exitCode = isUsage ? 2 : 1;
});
