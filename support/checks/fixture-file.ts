/** The media file that is published. */
import { statSync } from 'node:fs';

import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { Finding } from '../analyze/finding';
import type { MediaStream } from '../analyze/media';
import type { ReceivedTrack } from '../analyze/received';
import type { Fixture } from '../broadcast/fixture';
import { allRight, type Count, inputOf, observed, ofBroadcast, ofSubject, same } from './builders';
import { assessed, type Assessment, criterion } from './criterion';

/** A file that was inspected: its streams, how long its video lasts, and its size. */
export interface InspectedFile {
  fixture: Fixture;
  streams: readonly MediaStream[];
  seconds: number;
  bytes: number;
}

const where = ({ fixture }: InspectedFile): string => fixture.path;

export const fileExists = ofSubject<Fixture>('file-exists', {
  title: 'The file of the broadcast exists',
  failure: 'the file of the broadcast is missing',
  where: ({ path }) => path,
  next: () => 'npm run fixtures, or set FIXTURE_FILE to a file that is there',
  assess: ({ path, title, durationSeconds }) => {
    const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
    return assessed(isFile, isFile ? 'a file' : 'no such file', `${title}, ${durationSeconds} s`);
  },
});

interface Lengths {
  fromSeconds: number;
  toSeconds: number;
}

export const fileDuration = ofSubject<InspectedFile, Lengths>('file-duration', {
  title: 'The broadcast is as long as it should be',
  failure: 'the broadcast has another length',
  where,
  assess: (file, { fromSeconds: from, toSeconds: to }) => {
    // Its packets count in fractions of a second that have no exact number.
    const seconds = Math.round(1000 * file.seconds) / 1000;
    const expected = from === to ? `${from} s` : `${from} s to ${to} s`;
    return assessed(seconds >= from && seconds <= to, `${seconds} s`, expected);
  },
});

/** The limit is ffmpeg's name of the codec. */
export const fileVideo = ofSubject<InspectedFile, string>('file-video', {
  title: 'The broadcast has one video track',
  failure: 'the broadcast has other video tracks',
  where,
  assess: ({ streams }, codec) => {
    const codecs = streams.filter(({ kind }) => kind === 'video').map((stream) => stream.codec);
    const seen = codecs.join(', ') || 'none';
    return assessed(codecs.length === 1 && codecs[0] === codec, seen, `one, ${codec}`);
  },
});

export const fileAudio = ofSubject<InspectedFile, { codec: string; rateHz: number }>('file-audio', {
  title: 'The broadcast has one audio track',
  failure: 'the broadcast has other audio tracks',
  where,
  assess: ({ streams }, { codec, rateHz }) => {
    const audio = streams.filter((stream) => stream.kind === 'audio');
    return assessed(
      audio.length === 1 && audio[0]?.codec === codec && audio[0].sampleRateHz === rateHz,
      audio.map((stream) => `${stream.codec} ${stream.sampleRateHz} Hz`).join(', ') || 'none',
      `one, ${codec} ${rateHz} Hz`,
    );
  },
});

/** How the frames of the only video track look. */
interface Frames {
  width: number;
  height: number;
  framesPerSecond: number;
}

export const fileFrames = ofSubject<InspectedFile, Frames>('file-frames', {
  title: 'The frames of the broadcast have that size and rate',
  failure: 'the frames of the broadcast have another size or rate',
  where,
  assess: ({ streams }, { width, height, framesPerSecond }) => {
    const shown = streams.flatMap((stream) =>
      stream.kind === 'video'
        ? `${stream.width ?? '?'} x ${stream.height ?? '?'} at ${stream.fps ?? '?'} frames per second`
        : [],
    );
    const wanted = `${width} x ${height} at ${framesPerSecond} frames per second`;
    return same(shown.join(', ') || 'no video', wanted);
  },
});

export const fileChannels = ofSubject<InspectedFile, Count>('file-channels', {
  title: 'The audio of the broadcast has so many channels',
  failure: 'the audio of the broadcast has another number of channels',
  where,
  assess: ({ streams }, { count }) => {
    const channels = streams.flatMap((one) => (one.kind === 'audio' ? (one.channels ?? '?') : []));
    return same(channels.join(', ') || 'no audio', String(count));
  },
});

export const fileSize = ofSubject<InspectedFile, { belowMegabytes: number }>('file-size', {
  title: 'The file of the broadcast is small enough',
  failure: 'the file of the broadcast is too large',
  where,
  assess: ({ bytes }, { belowMegabytes }) =>
    assessed(
      bytes > 0 && bytes < 1e6 * belowMegabytes,
      `${bytes} bytes`,
      `less than ${belowMegabytes} MB, and not empty`,
    ),
});

/** What of the file may not have arrived: its first moments, before somebody joins, and its last, as a publisher stops. */
interface Missing {
  atStartMs: number;
  atEndMs: number;
}

/** As somebody reads it from the media server, by a hash of each packet: another file has others, whatever its name. */
export const publishedBytes = criterion({
  id: 'published-bytes',
  title: 'What the media server received is the file, packet by packet',
  failure: 'the media server received something else than the file',
  where: inputOf,
  measure: async (broadcast: BroadcastFindings) =>
    observed(inputOf(broadcast), 'the received broadcast', await broadcast.receivedPackets()),
  assess: (received, missing: Missing, { fixture }): Assessment => {
    const tracks = (['video', 'audio'] as const).map((kind) =>
      assessReceived(kind, received[kind], missing, fixture.durationSeconds),
    );
    const wrong = tracks.filter(({ isFine }) => !isFine).map(({ text }) => text);
    return allRight(
      wrong,
      tracks.map(({ text }) => text).join('; '),
      `the packets of the file, all but at most ${missing.atStartMs} ms at its start and ${missing.atEndMs} ms at its end`,
    );
  },
  next: () =>
    'see what else publishes to the media server, and what changes the broadcast on its way',
});

function assessReceived(
  kind: string,
  track: Finding<ReceivedTrack>,
  { atStartMs, atEndMs }: Missing,
  seconds: number,
): { isFine: boolean; text: string } {
  if (!track.observed) return { isFine: false, text: `${kind}: ${track.reason}` };
  const { sent, received, missingAtStart, missingAtEnd } = track;
  const [start, end] = [missingAtStart, missingAtEnd].map((packets) =>
    Math.round((1000 * seconds * packets) / sent),
  );
  return {
    isFine: (start ?? NaN) <= atStartMs && (end ?? NaN) <= atEndMs,
    text: `${kind}: ${received} of ${sent} packets, without ${start} ms at the start and ${end} ms at the end`,
  };
}

/** The limit is the path of the file that was inspected. */
export const publishedFile = ofBroadcast<string>('published-file', {
  title: 'The published file is the inspected one',
  failure: 'another file was published',
  where: inputOf,
  assess: ({ record }, path) => same(record.fixtureFile, path),
});
