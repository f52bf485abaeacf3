import type { BenchmarkFigure } from '../../support/report/benchmark-file';

export function isWithin({ value, limit = Infinity }: BenchmarkFigure): boolean {
  return value <= limit;
}

/** As it is printed. */
export function lineOf(figure: BenchmarkFigure): string {
  const { name, value, unit, limit } = figure;
  const shown = `${value.toFixed(unit === 'MB' ? 0 : 2)}${unit && ` ${unit}`}`;
  const judged =
    limit === undefined ? '' : `, at most ${limit}${isWithin(figure) ? '' : ': ABOVE'}`;
  return `${name.padEnd(60)} ${shown.padStart(10)}${judged}`;
}
