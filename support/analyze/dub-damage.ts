import FFT from 'fft.js';

import { median } from '../base/median';
import type { AudioTimeline } from './audio-track';
import { alignDub, type AlignedDub, type HeardDub } from './dub-alignment';
import type { Span } from './ffmpeg';
import { type Finding, unobserved } from './finding';
import { strongestTone } from './hum';
import { correlationAt, energyOf, padded, productsAt } from './samples';

/** How the audio at the place of a dub differs from the dub. All times are the output's; levels are against the dub's own speech there. */
export interface DubCondition {
  /** Where the dub speaks and less than -14 dB of it is heard. */
  dropouts: Span[];
  /** What is heard while it speaks and is not the dub, against what is heard, in dB. */
  unexplainedDb: number;
  /** How much of that is explained by the dub with its peaks cut off, 0 to 1. */
  clippedShare: number;
  /** Moments that are louder above 4 kHz than the dub within 16 ms and than what is heard around them, by so many dB. */
  clicks: { atSeconds: number; db: number }[];
  /** What is heard while the dub is silent: the median, and the loudest tenth; unobserved where it has less than 0.2 s of silence. */
  pauses: Finding<{ db: number; loudestDb: number; toneHz?: number }>;
  /** How much louder than the dub it is above 4 kHz while it speaks, the median. */
  hissDb: number;
  /** The sharpest change of the level that lasts, in dB; `steadyDb`: less what the level changes anyway on both sides. */
  step: { atSeconds: number; db: number; steadyDb: number } | undefined;
  /** The band of the dub's speech of which least is left, against the one of which most is, in dB; undefined where nothing can be told. */
  lost: { fromHz: number; toHz: number; db: number } | undefined;
  /** The level goes up and down by so many dB, so often a second; `share`: of all its changes, 0 to 1. Undefined of less than 2 s. */
  sway: { hz: number; db: number; share: number } | undefined;
  /** Stretches in which another part of the dub is heard than the one that belongs there: so many ms later in the dub, or earlier. */
  displaced: (Span & { byMs: number })[];
  /** Stretches in which something is heard, and neither the dub nor another part of it. */
  foreign: Span[];
  /** The level at which it is heard, by half seconds of its speech. */
  blocks: LevelBlock[];
}

/** Half a second of speech; `heardDb`: how much louder it is than the dub, `dubDb`: the level of the dub. Both are medians. */
export interface LevelBlock extends Span {
  heardDb: number;
  dubDb: number;
}

export interface DubConditionAt {
  sequence: number;
  condition: Finding<DubCondition>;
}

const WINDOW_SECONDS = 0.01;
/** A window counts as speech down to 17 dB below the loudest fifth, and as silence from 30 dB on. */
const SPEECH_SHARE = 1 / 50;
const SILENCE_SHARE = 1 / 1000;
/** Speech in fewer windows than this is too little to compare with. */
const LEAST_SPEECH = 20;

/** Mean power by windows of 10 ms: of the dub as it is heard, of what is heard, and of their product. */
interface Windows {
  size: number;
  dub: Float64Array;
  heard: Float64Array;
  product: Float64Array;
  /** The indices of windows in which the dub speaks. */
  speech: number[];
  isSpeech: Uint8Array;
  /** Power of the dub's speech: in its loudest fifth, and as it is heard there. */
  loudest: number;
  level: number;
}

/**
 * Takes each dub out of what is heard at its place, and measures what differs: by windows, each at the level that it has there,
 * so that compressors and loudness normalisation change nothing.
 *
 * @param audio at SPEECH_RATE_HZ
 */
export function measureDubs(audio: AudioTimeline, dubs: readonly HeardDub[]): DubConditionAt[] {
  return dubs.map((dub) => ({
    sequence: dub.sequence,
    condition: conditionOf(alignDub(audio, dub), dub.ptsSeconds, audio.rateHz),
  }));
}

