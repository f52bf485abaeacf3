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
  for (let row = 1; row < LUMA_ROWS - 1; row += 1) {
    for (let column = 1; column < LUMA_COLUMNS - 1; column += 1) {
      const k = row * LUMA_COLUMNS + column;
      const [x, y] = [column - (LUMA_COLUMNS - 1) / 2, row - (LUMA_ROWS - 1) / 2];
      const across = ((own[k + 1] ?? 0) - (own[k - 1] ?? 0)) / 2;
      const down = ((own[k + LUMA_COLUMNS] ?? 0) - (own[k - LUMA_COLUMNS] ?? 0)) / 2;
      const values = [across, down, down * x - across * y, across * x + down * y];
      const changed = (own[k] ?? 0) - (shown[k] ?? 0);
      equations.forEach((equation, i) => {
        const value = values[i] ?? 0;
        values.forEach((other, j) => (equation[j] = (equation[j] ?? 0) + value * other));
        equation[UNKNOWNS] = (equation[UNKNOWNS] ?? 0) + value * changed;
      });
    }
  }
  const [, , turn, scale] = solved(equations) ?? [];
  return turn === undefined || scale === undefined
    ? undefined
    : { degrees: DEGREES * Math.abs(turn), enlarged: scale };
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
