/** What only several runs of the suite can show, of one spec: how often they pass, and how long they take. */
import { NotObserved } from '../base/errors';
import { criterion } from './criterion';

/** One run, as far as it concerns a spec. */
export interface RunOfSpec {
  /** Its number, or its folder. */
  name: string;
  /** Not there when the run has no end. */
  seconds?: number | undefined;
  /** Whether all scenarios of the spec were asked for. */
  isWhole: boolean;
  /** How many scenarios of other specs were run as well. */
  others: number;
  /** What of the spec did not pass: a scenario that failed, was skipped or did not run, or the run itself. */
  failures: readonly string[];
}

export interface RunsOfSpec {
  /** Its number: 019. */
  spec: string;
  runs: readonly RunOfSpec[];
  /** How many runs are recorded, these and others. */
  known: number;
}

/**
 * Runs that were to be of the whole spec: a run that was broken off is one of them.
 *
 * @throws NotObserved when there are fewer than are needed
 */
function wholeRuns({ spec, runs, known }: RunsOfSpec, least: number): readonly RunOfSpec[] {
  const whole = runs.filter(({ isWhole }) => isWhole);
  if (whole.length >= least) return whole;
  throw new NotObserved({
    ...{
      what: `there are too few runs of all scenarios of spec ${spec}`,
      where: whereOf({ spec }),
    },
    seen: `${whole.length} of ${known} recorded runs`,
    expected: `${least} or more`,
    next: `npm run soak -- --runs ${least} --tags @${spec}`,
  });
}

function whereOf({ spec }: { spec: string }): string {
  return `runs of spec ${spec}`;
}

/** A run has passed when every scenario of the spec has. */
export const passRate = criterion<RunsOfSpec, RunsOfSpec, { runs: number; percent: number }>({
  id: 'pass-rate',
  title: 'Enough of the runs pass',
  failure: 'too few of the runs passed',
  where: whereOf,
  measure: (recorded) => recorded,
  assess: (recorded, { runs, percent }) => {
    const whole = wholeRuns(recorded, runs);
    const failed = whole.filter(({ failures }) => failures.length > 0);
    const passed = whole.length - failed.length;
    const share = (100 * passed) / whole.length;
    const seen = `${passed} of ${whole.length} runs passed (${share.toFixed(1)} %)`;
    const names = failed.map(({ name, failures }) => `${name}: ${failures.join(', ')}`);
    return {
      // Whole numbers: 19 of 20 are exactly 95 percent.
      deviations:
        100 * passed >= percent * whole.length ? [] : [{ text: [seen, ...names].join('; ') }],
      ...{ seen, expected: `${percent} % of ${runs} runs or more` },
    };
  },
});

/** A run that had scenarios of other specs as well says nothing when it took longer. */
export const suiteTime = criterion<RunsOfSpec, RunsOfSpec, { runs: number; underSeconds: number }>({
  id: 'suite-time',
  title: 'Every run takes less than that time',
  failure: 'a run took too long',
  where: whereOf,
  measure: (recorded) => recorded,
  assess: (recorded, { runs, underSeconds }) => {
    const whole = wholeRuns(recorded, runs);
    const late = whole.filter(({ seconds = Infinity }) => seconds >= underSeconds);
    const own = late.filter(({ others }) => others === 0);
    const shown = ({ name, seconds }: RunOfSpec): string =>
      `${name}: ${seconds === undefined ? 'no end' : `${Math.round(seconds)} s`}`;
    if (own.length === 0 && late.length > 0) {
      throw new NotObserved({
        ...{ what: 'the runs had scenarios of other specs as well', where: whereOf(recorded) },
        ...{ seen: late.map(shown).join('; '), expected: `less than ${underSeconds} s` },
        next: `npm run soak -- --runs ${runs} --tags @${recorded.spec}`,
      });
    }
    const seen = (own.length > 0 ? own : whole).map(shown).join('; ');
    return {
      deviations: own.length > 0 ? [{ text: seen }] : [],
      ...{ seen, expected: `less than ${underSeconds} s` },
    };
  },
});
