/*
 * Samples of audio, mono, -1 to 1: in memory, or those of a long recording in a file, of which stretches are read. Both are plain data
 * that worker threads are given without a copy.
 */
import { readAt, scratchFile, writeAt } from './scratch-file';

/** In a scratch file, as 32-bit floats. */
export interface StoredSamples {
  fd: number;
  /** Which sample of the file is the first one. */
  first: number;
  length: number;
}

export type Samples = Float32Array | StoredSamples;

/** The rate at which speech is listened to and compared: recognizers ask for it, and clicks are told by what is above 4 kHz. */
export const SPEECH_RATE_HZ = 16_000;
/** The rate at which dubs are searched in the output; one sample is 0.25 ms, and speech is loudest below 2 kHz. */
export const SEARCH_RATE_HZ = 4000;

export const SAMPLE_BYTES = 4;

/** What is copied at a time. */
const PIECE_SAMPLES = 2 ** 15;

/** A part of samples, as far as there is one, in memory: a view of those that are there already. */
export function samplesIn(samples: Samples, from = 0, to = samples.length): Float32Array {
  const part = partOf(samples, from, to);
  if (part instanceof Float32Array) return part;
  const bytes = new Uint8Array(SAMPLE_BYTES * part.length);
  readAt(part.fd, bytes, SAMPLE_BYTES * part.first);
  return new Float32Array(bytes.buffer);
}

/** The same, without reading it. */
export function partOf(samples: Samples, from: number, to: number): Samples {
  const within = (at: number): number => Math.max(0, Math.min(Math.trunc(at), samples.length));
  const first = within(from);
  const end = Math.max(first, within(to));
  if (samples instanceof Float32Array) return samples.subarray(first, end);
  return { fd: samples.fd, first: samples.first + first, length: end - first };
}

/** `count` samples from one on, which may be negative; silence where there are none. */
export function padded(samples: Samples, from: number, count: number): Float32Array {
  const piece = new Float32Array(count);
  piece.set(samplesIn(samples, from, from + count), Math.min(count, Math.max(0, -from)));
  return piece;
}

/** Sum of the squares. In a loop: `reduce` makes an object of each sample. */
export function energyOf(samples: Float32Array): number {
  return productOf(samples, samples);
}

/** Sum of the products of samples with those of others, which are at least as many. */
export function productOf(samples: Float32Array, others: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i += 1) sum += (samples[i] ?? 0) * (others[i] ?? 0);
  return sum;
}

/**
 * The products of a piece with the samples at each of `count` places, the first one at their beginning: what is alike at which lag, and a
 * filter, whose coefficients are the piece. Four places at a time, so that each sample is read once for them, and their sums do not wait for
 * each other.
 *
 * @param samples at least `piece.length + count - 1` of them
 * @param step by which samples of the piece: each, each second one, …
 */
export function productsAt(
  samples: Float32Array,
  piece: Float32Array,
  count: number,
  step = 1,
): Float64Array {
  const products = new Float64Array(count);
  const inFours = count - (count % (4 * step));
  for (let place = 0; place < inFours; place += 1) {
    if (place % (4 * step) < step) putFourProducts(samples, piece, step, products, place);
  }
  for (let place = inFours; place < count; place += 1) {
    let sum = 0;
    for (let i = 0; i < piece.length; i += step) sum += (piece[i] ?? 0) * (samples[place + i] ?? 0);
    products[place] = sum;
  }
  return products;
}

/** At places that are `step` apart. */
function putFourProducts(
  samples: Float32Array,
  piece: Float32Array,
  step: number,
  products: Float64Array,
  place: number,
): void {
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  let at0 = samples[place] ?? 0;
  let at1 = samples[place + step] ?? 0;
  let at2 = samples[place + 2 * step] ?? 0;
  for (let i = 0; i < piece.length; i += step) {
    const at3 = samples[place + i + 3 * step] ?? 0;
    const x = piece[i] ?? 0;
    sum0 += x * at0;
    sum1 += x * at1;
    sum2 += x * at2;
    sum3 += x * at3;
    at0 = at1;
    at1 = at2;
    at2 = at3;
  }
  products[place] = sum0;
  products[place + step] = sum1;
  products[place + 2 * step] = sum2;
  products[place + 3 * step] = sum3;
}

