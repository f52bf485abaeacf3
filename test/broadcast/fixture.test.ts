import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { readAudio } from '../../support/analyze/audio';
import { packetSpan, probeStreams } from '../../support/analyze/media';
import { projectRoot } from '../../support/config';
import { SuiteError } from '../../support/base/errors';
import { readFixture } from '../../support/broadcast/fixture';

const RATE_HZ = 8000;

describe("a fixture's YAML", () => {
  const folder = mkdtempSync(join(tmpdir(), 'fixture-test-'));
  after(() => rmSync(folder, { recursive: true }));
  const shipped = readFileSync(join(projectRoot, 'fixtures/12-s-nfl.yaml'), 'utf8');
  const odd: Record<string, [string, RegExp]> = {
    'is empty': ['', /not valid.*object/s],
    'is a text': ['hello', /not valid/],
    'is not YAML': ['id: [1\n', /odd\.yaml:\d+:\d+: .*not valid YAML/s],
    'is bytes': ['\0\u0001', /odd\.yaml/],
    'is nested without end': ['['.repeat(100_000), /not valid YAML/],
    'is a megabyte': ['# \n'.repeat(400_000), /too long/],
    'has an alias that leads nowhere': [`${shipped}voice: *b\n`, /not valid YAML/],
    'has no length': [shipped.replace(/durationSeconds.*/, ''), /durationSeconds/],
    'has no length that is one': [
      shipped.replace(/durationSeconds: .*/, 'durationSeconds: .nan'),
      /durationSeconds/,
    ],
    'lasts for ever': [
      shipped.replace(/durationSeconds: .*/, 'durationSeconds: .inf'),
      /durationSeconds/,
    ],
    'lasts for a year': [
      shipped.replace(/durationSeconds: .*/, 'durationSeconds: 31557600'),
      /durationSeconds/,
    ],
    'lasts less than nothing': [
      shipped.replace(/durationSeconds: .*/, 'durationSeconds: -1'),
      /durationSeconds/,
    ],
    'has segments of nothing': [
      shipped.replace(/segmentSeconds: .*/, 'segmentSeconds: 1e-300'),
      /segmentSeconds/,
    ],
    'has lines for other segments': [
      shipped.replace(/segmentSeconds: .*/, 'segmentSeconds: 3'),
      /2 lines; 12 s.*4 lines/s,
    ],
    'has a malformed line': [shipped.replace(/script:\n/, 'script:\n  - [1]\n'), /script/],
    'has a translation too many': [`${shipped.trimEnd()}\n  - Otra.\n`, /2 lines, 3 translations/],
    'has an unknown field': [`${shipped}colour: red\n`, /colour/],
  };
  for (const [name, [text, message]] of Object.entries(odd)) {
    it(`that ${name} is named, with what is wrong`, () => {
      const file = join(folder, 'odd.yaml');
      writeFileSync(file, text);
      expect(() => readFixture(file)).to.throw(SuiteError, message);
    });
  }

  it('that is missing, or a folder, is named', () => {
    expect(() => readFixture(join(folder, 'none.yaml'))).to.throw(
      SuiteError,
      /none\.yaml.*FIXTURE_SCRIPT/s,
    );
    expect(() => readFixture(folder)).to.throw(SuiteError, /EISDIR/);
  });

  it('may have dollars in its lines', () => {
    const file = join(folder, 'odd.yaml');
    writeFileSync(
      file,
      shipped.replace(/ {2}- The quarterback.*/, '  - It costs $5, ${not a variable}.'),
    );
    expect(readFixture(file).script[0]).to.equal('It costs $5, ${not a variable}.');
  });
});

describe('the counting broadcast', () => {
  const fixture = readFixture(join(projectRoot, 'fixtures/30s-counting-english.yaml'));

  it('has thirty words', () => {
    expect(fixture.script.flatMap((line) => line.split(', '))).to.have.length(30);
  });

  it('says each word in its second: silence first, then speech', async () => {
    const samples = await readAudio(fixture.path, RATE_HZ);
    /** Root mean square of a part of the audio; full scale is 1. */
    const level = (fromSeconds: number, toSeconds: number): number => {
      const part = samples.subarray(fromSeconds * RATE_HZ, toSeconds * RATE_HZ);
      return Math.sqrt(part.reduce((sum, sample) => sum + sample * sample, 0) / part.length);
    };
    for (let second = 0; second < 30; second += 1) {
      const { speechMarginSeconds: margin } = fixture;
      const before = level(second + 0.05, second + margin - 0.05);
      const word = level(second + margin, second + margin + 0.25);
      expect(before, `silence of second ${second}`).to.be.below(0.005);
      expect(word, `word of second ${second}`).to.be.above(0.02);
    }
  });
});

describe('the small broadcasts', () => {
  const read = (name: string): ReturnType<typeof readFixture> =>
    readFixture(join(projectRoot, `fixtures/${name}.yaml`));

  it('have an audio track, or have none, as they say', async () => {
    const tracks = async (name: string): Promise<string[]> =>
      (await probeStreams(read(name).path)).map(({ kind }) => kind).sort();
    expect(await tracks('12-s-no-audio')).to.deep.equal(['video']);
    expect(await tracks('12-s-silence')).to.deep.equal(['audio', 'video']);
  });

  it('are silent where there is no speech', async () => {
    const samples = await readAudio(read('12-s-silence').path, RATE_HZ);
    expect(samples.length / RATE_HZ).to.be.closeTo(12, 0.1);
    expect(Math.max(...samples.map(Math.abs))).to.equal(0);
  });

  it('have audio that begins late, by as much as they say', async () => {
    const { path, audio } = read('12-s-late-audio');
    const { audio: track } = await packetSpan(path);
    const first = track.observed ? track.firstPtsSeconds : NaN;
    // The encoder's 1024 samples of priming come first.
    expect(first).to.be.closeTo(audio?.startsAtSeconds ?? 0, 0.03);
    expect(first).to.be.above(2);
  });

  it('have noise under the speech, as loud as they say', async () => {
    const { path, audio, speechMarginSeconds } = read('6-s-noise');
    const samples = await readAudio(path, 44_100);
    const power = (part: Float32Array): number =>
      part.reduce((sum, sample) => sum + sample * sample, 0) / part.length;
    const at = (seconds: number): number => Math.round(seconds * 44_100);
    const noise = power(samples.subarray(at(0.1), at(speechMarginSeconds - 0.1)));
    // From the first word to the last.
    const speech = power(samples.subarray(at(speechMarginSeconds), at(3.5))) - noise;
    expect(10 * Math.log10(speech / noise)).to.be.closeTo(audio?.noiseBelowSpeechDb ?? 0, 2);
  });
});
