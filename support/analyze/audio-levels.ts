/* How loud samples are, and when there is speech in them. */
import { type Finding, unobserved } from './finding';
import { energyOf, piecesOf, type Samples } from './samples';

export interface AudioLevels {
  durationSeconds: number;
  /** dB relative to full scale, 0 is the loudest; -Infinity for digital silence. Full-scale sine: -3.01. */
  rmsDbfs: number;
  peakDbfs: number;
  /** Windows of 20 ms whose RMS is below `silenceBelowDbfs`, as share of all windows, 0 to 1. */
  silentShare: number;
  /** The time covered by the other windows. */
  nonSilentSeconds: number;
}

export const SILENCE_WINDOW_SECONDS = 0.02;

/**
 * How loud mono samples are. The last window may be shorter than 20 ms and counts by its length.
 *
 * @param silenceBelowDbfs RMS of a 20 ms window below which it is silent; -50 dBFS is quieter than any speech
 *   and louder than the noise that lossy coding leaves in silence
 * @returns unobserved when there are no samples
 */
export function audioLevels(
  samples: Float32Array,
  rateHz: number,
  silenceBelowDbfs = -50,
): Finding<AudioLevels> {
  if (samples.length === 0) return unobserved('there are no audio samples');
  const windowLength = Math.max(1, Math.round(SILENCE_WINDOW_SECONDS * rateHz));
  let energy = 0;
  let peak = 0;
  let silentSamples = 0;
  for (let start = 0; start < samples.length; start += windowLength) {
    const end = Math.min(samples.length, start + windowLength);
    let windowEnergy = 0;
    for (let i = start; i < end; i += 1) {
      const sample = samples[i] ?? 0;
      windowEnergy += sample * sample;
      peak = Math.max(peak, Math.abs(sample));
    }
    energy += windowEnergy;
    if (dbfs(Math.sqrt(windowEnergy / (end - start))) < silenceBelowDbfs) {
      silentSamples += end - start;
    }
  }
  return {
    observed: true,
    durationSeconds: samples.length / rateHz,
    rmsDbfs: dbfs(Math.sqrt(energy / samples.length)),
    peakDbfs: dbfs(peak),
    silentShare: silentSamples / samples.length,
    nonSilentSeconds: (samples.length - silentSamples) / rateHz,
  };
}

/** Of samples in a file so many windows are read at a time. */
const WINDOWS_AT_ONCE = 1000;

function dbfs(amplitude: number): number {
  return 20 * Math.log10(amplitude);
}

/**
 * When there is speech, by energy: 20 ms windows that are louder than -50 dBFS and 10 dB louder than the quietest tenth
 * of the track, so that steady noise is not taken for speech.
 *
 * @returns seconds of speech within a stretch of the track, both ends in seconds from its first sample
 */
export function voiceActivity(
  samples: Samples,
  rateHz: number,
): (fromSeconds: number, toSeconds: number) => number {
  const size = Math.max(1, Math.round(SILENCE_WINDOW_SECONDS * rateHz));
  const levels: number[] = [];
  for (const piece of piecesOf(samples, WINDOWS_AT_ONCE * size)) {
    for (let at = 0; at + size <= piece.length; at += size) {
      const window = piece.subarray(at, at + size);
      levels.push(dbfs(Math.sqrt(energyOf(window) / size)));
    }
  }
  const quiet = [...levels].sort((a, b) => a - b)[Math.floor(levels.length / 10)] ?? -Infinity;
  const threshold = Math.max(-50, quiet + 10);
  return (fromSeconds, toSeconds) => {
    const [from, to] = [fromSeconds, toSeconds].map((at) => Math.round((at * rateHz) / size));
    const loud = levels.slice(Math.max(0, from ?? 0), to).filter((level) => level > threshold);
    return (loud.length * size) / rateHz;
  };
}
