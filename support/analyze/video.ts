import { SuiteError } from '../base/errors';
import { FRAMES_AS_THEY_COME } from '../base/ffmpeg-options';
import { processorCount } from '../base/processors';
import { errorLinesOf, lastLines, type Span, streamFfmpeg, unreadable } from './ffmpeg';
import { readStrip, STRIP_BYTES } from './frame-strip';
import { isLong, probeStreams, type VideoStream } from './media';
import { SMALL_FRAME_FILTERS, SmallFrames, stripCells, type Thumbnails } from './thumbnails';
import { cached } from './answer-cache';

/** The timestamps of decoded frames could not be read. */
export class FrameClockUnreadable extends SuiteError {}

/** A file was asked for frames but has no video track. */
export class NoVideoTrack extends SuiteError {}

export interface Frame {
  /** In the file's own timeline. */
  ptsSeconds: number;
  /** Null when the frame carries no readable frame strip. */
  frame: number | null;
}

/** What the decoder says of the frames from one on. */
export interface FrameFormat {
  fromSeconds: number;
  width: number;
  height: number;
  /** Width of a pixel by its height; 1 where the video does not say. */
  sampleAspectRatio: number;
  /** ffmpeg's name: `yuv420p`. */
  pixelFormat: string;
}

/** Everything that one pass of the decoder tells of a video track. */
export interface VideoTrack {
  /** Every decoded frame, in presentation order, with those that the decoder concealed. */
  frames: Frame[];
  /** Of each of them. */
  thumbnails: Thumbnails;
  /** The size and the sample aspect ratio of the frames, and from when on: more than one where they change. */
  formats: FrameFormat[];
  /** At least 98 % of the frame below the strip is darker than 10 % luminance, for 0.1 s or more. */
  black: Span[];
  /** Nothing below the strip moves (-60 dB) for 0.2 s or more. */
  frozen: Span[];
  /** Every error that demuxer and decoder reported, in order. Empty for an intact file. */
  errorLines: string[];
  /** 0 unless ffmpeg gave up. */
  exitCode: number;
}

/** A small grey copy without the strip at the top is enough to find freezes and black frames. */
const GREY_COPY = 'crop=iw:ih*0.94:0:ih*0.06,scale=160:90:flags=neighbor,format=gray';

/**
 * How the only video track that is wanted is decoded, before its filters. Nothing measured here needs the deblocking
 * filter, a quarter of the decoder's work. `repeat`: ffmpeg folds equal messages into one. -copyts: without it ffmpeg shifts
 * the first timestamp to zero. Half of the processors: audio is measured meanwhile, and a decoder of two threads, which wait for
 * each other, needs half as much again as one.
 */
const DECODER = [
  ...['-v', 'repeat+level+info', '-skip_loop_filter', 'all', '-copyts'],
  ...['-threads', String(Math.max(1, Math.floor(processorCount() / 2))), '-i'],
];

const RAW = [...FRAMES_AS_THEY_COME, '-f', 'rawvideo', 'pipe:1'];

/**
 * Decodes the first video track once, to its end. Errors do not stop it, so that all of them are listed.
 *
 * @throws MediaUnreadable, NoVideoTrack, FrameClockUnreadable
 */
export async function readVideo(file: string): Promise<VideoTrack> {
  const { index } = await videoOf(file);
  const graph =
    `[0:${index}]showinfo=checksum=0,split[a][b];[a]${SMALL_FRAME_FILTERS}[small];` +
    `[b]${GREY_COPY},blackdetect=d=0.1:pic_th=0.98:pix_th=0.1,freezedetect=n=-60dB:d=0.2,nullsink`;
  const args = [...DECODER, file, '-filter_complex', graph, '-map', '[small]', ...RAW];
  const decoded = (await isLong(file))
    ? await decode(args, true)
    : await cached(['ffmpeg', 'frames', args], () => decode(args, false));
  const { numbers, thumbnails, formats, stderr, exitCode } = decoded;
  const times = timesOf(file, decoded);
  return {
    frames: times.map((ptsSeconds, i) => ({ ptsSeconds, frame: numbers[i] ?? null })),
    ...{ thumbnails, formats },
    black: spans(stderr, /black_start:\s*(\S+) black_end:\s*(\S+)/g),
    frozen: freezes(stderr, times.at(-1)),
    errorLines: errorLinesOf(stderr),
    exitCode,
  };
}

/**
 * The frames of a video that others are compared with: what can be seen in each, and when.
 *
 * @throws MediaUnreadable, NoVideoTrack, FrameClockUnreadable
 */
export async function readFrames(
  file: string,
): Promise<{ thumbnails: Thumbnails; times: number[] }> {
  const { index } = await videoOf(file);
  const graph = `[0:${index}]showinfo=checksum=0,${SMALL_FRAME_FILTERS}[small]`;
  const args = [...DECODER, file, '-filter_complex', graph, '-map', '[small]', ...RAW];
  const decoded = await decode(args, await isLong(file));
  // Of what others are compared with, a part is not enough.
  if (decoded.exitCode !== 0) throw unreadable(file, lastLines(decoded.stderr), 'ffmpeg');
  return { thumbnails: decoded.thumbnails, times: timesOf(file, decoded) };
}

