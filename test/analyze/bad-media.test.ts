import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { readAudio } from '../../support/analyze/audio';
import { fingerprintFile } from '../../support/analyze/fingerprint';
import { packetSpan, probeStreams } from '../../support/analyze/media';
import { OutputFindings } from '../../support/analyze/output-findings';
import { readVideo } from '../../support/analyze/video';
import { readAudioTrack } from '../../support/analyze/audio-track';
import { SuiteError } from '../../support/base/errors';
import { judgeOutput } from '../../support/checks/output-criteria';
import { recordingSubject } from '../../support/checks/output-subject';
import type { Fixture } from '../../support/broadcast/fixture';
import { ffmpeg, observed, tempFolder } from './make-media';

const folder = tempFolder();
const file = (name: string): string => join(folder, name);

const VIDEO = ['-f', 'lavfi', '-i', 'testsrc2=s=64x36:r=10:d=4'];
const AUDIO = ['-f', 'lavfi', '-i', 'sine=f=300:r=48000:d=4'];
const H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10'];

/** Makes a file of that name. */
const made: Record<string, (name: string) => void> = {
  'missing.mp4': () => undefined,
  'empty.mp4': (name) => writeFileSync(name, ''),
  'text.mp4': (name) => writeFileSync(name, 'This is no film.\n'.repeat(100)),
  'playlist.mp4': (name) => writeFileSync(name, '#EXTM3U\n#EXTINF:1\nfile:///etc/passwd\n'),
  'page.mp4': (name) => writeFileSync(name, '<html><script>alert(1)</script></html>'),
  'zeros.mp4': (name) => writeFileSync(name, Buffer.alloc(10 * 2 ** 20)),
  // 8 GB that take no space.
  'huge.mp4': (name) => {
    writeFileSync(name, 'This is no film.');
    truncateSync(name, 8 * 2 ** 30);
  },
  'noise.mp4': (name) =>
    writeFileSync(name, Buffer.from(Array.from({ length: 1e5 }, (_, i) => (i * i * 31) & 255))),
  'folder.mp4': (name) => mkdirSync(name),
  // The index of an MP4 file is at its end.
  'cut-off.mp4': (name) => {
    ffmpeg(...VIDEO, ...AUDIO, ...H264, '-c:a', 'aac', name);
    truncateSync(name, 20_000);
  },
  'cut-off.mkv': (name) => {
    ffmpeg(...VIDEO, ...AUDIO, ...H264, '-c:a', 'aac', name);
    truncateSync(name, Math.round(readFileSync(name).length / 2));
  },
  'damaged.mkv': (name) => {
    ffmpeg(...VIDEO, ...AUDIO, ...H264, '-c:a', 'aac', name);
    const bytes = readFileSync(name);
    for (let at = 5000; at < bytes.length; at += 997) bytes[at] = 255 - (bytes[at] ?? 0);
    writeFileSync(name, bytes);
  },
  'other-codecs.mkv': (name) =>
    ffmpeg(...VIDEO, ...AUDIO, '-c:v', 'mpeg4', '-c:a', 'libvorbis', name),
  'no-audio.mp4': (name) => ffmpeg(...VIDEO, ...H264, name),
  'no-frame.mp4': (name) => ffmpeg(...AUDIO, '-c:a', 'aac', name),
  'subtitles.mkv': (name) => {
    writeFileSync(`${name}.srt`, '1\n00:00:00,000 --> 00:00:01,000\n<script>\n');
    ffmpeg('-i', `${name}.srt`, name);
  },
  'two-audio.mkv': (name) =>
    ffmpeg(
      ...VIDEO,
      ...AUDIO,
      ...AUDIO,
      ...H264,
      '-c:a',
      'aac',
      '-map',
      '0',
      '-map',
      '1',
      '-map',
      '2',
      name,
    ),
  'variable-rate.mp4': (name) =>
    ffmpeg(
      ...VIDEO,
      ...AUDIO,
      '-vf',
      "select='not(mod(n,3))+lt(n,30)'",
      '-fps_mode',
      'vfr',
      ...H264,
      '-c:a',
      'aac',
      name,
    ),
  'b-frames.mp4': (name) =>
    ffmpeg(
      ...VIDEO,
      ...AUDIO,
      '-c:v',
      'libx264',
      '-bf',
      '3',
      '-b_strategy',
      '0',
      '-c:a',
      'aac',
      name,
    ),
  'one-frame.mp4': (name) => ffmpeg(...VIDEO, ...H264, '-frames:v', '1', name),
  'one-sample.wav': (name) =>
    ffmpeg('-f', 'lavfi', '-i', 'sine=d=1', '-af', 'atrim=end_sample=1', name),
  'no-samples.wav': (name) =>
    ffmpeg('-f', 'lavfi', '-i', 'sine=d=1', '-af', 'atrim=end_sample=0', name),
  // As long as a day, in bytes of seconds: headers do not tell the truth.
  'long-header.wav': (name) => {
    ffmpeg(...AUDIO, name);
    const bytes = readFileSync(name);
    bytes.writeUInt32LE(0xfffffff0, 4);
    bytes.writeUInt32LE(0xfffffff0, bytes.indexOf('data') + 4);
    writeFileSync(name, bytes);
  },
  'tags.mkv': (name) =>
    ffmpeg(...AUDIO, '-c:a', 'aac', '-metadata:s:a:0', 'language=</script>\u001b[31m', name),
};

