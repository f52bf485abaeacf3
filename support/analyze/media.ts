import { z } from 'zod';

import { probeTool, runFfmpeg, runFfprobe, unreadable } from './ffmpeg';
import { type Finding, unobserved } from './finding';

interface StreamBase {
  index: number;
  /** ffmpeg's name of the codec, e.g. `h264`, `aac`; `unknown` where it has none. */
  codec: string;
  /** The language tag as written in the file (`spa`, `es`); null when absent or `und`. */
  language: string | null;
}

export interface VideoStream extends StreamBase {
  kind: 'video';
  /** null when the parameter sets that tell it are missing */
  width: number | null;
  height: number | null;
  /** Average frames per second; null when the file does not tell. */
  fps: number | null;
}

export interface AudioStream extends StreamBase {
  kind: 'audio';
  sampleRateHz: number | null;
  channels: number | null;
}

export interface OtherStream extends StreamBase {
  kind: 'other';
}

export type MediaStream = VideoStream | AudioStream | OtherStream;

/** A PTS step of more than 1.5 nominal steps. */
export interface PtsGap {
  /** PTS of the packet before the gap. */
  atSeconds: number;
  stepSeconds: number;
}

/** Where the packets of one track lie. All times are PTS in the file's own timeline, in seconds. */
export interface TrackSpan {
  streamIndex: number;
  kind: MediaStream['kind'];
  packets: number;
  /** Packets that a player decodes but does not present (AAC priming, edit lists); not part of the span. */
  discardedPackets: number;
  packetsWithoutPts: number;
  firstPtsSeconds: number;
  lastPtsSeconds: number;
  /** Last PTS + duration of that packet - first PTS. */
  durationSeconds: number;
  /** Median PTS step; the packet's own duration when there is only one packet. */
  nominalStepSeconds: number;
  gaps: PtsGap[];
}

export interface PacketSpan {
  file: string;
  /** The first video and the first audio track. */
  video: Finding<TrackSpan>;
  audio: Finding<TrackSpan>;
}

export interface DecodeReport {
  file: string;
  video: Finding<{ frames: number }>;
  audio: Finding<{ samples: number; sampleRateHz: number; channels: number; seconds: number }>;
  /** Every error that the decoders and the demuxer reported, in order. Empty for an intact file. */
  errorLines: string[];
  /** 0 unless ffmpeg gave up. */
  exitCode: number;
}

