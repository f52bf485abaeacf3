import { readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { cacheAnswers, cached } from '../../support/analyze/answer-cache';
import { readAudioFilesAt } from '../../support/analyze/audio';
import { partOf } from '../../support/analyze/samples';
import {
  storedThumbnails,
  THUMBNAIL_BYTES,
  type Thumbnails,
} from '../../support/analyze/thumbnails';
import { inWorkerThread } from '../../support/analyze/worker-thread';
import { ffmpeg, noise, stored, tempFolder } from './make-media';

const folder = tempFolder();
const file = join(folder, 'recording.mp4');

/** How often two questions, one after the other, are asked in all. */
async function asked(first: unknown[], second: unknown[]): Promise<number> {
  let count = 0;
  for (const question of [first, second]) {
    const answer = await cached(question, () => Promise.resolve({ count: (count += 1) }));
    expect(answer.count).to.equal(count);
  }
  return count;
}

describe('cached answers', () => {
  before(() => cacheAnswers(join(folder, 'answers')));

  const samples = (...values: number[]): Float32Array => {
    const shared = new Float32Array(new SharedArrayBuffer(4 * values.length));
    shared.set(values);
    return shared;
  };

  const inFile = stored(samples(1, 2, 3));
  const thumbnailsOf = (grey: number): Thumbnails =>
    storedThumbnails({ count: 2, bytes: new Uint8Array(2 * THUMBNAIL_BYTES).fill(grey) });

  for (const [what, first, second] of [
    ['the same samples', [samples(1, 2)], [Float32Array.of(1, 2)]],
    [
      'the same thumbnails',
      [{ bytes: Uint8Array.of(7), count: 1 }],
      [{ bytes: Uint8Array.of(7), count: 1 }],
    ],
    ['the same samples of two scratch files', [stored(samples(1, 2))], [stored(samples(1, 2))]],
    [
      'a stretch of a scratch file',
      [partOf(stored(samples(1, 2, 3)), 1, 3)],
      [stored(samples(2, 3))],
    ],
    ['the same thumbnails of two scratch files', [thumbnailsOf(7)], [thumbnailsOf(7)]],
    [
      'the same list of objects',
      ['x', [{ at: 1.5, speed: undefined }]],
      ['x', [{ at: 1.5, speed: undefined }]],
    ],
  ] as [string, unknown[], unknown[]][]) {
    it(`${what}: asked once`, async () => {
      expect(await asked([what, first], [what, second])).to.equal(1);
    });
  }

  for (const [what, first, second] of [
    ['other samples', [samples(1, 2)], [samples(1, 3)]],
    [
      'the same samples, divided elsewhere',
      [samples(1, 2), samples(3)],
      [samples(1), samples(2, 3)],
    ],
    ['another stretch of a scratch file', [partOf(inFile, 0, 2)], [partOf(inFile, 1, 3)]],
    ['more of a scratch file', [partOf(inFile, 0, 2)], [partOf(inFile, 0, 3)]],
    ['other thumbnails of a scratch file', [thumbnailsOf(7)], [thumbnailsOf(8)]],
    ['bytes in place of samples', [new Uint8Array(4)], [new Float32Array(1)]],
    ['a list inside of a list', [['a', 'b']], [['a', ['b']]]],
    ['a number in place of a text', [1], ['1']],
    ['nothing in place of its name', [undefined], ['undefined']],
    ['no number', [NaN], [null]],
    ['another name of a value', [{ from: 1 }], [{ to: 1 }]],
    ['what is no plain data', [new Map([[1, 2]])], [new Map([[1, 2]])]],
  ] as [string, unknown[], unknown[]][]) {
    it(`${what}: asked again`, async () => {
      expect(await asked([what, first], [what, second])).to.equal(2);
    });
  }

  it('an answer by the index of a track: asked once', async () => {
    const tracks = new Map([[1, { pts: [0, 0.02], at: inFile }]]);
    expect(await cached(['tracks'], () => Promise.resolve(tracks))).to.deep.equal(tracks);
    const again = await cached(['tracks'], () => Promise.reject(new Error('asked again')));
    expect(again).to.deep.equal(new Map([[1, { pts: [0, 0.02], at: samples(1, 2, 3) }]]));
  });

  it('an answer with samples of a scratch file: the next time they are in memory', async () => {
    const ask = (): Promise<unknown> => Promise.resolve([{ needle: partOf(inFile, 1, 3) }]);
    expect(await cached(['stored'], ask)).to.deep.equal([{ needle: partOf(inFile, 1, 3) }]);
    const again = await cached(['stored'], () => Promise.reject(new Error('asked again')));
    expect(again).to.deep.equal([{ needle: samples(2, 3) }]);
  });

  for (const [what, answer] of [
    ['thumbnails of a scratch file', thumbnailsOf(7)],
    ['64 MB of samples, and one more', { ...inFile, length: 2 ** 24 + 1 }],
  ] as const) {
    it(`an answer with ${what}: asked again`, async () => {
      let count = 0;
      const ask = (): Promise<unknown> => {
        count += 1;
        return Promise.resolve({ answer });
      };
      expect(await cached([what], ask)).to.deep.equal({ answer });
      expect(await cached([what], ask)).to.deep.equal({ answer });
      expect(count).to.equal(2);
    });
  }

  it('a file that has changed: asked again', async () => {
    writeFileSync(file, 'one');
    expect(await asked(['file', file], ['file', file])).to.equal(1);
    writeFileSync(file, 'one and two');
    expect(await asked(['file', file], ['file', file])).to.equal(1);
  });

  it('a file that has changed, but for its size and its time: asked again', async () => {
    const at = new Date('2026-01-02T03:04:05Z');
    for (const content of ['one', 'two']) {
      writeFileSync(file, content);
      utimesSync(file, at, at);
      expect(await asked(['kept times', file], ['kept times', file])).to.equal(1);
    }
  });

  it('what a program says that did not end well: asked again', async () => {
    const says = (exitCode: number) => () => Promise.resolve({ exitCode, stdout: 'half' });
    expect(await cached(['ended'], says(255))).to.deep.include({ exitCode: 255 });
    expect(await cached(['ended'], says(0))).to.deep.include({ exitCode: 0 });
    expect(await cached(['ended'], says(1))).to.deep.include({ exitCode: 0 });
  });

  it('an answer of which a part has been lost: asked again', async () => {
    const answers = join(folder, 'answers');
    const before = new Set(readdirSync(answers));
    await cached(['lost'], () => Promise.resolve('first'));
    const [name = ''] = readdirSync(answers).filter((one) => !before.has(one));
    truncateSync(join(answers, name), 40);
    expect(await cached(['lost'], () => Promise.resolve('second'))).to.equal('second');
    expect(await cached(['lost'], () => Promise.resolve('third'))).to.equal('second');
  });

  it('an answer that cannot be kept is given all the same', async () => {
    const full = join(folder, 'full');
    cacheAnswers(full);
    rmSync(full, { recursive: true });
    // In place of the folder, as nothing keeps root from writing to one.
    writeFileSync(full, '');
    for (const answer of ['first', 'second']) {
      expect(await cached(['full'], () => Promise.resolve(answer))).to.equal(answer);
    }
    cacheAnswers(join(folder, 'answers'));
  });

  it('the audio of few files: decoded once, and again where one of them has changed', async () => {
    const wav = (name: string, hz: number): string => {
      const path = join(folder, name);
      ffmpeg('-f', 'lavfi', '-i', `sine=f=${hz}:r=16000:d=0.5`, '-y', path);
      return path;
    };
    const wanted = [
      { file: wav('dub.wav', 300), ratesHz: [4000, 16_000] },
      { file: wav('original.wav', 500), ratesHz: [4000] },
    ];
    const kept = (): number => readdirSync(join(folder, 'answers')).length;
    const first = await readAudioFilesAt(wanted);
    expect(first.map((rates) => rates.map(({ length }) => length))).to.deep.equal([
      [2000, 8000],
      [2000],
    ]);
    const before = kept();
    expect(await readAudioFilesAt(wanted)).to.deep.equal(first);
    // Another decoder's answer would be one more.
    expect(kept()).to.equal(before);
    wav('original.wav', 700);
    const [dub, original] = await readAudioFilesAt(wanted);
    expect(dub).to.deep.equal(first[0]);
    expect(original).not.to.deep.equal(first[1]);
  });

  it('heavy work says the same again, and of other audio something else', async () => {
    const audio = { samples: noise(20_000, 1), rateHz: 4000, firstPtsSeconds: 0 };
    const from = (at: number): Float32Array[] => [audio.samples.slice(at, at + 4000)];
    const first = await inWorkerThread('startsIn', audio, from(4000));
    expect(first[0]).to.deep.include({ observed: true });
    expect(await inWorkerThread('startsIn', audio, from(4000))).to.deep.equal(first);
    expect(await inWorkerThread('startsIn', audio, from(8000))).not.to.deep.equal(first);
  });
});
