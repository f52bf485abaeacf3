import { statSync } from 'node:fs';

import { z } from 'zod';

import { probeTool, readFfprobe, runFfprobe, unreadable } from './ffmpeg';
import { type Finding, unobserved } from './finding';
import { cached } from './answer-cache';

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
  /** ffmpeg's name of what each channel is for: `stereo`, `5.1(side)`; null when the file does not tell. */
  channelLayout: string | null;
}

export interface OtherStream extends StreamBase {
  kind: 'other';
}

export type MediaStream = VideoStream | AudioStream | OtherStream;

/** What the header of a file says of its first video track. */
export interface HeaderFormat {
  width: number;
  height: number;
  /** Width of a pixel by its height; 1 where the file does not say. */
  sampleAspectRatio: number;
  /** ffmpeg's name: `yuv420p`, `yuv444p`, `yuv420p10le`; `unknown` where it has none. */
  pixelFormat: string;
  /** By which a player turns the frames, counter-clockwise; from -180 to 180. */
  rotationDegrees: number;
}

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
  /**
   * From this PTS on frames may be missing that come after the last packet in the order of decoding: a stream that breaks off
   * anywhere ends there. The last PTS where frames are not reordered.
   */
  completeToPtsSeconds: number;
  /** PTS that two presented packets share. */
  repeatedPtsSeconds: number[];
  /** DTS that do not come after the one before, in the order of the file. */
  backwardDtsSeconds: number[];
  /** Between key packets; the GOP length of a video track. Unobserved with fewer than two of them. */
  keyInterval: Finding<{ medianSeconds: number; maxSeconds: number }>;
  /** The longest time without a key packet, to the end of the track; also of key packets that are decoded, but not presented. */
  longestWithoutKeySeconds: number;
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
      pix_fmt: z.string().optional(),
      sample_aspect_ratio: z.string().optional(),
      side_data_list: z.array(z.object({ rotation: z.number().optional() })).optional(),
      avg_frame_rate: z.string().optional(),
      sample_rate: z.string().optional(),
      channels: z.number().optional(),
      channel_layout: z.string().optional(),
      tags: z.record(z.string(), z.string()).optional(),
    }),
  ),
  format: z
    .object({ start_time: z.string().optional(), duration: z.string().optional() })
    .default({}),
});

/** Of what is longer, samples and thumbnails are kept in scratch files: an hour of them would be a GB of memory. */
const LONG_SECONDS = 600;

/** Two steps of the same length differ by less, where a container rounds each PTS to 1 ms (FLV). */
const STEP_JITTER_SECONDS = 0.002;

/** What ffprobe says of a file as a whole. */
interface Probed {
  streams: MediaStream[];
  /** Of the first video stream. */
  format: HeaderFormat;
  /** 0 where the file does not say, as `seconds`. */
  startSeconds: number;
  seconds: number;
}

/** The packets of a stream, column by column: an hour has 280 000. Times in seconds, NaN where the file has none. */
interface Packets {
  pts: number[];
  dts: number[];
  duration: number[];
  isKey: boolean[];
  isDiscarded: boolean[];
}

/**
 * The streams of a media file, in file order.
 *
 * @throws MediaUnreadable when the file is missing, empty, not media, or has no stream
 */
export async function probeStreams(file: string): Promise<MediaStream[]> {
  return (await probeOnce(file)).streams;
}

/** In seconds, as the file says it; 0 where it does not. @throws as {@link probeStreams} */
export async function secondsOf(file: string): Promise<number> {
  return (await probeOnce(file)).seconds;
}

/** When it begins in its own timeline, in seconds, as the file says it; 0 where it does not. @throws as {@link probeStreams} */
export async function startOf(file: string): Promise<number> {
  return (await probeOnce(file)).startSeconds;
}

/** Whether samples and thumbnails of a file are kept in scratch files. @throws as {@link probeStreams} */
export async function isLong(file: string): Promise<boolean> {
  return (await secondsOf(file)) > LONG_SECONDS;
}

/**
 * What the header of a file says of its first video track; without one, of nothing.
 *
 * @throws as {@link probeStreams}
 */
export async function formatOf(file: string): Promise<HeaderFormat> {
  return (await probeOnce(file)).format;
}

