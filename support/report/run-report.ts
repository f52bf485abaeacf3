import { basename, join } from 'node:path';

import { safeText } from '../base/safe-text';
import { readVerdicts, type VerdictLine } from '../checks/verdict-log';
import { coverageText } from './coverage';
import type { BroadcastSummary, RunFacts, RunPart } from './facts';
import { readRunPart } from './facts-file';
import { missedBy, type NotShownPolicy, policyOf, reasonOf, USUAL_POLICY } from './not-shown';
import type { Outcome, ScenarioCollector, ScenarioResult } from './scenario-results';
import { idsOf, outcomeOf, readMessages } from './scenario-results';
import { counted, duration, shownNumber } from './wording';

/** What lies in one results folder: of a whole run, or of one shard of it. */
export interface ResultsPart {
  folder: string;
  collector: ScenarioCollector;
  /** Not there when the run was interrupted before it wrote it. */
  part: RunPart | undefined;
  verdicts: readonly VerdictLine[];
}

/**
 * Reads the results of a run.
 *
 * @throws NotObserved as readMessages; SuiteError when part.json or the verdicts are not what was written
 */
export function readPart(folder: string): ResultsPart {
  const collector = readMessages(join(folder, 'messages.ndjson'), true);
  return { folder, collector, part: readRunPart(folder), verdicts: readVerdicts(folder) };
}

interface MadeReports {
  broadcasts: BroadcastSummary[];
  problems: string[];
  seconds: number;
}

/**
 * The facts of a run; several parts are the shards of one.
 *
 * @param made what came of making the pages of its broadcasts; seconds are how long that took
 * @param isShard where a shard speaks for itself: otherwise a shard that is missing is a problem
 */
export function runFactsOf(
  parts: readonly ResultsPart[],
  made: MadeReports,
  isShard = false,
): RunFacts {
  const shard = isShard ? parts[0]?.part?.environment.shard : undefined;
  const begins = parts.flatMap(({ collector }) => collector.times.startedAtMs ?? []);
  const lengths = parts.flatMap(({ collector }) => collector.times.seconds ?? []);
  const problems = parts.flatMap((one) => {
    const isInterrupted = one.collector.times.seconds === undefined;
    const interrupted = isInterrupted ? ['the run was interrupted'] : [];
    const own = [...interrupted, ...withoutVerdict(one), ...(one.part?.problems ?? [])];
    return parts.length > 1 ? own.map((problem) => `${nameOf(one)}: ${problem}`) : own;
  });
  return {
    startedAtMs: begins.length > 0 ? Math.min(...begins) : undefined,
    seconds: lengths.length === parts.length ? Math.max(...lengths) : undefined,
    scenarios: parts.flatMap(({ collector }) => collector.results.map(safeScenario)),
    ...judgedIn(parts),
    environments: parts.flatMap(({ part }) => part?.environment ?? []),
    scopes: parts.flatMap(({ part }) => part?.scope ?? []),
    ...{ broadcasts: made.broadcasts, shard },
    problems: [
      ...(shard ? [] : missingShards(parts)),
      ...foundTwice(parts),
      ...problems,
      ...made.problems,
    ].map(safeText),
    isReplay: parts.some(({ part }) => part?.isReplay),
    reportSeconds: parts.reduce((sum, { part }) => sum + (part?.reportSeconds ?? 0), made.seconds),
  };
}

/** The facts of one run or shard whose pages are not made. */
export function factsAlone(part: ResultsPart): RunFacts {
  return runFactsOf([part], { broadcasts: [], problems: [], seconds: 0 }, true);
}

/**
 * The verdict on a run in a sentence: passed where all scenarios passed, but for those that may be not shown, and nothing
 * else is wrong.
 */
