import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

import { execa } from 'execa';

import { now } from '../base/clock';
import { messageOf } from '../base/errors';
import type { Track } from '../base/track';
import { inSessionOfItsOwn } from '../base/own-session';
import { at, type FlvTag, FlvTags, isVideo } from './flv-tags';
import { startClient } from './media-client';
import type { Publication } from './publication';

/**
 * When a lead-in says once more how video is decoded: the media server drops what an RTMP publisher sends until its timestamps
 * span 2 s, while it looks for the tracks, and lists the path only then. It has no frame and no audio. From then on until the
 * content nothing comes.
 */
export const SEARCH_ENDS_MS = 2100;
/** An encoder has a frame of audio when it is over: 1024 samples of 44.1 kHz. Who tells by arrivals what belongs together counts on that. */
const AUDIO_FRAME_MS = 23;

/** A file that is published by RTMP. */
export interface RtmpPublished {
  mediaFile: string;
  /** rtmp://…, with its path. */
  url: string;
  /** Whether its content is kept back until `begin`, behind a lead-in. */
  holds: boolean;
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
  let begin = (): void => undefined;
  let begunAt: number | undefined;
  const mayBegin = new Promise<void>((done) => (begin = done));
  const begins = (): void => void (begunAt = now());
  const lead = published.holds ? { mayBegin, begins } : undefined;
  const sending = (to: string): string[] => [
    ...['-f', 'data', '-i', 'pipe:0', '-map', '0', '-c', 'copy', '-flush_packets', '1'],
    ...['-f', 'data', to],
  ];
  const doorway = { url, close: () => undefined };
  const sender = startClient('publisher', doorway, sending, track, (stdin) => {
    // Where either of them has ended, its exit code says why.
    void pace(reader.stdout, stdin, lead)
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
  void sender.end.then(() => {
    reader.kill();
    begin();
  });
  const kill = (signal: 'SIGTERM' | 'SIGKILL') => (): void => {
    isStopped = true;
    sender.kill(signal);
  };
  return {
    ...{ url, result, begin: () => begin(), begunAt: () => begunAt },
    ...{ stop: kill('SIGTERM'), breakOff: kill('SIGKILL') },
  };
}

/** What comes before the content. */
interface LeadIn {
  /** When the content may begin. */
  mayBegin: Promise<void>;
  begins: () => void;
}

/** Hands each tag on when it is due, and not before it is taken. */
async function pace(flv: Readable, to: Writable, lead: LeadIn | undefined): Promise<void> {
  const tags = new FlvTags();
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
  /** Until the content; undefined before it. */
  let leadInMs = lead ? undefined : 0;
  for await (const data of flv) {
    for (const tag of tags.add(data as Buffer)) {
      if (!isHeaderSent && tags.header) to.write(tags.header);
      isHeaderSent = true;
      // What says how to decode comes first, in any case.
      const isContent = !tag.isConfiguration && (isVideo(tag) || tag.bytes[0] === 8);
      if (tag.isConfiguration && isVideo(tag)) search ??= tag;
      if (isContent && lead && leadInMs === undefined) {
        if (search) await send(at(search, SEARCH_ENDS_MS));
        await lead.mayBegin;
        lead.begins();
        leadInMs = Math.ceil(performance.now() - startedAt);
      }
      await send(leadInMs === undefined ? tag : at(tag, tag.ms + leadInMs));
      if (!to.writable) return;
    }
  }
}