/** Which of these can be measured, noise as what it resembles by chance; for all others every measurement says why not. */
const READABLE = new Set([
  ...[
    'noise.mp4',
    'cut-off.mkv',
    'damaged.mkv',
    'other-codecs.mkv',
    'no-audio.mp4',
    'no-frame.mp4',
  ],
  ...['subtitles.mkv', 'two-audio.mkv', 'variable-rate.mp4', 'b-frames.mp4', 'one-frame.mp4'],
  ...['one-sample.wav', 'no-samples.wav', 'long-header.wav', 'tags.mkv'],
]);

const looks: Record<string, (name: string) => Promise<unknown>> = {
  streams: probeStreams,
  packets: packetSpan,
  audio: readAudioTrack,
  frames: readVideo,
  samples: (name) => readAudio(name, 8000),
  fingerprint: fingerprintFile,
};

const SOURCE: Fixture = {
  ...{ id: 'four', title: 'four seconds', file: '', durationSeconds: 4, segmentSeconds: 2 },
  ...{ speechMarginSeconds: 0, language: 'en', targetLanguage: 'es', script: ['One.', 'Two.'] },
  video: { width: 64, height: 36, framesPerSecond: 10, frameStrip: true },
  audio: {
    sampleRateHz: 48_000,
    channels: 1,
    startsAtSeconds: 0,
    ...{ tones: false, pilot: false },
    clockSlowPercent: 0,
  },
  ...{ path: '', yamlPath: '' },
};

/** How each measurement ended: what was found, or the error. */
async function lookAt(name: string): Promise<Map<string, unknown>> {
  const found = Object.entries(looks).map(async ([what, look]): Promise<[string, unknown]> => [
    what,
    await look(name).catch((error: unknown) => error),
  ]);
  return new Map(await Promise.all(found));
}

describe('a media file that', () => {
  before(() => Object.entries(made).forEach(([name, make]) => make(file(name))));

  for (const name of Object.keys(made)) {
    it(`is ${name}: every measurement says what is there, or why it cannot tell`, async () => {
      const found = await lookAt(file(name));
      const errors = [...found.values()].filter((one): one is Error => one instanceof Error);
      errors.forEach((error) => {
        expect(error, String(error)).to.be.instanceOf(SuiteError);
        expect(error.message)
          .to.include(name)
          .and.to.match(/seen: +\S/);
      });
      expect(found.get('streams') instanceof Error, 'streams').to.equal(!READABLE.has(name));
      if (!READABLE.has(name)) expect(errors).to.have.length(found.size);
    });

    it(`is ${name}: as an output it fails, and never passes`, async () => {
      const dubs = [{ sequence: 0, dubbed: file(name), original: file(name) }];
      const output = new OutputFindings(file(name), SOURCE, dubs);
      const states = (await judgeOutput(recordingSubject(output))).map(({ state }) => state);
      expect(states.filter((state) => ['failed', 'not shown'].includes(state))).to.not.be.empty;
    });
  }

  it('has no audio is told from one that has', async () => {
    expect(observed((await packetSpan(file('no-audio.mp4'))).video).packets).to.equal(40);
    expect((await packetSpan(file('no-audio.mp4'))).audio.observed).to.be.false;
    expect((await packetSpan(file('no-frame.mp4'))).video.observed).to.be.false;
  });

  it('has a variable frame rate has gaps, and one with B-frames none', async () => {
    expect(observed((await packetSpan(file('variable-rate.mp4'))).video).gaps).to.not.be.empty;
    const { gaps, backwardDtsSeconds, packets } = observed(
      (await packetSpan(file('b-frames.mp4'))).video,
    );
    expect({ gaps, backwardDtsSeconds, packets }).to.deep.equal({
      ...{ gaps: [], backwardDtsSeconds: [], packets: 40 },
    });
  });

  it('is cut off is as long as what is left of it', async () => {
    const { durationSeconds } = observed((await packetSpan(file('cut-off.mkv'))).video);
    expect(durationSeconds).to.be.within(0.5, 3.5);
  });
});
