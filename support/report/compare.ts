/** What `npm run compare` says of two runs: how scenarios ended, and which figures moved beyond noise. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';

import { SuiteError } from '../base/errors';
import { readEvidence, recordedBroadcasts } from '../broadcast/evidence';
import type { BroadcastRecord } from '../broadcast/record';
import { isUndisturbed } from '../broadcast/request';
import { broadcastNameInFull } from '../broadcast/request-words';
import { safeText } from '../base/safe-text';
import { type BenchmarkFigure, readBenchmark } from './benchmark-file';
import type { BroadcastFigures } from './facts';
import { idsOf, nameWithIds, type Outcome, outcomeOf } from './scenario-results';
import { readMessages, type ScenarioResult } from './scenario-results';
import { readBroadcastFacts } from './facts-file';
import { counted, shownNumber } from './wording';

/** How broadcasts of several runs are told: those of equal requests have the same name. */
export interface NamedBroadcast {
  /** Its fixture, and what of its request is not as usual. */
  name: string;
  /** Whether it has faults: its times tell nothing. */
  isDisturbed: boolean;
}

export interface ComparedBroadcast extends NamedBroadcast {
  /** Undefined where there are no facts. */
  figures: BroadcastFigures | undefined;
}

export interface ComparedScenario {
  name: string;
  ids: readonly string[];
  place: string;
  outcome: Outcome;
}

export interface ComparedRun {
  /** Its results folder, or what else it is. */
  folder: string;
  /** From the first scenario to the last; undefined of a run that was ended before. */
  seconds: number | undefined;
  scenarios: readonly ComparedScenario[];
  broadcasts: readonly ComparedBroadcast[];
  /** What `npm run benchmark` has measured, if it has. */
  benchmark?: readonly BenchmarkFigure[];
}

const SCENARIO_WORSE = ['newly failed', 'newly skipped', 'newly not shown', 'gone'] as const;
const SCENARIO_CHANGES = [...SCENARIO_WORSE, 'newly passed', 'new'] as const;
type ScenarioChange = (typeof SCENARIO_CHANGES)[number];

/**
 * `farther` and `closer` are of offsets, from 0. `moved` is neither for the better nor for the worse. `lost`: the first run
 * has the figure, the second has not; `found` the other way round.
 */
const WORSE = ['worse', 'farther', 'lost'] as const;
const CHANGES = [...WORSE, 'moved', 'better', 'closer', 'found', 'within noise'] as const;
type Change = (typeof CHANGES)[number];

const WORST_FIRST: readonly (Change | ScenarioChange)[] = [...SCENARIO_CHANGES, ...CHANGES];
const IS_WORSE = new Set<Change | ScenarioChange>([...SCENARIO_WORSE, ...WORSE]);

/** One figure of one broadcast in both runs. */
export interface Row extends Pick<Figure, 'unit' | 'decimals'> {
  broadcast: string;
  figure: string;
  a: number | undefined;
  b: number | undefined;
  /** The second run's minus the first's, of offsets without their signs; undefined where one is missing. */
  difference: number | undefined;
  /** A greater difference is more than noise. */
  limit: number;
  change: Change;
}

interface Missing {
  broadcast: string;
  missing: 'broadcast' | 'figures';
  in: 'RUN_A' | 'RUN_B' | 'both';
}

export interface Comparison {
  a: string;
  b: string;
  /** From worst to best, as the rows. */
  scenarios: { change: ScenarioChange; ids: readonly string[]; name: string; place: string }[];
  rows: Row[];
  /** What one run has not got, by the broadcast. */
  broadcasts: Missing[];
  /** A scenario, a figure, or all figures of a broadcast. */
  gotWorse: number;
}

/** How a figure is shown and compared. */
interface Figure {
  name: string;
  unit: string;
  /** Of differences: up to it they are noise. */
  limit: number;
  /** The same of broadcasts that were disturbed, where it is another. */
  disturbedLimit?: number;
  better: 'less' | 'more' | 'nearer to 0' | 'neither';
  /** As many as are significant. */
  decimals: number;
  /** Compared of broadcasts only that were not disturbed, that are long enough, and of which as many segments are heard dubbed. */
  isTime?: boolean;
}

