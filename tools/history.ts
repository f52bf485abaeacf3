/**
 * `npm run history -- [FILE …] [--to FOLDER] [--runtime NAME]`: the page of all runs, of one or several histories (HISTORY_FILE,
 * or that of the results folder, when none is given). Several become one: `--to` gets the page, and the lines of all of them.
 * Exit code 0; 2 for a usage error, 1 when a file cannot be read.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { readCommandLine, usageError } from '../support/base/command-line';
import { messageOf, SuiteError } from '../support/base/errors';
import { readConfig } from '../support/config';
import { writeHistory } from '../support/history/remember';
import { verdictLine } from '../support/history/repeated-runs';
import { historyFileOf, mergeHistories, readHistory } from '../support/history/store';
import { reportFiles } from '../support/report/facts';
import { counted } from '../support/report/wording';

const USAGE = 'usage: npm run history -- [FILE …] [--to FOLDER] [--runtime NAME]';

async function main(): Promise<void> {
  const options = { to: { type: 'string' }, runtime: { type: 'string' } } as const;
  const { values, positionals } = readCommandLine(USAGE, options, Infinity);
  const config = readConfig();
  if (positionals.length > 1 && values.to === undefined) {
    usageError(USAGE, '--to FOLDER is needed for several histories');
  }
  const to = resolve(values.to ?? config.reportsFolder);
  const given = positionals.length > 0 ? positionals : [historyFileOf(config, to)];
  const missing = given.filter((file) => !existsSync(file));
  if (missing.length > 0) usageError(USAGE, `there is no ${missing.join(', ')}`);
  mkdirSync(to, { recursive: true });
  const files = given.length > 1 ? [mergeHistories(given, join(to, reportFiles.history))] : given;
  const history = readHistory(files);
  const judged = await writeHistory(to, history, {
    ...{ runtime: values.runtime, isBesideRun: existsSync(join(to, reportFiles.index)) },
  });
  console.log(judged.map(verdictLine).join('\n'));
  console.log([...history.leftOut, ''].join('\n'));
  console.log(`${counted(history.runs.length, 'run')}: ${join(to, reportFiles.historyPage)}`);
}

main().catch((error: unknown) => {
  if (!(error instanceof SuiteError)) throw error;
  console.error(messageOf(error));
  process.exitCode = 1;
});
