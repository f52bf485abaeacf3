import { execFile, execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { promisify } from 'node:util';

import { expect } from 'chai';

import { ofSource } from '../../support/analyze/source-cache';
import { readFrames } from '../../support/analyze/video';
import { projectRoot, readConfig } from '../../support/config';
import { ffmpeg, rejection, stripMovie, tempFolder } from './make-media';

const tryOnce = promisify(execFile);

/** A program of its own that asks for the length in bytes of a source's frames, and says whether it has measured. */
const PROGRAM = `
  const { ofSource } = require('./support/analyze/source-cache.ts');
  const { readFrames } = require('./support/analyze/video.ts');
  let measured = false;
  const measure = (file) => ((measured = true), readFrames(file));
  const [, file, folder] = process.argv;
  ofSource(file, 'frames', measure, folder).then(({ thumbnails, times }) =>
    console.log(JSON.stringify({ measured, count: thumbnails.count, times })));`;

/** One that measures frames and audio of two sources, and says how many there are, or what is wrong. */
const MEASURES = `
  const { holdTimeline } = require('./support/analyze/audio-track.ts');
  const { readFrames } = require('./support/analyze/video.ts');
  const [, video, audio] = process.argv;
  const problem = (error) => error.constructor.name;
  Promise.all([
    readFrames(video).then(({ times }) => times.length, problem),
    holdTimeline(audio, 4000).then(({ samples }) => samples.length, problem),
  ]).then((found) => console.log(JSON.stringify(found)));`;

const LOADER = join(projectRoot, 'support/base/typescript.cjs');

async function another(
  file: string,
  folder: string,
): Promise<{ measured: boolean; count: number; times: number[] }> {
  const args = ['-r', LOADER, '-e', PROGRAM, file, folder];
  const { stdout } = await tryOnce(process.execPath, args, { cwd: projectRoot });
  return JSON.parse(stdout) as Awaited<ReturnType<typeof another>>;
}

describe('what is measured of a source', () => {
  const scratch = tempFolder();
  const [source, folder] = [join(scratch, 'source.mp4'), join(scratch, 'cache')];
  before(() => stripMovie(source, { fps: 30, durationSeconds: 2 }));

  const onlyFile = (): string => {
    const [name = '', ...others] = readdirSync(folder);
    expect(others).to.deep.equal([]);
    return join(folder, name);
  };

  it('is nothing where ffmpeg was ended while it measured', async () => {
    const { PATH = '' } = readConfig().variables;
    const real = execFileSync('sh', ['-c', 'command -v ffmpeg']).toString().trim();
    const broken = join(scratch, 'bin');
    mkdirSync(broken);
    // Of what it reads, the first half second; then as it ends by a signal.
    const program = `#!/bin/sh\n"${real}" -t 0.5 "$@"\nexit 255\n`;
    writeFileSync(join(broken, 'ffmpeg'), program, { mode: 0o755 });
    const audio = join(scratch, 'source.wav');
    ffmpeg('-f', 'lavfi', '-i', 'sine=f=300:d=2', audio);
    const said = async (path: string): Promise<unknown> => {
      const options = { cwd: projectRoot, env: { PATH: path } };
      const args = ['-r', LOADER, '-e', MEASURES, source, audio];
      return JSON.parse((await tryOnce(process.execPath, args, options)).stdout);
    };
    expect(await said(PATH)).to.deep.equal([60, 8000]);
    expect(await said(`${broken}:${PATH}`)).to.deep.equal(['MediaUnreadable', 'MediaUnreadable']);
  });

  it('is measured once, by the first of several programs', async () => {
    const [one, other] = await Promise.all([another(source, folder), another(source, folder)]);
    const own = await readFrames(source);
    for (const { count, times } of [one, other, await another(source, folder)]) {
      expect({ count, times }).to.deep.equal({ count: own.thumbnails.count, times: own.times });
    }
    expect((await another(source, folder)).measured).to.equal(false);
    onlyFile();
  });

  it('is the same in another program as where it was measured', async () => {
    const kept = await ofSource(source, 'frames', () => Promise.reject(new Error('known')), folder);
    expect(kept).to.deep.equal(await readFrames(source));
  });

  it('is measured again where its file is broken', async () => {
    const file = onlyFile();
    const bytes = readFileSync(file);
    const flipped = Buffer.from(bytes);
    flipped.writeUInt8(flipped.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    for (const broken of [flipped, bytes.subarray(0, bytes.length / 2), Buffer.alloc(0)]) {
      writeFileSync(file, broken);
      const { measured, count } = await another(source, folder);
      expect({ measured, count }).to.deep.equal({ measured: true, count: 60 });
      expect(readFileSync(file).equals(bytes)).to.equal(true);
    }
  });

  it('is measured again of a file that has changed, in the same program as well', async () => {
    const clip = join(tempFolder(), 'changed.mp4');
    const size = (): Promise<number> =>
      ofSource(clip, 'size', (file) => Promise.resolve(readFileSync(file).length), folder);
    ffmpeg('-i', source, '-c', 'copy', clip);
    const before = await size();
    appendFileSync(clip, 'x');
    expect(await size()).to.equal(before + 1);
  });

  it('is measured where nothing can be written, and what fails is not remembered', async () => {
    const nowhere = join(source, 'cache');
    const { measured, count } = await another(source, nowhere);
    expect({ measured, count }).to.deep.equal({ measured: true, count: 60 });
    expect(existsSync(nowhere)).to.equal(false);
    const failing = ofSource(source, 'x', () => Promise.reject(new Error('no')), nowhere);
    expect(String(await rejection(failing))).to.match(/no/);
    expect(await ofSource(source, 'x', () => Promise.resolve(1), nowhere)).to.equal(1);
  });
});
