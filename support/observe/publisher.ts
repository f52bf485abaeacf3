import type { Track } from '../base/track';
import { startClient } from './media-client';
import { rtspDoorway, type RtspServer } from './rtsp-relay';

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
 * Publishes a media file once to a path of an RTSP server, in real time and without transcoding.
 *
 * @param seconds publishes only this much of its beginning; all of it when not given
 */
export function publish(
  mediaFile: string,
  to: { server: RtspServer; path: string },
  track: Track,
  seconds?: number,
): Publication {
  const beginning = seconds === undefined ? [] : ['-t', String(seconds)];
  const publishing = (url: string): string[] => [
    ...['-re', ...beginning, '-i', mediaFile, '-c', 'copy'],
    ...['-f', 'rtsp', '-rtsp_transport', 'tcp', url],
  ];
  const doorway = rtspDoorway(to.server, to.path);
  const { end, kill } = startClient('publisher', doorway, publishing, track);
  return {
    url: `${to.server.url}/${to.path}`,
    result: end.then(({ exitCode, stderr }) => ({ exitCode, stderr })),
    stop: () => kill('SIGTERM'),
    breakOff: () => kill('SIGKILL'),
  };
}
