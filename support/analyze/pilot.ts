import type { AudioTimeline } from './audio-track';
import { type Finding, unobserved } from './finding';
import { type Samples, samplesIn } from './samples';

/*
 * The pilot: a quiet chord all over a broadcast of tones, above their frequencies. Its phase tells at every moment how far the
 * audio has advanced, so that a jump, a gap and a repeat show wherever they are, and not only where a tone is.
 *
 * Each frequency alone repeats itself after half a millisecond; all four together agree at no other shift of up to 60 ms.
 */
const PILOT_HZ = [1907, 2237, 2579, 3011] as const;
/** 24 dB below the tones. */
const AMPLITUDE = 0.03;

/** An expression of ffmpeg's `aevalsrc`, to be added to that of the tones; `t` is the time in seconds. */
export const PILOT = PILOT_HZ.map((hz) => `${AMPLITUDE}*sin(2*PI*${hz}*t)`).join('+');

/** Short enough for a gap of some milliseconds, and long enough to keep the four frequencies apart. */
const WINDOW_SECONDS = 0.012;
const HOP_SECONDS = 0.002;
/** The largest shift that is told from others. */
const LARGEST_SHIFT_MS = 60;
const SHIFT_STEP_MS = 0.02;
/** Softer than this, against the median of the broadcast, something is wrong in a window; and here the audio is gone. */
const SPOILT_BELOW = 0.8;
const GONE_BELOW = 0.4;
/** A pilot this soft, against how it was made, is not there at all. */
const LEAST_LEVEL = 0.1;
/** The mean cosine from which the phases of all frequencies agree. */
const AGREED = 0.998;
/** Larger shifts from one window to the next are jumps; a change of speed by 2 % makes as much. */
const JUMP_MS = 0.25;
/** What is wrong in places that are closer together is one thing. */
const APART_SECONDS = 0.03;
/** A worker joins and leaves in the first and the last second. */
const EDGE_SECONDS = 1;

/** A place of the output where the audio does not go on as it should. */
export interface Irregularity {
  /** In the output's timeline. */
  atSeconds: number;
  /** By how much the audio after it is shifted against that before it: positive when audio is left out. */
  jumpMs: number;
  /** For how long nothing is heard. */
  gapMs: number;
}

/** How the audio advances over a broadcast. */
export interface Advance {
  measuredSeconds: number;
  /** The largest shift between two windows of 12 ms that touch, where nothing else is wrong; without its sign. */
  largestStepMs: number;
  irregularities: Irregularity[];
}

/** The pilot in one window. */
interface Heard {
  /** Real and imaginary part of each frequency, as if it had begun with phase 0 at the beginning of the audio. */
  parts: Float32Array;
  level: number;
}

/**
 * Follows the phase of the pilot through an output: where two windows that touch are shifted against each other, audio was left
 * out or repeated between them. Where its speed is changed by 0.5 %, they are shifted by 0.06 ms.
 *
 * @param audio of the output; at least 8 kHz
 */
