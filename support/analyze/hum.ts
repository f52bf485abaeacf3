import FFT from 'fft.js';

/** A tone has this much of the energy within one bin of its own, at least. */
const TONE_SHARE = 0.6;

/**
 * The frequency of a tone that is most of what is heard; undefined where there is none, as in noise, or in less than 0.2 s.
 *
 * @returns Hz, to within 1 Hz of a steady tone of 0.2 s (a parabola through the logarithms of the three bins of the peak, Smith,
 *   "Spectral Audio Signal Processing")
 */
export function strongestTone(samples: Float32Array, rateHz: number): number | undefined {
  const size = 2 ** Math.floor(Math.log2(samples.length));
  if (size < 0.125 * rateHz) return undefined;
  const fft = new FFT(size);
  const windowed = new Float64Array(size);
  for (let i = 0; i < size; i += 1) {
    windowed[i] = (samples[i] ?? 0) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
  }
  const spectrum = new Float64Array(2 * size);
  fft.realTransform(spectrum, windowed);
  const power = new Float64Array(size / 2);
  for (let k = 0; k < power.length; k += 1) {
    power[k] = (spectrum[2 * k] ?? 0) ** 2 + (spectrum[2 * k + 1] ?? 0) ** 2;
  }
  const total = power.reduce((a, b) => a + b, 0);
  const peak = power.reduce((a, b, k) => (b > (power[a] ?? 0) ? k : a), 0);
  const near = power.slice(Math.max(0, peak - 2), peak + 3).reduce((a, b) => a + b, 0);
  if (total === 0 || near < TONE_SHARE * total || peak === 0) return undefined;
  const [a, b, c] = [-1, 0, 1].map((by) => Math.log((power[peak + by] ?? 0) + 1e-30));
  if (a === undefined || b === undefined || c === undefined) return undefined;
  return ((peak + (0.5 * (a - c)) / (a - 2 * b + c)) * rateHz) / size;
}
