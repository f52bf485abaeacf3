import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';
import { stringify } from 'yaml';

import { PrerequisiteMissing } from '../../support/base/errors';
import { type Fixture, readFixture } from '../../support/broadcast/fixture';
import { requireAsDescribed, requirePublished } from '../../support/checks/fixture-door';
import { ffmpeg, noise, rejection, stripMovie, tempFolder } from '../analyze/make-media';

const folder = tempFolder();
const path = (name: string): string => join(folder, name);
const SECONDS = 4;
const RATE = 44_100;
const audio = { samples: noise(SECONDS * RATE, 1).map((one) => 0.1 * one), rateHz: RATE };

/** What is said of the clip that all others are made of. */
const SAID = {
  ...{ id: 'clip', title: 'A clip', file: 'clip.mp4', durationSeconds: SECONDS },
  ...{ segmentSeconds: 2, language: 'en', targetLanguage: 'es', script: ['one', 'two'] },
  video: { width: 320, height: 180, framesPerSecond: 30, frameStrip: true },
  audio: { sampleRateHz: RATE, channels: 1 } as Record<string, number> | null,
};

function described(file: string, said: Partial<typeof SAID> = {}): Fixture {
  const yaml = path('clip.yaml');
  writeFileSync(yaml, stringify({ ...SAID, ...said }));
  return readFixture(yaml, path(file));
}

const video = (said: Partial<typeof SAID.video>) => ({ video: { ...SAID.video, ...said } });

