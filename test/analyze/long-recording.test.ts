import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { eachAudioFile, readAudioFiles } from '../../support/analyze/audio';
import {
  type AudioTrack,
  holdTimeline,
  readAudioTrack,
  readTimeline,
} from '../../support/analyze/audio-track';
import { matchFrames } from '../../support/analyze/matched-clock';
import { compareProgramme } from '../../support/analyze/programme';
import { samplesIn } from '../../support/analyze/samples';
import { atConstantRate, readSource } from '../../support/analyze/source-frames';
import {
  THUMBNAIL_BYTES,
  thumbnailOf,
  type Thumbnails,
  ThumbnailSink,
} from '../../support/analyze/thumbnails';
import { readVideo } from '../../support/analyze/video';
import { bordersOf } from '../../support/analyze/video-format';
import { ffmpeg, noise, observed, tempFolder } from './make-media';

const folder = tempFolder();
const path = (name: string): string => join(folder, name);

/** Eleven minutes of a test card with a frame each second, and of a tone that is not there from 100 to 130 s. */
function longRecording(): string {
  const file = path('long.mkv');
  ffmpeg(
    ...['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=1:d=660'],
    ...['-f', 'lavfi', '-i', "sine=f=300:r=48000:d=660,aselect='not(between(t,100,130))'"],
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-c:a', 'aac', file],
  );
  return file;
}

const bytesOf = (thumbnails: Thumbnails): number[] =>
  Array.from({ length: thumbnails.count }, (_, frame) => [
    ...thumbnailOf(thumbnails, frame),
  ]).flat();

describe('a recording of more than ten minutes', () => {
  let [long, short] = ['', ''];
  before(() => {
    long = longRecording();
    short = path('short.mkv');
    ffmpeg('-i', long, '-t', '500', '-c', 'copy', short);
  });

  it('has the thumbnails in a file that a shorter one has in memory', async () => {
    const [inFile, inMemory] = [await readVideo(long), await readVideo(short)];
    expect(inFile.thumbnails).to.have.keys('count', 'fd');
    expect(inMemory.thumbnails).to.have.keys('count', 'bytes');
    expect(inFile.thumbnails.count).to.equal(660);
    const { count } = inMemory.thumbnails;
    const same = { ...inFile.thumbnails, count };
    expect(bytesOf(same)).to.deep.equal(bytesOf(inMemory.thumbnails));
    const source = await readSource(long);
    expect(source.thumbnails).to.have.keys('count', 'fd');
    expect(bytesOf(source.thumbnails)).to.deep.equal(bytesOf(inFile.thumbnails));
  });

  describe('its audio', () => {
    let audio: AudioTrack;
    before(async () => {
      audio = await readAudioTrack(long);
    });

    it('is in a file, with the gap that it has', async () => {
      expect(audio.samples).to.include.keys('fd');
      const { samples, filledGaps, ...rest } = await readTimeline(long, 16_000);
      expect(audio).to.deep.include({ ...rest, filledGaps });
      expect(filledGaps).to.have.length(1);
      expect(filledGaps[0]?.seconds).to.be.closeTo(30, 0.1);
      expect(Buffer.from(samplesIn(audio.samples).buffer).equals(Buffer.from(samples.buffer))).to.be
        .true;
    });

    it('is in a file at the rates at which it is listened to and searched', async () => {
      expect(audio.listened.samples).to.equal(audio.samples);
      const { samples } = await readTimeline(long, 4000);
      expect(audio.searched.samples).to.include.keys('fd');
      expect(audio.searched).to.deep.include({ rateHz: 4000 });
      expect(samplesIn(audio.searched.samples)).to.deep.equal(samples);
    });

    it('is the same at another rate as that of a shorter one', async () => {
      const held = await holdTimeline(long, 4000);
      expect(held.samples).to.include.keys('fd');
      const { samples } = await holdTimeline(short, 4000);
      expect(samples).to.be.instanceOf(Float32Array);
      const seconds = 400;
      expect([...samplesIn(held.samples, 0, seconds * 4000)]).to.deep.equal([
        ...samplesIn(samples, 0, seconds * 4000),
      ]);
    });
  });
});

describe('thumbnails in a file', () => {
  /** Of more frames than are remembered of a file: each is noise. */
  const FRAMES = 4500;
  const all = noise(FRAMES * 20, 3);
  const frameOf = (frame: number): Uint8Array => {
    const values = all.subarray(20 * frame, 20 * (frame + 1));
    return Uint8Array.from({ length: THUMBNAIL_BYTES }, (_, i) => {
      const value = values[(i * 7 + (i >> 5)) % 20] ?? 0;
      return Math.round(128 + 100 * value);
    });
  };
  const thumbnailsOf = (isStored: boolean, frames: readonly number[]): Thumbnails => {
    const sink = new ThumbnailSink(isStored);
    for (const frame of frames) {
      sink.add((bytes, at) => {
        bytes.set(frameOf(frame), at);
      });
    }
    return sink.thumbnails;
  };
  const every = Array.from({ length: FRAMES }, (_, frame) => frame);

  it('are those in memory, read in any order', () => {
    const [inFile, inMemory] = [thumbnailsOf(true, every), thumbnailsOf(false, every)];
    expect(inFile).to.have.keys('count', 'fd');
    for (let i = 0; i < FRAMES; i += 1) {
      const frame = (i * 1237) % FRAMES;
      expect([...thumbnailOf(inFile, frame)]).to.deep.equal([...thumbnailOf(inMemory, frame)]);
    }
    expect(bordersOf(inFile)).to.deep.equal(bordersOf(inMemory));
  });

  it('are matched and compared as those in memory are', () => {
    const shown = [...every.slice(0, 150), ...every.slice(200, 400)];
    const times = shown.map((_, i) => i / 30);
    const own = every.slice(0, 450);
    const [inFile, inMemory] = [true, false].map((isStored) => {
      const [output, source] = [thumbnailsOf(isStored, shown), thumbnailsOf(isStored, own)];
      const matched = observed(matchFrames(output, times, source, 30));
      const about = { isNumbered: false, isScaled: false };
      return { matched, programme: compareProgramme(output, matched.frames, times, source, about) };
    });
    expect(inFile).to.deep.equal(inMemory);
    expect(inFile?.matched.frames).to.deep.equal(shown);
  });

  it('are brought to a constant rate as those in memory are', () => {
    const times = every.slice(0, 200).map((frame) => frame / 10 + (frame > 100 ? 1 : 0));
    const [inFile, inMemory] = [true, false].map((isStored) =>
      atConstantRate({ thumbnails: thumbnailsOf(isStored, every.slice(0, 200)), times }, 10),
    );
    if (!inFile || !inMemory) throw new Error('two');
    expect(inFile).to.have.keys('count', 'fd');
    expect(inFile.count).to.equal(210);
    expect(bytesOf(inFile)).to.deep.equal(bytesOf(inMemory));
  });
});

describe('many dubs', () => {
  it('are read in groups, in their order', async () => {
    const names = ['a', 'b', 'c'].map((name) => path(`${name}.wav`));
    names.forEach((file, i) => {
      ffmpeg('-f', 'lavfi', '-i', `sine=f=${100 * (i + 2)}:r=8000:d=0.1`, file);
    });
    const files = Array.from({ length: 205 }, (_, i) => names[i % 3] ?? '');
    const known = await readAudioFiles(names, 4000);
    let count = 0;
    for await (const samples of eachAudioFile(files, 4000)) {
      expect([...samples]).to.deep.equal([...(known[count % 3] ?? [])]);
      count += 1;
    }
    expect(count).to.equal(205);
  });
});
