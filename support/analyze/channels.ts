import { median } from '../base/median';
import { readChannels } from './audio';
import { type Finding, unobserved } from './finding';
import type { AudioStream } from './media';
import { locate } from './placement';
import { energyOf, type Samples, samplesIn } from './samples';

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
  return energyOf(piece) / Math.max(1, piece.length);
}

function correlationOf(levelsDbfs: readonly number[], mixPower: number): number | undefined {
  const [left = 0, right = 0] = levelsDbfs.map((db) => 10 ** (db / 10));
  if (levelsDbfs.length !== 2 || left < 1e-9 || right < 1e-9) return undefined;
  const correlation = (4 * mixPower - left - right) / (2 * Math.sqrt(left * right));
  return Math.max(-1, Math.min(1, correlation));
}

/** One of two channels that says the same as the other, later. */
export interface LateChannel {
  channel: 'left' | 'right';
  /** By how much, at least 1. */
  ms: number;
  fromSeconds: number;
  seconds: number;
}

/** Two that are the same have 1; at 1 ms and later, voices have less. */
const ALIKE_CORRELATION = 0.9;
/** One channel is not much softer. */
const AS_LOUD_DB = 12;
const LOUD_DBFS = -50;
const LEAST_LATE_SECONDS = 2;
/** 0.125 ms a sample. */
const LATE_RATE_HZ = 8000;
const MOST_LATE_SECONDS = 0.1;
const LEAST_LATE_MS = 1;
/** So much is compared, in pieces of so many seconds: most of them have to agree to 0.5 ms. */
const COMPARED_SECONDS = 12;
const PIECE_SECONDS = 1;
const AGREED_MS = 0.5;
const LEAST_PIECES = 2;
/** Two microphones have less than a copy. */
const LEAST_SAME = 0.8;

/**
 * Whether one of two channels is a delayed copy of the other. Only where they are as loud and not alike for 2 s in all, 12 s of
 * them are decoded once more, each by itself, and the lag of each second is searched up to 100 ms.
 *
 * @returns unobserved where none is
 */
export async function lateChannel(
  file: string,
  windows: readonly ChannelWindow[],
): Promise<Finding<LateChannel>> {
  const unlike = windows.filter(({ levelsDbfs, correlation = 1 }) => {
    const [left = -Infinity, right = -Infinity] = levelsDbfs;
    const isLoud = Math.min(left, right) > LOUD_DBFS && Math.abs(left - right) < AS_LOUD_DB;
    return isLoud && correlation < ALIKE_CORRELATION;
  });
  const [first] = unlike;
  const seconds = unlike.reduce((sum, one) => sum + one.seconds, 0);
  if (!first || seconds < LEAST_LATE_SECONDS) return unobserved('the channels are alike');
  const from = first.fromSeconds - (windows[0]?.fromSeconds ?? 0);
  const [left, right] = await readChannels(file, LATE_RATE_HZ, from, COMPARED_SECONDS);
  const lags = lagsOf(left, right);
  const ms = median(lags);
  const agreed = lags.filter((lag) => Math.abs(lag - ms) <= AGREED_MS);
  if (agreed.length < Math.max(LEAST_PIECES, lags.length / 2) || Math.abs(ms) < LEAST_LATE_MS)
    return unobserved('neither is the other one, later');
  const channel = ms > 0 ? 'right' : 'left';
  return { observed: true, channel, ms: Math.abs(ms), fromSeconds: first.fromSeconds, seconds };
}

/** By how many ms the right one is later, second by second; nothing of those in which it is not the same. */
function lagsOf(left: Float32Array, right: Float32Array): number[] {
  const [size, most] = [PIECE_SECONDS, MOST_LATE_SECONDS].map((s) => Math.round(s * LATE_RATE_HZ));
  const lags: number[] = [];
  if (size === undefined || most === undefined) return lags;
  for (let at = most; at + size + most <= left.length; at += size) {
    const found = locate(
      right.subarray(at, at + size),
      left.subarray(at - most, at + size + most),
      LATE_RATE_HZ,
    );
    if (!found.observed || found.score < LEAST_SAME) continue;
    lags.push(1000 * (MOST_LATE_SECONDS - found.offsetSeconds));
  }
  return lags;
}