describe('a file and its description', () => {
  const plain = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'copy'];
  const remade = (name: string, ...args: string[]): void => {
    ffmpeg('-i', path('clip.mp4'), ...args, path(name));
  };
  before(() => {
    stripMovie(path('clip.mp4'), { fps: 30, durationSeconds: SECONDS, audio });
    const card = `testsrc2=s=320x180:r=30:d=${SECONDS}`;
    ffmpeg(
      ...['-f', 'lavfi', '-i', card, '-i', path('clip.mp4'), '-map', '0:v', '-map', '1:a'],
      ...[...plain, path('no strip.mp4')],
    );
    remade('shorter.mp4', '-t', '3', ...plain);
    remade('25 fps.mp4', '-r', '25', ...plain);
    remade('29.97.mp4', '-r', '30000/1001', ...plain);
    remade('from the middle.mp4', '-ss', '1', ...plain);
    remade('silent film.mp4', '-an', '-c', 'copy');
    remade('48 kHz stereo.mp4', '-c:v', 'copy', '-c:a', 'aac', '-ar', '48000', '-ac', '2');
    remade('b-frames.mp4', ...plain, '-preset', 'fast', '-bf', '3', '-g', '60');
    remade('l\'été, "8" %d.mkv', '-c', 'copy');
    remade('flash.flv', '-c', 'copy');
    const late = ['-itsoffset', '1', '-i', path('clip.mp4'), '-map', '0:v', '-map', '1:a'];
    ffmpeg('-i', path('clip.mp4'), ...late, '-c', 'copy', '-t', '4', path('late audio.mp4'));
    const early = ['-itsoffset', '1', '-i', path('clip.mp4'), '-map', '1:v', '-map', '0:a'];
    ffmpeg('-i', path('clip.mp4'), ...early, '-c', 'copy', path('early audio.mp4'));
    const cut = ['-af', 'atrim=0:2', '-c:v', 'copy'];
    remade('audio ends.mp4', ...cut);
    const uneven = "select='not(eq(mod(n,5),2))'";
    remade('uneven.mp4', '-vf', uneven, '-fps_mode', 'vfr', '-c:v', 'libx264', '-c:a', 'copy');
    writeFileSync(path('text.mp4'), 'not media');
    writeFileSync(path('empty.mp4'), '');
  });

  for (const file of ['clip.mp4', 'b-frames.mp4', 'l\'été, "8" %d.mkv', 'flash.flv']) {
    it(`agree: ${file}`, async () => {
      await requireAsDescribed(described(file));
    });
  }

  it('agree where more is said of the file than of the frames, and where only its beginning is published', async () => {
    await requireAsDescribed(described('no strip.mp4', video({ frameStrip: false })));
    await requireAsDescribed(described('clip.mp4', video({ frameStrip: false })));
    await requireAsDescribed(described('clip.mp4', { durationSeconds: 2, script: ['one'] }));
    await requireAsDescribed(described('29.97.mp4', video({ framesPerSecond: 29.97003 })));
    await requireAsDescribed(described('silent film.mp4', { audio: null }));
    const late = { audio: { sampleRateHz: RATE, channels: 1, startsAtSeconds: 1 } };
    await requireAsDescribed(described('late audio.mp4', late));
  });

  const contradictions: [file: string, said: Partial<typeof SAID>, message: RegExp][] = [
    ['clip.mp4', video({ framesPerSecond: 25 }), /seen: +30 frames per second\n.*: 25 frames per/],
    ['25 fps.mp4', {}, /seen: +25 frames per second;? ?.*\n.*: 30 frames per second/],
    ['29.97.mp4', {}, /seen: +29\.97 frames per second\n/],
    ['uneven.mp4', {}, /seen: +2[34]\.\d+ frames per second on average, not evenly\n/],
    [
      'uneven.mp4',
      video({ framesPerSecond: 23.95 }),
      /seen: +23\.95 frames per second on average, not evenly;? ?.*\n.* stamp/,
    ],
    ['early audio.mp4', {}, /audio that begins (?:0\.9|1\.0)\d s before the video/],
    ['no strip.mp4', {}, /seen: +0 of the first 90 frames have a frame strip\n.*counts from 0/],
    ['from the middle.mp4', {}, /a frame strip that begins with 30/],
    [
      '25 fps.mp4',
      video({ framesPerSecond: 25 }),
      /a frame strip that counts (?:29|30)\.\d frames/,
    ],
    ['shorter.mp4', {}, /seen: +3\.00 s of video.*\n.*: 4 s/],
    [
      'clip.mp4',
      { durationSeconds: 5, script: ['1', '2', '3'] },
      /4\.00 s of video.*\n +expected: 5 s/,
    ],
    ['clip.mp4', video({ width: 1280, height: 720 }), /320 x 180 pixels\n.*1280 x 720 pixels/],
    ['silent film.mp4', {}, /seen: +no audio\n.*: an audio track/],
    ['clip.mp4', { audio: null }, /seen: +an audio track\n.*: no audio/],
    ['48 kHz stereo.mp4', {}, /audio of 48000 Hz; audio channels: 2\n.*44100 Hz; .*channels: 1/],
    ['late audio.mp4', {}, /audio that begins (?:0\.9|1\.0)\d s after the video/],
    [
      'clip.mp4',
      { audio: { sampleRateHz: RATE, channels: 1, startsAtSeconds: 2.5 } },
      /audio that begins 0\.0\d s (?:before|after) the video\n.*2\.5 s after it/,
    ],
    ['audio ends.mp4', {}, /audio until 2\.\d\d s\n.*audio until 4 s/],
  ];
  for (const [file, said, message] of contradictions) {
    it(`that contradict each other are told: ${file}, ${JSON.stringify(said)}`, async () => {
      const error = await rejection(requireAsDescribed(described(file, said)));
      expect(error).to.be.instanceOf(PrerequisiteMissing).with.property('prerequisite', 'fixture');
      const text = String(error);
      expect(text).to.match(message);
      expect(text).to.contain(path(file)).and.contain('clip.yaml says').and.contain('FIXTURE_FILE');
    });
  }

  for (const [file, message] of [
    ['text.mp4', /cannot be read[\s\S]*Invalid data/],
    ['empty.mp4', /cannot be read[\s\S]*0 bytes/],
    ['none.mp4', /cannot be read[\s\S]*ENOENT/],
  ] as const) {
    it(`are nothing where the file cannot be read: ${file}`, async () => {
      const error = await rejection(requireAsDescribed(described(file)));
      expect(error).to.be.instanceOf(PrerequisiteMissing);
      expect(String(error)).to.match(message);
    });
  }

  it('of a recorded broadcast are those that are set, wherever evidence and descriptions lie', () => {
    const fixture = described('clip.mp4');
    for (const fixtureScript of [fixture.yamlPath, '/elsewhere/clip.yaml']) {
      requirePublished({ fixtureScript }, fixture, folder);
    }
    const other = { fixtureScript: '/elsewhere/other.yaml' };
    expect(() => requirePublished(other, fixture, folder))
      .to.throw(PrerequisiteMissing)
      .with.property('message')
      .that.matches(/elsewhere.other\.yaml[\s\S]*clip\.yaml[\s\S]*FIXTURE_SCRIPT and FIXTURE_FILE/);
  });
});
