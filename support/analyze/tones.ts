import type { Fragment } from '../broadcast/fragment';
import type { AudioTimeline } from './audio-track';
import { type Finding, unobserved } from './finding';
import { type FrameClock, presentationsOf } from './frame-clock';
import { padded, type Samples } from './samples';
import { type MeasuredOffset, type OffsetTrend, offsetTrend } from './trend';

/*
 * The tones of broadcasts without speech: in the middle of each second one of 0.2 s, whose frequency tells the second.
 * The frequencies are 15 Hz apart, 3 / 0.2 s, so that each tone is orthogonal to all others.
 */
const FIRST_HZ = 300;
const STEP_HZ = 15;
/** Away from the boundaries at which segments are cut. */
export const TONE_AT_SECONDS = 0.4;
export const TONE_SECONDS = 0.2;
const AMPLITUDE = 0.5;
/**
 * Quiet noise, 48 dB below the tones. AAC codes silence in tiny frames, which ffmpeg's RTSP collects into packets of more than
 * half a second; the last of them is lost when the broadcast ends.
 */
const NOISE = 0.005;

/** An expression of ffmpeg's `aevalsrc`; `t` is the time in seconds. */
export const TONES =
  `${AMPLITUDE}*sin(2*PI*(${FIRST_HZ}+${STEP_HZ}*floor(t))*(mod(t,1)-${TONE_AT_SECONDS}))` +
  `*gte(mod(t,1),${TONE_AT_SECONDS})*lt(mod(t,1),${TONE_AT_SECONDS + TONE_SECONDS})` +
  `+${NOISE}*(random(0)-0.5)`;

/** An encoder fades its audio in and out. */
const CODEC_SECONDS = 0.1;
/** A tone this close to a segment boundary may be cut by it. */
const BOUNDARY_SECONDS = 0.02;
/** A tone is searched this far before and after its frame. */
const SEARCH_SECONDS = 0.5;
/** A pure tone scores 1, noise about 0.05. */
const LEAST_SCORE = 0.5;
/** Share of the peak's height below which other audio distorts the triangle. */
const SIDES_FROM = 0.3;

/** One second of a broadcast of tones, as it is heard in the output. */
export interface ToneHeard {
  second: number;
  /** A/V offset in ms, positive when the audio is late; unobserved when frame or tone is missing. */
  avOffset: Finding<{ offsetMs: number; ptsSeconds: number }>;
  /** Its level against the source's: 1 when it is as loud, 0 when it is not heard. */
  level: number;
}

/** The frequency of a second's tone, in Hz. */
function toneHz(second: number): number {
  return FIRST_HZ + STEP_HZ * second;
}

/**
 * Where each second's tone is heard, against the presentation of its frames.
 *
 * @param audio of the output; at least 4 kHz
 * @param seconds length of the broadcast
 */
export function tonesHeard(
  audio: AudioTimeline<Samples>,
  clock: FrameClock,
  seconds: number,
): ToneHeard[] {
  return Array.from({ length: seconds }, (_, second): ToneHeard => {
    const shown = firstShown(clock, second);
    if (!shown.observed) return { second, avOffset: shown, level: 0 };
    const at = shown.ptsSeconds;
    const found = findTone(audio, toneHz(second), at + TONE_AT_SECONDS);
    if (!found) {
      const reason = `its tone is not heard within ${SEARCH_SECONDS} s of its frame`;
      return { second, avOffset: unobserved(reason), level: 0 };
    }
    const ptsSeconds = found.ptsSeconds - TONE_AT_SECONDS;
    const offsetMs = 1000 * (ptsSeconds - at);
    return { second, avOffset: { observed: true, offsetMs, ptsSeconds }, level: found.level };
  });
}

/**
 * The best place for a tone near a time: its discrete Fourier transform over a window of the tone's length, at every
 * position of the window. The amplitude over the position is a triangle whose middle does not depend on the tone's phase.
 */
function findTone(
  { samples, rateHz, firstPtsSeconds }: AudioTimeline<Samples>,
  hz: number,
  expectedSeconds: number,
): { ptsSeconds: number; level: number } | undefined {
  const size = Math.round(TONE_SECONDS * rateHz);
  const from = Math.round((expectedSeconds - firstPtsSeconds - SEARCH_SECONDS) * rateHz);
  const places = Math.round(2 * SEARCH_SECONDS * rateHz) + 1;
  const [real, imaginary, energy] = [0, 1, 2].map(() => new Float64Array(places + size + 1));
  if (!real || !imaginary || !energy) return undefined;
  const near = padded(samples, from, places + size);
  for (let i = 0; i < places + size; i += 1) {
    const sample = near[i] ?? 0;
    const angle = (2 * Math.PI * hz * i) / rateHz;
    real[i + 1] = (real[i] ?? 0) + sample * Math.cos(angle);
    imaginary[i + 1] = (imaginary[i] ?? 0) + sample * Math.sin(angle);
    energy[i + 1] = (energy[i] ?? 0) + sample * sample;
  }
  const sum = (sums: Float64Array, i: number): number => (sums[i + size] ?? 0) - (sums[i] ?? 0);
  const amplitudes = Float64Array.from(
    { length: places },
    (_, i) => (2 * Math.hypot(sum(real, i), sum(imaginary, i))) / size,
  );
  const highest = amplitudes.reduce((best, one) => Math.max(best, one), 0);
  const peak = amplitudes.indexOf(highest);
  const loudness = Math.sqrt((2 * sum(energy, peak)) / size);
  if (highest === 0 || highest / loudness < LEAST_SCORE) return undefined;
  // Centre of gravity of the triangle's upper part: coding rounds its tip, and noise bends its sides.
  let [weights, moments] = [0, 0];
  for (const step of [1, -1]) {
    for (let i = step > 0 ? peak : peak - 1; i >= 0 && i < places; i += step) {
      const weight = (amplitudes[i] ?? 0) - SIDES_FROM * highest;
      if (weight <= 0) break;
      weights += weight;
      moments += weight * i;
    }
  }
  const ptsSeconds = firstPtsSeconds + (from + moments / weights) / rateHz;
  return { ptsSeconds, level: highest / AMPLITUDE };
}

