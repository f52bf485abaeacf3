import type { AudioStream } from './media';
import { type Samples, samplesIn } from './samples';

/** The mean of the channels of a track: sample `i`, -1 to 1, is heard at `firstPtsSeconds + i / rateHz`. */
interface Mix {
  samples: Samples;
  rateHz: number;
  firstPtsSeconds: number;
}

const NAMES: Record<string, string> = {
  ...{ FL: 'front left', FR: 'front right', FC: 'front center', LFE: 'low frequency effects' },
  ...{ BL: 'back left', BR: 'back right', BC: 'back center', SL: 'side left', SR: 'side right' },
};

/** What decoders of AAC, AC-3 and Opus give, in ffmpeg's order (`ffmpeg -layouts`). */
const LAYOUTS: Record<string, string> = {
  ...{ '2.1': 'FL FR LFE', '3.0': 'FL FR FC', '3.1': 'FL FR FC LFE', quad: 'FL FR BL BR' },
  ...{ '4.0': 'FL FR FC BC', '5.0': 'FL FR FC BL BR', '5.0(side)': 'FL FR FC SL SR' },
  ...{ '5.1': 'FL FR FC LFE BL BR', '5.1(side)': 'FL FR FC LFE SL SR' },
  ...{ '6.1': 'FL FR FC LFE BC SL SR', '7.1': 'FL FR FC LFE BL BR SL SR' },
};

/** What each channel is for; undefined of a layout that is not known. Two channels are left and right. */
export function channelNames({ channels, channelLayout }: AudioStream): string[] | undefined {
  if (channels === 1) return ['mono'];
  if (channels === 2) return ['left', 'right'];
  return LAYOUTS[channelLayout ?? '']?.split(' ').map((name) => NAMES[name] ?? name);
}

/** The channels that are on both sides of the listener: left and right, each pair at the same distance. */
export function pairsOf(names: readonly string[]): [left: number, right: number][] {
  return names.flatMap((name, left): [number, number][] => {
    const right = names.indexOf(name.replace(/left$/, 'right'));
    return name.endsWith('left') && right >= 0 ? [[left, right]] : [];
  });
}

/** A second of a track of several channels. */
export interface ChannelWindow {
  fromSeconds: number;
  seconds: number;
  /** RMS of each, in dB relative to full scale; -Infinity for digital silence. */
  levelsDbfs: number[];
  /**
   * How alike two channels are, from 1 (the same) over 0 (unrelated) to -1: of opposite polarity, so that their mix is silent.
   * Undefined of more channels than two, and where one of them is silent.
   */
  correlation?: number;
}

/**
 * The channels of a track by what ffmpeg's astats and ametadata say of it, second by second. What two channels have in common
 * is told by the power of their mix: P(mix) = (P(l) + P(r) + 2 r sqrt(P(l) P(r))) / 4.
 *
 * @param log with ametadata's lines
 * @param mix the mean of the channels
 * @returns none for a track with one channel
 */
export function channelWindows(log: string, mix: Mix): ChannelWindow[] {
  const windows: { fromSeconds: number; levelsDbfs: number[] }[] = [];
  const lines = /frame:\d+ +pts:\S+ +pts_time:(\S+)|lavfi\.astats\.\d+\.RMS_level=(\S+)/g;
  for (const [, time, level] of log.matchAll(lines)) {
    if (time !== undefined) windows.push({ fromSeconds: Number(time), levelsDbfs: [] });
    // It writes "-inf" for digital silence, of some versions "nan".
    const dbfs = Number(level);
    if (level !== undefined) windows.at(-1)?.levelsDbfs.push(Number.isNaN(dbfs) ? -Infinity : dbfs);
  }
  const told = windows.filter(({ levelsDbfs }) => levelsDbfs.length > 1);
  const end = mix.firstPtsSeconds + mix.samples.length / mix.rateHz;
  return told.map(({ fromSeconds, levelsDbfs }, i) => {
    const seconds = Math.max(0, (told[i + 1]?.fromSeconds ?? end) - fromSeconds);
    const correlation = correlationOf(levelsDbfs, powerOf(mix, fromSeconds, seconds));
    return {
      ...{ fromSeconds, seconds, levelsDbfs },
      ...(correlation === undefined ? {} : { correlation }),
    };
  });
}

function powerOf({ samples, rateHz, firstPtsSeconds }: Mix, from: number, seconds: number): number {
  const at = Math.max(0, Math.round((from - firstPtsSeconds) * rateHz));
  const piece = samplesIn(samples, at, at + Math.round(seconds * rateHz));
  return piece.reduce((sum, x) => sum + x * x, 0) / Math.max(1, piece.length);
}

function correlationOf(levelsDbfs: readonly number[], mixPower: number): number | undefined {
  const [left = 0, right = 0] = levelsDbfs.map((db) => 10 ** (db / 10));
  if (levelsDbfs.length !== 2 || left < 1e-9 || right < 1e-9) return undefined;
  const correlation = (4 * mixPower - left - right) / (2 * Math.sqrt(left * right));
  return Math.max(-1, Math.min(1, correlation));
}