/** @throws FrameClockUnreadable unless there is a time for each frame */
function timesOf(file: string, { thumbnails, times, stderr }: Decoded): number[] {
  if (times.length === thumbnails.count) return times;
  throw new FrameClockUnreadable({
    what: 'not every decoded frame has a timestamp',
    where: file,
    seen: `${thumbnails.count} frames, ${times.length} timestamps: ${lastLines(stderr)}`,
    expected: 'one timestamp for each frame',
  });
}

/** @throws MediaUnreadable, NoVideoTrack */
async function videoOf(file: string): Promise<VideoStream> {
  const streams = await probeStreams(file);
  const video = streams.find((stream) => stream.kind === 'video');
  if (video) return video;
  throw new NoVideoTrack({
    what: 'there is no video track',
    where: file,
    seen: streams.map((stream) => `${stream.kind} (${stream.codec})`).join(', '),
    expected: 'a video track',
  });
}

interface Decoded {
  numbers: (number | null)[];
  thumbnails: Thumbnails;
  /** PTS of each frame in seconds. */
  times: number[];
  formats: FrameFormat[];
  /** Without the lines of single frames. */
  stderr: string;
  exitCode: number;
}

/** @param isStored whether thumbnails are kept in a file; what is cached has to be in memory */
async function decode(args: readonly string[], isStored: boolean): Promise<Decoded> {
  const numbers: (number | null)[] = [];
  const small = new SmallFrames(isStored, (copy) =>
    numbers.push(readStrip(stripCells(copy, STRIP_BYTES))),
  );
  const log = new FrameLog();
  const { stderr, exitCode } = await streamFfmpeg(
    args,
    (piece) => {
      small.take(piece);
    },
    (line) => log.take(line),
  );
  const { times, formats } = log;
  return { numbers, thumbnails: small.thumbnails, times, formats, stderr, exitCode };
}

/** What showinfo says of each frame, read line by line: of an hour it is 40 MB. */
class FrameLog {
  readonly times: number[] = [];
  readonly formats: FrameFormat[] = [];
  #tickSeconds = NaN;

  /** @returns whether nothing else is in the line */
  take(line: string): boolean {
    if (!line.includes('showinfo')) return false;
    const [, over, under] = TIME_BASE.exec(line) ?? [];
    if (under !== undefined && Number.isNaN(this.#tickSeconds)) {
      this.#tickSeconds = Number(over) / Number(under);
    }
    // More than one may be in a line, and other messages: ffmpeg writes them into the same stream.
    for (const [, pts] of line.matchAll(FRAME)) this.times.push(Number(pts) * this.#tickSeconds);
    for (const found of line.matchAll(FORMAT)) this.#format(found);
    return !/\[(error|fatal|panic)\]|black_start|freeze_/.test(line);
  }

  #format([, pixelFormat = '', over, under, width, height]: RegExpMatchArray): void {
    const last = this.formats.at(-1);
    const format = {
      ...{ fromSeconds: this.times.at(-1) ?? NaN, width: Number(width), height: Number(height) },
      // 0/1: unknown, which players take for square.
      ...{ sampleAspectRatio: Number(over) / Number(under) || 1, pixelFormat },
    };
    if (!last || keyOf(last) !== keyOf(format)) this.formats.push(format);
  }
}

const TIME_BASE = /config in time_base: (\d+)\/(\d+)/;
/** PTS in showinfo's line of a frame, in ticks; exact, unlike its rounded `pts_time`. */
const FRAME = /showinfo[^\]]*\] \[info\] n: *\d+ pts: *(-?\d+) /g;
/** The shape in that line: `fmt:yuv420p sar:1/1 s:1280x720`. */
const FORMAT =
  /showinfo[^\]]*\] \[info\] n: *\d+ pts: *-?\d+ .*?fmt:(\S+) .*?sar:(\d+)\/(\d+) s:(\d+)x(\d+)/g;

function keyOf({ width, height, sampleAspectRatio, pixelFormat }: FrameFormat): string {
  return [width, height, sampleAspectRatio, pixelFormat].join();
}

function spans(log: string, pattern: RegExp): Span[] {
  return [...log.matchAll(pattern)].map(([, from, to]) => ({
    fromSeconds: Number(from),
    seconds: Number(to) - Number(from),
  }));
}

/** The last freeze has no end in the log when it lasts to the end of the track. */
function freezes(log: string, endSeconds: number | undefined): Span[] {
  const events = [...log.matchAll(/freeze_(start|end): (\S+)/g)];
  return events.flatMap(([, kind, at], i) => {
    if (kind !== 'start') return [];
    const to = Number(events[i + 1]?.[2] ?? endSeconds);
    return [{ fromSeconds: Number(at), seconds: to - Number(at) }];
  });
}
