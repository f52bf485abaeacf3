import { execa } from 'execa';

import type { Track } from '../base/track';

/** How publishing ended. `exitCode` is null when the publisher was ended by a signal. */
export interface PublisherResult {
  exitCode: number | null;
  stderr: string;
}

/** A clip that is being published; `result` resolves when publishing has ended and never rejects. */
export interface Publication {
  url: string;
  result: Promise<PublisherResult>;
  stop(): void;
  /** Ends it as a crash does: the connection breaks without a TEARDOWN. */
  breakOff(): void;
}

/**
 * Publishes a media file once to an RTSP address, in real time and without transcoding.
 *
 * @param seconds publishes only this much of its beginning; all of it when not given
 */
export function publish(
  mediaFile: string,
  url: string,
  track: Track,
  seconds?: number,
): Publication {
  const beginning = seconds === undefined ? [] : ['-t', String(seconds)];
  const child = execa(
    'ffmpeg',
    [
      ...['-hide_banner', '-nostdin', '-loglevel', 'error'],
      ...[
        '-re',
        ...beginning,
        '-i',
        mediaFile,
        '-c',
        'copy',
        '-f',
        'rtsp',
        '-rtsp_transport',
        'tcp',
        url,
      ],
    ],
    { reject: false, stdin: 'ignore', stdout: 'ignore', detached: true, cleanup: false },
  );
  const ended = track('publisher', child.pid);
  let isStopped = false;
  const end = (signal: 'SIGTERM' | 'SIGKILL'): void => {
    isStopped = child.kill(signal) || isStopped;
  };
  return {
    url,
    result: child.then(({ exitCode, stderr, message }) => {
      ended();
      // A signal that the suite itself has sent is no error.
      return { exitCode: exitCode ?? null, stderr: stderr || (isStopped ? '' : (message ?? '')) };
    }),
    stop: () => end('SIGTERM'),
    breakOff: () => end('SIGKILL'),
  };
}
