/** What repeated runs of the suite show of the requirements that no single run can show. */
import { judge, type Verdict } from '../support/checks/criterion';
import {
  passRate,
  type RunOfSpec,
  type RunsOfSpec,
  suiteTime,
} from '../support/checks/repeated-runs';
import { titleOf } from '../support/report/end-of-run';
import { missedBy, policyOf } from '../support/report/not-shown';
import { byScenario } from '../support/report/requirement-states';
import type { Basis, Spec } from '../support/report/requirements';
import type { ResultsPart } from '../support/report/run-report';
import { idsOf, outcomeOf, type Outcome } from '../support/report/scenario-results';
import type { SoakVerdict } from '../support/report/soak-record';

/** A scenario of a run, by its title and place. */
interface Ran {
  title: string;
  place: string;
  ids: string[];
  outcome: Outcome;
  /** It is not shown, and fails the run by that. */
  isMissed?: true;
}

/** One run that lies in a results folder. */
export interface RecordedRun {
  name: string;
  /** Not there when the run has no end. */
  seconds?: number | undefined;
  /** Those that were begun. */
  scenarios: Ran[];
  /** All of the features that were read. */
  known: { place: string; ids: string[] }[];
  /** What went wrong besides the scenarios. */
  problems: string[];
}

/** @param seconds of the whole command; by default those that its messages tell */
export function recordedRun(name: string, part: ResultsPart, seconds?: number): RecordedRun {
  const { results, known, times } = part.collector;
  const missed = missedBy(results, policyOf(part.part?.scope ? [part.part.scope] : []));
  return {
    name,
    seconds: times.seconds === undefined ? undefined : (seconds ?? times.seconds),
    scenarios: results.map((one) => ({
      ...{ title: titleOf(one), place: one.place, ids: idsOf(one), outcome: outcomeOf(one) },
      ...(missed.includes(one) ? { isMissed: true } : {}),
    })),
    known: known.map((one) => ({ place: one.place, ids: idsOf(one) })),
    problems: part.part?.problems ?? [],
  };
}

/** Judges every sentence of the requirements that only repeated runs can show. */
export async function judgeRuns(
  specs: readonly Spec[],
  runs: readonly RecordedRun[],
): Promise<SoakVerdict[]> {
  const judged: SoakVerdict[] = [];
  for (const spec of specs) {
    const recorded = runsOf(spec, runs);
    for (const { id: requirement, sentences } of spec.requirements) {
      for (const { text: sentence, basis } of sentences) {
        if (!('soak' in basis)) continue;
        const { state, what, seen, expected } = await verdictOf(recorded, basis.soak);
        const shown = state === 'follows' ? 'failed' : state;
        judged.push({ requirement, sentence, state: shown, what, seen, expected });
      }
    }
  }
  return judged;
}

function verdictOf(
  recorded: RunsOfSpec,
  soak: Extract<Basis, { soak: unknown }>['soak'],
): Promise<Verdict> {
  return 'percent' in soak ? judge(passRate, recorded, soak) : judge(suiteTime, recorded, soak);
}

/** The runs as far as they concern a spec. */
function runsOf(spec: Spec, runs: readonly RecordedRun[]): RunsOfSpec {
  const isOwn = ({ ids }: { ids: string[] }): boolean =>
    ids.some((id) => id.startsWith(`${spec.spec}-`));
  const needed = spec.requirements
    .filter(({ sentences }) => sentences.some(byScenario))
    .map(({ id }) => id);
  const isComplete = ({ known, scenarios }: RecordedRun): boolean => {
    const begun = new Set(scenarios.map(({ place }) => place));
    const asked = new Set(scenarios.flatMap(({ ids }) => ids));
    const isAll = known.filter(isOwn).every(({ place }) => begun.has(place));
    return isAll && needed.every((id) => asked.has(id));
  };
  const ended = runs.filter(({ seconds }) => seconds !== undefined);
  // A run that was broken off was to be what the others are.
  const isWholeSpec = ended.some(isComplete);
  return {
    spec: spec.spec,
    runs: runs.map((run): RunOfSpec => {
      const { name, seconds, scenarios, problems } = run;
      const own = scenarios.filter(isOwn);
      const bad = own.filter(
        ({ outcome, isMissed }) => isMissed || (outcome !== 'passed' && outcome !== 'not shown'),
      );
      return {
        ...{ name, seconds, others: scenarios.length - own.length },
        isWhole: seconds === undefined ? isWholeSpec : isComplete(run),
        failures: [
          ...bad.map(({ title, outcome }) => `${outcome}: ${title}`),
          ...problems,
          ...(seconds === undefined ? ['the run has no end'] : []),
        ],
      };
    }),
  };
}

/** How often each scenario passed: a line for each that did not always, and one for all others. */
export function passRates(runs: readonly RecordedRun[]): string[] {
  const counts = new Map<string, { title: string; passed: number; ran: number }>();
  for (const { title, place, outcome } of runs.flatMap(({ scenarios }) => scenarios)) {
    if (outcome === 'not shown') continue;
    const { passed = 0, ran = 0 } = counts.get(place) ?? {};
    counts.set(place, { title, passed: passed + (outcome === 'passed' ? 1 : 0), ran: ran + 1 });
  }
  const all = [...counts.values()];
  const unsteady = all.filter(({ passed, ran }) => passed < ran);
  unsteady.sort((a, b) => a.passed / a.ran - b.passed / b.ran);
  return [
    ...unsteady.map(
      ({ title, passed, ran }) =>
        `${passed} of ${ran} (${((100 * passed) / ran).toFixed(0)} %): ${title}`,
    ),
    `${all.length - unsteady.length} of ${all.length} scenarios passed in every run`,
  ];
}

/** One verdict in a line. */
export function verdictLine({ requirement, sentence, ...one }: SoakVerdict): string {
  const what = one.what === '' ? '' : `: ${one.what}`;
  return `${requirement}, "${sentence}": ${one.state}${what}; seen ${one.seen}, expected ${one.expected}`;
}
