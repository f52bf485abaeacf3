import { execa } from 'execa';

import type { Track } from '../base/track';
import { packetHashArguments } from '../broadcast/packet-hashes';

/** Somebody who reads a broadcast as the media server has received it; `result` never rejects. */
export interface InputReader {
  /** Why not all of it was read; empty where it was. */
  result: Promise<string>;
  stop(): void;
}

/**
 * Reads a live stream to its end, and keeps nothing of it but the hashes of its packets: it decodes nothing and stores no
 * media. It gets them from the next key frame on.
 */
export function readInput(url: string, hashesFile: string, track: Track): InputReader {
  const child = execa(
    'ffmpeg',
    [
      ...['-hide_banner', '-nostdin', '-loglevel', 'error', '-y'],
      ...['-rw_timeout', '40000000', '-i', url, ...packetHashArguments(hashesFile)],
    ],
    { reject: false, stdin: 'ignore', stdout: 'ignore', detached: true, cleanup: false },
  );
  const ended = track('reader of the input', child.pid);
  let isStopped = false;
  return {
    result: child.then(({ exitCode, stderr, message }) => {
      ended();
      // A media server ends a live stream by closing the connection: that is an exit code of 0 with an error.
      if (exitCode === 0 || isStopped) return '';
      return stderr || (message ?? '');
    }),
    stop: () => {
      isStopped = child.kill('SIGTERM') || isStopped;
    },
  };
}
