import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { stamp } from '../../fixtures/stamp';
import {
  beginningOf,
  DESCRIBED_FOLDER,
  type Fixture,
  isScriptKnown,
  publishedFixture,
  readFixture,
} from '../../support/broadcast/fixture';
import { requireAsDescribed } from '../../support/checks/fixture-door';
import { projectRoot, readConfig } from '../../support/config';
import { describedClip } from '../../support/session/described-clip';
import { ffmpeg, noise, stripMovie, tempFolder } from '../analyze/make-media';

const folder = tempFolder();
const path = (name: string): string => join(folder, name);
const oneMinute = join(projectRoot, 'fixtures/1-min-nfl.yaml');
const reports = path('reports');
const RATE = 48_000;

/** As FIXTURE_FILE alone gives it: the description of another file. */
const given = (file: string): Fixture => readFixture(oneMinute, file);

describe('a clip that nobody has described', () => {
  // Thirteen seconds, as a team's clip may have: two segments, and a remainder that is none.
  const clip = path('the team\'s clip, "1-min" ü.mp4');
  before(() => {
    const card = 'testsrc2=s=640x360:r=25:d=12.6';
    const beep = `sine=f=500:r=${RATE}:d=12.6`;
    const inputs = ['-f', 'lavfi', '-i', card, '-f', 'lavfi', '-i', beep];
    const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'];
    ffmpeg(...inputs, ...video, '-c:a', 'aac', '-ac', '2', clip);
  });

  it('is what it is, and what is said in it is unknown', async () => {
    const fixture = await describedClip(given(clip), reports);
    await requireAsDescribed(fixture);
    expect(isScriptKnown(fixture)).to.equal(false);
    expect(fixture).to.include({ path: clip, language: 'en', targetLanguage: 'es' });
    expect(fixture).to.include({ durationSeconds: 12, segmentSeconds: 6 });
    expect(fixture.script).to.have.length(2);
    expect(fixture).to.not.have.any.keys('translation', 'keywords');
    const { width, height, framesPerSecond, frameStrip } = fixture.video;
    expect([width, height, framesPerSecond, frameStrip]).to.deep.equal([640, 360, 25, false]);
    expect(fixture.audio).to.include({ sampleRateHz: RATE, channels: 2, startsAtSeconds: 0 });
    expect(fixture.id).to.match(/^[a-z0-9-]+$/);
  });

  it('keeps its description in the results, wherever they are moved', async () => {
    const fixture = await describedClip(given(clip), reports);
    const record = {
      ...{ fixtureScript: fixture.yamlPath, fixtureFile: fixture.path },
      ...{ durationSeconds: 12, segmentSeconds: 6 },
    };
    const evidence = path('moved/evidence/stream');
    mkdirSync(evidence, { recursive: true });
    expect(publishedFixture(record, evidence).title).to.equal(fixture.title);
    renameSync(join(reports, DESCRIBED_FOLDER), join(path('moved'), DESCRIBED_FOLDER));
    expect(publishedFixture(record, evidence)).to.include({ title: fixture.title, path: clip });
    const again = await describedClip(given(clip), reports);
    expect(again.yamlPath).to.equal(fixture.yamlPath);
    expect(readdirSync(join(reports, DESCRIBED_FOLDER))).to.have.length(1);
  });

  it('can be cut, as nobody knows what is cut off', async () => {
    const fixture = beginningOf(await describedClip(given(clip), reports), 6, 2);
    expect(fixture.script).to.have.length(3);
    expect(isScriptKnown(fixture)).to.equal(false);
  });

  it('has its frame strip, where it carries one', async () => {
    const numbered = stripMovie(path('numbered.mp4'), {
      ...{ fps: 30, durationSeconds: 7.5 },
      audio: { samples: noise(7.5 * RATE, 1), rateHz: RATE },
    });
    const fixture = await describedClip(given(numbered), reports);
    expect(fixture.video.frameStrip).to.equal(true);
    // A remainder of 1 s and more is a segment.
    expect(fixture.durationSeconds).to.equal(7.5);
    expect(fixture.script).to.have.length(2);
  });

  it('is judged by its frames alone, where the strip it carries was made for another frame rate', async () => {
    const numbered = stripMovie(path('of 30.mp4'), { fps: 30, durationSeconds: 6 });
    for (const rate of [24, 25, 60]) {
      const converted = path(`of 30, at ${rate}.mp4`);
      ffmpeg('-i', numbered, '-r', String(rate), '-c:v', 'libx264', converted);
      const fixture = await describedClip(given(converted), reports);
      await requireAsDescribed(fixture);
      const { framesPerSecond, frameStrip } = fixture.video;
      expect([framesPerSecond, frameStrip]).to.deep.equal([rate, false]);
    }
  });

  it('is the shipped broadcast where it has the same bytes', async () => {
    const copy = path('copy.mp4');
    copyFileSync(readFixture(oneMinute).path, copy);
    const fixture = await describedClip(given(copy), reports);
    expect(fixture).to.include({ yamlPath: oneMinute, path: copy });
    expect(isScriptKnown(fixture)).to.equal(true);
  });
});

describe('FIXTURE_FILE', () => {
  const configured = (environment: Record<string, string>) => readConfig(environment);

  it('alone has no description; with FIXTURE_SCRIPT, or one beside it, that', async () => {
    const source = path('own.mp4');
    const inputs = ['testsrc2=s=640x360:r=25:d=4', `sine=f=500:r=${RATE}:d=4`];
    ffmpeg(...inputs.flatMap((input) => ['-f', 'lavfi', '-i', input]), source);
    const { yamlPath, clip } = await stamp(source, path('own stamped.mp4'));
    const alone = configured({ FIXTURE_FILE: source });
    expect(alone).to.include({ isClipAlone: true, fixtureScript: oneMinute, fixtureFile: source });
    const beside = configured({ FIXTURE_FILE: clip.file });
    expect(beside).to.include({ isClipAlone: false, fixtureScript: yamlPath });
    const script = path('elsewhere.yaml');
    writeFileSync(script, readFileSync(yamlPath));
    const both = configured({ FIXTURE_FILE: clip.file, FIXTURE_SCRIPT: script });
    expect(both).to.include({ isClipAlone: false, fixtureScript: script });
    expect(configured({})).to.include({ isClipAlone: false, fixtureScript: oneMinute });
    expect(configured({ FIXTURE_SCRIPT: script })).to.include({ isClipAlone: false });
  });
});