export function audioAdvance(audio: AudioTimeline<Samples>): Finding<Advance> {
  const { rateHz, firstPtsSeconds, samples } = audio;
  const size = Math.round(WINDOW_SECONDS * rateHz);
  const hop = Math.round(HOP_SECONDS * rateHz);
  const from = Math.round(EDGE_SECONDS * rateHz);
  const to = samples.length - from - size;
  if (to <= from) return unobserved('it is shorter than its first and its last second');
  const windows = followed(samples, from, to, hop, follower(rateHz, size));
  const { count, levels } = windows;
  const usual = Float32Array.from(levels).sort()[Math.floor(count / 2)] ?? 0;
  if (usual < LEAST_LEVEL * AMPLITUDE) return unobserved('its pilot is not heard');
  const reach = Math.round(size / hop);
  const isSoft = (index: number): boolean => (levels[index] ?? 0) < SPOILT_BELOW * usual;
  const stretches: { first: number; last: number }[] = [];
  let [fine, largestStepMs] = [0, 0];
  for (let i = 0; i < count; i += 1) {
    if (isSoft(i)) stretches.push({ first: i - reach, last: i + reach });
    // Of windows that are spoilt the phase says nothing.
    if (i + reach >= count || isSoft(i) || isSoft(i + reach)) continue;
    const step = Math.abs(shiftBetween(windows.at(i), windows.at(i + reach)));
    if (step > JUMP_MS) stretches.push({ first: i, last: i + reach });
    if (!(step <= JUMP_MS)) continue;
    fine += 1;
    largestStepMs = Math.max(largestStepMs, step);
  }
  const places = placesOf(stretches, APART_SECONDS / HOP_SECONDS);
  return {
    observed: true,
    measuredSeconds: (fine * hop) / rateHz,
    largestStepMs,
    irregularities: places.map((place): Irregularity => {
      const middle = (place.first + place.last) / 2;
      const inside = levels.subarray(Math.max(0, place.first), place.last + 1);
      const jumpMs = shiftAcross(windows, place, reach);
      return {
        atSeconds: firstPtsSeconds + (from + middle * hop + size / 2) / rateHz,
        jumpMs,
        gapMs: gapIn(
          Array.from(inside, (level) => level / usual),
          jumpMs,
        ),
      };
    }),
  };
}

/** The pilot in all windows, one each 2 ms: 1.8 million an hour, so that they have no object each. */
interface Followed {
  count: number;
  levels: Float32Array;
  /** A view, not a copy. */
  at: (index: number) => Heard;
}

function followed(
  samples: Samples,
  from: number,
  to: number,
  hop: number,
  follow: Follower,
): Followed {
  const count = Math.ceil((to - from) / hop);
  const width = 2 * PILOT_HZ.length;
  const [levels, parts] = [new Float32Array(count), new Float32Array(width * count)];
  const partsAt = (index: number): Float32Array =>
    parts.subarray(width * index, width * (index + 1));
  for (let first = 0; first < count; first += WINDOWS_AT_ONCE) {
    const begin = from + first * hop;
    // Windows overlap: the last ones need what comes after it.
    const piece = samplesIn(samples, begin, begin + 2 * WINDOWS_AT_ONCE * hop);
    for (let i = first; i < Math.min(count, first + WINDOWS_AT_ONCE); i += 1) {
      levels[i] = follow(piece.subarray((i - first) * hop), from + i * hop, partsAt(i));
    }
  }
  return {
    ...{ count, levels },
    at: (index) => ({ parts: partsAt(index), level: levels[index] ?? 0 }),
  };
}

/** By how much the audio after a place is shifted; where a codec has smeared it, windows farther from it agree better. */
function shiftAcross(
  windows: Followed,
  { first, last }: { first: number; last: number },
  reach: number,
): number {
  const shifts = [0, 1, 2, 3].flatMap((farther) => {
    const [before, after] = [first - farther * reach, last + farther * reach];
    if (before < 0 || after >= windows.count) return [];
    return [bestShift(windows.at(before), windows.at(after))];
  });
  const [best] = shifts.sort((a, b) => b.agreement - a.agreement);
  return best?.ms ?? NaN;
}

/**
 * How long nothing is heard, in ms, by the levels of the windows around it against the usual one. A shorter gap than a window
 * takes the middle of one away, which a Hann window weighs most; where the audio jumps, its phases cancel as well.
 */
function gapIn(levels: readonly number[], jumpMs: number): number {
  const gone = levels.filter((level) => level < GONE_BELOW).length;
  if (gone > 0) return 1000 * HOP_SECONDS * (gone + 1);
  if (!(Math.abs(jumpMs) <= JUMP_MS)) return 0;
  const lowest = Math.min(...levels);
  const leftOf = (gap: number): number => 1 - gap - Math.sin(Math.PI * gap) / Math.PI;
  let gap = 0;
  while (gap < 1 && leftOf(gap) > lowest) gap += 0.01;
  return 1000 * WINDOW_SECONDS * gap;
}