const ANSWER = { unit: 'ms', better: 'less', decimals: 0, isTime: true } as const;
const SECONDS = { unit: 's', better: 'less', decimals: 1, isTime: true } as const;
const OFFSET = { unit: 'ms', better: 'nearer to 0', decimals: 0 } as const;
const SHARE = { unit: '', decimals: 2 } as const;
const EXACT = { unit: '', limit: 0, disturbedLimit: 1, decimals: 0, better: 'more' } as const;

/**
 * What is noise: set with three runs of the whole suite in view, of the same code, in Docker on two cores that had other
 * work to do. As parts of the limits, their largest differences were 0.9 (answers, p95 and longest: 657 ms), 0.7
 * (loudness), 0.6 (answers, p50; output ready; end to end), 0.4 (offsets), 0.3 (took), 0.1 (drift, time of the whole run),
 * and next to none of the others: the same dub is made of the same speech. With a fault in the middle of a
 * broadcast, milliseconds decide whether one fragment more is sent.
 */
export const FIGURES: Record<keyof BroadcastFigures, Figure> = {
  fragmentsSent: { name: 'fragments sent', ...EXACT },
  fragmentsAnswered: { name: 'fragments answered', ...EXACT },
  segmentsHeard: { name: 'segments heard dubbed', ...EXACT },
  offsetWorstMs: { name: 'A/V offset, worst', limit: 15, ...OFFSET },
  offsetP50Ms: { name: 'A/V offset, p50', limit: 15, ...OFFSET },
  offsetP95Ms: { name: 'A/V offset, p95', limit: 15, ...OFFSET },
  driftMs: { name: 'drift', limit: 10, ...OFFSET },
  jumpMs: { name: 'A/V offset, largest jump', limit: 15, ...OFFSET },
  answerP50Ms: { name: 'latency per fragment, p50', limit: 250, ...ANSWER },
  answerP95Ms: { name: 'latency per fragment, p95', limit: 750, ...ANSWER },
  answerMaxMs: { name: 'latency per fragment, longest', limit: 750, ...ANSWER },
  endToEndSeconds: { name: 'latency end to end', limit: 1.5, ...SECONDS },
  lateAtEndSeconds: { name: 'latency at the end', limit: 3, ...SECONDS },
  outputReadySeconds: { name: 'output ready', limit: 1.5, ...SECONDS },
  tookSeconds: { name: 'took', limit: 3, ...SECONDS },
  wordErrorRate: { name: 'word error rate', limit: 0.05, better: 'less', ...SHARE },
  chrf: { name: 'chrF', limit: 0.05, better: 'more', ...SHARE },
  spokenErrorRate: {
    name: 'word error rate of what is heard',
    limit: 0.05,
    better: 'less',
    ...SHARE,
  },
  leastLanguageProbability: {
    ...{ name: 'probability of the language, least', limit: 0.1, better: 'more', ...SHARE },
  },
  leastCorrelation: { name: 'dub, least correlation', limit: 0.05, better: 'more', ...SHARE },
  leastHeardShare: { name: 'dub, least share heard', limit: 0.05, better: 'more', ...SHARE },
  mostOriginal: { name: 'original beside the dub', limit: 0.08, better: 'less', ...SHARE },
  loudnessLufs: { name: 'loudness', unit: 'LUFS', limit: 1.5, better: 'neither', decimals: 1 },
};

/** Of the whole run's time; of a short run, as much as of a broadcast's. */
const RUN_TIME_LIMIT = 0.1;
/** Of a figure of the benchmark; its speed on one machine changes by up to 40 % from minute to minute, ratios by less. */
const BENCHMARK_LIMIT = 0.2;
/** The answers of shorter broadcasts are too few for percentiles. */
export const LEAST_FRAGMENTS = 5;

/**
 * Reads the results folder of one run.
 *
 * @throws NotObserved when its messages or its evidence cannot be read
 * @throws SuiteError when it is not the folder of one run
 */
