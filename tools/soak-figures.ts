/** What `npm run soak` makes of its figures. */

/** What a program with all its processes took. Descriptors: in the first sample, the most, and at the end. */
export interface Usage {
  /** Resident memory, MB (10^6 bytes), summed over its processes. */
  peakMegabytes: number;
  descriptors: { first: number; peak: number; last: number };
}

interface Run {
  exitCode: number;
  reportBytes: number;
  usage: Record<string, Usage>;
}

/** Fewer tell nothing of a trend. */
const LEAST_RUNS = 9;
/** A load of the machine, or one more connection that has not yet been closed, makes that much of a difference. */
const TOLERANCE = 1.2;

/** "min / median / max", or "-" of nothing. */
export function spread(figures: readonly number[]): string {
  const sorted = [...figures].sort((a, b) => a - b);
  if (sorted.length === 0) return '-';
  return [sorted[0], medianOf(sorted), sorted.at(-1)].join(' / ');
}

/**
 * What grows from run to run: even the smallest of the last third of the runs is more than a fifth above the largest of
 * the first third. (Usage is sampled once a second, and a short peak is seen in some runs only.) Of runs that passed
 * only, as others do other things, and in which it was seen; nothing is said of fewer than nine.
 *
 * @returns one line for each figure that grows
 */
export function grown(runs: readonly Run[]): string[] {
  const passed = runs.filter(({ exitCode }) => exitCode === 0);
  const programs = [...new Set(passed.flatMap(({ usage }) => Object.keys(usage)))];
  const figures: [string, (run: Run) => number | undefined][] = [
    ['size of the results, bytes', (run) => run.reportBytes],
    ...programs.flatMap((program): [string, (run: Run) => number | undefined][] => [
      [`peak memory of ${program}, MB`, ({ usage }) => usage[program]?.peakMegabytes],
      [`descriptors of ${program} at the end`, ({ usage }) => usage[program]?.descriptors.last],
    ]),
  ];
  return figures.flatMap(([what, figureOf]) => {
    const seen = passed.flatMap((run) => figureOf(run) ?? []);
    if (seen.length < LEAST_RUNS) return [];
    const third = Math.floor(seen.length / 3);
    const most = Math.max(...seen.slice(0, third));
    const least = Math.min(...seen.slice(-third));
    return least > most * TOLERANCE
      ? [`${what} grew from at most ${most} to ${least} or more`]
      : [];
  });
}

/** @param sorted in ascending order, not empty */
function medianOf(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
