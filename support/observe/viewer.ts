import { FRAMES_AS_THEY_COME } from '../base/ffmpeg-options';
import type { Track } from '../base/track';
import { readingFrom } from './input-reader';
import { startClient } from './media-client';
import type { Doorway } from './rtsp-relay';

/** What a viewer saw who joined during the broadcast. */
export interface ViewerResult {
  url: string;
  exitCode: number | null;
  framesDecoded: number;
  stderr: string;
}

/** A viewer of a live stream; `result` resolves at the end of the stream and never rejects. */
export interface Viewer {
  result: Promise<ViewerResult>;
  stop(): void;
}

/**
 * Joins a live stream as a viewer does: decodes video and audio, and keeps a copy as it arrived.
 *
 * @param address of the stream, for people
 * @param copyFile Matroska file for the copy
 */
export function watch(
  address: string,
  at: Doorway | Promise<Doorway>,
  copyFile: string,
  track: Track,
): Viewer {
  let joined = address;
  const watching = (url: string): string[] => [
    ...['-y', '-progress', 'pipe:1', ...readingFrom((joined = url))],
    ...['-map', '0', '-c', 'copy', '-f', 'matroska', copyFile],
    ...['-map', '0', ...FRAMES_AS_THEY_COME, '-f', 'null', '-'],
  ];
  const { end, kill } = startClient('viewer', at, watching, track);
  return {
    result: end.then(({ exitCode, stdout, stderr }) => {
      const frames = stdout
        .match(/frame=\s*(\d+)/g)
        ?.at(-1)
        ?.replace(/\D/g, '');
      return {
        ...{ url: address, exitCode, framesDecoded: Number(frames ?? 0) },
        stderr: withoutEndOfStream(stderr, joined),
      };
    }),
    stop: () => kill('SIGTERM'),
  };
}

/**
 * Errors without those of the input as a whole, which is how a live stream ends: a media server closes the connection of an RTMP
 * viewer. ffmpeg says so in words of its version, of the URL (5) or of `[in#0/flv @ …]` (6 and newer). An end that comes too early
 * shows by the frames that are missing; what cannot be demuxed or decoded is said of `[flv @ …]`, `[h264 @ …]` and the like.
 */
export function withoutEndOfStream(stderr: string, url: string): string {
  const isOfInput = (line: string): boolean =>
    line.startsWith(`${url}: `) || /^\[in#\d+/.test(line);
  return stderr
    .split('\n')
    .filter((line) => !isOfInput(line) && !/^\s*Last message repeated/.test(line))
    .join('\n');
}
