import type { Track } from '../base/track';
import { packetHashArguments } from '../broadcast/packet-hashes';
import { startClient } from './media-client';
import type { Doorway } from './rtsp-relay';

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
export function readInput(
  at: Doorway | Promise<Doorway>,
  hashesFile: string,
  track: Track,
): InputReader {
  const reading = (url: string): string[] => [
    ...['-y', ...readingFrom(url), ...packetHashArguments(hashesFile)],
  ];
  const { end, kill } = startClient('reader of the input', at, reading, track);
  let isStopped = false;
  return {
    // A media server ends a live stream by closing the connection: that is an exit code of 0 with an error.
    result: end.then(({ exitCode, stderr }) => (exitCode === 0 || isStopped ? '' : stderr)),
    stop: () => {
      isStopped = true;
      kill('SIGTERM');
    },
  };
}

/**
 * ffmpeg's arguments of a live stream that may be silent for 40 s; those of what is made of it follow. By RTSP, ffmpeg 7 takes no
 * packet of AAC for a key frame, and would copy none: audio is copied from its first packet on.
 */
export function readingFrom(url: string): string[] {
  const input = url.startsWith('rtsp:')
    ? ['-rtsp_transport', 'tcp', '-i', url]
    : ['-rw_timeout', '40000000', '-i', url];
  return [...input, '-copyinkf:a'];
}
