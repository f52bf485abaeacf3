import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import { type Unobserved, unobserved } from '../../support/analyze/finding';
import { readFixture } from '../../support/broadcast/fixture';
import {
  fileAudio,
  fileChannels,
  fileDuration,
  fileFrames,
  fileSize,
  fileVideo,
  type InspectedFile,
  publishedBytes,
} from '../../support/checks/fixture-file';
import { projectRoot } from '../../support/config';
import { inspect } from '../../support/session/inquiries';
import { ffmpeg, tempFolder } from '../analyze/make-media';
import { aBroadcast, NAMES, stateOf } from './a-broadcast';

const folder = tempFolder();
const described = readFixture(join(projectRoot, 'fixtures/30s-counting-english.yaml'));

interface Made {
  size: string;
  rate: number;
  channels: number;
  hertz: number;
  seconds: number;
}
const USUAL: Made = { size: '320x180', rate: 30, channels: 2, hertz: 48_000, seconds: 2 };

/** A file made by ffmpeg, as usual but for what is given, as the suite inspects it. */
function inspected(name: string, given: Partial<Made> = {}, more: string[] = []) {
  const { size, rate, channels, hertz, seconds } = { ...USUAL, ...given };
  const path = join(folder, `${name}.mp4`);
  ffmpeg(
    ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`],
    ...['-f', 'lavfi', '-i', `sine=f=440:r=${hertz}:d=${seconds}`],
    ...['-map', '0:v', '-map', '1:a', ...more],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0'],
    ...['-c:a', 'aac', '-ac', String(channels), path],
  );
  return inspect({ ...described, path });
}

const frames = (file: InspectedFile): Promise<string> =>
  stateOf(fileFrames, file, { width: 320, height: 180, framesPerSecond: 30 });

describe('criteria of a fixture file', () => {
  it('hold for the file that was described', async () => {
    const file = await inspected('usual');
    const states = await Promise.all([
      ...[
        frames(file),
        stateOf(fileChannels, file, { count: 2 }),
        stateOf(fileVideo, file, 'h264'),
      ],
      stateOf(fileAudio, file, { codec: 'aac', rateHz: 48_000 }),
      stateOf(fileDuration, file, { fromSeconds: 2, toSeconds: 2 }),
      stateOf(fileSize, file, { belowMegabytes: 50 }),
    ]);
    expect(new Set(states)).to.deep.equal(new Set(['passed']));
  });

  it('tell another size of the frames, and another rate', async () => {
    const wide = await inspected('wide', { size: '322x180' });
    const slow = await inspected('slow', { rate: 25 });
    // Of NTSC: 29.97 is not 30.
    const nearly = await inspected('nearly', {}, ['-r', '30000/1001']);
    expect(await Promise.all([wide, slow, nearly].map(frames))).to.deep.equal(
      Array.from({ length: 3 }, () => 'failed'),
    );
  });

  it('tell other channels and another sample rate', async () => {
    const mono = await inspected('mono', { channels: 1, hertz: 44_100 });
    expect(await stateOf(fileChannels, mono, { count: 2 })).to.equal('failed');
    const wanted = { codec: 'aac', rateHz: 48_000 };
    expect(await stateOf(fileAudio, mono, wanted)).to.equal('failed');
  });

  it('tell a second audio track, also by its channels', async () => {
    const two = await inspected('two', {}, ['-map', '1:a']);
    expect(await stateOf(fileChannels, two, { count: 2 })).to.equal('failed');
    expect(await stateOf(fileAudio, two, { codec: 'aac', rateHz: 48_000 })).to.equal('failed');
  });

  it('tell a length that is one frame off', async () => {
    const long = await inspected('long', { seconds: 2 + 1 / 30 });
    const limit = { fromSeconds: 2, toSeconds: 2 };
    expect(await stateOf(fileDuration, long, limit)).to.equal('failed');
    expect(await stateOf(fileDuration, long, { fromSeconds: 1, toSeconds: 2.1 })).to.equal(
      'passed',
    );
  });

  it('take a size below the limit only', async () => {
    const file = await inspected('large');
    truncateSync(file.fixture.path, 49_999_999);
    const size = async (): Promise<string> =>
      stateOf(fileSize, await inspect(file.fixture), { belowMegabytes: 50 });
    expect(await size()).to.equal('passed');
    truncateSync(file.fixture.path, 50_000_000);
    expect(await size()).to.equal('failed');
  });
});

describe('what the media server received', () => {
  const { durationSeconds } = described;
  const packets = 1000 * durationSeconds;
  const track = (missingAtStart: number, missingAtEnd: number) => ({
    ...{ observed: true as const, sent: packets, missingAtStart, missingAtEnd },
    received: packets - missingAtStart - missingAtEnd,
  });
  const whole = track(0, 0);
  const limit = { atStartMs: 1000, atEndMs: 500 };
  const deviations = (
    video: ReturnType<typeof track> | Unobserved,
    audio: typeof video,
  ): string[] => {
    const subject = new BroadcastFindings(aBroadcast().evidence, described, NAMES);
    const measured = { observed: true as const, video, audio };
    return publishedBytes.assess(measured, limit, subject).deviations.map(({ text }) => text);
  };

  it('may lack what passed before its reader joined, and what a publisher that stops loses', () => {
    expect(deviations(whole, whole)).to.deep.equal([]);
    expect(deviations(track(1000, 500), track(1000, 500))).to.deep.equal([]);
    expect(deviations(track(1001, 0), whole).join()).to.include('without 1001 ms at the start');
    expect(deviations(whole, track(0, 501)).join()).to.include('501 ms at the end');
  });

  it('has to be shown of both tracks', () => {
    const other = unobserved('the first of 9 packets that arrived is none that the file has there');
    expect(deviations(whole, other).join()).to.include('audio: the first of 9 packets');
    expect(deviations(other, whole).join()).to.include('video: the first of 9 packets');
  });

  it('is not shown where nobody has read it', async () => {
    expect(await stateOf(publishedBytes, aBroadcast(), limit)).to.equal('not shown');
  });
});