function probeOnce(file: string): Promise<Probed> {
  const { mtimeMs, size } = statSync(file, { throwIfNoEntry: false }) ?? { mtimeMs: 0, size: 0 };
  const key = `${file} ${mtimeMs} ${size}`;
  const known = probed.get(key) ?? probe(file);
  probed.set(key, known);
  return known;
}

/** Every measurement asks for the streams of its file first: each version of a file is probed once. */
const probed = new Map<string, Promise<Probed>>();

async function probe(file: string): Promise<Probed> {
  const entries =
    'stream=index,codec_type,codec_name,codec_tag_string,width,height,pix_fmt,sample_aspect_ratio,avg_frame_rate,sample_rate,' +
    'channels,channel_layout:stream_tags=language,rotate:stream_side_data_list:format=start_time,duration';
  const json = await runFfprobe(file, ['-show_entries', entries]);
  const { streams, format } = streamsSchema.parse(JSON.parse(json));
  if (streams.length === 0) {
    throw unreadable(file, 'no streams', `ffprobe ${(await probeTool()).version}`);
  }
  const video = streams.find((stream) => stream.codec_type === 'video');
  return {
    streams: streams.map(streamOf),
    format: headerFormat(video),
    startSeconds: Number(format.start_time ?? 0) || 0,
    seconds: Number(format.duration ?? 0) || 0,
  };
}

type ProbedStream = z.infer<typeof streamsSchema>['streams'][number];

function headerFormat(stream: Partial<ProbedStream> = {}): HeaderFormat {
  const [over, under] = (stream.sample_aspect_ratio ?? '1:1').split(':').map(Number);
  const sideData = stream.side_data_list?.find(({ rotation }) => rotation !== undefined);
  return {
    ...{ width: stream.width ?? 0, height: stream.height ?? 0 },
    sampleAspectRatio: (over ?? 1) / (under ?? 1) || 1,
    pixelFormat: stream.pix_fmt ?? 'unknown',
    // The tag of older ffprobes turns clockwise.
    rotationDegrees: sideData?.rotation ?? -Number(stream.tags?.['rotate'] ?? 0),
  };
}

function streamOf(stream: ProbedStream): MediaStream {
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
      channelLayout: stream.channel_layout ?? null,
    };
  }
  return { ...base, kind: 'other' as const };
}

/**
 * Where the packets of the first video and the first audio track lie, read from every packet; headers and
 * the container's duration are not used.
 *
 * @throws MediaUnreadable when the file is missing, empty or not media
 */
export async function packetSpan(file: string): Promise<PacketSpan> {
  const streams = await probeStreams(file);
  const packets = await cached(['ffprobe', 'packets', file], () => readPackets(file));
  const track = (kind: 'video' | 'audio'): Finding<TrackSpan> => {
    const stream = streams.find((candidate) => candidate.kind === kind);
    if (!stream) return unobserved(`${file} has no ${kind} track`);
    return spanOf(packets.get(stream.index) ?? noPackets(), stream, file);
  };
  return { file, video: track('video'), audio: track('audio') };
}

function noPackets(): Packets {
  return { pts: [], dts: [], duration: [], isKey: [], isDiscarded: [] };
}

/** By the index of their stream, in the order of the file. */
async function readPackets(file: string): Promise<Map<number, Packets>> {
  const packets = new Map<number, Packets>();
  const entries = 'packet=stream_index,pts_time,dts_time,duration_time,flags';
  await readFfprobe(file, ['-show_entries', entries], (line) => {
    const values = new Map<string, string>();
    for (const field of line.split('|')) {
      const at = field.indexOf('=');
      values.set(field.slice(0, at), field.slice(at + 1));
    }
    const index = Number(values.get('stream_index'));
    const flags = values.get('flags');
    if (!Number.isInteger(index) || flags === undefined) return;
    const all = packets.get(index) ?? noPackets();
    packets.set(index, all);
    all.pts.push(Number(values.get('pts_time')));
    all.dts.push(Number(values.get('dts_time')));
    all.duration.push(Number(values.get('duration_time')));
    all.isKey.push(flags.includes('K'));
    all.isDiscarded.push(flags.includes('D'));
  });
  return packets;
}