export function readComparedRun(folder: string): ComparedRun {
  const messages = join(folder, 'messages.ndjson');
  if (!existsSync(messages)) {
    throw new SuiteError({
      what: 'these are not the results of one run',
      where: folder,
      seen: existsSync(folder) ? 'no messages.ndjson' : 'no such folder',
      expected: 'the results folder of a run, with messages.ndjson and evidence',
      next: 'compare run with run; of a report that was merged from shards, their folders',
    });
  }
  const collector = readMessages(messages);
  const evidence = join(folder, 'evidence');
  const folders = existsSync(evidence) ? [...recordedBroadcasts(evidence).values()] : [];
  return {
    ...{ folder, seconds: collector.times.seconds },
    scenarios: collector.results.map(comparedScenario),
    broadcasts: folders.map((path) => ({
      ...namedBroadcast(readEvidence(path).record),
      figures: readBroadcastFacts(path)?.figures,
    })),
    benchmark: readBenchmark(folder),
  };
}

export function comparedScenario(result: ScenarioResult): ComparedScenario {
  const { name, place } = result;
  return { name, place, ids: idsOf(result), outcome: outcomeOf(result) };
}

/** What is different in the second run; figures within noise are in it, too. */
export function compareRuns(a: ComparedRun, b: ComparedRun): Comparison {
  const scenarios = scenarioChanges(a.scenarios, b.scenarios);
  const before = new Map(a.broadcasts.map((one) => [one.name, one]));
  const now = new Map(b.broadcasts.map((one) => [one.name, one]));
  const rows: Row[] = [];
  const broadcasts: Missing[] = [];
  for (const broadcast of new Set([...before.keys(), ...now.keys()])) {
    const [one, other] = [before.get(broadcast), now.get(broadcast)];
    if (!one || !other) {
      broadcasts.push({ broadcast, missing: 'broadcast', in: one ? 'RUN_B' : 'RUN_A' });
    } else if (!one.figures || !other.figures) {
      const where = !one.figures && !other.figures ? 'both' : one.figures ? 'RUN_B' : 'RUN_A';
      broadcasts.push({ broadcast, missing: 'figures', in: where });
    } else {
      rows.push(...figureRows(broadcast, one.isDisturbed, one.figures, other.figures));
    }
  }
  // The time of other scenarios is another time.
  const isSame = !scenarios.some(({ change }) => change === 'gone' || change === 'new');
  if (isSame && a.seconds !== undefined && b.seconds !== undefined) {
    const time = {
      ...FIGURES.tookSeconds,
      limit: Math.max(RUN_TIME_LIMIT * a.seconds, FIGURES.tookSeconds.limit),
    };
    rows.push(rowOf('the whole run', time, a.seconds, b.seconds));
  }
  rows.push(...benchmarkRows(a.benchmark ?? [], b.benchmark ?? []));
  rows.sort((one, other) => rank(one.change) - rank(other.change));
  const lost = broadcasts.filter((one) => one.missing === 'figures' && one.in === 'RUN_B');
  const worse = [...scenarios, ...rows].filter(({ change }) => IS_WORSE.has(change));
  const gotWorse = lost.length + worse.length;
  return { a: a.folder, b: b.folder, scenarios, rows, broadcasts, gotWorse };
}

/** Of figures that both runs have. */
function benchmarkRows(a: readonly BenchmarkFigure[], b: readonly BenchmarkFigure[]): Row[] {
  const now = new Map(b.map(({ name, value }) => [name, value]));
  return a.flatMap(({ name, unit, value }) => {
    const figure: Figure = {
      ...{ name, unit, better: 'less', decimals: unit === 'MB' ? 0 : 2 },
      limit: BENCHMARK_LIMIT * Math.abs(value),
    };
    return now.has(name) ? rowOf('the benchmark', figure, value, now.get(name)) : [];
  });
}

/**
 * As a person reads it: what is worse first, in columns.
 *
 * @param withNoise lists figures within noise as well
 */
