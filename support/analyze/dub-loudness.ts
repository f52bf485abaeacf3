import { SILENCE_WINDOW_SECONDS } from './audio-levels';
import { type AudioTimeline, stretchOf } from './audio-track';
import type { FragmentPlacement } from './dub-placement';
import { energyOf, type Samples } from './samples';

/** How loud the speech of a dub is in the output, and that of the same segment in the source; in dBFS. */
export interface DubLoudness {
  sequence: number;
  dubDbfs: number;
  originalDbfs: number;
}

/** Quieter windows have no speech. */
const SPEECH_DBFS = -50;
/** What is softer than this below the mean of the others is a pause. */
const GATE_DB = 10;
/** Speech that is shorter is too little to compare. */
const LEAST_WINDOWS = 25;

/**
 * Compares the levels of dubs that are heard at their video with those of the original speech.
 *
 * @param output,source audio of one rate
 * @param segmentSeconds how long a fragment is
 * @returns nothing of fragments that are not heard, and of those with less than half a second of speech in one of the two
 */
export function dubLoudness(
  output: AudioTimeline<Samples>,
  source: AudioTimeline<Samples>,
  placements: readonly FragmentPlacement[],
  segmentSeconds: number,
): DubLoudness[] {
  return placements.flatMap(({ sequence, startSeconds, avOffset }) => {
    if (!avOffset.observed) return [];
    const level = (audio: AudioTimeline<Samples>, from: number): number | undefined =>
      speechLevel(stretchOf(audio, from, from + segmentSeconds));
    const dubDbfs = level(output, avOffset.ptsSeconds);
    const originalDbfs = level(source, startSeconds);
    return dubDbfs === undefined || originalDbfs === undefined
      ? []
      : [{ sequence, dubDbfs, originalDbfs }];
  });
}

/**
 * The mean power of speech in dBFS, gated as loudness is by ITU-R BS.1770-4: of the windows that are louder than silence, those
 * down to 10 dB below their mean. (Its filter is left out: both are speech.)
 */
function speechLevel({ samples, rateHz }: AudioTimeline): number | undefined {
  const size = Math.round(SILENCE_WINDOW_SECONDS * rateHz);
  const powers = Array.from({ length: Math.floor(samples.length / size) }, (_, i) => {
    const window = samples.subarray(i * size, (i + 1) * size);
    return energyOf(window) / size;
  }).filter((power) => power > 10 ** (SPEECH_DBFS / 10));
  const speech = powers.filter((power) => power > mean(powers) / 10 ** (GATE_DB / 10));
  return speech.length < LEAST_WINDOWS ? undefined : 10 * Math.log10(mean(speech));
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
}
