import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot } from '../../support/config';
import { ffmpeg, noise, stripMovie, tempFolder } from '../analyze/make-media';

const folder = tempFolder();
const path = (name: string): string => join(folder, name);
const RATE = 48_000;

function analyze(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const program = ['-r', './support/base/typescript.cjs', 'tools/analyze.ts', ...args];
  return spawnSync(process.execPath, program, {
    ...{ cwd: projectRoot, encoding: 'utf8', maxBuffer: 2 ** 26 },
  });
}

/** Nobody speaks in it: nothing has to be listened to. */
const DESCRIPTION = `id: clip
title: A clip
file: "o'clip, \\"1\\" ü.mp4"
durationSeconds: 2
segmentSeconds: 2
language: en
targetLanguage: es
video: {width: 320, height: 180, framesPerSecond: 30, frameStrip: true}
audio: {sampleRateHz: ${RATE}, channels: 1}
script: ['']
`;

describe('npm run analyze', () => {
  const clip = path(`o'clip, "1" ü.mp4`);
  const yaml = path("o'clip.yaml");
  before(() => {
    const samples = noise(2 * RATE, 1).map((one) => 0.1 * one);
    stripMovie(clip, { fps: 30, durationSeconds: 2, audio: { samples, rateHz: RATE } });
    writeFileSync(path('broken off.mp4'), readFileSync(clip).subarray(0, 20_000));
    writeFileSync(path('empty.mp4'), '');
    writeFileSync(yaml, DESCRIPTION);
    const wrong = DESCRIPTION.replace('framesPerSecond: 30', 'framesPerSecond: 25');
    writeFileSync(path('wrong.yaml'), wrong);
    ffmpeg('-i', clip, '-vn', '-c', 'copy', path('heard.mp4'));
    for (const name of ['heard', 'broken off', 'empty']) {
      const text = DESCRIPTION.replace(/file: .*/, `file: ${name}.mp4`);
      writeFileSync(path(`${name}.yaml`), text);
    }
    mkdirSync(path('a folder'));
  });

  const nothing: [what: string, args: () => string[], message: RegExp][] = [
    [
      'a file that is missing',
      () => [path('none.mp4')],
      /none\.mp4: .* cannot be read[\s\S]*ENOENT/,
    ],
    ['a file without its end', () => [path('broken off.mp4')], /moov atom not found/],
    ['a file of 0 bytes', () => [path('empty.mp4')], /0 bytes/],
    ['a folder without evidence', () => [path('a folder')], /not an evidence folder/],
    ['a source that is not known', () => [clip, '--source', 'none'], /description .* is missing/],
    [
      'dubs that are not there',
      () => [clip, '--source', yaml, '--dubs', folder],
      /no dubs in this/,
    ],
    [
      'a media file in place of a description',
      () => [clip, '--source', clip],
      /source is not a description[\s\S]*next: +name the YAML file/,
    ],
    ['a source without video', () => [clip, '--source', path('heard.yaml')], /has no video track/],
    [
      'a source without its end',
      () => [clip, '--source', path('broken off.yaml')],
      /moov atom not found/,
    ],
    ['a source of 0 bytes', () => [clip, '--source', path('empty.yaml')], /0 bytes/],
    [
      'a source that is not what is said of it',
      () => [clip, '--source', path('wrong.yaml')],
      /seen: +30 frames per second\n +expected: 25 frames per second/,
    ],
  ];
  for (const [what, args, message] of nothing) {
    it(`says once that there is nothing to judge: ${what}`, () => {
      const { status, stdout, stderr } = analyze(...args());
      expect(stderr).to.match(message);
      expect(stderr.match(/seen:/g)).to.have.length(1);
      expect(stderr).to.not.match(/Traceback|usage:|\n\s+at /);
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' });
    });
  }

  const usage: [what: string, args: () => string[], message: RegExp][] = [
    ['no file', () => [], /one FILE is needed/],
    ['two files', () => [clip, clip], /unexpected: .*\.mp4/],
    ['an unknown option', () => [clip, '--sauce', 'x'], /--sauce/],
    ['dubs without a source', () => [clip, '--dubs', path('a folder')], /--dubs needs --source/],
    ['dubs beside an evidence folder', () => [path('a folder'), '--dubs', folder], /own dubs/],
  ];
  for (const [what, args, message] of usage) {
    it(`refuses ${what}, and says how it is used`, () => {
      const { status, stdout, stderr } = analyze(...args());
      expect(stderr)
        .to.match(message)
        .and.match(/usage: npm run analyze/);
      expect({ status, stdout }).to.deep.equal({ status: 2, stdout: '' });
    });
  }

  const commands = ['tools/analyze.ts --help', 'fixtures/generate.ts --help'];
  for (const command of [...commands, 'fixtures/generate.ts stamp -h', 'tools/analyze.ts a b -h']) {
    it(`says how it is used, and does nothing else: ${command}`, () => {
      const program = ['-r', './support/base/typescript.cjs', ...command.split(' ')];
      const run = spawnSync(process.execPath, program, { cwd: projectRoot, encoding: 'utf8' });
      expect(run.stdout).to.match(/^usage: npm run (analyze|fixtures)[^\n]*\n$/);
      expect({ status: run.status, stderr: run.stderr }).to.deep.equal({ status: 0, stderr: '' });
    });
  }

  for (const args of [['--hepl'], ['-o', 'x.mp4'], ['stamp'], ['stamp', 'a', 'b']]) {
    it(`refuses fixtures ${args.join(' ')}, and says how it is used`, () => {
      const program = ['-r', './support/base/typescript.cjs', 'fixtures/generate.ts', ...args];
      const run = spawnSync(process.execPath, program, { cwd: projectRoot, encoding: 'utf8' });
      expect(run.stderr).to.match(/usage: npm run fixtures/);
      expect({ status: run.status, stdout: run.stdout }).to.deep.equal({ status: 2, stdout: '' });
    });
  }

  it('judges a file whose name has quotes, spaces and other letters', () => {
    const { stdout, stderr } = analyze(clip, '--source', yaml);
    const { file, verdicts } = JSON.parse(stdout) as {
      file: string;
      verdicts: { criterion: string; state: string }[];
    };
    expect(file).to.equal(clip);
    const stateOf = (id: string): string | undefined =>
      verdicts.find(({ criterion }) => criterion === id)?.state;
    expect(['tracks', 'decoding', 'frames'].map(stateOf)).to.deep.equal(Array(3).fill('passed'));
    expect(stderr).to.match(/^ok +tracks /m);
  });

  it('asks for nothing that has to be listened to, without the listener', () => {
    writeFileSync(
      path('spoken.yaml'),
      DESCRIPTION.replace("script: ['']", 'script: [Hello there.]'),
    );
    const { stdout } = analyze(clip, '--source', path('spoken.yaml'), '--without-listener');
    const { verdicts, ...findings } = JSON.parse(stdout) as {
      verdicts: { criterion: string; state: string; seen: string }[];
    };
    const unasked = verdicts.filter(({ seen }) => seen === 'nobody listens');
    const listened = ['dub-language', 'language', 'original-understood', 'dub-spoken', 'spoken'];
    expect(unasked.map(({ criterion }) => criterion)).to.deep.equal(listened);
    expect(new Set(unasked.map(({ state }) => state))).to.deep.equal(new Set(['not asked']));
    expect(findings).to.not.have.any.keys('englishHeard', 'segmentsHeard', 'dubsHeard');
  });

  it('does not pass a recording of which something cannot be shown', () => {
    // Nothing moves, and nothing is numbered: which frame is shown when cannot be told.
    const still = path('still.mp4');
    ffmpeg(
      ...['-f', 'lavfi', '-i', 'smptebars=s=320x180:r=30', '-f', 'lavfi', '-i', 'sine=r=48000'],
      ...['-t', '2', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-c:a', 'aac', still],
    );
    const description = DESCRIPTION.replace(/file: .*/, 'file: still.mp4');
    writeFileSync(path('still.yaml'), description.replace('frameStrip: true', 'frameStrip: false'));
    const { status, stderr } = analyze(still, '--source', path('still.yaml'));
    expect(stderr).to.not.match(/^FAILED/m);
    expect(stderr).to.match(/^NOT SHOWN +frames .*nothing moves in the source/m);
    expect(status).to.equal(1);
  });
});