function conditionOf(
  aligned: AlignedDub,
  ptsSeconds: number,
  rateHz: number,
): Finding<DubCondition> {
  const windows = windowsOf(aligned, rateHz);
  if (windows.speech.length < LEAST_SPEECH) return unobserved('there is too little speech in it');
  const at = (window: number): number => ptsSeconds + window * WINDOW_SECONDS;
  const high = highBand(aligned, windows, rateHz);
  const step = levelStep(windows);
  const moved = displaced(aligned, windows, rateHz);
  return {
    observed: true,
    dropouts: dropouts(windows).map(({ from, count }) => spanOf(at(from), count)),
    ...clipping(aligned, windows),
    clicks: high.clicks.map(({ seconds, db }) => ({ atSeconds: ptsSeconds + seconds, db })),
    hissDb: high.hissDb,
    pauses: pauses(aligned, windows, rateHz),
    lost: lostBand(aligned, windows, rateHz),
    sway: sway(windows),
    step: step && { atSeconds: at(step.window), db: step.db, steadyDb: step.steadyDb },
    displaced: moved.map(({ from, count, byMs }) => ({ ...spanOf(at(from), count), byMs })),
    foreign: foreign(windows, moved).map(({ from, count }) => spanOf(at(from), count)),
    blocks: levelBlocks(aligned, windows).map(({ from, count, ...block }) => ({
      ...{ ...spanOf(at(from), count), ...block },
    })),
  };
}

function spanOf(fromSeconds: number, windows: number): Span {
  return { fromSeconds, seconds: windows * WINDOW_SECONDS };
}

function windowsOf({ heard, fitted }: AlignedDub, rateHz: number): Windows {
  const size = Math.round(WINDOW_SECONDS * rateHz);
  const count = Math.floor(heard.length / size);
  const [dub, power, product] = [0, 1, 2].map(() => new Float64Array(count));
  if (!dub || !power || !product) throw new Error('three arrays');
  for (let window = 0; window < count; window += 1) {
    let [a, b, c] = [0, 0, 0];
    for (let i = window * size; i < (window + 1) * size; i += 1) {
      const x = fitted[i] ?? 0;
      const y = heard[i] ?? 0;
      a += x * x;
      b += y * y;
      c += x * y;
    }
    [dub[window], power[window], product[window]] = [a / size, b / size, c / size];
  }
  const fifth = [...dub].sort((a, b) => b - a).slice(0, Math.max(1, Math.floor(count / 5)));
  const loudest = fifth.reduce((a, b) => a + b, 0) / fifth.length;
  const isSpeech = Uint8Array.from(dub, (x) => (x > loudest * SPEECH_SHARE && x > 1e-10 ? 1 : 0));
  const speech = [...isSpeech.keys()].filter((window) => isSpeech[window] === 1);
  const gain = median(speech.map((i) => (product[i] ?? 0) / (dub[i] ?? 1)));
  const level = Math.max(1e-10, gain ** 2 * loudest);
  return { size, dub, heard: power, product, speech, isSpeech, loudest, level };
}

/** Power as dB; -120 for none. */
function decibels(power: number): number {
  return 10 * Math.log10(Math.max(power, 1e-12));
}

/** The level of each window against the dub's, in dB; 0 where it does not speak. */
function levels({ dub, heard, isSpeech }: Windows): Float64Array {
  return Float64Array.from(dub, (x, i) => (isSpeech[i] === 1 ? decibels((heard[i] ?? 0) / x) : 0));
}

const AROUND_WINDOWS = 30;
const DROPOUT_DB = -14;
const DROPOUT_EDGE_DB = -8;

/** Windows of speech that are 14 dB softer than those within 0.3 s, with their edges. */
function dropouts(windows: Windows): { from: number; count: number }[] {
  const { isSpeech } = windows;
  const level = levels(windows);
  const below = Array.from(level, (db, i) => {
    if (isSpeech[i] !== 1) return 0;
    const from = Math.max(0, i - AROUND_WINDOWS);
    const near = [...level.subarray(from, i + AROUND_WINDOWS + 1)]
      .filter((_, k) => isSpeech[from + k] === 1)
      .sort((a, b) => a - b);
    // Above the median, as a dropout may be half of what is around it.
    return db - (near[Math.floor(near.length * 0.6)] ?? 0);
  });
  return runsOf(below, (db) => db < DROPOUT_EDGE_DB).filter(({ from, count }) =>
    below.slice(from, from + count).some((db) => db < DROPOUT_DB),
  );
}

