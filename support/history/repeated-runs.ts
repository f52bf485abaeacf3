/** What repeated runs of the suite show of the requirements that no single run can show. */
import { judge, type Verdict } from '../checks/criterion';
import { passRate, type RunOfSpec, type RunsOfSpec, suiteTime } from '../checks/repeated-runs';
import { type Basis, isOfSpec, type Spec } from '../report/requirements';
import { nameWithIds } from '../report/scenario-results';
import type { SoakVerdict } from '../report/soak-record';
import { type End, ENDS, isPassed, scenariosOf } from './run-record';
import type { RanScenario, RunRecord } from './run-record';

/** What of a run says how it and its scenarios have ended, and of what it was. */
type Ended = Pick<
  RunRecord,
  'seconds' | 'problems' | 'specs' | 'names' | 'ends' | 'revision' | 'images'
>;

export interface RepeatedRun extends Ended {
  /** When it began, its number, or its folder. */
  name: string;
}

/**
 * Judges every sentence of the requirements that only repeated runs can show.
 *
 * @param onlyLast by as many of the last runs as the sentence names, as a history has runs of services that were others then
 */
export async function judgeRepeated(
  specs: readonly Spec[],
  runs: readonly RepeatedRun[],
  onlyLast = false,
): Promise<SoakVerdict[]> {
  const judged: SoakVerdict[] = [];
  for (const { spec, requirements } of specs) {
    for (const { id: requirement, sentences } of requirements) {
      for (const { text: sentence, basis } of sentences) {
        if (!('soak' in basis)) continue;
        const last = onlyLast ? runs.filter((run) => run.specs.includes(spec)) : undefined;
        const recorded = runsOf(spec, last?.slice(-basis.soak.runs) ?? runs, runs.length);
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

/** The runs as far as they concern a spec, of so many that are recorded. */
function runsOf(spec: string, runs: readonly RepeatedRun[], known: number): RunsOfSpec {
  const isOwn = ({ ids }: RanScenario): boolean => ids.some((id) => isOfSpec(id, spec));
  return {
    ...{ spec, known },
    runs: runs.map((run): RunOfSpec => {
      const { name, seconds, problems, specs } = run;
      const ran = scenariosOf(run).filter(({ end }) => end !== '-');
      const own = ran.filter(isOwn);
      const bad = own.filter(({ end }) => !isPassed(end) && end !== 'N');
      return {
        ...{ name, seconds, isWhole: specs.includes(spec), others: ran.length - own.length },
        failures: [...bad.map((one) => `${ENDS[one.end]}: ${nameWithIds(one)}`), ...problems],
      };
    }),
  };
}

/** How often a scenario ran and passed. */
export interface PassRate {
  title: string;
  /** Not counted: runs in which it was not shown, or not asked for, or that ended before. */
  ran: number;
  passed: number;
  /** In how many it passed at a retry, or failed and passed in another run of the same revision and images. */
  flaky: number;
  /** How it ended in each run, a letter; - where it did not run. */
  ends: string;
}

/** Of every scenario that ran, the worst first. */
export function passRates(runs: readonly Ended[]): PassRate[] {
  const endings = new Map<string, Map<number, End>>();
  runs.forEach((run, index) => {
    for (const one of scenariosOf(run)) {
      if (['-', 'N', 'M'].includes(one.end)) continue;
      const title = nameWithIds(one);
      endings.set(title, (endings.get(title) ?? new Map<number, End>()).set(index, one.end));
    }
  });
  const rates = [...endings].map(([title, ended]): PassRate => {
    const passedIn = [...ended].flatMap(([index, end]) => (isPassed(end) ? index : []));
    const steady = new Set(passedIn.map((index) => systemOf(runs[index])));
    const flaky = [...ended].filter(
      ([index, end]) => end === 'R' || (end === 'F' && steady.has(systemOf(runs[index]))),
    );
    return {
      ...{ title, ran: ended.size, passed: passedIn.length, flaky: flaky.length },
      ends: runs.map((_, index) => ended.get(index) ?? '-').join(''),
    };
  });
  return rates.sort((a, b) => a.passed / a.ran - b.passed / b.ran);
}

/** What was tested; nothing that two runs have in common where the working copy was changed. */
function systemOf(run: Ended | undefined): unknown {
  const isKnown = run && /^[0-9a-f]+$/.test(run.revision);
  return isKnown ? JSON.stringify([run.revision, run.images]) : Symbol('unknown');
}

/** A line for each scenario that did not always pass, and one for all others. */
export function passRatesInWords(rates: readonly PassRate[]): string[] {
  const unsteady = rates.filter(({ passed, ran }) => passed < ran);
  return [
    ...unsteady.map(
      ({ title, passed, ran }) =>
        `${passed} of ${ran} (${((100 * passed) / ran).toFixed(0)} %): ${title}`,
    ),
    `${rates.length - unsteady.length} of ${rates.length} scenarios passed in every run`,
  ];
}

/** One verdict in a line. */
export function verdictLine({ requirement, sentence, ...one }: SoakVerdict): string {
  const what = one.what === '' ? '' : `: ${one.what}`;
  return `${requirement}, "${sentence}": ${one.state}${what}; seen ${one.seen}, expected ${one.expected}`;
}
