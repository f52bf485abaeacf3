import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { execa } from 'execa';

import { messageOf } from '../base/errors';
import type { Track } from '../base/track';
import { inSessionOfItsOwn } from '../base/own-session';
import { at, type FlvTag, FlvTags, isVideo } from './flv-tags';
import { startClient } from './media-client';
import type { Publication } from './publication';

/**
 * From the start of publishing to the content, where there is a lead-in: the media server drops what an RTMP publisher sends
 * until its timestamps span 2 s, while it looks for the tracks, and lists the path only then.
 */
export const LEAD_IN_SECONDS = 2.9;
/**
 * When the lead-in says once more how video is decoded, which ends that search; it has no frame and no audio. From then on until
 * the content nothing comes, so that a worker that finds the path by polling has joined before the first packet.
 */
const SEARCH_ENDS_MS = 2100;
/** An encoder has a frame of audio when it is over: 1024 samples of 44.1 kHz. Who tells by arrivals what belongs together counts on that. */
const AUDIO_FRAME_MS = 23;

/** A file that is published by RTMP. */
export interface RtmpPublished {
  mediaFile: string;
  /** rtmp://…, with its path. */
  url: string;
  hasLeadIn: boolean;
  /** Only so much of its beginning. */
  seconds: number | undefined;
}

/**
 * Publishes a media file by RTMP, in real time and without transcoding. One ffmpeg makes FLV of the file, another one is the
 * RTMP client; the suite hands the tags on when they are due. (An ffmpeg that does both keeps the last packet of one track until
 * the other has one: that of a lead-in would come with the content, and begin it too early.)
 */
export function publishByRtmp(published: RtmpPublished, track: Track): Publication {
  const { url, mediaFile, seconds } = published;
  const beginning = seconds === undefined ? [] : ['-t', String(seconds)];
  const leader = inSessionOfItsOwn({
    program: 'ffmpeg',
    args: [
      ...['-hide_banner', '-nostdin', '-loglevel', 'error', ...beginning, '-i', mediaFile],
      ...['-map', '0:v:0', '-map', '0:a:0?', '-c', 'copy', '-f', 'flv', 'pipe:1'],
    ],
  });
  const reader = execa(leader.program, leader.args, {
    ...({ reject: false, stdin: 'ignore', cleanup: false } as const),
    ...{ detached: leader.detached, buffer: { stdout: false } as const },
  });
  const readerEnded = track('reader of the published file', reader.pid);
  let isStopped = false;
  const sending = (to: string): string[] => [
    ...['-f', 'data', '-i', 'pipe:0', '-map', '0', '-c', 'copy', '-flush_packets', '1'],
    ...['-f', 'data', to],
  ];
  const doorway = { url, close: () => undefined };
  const sender = startClient('publisher', doorway, sending, track, (stdin) => {
    // Where either of them has ended, its exit code says why.
    void pace(reader.stdout, stdin, published.hasLeadIn)
      .catch(() => undefined)
      .finally(() => stdin.end());
  });
  const result = Promise.all([sender.end, reader]).then(([{ exitCode, stderr }, file]) => {
    readerEnded();
    // What cannot be read or carried is its fault; that its pipe was closed is the other's.
    const isUnreadable = !isStopped && exitCode === 0 && file.exitCode !== 0;
    const why = file.stderr.trim() || messageOf(file);
    return isUnreadable ? { exitCode: file.exitCode ?? null, stderr: why } : { exitCode, stderr };
  });
  void sender.end.then(() => reader.kill());
  const kill = (signal: 'SIGTERM' | 'SIGKILL') => (): void => {
    isStopped = true;
    sender.kill(signal);
  };
  return { url, result, stop: kill('SIGTERM'), breakOff: kill('SIGKILL') };
}

/** Hands each tag on when it is due, and not before it is taken. */
async function pace(flv: Readable, to: Writable, hasLeadIn: boolean): Promise<void> {
  const tags = new FlvTags();
  const leadInMs = hasLeadIn ? LEAD_IN_SECONDS * 1000 : 0;
  const startedAt = performance.now();
  const send = async (tag: FlvTag): Promise<void> => {
    const due = isVideo(tag) ? tag.ms : tag.ms + AUDIO_FRAME_MS;
    const early = startedAt + due - performance.now();
    if (early > 0) await delay(early);
    if (!to.writable) return;
    if (!to.write(tag.bytes)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
  };
  let isHeaderSent = false;
  let search: FlvTag | undefined;
  let hasBegun = false;
  for await (const data of flv) {
    for (const tag of tags.add(data as Buffer)) {
      if (!isHeaderSent && tags.header) to.write(tags.header);
      isHeaderSent = true;
      // What says how to decode comes first, in any case.
      const isContent = !tag.isConfiguration && (isVideo(tag) || tag.bytes[0] === 8);
      if (tag.isConfiguration && isVideo(tag)) search ??= tag;
      if (isContent && !hasBegun && hasLeadIn && search) await send(at(search, SEARCH_ENDS_MS));
      hasBegun ||= isContent;
      await send(hasBegun ? at(tag, tag.ms + leadInMs) : tag);
      if (!to.writable) return;
    }
  }
}