/** Stretches of values that all fit. */
function runsOf(
  values: readonly number[],
  fits: (value: number) => boolean,
): { from: number; count: number }[] {
  return stretches(values.flatMap((value, i) => (fits(value) ? [i] : [])));
}

/** Stretches of ascending indexes, in which so many between two of them may be missing. */
function stretches(indexes: readonly number[], missing = 0): { from: number; count: number }[] {
  const all: { from: number; count: number }[] = [];
  for (const index of indexes) {
    const last = all.at(-1);
    if (last && index - last.from - last.count <= missing) last.count = index + 1 - last.from;
    else all.push({ from: index, count: 1 });
  }
  return all;
}

/** Shares of the dub's samples that are below the level at which peaks may have been cut off. */
const CUT_AT = [0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999];

/** What is left of the windows of speech by the dub, and by the dub with its peaks cut off, each at its best level. */
function clipping(
  { heard, fitted }: AlignedDub,
  windows: Windows,
): Pick<DubCondition, 'unexplainedDb' | 'clippedShare'> {
  const { size, speech } = windows;
  const sorted = fitted.map((sample) => Math.abs(sample)).sort();
  const left = (most: number): number =>
    speech.reduce((sum, i) => sum + leftOf(heard, fitted, i * size, (i + 1) * size, most), 0);
  const all = speech.reduce((sum, window) => sum + size * (windows.heard[window] ?? 0), 0);
  const uncut = left(Infinity);
  const unexplainedDb = decibels(uncut / Math.max(all, 1e-12));
  const cut = CUT_AT.map((share) => left(sorted[Math.floor(share * (sorted.length - 1))] ?? 1));
  const clippedShare = 1 - Math.min(1, Math.min(...cut) / Math.max(uncut, 1e-12));
  return { unexplainedDb, clippedShare };
}

/** The energy that is left of what is heard without the dub, whose peaks are cut off at a level. */
function leftOf(
  heard: Float32Array,
  fitted: Float32Array,
  from: number,
  to: number,
  most: number,
): number {
  let a = 1e-12;
  let b = 0;
  let c = 0;
  for (let i = from; i < to; i += 1) {
    const x = Math.max(-most, Math.min(most, fitted[i] ?? 0));
    const y = heard[i] ?? 0;
    a += x * x;
    b += y * y;
    c += x * y;
  }
  return b - (c * c) / a;
}

const FRAMES_PER_WINDOW = 2.5;
const CLICK_DB = 6;
/** Within 40 ms of its ends a click is one of the splice (`measureSplices`). */
const AT_SPLICE_FRAMES = 10;
/** Softer than 36 dB below the dub's speech nothing counts as a click. */
const CLICK_FLOOR = 1 / 4000;

/** Clicks and hiss, by frames of 4 ms of what is above 4 kHz. */
function highBand(
  { heard, fitted }: AlignedDub,
  windows: Windows,
  rateHz: number,
): { clicks: { seconds: number; db: number }[]; hissDb: number } {
  const frame = Math.round((WINDOW_SECONDS * rateHz) / FRAMES_PER_WINDOW);
  const [is, wanted] = [powers(highPass(heard), frame), powers(highPass(fitted), frame)];
  const level = levels(windows);
  const most = (values: Float64Array, from: number, to: number): number =>
    values.subarray(Math.max(0, from), Math.max(0, to + 1)).reduce((a, b) => Math.max(a, b), 0);
  const [clicks, hiss]: [{ seconds: number; db: number }[], number[]] = [[], []];
  is.forEach((power, i) => {
    const window = Math.floor(i / FRAMES_PER_WINDOW);
    const gain = Math.max(0, most(level, window - 2, window + 2));
    // Lossy coding smears by some ms.
    const dub = most(wanted, i - 4, i + 4) * 10 ** (gain / 10);
    const floor = Math.max(dub, CLICK_FLOOR * windows.level);
    if (windows.isSpeech[window] === 1)
      hiss.push(decibels(power / Math.max(wanted[i] ?? 0, floor / 100)));
    const around = Math.max(most(is, i - 12, i - 5), most(is, i + 5, i + 12));
    const db = decibels(power / Math.max(floor, around));
    const isInside = i >= AT_SPLICE_FRAMES && i < is.length - AT_SPLICE_FRAMES;
    if (isInside && db > CLICK_DB && power >= most(is, i - 2, i + 2)) {
      clicks.push({ seconds: (i * frame) / rateHz, db });
    }
  });
  return { clicks, hissDb: median(hiss) };
}

