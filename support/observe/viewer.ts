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
 * Errors without the end of the stream: a media server ends a live RTMP stream by closing the connection, which ffmpeg
 * calls an input/output error.
 */
function withoutEndOfStream(stderr: string, url: string): string {
  return stderr
    .split('\n')
    .filter(
      (line) => line !== `${url}: Input/output error` && !/^\s*Last message repeated/.test(line),
    )
    .join('\n');
}
