import { type Finding, unobserved } from './finding';
import type { AudioTimeline } from './audio-track';
import { energyOf, type Samples, samplesIn } from './samples';

/** What is heard where two segments meet. */
export interface Splice {
  atSeconds: number;
  /** The largest step from one sample to the next within 20 ms of the splice, of full scale. */
  step: number;
  /** The same in the half second around it. */
  stepAround: number;
  isClick: boolean;
  /** Audio right before the splice that is repeated right after it, in ms. */
  repeatedMs: number;
  /** RMS of the speech after the splice against that before it, in dB; unobserved where one side is silent. */
  loudnessJump: Finding<{ db: number }>;
}

const NEAR_SECONDS = 0.02;
const AROUND_SECONDS = 0.25;
/** No speech has a step of a twentieth of full scale that is 3 times as large as any around it. */
const CLICK_STEP = 0.05;
const CLICK_RATIO = 3;
/** Speech repeats itself from one period of the voice to the next, but never this exactly for 30 ms. */
const SAME_SCORE = 0.98;
const SHORTEST_REPEAT_SECONDS = 0.03;
const LONGEST_REPEAT_SECONDS = 0.12;
const AUDIBLE = 0.01;

/**
 * Measures the splices of an output.
 *
 * @param audio at its own sample rate
 * @param splicesSeconds where they are, in the output's timeline
 * @param fragmentSeconds how much on either side belongs to the two fragments
 */
export function measureSplices(
  audio: AudioTimeline<Samples>,
  splicesSeconds: readonly number[],
  fragmentSeconds: number,
): Splice[] {
  const { rateHz, firstPtsSeconds } = audio;
  return splicesSeconds.map((atSeconds) => {
    const at = Math.round((atSeconds - firstPtsSeconds) * rateHz);
    const piece = (from: number, to: number): Float32Array =>
      samplesIn(audio.samples, at + Math.round(from * rateHz), at + Math.round(to * rateHz));
    const step = largestStep(piece(-NEAR_SECONDS, NEAR_SECONDS));
    const stepAround = Math.max(
      largestStep(piece(-AROUND_SECONDS, -NEAR_SECONDS)),
      largestStep(piece(NEAR_SECONDS, AROUND_SECONDS)),
    );
    return {
      ...{ atSeconds, step, stepAround },
      isClick: step > CLICK_STEP && step > CLICK_RATIO * stepAround,
      repeatedMs: 1000 * repeated(piece(-0.2, 0.2), rateHz),
      loudnessJump: loudnessJump(piece(-fragmentSeconds, 0), piece(0, fragmentSeconds), rateHz),
    };
  });
}

function largestStep(samples: Float32Array): number {
  let largest = 0;
  for (let i = 1; i < samples.length; i += 1) {
    largest = Math.max(largest, Math.abs((samples[i] ?? 0) - (samples[i - 1] ?? 0)));
  }
  return largest;
}

/** The longest stretch around the middle that is repeated at once, in seconds; 0 when there is none. */
function repeated(samples: Float32Array, rateHz: number): number {
  const middle = Math.floor(samples.length / 2);
  const slack = Math.round(NEAR_SECONDS * rateHz);
  const step = Math.max(1, Math.round(rateHz / 8000));
  const longest = Math.round(LONGEST_REPEAT_SECONDS * rateHz);
  const probe = Math.round(SHORTEST_REPEAT_SECONDS * rateHz);
  // Dubs begin and end in silence: at most splices there is nothing to repeat.
  if (largestStep(samples.subarray(middle - longest - slack, middle)) < AUDIBLE / 10) return 0;
  for (let length = longest; length >= probe; length -= 2) {
    // Comparing a short piece first shows whether a longer one is worth it.
    for (let splice = middle - slack; splice <= middle + slack; splice += 4 * step) {
      const same = (count: number, every: number): boolean =>
        similarity(samples, splice - length, splice, count, every) >= SAME_SCORE;
      if (same(probe, 4 * step) && same(length, step)) return length / rateHz;
    }
  }
  return 0;
}

/** Normalised correlation of two pieces; 0 when one of them is too quiet to hear. */
function similarity(
  samples: Float32Array,
  a: number,
  b: number,
  count: number,
  every: number,
): number {
  let [product, energyA, energyB, compared] = [0, 0, 0, 0];
  for (let i = 0; i < count; i += every) {
    const [x, y] = [samples[a + i] ?? 0, samples[b + i] ?? 0];
    product += x * y;
    energyA += x * x;
    energyB += y * y;
    compared += 1;
  }
  const isAudible = Math.min(energyA, energyB) > compared * AUDIBLE ** 2;
  return isAudible ? product / Math.sqrt(energyA * energyB) : 0;
}

function loudnessJump(
  before: Float32Array,
  after: Float32Array,
  rateHz: number,
): Splice['loudnessJump'] {
  const [one, other] = [speechLevel(before, rateHz), speechLevel(after, rateHz)];
  if (one === undefined || other === undefined)
    return unobserved('one side of the splice is silent');
  return { observed: true, db: other - one };
}

/** RMS in dBFS over the windows of 20 ms that are louder than -50 dBFS. */
function speechLevel(samples: Float32Array, rateHz: number): number | undefined {
  const size = Math.round(0.02 * rateHz);
  let [sum, loud] = [0, 0];
  for (let at = 0; at + size <= samples.length; at += size) {
    const power = energyOf(samples.subarray(at, at + size)) / size;
    if (power < 1e-5) continue;
    sum += power;
    loud += 1;
  }
  return loud === 0 ? undefined : 10 * Math.log10(sum / loud);
}
