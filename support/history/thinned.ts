import { median } from './median';
import { momentOf, type RunRecord } from './run-record';

/** So many places a chart has; of more runs, each place is of several that follow each other. */
const MOST_PLACES = 120;

/** What a chart shows at one place: of one run, or of several, their median and how far they are apart. */
export interface Place {
  /** When, and of how many runs. */
  text: string;
  median: number;
  least: number;
  most: number;
}

/** A figure of runs, in their order; where none of a place has it, there is nothing. */
export function thinned(
  runs: readonly RunRecord[],
  figureOf: (run: RunRecord) => number | undefined,
): (Place | undefined)[] {
  const size = Math.ceil(runs.length / MOST_PLACES);
  return Array.from({ length: Math.ceil(runs.length / (size || 1)) }, (_, index) => {
    const own = runs.slice(index * size, (index + 1) * size);
    const values = own.flatMap((run) => figureOf(run) ?? []);
    const [first, middle] = [own[0], median(values)];
    if (!first || middle === undefined) return undefined;
    const several = own.length > 1 ? `${own.length} runs from ` : '';
    return {
      text: `${several}${momentOf(first)}`,
      ...{ median: middle, least: Math.min(...values), most: Math.max(...values) },
    };
  });
}
