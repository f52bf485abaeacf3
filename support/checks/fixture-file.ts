/** The media file that is published. */
import { statSync } from 'node:fs';

import type { MediaStream } from '../analyze/media';
import type { Fixture } from '../broadcast/fixture';
import { inputOf, ofBroadcast, ofSubject, same } from './builders';
import { assessed } from './criterion';

/** A file that was inspected: its streams, and how long its video lasts. */
export interface InspectedFile {
  fixture: Fixture;
  streams: readonly MediaStream[];
  seconds: number;
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
  assess: ({ seconds }, { fromSeconds: from, toSeconds: to }) =>
    assessed(seconds >= from && seconds <= to, `${seconds} s`, `${from} s to ${to} s`),
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

/** The limit is the path of the file that was inspected. */
export const publishedFile = ofBroadcast<string>('published-file', {
  title: 'The published file is the inspected one',
  failure: 'another file was published',
  where: inputOf,
  assess: ({ record }, path) => same(record.fixtureFile, path),
});
