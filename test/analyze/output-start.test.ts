import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';
import { stringify } from 'yaml';

import { frameClock } from '../../support/analyze/frame-clock';
import { OutputFindings } from '../../support/analyze/output-findings';
import { outputStart, type StartEvidence } from '../../support/analyze/output-start';
import { CannotBeShown } from '../../support/base/errors';
import { type Fixture, readFixture } from '../../support/broadcast/fixture';
import { judge, type Verdict } from '../../support/checks/criterion';
import { outputBegins } from '../../support/checks/output-start';
import { recordingSubject } from '../../support/checks/output-subject';
import { ffmpeg, mixInto, noise, speech, stripMovie, tempFolder } from './make-media';

const folder = tempFolder();
const FPS = 30;
const RATE = 16000;
const SECONDS = 9;

/** Numbered frames and speech, without a key frame to cut at: what is cut is encoded again. */
function source(): Fixture {
  mkdirSync(folder, { recursive: true });
  const samples = noise(SECONDS * RATE, 1).map((sample) => sample * 0.0005);
  const words = speech('The quarterback takes the ball and looks for somebody', { rateHz: RATE });
  mixInto(samples, words, 0.7 * RATE);
  const audio = { samples, rateHz: RATE };
  stripMovie(join(folder, 'source.mp4'), { fps: FPS, durationSeconds: SECONDS, audio });
  const yaml = join(folder, 'source.yaml');
  const ofFrames = { width: 320, height: 180, framesPerSecond: FPS, frameStrip: true };
  writeFileSync(
    yaml,
    stringify({
      ...{ id: 'source', title: 'A source', file: 'source.mp4', durationSeconds: SECONDS },
      ...{ segmentSeconds: 6, language: 'en', targetLanguage: 'es', script: ['Said', ''] },
      ...{ video: ofFrames, audio: { sampleRateHz: RATE, channels: 1 } },
    }),
  );
  return readFixture(yaml);
}

describe('where an output begins', () => {
  let fixture: Fixture;
  before(() => {
    fixture = source();
  });

  async function judged(name: string, video: string, audio: string): Promise<Verdict> {
    const file = join(folder, `${name}.mp4`);
    const graph = `[0:v]${video}[v];[0:a]${audio}[a]`;
    const encode = ['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac'];
    ffmpeg(
      ...['-i', fixture.path, '-filter_complex', graph, '-map', '[v]', '-map', '[a]'],
      ...[...encode, file],
    );
    const subject = recordingSubject(new OutputFindings(file, fixture, []));
    return judge(outputBegins, subject, outputBegins.defaultLimit);
  }

  const cut = (seconds: number): [video: string, audio: string] => [
    `trim=start=${seconds},setpts=PTS-STARTPTS`,
    `atrim=start=${seconds},asetpts=PTS-STARTPTS`,
  ];

  for (const [seconds, state] of [
    ...[[0, 'passed'] as const, [0.3, 'passed'] as const, [0.5, 'passed'] as const],
    ...[[0.8, 'failed'] as const, [3.2, 'failed'] as const],
  ]) {
    it(`${state === 'passed' ? 'may lack' : 'may not lack'} its first ${seconds} s`, async () => {
      const verdict = await judged(`cut-${seconds}`, ...cut(seconds));
      expect(verdict.state, verdict.seen).to.equal(state);
      const [said] = [...verdict.seen.matchAll(/(\d\.\d\d) s/g)].map(([, one]) => Number(one));
      expect(said).to.be.closeTo(seconds, 0.011);
    });
  }

  it('says which of its tracks begins late', async () => {
    const late = cut(0.8);
    const video = await judged('video', 'trim=start=0.8', 'anull');
    expect(video.seen).to.equal('the first 0.80 s of the video');
    const audio = await judged('audio', 'null', 'atrim=start=0.8');
    expect(audio.seen).to.match(/^the first 0\.\d\d s of the audio$/);
    expect((await judged('both', ...late)).seen).to.include('video');
  });

  it('is not told of a recording without frame numbers', async () => {
    const plain = join(folder, 'plain.mp4');
    ffmpeg(
      '-f',
      'lavfi',
      '-i',
      'testsrc2=s=320x180:r=30:d=2',
      '-f',
      'lavfi',
      '-i',
      'anoisesrc=d=2',
      plain,
    );
    const subject = recordingSubject(new OutputFindings(plain, fixture, []));
    expect((await judge(outputBegins, subject, outputBegins.defaultLimit)).state).to.equal(
      'not shown',
    );
  });
});

describe('an output that a reader has recorded', () => {
  const assess = (video: number, lostSeconds?: number): string => {
    const measured = { video, audio: 0, ...(lostSeconds === undefined ? {} : { lostSeconds }) };
    try {
      const subject = undefined as never;
      const { deviations } = outputBegins.assess(measured, outputBegins.defaultLimit, subject);
      return deviations.length > 0 ? 'red' : 'green';
    } catch (error) {
      return error instanceof CannotBeShown ? 'not shown' : String(error);
    }
  };

  it('may lack what the reader has lost: then nothing is shown', () => {
    expect([0.5, 0.8].map((seconds) => assess(seconds))).to.deep.equal(['green', 'red']);
    expect(assess(0.5, 0.4)).to.equal('green');
    expect([0.8, 0.9, 1].map((seconds) => assess(seconds, 0.4))).to.deep.equal([
      ...['not shown', 'not shown', 'red'],
    ]);
  });
});

describe('what tells where an output begins', () => {
  const evidence = (from: number, more: Partial<StartEvidence> = {}): StartEvidence => ({
    clock: frameClock(
      Array.from({ length: 60 }, (_, i) => ({ frame: from + i, ptsSeconds: 2 + i / FPS })),
      FPS,
    ),
    ...{ audioFromSeconds: 2 - from / FPS, sourceAudioFromSeconds: 0, tones: [] },
    ...{ firstFragmentSeconds: undefined, firstDub: undefined, ...more },
  });
  const tone = (second: number, level: number) => ({
    ...{ second, level, avOffset: { observed: false as const, reason: 'not asked' } },
  });

  it('a frame that is shown before the video moves', () => {
    const { clock, ...rest } = evidence(7);
    const waiting = [{ frame: 6, ptsSeconds: 0.1 }, ...(clock.runs[0]?.frames ?? [])];
    expect(outputStart({ ...rest, clock: frameClock(waiting, FPS) }).video).to.equal(6 / FPS);
  });

  it('audio that begins with its own source', () => {
    const late = { audioFromSeconds: 3, firstFragmentSeconds: 0.9 };
    expect(outputStart(evidence(0, { ...late, sourceAudioFromSeconds: 1 })).audio).to.equal(0);
    expect(outputStart(evidence(0, late)).audio).to.be.closeTo(1, 1e-9);
  });

  it('the first fragment, which may begin later than the track', () => {
    expect(outputStart(evidence(0, { firstFragmentSeconds: 3.2 })).audio).to.equal(3.2);
  });

  it('tones that are not heard, where their frames are shown', () => {
    const silent = [tone(0, 0), tone(1, 0), tone(2, 1)];
    expect(outputStart(evidence(0, { tones: silent })).audio).to.be.closeTo(1.6, 1e-9);
    expect(outputStart(evidence(0, { tones: [tone(0, 0.5), tone(1, 1)] })).audio).to.equal(0);
    expect(outputStart(evidence(24, { tones: silent })).audio).to.be.closeTo(0, 1e-9);
  });
});