/** Stretches of windows, those that lie closer together than `apart` as one. */
function placesOf(
  stretches: readonly { first: number; last: number }[],
  apart: number,
): { first: number; last: number }[] {
  const places: { first: number; last: number }[] = [];
  for (const { first, last } of [...stretches].sort((a, b) => a.first - b.first)) {
    const before = places.at(-1);
    if (before && first - before.last <= apart) before.last = Math.max(before.last, last);
    else places.push({ first, last });
  }
  return places;
}

/** So many windows are read at a time. */
const WINDOWS_AT_ONCE = 1000;

/**
 * Writes the parts of the pilot in a window, and gives back its level.
 *
 * @param samples begin with the window
 * @param at where that is in the audio
 */
type Follower = (samples: Float32Array, at: number, parts: Float32Array) => number;

/** The pilot in a window: a discrete Fourier transform at its frequencies, with a Hann window. */
function follower(rateHz: number, size: number): Follower {
  const hann = Float64Array.from(
    { length: size },
    (_, i) => (1 - Math.cos((2 * Math.PI * (i + 0.5)) / size)) / size,
  );
  const waves = PILOT_HZ.map((hz) => {
    const angle = (2 * Math.PI * hz) / rateHz;
    return {
      angle,
      cos: hann.map((weight, i) => weight * Math.cos(angle * i)),
      sin: hann.map((weight, i) => weight * Math.sin(angle * i)),
    };
  });
  return (samples, at, parts) => {
    let level = 0;
    waves.forEach(({ angle, cos, sin }, wave) => {
      let [re, im] = [0, 0];
      for (let i = 0; i < size; i += 1) {
        const sample = samples[i] ?? 0;
        re += sample * (cos[i] ?? 0);
        im -= sample * (sin[i] ?? 0);
      }
      const [c, s] = [Math.cos(angle * at), Math.sin(angle * at)];
      parts[2 * wave] = re * c + im * s;
      parts[2 * wave + 1] = im * c - re * s;
      level += Math.hypot(re, im) / waves.length;
    });
    return level;
  };
}

function shiftBetween(before: Heard, after: Heard): number {
  return bestShift(before, after).ms;
}

/** By which shift, in ms, the phases of all frequencies change from one window to the other, and how well they agree. */
function bestShift(before: Heard, after: Heard): { ms: number; agreement: number } {
  const turns = PILOT_HZ.map((hz, wave) => {
    const [a, b] = [before.parts[2 * wave] ?? 0, before.parts[2 * wave + 1] ?? 0];
    const [c, d] = [after.parts[2 * wave] ?? 0, after.parts[2 * wave + 1] ?? 0];
    return { hz, phase: Math.atan2(a * d - b * c, a * c + b * d) };
  });
  const agreement = (ms: number): number =>
    turns.reduce((sum, { hz, phase }) => sum + Math.cos(phase - 2 * Math.PI * hz * (ms / 1000)), 0);
  // Where they agree in a small shift, no other needs to be tried: most windows are hardly shifted at all.
  const small = smallShift(turns);
  if (agreement(small) > AGREED * turns.length) return { ms: small, agreement: agreement(small) };
  let best = { ms: small, agreement: agreement(small) };
  for (let ms = -LARGEST_SHIFT_MS; ms <= LARGEST_SHIFT_MS; ms += SHIFT_STEP_MS) {
    const agreed = agreement(ms);
    if (agreed > best.agreement) best = { ms, agreement: agreed };
  }
  return best;
}

/** The least-squares shift, in ms, of phases that turn by less than half a period. */
function smallShift(turns: readonly { hz: number; phase: number }[]): number {
  const [product, square] = turns.reduce<[number, number]>(
    ([a, b], { hz, phase }) => [a + hz * phase, b + hz * hz],
    [0, 0],
  );
  return (1000 * product) / (2 * Math.PI * square);
}