/** Correlation of a piece with samples from one on, by each of its `step` samples; what is outside of these is silent. */
export function correlationAt(
  samples: Float32Array,
  from: number,
  piece: Float32Array,
  step = 1,
): number {
  let product = 0;
  let own = 1e-9;
  let other = 1e-9;
  for (let i = 0; i < piece.length; i += step) {
    const x = samples[from + i] ?? 0;
    const y = piece[i] ?? 0;
    product += x * y;
    own += y * y;
    other += x * x;
  }
  return product / Math.sqrt(other * own);
}

/** The same at each of `count` places, the first one at the beginning of the samples; see {@link productsAt}. */
export function correlationsAt(
  samples: Float32Array,
  piece: Float32Array,
  count: number,
  step = 1,
): Float64Array {
  const scores = productsAt(samples, piece, count, step);
  const own = 1e-9 + energyFrom(piece, 0, piece.length, step);
  const energies = energiesAt(samples, piece.length, count, step);
  for (let place = 0; place < count; place += 1) {
    const other = 1e-9 + Math.max(0, energies[place] ?? 0);
    scores[place] = (scores[place] ?? 0) / Math.sqrt(other * own);
  }
  return scores;
}

/** At each place that of so many samples, by each of its `step`: that of the place `step` before, without its first and with one more. */
function energiesAt(
  samples: Float32Array,
  length: number,
  count: number,
  step: number,
): Float64Array {
  const energies = new Float64Array(count);
  const taken = step * Math.ceil(length / step);
  for (let place = 0; place < count; place += 1) {
    const before = place - step;
    energies[place] =
      before < 0
        ? energyFrom(samples, place, place + length, step)
        : (energies[before] ?? 0) +
          (samples[before + taken] ?? 0) ** 2 -
          (samples[before] ?? 0) ** 2;
  }
  return energies;
}

function energyFrom(samples: Float32Array, from: number, to: number, step: number): number {
  let sum = 0;
  for (let i = from; i < to; i += step) sum += (samples[i] ?? 0) ** 2;
  return sum;
}

/** All of them in memory, one piece after the other. */
export function* piecesOf(samples: Samples, size = PIECE_SAMPLES): Generator<Float32Array> {
  for (let at = 0; at < samples.length; at += size) yield samplesIn(samples, at, at + size);
}

/** So much silence; in a file where `like` is in one. */
export function silenceLike(like: Samples, length: number): Samples {
  return like instanceof Float32Array
    ? new Float32Array(new SharedArrayBuffer(SAMPLE_BYTES * length))
    : { fd: scratchFile(), first: 0, length };
}

/** Writes samples into others, from sample `at` of these on; what does not fit is left out. */
export function putSamples(target: Samples, at: number, samples: Samples): void {
  let next = at;
  for (const piece of piecesOf(partOf(samples, 0, target.length - at))) {
    if (target instanceof Float32Array) target.set(piece, next);
    else writeAt(target.fd, bytesOf(piece), SAMPLE_BYTES * (target.first + next));
    next += piece.length;
  }
}

/** The same samples, in one scratch file: those of memory are moved to it. */
export function stored(all: readonly Samples[]): StoredSamples[] {
  let fd: number | undefined;
  let first = 0;
  return all.map((samples) => {
    if (!(samples instanceof Float32Array)) return samples;
    fd ??= scratchFile();
    writeAt(fd, bytesOf(samples), SAMPLE_BYTES * first);
    const one = { fd, first, length: samples.length };
    first += samples.length;
    return one;
  });
}

/** As the bytes of little-endian floats, one piece after the other. */
export function* bytePiecesOf(samples: Samples): Generator<Uint8Array> {
  for (const piece of piecesOf(samples)) yield bytesOf(piece);
}

/** A view. */
export function bytesOf(samples: Float32Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}
