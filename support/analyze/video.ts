import { SuiteError } from '../base/errors';
import { errorLinesOf, lastLines, runFfmpeg, type Span } from './ffmpeg';
import { readStrip, STRIP_BYTES, STRIP_FILTERS } from './frame-strip';
import { probeStreams } from './media';

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

/** Everything that one pass of the decoder tells of a video track. */
export interface VideoTrack {
  /** Every decoded frame, in presentation order, with those that the decoder concealed. */
  frames: Frame[];
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
const SMALL_COPY = 'crop=iw:ih*0.94:0:ih*0.06,scale=160:90:flags=neighbor,format=gray';

/**
 * Decodes the first video track once, to its end. Errors do not stop it, so that all of them are listed.
 *
 * @throws MediaUnreadable, NoVideoTrack, FrameClockUnreadable
 */
export async function readVideo(file: string): Promise<VideoTrack> {
  const streams = await probeStreams(file);
  const video = streams.find((stream) => stream.kind === 'video');
  if (!video) {
    throw new NoVideoTrack({
      what: 'there is no video track',
      where: file,
      seen: streams.map((stream) => `${stream.kind} (${stream.codec})`).join(', '),
      expected: 'a video track',
    });
  }
  const graph =
    `[0:${video.index}]split[a][b];[a]${STRIP_FILTERS},showinfo=checksum=0[strip];` +
    `[b]${SMALL_COPY},blackdetect=d=0.1:pic_th=0.98:pix_th=0.1,freezedetect=n=-60dB:d=0.2,nullsink`;
  const { stdout, stderr, exitCode } = await runFfmpeg([
    // -copyts: without it ffmpeg shifts the first timestamp to zero. `repeat`: it folds equal messages into one.
    // Nothing measured here needs the deblocking filter, a quarter of the decoder's work.
    ...['-v', 'repeat+level+info', '-skip_loop_filter', 'all', '-copyts', '-i', file],
    ...['-filter_complex', graph],
    // In the time base of the frame rate, frames that are shown for too short would have one timestamp: ffmpeg complains.
    ...['-map', '[strip]', '-fps_mode', 'passthrough', '-enc_time_base', '1/90000'],
    ...['-f', 'rawvideo', 'pipe:1'],
  ]);
  const times = frameTimes(stderr);
  const count = Math.floor(stdout.length / STRIP_BYTES);
  if (times.length !== count) {
    throw new FrameClockUnreadable({
      what: 'not every decoded frame has a timestamp',
      where: file,
      seen: `${count} frames, ${times.length} timestamps: ${lastLines(stderr)}`,
      expected: 'one timestamp for each frame',
    });
  }
  return {
    frames: times.map((ptsSeconds, i) => ({
      ptsSeconds,
      frame: readStrip(stdout.subarray(i * STRIP_BYTES, (i + 1) * STRIP_BYTES)),
    })),
    black: spans(stderr, /black_start:\s*(\S+) black_end:\s*(\S+)/g),
    frozen: freezes(stderr, times.at(-1)),
    errorLines: errorLinesOf(stderr),
    exitCode,
  };
}

/** PTS in seconds from showinfo's lines; exact, unlike its rounded `pts_time`. */
function frameTimes(log: string): number[] {
  const [, over, under] = /config in time_base: (\d+)\/(\d+)/.exec(log) ?? [];
  if (over === undefined || under === undefined) return [];
  const tickSeconds = Number(over) / Number(under);
  // Not anchored to the line: ffmpeg writes other messages into the same stream.
  return [...log.matchAll(/showinfo[^\]]*\] \[info\] n: *\d+ pts: *(-?\d+) /g)].map(
    ([, pts]) => Number(pts) * tickSeconds,
  );
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
