/** How damage and good outputs are judged, as a table. */
import type { OutputVerdict } from '../../support/checks/output-criteria';

/** What the first criterion that does not hold says: that which tells what is wrong, another one, that it cannot be told, none. */
export const OUTCOMES = ['right', 'another', 'not shown', 'green'] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface Judged {
  outcome: Outcome;
  /** The criterion, and what it has seen; empty where all hold. */
  first: string;
  seen: string;
  /** Other criteria that fail as well, and follow from no other one. */
  others: readonly string[];
}

/** @param right the criteria that tell what is wrong; none where nothing is */
export function outcomeOf(verdicts: readonly OutputVerdict[], right: readonly string[]): Judged {
  const inState = (one: OutputVerdict['state']): OutputVerdict[] =>
    verdicts.filter(({ state }) => state === one);
  const [failed, notShown] = [inState('failed'), inState('not shown')];
  const [first, ...others] = [...failed, ...notShown];
  if (!first) return { outcome: 'green', first: '', seen: '', others: [] };
  const outcome = failed.length === 0 ? 'not shown' : undefined;
  return {
    outcome: outcome ?? (right.includes(first.criterion) ? 'right' : 'another'),
    ...{ first: first.criterion, seen: first.seen || first.what },
    others: others.map(({ criterion, state }) =>
      state === 'failed' ? criterion : `${criterion} not shown`,
    ),
  };
}

/** By kind of damage, how many were told by which criterion; with and without the frame strip. */
export function tableOf(
  rows: readonly { kind: string; judged: readonly Judged[] }[],
  columns: readonly string[],
): string {
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  const heads = columns.flatMap((column) => OUTCOMES.map((outcome) => `${column}: ${outcome}`));
  const counts = (some: typeof rows): number[] =>
    columns.flatMap((_, i) =>
      OUTCOMES.map((outcome) => some.filter(({ judged }) => judged[i]?.outcome === outcome).length),
    );
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const lines = kinds.map((kind) => {
    const some = rows.filter((row) => row.kind === kind);
    return line([kind, some.length, ...counts(some)]);
  });
  return [
    line(['kind', 'tried', ...heads]),
    line(['---', ...heads.map(() => '---'), '---']),
    ...lines,
    line(['all', rows.length, ...counts(rows)]),
  ].join('\n');
}
