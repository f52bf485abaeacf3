/**
 * `npm run compare -- RUN_A RUN_B [--all] [--json]`: what is different in the second of two runs, by their results folders:
 * how scenarios ended, and which figures of broadcasts moved beyond noise. `--last N [--history FILE]` takes the median of the
 * last N runs of the history in place of RUN_A; RUN_B is then the results folder, if none is given. `--all` lists the others
 * as well, `--json` writes everything as JSON. Exit code 0 when nothing got worse, 1 when something did, 2 for a usage error.
 */

import { readCommandLine, usageError } from '../support/base/command-line';
import { messageOf, SuiteError } from '../support/base/errors';
import { readConfig } from '../support/config';
import { medianOf, runsBefore } from '../support/history/median';
import { recordOf } from '../support/history/record-of-run';
import { historyFileOf, readHistory } from '../support/history/store';
import {
  type ComparedRun,
  compareRuns,
  comparisonText,
  readComparedRun,
} from '../support/report/compare';
import { readRequirements } from '../support/report/requirements';
import { factsAlone, readPart } from '../support/report/run-report';

const USAGE = [
  'usage: npm run compare -- RUN_A RUN_B [--all] [--json]',
  '       npm run compare -- [RUN_B] --last N [--history FILE] [--all] [--json]',
].join('\n');

interface Arguments {
  folders: string[];
  /** Of how many runs the median takes the place of the first one. */
  last: number | undefined;
  history: string | undefined;
  all: boolean;
  json: boolean;
}

function readArguments(): Arguments {
  const { values, positionals: folders } = readCommandLine(
    USAGE,
    {
      ...{ last: { type: 'string' }, history: { type: 'string' } },
      all: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
    2,
  );
  const { history, ...others } = values;
  if (values.last === undefined) {
    if (folders.length === 2) return { ...others, folders, last: undefined, history };
    return usageError(USAGE, 'the results folders of two runs are needed');
  }
  const last = Number(values.last);
  if (Number.isInteger(last) && last > 0 && folders.length < 2) {
    return { ...others, folders, last, history };
  }
  return usageError(
    USAGE,
    '--last takes a number of runs, and at most one results folder beside it',
  );
}

function comparedRuns({ folders, last, history }: Arguments): [ComparedRun, ComparedRun] {
  const [a = '', b = ''] = folders;
  if (last === undefined) return [readComparedRun(a), readComparedRun(b)];
  const config = readConfig();
  const folder = folders[0] ?? config.reportsFolder;
  const now = readComparedRun(folder);
  const part = readPart(folder);
  const run = recordOf([part], factsAlone(part), readRequirements());
  const file = history ?? historyFileOf(config, folder);
  const before = runsBefore(run, readHistory([file]).runs, last);
  if (before.length > 0) return [medianOf(before), now];
  throw new SuiteError({
    ...{ what: 'there is no run in the history that this one can be compared with', where: file },
    seen: 'none before it that was of the same scenarios, in the same runtime, and has an end',
    expected: 'one or more',
    next: `npm run report -- FOLDER adds the runs whose results are there`,
  });
}

try {
  const given = readArguments();
  const comparison = compareRuns(...comparedRuns(given));
  const text = (): string => comparisonText(comparison, given.all);
  console.log(given.json ? JSON.stringify(comparison, null, 2) : text());
  process.exitCode = comparison.gotWorse > 0 ? 1 : 0;
} catch (error) {
  if (!(error instanceof SuiteError)) throw error;
  console.error(messageOf(error));
  process.exitCode = 2;
}
