import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { expect } from 'chai';

import { FindingCache } from '../../support/analyze/cache';
import { OutputFindings } from '../../support/analyze/output-findings';
import { samplesIn } from '../../support/analyze/samples';
import { thumbnailOf } from '../../support/analyze/thumbnails';
import { ffmpeg, tempFolder } from './make-media';

describe('a recording that nobody looks at', () => {
  const folder = tempFolder();
  const file = join(folder, 'output.mp4');
  before(() => {
    const [video, audio] = ['testsrc=size=64x36:rate=30', 'anoisesrc=amplitude=0.2:seed=1'];
    ffmpeg('-f', 'lavfi', '-i', video, '-f', 'lavfi', '-i', audio, '-t', '3', file);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('has its audio and thumbnails in files, and the same findings as before', async () => {
    const output = new OutputFindings(file, undefined, []);
    await output.rest();
    const track = await output.audio();
    const inMemory = track.samples;
    expect(inMemory).to.be.instanceOf(Float32Array);
    await output.rest();
    const resting = (await output.audio()).samples;
    expect(resting).to.not.be.instanceOf(Float32Array);
    expect(samplesIn(resting)).to.deep.equal(samplesIn(inMemory));
    await output.rest();
    expect((await output.audio()).samples).to.equal(resting);
    const other = new OutputFindings(file, undefined, []);
    const shownBy = async (one: OutputFindings): Promise<number[][]> => {
      const { thumbnails } = await one.video();
      return Array.from({ length: thumbnails.count }, (_, frame) => [
        ...thumbnailOf(thumbnails, frame),
      ]);
    };
    const frames = await shownBy(output);
    expect((await output.video()).thumbnails).to.have.property('bytes');
    await output.rest();
    expect((await output.video()).thumbnails).to.not.have.property('bytes');
    expect(await shownBy(output))
      .to.deep.equal(frames)
      .and.to.have.length(90);
    const [spoken, asBefore] = [await output.englishHeard(), await other.englishHeard()];
    expect(spoken).to.deep.equal(asBefore);
  });

  it('is measured all the same while a finding is awaited, or has failed', async () => {
    const cache = new FindingCache();
    let done: (value: number) => void = () => undefined;
    const pending = cache.once('pending', () => new Promise<number>((settle) => (done = settle)));
    await expectNothing(cache, 'pending');
    await expectNothing(cache, 'never asked for');
    const failed = cache.once('failed', () => Promise.reject(new Error('no')));
    await failed.catch(() => undefined);
    await expectNothing(cache, 'failed');
    done(7);
    await pending;
    expect(await cache.measured('pending')).to.equal(7);
  });
});

async function expectNothing(cache: FindingCache, key: string): Promise<void> {
  expect(await cache.measured(key), key).to.equal(undefined);
}
