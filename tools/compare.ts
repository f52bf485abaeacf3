/**
 * `npm run compare -- RUN_A RUN_B [--all] [--json]`: what is different in the second of two runs, by their results folders:
 * how scenarios ended, and which figures of broadcasts moved beyond noise. `--all` lists the others as well, `--json`
 * writes everything as JSON. Exit code 0 when nothing got worse, 1 when something did, 2 for a usage
 * error.
 */
import { parseArgs } from 'node:util';

import { messageOf, SuiteError } from '../support/base/errors';
import { compareRuns, comparisonText, readComparedRun } from '../support/report/compare';

const USAGE = 'usage: npm run compare -- RUN_A RUN_B [--all] [--json]';

function readArguments(args: string[]): { folders: [string, string]; all: boolean; json: boolean } {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      all: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const [a, b, ...others] = positionals;
  if (a !== undefined && b !== undefined && others.length === 0)
    return { folders: [a, b], ...values };
  throw new TypeError('the results folders of two runs are needed');
}

try {
  const { folders, all, json } = readArguments(process.argv.slice(2));
  const comparison = compareRuns(readComparedRun(folders[0]), readComparedRun(folders[1]));
  console.log(json ? JSON.stringify(comparison, null, 2) : comparisonText(comparison, all));
  process.exitCode = comparison.gotWorse > 0 ? 1 : 0;
} catch (error) {
  if (!(error instanceof TypeError || error instanceof SuiteError)) throw error;
  console.error(error instanceof TypeError ? `${error.message}\n${USAGE}` : messageOf(error));
  process.exitCode = 2;
}
