import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { z } from 'zod';

import { SuiteError } from '../base/errors';
import { jsonOf } from '../base/json';
import { safeText } from '../base/safe-text';
import { reportFiles, type RunFacts, type RunPart, type BroadcastSummary } from './facts';
import type { Requirement, Spec } from './requirements';
import {
  idsOf,
  outcomeOf,
  readMessages,
  type Outcome,
  type ScenarioCollector,
  type ScenarioResult,
} from './scenario-results';
import { counted, duration } from './wording';

const partSchema: z.ZodType<RunPart> = z.object({
  environment: z.object({
    ...{ runtime: z.string(), node: z.string(), system: z.string(), processors: z.number() },
    ...{ memoryBytes: z.number(), suite: z.string(), commit: z.string() },
    settings: z.record(z.string(), z.string()),
    shard: z.object({ index: z.number(), count: z.number() }).exactOptional(),
  }),
  evidence: z.array(z.string()),
  problems: z.array(z.string()),
  reportSeconds: z.number(),
});

/** What lies in one results folder: of a whole run, or of one shard of it. */
export interface ResultsPart {
  folder: string;
  collector: ScenarioCollector;
  /** Not there when the run was broken off before it wrote it. */
  part: RunPart | undefined;
}

/**
 * Reads the results of a run.
 *
 * @throws NotObserved as readMessages; SuiteError when part.json is not what was written
 */
export function readPart(folder: string): ResultsPart {
  const collector = readMessages(join(folder, 'messages.ndjson'), true);
  const file = join(folder, reportFiles.part);
  if (!existsSync(file)) return { folder, collector, part: undefined };
  const text = readFileSync(file, 'utf8');
  const parsed = partSchema.safeParse(jsonOf(text));
  if (parsed.success) return { folder, collector, part: parsed.data };
  throw new SuiteError({
    what: 'this is not what a run has written',
    where: file,
    seen: text.slice(0, 100),
    expected: 'where the run was made, its evidence and its problems, as JSON',
    next: `remove ${reportFiles.part}: the page is then made without it`,
  });
}

/**
 * The facts of a run; several parts are the shards of one.
 *
 * @param made what came of making the pages of its streams; seconds are how long that took
 * @param isShard where a shard speaks for itself: otherwise a shard that is missing is a problem
 */
export function runFactsOf(
  parts: readonly ResultsPart[],
  made: { streams: BroadcastSummary[]; problems: string[]; seconds: number },
  isShard = false,
): RunFacts {
  const shard = isShard ? parts[0]?.part?.environment.shard : undefined;
  const begins = parts.flatMap(({ collector }) => collector.times.startedAtMs ?? []);
  const lengths = parts.flatMap(({ collector: { times } }) =>
    times.startedAtMs === undefined || times.endedAtMs === undefined
      ? []
      : (times.endedAtMs - times.startedAtMs) / 1000,
  );
  const problems = parts.flatMap((one) => {
    const isBrokenOff = one.collector.times.endedAtMs === undefined;
    const own = [...(isBrokenOff ? ['the run was broken off'] : []), ...(one.part?.problems ?? [])];
    return parts.length > 1 ? own.map((problem) => `${nameOf(one)}: ${problem}`) : own;
  });
  return {
    ...(begins.length > 0 ? { startedAtMs: Math.min(...begins) } : {}),
    ...(lengths.length === parts.length ? { seconds: Math.max(...lengths) } : {}),
    scenarios: parts.flatMap(({ collector }) => collector.results.map(safeScenario)),
    environments: parts.flatMap(({ part }) => part?.environment ?? []),
    streams: made.streams,
    ...(shard ? { shard } : {}),
    problems: [...(shard ? [] : missingShards(parts)), ...problems, ...made.problems].map(safeText),
    reportSeconds: made.seconds + sum(parts.map(({ part }) => part?.reportSeconds ?? 0)),
  };
}

/** What a run is worth, in a sentence; anything but all scenarios passed, and nothing else wrong, is a failure. */
export function verdictOf({ scenarios, seconds, problems, shard }: RunFacts): {
  text: string;
  outcome: 'passed' | 'failed';
} {
  const { passed, failed, skipped } = countsOf(scenarios);
  const all = counted(scenarios.length, 'scenario');
  const but =
    problems.length > 1
      ? `${problems.length} problems are listed below`
      : problems[0]?.split('\n')[0];
  const failure = (text: string): ReturnType<typeof verdictOf> => ({ text, outcome: 'failed' });
  if (scenarios.length === 0) {
    return failure(`Not a passed run: no scenario ran${but ? `, and ${but}` : ''}.`);
  }
  const alsoWrong = but ? `; ${but}` : '';
  const ofAll = `of ${all} passed`;
  if (failed > 0) {
    const rest = skipped > 0 ? `, ${skipped} skipped` : '';
    return failure(`Failed: ${passed} ${ofAll}, ${failed} failed${rest}${alsoWrong}.`);
  }
  if (skipped > 0) {
    const rest = `${skipped} skipped, which shows nothing`;
    return failure(`Not a passed run: ${passed} ${ofAll}, ${rest}${alsoWrong}.`);
  }
  if (but) return failure(`Not a passed run: ${all} passed, but ${but}.`);
  const time = seconds === undefined ? '' : ` in ${duration(seconds)}`;
  const part = shard ? ` This is part ${shard.index} of ${shard.count}.` : '';
  return { text: `Passed: ${all} passed${time}.${part}`, outcome: 'passed' };
}

