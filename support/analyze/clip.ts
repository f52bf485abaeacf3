/** What a clip that is to be published is, by its own packets and first frames. */
import { statSync } from 'node:fs';

import { FRAMES_AS_THEY_COME } from '../base/ffmpeg-options';
import { meantRate } from '../base/frame-rates';
import type { Measured } from '../broadcast/fixture-description';
import { FindingCache } from './cache';
import { lastLines, runFfmpeg, unreadable } from './ffmpeg';
import { type Finding, unobserved } from './finding';
import { readStrip, STRIP_BYTES, STRIP_FILTERS } from './frame-strip';
import {
  type AudioStream,
  type MediaStream,
  packetSpan,
  probeStreams,
  type TrackSpan,
  type VideoStream,
} from './media';
/** The frame numbers of a clip's first frames. */
export interface FirstNumbers {
  /** How many frames were read, and how many of them carry a readable number. */
  frames: number;
  readable: number;
  /** The number of the first frame that carries one. */
  first: number | undefined;
  /** By how much numbers grow in a second of the clip; undefined with fewer than two of them. */
  perSecond: number | undefined;
}

/** A clip, measured; `seconds` is how long its video lasts. */
export interface Clip {
  file: string;
  streams: readonly MediaStream[];
  video: VideoStream;
  seconds: number;
  /** Frames by the time that they take, not by what a header says. */
  framesPerSecond: number;
  /** Whether frames are shown for as long as the others, all but 1 % of them. */
  isConstantRate: boolean;
  /** Undefined where the clip has no audio. Both in seconds, after the first frame. */
  audio: { stream: AudioStream; startsAtSeconds: number; endsAtSeconds: number } | undefined;
  /** Between key frames. */
  keyInterval: TrackSpan['keyInterval'];
  numbers: FirstNumbers;
}

/** So much of a clip is decoded to see whether its frames are numbered. */
const NUMBERED_SECONDS = 3;

/** Of the first frames; where hardly any is numbered, none is counted by. */
const LEAST_READABLE = 0.9;
/** As media-service joins them to the segment before (spec 018), in seconds. */
const SHORTEST_SEGMENT_SECONDS = 1;
/** Below this, in seconds, audio begins with the video: priming of encoders. */
const LATE_AUDIO_SECONDS = 0.15;

const cache = new FindingCache();

/**
 * Measures a clip: each version of a file once.
 *
 * @returns unobserved where it has no video
 * @throws MediaUnreadable when the file is missing, empty or not media
 */
export function readClip(file: string): Promise<Finding<Clip>> {
  const { mtimeMs, size } = statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: 0, size: 0 };
  return cache.once(`${file} ${mtimeMs} ${size}`, () => measure(file));
}

async function measure(file: string): Promise<Finding<Clip>> {
  const streams = await probeStreams(file);
  const video = streams.find((stream) => stream.kind === 'video');
  const sound = streams.find((stream) => stream.kind === 'audio');
  if (!video) return unobserved('it has no video track');
  const [span, numbers] = [await packetSpan(file), await firstNumbers(file, video)];
  if (!span.video.observed) return span.video;
  const { firstPtsSeconds, lastPtsSeconds, packets } = span.video;
  const begins = span.audio.observed ? span.audio.firstPtsSeconds - firstPtsSeconds : 0;
  return {
    observed: true,
    ...{ file, streams, video, numbers, seconds: span.video.durationSeconds },
    framesPerSecond: packets > 1 ? (packets - 1) / (lastPtsSeconds - firstPtsSeconds) : NaN,
    isConstantRate: isConstant(span.video),
    keyInterval: span.video.keyInterval,
    audio:
      sound && span.audio.observed
        ? {
            stream: sound,
            startsAtSeconds: begins,
            endsAtSeconds: begins + span.audio.durationSeconds,
          }
        : undefined,
  };
}

/** Cameras lose a frame now and then; timestamps in ms (FLV, Matroska) jitter, where a frame that is left out is a whole step. */
const MOST_UNEVEN = 0.01;

function isConstant({ gaps, repeatedPtsSeconds, packets }: TrackSpan): boolean {
  return gaps.length + repeatedPtsSeconds.length <= MOST_UNEVEN * packets;
}

async function firstNumbers(file: string, { index }: VideoStream): Promise<FirstNumbers> {
  const { stdout, stderr, exitCode } = await runFfmpeg([
    ...['-v', 'repeat+level+info', '-t', String(NUMBERED_SECONDS), '-i', file],
    ...['-filter_complex', `[0:${index}]${STRIP_FILTERS},showinfo=checksum=0[strip]`],
    ...['-map', '[strip]', ...FRAMES_AS_THEY_COME, '-f', 'rawvideo', 'pipe:1'],
  ]);
  if (exitCode !== 0) throw unreadable(file, lastLines(stderr), 'ffmpeg');
  const times = [...stderr.matchAll(/showinfo[^\]]*\] \[info\] n: *\d+ .*?pts_time:(\S+)/g)];
  const frames = Math.floor(stdout.length / STRIP_BYTES);
  const read = Array.from({ length: frames }, (_, i) => ({
    at: Number(times[i]?.[1]),
    number: readStrip(stdout.subarray(i * STRIP_BYTES, (i + 1) * STRIP_BYTES)),
  })).flatMap(({ at, number }) => (number === null ? [] : [{ at, number }]));
  const [first, last] = [read[0], read.at(-1)];
  const elapsed = (last?.at ?? 0) - (first?.at ?? 0);
  return {
    ...{ frames, readable: read.length, first: first?.number },
    perSecond: elapsed > 0 ? ((last?.number ?? 0) - (first?.number ?? 0)) / elapsed : undefined,
  };
}

/** Whether its frames carry a frame strip. */
export function isNumbered({ readable, frames }: FirstNumbers): boolean {
  return readable >= LEAST_READABLE * frames;
}

/** Over the first 3 s, right to within 1.4 %; a strip of another usual rate is 4 % off at least. */
const RATE_WITHIN = 0.025;

/** Whether the numbers grow by so many in a second. A single number tells nothing against it. */
export function isCountedAt({ perSecond }: FirstNumbers, framesPerSecond: number): boolean {
  return (
    Math.abs((perSecond ?? framesPerSecond) - framesPerSecond) <= RATE_WITHIN * framesPerSecond
  );
}

/** How much of a clip is published: what is left after its last whole segment is not, where that is no segment. */
export function publishedSeconds(seconds: number, segmentSeconds: number): number {
  const rest = seconds % segmentSeconds;
  const isWhole = seconds > segmentSeconds && rest < SHORTEST_SEGMENT_SECONDS;
  return isWhole ? seconds - rest : seconds;
}

/** What a description says of a clip. */
export function measuredOf(clip: Clip, segmentSeconds: number): Measured {
  const { file, video, seconds, framesPerSecond, numbers, audio } = clip;
  const { sampleRateHz, channels } = audio?.stream ?? {};
  const starts = audio?.startsAtSeconds ?? 0;
  return {
    ...{ file, framesPerSecond: meantRate(framesPerSecond) },
    seconds: publishedSeconds(seconds, segmentSeconds),
    ...{ width: video.width ?? 0, height: video.height ?? 0 },
    frameStrip: numbers.first === 0 && isNumbered(numbers) && isCountedAt(numbers, framesPerSecond),
    audio: audio
      ? {
          ...{ sampleRateHz: sampleRateHz ?? 0, channels: channels ?? 0 },
          startsAtSeconds: starts > LATE_AUDIO_SECONDS ? starts : 0,
        }
      : null,
  };
}
