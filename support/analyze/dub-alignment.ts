import { median } from '../base/median';
import type { AudioTimeline } from './audio-track';
import { takeOut } from './residual';
import { correlationsAt, padded } from './samples';

/** A dub and where it is heard; samples are mono, at the rate of the audio that it is heard in. */
export interface HeardDub {
  sequence: number;
  dubbed: Float32Array;
  /** Where its first sample is heard, in the output's timeline, to within 5 ms. */
  ptsSeconds: number;
  /** How much faster it is heard than the STS returned it. */
  speed: number;
  /** Where what comes after it begins. */
  untilSeconds?: number;
}

/** What is heard at the place of a dub, beside the dub as it would be heard there: of one length, sample by sample. */
export interface AlignedDub {
  heard: Float32Array;
  /** The dub as the STS returned it. */
  known: Float32Array;
  /** The dub: filtered, at its level there. */
  fitted: Float32Array;
}

const LAG_SECONDS = 0.005;
const BLOCK_SECONDS = 0.3;
const BLOCK_EVERY_SECONDS = 0.6;
/** Below this correlation a block does not tell where the dub is. */
const LEAST_SCORE = 0.6;
const FILTER_SECONDS = 0.004;
const MOST_TAPS = 33;
/** A decoder that joins a stream has the first frame of audio by halves, and an AAC frame has up to 2048 samples. */
const JOINING_SECONDS = 0.05;

/**
 * Lays a dub beside what is heard: it is moved and stretched by the line through the lags of pieces of 0.3 s, as a clock that
 * runs 0.03 % fast moves the end of 6 s by 2 ms, and filtered to fit (`takeOut`).
 */
export function alignDub(audio: AudioTimeline, dub: HeardDub): AlignedDub {
  const { rateHz } = audio;
  const from = Math.round((dub.ptsSeconds - audio.firstPtsSeconds) * rateHz);
  const until = ((dub.untilSeconds ?? Infinity) - audio.firstPtsSeconds) * rateHz;
  // What was not recorded, or is cut off by what comes next, is not its condition.
  const to = Math.min(Math.floor(until), audio.samples.length);
  const count = Math.max(0, Math.min(Math.floor(dub.dubbed.length / dub.speed), to - from));
  const heard = new Float32Array(count);
  heard.set(
    audio.samples.subarray(Math.max(0, from), Math.max(0, from + count)),
    Math.min(count, Math.max(0, -from)),
  );
  const near = dub.speed === 1 ? dub.dubbed : warped(dub.dubbed, count, 0, dub.speed);
  const { lag, slope } = lagLine(heard, near, rateHz);
  // Less than half a sample from end to end is left to the filter.
  const isStraight = Math.abs(slope * count) < 0.5;
  const known = isStraight
    ? warped(near, count, -Math.round(lag), 1)
    : warped(near, count, -lag, 1 - slope);
  const taps = 2 * Math.round((FILTER_SECONDS / 2) * rateHz) + 1;
  const { fitted } = takeOut(heard, known, Math.min(taps, MOST_TAPS));
  const joined = Math.max(0, Math.round(JOINING_SECONDS * rateHz) - from);
  for (const samples of [heard, known, fitted]) samples.fill(0, 0, joined);
  return { heard, known, fitted };
}

/** By how many samples what is heard is later than a dub, and by how much more with every sample. */
function lagLine(
  heard: Float32Array,
  known: Float32Array,
  rateHz: number,
): { lag: number; slope: number } {
  const [size, every] = [BLOCK_SECONDS, BLOCK_EVERY_SECONDS].map((s) => Math.round(s * rateHz));
  const most = Math.round(LAG_SECONDS * rateHz);
  const lags: { at: number; lag: number }[] = [];
  for (let at = 0; at + (size ?? 0) <= known.length; at += every ?? known.length) {
    const lag = lagOf(heard, known.subarray(at, at + (size ?? 0)), at, most);
    if (lag !== undefined) lags.push({ at: at + (size ?? 0) / 2, lag });
  }
  // Theil-Sen: a few wrong lags do not turn the line.
  const slopes = lags.flatMap((a, i) =>
    lags.slice(i + 1).map((b) => (b.lag - a.lag) / (b.at - a.at)),
  );
  const slope = median(slopes);
  return { lag: median(lags.map(({ at, lag }) => lag - slope * at)), slope };
}

/** The lag at which a piece that begins at a sample is most alike, to a fraction of a sample; undefined where none is alike. */
function lagOf(
  heard: Float32Array,
  piece: Float32Array,
  at: number,
  most: number,
): number | undefined {
  const near = padded(heard, at - most, piece.length + 2 * most);
  const scores = correlationsAt(near, piece, 2 * most + 1, 2);
  const best = scores.reduce((a, b, i) => (b > (scores[a] ?? 0) ? i : a), 0);
  const [before, here, after] = [scores[best - 1], scores[best], scores[best + 1]];
  if (before === undefined || after === undefined || here === undefined || here < LEAST_SCORE)
    return undefined;
  // The vertex of the parabola through the three.
  return best - most + (0.5 * (before - after)) / (before - 2 * here + after);
}

/** Half the length of the interpolating filter, in samples. */
const REACH = 8;

/** Sample `i` of the result is at `from + i * step` of the samples, by windowed-sinc interpolation (Smith, "Digital audio resampling"). */
export function warped(
  samples: Float32Array,
  count: number,
  from: number,
  step: number,
): Float32Array {
  const result = new Float32Array(count);
  for (let i = 0; i < count; i += 1) {
    const at = from + i * step;
    const [whole, part] = [Math.floor(at), at - Math.floor(at)];
    if (part < 1e-6) {
      result[i] = samples[whole] ?? 0;
      continue;
    }
    let sum = 0;
    for (let k = 1 - REACH; k <= REACH; k += 1) {
      const x = part - k;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / (REACH + 0.5));
      sum += ((samples[whole + k] ?? 0) * window * Math.sin(Math.PI * x)) / (Math.PI * x);
    }
    result[i] = sum;
  }
  return result;
}