const streamsSchema = z.object({
  streams: z.array(
    z.object({
      index: z.number(),
      codec_type: z.string().optional(),
      codec_name: z.string().optional(),
      width: z.number().optional(),
      height: z.number().optional(),
      avg_frame_rate: z.string().optional(),
      sample_rate: z.string().optional(),
      channels: z.number().optional(),
      tags: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

const packetsSchema = z.object({
  packets: z.array(
    z.object({
      stream_index: z.number(),
      pts_time: z.string().optional(),
      duration_time: z.string().optional(),
      flags: z.string(),
    }),
  ),
});

type Packet = z.infer<typeof packetsSchema>['packets'][number];

/**
 * The streams of a media file, in file order.
 *
 * @throws MediaUnreadable when the file is missing, empty, not media, or has no stream
 */
export async function probeStreams(file: string): Promise<MediaStream[]> {
  const entries =
    'stream=index,codec_type,codec_name,width,height,avg_frame_rate,sample_rate,channels' +
    ':stream_tags=language';
  const json = await runFfprobe(file, ['-show_entries', entries]);
  const { streams } = streamsSchema.parse(JSON.parse(json));
  if (streams.length === 0) {
    throw unreadable(file, 'no streams', `ffprobe ${(await probeTool()).version}`);
  }
  return streams.map((stream) => {
    const tag = stream.tags?.['language'];
    const base = {
      index: stream.index,
      codec: stream.codec_name ?? 'unknown',
      language: tag === undefined || tag === 'und' ? null : tag,
    };
    if (stream.codec_type === 'video') {
      return {
        ...base,
        kind: 'video' as const,
        width: positive(stream.width),
        height: positive(stream.height),
        fps: ratio(stream.avg_frame_rate),
      };
    }
    if (stream.codec_type === 'audio') {
      return {
        ...base,
        kind: 'audio' as const,
        sampleRateHz: positive(Number(stream.sample_rate)),
        channels: positive(stream.channels),
      };
    }
    return { ...base, kind: 'other' as const };
  });
}

/**
 * Where the packets of the first video and the first audio track lie, read from every packet; headers and
 * the container's duration are not looked at.
 *
 * @throws MediaUnreadable when the file is missing, empty or not media
 */
export async function packetSpan(file: string): Promise<PacketSpan> {
  const streams = await probeStreams(file);
  const json = await runFfprobe(file, [
    '-show_entries',
    'packet=stream_index,pts_time,duration_time,flags',
  ]);
  const { packets } = packetsSchema.parse(JSON.parse(json));
  const track = (kind: 'video' | 'audio'): Finding<TrackSpan> => {
    const stream = streams.find((candidate) => candidate.kind === kind);
    if (!stream) return unobserved(`${file} has no ${kind} track`);
    return spanOf(
      packets.filter((packet) => packet.stream_index === stream.index),
      stream,
      file,
    );
  };
  return { file, video: track('video'), audio: track('audio') };
}

function spanOf(packets: Packet[], stream: MediaStream, file: string): Finding<TrackSpan> {
  const presented = packets.filter((packet) => !packet.flags.includes('D'));
  const timed = presented
    .map((packet) => ({ pts: Number(packet.pts_time), duration: Number(packet.duration_time) }))
    .filter(({ pts }) => Number.isFinite(pts))
    .sort((a, b) => a.pts - b.pts);
  const first = timed[0];
  const last = timed.at(-1);
  if (!first || !last) {
    return unobserved(`the ${stream.kind} track of ${file} has no packet with a PTS`);
  }
  const steps = timed.slice(1).map(({ pts }, i) => pts - (timed[i]?.pts ?? pts));
  const nominal = steps.length > 0 ? median(steps) : last.duration;
  const lastDuration = last.duration > 0 ? last.duration : nominal;
  if (!Number.isFinite(lastDuration)) {
    return unobserved(`the only ${stream.kind} packet of ${file} has no duration`);
  }
  return {
    observed: true,
    streamIndex: stream.index,
    kind: stream.kind,
    packets: presented.length,
    discardedPackets: packets.length - presented.length,
    packetsWithoutPts: presented.length - timed.length,
    firstPtsSeconds: first.pts,
    lastPtsSeconds: last.pts,
    durationSeconds: last.pts + lastDuration - first.pts,
    nominalStepSeconds: nominal,
    gaps: steps.flatMap((stepSeconds, i) =>
      stepSeconds > 1.5 * nominal ? [{ atSeconds: timed[i]?.pts ?? NaN, stepSeconds }] : [],
    ),
  };
}

/**
 * Decodes the first video and the first audio track to the end and counts what comes out. Errors do not stop
 * it, so that all of them are listed; frames that a decoder conceals are counted and their errors listed.
 *
 * @throws MediaUnreadable when the file is missing, empty or not media
 */
export async function decodeWhole(file: string): Promise<DecodeReport> {
  const streams = await probeStreams(file);
  const video = streams.find((stream) => stream.kind === 'video');
  const audio = streams.find((stream) => stream.kind === 'audio');
  const runs = await Promise.all([
    video ? decodeVideo(file, video.index) : undefined,
    audio ? decodeAudio(file, audio) : undefined,
  ]);
  const [videoRun, audioRun] = runs;
  return {
    file,
    video: videoRun?.finding ?? unobserved(`${file} has no video track`),
    audio: audioRun?.finding ?? unobserved(`${file} has no audio track`),
    errorLines: runs.flatMap((run) => run?.errorLines ?? []),
    exitCode: Math.max(...runs.map((run) => run?.exitCode ?? 0)),
  };
}

// `repeat`: without it ffmpeg folds equal messages into one. `level`: marks them among the progress lines.
const ALL_ERRORS = ['-v', 'repeat+level+error'];

async function decodeVideo(
  file: string,
  index: number,
): Promise<{ finding: Finding<{ frames: number }>; errorLines: string[]; exitCode: number }> {
  const { stdout, stderr, exitCode } = await runFfmpeg([
    ...ALL_ERRORS,
    ...['-progress', 'pipe:1', '-copyts', '-i', file, '-map', `0:${index}`],
    ...['-fps_mode', 'passthrough', '-enc_time_base:v', '-1', '-f', 'null', '-'],
  ]);
  const counts = [...stdout.toString('utf8').matchAll(/^frame=\s*(\d+)/gm)];
  const last = counts.at(-1)?.[1];
  // ffmpeg gives up before its first progress report when it cannot even tell the picture format.
  const finding: Finding<{ frames: number }> =
    last !== undefined
      ? { observed: true, frames: Number(last) }
      : exitCode !== 0
        ? { observed: true, frames: 0 }
        : unobserved('ffmpeg reported no progress');
  return { finding, errorLines: errorLinesOf(stderr), exitCode };
}

async function decodeAudio(
  file: string,
  stream: AudioStream,
): Promise<{ finding: DecodeReport['audio']; errorLines: string[]; exitCode: number }> {
  const { stdout, stderr, exitCode } = await runFfmpeg([
    ...ALL_ERRORS,
    ...['-copyts', '-i', file, '-map', `0:${stream.index}`],
    ...['-c:a', 'pcm_s16le', '-f', 's16le', 'pipe:1'],
  ]);
  const { sampleRateHz, channels } = stream;
  const samples = channels === null ? 0 : stdout.length / 2 / channels;
  const finding: DecodeReport['audio'] =
    sampleRateHz === null || channels === null
      ? unobserved(`the audio track of ${file} does not tell its sample rate and channels`)
      : { observed: true, samples, sampleRateHz, channels, seconds: samples / sampleRateHz };
  return { finding, errorLines: errorLinesOf(stderr), exitCode };
}

function errorLinesOf(stderr: string): string[] {
  return stderr.split('\n').filter((line) => /\[(error|fatal|panic)\]/.test(line));
}

function positive(value: number | undefined): number | null {
  return value !== undefined && value > 0 ? value : null;
}

/** `30000/1001` as a number; null for `0/0`. */
function ratio(text: string | undefined): number | null {
  const [over, under] = (text ?? '').split('/').map(Number);
  return over && under ? over / under : null;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}
