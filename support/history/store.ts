/**
 * The file that the history of runs is kept in: lines of JSON (NDJSON), which are only ever appended, each by one write. Two
 * runs can append at the same time, files of several machines are merged by writing one after the other, and a line that
 * was not written to its end spoils no other. 10,000 runs are read in about a second; a data base would have to be
 * built for each platform, and could be merged by none of these.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { messageOf, SuiteError } from '../base/errors';
import { jsonOf } from '../base/json';
import { hidingSecrets } from '../base/safe-text';
import { reportFiles } from '../report/facts';
import { HISTORY_VERSION, lineOf, linesOf, type Names, type RunRecord } from './run-record';

const LINE_FEED = 0x0a;

/** What a history holds. */
export interface History {
  /** In the order in which they began. */
  runs: RunRecord[];
  /** What of its files is not in it, and why. */
  leftOut: string[];
}

/** Where runs whose results lie in a folder are kept: HISTORY_FILE, or in that folder. */
export function historyFileOf(
  { historyFile }: { historyFile: string | undefined },
  reportsFolder: string,
): string {
  return historyFile ?? join(reportsFolder, reportFiles.history);
}

/**
 * Adds a run. One that is there already is replaced by it for whoever reads the file.
 *
 * @throws SuiteError when the file cannot be written
 */
export function appendRun(file: string, record: RunRecord): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    const [names, run] = linesOf(record);
    const there = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
    // A report that is made again is of the same run.
    const lines = [names, run]
      .map((one) => JSON.stringify(one, hidingSecrets))
      .filter((line) => !there.includes(`${line}\n`));
    if (lines.length === 0) return;
    // What was broken off before is not to swallow this line as well.
    const isBrokenOff = there.length > 0 && there.at(-1) !== LINE_FEED;
    appendFileSync(file, `${isBrokenOff ? '\n' : ''}${lines.join('\n')}\n`);
  } catch (error) {
    throw new SuiteError(
      {
        ...{ what: 'the run cannot be added to the history', where: file, seen: messageOf(error) },
        expected: 'a file that can be written to, with space on its disk',
        next: 'free some space, or set HISTORY_FILE to another file',
      },
      { cause: error },
    );
  }
}

/**
 * Reads histories as one; a file that is not there is an empty one. Of several lines of one run, the last one that has an
 * end counts.
 *
 * @throws SuiteError when a file is there and cannot be read
 */
export function readHistory(files: readonly string[]): History {
  const known = new Map<string, RunRecord['names']>();
  const runs = new Map<string, Exclude<ReturnType<typeof lineOf>, 'newer' | undefined | Names>>();
  const leftOut: string[] = [];
  for (const file of files) {
    let newer = 0;
    const unreadable: number[] = [];
    textOf(file)
      .split('\n')
      .forEach((text, index) => {
        if (text === '') return;
        const line = lineOf(jsonOf(text));
        if (line === undefined) unreadable.push(index + 1);
        else if (line === 'newer') newer += 1;
        else if (!('run' in line)) {
          const { names, ...rest } = line;
          known.set(names, rest);
        } else if (line.seconds !== undefined || runs.get(line.run)?.seconds === undefined) {
          runs.set(line.run, line);
        }
      });
    if (unreadable.length > 0) {
      leftOut.push(
        `${file}: no record of a run at line ${unreadable.join(', ')}: a run was killed while it was writing`,
      );
    }
    if (newer > 0) {
      leftOut.push(
        `${file}: ${newer} of a newer version of the suite than this one, which reads version ${HISTORY_VERSION}`,
      );
    }
  }
  const complete = [...runs.values()].flatMap((run): RunRecord[] => {
    const names = known.get(run.names);
    if (names) return [{ ...run, names }];
    leftOut.push(`run of ${run.startedAt}: the line with the names of its scenarios is missing`);
    return [];
  });
  complete.sort((a, b) => (a.startedAt < b.startedAt ? -1 : 1));
  return { runs: complete, leftOut };
}

function textOf(file: string): string {
  if (!existsSync(file)) return '';
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new SuiteError(
      {
        ...{ what: 'the history cannot be read', where: file, seen: messageOf(error) },
        expected: 'the file as the suite has written it',
      },
      { cause: error },
    );
  }
}

/** Writes the lines of several histories into one, each line once; what cannot be read as well. Returns its file. */
export function mergeHistories(files: readonly string[], to: string): string {
  const lines = new Set(files.flatMap((file) => textOf(file).split('\n')).filter(Boolean));
  writeFileSync(to, `${[...lines].join('\n')}\n`);
  return to;
}
