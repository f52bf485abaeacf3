/*
 * How strong the edges of a frame are, compared with those of another one. An encoder that is short of bits leaves details out,
 * and keeps the others as they were; a blur makes all of them fainter. So, what an encoder has left comes no nearer to the
 * source when it is amplified, and what is blurred does.
 */
import { EDGES_AT, LUMA_BYTES, LUMA_COLUMNS, LUMA_ROWS, NO_EDGE } from './thumbnails';

/** Sums of products over the edges of a part of a frame, or of several: also of its blocks of luma, about their mean. */
export interface Products {
  /** How many there are. */
  count: number;
  ofShown: number;
  ofOwn: number;
  both: number;
}

export const NO_PRODUCTS: Products = { count: 0, ofShown: 0, ofOwn: 0, both: 0 };

export function sumOf(all: readonly Products[]): Products {
  const sum = { ...NO_PRODUCTS };
  for (const { count, ofShown, ofOwn, both } of all) {
    sum.count += count;
    sum.ofShown += ofShown;
    sum.ofOwn += ofOwn;
    sum.both += both;
  }
  return sum;
}

/** The edges of each quarter of a frame. */
export function compareEdges(shown: Uint8Array, own: Uint8Array): Products[] {
  const quarters = [0, 1, 2, 3].map(() => ({ ...NO_PRODUCTS }));
  for (let k = 0; k < LUMA_BYTES; k += 1) {
    const [row, column] = [Math.floor(k / LUMA_COLUMNS), k % LUMA_COLUMNS];
    const [down, right] = [2 * row < LUMA_ROWS ? 0 : 1, 2 * column < LUMA_COLUMNS ? 0 : 1];
    const quarter = quarters[2 * down + right];
    if (quarter) addEdge(quarter, shown, own, k);
  }
  return quarters;
}

/** @param at the blocks of which the edges are wanted */
export function edgesAt(at: readonly number[], shown: Uint8Array, own: Uint8Array): Products {
  const sum = { ...NO_PRODUCTS };
  for (const k of at) addEdge(sum, shown, own, k);
  return sum;
}

function addEdge(sum: Products, shown: Uint8Array, own: Uint8Array, k: number): void {
  const a = (shown[EDGES_AT + k] ?? NO_EDGE) - NO_EDGE;
  const b = (own[EDGES_AT + k] ?? NO_EDGE) - NO_EDGE;
  sum.count += 1;
  sum.ofShown += a * a;
  sum.ofOwn += b * b;
  sum.both += a * b;
}

/** Correlation; 1: the same. */
export function likeness({ ofShown, ofOwn, both }: Products): number {
  return both / Math.max(1, Math.sqrt(ofShown * ofOwn));
}

/** By how much the edges that are shown have to be amplified to be as near to the source's as they can be (least squares). */
export function amplification({ ofShown, both }: Products): number {
  return both / Math.max(1, ofShown);
}

/** Of the source's: root mean square. */
export function strength({ ofShown, ofOwn }: Products): number {
  return Math.sqrt(ofShown / Math.max(1, ofOwn));
}
