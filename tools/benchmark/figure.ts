import type { BroadcastRecord } from '../../support/broadcast/record';
import type { BenchmarkFigure } from '../../support/report/benchmark-file';

export function isWithin({ value, limit = Infinity }: BenchmarkFigure): boolean {
  return value <= limit;
}

/** In ms: how long the suite was kept waiting at once while any of them was on the air. */
export function longestWait(records: readonly Pick<BroadcastRecord, 'waits'>[]): number {
  const waits = records.flatMap((record) => record.waits ?? []);
  return Math.max(0, ...waits.map(({ ms }) => ms));
}

/** As it is printed. */
export function lineOf(figure: BenchmarkFigure): string {
  const { name, value, unit, limit } = figure;
  const shown = `${value.toFixed(unit === 'MB' ? 0 : 2)}${unit && ` ${unit}`}`;
  const judged =
    limit === undefined ? '' : `, at most ${limit}${isWithin(figure) ? '' : ': ABOVE'}`;
  return `${name.padEnd(60)} ${shown.padStart(10)}${judged}`;
}