/** How many scenarios ended how. */
export function countsOf(scenarios: readonly ScenarioResult[]): Record<Outcome, number> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const scenario of scenarios) counts[outcomeOf(scenario)] += 1;
  return counts;
}

/** What a run says of a requirement. */
export interface RequirementState extends Requirement {
  state: Outcome | 'not run';
  scenarios: ScenarioResult[];
}

/** What a run says of the requirements of a spec. */
export interface SpecState {
  spec: string;
  title: string;
  requirements: RequirementState[];
}

/**
 * What a run says of each requirement: `failed` when one of its scenarios failed, `skipped` when one was skipped,
 * `passed` when all of them passed. IDs that only scenarios know come last.
 */
export function requirementStatesOf(
  specs: readonly Spec[],
  scenarios: readonly ScenarioResult[],
): SpecState[] {
  const shownBy = new Map<string, ScenarioResult[]>();
  for (const scenario of scenarios) {
    for (const id of idsOf(scenario)) shownBy.set(id, [...(shownBy.get(id) ?? []), scenario]);
  }
  const known = new Set(specs.flatMap(({ requirements }) => requirements.map(({ id }) => id)));
  const others = [...shownBy.keys()].filter((id) => !known.has(id)).sort();
  const text = 'Not in the list of requirements (support/report/requirements.yaml)';
  const unlisted = {
    spec: '',
    title: 'Other IDs',
    requirements: others.map((id) => ({ id, text })),
  };
  return [...specs, ...(others.length > 0 ? [unlisted] : [])].map((spec) => ({
    ...spec,
    requirements: spec.requirements.map((requirement) => {
      const own = shownBy.get(requirement.id) ?? [];
      return { ...requirement, scenarios: own, state: stateOf(own) };
    }),
  }));
}

/** `103 of 109 requirements passed, 6 were not run`, with the states that there are. */
export function requirementsInWords(specs: readonly SpecState[]): string {
  const states = specs.flatMap(({ requirements }) => requirements.map(({ state }) => state));
  const count = (wanted: string): number => states.filter((state) => state === wanted).length;
  const rest = [
    ...(count('failed') > 0 ? [`${count('failed')} failed`] : []),
    ...(count('skipped') > 0 ? [`${count('skipped')} skipped`] : []),
    ...(count('not run') > 0
      ? [`${count('not run')} not run, as no scenario of theirs was asked for or begun`]
      : []),
  ];
  return [`${count('passed')} of ${counted(states.length, 'requirement')} passed`, ...rest].join(
    '; ',
  );
}

/** Skipped scenarios by the reason that they give. */
export function skippedByReason(
  scenarios: readonly ScenarioResult[],
): { reason: string; scenarios: ScenarioResult[] }[] {
  const byReason = new Map<string, ScenarioResult[]>();
  for (const scenario of scenarios) {
    if (outcomeOf(scenario) !== 'skipped') continue;
    const reason = scenario.skipReason ?? 'without a reason';
    byReason.set(reason, [...(byReason.get(reason) ?? []), scenario]);
  }
  return [...byReason].map(([reason, own]) => ({ reason, scenarios: own }));
}

/** What failed outside of the steps: in a hook before or after them. Empty when nothing did. */
export function outsideSteps({ message, steps }: ScenarioResult): string {
  return steps.reduce((rest, step) => rest.replace(step.message, ''), message).trim();
}

function stateOf(scenarios: readonly ScenarioResult[]): RequirementState['state'] {
  const { failed, skipped } = countsOf(scenarios);
  if (failed > 0) return 'failed';
  if (skipped > 0) return 'skipped';
  return scenarios.length > 0 ? 'passed' : 'not run';
}

/** One line for each shard that is not there, or there twice. */
function missingShards(parts: readonly ResultsPart[]): string[] {
  const shards = parts.flatMap(({ part }) => part?.environment.shard ?? []);
  const counts = [...new Set(shards.map(({ count }) => count))];
  if (counts.length > 1) {
    return [`these parts do not belong together: ${counts.map((one) => `of ${one}`).join(', ')}`];
  }
  return Array.from({ length: counts[0] ?? 0 }, (_, at) => at + 1).flatMap((index) => {
    const found = shards.filter((shard) => shard.index === index).length;
    if (found === 1) return [];
    return [`part ${index} of ${counts[0]} is ${found === 0 ? 'missing' : `there ${found} times`}`];
  });
}

function nameOf({ folder, part }: ResultsPart): string {
  const shard = part?.environment.shard;
  return shard ? `part ${shard.index} of ${shard.count}` : basename(folder);
}

function safeScenario(scenario: ScenarioResult): ScenarioResult {
  const { skipReason, steps } = scenario;
  return {
    ...scenario,
    name: safeText(scenario.name),
    feature: safeText(scenario.feature),
    message: safeText(scenario.message),
    skipReason: skipReason && safeText(skipReason),
    steps: steps.map((step) => ({
      ...step,
      text: safeText(step.text),
      table: step.table?.map((row) => row.map(safeText)),
      message: safeText(step.message),
    })),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