export function comparisonText(comparison: Comparison, withNoise: boolean): string {
  const { a, b, scenarios, rows, broadcasts, gotWorse } = comparison;
  const noise = rows.filter(({ change }) => change === 'within noise');
  const shown = withNoise ? rows : rows.filter((row) => !noise.includes(row));
  const ofScenarios = scenarios.map((one) => [
    ...[one.change, one.ids.join(', '), one.name, one.place],
  ]);
  const ofFigures = shown.map((row) => [
    ...[row.change, row.figure, valueText(row, row.a), valueText(row, row.b)],
    ...[differenceText(row), valueText(row, row.limit), row.broadcast],
  ]);
  const ofBroadcasts = broadcasts.map((one) => [one.missing, one.in, one.broadcast]);
  const withoutFigures = broadcasts.filter(({ missing }) => missing === 'figures');
  const folders = [
    ...(withoutFigures.some((one) => one.in !== 'RUN_B') ? [a] : []),
    ...(withoutFigures.some((one) => one.in !== 'RUN_A') ? [b] : []),
  ];
  const end = [
    ...folders.map((folder) => `Figures are missing: npm run report -- ${folder} makes them.`),
    `${counted(noise.length, 'figure')} within noise.`,
    gotWorse === 0 ? 'Nothing got worse.' : `${counted(gotWorse, 'thing')} got worse.`,
  ];
  const paragraphs = [
    [`RUN_A  ${a}`, `RUN_B  ${b}`],
    table(['SCENARIO', 'IDS', 'NAME', 'PLACE'], ofScenarios),
    table(['FIGURE', '', 'RUN_A', 'RUN_B', 'DIFFERENCE', 'NOISE UP TO', 'BROADCAST'], ofFigures),
    table(['MISSING', 'IN', 'BROADCAST'], ofBroadcasts),
    end,
  ].filter((lines) => lines.length > 0);
  return safeText(paragraphs.map((lines) => lines.join('\n')).join('\n\n'));
}

/** What is more than noise, as texts: a line each, from worst to best. */
export function comparisonRows({ scenarios, rows, broadcasts }: Comparison): {
  change: string;
  isWorse: boolean;
  what: string;
  before: string;
  now: string;
  noise: string;
  broadcast: string;
}[] {
  const none = { before: '', now: '', noise: '', broadcast: '' };
  return [
    ...scenarios.map(({ change, ids, name }) => ({
      ...{ ...none, change, isWorse: IS_WORSE.has(change), what: nameWithIds({ ids, name }) },
    })),
    ...rows
      .filter(({ change }) => change !== 'within noise')
      .map((row) => ({
        ...{ change: row.change, isWorse: IS_WORSE.has(row.change), what: row.figure },
        ...{ before: valueText(row, row.a), now: valueText(row, row.b) },
        ...{ noise: valueText(row, row.limit), broadcast: row.broadcast },
      })),
    ...broadcasts.map(({ missing, broadcast, in: where }) => ({
      ...{ ...none, change: where === 'RUN_A' ? 'new' : 'missing' },
      isWorse: missing === 'figures' && where === 'RUN_B',
      ...{ what: missing, broadcast },
    })),
  ];
}

/**
 * Values with their units, and the heads above them, are aligned to the right; the last column may be of any length.
 * Nothing where there are no rows.
 */
