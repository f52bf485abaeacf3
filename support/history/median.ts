import type { ComparedBroadcast, ComparedRun, ComparedScenario } from '../report/compare';
import type { BroadcastFigures } from '../report/facts';
import { nameWithIds, type Outcome } from '../report/scenario-results';
import { counted } from '../report/wording';
import { momentOf, OUTCOMES, type RunRecord, scenariosOf } from './run-record';

/** A recorded run, as runs are compared. */
export function comparedRecord(run: RunRecord): ComparedRun {
  return { ...medianOf([run]), folder: `run of ${momentOf(run)}` };
}

/**
 * The last runs that came before another one and can be compared with it: in the same runtime, of the same scenarios, with
 * an end.
 *
 * @param most how many of them
 */
export function runsBefore(run: RunRecord, runs: readonly RunRecord[], most: number): RunRecord[] {
  return runs
    .filter((one) => one.run !== run.run && one.startedAt <= run.startedAt)
    .filter((one) => one.seconds !== undefined && selectionOf(one) === selectionOf(run))
    .slice(-most);
}

/** Of a part of a spec, its scenarios; of whole specs not, as scenarios come and go. */
function selectionOf({ runtime, specs, names }: RunRecord): string {
  return JSON.stringify([runtime, specs, specs.length > 0 ? [] : names.scenarios.map(nameWithIds)]);
}

/**
 * A run that is as most of these were: of each figure the median of those that have it, and of each scenario how it ended
 * most often.
 */
export function medianOf(runs: readonly RunRecord[]): ComparedRun {
  const [first, last] = [runs[0], runs.at(-1)];
  const span = first && last ? ` from ${momentOf(first)} to ${momentOf(last)}` : '';
  return {
    folder: `median of ${counted(runs.length, 'run')}${span}`,
    seconds: median(runs.flatMap(({ seconds }) => seconds ?? [])),
    ...{ scenarios: usualScenarios(runs), broadcasts: usualBroadcasts(runs) },
  };
}

function usualScenarios(runs: readonly RunRecord[]): ComparedScenario[] {
  const ended = new Map<string, { scenario: Omit<ComparedScenario, 'outcome'>; all: Outcome[] }>();
  for (const one of runs.flatMap(scenariosOf)) {
    if (one.end === '-') continue;
    const scenario = { name: one.name, ids: one.ids, place: '' };
    const { all } = ended.get(nameWithIds(one)) ?? { all: [] };
    ended.set(nameWithIds(one), { scenario, all: [...all, OUTCOMES[one.end]] });
  }
  return [...ended.values()].map(({ scenario, all }) => {
    const count = (wanted: Outcome): number => all.filter((one) => one === wanted).length;
    const [outcome = 'passed'] = [...all].sort((a, b) => count(b) - count(a));
    return { ...scenario, outcome };
  });
}

function usualBroadcasts(runs: readonly RunRecord[]): ComparedBroadcast[] {
  const seen = new Map<string, { isDisturbed: boolean; figures: Map<string, number[]> }>();
  for (const { names, figures } of runs) {
    names.broadcasts.forEach(({ name, isDisturbed }, index) => {
      const all = seen.get(name)?.figures ?? new Map<string, number[]>();
      seen.set(name, { isDisturbed, figures: all });
      names.figures.forEach((figure, at) => {
        const value = figures[index]?.[at];
        if (typeof value === 'number') all.set(figure, [...(all.get(figure) ?? []), value]);
      });
    });
  }
  return [...seen].map(([name, { isDisturbed, figures }]) => {
    const medians = [...figures].map(([figure, values]) => [figure, median(values)]);
    return {
      ...{ name, isDisturbed },
      figures: figures.size === 0 ? undefined : (Object.fromEntries(medians) as BroadcastFigures),
    };
  });
}

/** Of an even number of values, the mean of the two in the middle; undefined of none. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