/**
 * All tones but those of the first and the last second, in which a worker joins and leaves; CTA-WAVE's device tests
 * leave them out as well.
 */
export function withoutEdges(tones: readonly ToneHeard[]): ToneHeard[] {
  return tones.slice(1, -1);
}

/**
 * The tones that can be measured: those whose whole time lies in the audio of the output. Where a worker joins or leaves
 * in the middle of a tone, what is left of it is too quiet.
 */
export function tonesInside(
  tones: readonly ToneHeard[],
  clock: FrameClock,
  audio: { firstPtsSeconds: number; durationSeconds: number },
): ToneHeard[] {
  const end = audio.firstPtsSeconds + audio.durationSeconds;
  return tones.filter(({ second }) => {
    const shown = firstShown(clock, second);
    if (!shown.observed) return false;
    const from = shown.ptsSeconds + TONE_AT_SECONDS;
    return (
      from >= audio.firstPtsSeconds + CODEC_SECONDS && from + TONE_SECONDS + CODEC_SECONDS <= end
    );
  });
}

/** When the video of a second is first shown. */
function firstShown(clock: FrameClock, second: number): Finding<{ ptsSeconds: number }> {
  const shown = presentationsOf(clock, second, 1);
  if (!shown.observed) return shown;
  const [first] = shown.presentations;
  return first ? { observed: true, ...first } : unobserved('its video is not shown');
}

/**
 * The segment that has a second's whole tone; undefined when the tone lies across a segment boundary, or before the first one.
 *
 * @param joinedSeconds where in the broadcast the worker joined: it counts the segments from there
 */
export function segmentOfTone(
  second: number,
  joinedSeconds: number,
  segmentSeconds: number,
): number | undefined {
  const from = second + TONE_AT_SECONDS - joinedSeconds;
  const [first, last] = [from - BOUNDARY_SECONDS, from + TONE_SECONDS + BOUNDARY_SECONDS].map(
    (at) => Math.floor(at / segmentSeconds),
  );
  return first === last && (first ?? -1) >= 0 ? first : undefined;
}

/** A dub that is shorter than its segment by up to this part of it is fitted to it, and played; beyond, the original is (spec 018). */
const FITTED = 0.1;

/**
 * Which part of a second's tone, 0 to 1, lies in the end of a segment for which a shorter dub has no audio: that cannot be heard,
 * however the dub is fitted.
 *
 * @param joinedSeconds as `segmentOfTone`
 */
export function partAfterDub(
  second: number,
  fragments: readonly Pick<Fragment, 'segment' | 'audio' | 'answer'>[],
  joinedSeconds: number,
  segmentSeconds: number,
): number {
  const from = second + TONE_AT_SECONDS - joinedSeconds;
  const parts = fragments.map(({ segment, audio, answer }) => {
    const [whole = NaN, dubbed = NaN] = [audio?.durationMs, answer?.audio?.durationMs];
    if (!(dubbed < whole && dubbed >= (1 - FITTED) * whole)) return 0;
    const at = segment * segmentSeconds;
    const begin = Math.max(from, at + dubbed / 1000);
    const end = Math.min(from + TONE_SECONDS, at + whole / 1000);
    return (end - begin) / TONE_SECONDS;
  });
  return Math.max(0, ...parts);
}

/** With more of it missing it is too quiet to be told from other audio (LEAST_SCORE is that of a quarter of a tone). */
export const MOST_UNHEARD = 0.5;
/** With more of it missing, its level tells no more what is played. */
export const MOST_UNHEARD_FOR_LEVEL = 0.1;

/** All tones taken together. */
export interface TonesFigures extends OffsetTrend {
  measured: number;
  /** The A/V offset that is farthest from 0, with its sign. */
  worstMs: number;
  /** The largest change of the offset from one second to the next. */
  largestStepMs: number;
  /** The second that this change leads to. */
  largestStepAt: number;
}

/** @returns unobserved when fewer than two tones are heard at their video */
export function tonesFigures(tones: readonly ToneHeard[]): Finding<TonesFigures> {
  const points = tones.flatMap(({ second, avOffset }): MeasuredOffset[] =>
    avOffset.observed
      ? [
          {
            ...{ number: second, atSeconds: second },
            ...{ ms: avOffset.offsetMs, ptsSeconds: avOffset.ptsSeconds },
          },
        ]
      : [],
  );
  const steps = points
    .slice(1)
    .map(({ number, ms }, i) => ({ number, ms: ms - (points[i]?.ms ?? ms) }));
  const [worst, step] = [points, steps].map((all) => byDistance(all)[0]);
  if (!worst || !step) return unobserved(`${points.length} of ${tones.length} tones are heard`);
  return {
    observed: true,
    measured: points.length,
    worstMs: worst.ms,
    ...offsetTrend(points),
    largestStepMs: step.ms,
    largestStepAt: step.number,
  };
}

function byDistance<T extends { ms: number }>(values: readonly T[]): T[] {
  return [...values].sort((a, b) => Math.abs(b.ms) - Math.abs(a.ms));
}