function table(heads: readonly string[], rows: readonly string[][]): string[] {
  if (rows.length === 0) return [];
  const all = [[...heads], ...rows];
  const widths = heads.map((_, at) => Math.max(...all.map((row) => (row[at] ?? '').length)));
  const isValue = heads.map((_, at) =>
    rows.every((row) => /^(?:[-+]?[\d.]+(?: [a-zA-Z]+)?|–)$/.test(row[at] ?? '')),
  );
  return all.map((row) =>
    row
      .map((cell, at) => {
        if (at === heads.length - 1) return cell;
        const width = widths[at] ?? 0;
        return isValue[at] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  '),
  );
}

function valueText({ unit, decimals }: Row, value: number | undefined): string {
  return shownNumber(value, decimals, unit && ` ${unit}`);
}

function differenceText(row: Row): string {
  const { difference } = row;
  return `${(difference ?? 0) > 0 ? '+' : ''}${valueText(row, difference)}`;
}

function scenarioChanges(
  a: readonly ComparedScenario[],
  b: readonly ComparedScenario[],
): Comparison['scenarios'] {
  const [before, now] = [byName(a), byName(b)];
  const changes = [...new Set([...before.keys(), ...now.keys()])].flatMap((key) => {
    const [one, other] = [before.get(key), now.get(key)];
    const change = changeOf(one?.outcome, other?.outcome);
    const shown = other ?? one;
    if (!change || !shown) return [];
    return [{ change, ids: shown.ids, name: shown.name, place: shown.place }];
  });
  return changes.sort((one, other) => rank(one.change) - rank(other.change));
}

function changeOf(before?: Outcome, now?: Outcome): ScenarioChange | undefined {
  if (before === now) return undefined;
  if (now === undefined) return 'gone';
  if (now === 'failed') return 'newly failed';
  if (now === 'skipped') return 'newly skipped';
  if (now === 'not shown') return 'newly not shown';
  return before === undefined ? 'new' : 'newly passed';
}

/** By what stays when a feature is edited: IDs and name, not the place. Those of the same name are told by their order. */
function byName(scenarios: readonly ComparedScenario[]): Map<string, ComparedScenario> {
  const named = new Map<string, ComparedScenario>();
  for (const scenario of scenarios) {
    const name = nameWithIds(scenario);
    let number = 1;
    while (named.has(`${name} ${number}`)) number += 1;
    named.set(`${name} ${number}`, scenario);
  }
  return named;
}

/** A broadcast as it was asked for. */
export function namedBroadcast({
  request,
  fixtureScript,
}: Pick<BroadcastRecord, 'request' | 'fixtureScript'>): NamedBroadcast {
  const clip = basename(fixtureScript).replace(/\.ya?ml$/, '');
  const name = broadcastNameInFull(clip, request);
  return { name, isDisturbed: !isUndisturbed(request) };
}

function figureRows(
  broadcast: string,
  disturbed: boolean,
  a: BroadcastFigures,
  b: BroadcastFigures,
): Row[] {
  // What dubs fewer segments is sooner done.
  const { segmentsHeard: heard = b.segmentsHeard } = a;
  const hasTimes =
    !disturbed &&
    a.fragmentsSent >= LEAST_FRAGMENTS &&
    a.fragmentsAnswered === b.fragmentsAnswered &&
    heard === (b.segmentsHeard ?? heard);
  return (Object.keys(FIGURES) as (keyof BroadcastFigures)[])
    .filter((key) => hasTimes || !FIGURES[key].isTime)
    .filter((key) => a[key] !== undefined || b[key] !== undefined)
    .map((key) => {
      const figure = FIGURES[key];
      const { limit, disturbedLimit = limit } = figure;
      const allowed = disturbed ? disturbedLimit : limit;
      return rowOf(broadcast, { ...figure, limit: allowed }, a[key], b[key]);
    });
}

function rowOf(broadcast: string, figure: Figure, a?: number, b?: number): Row {
  const { name, unit, decimals, limit, better } = figure;
  const size = better === 'nearer to 0' ? Math.abs : Number;
  const difference = a === undefined || b === undefined ? undefined : size(b) - size(a);
  const common = { broadcast, figure: name, unit, decimals, a, b, difference, limit };
  if (difference === undefined) return { ...common, change: a === undefined ? 'found' : 'lost' };
  if (Math.abs(difference) <= limit) return { ...common, change: 'within noise' };
  if (better === 'neither') return { ...common, change: 'moved' };
  if (better === 'nearer to 0') return { ...common, change: difference > 0 ? 'farther' : 'closer' };
  return { ...common, change: difference > 0 === (better === 'less') ? 'worse' : 'better' };
}

function rank(what: Change | ScenarioChange): number {
  return WORST_FIRST.indexOf(what);
}
