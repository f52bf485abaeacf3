import type { Track } from '../base/track';
import { readingFrom } from './input-reader';
import { startClient } from './media-client';
import { RtspRelay, type RtspServer } from './rtsp-relay';

/** How long a reader may take to notice that a stream has ended. */
const ENDS_MS = 5000;

/**
 * ffmpeg gives the first frame of an RTSP stream no time: its parser knows none without a byte position. Where that frame is a key frame
 * it would be written at 0 s, wherever it belongs: leaves it out, with the frames that need it.
 */
const TIMED = 'noise=drop=st(0\\,if(eq(pts\\,nopts)\\,1\\,if(key\\,0\\,ld(0))))';

/** Somebody who records an output that the media server does not record; nothing here rejects. */
export interface OutputReader {
  /** From now on the output may be there at any time. */
  begin(): void;
  /** Waits until it has ended; where it goes on, ends it. */
  end(goesOn: boolean): Promise<{
    /** Why it could not be read; empty where it could. */
    problem: string;
    /** How much had passed at most before it was read, in seconds. */
    mayLackSeconds: number;
    /** Whether the media server has told how the times of video and audio belong together. */
    areTimesKnown: boolean;
  }>;
}

/**
 * Records a live stream as it arrives, from its beginning: the reader waits at the media server before there is a stream, so
 * that hardly more than a key frame interval is lost.
 *
 * @param file MP4
 */
export async function readOutput(
  server: RtspServer,
  path: string,
  file: string,
  track: Track,
): Promise<OutputReader> {
  const relay = await RtspRelay.start(server, { waits: true });
  const doorway = { url: `${relay.url}/${path}`, close: () => relay.close() };
  const recording = (url: string): string[] => [
    ...['-y', ...readingFrom(url), '-map', '0', '-c', 'copy', '-bsf:v', TIMED, '-f', 'mp4', file],
  ];
  const { end, kill } = startClient('reader of the output', doorway, recording, track);
  return {
    begin: () => relay.release(),
    end: async (goesOn) => {
      const stop = (): void => {
        if (relay.firstPacketAt === undefined) kill('SIGTERM');
        else relay.finish();
      };
      const timers = [
        setTimeout(stop, goesOn ? 0 : ENDS_MS),
        setTimeout(() => kill('SIGTERM'), 2 * ENDS_MS),
      ];
      const { stderr } = await end;
      timers.forEach(clearTimeout);
      const { firstPacketAt, notReadyAt = NaN, problem, areTimesKnown } = relay;
      if (firstPacketAt === undefined) {
        return { problem: problem ?? stderr, mayLackSeconds: 0, areTimesKnown };
      }
      const mayLackSeconds = (firstPacketAt - notReadyAt) / 1000;
      return { problem: '', mayLackSeconds, areTimesKnown };
    },
  };
}
