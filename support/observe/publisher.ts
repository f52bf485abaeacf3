import { execa } from 'execa';

import type { Track } from '../base/track';
import { startClient } from './media-client';
import type { Publication } from './publication';
import { publishByRtmp } from './rtmp-publisher';
import { doorwayOf, rtspDoorway, RtspRelay, type RtspServer } from './rtsp-relay';

const BURST = '-readrate_initial_burst';

/** Where a clip is published. */
export interface PublishedTo {
  server: RtspServer;
  path: string;
  /** Where it is published by RTMP in place of RTSP: rtmp://…, without path. */
  rtmp?: string;
  /** Whether its content is kept back until `begin`. */
  holds?: boolean;
}

/**
 * Publishes a media file once to a path of a media server, in real time and without transcoding.
 *
 * @param seconds publishes only this much of its beginning; all of it when not given
 */
export function publish(
  mediaFile: string,
  { server, path, rtmp, holds = false }: PublishedTo,
  track: Track,
  seconds?: number,
): Publication {
  if (rtmp !== undefined) {
    return publishByRtmp({ mediaFile, url: `${rtmp}/${path}`, holds, seconds }, track);
  }
  const beginning = seconds === undefined ? [] : ['-t', String(seconds)];
  const publishing = async (url: string): Promise<string[]> => [
    // Otherwise up to 0.7 s of small audio frames wait for each other, and the last of them are never sent.
    ...[...(await inRealTime()), ...beginning, '-i', mediaFile, '-c', 'copy', '-muxdelay', '0'],
    ...['-f', 'rtsp', '-rtsp_transport', 'tcp', url],
  ];
  const relay = holds ? RtspRelay.start(server, { holds }) : undefined;
  const doorway = relay?.then((one) => doorwayOf(one, path)) ?? rtspDoorway(server, path);
  const { end, kill } = startClient('publisher', doorway, publishing, track);
  let begunAt = (): number | undefined => undefined;
  const withRelay = (act: (one: RtspRelay) => void): void => void relay?.then(act, () => undefined);
  withRelay((one) => (begunAt = () => one.begunAt));
  const endedBy = (signal: 'SIGTERM' | 'SIGKILL') => (): void => {
    kill(signal);
    withRelay((one) => one.drop());
  };
  return {
    url: `${server.url}/${path}`,
    result: end.then(({ exitCode, stderr }) => ({ exitCode, stderr })),
    begin: () => withRelay((one) => one.begin()),
    begunAt: () => begunAt(),
    stop: endedBy('SIGTERM'),
    breakOff: endedBy('SIGKILL'),
  };
}

let realTime: Promise<string[]> | undefined;

/**
 * ffmpeg's arguments for reading in real time from the first packet on. Version 6.1 and newer read half a second at once first: it
 * would be gone before anybody has joined, and all content half a second early.
 */
function inRealTime(): Promise<string[]> {
  const ask = async (): Promise<string[]> => {
    const { all } = await execa('ffmpeg', ['-hide_banner', '-h', 'long'], {
      reject: false,
      all: true,
    });
    // It takes 0 for the half second.
    return ['-re', ...(all.includes(BURST) ? [BURST, '0.001'] : [])];
  };
  return (realTime ??= ask());
}
