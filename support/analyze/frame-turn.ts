/* How much the content of a frame is turned and enlarged, compared with another: by the gradients of its luma. */
import { LUMA_COLUMNS, LUMA_ROWS } from './thumbnails';

export interface FrameTurn {
  /** To either side. */
  degrees: number;
  /** 0.02: by 2 %; less than 0 where it is smaller. */
  enlarged: number;
}

const UNKNOWNS = 4;
const DEGREES = 180 / Math.PI;

/**
 * By least squares over all blocks but those at the edges: a small displacement changes luma by the gradient times its length
 * (Lucas and Kanade 1981); the displacement is a shift, a rotation and a scaling about the middle.
 *
 * @param shown thumbnails, of which luma is read
 * @returns undefined where too little is in the frame to tell
 */
export function frameTurn(shown: Uint8Array, own: Uint8Array): FrameTurn | undefined {
  const equations = Array.from({ length: UNKNOWNS }, () => new Float64Array(UNKNOWNS + 1));
  const values = new Float64Array(UNKNOWNS);
  for (let row = 1; row < LUMA_ROWS - 1; row += 1) {
    for (let column = 1; column < LUMA_COLUMNS - 1; column += 1) {
      const k = row * LUMA_COLUMNS + column;
      const x = column - (LUMA_COLUMNS - 1) / 2;
      const y = row - (LUMA_ROWS - 1) / 2;
      const across = ((own[k + 1] ?? 0) - (own[k - 1] ?? 0)) / 2;
      const down = ((own[k + LUMA_COLUMNS] ?? 0) - (own[k - LUMA_COLUMNS] ?? 0)) / 2;
      values[0] = across;
      values[1] = down;
      values[2] = down * x - across * y;
      values[3] = across * x + down * y;
      addEquations(equations, values, (own[k] ?? 0) - (shown[k] ?? 0));
    }
  }
  const [, , turn, scale] = solved(equations) ?? [];
  return turn === undefined || scale === undefined
    ? undefined
    : { degrees: DEGREES * Math.abs(turn), enlarged: scale };
}

/** Adds one block to the normal equations. Of each frame there are hundreds: without an object for any of them. */
function addEquations(equations: Float64Array[], values: Float64Array, changed: number): void {
  for (let i = 0; i < UNKNOWNS; i += 1) {
    const equation = equations[i];
    const value = values[i] ?? 0;
    if (!equation) continue;
    for (let j = 0; j < UNKNOWNS; j += 1)
      equation[j] = (equation[j] ?? 0) + value * (values[j] ?? 0);
    equation[UNKNOWNS] = (equation[UNKNOWNS] ?? 0) + value * changed;
  }
}

/** Gauss and Jordan; undefined where there is no single solution. */
function solved(equations: Float64Array[]): number[] | undefined {
  for (const [i, equation] of equations.entries()) {
    const pivot = equation[i] ?? 0;
    if (Math.abs(pivot) < 1e-6) return undefined;
    for (const [k, other] of equations.entries()) {
      if (k === i) continue;
      const times = (other[i] ?? 0) / pivot;
      for (let j = i; j < other.length; j += 1) {
        other[j] = (other[j] ?? 0) - times * (equation[j] ?? 0);
      }
    }
  }
  return equations.map((equation, i) => (equation.at(-1) ?? 0) / (equation[i] ?? NaN));
}
