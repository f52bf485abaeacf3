import FFT from 'fft.js';

import { type Finding, unobserved } from './finding';
import { energyOf } from './samples';

export interface Placement {
  /** Where the needle's first sample lies in the haystack; negative when its beginning is cut off. */
  offsetSeconds: number;
  /** Normalised correlation there: 1 for the same signal at any volume, about 0 for an unrelated one. */
  score: number;
  /** The best score more than 50 ms away from `offsetSeconds`. */
  runnerUpScore: number;
  /** Every place that scores 0.5 or more and is the best within 0.25 s, by time. */
  places: Place[];
}

export interface Place {
  offsetSeconds: number;
  score: number;
}

/** Finds a needle in the haystack it was made for. */
export type Locator = (needle: Float32Array) => Finding<Placement>;

const RUNNER_UP_DISTANCE_SECONDS = 0.05;
/** Audio counts as found from this correlation on. Unrelated speech stays below 0.15, see the tests. */
export const FOUND_SCORE = 0.5;
const PLACE_DISTANCE_SECONDS = 0.25;

/**
 * Finds where in the haystack the needle fits best: normalised cross-correlation, dividing by the energy of
 * the place compared, so that loud places do not win (J. P. Lewis, "Fast Normalized Cross-Correlation", 1995).
 * The needle may stick out at either end by half its length; what sticks out counts as missing.
 *
 * @param needle mono samples at `rateHz`
 * @returns unobserved when needle or haystack is empty or digitally silent
 */
export function locate(
  needle: Float32Array,
  haystack: Float32Array,
  rateHz: number,
): Finding<Placement> {
  return locatorIn(haystack, rateHz, false)(needle);
}

/** As {@link locate}, for many needles: the spectra of the haystack are computed once. */
export function makeLocator(haystack: Float32Array, rateHz: number): Locator {
  return locatorIn(haystack, rateHz, true);
}

/** @param remembers whether spectra are kept for the next needle: for each power of two that needles take, four times the haystack */
function locatorIn(haystack: Float32Array, rateHz: number, remembers: boolean): Locator {
  const spectra = new Map<number, Spectra>();
  const sums = remembers
    ? new Float64Array(haystack.length + 1)
    : roomFor('sums', haystack.length + 1);
  const energySums = cumulativeEnergy(haystack, sums);
  const haystackEnergy = energySums[haystack.length] ?? 0;
  return (needle) => {
    const needleEnergy = energyOf(needle);
    if (needleEnergy === 0)
      return unobserved('the audio to search for is empty or digitally silent');
    if (haystackEnergy === 0)
      return unobserved('the audio to search in is empty or digitally silent');

    const size = 2 ** Math.ceil(Math.log2(Math.max(1024, 2 * needle.length)));
    const known = remembers ? (spectra.get(size) ?? new Map<number, Float64Array>()) : undefined;
    if (known) spectra.set(size, known);

    const firstLag = -Math.floor(needle.length / 2);
    const lastLag = haystack.length - Math.ceil(needle.length / 2);
    const scores = correlate(needle, haystack, { size, firstLag, lastLag }, known);
    // 60 dB below the needle or the mean of the haystack there is only rounding noise to correlate with.
    const floor = Math.min(needleEnergy, (haystackEnergy * needle.length) / haystack.length) / 1e6;
    normalise(scores, energySums, { firstLag, needleEnergy, floor, length: needle.length });

    const best = peakOf(scores, () => true);
    const distance = RUNNER_UP_DISTANCE_SECONDS * rateHz;
    const runnerUp = peakOf(scores, (i) => Math.abs(i - best) > distance);
    return {
      observed: true,
      offsetSeconds: (firstLag + best) / rateHz,
      score: clamp(scores[best]),
      runnerUpScore: clamp(scores[runnerUp]),
      places: peaksOf(scores, PLACE_DISTANCE_SECONDS * rateHz).map((peak) => ({
        offsetSeconds: (firstLag + peak) / rateHz,
        score: clamp(scores[peak]),
      })),
    };
  };
}

/** Spectra of pieces of a haystack, by first sample: the half that a real signal has, as re, im, re, im, … */
type Spectra = Map<number, Float64Array>;

/**
 * Arrays that every search needs, some MB of them. They are used again: memory that is given back after each search is collected
 * late, and a thread that searches has taken 100 MB by then.
 */
const rooms = new Map<string, Float64Array>();

/** An array of zeros. @param use of which there is one at a time */
function roomFor(use: string, length: number): Float64Array {
  let room = rooms.get(use);
  if (!room || room.length < length) rooms.set(use, (room = new Float64Array(length)));
  return room.subarray(0, length).fill(0);
}

/** By size, as each has tables of its own. */
const transforms = new Map<number, FFT>();

function transformOf(size: number): FFT {
  const transform = transforms.get(size) ?? new FFT(size);
  transforms.set(size, transform);
  return transform;
}

/**
 * Dot products of the needle with the haystack at each lag, by the overlap-save method.
 *
 * @param known spectra that are remembered; undefined where none is
 * @returns an array that the next search uses again
 */