function powers(samples: Float32Array, frame: number): Float64Array {
  return Float64Array.from({ length: Math.floor(samples.length / frame) }, (_, i) => {
    let sum = 0;
    for (let k = i * frame; k < (i + 1) * frame; k += 1) sum += (samples[k] ?? 0) ** 2;
    return sum / frame;
  });
}

const HALF_BAND_REACH = 15;
/** A half-band filter, windowed by a cosine: above a quarter of the sample rate. Without its middle, 0.5. */
const HALF_BAND = Float32Array.from({ length: 2 * HALF_BAND_REACH + 1 }, (_, i) => {
  const k = i - HALF_BAND_REACH;
  const window = 0.5 + 0.5 * Math.cos((Math.PI * k) / (HALF_BAND_REACH + 1));
  return k === 0 ? 0 : (-window * Math.sin((Math.PI * k) / 2)) / (Math.PI * k);
});

function highPass(samples: Float32Array): Float32Array {
  const around = padded(samples, -HALF_BAND_REACH, samples.length + 2 * HALF_BAND_REACH);
  // Every second coefficient is 0, but for the one in the middle.
  const result = Float32Array.from(productsAt(around, HALF_BAND, samples.length, 2));
  for (let i = 0; i < result.length; i += 1) result[i] = (result[i] ?? 0) + 0.5 * (samples[i] ?? 0);
  return result;
}

/** The pitch of most voices, what tells vowels and consonants apart, and what makes a voice clear, in Hz. */
const BANDS: readonly (readonly [fromHz: number, toHz: number])[] = [
  [100, 220],
  [250, 500],
  [500, 1000],
  [1000, 2000],
  [2000, 3400],
  [4200, 7000],
];
/** A dub that has less of a band, against its loudest one, does not tell whether that is lost. */
const LEAST_BAND_DB = -45;
const SPECTRUM_SAMPLES = 512;
const HANN = Float64Array.from(
  { length: SPECTRUM_SAMPLES },
  (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SPECTRUM_SAMPLES),
);

/** Compares the spectra of the speech of both, band by band. */
function lostBand(
  { heard, known }: AlignedDub,
  { size, speech }: Windows,
  rateHz: number,
): DubCondition['lost'] {
  const fft = new FFT(SPECTRUM_SAMPLES);
  const spectrum = new Float64Array(2 * SPECTRUM_SAMPLES);
  const piece = new Float64Array(SPECTRUM_SAMPLES);
  const sums = (samples: Float32Array): number[] => {
    const sum = new Float64Array(SPECTRUM_SAMPLES / 2);
    for (const window of speech) {
      for (let i = 0; i < SPECTRUM_SAMPLES; i += 1) {
        piece[i] = (HANN[i] ?? 0) * (samples[window * size + i] ?? 0);
      }
      fft.realTransform(spectrum, piece);
      for (let k = 0; k < sum.length; k += 1) {
        sum[k] = (sum[k] ?? 0) + (spectrum[2 * k] ?? 0) ** 2 + (spectrum[2 * k + 1] ?? 0) ** 2;
      }
    }
    return BANDS.map(([fromHz, toHz]) => {
      const [from, to] = [fromHz, toHz].map((hz) => Math.round((hz * SPECTRUM_SAMPLES) / rateHz));
      return sum.subarray(from, to).reduce((a, b) => a + b, 0);
    });
  };
  const [is, wanted] = [sums(heard), sums(known)];
  const most = Math.max(...wanted);
  const told = BANDS.flatMap(([fromHz, toHz], i) => {
    const own = wanted[i] ?? 0;
    const gain = decibels((is[i] ?? 0) / Math.max(own, 1e-12));
    return own > most * 10 ** (LEAST_BAND_DB / 10) ? [{ fromHz, toHz, gain }] : [];
  });
  const [best] = [...told].sort((a, b) => b.gain - a.gain);
  const worst = [...told].sort((a, b) => a.gain - b.gain)[0];
  if (!best || !worst) return undefined;
  return { fromHz: worst.fromHz, toHz: worst.toHz, db: worst.gain - best.gain };
}