export function verdictOf({ scenarios, notRun, seconds, problems, shard, scopes }: RunFacts): {
  text: string;
  outcome: 'passed' | 'failed';
} {
  const { passed, failed, skipped } = countsOf(scenarios);
  const all = counted(scenarios.length + notRun, 'scenario');
  const but =
    problems.length > 1
      ? `${problems.length} problems are listed below`
      : problems[0]?.split('\n')[0];
  const failure = (text: string): ReturnType<typeof verdictOf> => ({ text, outcome: 'failed' });
  if (scenarios.length === 0) {
    return failure(`Not a passed run: no scenario ran${but ? `, and ${but}` : ''}.`);
  }
  const left = notRun > 0 ? `, ${notRun} not run` : '';
  const alsoWrong = but ? `; ${but}` : '';
  const ofAll = `of ${all} passed`;
  const took = seconds === undefined ? '' : duration(seconds);
  const time = took === '' ? '' : ` in ${took}`;
  if (failed > 0) {
    const after = took === '' ? '' : ` after ${took}`;
    const rest = `${skipped > 0 ? `, ${skipped} skipped` : ''}${left}`;
    return failure(`Failed${after}: ${passed} ${ofAll}, ${failed} failed${rest}${alsoWrong}.`);
  }
  if (skipped > 0) {
    const rest = `${skipped} skipped, which shows nothing${left}`;
    return failure(`Not a passed run: ${passed} ${ofAll}, ${rest}${alsoWrong}.`);
  }
  const { 'not shown': notShown } = countsOf(scenarios);
  if (passed === 0) return failure(`Not a passed run: ${NOTHING_SHOWN}.`);
  const { length: missed } = missedBy(scenarios, policyOf(scopes));
  if (missed > 0) {
    return failure(
      `Not a passed run: ${passed} ${ofAll}, ${missed} required not shown${left}${alsoWrong}.`,
    );
  }
  const shown = notShown + notRun > 0 ? `${passed} ${ofAll}${left}` : `${all} passed`;
  if (but) return failure(`Not a passed run: ${shown}, but ${but}.`);
  const part = shard ? ` This is part ${shard.index} of ${shard.count}.` : '';
  const rest = notShown > 0 ? ` ${counted(notShown, 'scenario')} not shown.` : '';
  return { text: `Passed: ${shown}${time}.${rest}${part}`, outcome: 'passed' };
}

const NOTHING_SHOWN = 'no scenario can be shown by this configuration';

/**
 * What is wrong with a run although no step failed: nothing was shown, something is undefined, was skipped, or is required
 * and not shown.
 *
 * @returns one line for each thing that is wrong; empty when the run counts as passed
 */
export function faultsOf(
  results: readonly ScenarioResult[],
  policy: NotShownPolicy = USUAL_POLICY,
): string[] {
  if (results.length === 0) return ['no scenario ran'];
  if (results.every((one) => outcomeOf(one) === 'not shown')) return [NOTHING_SHOWN];
  const missed = missedBy(results, policy);
  return results.flatMap((one) => {
    const { status, name, skipReason } = one;
    const outcome = outcomeOf(one);
    if (outcome === 'failed') return [`${status.toLowerCase()}: ${name}`];
    if (outcome === 'skipped') {
      return [`skipped: ${name}: ${skipReason?.split('\n')[0] ?? 'without a reason'}`];
    }
    return missed.includes(one) ? [`not shown: ${name}: ${reasonOf(one)}`] : [];
  });
}

export function countsOf(scenarios: readonly ScenarioResult[]): Record<Outcome, number> {
  const counts = { passed: 0, failed: 0, skipped: 0, 'not shown': 0 };
  for (const scenario of scenarios) counts[outcomeOf(scenario)] += 1;
  return counts;
}

/** The figures of a broadcast that the page of a run and its summary list, and how. */
export const broadcastColumns: readonly BroadcastColumn[] = [
  { head: 'Segments dubbed', kind: 'number', cell: ({ coverage }) => coverageText(coverage) },
  column('Worst A/V offset', ({ offsetWorstMs = NaN }) => {
    const sign = Math.round(offsetWorstMs) > 0 ? '+' : '';
    return sign + shownNumber(offsetWorstMs, 0, ' ms');
  }),
  column('Latency end to end', (seen) => shownNumber(seen.endToEndSeconds, 1, ' s')),
  column('At the end', (seen) => shownNumber(seen.lateAtEndSeconds, 1, ' s')),
  column('Latency per fragment, p95', (seen) => shownNumber(seen.answerP95Ms, 0, ' ms')),
  {
    ...{ head: 'Word error rate', kind: 'number' },
    cell: ({ isTranslated, figures: { wordErrorRate = NaN } }) =>
      isTranslated ? shownNumber(100 * wordErrorRate, 1, ' %') : 'not translated',
  },
  column('Took', (seen) => shownNumber(seen.tookSeconds, 1, ' s')),
];

