import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { drawFrameStrip, stripHeight } from '../../support/analyze/frame-strip';
import { NoVideoTrack, type Frame, readVideo } from '../../support/analyze/video';
import { ffmpeg, rejection, stripMovie, tempFolder } from './make-media';

const folder = tempFolder();
const path = (name: string): string => join(folder, name);
const readFrameNumbers = async (file: string): Promise<Frame[]> => (await readVideo(file)).frames;
const counting = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + i);

describe('the frame strip', () => {
  let original = '';
  before(() => {
    original = stripMovie(path('original.mp4'), {
      width: 1280,
      height: 720,
      fps: 30,
      durationSeconds: 3,
    });
  });

  it('is 32 of 720 lines, in even numbers', () => {
    expect([720, 1080, 360, 180, 36].map(stripHeight)).to.deep.equal([32, 48, 16, 8, 2]);
  });

  it('gives the number of every frame at its PTS', async () => {
    const frames = await readFrameNumbers(original);
    expect(frames.map(({ frame }) => frame)).to.deep.equal(counting(0, 90));
    frames.forEach(({ ptsSeconds }, i) => expect(ptsSeconds).to.be.closeTo(i / 30, 1e-6));
  });

  for (const [what, options] of [
    ['640x360 at 300 kbit/s', ['-vf', 'scale=640:360', '-b:v', '300k']],
    ['CRF 35', ['-crf', '35']],
    ['B-frames and 320x180', ['-vf', 'scale=320:180', '-preset', 'medium', '-bf', '3']],
  ] as const) {
    it(`survives ${what}`, async () => {
      const coded = path('coded.mp4');
      ffmpeg('-i', original, '-c:v', 'libx264', '-preset', 'ultrafast', ...options, coded);
      const frames = await readFrameNumbers(coded);
      expect(frames.map(({ frame }) => frame)).to.deep.equal(counting(0, 90));
    });
  }

  it('keeps the timeline of the file, not one shifted to zero', async () => {
    const late = path('late.ts');
    ffmpeg('-i', original, '-c', 'copy', '-muxdelay', '0', '-output_ts_offset', '12.5', late);
    const frames = await readFrameNumbers(late);
    expect(frames[0]?.ptsSeconds).to.be.closeTo(12.5, 0.001);
    expect(frames.at(-1)).to.have.property('frame', 89);
  });

  for (const first of [21840, 32760, 65530]) {
    it(`counts on from ${first}`, async () => {
      const file = path('high.mp4');
      const strip = drawFrameStrip({
        ...{ input: 'card', output: 'frame', width: 320, height: 180 },
        ...{ framesPerSecond: 10, durationSeconds: 2 },
      });
      expect(strip).to.include('floor(N/');
      ffmpeg(
        '-filter_complex',
        `color=s=320x180:r=10:d=2[card];${strip.replaceAll('floor(N/', `floor((N+${first})/`)}`,
        ...['-map', '[frame]', '-c:v', 'libx264', '-preset', 'ultrafast', file],
      );
      const frames = await readFrameNumbers(file);
      expect(frames.map(({ frame }) => frame)).to.deep.equal(
        counting(first, 20).map((number) => number % 65536),
      );
    });
  }

  it('reads nothing where there is no strip, or where a bit is damaged', async () => {
    const [none, damaged] = [path('none.mp4'), path('damaged.mp4')];
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=10:d=1', '-c:v', 'libx264', none);
    expect((await readFrameNumbers(none)).map(({ frame }) => frame)).to.deep.equal(
      Array.from({ length: 10 }, () => null),
    );
    // White over cell 17, the lowest bit: even numbers become odd and fail the parity.
    ffmpeg(
      ...['-i', original, '-vf', 'drawbox=x=17*64:y=0:w=64:h=32:color=white:t=fill'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', damaged],
    );
    expect((await readFrameNumbers(damaged)).map(({ frame }) => frame)).to.deep.equal(
      counting(0, 90).map((frame) => (frame % 2 === 1 ? frame : null)),
    );
  });

  it('says that there is no video track', async () => {
    const audio = path('audio.m4a');
    ffmpeg('-f', 'lavfi', '-i', 'sine=d=1', audio);
    expect(await rejection(readFrameNumbers(audio))).to.be.instanceOf(NoVideoTrack);
  });
});