/** From a slow sway to a tremolo. */
const SLOWEST_SWAY_HZ = 0.25;
const FASTEST_SWAY_HZ = 12;
const LEAST_SWAY_WINDOWS = 200;
/** What is below is a dropout. */
const MOST_SWAY_DB = 15;

/** The sine that explains most of how the level changes, by least squares over the windows of speech (Lomb, 1976). */
function sway(windows: Windows): DubCondition['sway'] {
  const { speech } = windows;
  if (speech.length < LEAST_SWAY_WINDOWS) return undefined;
  const all = levels(windows);
  const own = speech.map((window) => all[window] ?? 0);
  const middle = median(own);
  const around = own.map((db) => Math.max(-MOST_SWAY_DB, Math.min(MOST_SWAY_DB, db - middle)));
  const mean = around.reduce((a, b) => a + b, 0) / around.length;
  const total = around.reduce((sum, db) => sum + (db - mean) ** 2, 0);
  const seconds = ((speech.at(-1) ?? 0) - (speech[0] ?? 0)) * WINDOW_SECONDS;
  let best: DubCondition['sway'];
  for (let hz = SLOWEST_SWAY_HZ; hz <= FASTEST_SWAY_HZ; hz += 0.2 / seconds) {
    let [cc, ss, cs, yc, ys, c1, s1] = [0, 0, 0, 0, 0, 0, 0];
    for (let i = 0; i < around.length; i += 1) {
      const db = around[i] ?? 0;
      const phase = 2 * Math.PI * hz * (speech[i] ?? 0) * WINDOW_SECONDS;
      const c = Math.cos(phase);
      const s = Math.sin(phase);
      cc += c * c;
      ss += s * s;
      cs += c * s;
      c1 += c;
      s1 += s;
      yc += db * c;
      ys += db * s;
    }
    const n = around.length;
    [cc, ss, cs] = [cc - (c1 * c1) / n, ss - (s1 * s1) / n, cs - (c1 * s1) / n];
    [yc, ys] = [yc - mean * c1, ys - mean * s1];
    const determinant = Math.max(1e-9, cc * ss - cs * cs);
    const [a, b] = [(yc * ss - ys * cs) / determinant, (ys * cc - yc * cs) / determinant];
    const share = (a * yc + b * ys) / Math.max(total, 1e-9);
    if (share > (best?.share ?? 0)) best = { hz, db: 2 * Math.hypot(a, b), share };
  }
  return best;
}

const LEAST_PAUSE_WINDOWS = 20;

function pauses(
  { heard, fitted }: AlignedDub,
  windows: Windows,
  rateHz: number,
): DubCondition['pauses'] {
  const { dub, heard: power, product, loudest, level, size } = windows;
  const silent = Array.from(dub, (x) => (x < loudest * SILENCE_SHARE ? 1 : 0));
  const rest = silent
    .flatMap((is, i) =>
      is === 1
        ? [Math.max(0, (power[i] ?? 0) - (product[i] ?? 0) ** 2 / Math.max(dub[i] ?? 0, 1e-12))]
        : [],
    )
    .sort((a, b) => a - b);
  if (rest.length < LEAST_PAUSE_WINDOWS) return unobserved('the dub is hardly ever silent');
  const at = (share: number): number =>
    decibels((rest[Math.floor(share * (rest.length - 1))] ?? 0) / level);
  const longest = runsOf(silent, (is) => is === 1).sort((a, b) => b.count - a.count)[0];
  const [from, to] = [longest?.from ?? 0, (longest?.from ?? 0) + (longest?.count ?? 0)];
  const difference = heard
    .subarray(from * size, to * size)
    .map((sample, i) => sample - (fitted[from * size + i] ?? 0));
  const toneHz = strongestTone(difference, rateHz);
  return {
    ...{ observed: true, db: at(0.5), loudestDb: at(0.9) },
    ...(toneHz === undefined ? {} : { toneHz }),
  };
}