interface BroadcastColumn {
  head: string;
  kind: 'number';
  cell: (broadcast: BroadcastSummary) => string;
}

function column(
  head: string,
  shown: (figures: BroadcastSummary['figures']) => string,
): BroadcastColumn {
  return { head, kind: 'number', cell: ({ figures }) => shown(figures) };
}

/**
 * What the scenarios say that were judged by a broadcast: `failed` where one of them failed, `passed` where all passed that
 * were not skipped; `not judged` where none has looked at it.
 */
export function stateOfBroadcast(
  { stream }: Pick<BroadcastSummary, 'stream'>,
  scenarios: readonly ScenarioResult[],
): { state: Outcome | 'not judged'; looked: ScenarioResult[] } {
  const looked = scenarios.filter(({ judgedBy }) => judgedBy.includes(stream));
  const outcomes = looked.map(outcomeOf);
  const worst = (['failed', 'passed', 'skipped', 'not shown'] as const).find((one) =>
    outcomes.includes(one),
  );
  return { state: worst ?? 'not judged', looked };
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

/** What scenarios have judged, which requirements have scenarios, and of which of them one has not begun. */
function judgedIn(
  parts: readonly ResultsPart[],
): Pick<RunFacts, 'judged' | 'asked' | 'leftOut' | 'notRun'> {
  const begun = new Set(parts.flatMap(({ collector }) => collector.results.map(placeOf)));
  const known = parts.flatMap(({ collector }) => collector.known);
  return {
    judged: parts.flatMap(({ verdicts }) =>
      verdicts.flatMap(({ scenario, verdict: { criterion, title, seen, expected, state } }) =>
        scenario
          ? {
              ...{ criterion, title, place: scenario.place, isPassed: state === 'passed' },
              ...{ seen: safeText(seen), expected: safeText(expected) },
            }
          : [],
      ),
    ),
    asked: [...new Set(known.flatMap(idsOf))],
    notRun: known.filter(({ isAsked, place }) => isAsked && !begun.has(place)).length,
    leftOut: [...new Set(known.filter((one) => !begun.has(one.place)).flatMap(idsOf))],
  };
}

function placeOf({ place }: ScenarioResult): string {
  return place;
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

/** The same scenario in two parts that are no shards: a folder that was given twice, or runs that are no parts of one. */
function foundTwice(parts: readonly ResultsPart[]): string[] {
  if (parts.some(({ part }) => part?.environment.shard)) return [];
  const places = parts.flatMap(({ collector }) => collector.results.map(placeOf));
  const again = places.length - new Set(places).size;
  return again > 0 ? [`${counted(again, 'scenario')} more than once: not parts of one run`] : [];
}

/** What has passed by verdicts that are not there any more shows nothing. */
function withoutVerdict({ collector, verdicts }: ResultsPart): string[] {
  const judged = new Set(verdicts.flatMap(({ scenario }) => scenario?.place ?? []));
  const lacking = collector.results.filter(
    (one) => one.judgedBy.length > 0 && outcomeOf(one) === 'passed' && !judged.has(one.place),
  );
  if (lacking.length === 0) return [];
  return [`verdicts.ndjson lacks those of ${counted(lacking.length, 'scenario')} that passed`];
}

function nameOf({ folder, part }: ResultsPart): string {
  const shard = part?.environment.shard;
  return shard ? `part ${shard.index} of ${shard.count}` : basename(folder);
}

/** Without what cannot be shown, in earlier attempts as well. */
function safeScenario(scenario: ScenarioResult): ScenarioResult {
  const safe = (_key: string, value: unknown): unknown =>
    typeof value === 'string' ? safeText(value) : value;
  return JSON.parse(JSON.stringify(scenario, safe)) as ScenarioResult;
}
