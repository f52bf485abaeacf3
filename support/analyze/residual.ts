import { padded, productsAt } from './samples';

/** What is left of a stretch of audio when another one, which is known to be in it, is taken out. */
export interface Residual {
  /** The known audio as it is heard: filtered and at its level there. */
  fitted: Float32Array;
  /** `heard` minus `fitted`. */
  rest: Float32Array;
}

/** 17 taps at 4 kHz are ± 2 ms: enough for a resampler's filter and a fraction of a sample. */
const TAPS_AT_4_KHZ = 17;

/**
 * Takes `known` out of `heard`: a least-squares FIR filter turns it into what is heard (Wiener filter, see
 * Haykin, "Adaptive Filter Theory", ch. 2), which undoes level, resampling and lossy coding. Of a dub that went
 * through AAC -25 dB is left, so that other audio below the dub is easy to find.
 *
 * @param heard,known samples of one rate and length, aligned to within half of the filter's length
 * @param taps length of the filter, an odd number of samples
 */
export function takeOut(heard: Float32Array, known: Float32Array, taps = TAPS_AT_4_KHZ): Residual {
  const half = (taps - 1) / 2;
  const length = Math.min(heard.length, known.length);
  const own = known.subarray(0, length);
  // Reading beyond an array would make an object of each of its samples.
  const around = padded(own, -half, length + 2 * half);
  const auto = productsAt(padded(own, 0, length + taps - 1), own, taps);
  const cross = productsAt(around, heard.subarray(0, length), taps).reverse();
  // Minute regularisation: digital silence at both ends would make the equations singular.
  const equations = Array.from({ length: taps }, (_, i) =>
    Float64Array.from({ length: taps + 1 }, (__, j) => {
      if (j === taps) return cross[i] ?? 0;
      return (auto[Math.abs(i - j)] ?? 0) * (i === j ? 1 + 1e-6 : 1);
    }),
  );
  const filter = Float32Array.from(solve(equations).reverse());
  const fitted = Float32Array.from(productsAt(around, filter, length));
  const rest = new Float32Array(length);
  for (let at = 0; at < length; at += 1) rest[at] = (heard[at] ?? 0) - (fitted[at] ?? 0);
  return { fitted, rest };
}

/** Gauss-Jordan elimination of n equations, each with n coefficients and its right side; 0 where all are 0. */
function solve(rows: Float64Array[]): Float64Array {
  const n = rows.length;
  const at = (row: number, column: number): number => rows[row]?.[column] ?? 0;
  for (let column = 0; column < n; column += 1) {
    let pivot = column;
    for (let row = column + 1; row < n; row += 1) {
      if (Math.abs(at(row, column)) > Math.abs(at(pivot, column))) pivot = row;
    }
    const [one, other] = [rows[column], rows[pivot]];
    if (!one || !other || at(pivot, column) === 0) return new Float64Array(n);
    [rows[column], rows[pivot]] = [other, one];
    for (let row = 0; row < n; row += 1) {
      const factor = row === column ? 0 : at(row, column) / at(column, column);
      for (let k = column; factor !== 0 && k <= n; k += 1) {
        const target = rows[row];
        if (target) target[k] = at(row, k) - factor * at(column, k);
      }
    }
  }
  return Float64Array.from({ length: n }, (_, i) => at(i, n) / at(i, i));
}