const STEP_WINDOWS = 50;
const LEAST_STEP_WINDOWS = 15;
const SHARP_WINDOWS = 8;

/**
 * Where the level changes at once and keeps to the new one, by the medians of half a second of speech on both sides: a
 * compressor goes on changing it, and what it changes within a side is taken off.
 */
function levelStep(windows: Windows): { window: number; db: number; steadyDb: number } | undefined {
  const level = levels(windows);
  const { speech } = windows;
  let best: ReturnType<typeof levelStep>;
  const side = (from: number, to: number): { middle: number; spread: number } => {
    const sorted = speech
      .slice(Math.max(0, from), to)
      .map((window) => level[window] ?? 0)
      .sort((a, b) => a - b);
    const quantile = (share: number): number =>
      sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
    return { middle: quantile(0.5), spread: quantile(0.75) - quantile(0.25) };
  };
  for (let i = LEAST_STEP_WINDOWS; i + LEAST_STEP_WINDOWS < speech.length; i += 2) {
    const [before, after] = [side(i - STEP_WINDOWS, i - 1), side(i + 1, i + STEP_WINDOWS)];
    const change = after.middle - before.middle;
    // A slow change of the level is no step: right before and after it is the same.
    const sharp = Math.abs(
      side(i + 1, i + SHARP_WINDOWS).middle - side(i - SHARP_WINDOWS, i - 1).middle,
    );
    const steadyDb = Math.min(sharp, Math.abs(change) - (before.spread + after.spread) / 2);
    if (steadyDb > (best?.steadyDb ?? 0)) best = { window: speech[i] ?? 0, db: change, steadyDb };
  }
  return best;
}

const BLOCK_WINDOWS = 50;

/** Half seconds of speech; less at the end of a dub counts to the last one. */
function levelBlocks(
  { known, fitted }: AlignedDub,
  windows: Windows,
): { from: number; count: number; heardDb: number; dubDb: number }[] {
  const { dub, speech, size } = windows;
  const level = levels(windows);
  const energy = (samples: Float32Array): number =>
    speech.reduce((sum, i) => sum + energyOf(samples.subarray(i * size, (i + 1) * size)), 0);
  const fittedDb = decibels(energy(fitted) / Math.max(1e-12, energy(known)));
  const count = Math.floor(speech.length / BLOCK_WINDOWS);
  return Array.from({ length: count }, (_, i) => {
    const until = i === count - 1 ? undefined : (i + 1) * BLOCK_WINDOWS;
    const own = speech.slice(i * BLOCK_WINDOWS, until);
    const [from, to] = [own[0] ?? 0, own.at(-1) ?? 0];
    const heardDb = fittedDb + median(own.map((window) => level[window] ?? 0));
    const dubDb = median(own.map((window) => decibels(dub[window] ?? 0))) - fittedDb;
    return { from, count: to + 1 - from, heardDb, dubDb };
  });
}

/** Of what is heard within 60 ms, so much is the dub's where it is heard: the rest of clipping, codecs and echoes. */
const FOREIGN_SHARE = 0.3;
const FOREIGN_AROUND_WINDOWS = 5;
/** Shorter stretches are like nothing by chance; between two of them, so few are no way back to the dub. */
const LEAST_FOREIGN_WINDOWS = 20;
const JOINED_FOREIGN_WINDOWS = 29;

