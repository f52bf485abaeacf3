/** Where cucumber-js writes its results: apart until a run begins, so that one that does not leaves the earlier results. */
import { accessSync, constants, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { messageOf, SuiteError } from '../base/errors';
import { removeVerdicts } from '../checks/verdict-log';
import { removeReports } from './write-reports';

/** What cucumber-js itself writes, by its name for the format. */
export const FORMAT_FILES = {
  html: 'cucumber.html',
  json: 'cucumber.json',
  junit: 'junit.xml',
  message: 'messages.ndjson',
} as const;

/** In place of that of cucumber-js, which does not say why something is skipped. */
const JUNIT_FORMATTER = './support/report/junit-formatter.cjs';

/** What is said where no scenario has begun. */
export const NOTHING_RUN = 'Nothing was run; the results of an earlier run are kept.';

type FormatName = keyof typeof FORMAT_FILES;

const ALL_FORMATS = Object.keys(FORMAT_FILES) as FormatName[];

/** In the results folder, so that a file is moved and not copied: it stays open while cucumber-js writes to it. */
function pendingFolder(reportsFolder: string): string {
  return join(reportsFolder, '.next');
}

/** @throws SuiteError when it cannot be made, or written to */
export function makeReportsFolder(reportsFolder: string): void {
  try {
    // Node says ENOENT, instead of the reason, where a recursive mkdir ends at a read-only file system.
    accessSync(nearestExisting(reportsFolder), constants.W_OK);
    mkdirSync(reportsFolder, { recursive: true });
  } catch (error) {
    throw new SuiteError({
      ...{ what: 'the folder of the reports cannot be written to', where: reportsFolder },
      ...{ seen: messageOf(error), expected: 'a folder that can be made and written to' },
      next: 'set REPORTS_DIR to another one',
    });
  }
}

function nearestExisting(path: string): string {
  return existsSync(path) ? path : nearestExisting(dirname(path));
}

/** The formats as cucumber.js takes them. Their files are opened before it is known whether any scenario runs. */
export function formatsInto(
  reportsFolder: string,
  names: readonly FormatName[] = ALL_FORMATS,
): [name: string, file: string][] {
  return names.map((name) => [
    name === 'junit' ? JUNIT_FORMATTER : name,
    join(pendingFolder(reportsFolder), FORMAT_FILES[name]),
  ]);
}

/** Removes what a run has opened that did not begin. */
export function removePending(reportsFolder: string): void {
  rmSync(pendingFolder(reportsFolder), { recursive: true, force: true });
}

/**
 * A run begins: the results of an earlier one are removed, and this one's put in their place. Evidence folders stay, as
 * their names are their own.
 */
export function beginResults(reportsFolder: string): void {
  removeReports(reportsFolder);
  removeVerdicts(reportsFolder);
  const pending = pendingFolder(reportsFolder);
  // Another configuration of cucumber-js writes where it likes.
  if (!existsSync(pending)) return;
  for (const file of Object.values(FORMAT_FILES)) {
    const [from, to] = [join(pending, file), join(reportsFolder, file)];
    rmSync(to, { force: true });
    if (existsSync(from)) renameSync(from, to);
  }
  removePending(reportsFolder);
}
