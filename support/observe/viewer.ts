import { execa } from 'execa';

import type { Track } from '../base/track';

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
 * @param copyFile Matroska file for the copy
 */
export function watch(url: string, copyFile: string, track: Track): Viewer {
  const child = execa(
    'ffmpeg',
    [
      ...['-hide_banner', '-nostdin', '-loglevel', 'error', '-y', '-progress', 'pipe:1'],
      ...['-rw_timeout', '40000000', '-i', url],
      ...['-map', '0', '-c', 'copy', '-f', 'matroska', copyFile],
      // In the stream's own time base: ffmpeg may guess a frame rate that is too low, and then report errors of its own making.
      ...['-map', '0', '-fps_mode', 'passthrough', '-enc_time_base:v', '-1', '-f', 'null', '-'],
    ],
    { reject: false, stdin: 'ignore', detached: true, cleanup: false },
  );
  const ended = track('viewer', child.pid);
  return {
    result: child.then(({ exitCode, stdout, stderr }) => {
      ended();
      const frames = stdout
        .match(/frame=\s*(\d+)/g)
        ?.at(-1)
        ?.replace(/\D/g, '');
      return {
        url,
        exitCode: exitCode ?? null,
        framesDecoded: Number(frames ?? 0),
        stderr: withoutEndOfStream(stderr, url),
      };
    }),
    stop: () => void child.kill('SIGTERM'),
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