/** Stretches in which the dub speaks and something else is heard, about as loud as it or louder, and no steady noise. */
function foreign(
  { dub, heard, product, isSpeech, speech, loudest }: Windows,
  moved: readonly { from: number; count: number }[],
): { from: number; count: number }[] {
  const pauses = [...heard].filter((_, i) => (dub[i] ?? 0) < loudest * SILENCE_SHARE);
  const least = 4 * (pauses.length < LEAST_PAUSE_WINDOWS ? 0 : median(pauses));
  const isForeign = speech.filter((window) => {
    let [a, b, c] = [1e-12, 1e-12, 0];
    for (let i = window - FOREIGN_AROUND_WINDOWS; i <= window + FOREIGN_AROUND_WINDOWS; i += 1) {
      if (isSpeech[i] !== 1) continue;
      [a, b, c] = [a + (dub[i] ?? 0), b + (heard[i] ?? 0), c + (product[i] ?? 0)];
    }
    const isHeard = b > a * 10 ** (DROPOUT_DB / 10) && (heard[window] ?? 0) > least;
    return isHeard && (c <= 0 || (c * c) / (a * b) < FOREIGN_SHARE);
  });
  return stretches(isForeign, JOINED_FOREIGN_WINDOWS).filter(
    ({ from, count }) =>
      count >= LEAST_FOREIGN_WINDOWS &&
      moved.every((one) => one.from >= from + count || one.from + one.count <= from),
  );
}

/** Of a window that is the dub's: how much is left of it when the dub is taken out, at most. */
const UNLIKE_DB = -2;
const LEAST_DISPLACED_WINDOWS = 6;
/** Where a voice hums on, a window of another place may be like it by chance. */
const JOINED_DISPLACED_WINDOWS = 2;
const MOST_DISPLACED_SECONDS = 0.3;
/** What is nearer is the same part, through a filter that delays some frequencies more than others. */
const LEAST_DISPLACED_SECONDS = 0.005;
const SAME_SCORE = 0.8;

/** Stretches of 60 ms and more that are unlike the dub there, and like it at another place within 0.3 s. */
function displaced(
  { heard, fitted }: AlignedDub,
  { size, dub, heard: power, product, isSpeech }: Windows,
  rateHz: number,
): { from: number; count: number; byMs: number }[] {
  const pair = (values: Float64Array, i: number): number => (values[i] ?? 0) + (values[i + 1] ?? 0);
  const unlike = [...dub.keys()].filter((i) => {
    if (isSpeech[i] !== 1) return false;
    const [a, b, c] = [pair(dub, i), pair(power, i), pair(product, i)];
    return c <= 0 || 1 - (c * c) / (a * b) > 10 ** (UNLIKE_DB / 10);
  });
  const most = Math.round(MOST_DISPLACED_SECONDS * rateHz);
  return stretches(unlike, JOINED_DISPLACED_WINDOWS)
    .filter(({ count }) => count >= LEAST_DISPLACED_WINDOWS)
    .flatMap(({ from, count }) => {
      const piece = heard.subarray(from * size, (from + count) * size);
      const found = bestLag(piece, fitted, from * size, most);
      return found &&
        found.score >= SAME_SCORE &&
        Math.abs(found.lag) >= LEAST_DISPLACED_SECONDS * rateHz
        ? [{ from, count, byMs: (1000 * found.lag) / rateHz }]
        : [];
    });
}

/** Where a piece is most alike, in samples from where it is. */
function bestLag(
  piece: Float32Array,
  samples: Float32Array,
  at: number,
  most: number,
): { lag: number; score: number } | undefined {
  const every = Math.max(1, Math.floor(piece.length / 800));
  let best: { lag: number; score: number } | undefined;
  for (let lag = -most; lag <= most; lag += 2) {
    const here = correlationAt(samples, at + lag, piece, every);
    if (here > (best?.score ?? 0)) best = { lag, score: here };
  }
  if (!best) return undefined;
  const { lag } = best;
  const near = [-1, 0, 1].map((by) => correlationAt(samples, at + lag + by, piece));
  return { lag, score: Math.max(...near) };
}
