/** Whether a run of the suite says of a stand-in system what there is to say of it. Pure. */
import { stripVTControlCharacters } from 'node:util';

import { idsOf, outcomeOf, type ScenarioResult } from '../support/report/scenario-results';

type Result = Pick<ScenarioResult, 'name' | 'tags' | 'status' | 'notShown'>;

/** A line of the table. */
export interface Row {
  system: string;
  /** Empty for the conforming system. */
  flaw: string;
  counts: Record<'passed' | 'failed' | 'skipped' | 'not shown', number>;
  /** The IDs of the red scenarios. */
  red: string[];
  /** The first failure on the console, in a line; empty where there is none. */
  first: string;
  /** In what it is not as expected; empty where it is. */
  differs: string[];
}

/**
 * Judges one run.
 *
 * @param run.output what it has printed
 * @param cause what the first failure on the console has to say; undefined for a system that conforms
 */
export function judgeSystem(
  system: string,
  flaw: string,
  run: { results: readonly Result[]; output: string },
  cause: RegExp | undefined,
): Row {
  const of = (outcome: string): Result[] =>
    run.results.filter((result) => outcomeOf(result) === outcome);
  const [failed, skipped, notShown] = [of('failed'), of('skipped'), of('not shown')];
  const first = firstFailure(run.output);
  return {
    ...{ system, flaw, first: first.split('\n').join(' · ') },
    counts: {
      ...{ passed: of('passed').length, failed: failed.length },
      ...{ skipped: skipped.length, 'not shown': notShown.length },
    },
    red: idsIn(failed),
    differs: [
      ...(run.results.length === 0 ? ['no scenario ran'] : []),
      ...(skipped.length > 0 ? [`skipped: ${idsIn(skipped).join(', ')}`] : []),
      ...(cause ? causeFaults(first, cause) : conformingFaults({ failed, notShown })),
    ],
  };
}

function causeFaults(first: string, cause: RegExp): string[] {
  if (first === '') return ['nothing is red'];
  return cause.test(first) ? [] : [`the first failure does not say ${String(cause)}`];
}

function conformingFaults(others: Record<'failed' | 'notShown', readonly Result[]>): string[] {
  const { failed, notShown } = others;
  return [
    ...(failed.length > 0 ? [`red: ${idsIn(failed).join(', ')}`] : []),
    ...(notShown.length > 0 ? [`not shown: ${idsIn(notShown).join(', ')}`] : []),
  ];
}

function idsIn(results: readonly Result[]): string[] {
  return [...new Set(results.flatMap(idsOf))].sort();
}

/**
 * The first that the end of a run shows of what is wrong, the cause of several failures or a failure: all its lines, without
 * indentation, and without paths, which have the name of the flaw in them; empty where there is none.
 */
export function firstFailure(output: string): string {
  const lines = stripVTControlCharacters(output).split('\n');
  const from = lines.findIndex((line) => /^✘ (Cause of |1\. )/.test(line));
  if (from < 0) return '';
  const length = lines.slice(from).findIndex((line) => line.trim() === '');
  const block = length < 0 ? lines.slice(from) : lines.slice(from, from + length);
  const said = block.map((line) => line.trim()).filter((line) => !line.startsWith('evidence: '));
  return said.join('\n');
}

/** The rows with what differs below each, for people. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(({ system, flaw, counts, red, differs }) => [
    ...[differs.length === 0 ? '✔' : '✘', system, flaw || 'conforms'],
    ...[counts.passed, counts['not shown'], counts.skipped, counts.failed].map(String),
    red.join(' '),
  ]);
  const head = ['', 'system', 'flaw', 'green', 'not shown', 'skipped', 'red', ''];
  const widths = head.map((name, column) =>
    Math.max(...[head, ...cells].map((row) => (row[column] ?? name).length)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [
    line(head),
    ...rows.flatMap(({ first, differs }, index) => [
      line(cells[index] ?? []),
      ...(first === '' ? [] : [`     first: ${first}`]),
      ...differs.map((what) => `     ✘ ${what}`),
    ]),
  ].join('\n');
}