function spanOf(packets: Packets, stream: MediaStream, file: string): Finding<TrackSpan> {
  const { pts, duration, isDiscarded } = packets;
  const presented = [...pts.keys()].filter((i) => !isDiscarded[i]);
  const at = (i: number | undefined): number => pts[i ?? -1] ?? NaN;
  const timed = presented.filter((i) => Number.isFinite(at(i))).sort((a, b) => at(a) - at(b));
  const first = timed[0];
  const last = timed.at(-1);
  if (first === undefined || last === undefined) {
    return unobserved(`the ${stream.kind} track of ${file} has no packet with a PTS`);
  }
  const steps = timed.slice(1).map((packet, i) => at(packet) - at(timed[i]));
  const itsDuration = duration[last] ?? NaN;
  const nominal = steps.length > 0 ? median(steps) : itsDuration;
  const lastDuration = itsDuration > 0 ? itsDuration : nominal;
  if (!Number.isFinite(lastDuration)) {
    return unobserved(`the only ${stream.kind} packet of ${file} has no duration`);
  }
  return {
    observed: true,
    streamIndex: stream.index,
    kind: stream.kind,
    packets: presented.length,
    discardedPackets: pts.length - presented.length,
    packetsWithoutPts: presented.length - timed.length,
    firstPtsSeconds: at(first),
    lastPtsSeconds: at(last),
    durationSeconds: at(last) + lastDuration - at(first),
    nominalStepSeconds: nominal,
    gaps: steps.flatMap((stepSeconds, i) =>
      stepSeconds > 1.5 * nominal ? [{ atSeconds: at(timed[i]), stepSeconds }] : [],
    ),
    completeToPtsSeconds: completeTo(presented.map(at).filter(Number.isFinite)),
    repeatedPtsSeconds: steps.flatMap((step, i) => (step === 0 ? [at(timed[i])] : [])),
    backwardDtsSeconds: backward(packets.dts),
    keyInterval: keyInterval(presented.filter((i) => packets.isKey[i]).map(at)),
    longestWithoutKeySeconds: longestWithoutKey(
      [...pts.keys()].filter((i) => packets.isKey[i]).map(at),
      { fromSeconds: at(first), toSeconds: at(last) + lastDuration },
    ),
  };
}

/**
 * The PTS up to which nothing is missing although the file may end between a frame and those that are decoded after it and shown
 * before it: where the last step ahead is no longer than the others of its kind.
 *
 * @param pts in the order of the file, in seconds
 */
function completeTo(pts: readonly number[]): number {
  // Those that are shown after all that are decoded before them.
  const ahead: { time: number; step: number; isReordered: boolean }[] = [];
  pts.forEach((time, i) => {
    const step = time - (ahead.at(-1)?.time ?? NaN);
    if (step <= 0) return;
    ahead.push({ time, step, isReordered: (pts[i + 1] ?? Infinity) < time });
  });
  const last = ahead.pop();
  if (!last) return NaN;
  const longest = ahead.reduce(
    (most, one) => (one.isReordered && one.step > most ? one.step : most),
    0,
  );
  return last.step < longest + STEP_JITTER_SECONDS ? last.time - last.step : last.time;
}

function backward(dts: readonly number[]): number[] {
  const told = dts.filter((time) => Number.isFinite(time));
  return told.filter((time, i) => i > 0 && time <= (told[i - 1] ?? time));
}

/** @param keys PTS of key packets in the order of the file, in seconds */
function keyInterval(keys: readonly number[]): TrackSpan['keyInterval'] {
  const intervals = keys.slice(1).map((pts, i) => pts - (keys[i] ?? pts));
  if (intervals.length === 0) return unobserved(`${keys.length} key packets`);
  // Every packet of audio is one: too many, in an hour, to be arguments.
  const maxSeconds = intervals.reduce((most, one) => Math.max(most, one), 0);
  return { observed: true, medianSeconds: median(intervals), maxSeconds };
}

/** @param keys PTS of key packets, in seconds; what is presented may begin after the first of them, and before it */
function longestWithoutKey(
  keys: readonly number[],
  { fromSeconds, toSeconds }: { fromSeconds: number; toSeconds: number },
): number {
  const inOrder = keys.filter((at) => Number.isFinite(at) && at < toSeconds).sort((a, b) => a - b);
  let before = Math.min(fromSeconds, inOrder[0] ?? fromSeconds);
  let longest = 0;
  for (const at of [...inOrder, toSeconds]) {
    longest = Math.max(longest, at - before);
    before = at;
  }
  return longest;
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