function correlate(
  needle: Float32Array,
  haystack: Float32Array,
  { size, firstLag, lastLag }: { size: number; firstLag: number; lastLag: number },
  known: Spectra | undefined,
): Float64Array {
  const fft = transformOf(size);
  const needleSpectrum = spectrum(fft, needle, 0, roomFor('needle', 2 * size));
  const [product, result] = [roomFor('product', 2 * size), roomFor('result', 2 * size)];
  const dots = roomFor('dots', lastLag - firstLag + 1);
  // Needles of other lengths need the same pieces: they take half of one at most.
  const usable = size / 2;
  const start = usable * Math.floor(firstLag / usable);
  const pieceAt = (lag: number, use: string): Float64Array => {
    const before = known?.get(lag);
    if (before) return before;
    const piece = spectrum(fft, haystack, lag, roomFor(use, 2 * size));
    if (!known) return piece;
    const kept = piece.slice();
    known.set(lag, kept);
    return kept;
  };
  for (let lag = start; lag <= lastLag; lag += 2 * usable) {
    const next = lag + usable;
    const one = pieceAt(lag, 'one');
    const other = next <= lastLag ? pieceAt(next, 'other') : roomFor('other', 2 * size);
    multiply(needleSpectrum, one, other, product);
    fft.inverseTransform(result, product);
    for (const [part, from] of [lag, next].entries()) {
      const [first, end] = [Math.max(from, firstLag), Math.min(from + usable, lastLag + 1)];
      if (first >= end) continue;
      takeEverySecond(
        result,
        2 * (first - from) + part,
        dots.subarray(first - firstLag, end - firstLag),
      );
    }
  }
  return dots;
}

// Loops of their own functions, without lists: those of longer ones are compiled again and again, and until then each number is an object.

/**
 * The spectra of two pieces, each times the conjugate one of the needle. Two by one transform: what both give is real, so that the
 * second one, times i, comes out as the imaginary part.
 *
 * @param product becomes the whole spectrum of both
 */
function multiply(
  needle: Float64Array,
  one: Float64Array,
  other: Float64Array,
  product: Float64Array,
): void {
  const half = product.length / 2;
  for (let k = 0; k <= half; k += 2) {
    const c = needle[k] ?? 0;
    const d = needle[k + 1] ?? 0;
    const a = one[k] ?? 0;
    const b = one[k + 1] ?? 0;
    const e = other[k] ?? 0;
    const f = other[k + 1] ?? 0;
    const oneRe = a * c + b * d;
    const oneIm = b * c - a * d;
    const otherRe = e * c + f * d;
    const otherIm = f * c - e * d;
    product[k] = oneRe - otherIm;
    product[k + 1] = oneIm + otherRe;
    if (k === 0 || k === half) continue;
    product[2 * half - k] = oneRe + otherIm;
    product[2 * half - k + 1] = otherRe - oneIm;
  }
}

/** @param sums of the energy of the haystack, one more than it has samples or longer */
function normalise(
  scores: Float64Array,
  sums: Float64Array,
  by: { firstLag: number; length: number; needleEnergy: number; floor: number },
): void {
  const { firstLag, length, needleEnergy, floor } = by;
  for (let i = 0; i < scores.length; i += 1) {
    const start = Math.max(0, firstLag + i);
    const end = Math.min(sums.length - 1, firstLag + i + length);
    const energy = (sums[end] ?? 0) - (sums[start] ?? 0);
    scores[i] = (scores[i] ?? 0) / Math.sqrt(needleEnergy * Math.max(energy, floor));
  }
}

function takeEverySecond(from: Float64Array, first: number, to: Float64Array): void {
  for (let i = 0; i < to.length; i += 1) to[i] = from[2 * i + first] ?? 0;
}

/**
 * Spectrum of as many samples as the transform takes, from `start` on; samples outside of the signal are 0.
 *
 * @param room of two numbers for each
 * @returns the first half of the room, which has all that there is of a real signal, and the middle
 */
function spectrum(fft: FFT, signal: Float32Array, start: number, room: Float64Array): Float64Array {
  const piece = roomFor('piece', room.length / 2);
  const from = Math.max(0, start);
  const to = Math.min(signal.length, start + piece.length);
  if (to > from) piece.set(signal.subarray(from, to), from - start);
  fft.realTransform(room, piece);
  return room.subarray(0, piece.length + 2);
}

/** @param sums element `i` becomes the energy of the first `i` samples; all zeros before */
function cumulativeEnergy(signal: Float32Array, sums: Float64Array): Float64Array {
  for (let i = 0; i < signal.length; i += 1) sums[i + 1] = (sums[i] ?? 0) + (signal[i] ?? 0) ** 2;
  return sums;
}

function peakOf(scores: Float64Array, allowed: (index: number) => boolean): number {
  let best = -1;
  for (let i = 0; i < scores.length; i += 1) {
    if ((best < 0 || (scores[i] ?? 0) > (scores[best] ?? 0)) && allowed(i)) best = i;
  }
  return best;
}

/** The indices of scores that are found and not beaten within `distance`. */
function peaksOf(scores: Float64Array, distance: number): number[] {
  const peaks: number[] = [];
  for (let i = 0; i < scores.length; i += 1) {
    const score = scores[i] ?? 0;
    if (score < FOUND_SCORE) continue;
    const last = peaks.at(-1);
    if (last === undefined || i - last > distance) peaks.push(i);
    else if (score > (scores[last] ?? 0)) peaks[peaks.length - 1] = i;
  }
  return peaks;
}

function clamp(score: number | undefined): number {
  return Math.max(0, Math.min(1, score ?? 0));
}
