import { statSync } from 'node:fs';

import { z } from 'zod';

import { probeTool, runFfprobe, unreadable } from './ffmpeg';
import { type Finding, unobserved } from './finding';

interface StreamBase {
  index: number;
  /** ffmpeg's name of the codec, e.g. `h264`, `aac`; where it has none, what the file calls it, e.g. `timecode (tmcd)`. */
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
  /** PTS that two presented packets share. */
  repeatedPtsSeconds: number[];
  /** DTS that do not come after the one before, in the order of the file. */
  backwardDtsSeconds: number[];
  /** Between key packets; the GOP length of a video track. Unobserved with fewer than two of them. */
  keyInterval: Finding<{ medianSeconds: number; maxSeconds: number }>;
}

export interface PacketSpan {
  file: string;
  /** The first video and the first audio track. */
  video: Finding<TrackSpan>;
  audio: Finding<TrackSpan>;
}

const streamsSchema = z.object({
  streams: z.array(
    z.object({
      index: z.number(),
      codec_type: z.string().optional(),
      codec_name: z.string().optional(),
      codec_tag_string: z.string().optional(),
      width: z.number().optional(),
      height: z.number().optional(),
      avg_frame_rate: z.string().optional(),
      sample_rate: z.string().optional(),
      channels: z.number().optional(),
      tags: z.record(z.string(), z.string()).optional(),
    }),
  ),
});

/** Times in seconds, NaN where the file has none. */
interface Packet {
  pts: number;
  dts: number;
  duration: number;
  flags: string;
}

/**
 * The streams of a media file, in file order.
 *
 * @throws MediaUnreadable when the file is missing, empty, not media, or has no stream
 */
export async function probeStreams(file: string): Promise<MediaStream[]> {
  const { mtimeMs, size } = statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: 0, size: 0 };
  const key = `${file} ${mtimeMs} ${size}`;
  const known = probed.get(key) ?? probe(file);
  probed.set(key, known);
  return known;
}

/** Every measurement asks for the streams of its file first: each version of a file is probed once. */
const probed = new Map<string, Promise<MediaStream[]>>();

async function probe(file: string): Promise<MediaStream[]> {
  const entries =
    'stream=index,codec_type,codec_name,codec_tag_string,width,height,avg_frame_rate,sample_rate,channels' +
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
      codec: stream.codec_name ?? codecByTag(stream.codec_tag_string),
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
 * the container's duration are not used.
 *
 * @throws MediaUnreadable when the file is missing, empty or not media
 */
export async function packetSpan(file: string): Promise<PacketSpan> {
  const streams = await probeStreams(file);
  const entries = 'packet=stream_index,pts_time,dts_time,duration_time,flags';
  const packets = packetsIn(await runFfprobe(file, ['-show_entries', entries], 'compact'));
  const track = (kind: 'video' | 'audio'): Finding<TrackSpan> => {
    const stream = streams.find((candidate) => candidate.kind === kind);
    if (!stream) return unobserved(`${file} has no ${kind} track`);
    return spanOf(packets.get(stream.index) ?? [], stream, file);
  };
  return { file, video: track('video'), audio: track('audio') };
}

/** By the index of their stream, in the order of the file; an hour has 280 000. */
function packetsIn(text: string): Map<number, Packet[]> {
  const packets = new Map<number, Packet[]>();
  for (let from = 0; from < text.length;) {
    const end = text.indexOf('\n', from);
    const line = text.slice(from, end < 0 ? undefined : end);
    from = end < 0 ? text.length : end + 1;
    const value = (name: string): string | undefined => valueIn(line, name);
    const index = Number(value('stream_index'));
    const flags = value('flags');
    if (!Number.isInteger(index) || flags === undefined) continue;
    const all = packets.get(index) ?? [];
    packets.set(index, all);
    all.push({
      ...{ pts: Number(value('pts_time')), dts: Number(value('dts_time')) },
      duration: Number(value('duration_time')),
      // A copy would keep the whole text in memory.
      flags: `${flags.includes('K') ? 'K' : '_'}${flags.includes('D') ? 'D' : '_'}`,
    });
  }
  return packets;
}

/** The value of a name in `name=value|name=value`. */
function valueIn(line: string, name: string): string | undefined {
  const at = `|${line}`.indexOf(`|${name}=`);
  if (at < 0) return undefined;
  const from = at + name.length + 1;
  const end = line.indexOf('|', from);
  return line.slice(from, end < 0 ? undefined : end);
}

function spanOf(packets: Packet[], stream: MediaStream, file: string): Finding<TrackSpan> {
  const presented = packets.filter((packet) => !packet.flags.includes('D'));
  const timed = presented
    .map(({ pts, duration }) => ({ pts, duration }))
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
    repeatedPtsSeconds: steps.flatMap((step, i) => (step === 0 ? [timed[i]?.pts ?? NaN] : [])),
    backwardDtsSeconds: backward(packets.map(({ dts }) => dts)),
    keyInterval: keyInterval(presented),
  };
}

function backward(dts: readonly number[]): number[] {
  const told = dts.filter((time) => Number.isFinite(time));
  return told.filter((time, i) => i > 0 && time <= (told[i - 1] ?? time));
}

function keyInterval(packets: readonly Packet[]): TrackSpan['keyInterval'] {
  const keys = packets.filter(({ flags }) => flags.startsWith('K')).map(({ pts }) => pts);
  const intervals = keys.slice(1).map((pts, i) => pts - (keys[i] ?? pts));
  if (intervals.length === 0) return unobserved(`${keys.length} key packets`);
  // Every packet of audio is one: too many, in an hour, to be arguments.
  const maxSeconds = intervals.reduce((most, one) => Math.max(most, one), 0);
  return { observed: true, medianSeconds: median(intervals), maxSeconds };
}

/** The track of a QuickTime file that counts its frames in hours, minutes and seconds; nothing is seen or heard of it. */
const TIMECODE = 'timecode (tmcd)';

export function isTimecode({ kind, codec }: MediaStream): boolean {
  return kind === 'other' && codec === TIMECODE;
}

/** @param tag four characters by which containers name codecs; `[0][0][0][0]` where they name none */
function codecByTag(tag = ''): string {
  if (tag === 'tmcd') return TIMECODE;
  return /^[\w.-]{2,}$/.test(tag) ? tag : 'unknown';
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
