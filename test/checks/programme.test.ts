import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import type { Fixture } from '../../support/broadcast/fixture';
import { frames } from '../../support/checks/output-frames';
import { programme } from '../../support/checks/programme';
import { tempFolder } from '../analyze/make-media';
import { altered, judged, videoClip } from '../analyze/video-clip';

const folder = tempFolder();
const path = (name: string): string => join(folder, name);
const H = 180;
const STRIP = 8;

/** From 3 to 5 s, all below the strip is what a filter makes of it. */
const below = (filter: string): string =>
  `[0:v]split[a][b];[b]crop=iw:${H - STRIP}:0:${STRIP},${filter}[c];` +
  `[a][c]overlay=0:${STRIP}:enable='between(t,3,4.999)'[out]`;

/** What is done to the video, and how it is said. */
const DAMAGE: Record<string, { graph: string; says: RegExp; others?: string[] }> = {
  'another video': {
    graph: `[0:v][1:v]overlay=0:${STRIP}:enable='between(t,3,4.999)'[out]`,
    others: ['-f', 'lavfi', '-t', '6', '-i', `mandelbrot=s=320x${H - STRIP}:r=30`],
    says: /something else is shown \(correlation/,
  },
  mirrored: { graph: below('hflip'), says: /something else is shown/ },
  // The card is much the same upside down, but for its middle.
  'upside down': { graph: below('vflip'), says: /something else/ },
  'half of it green': {
    graph: below('drawbox=w=iw/2:color=green:t=fill'),
    says: /4\d %|5\d %|something else/,
  },
  'a grey box in it': {
    graph: below('drawbox=x=iw*0.55:y=ih*0.5:w=iw*0.35:h=ih*0.4:color=gray:t=fill'),
    says: /something else/,
  },
  'no colour': { graph: below('hue=s=0'), says: /without colour/ },
  'half of the colour': { graph: below('hue=s=0.5'), says: /colours are others/ },
  'another hue': { graph: below('hue=h=90'), says: /colours are others/ },
  'U and V exchanged': { graph: below('swapuv'), says: /U and V are exchanged/ },
  'a mosaic of 64 px at 720p': {
    graph: below('scale=20:11:flags=area,scale=320:172:flags=neighbor'),
    says: /coarse or in blocks, as of too few bits \(/,
  },
  'a mosaic of 32 px at 720p': {
    graph: below('scale=40:22:flags=area,scale=320:172:flags=neighbor'),
    says: /coarse or in blocks, as of too few bits \(/,
  },
  'half of it blurred': {
    graph: `[0:v]split[a][b];[b]crop=iw/2:${H - STRIP}:iw/2:${STRIP},gblur=sigma=4[c];[a][c]overlay=W/2:${STRIP}:enable='between(t,3,4.999)'[out]`,
    says: /blurred \(edges have [3-6]\d % of their strength\)/,
  },
  'crushed levels': {
    graph: below("lutyuv=y='clip((val-64)*1.6\\,16\\,235)'"),
    says: /levels are others/,
  },
  'four levels': { graph: below("lutyuv=y='bitand(val\\,192)'"), says: /levels are others/ },
  darker: { graph: below("lutyuv=y='val*0.7'"), says: /levels are others/ },
  'full range taken for limited': {
    graph: below("lutyuv=y='clip((val-16)*255/219\\,0\\,255)'"),
    says: /levels are others/,
  },
  'strong noise': { graph: below('noise=c0s=70:allf=t'), says: /noise or blocks|something else/ },
};

/** What the strip is drawn over, from the beginning to the end. */
const behindStrip = (filter: string): string =>
  `[0:v]split[a][b];[a]crop=iw:${STRIP}:0:0[strip];${filter};[c][strip]overlay=0:0[out]`;

const BARS = ['-f', 'lavfi', '-t', '12', '-i', 'smptebars=s=320x180:r=30'];

/** Damage that is short, or of when frames are shown, and how it is said. */
const THROUGHOUT: Record<string, { graph: string; says: RegExp; others?: string[] }> = {
  'a foreign frame, once': {
    graph: behindStrip("[b][1:v]overlay=enable='eq(n,100)'[c]"),
    others: BARS,
    says: /^3\.33 s to 3\.37 s \(segment 0\): something else is shown \(correlation/,
  },
  'one colour': {
    graph: behindStrip('[b]drawbox=t=fill:color=green[c]'),
    says: /: all of it is of one colour \(luma \d+ of 255\)$/,
  },
  brighter: {
    graph: behindStrip('[b]eq=brightness=0.08[c]'),
    says: /levels are others \(brightness: luma of dark, middle and bright tones \+(1\d|20), \+(1\d|20), \+(1\d|20) of 255\)$/,
  },
  'another gamma': {
    graph: behindStrip('[b]eq=gamma=1.3[c]'),
    says: /levels are others \(gamma, or another curve: luma of dark/,
  },
  'less contrast': {
    graph: behindStrip('[b]eq=contrast=0.8[c]'),
    says: /levels are others \(contrast, 0\.8\d times that of the source: luma of dark/,
  },
  'two foreign frames each second': {
    graph: behindStrip("[b][1:v]overlay=enable='between(mod(n,30),7,8)'[c]"),
    others: BARS,
    says: /^0\.23 s to 11\.30 s \(segments 0 to 1, in 24 of 332 frames\): something else is shown/,
  },
  'strongly blurred': {
    graph: behindStrip('[b]gblur=sigma=8[c]'),
    says: /: blurred \(edges have [12]?\d % of their strength\)$/,
  },
  'frozen for 2 s': {
    graph: behindStrip('[b]split[d][e];[d][e]freezeframes=first=90:last=149:replace=90[c]'),
    says: /^3\.\d\d s to [45]\.\d\d s \(segment 0\): \d+ % of the frame stands still while the source moves/,
  },
  'a frame of 5 s before, each second': {
    graph: behindStrip(
      `[b]split[d][e];[e]tpad=start=150:start_mode=clone[f];[d][f]overlay=shortest=1:enable='eq(mod(n,30),7)'[c]`,
    ),
    says: /in 1[0-2] of 3\d\d frames\): \d+ % of the frame is something else/,
  },
};

/** What is shown when it should not be; a strip is drawn over it. */
const WHEN: Record<string, { graph: string; says: RegExp }> = {
  '15 frames per second': {
    graph: behindStrip("[b]select='not(mod(n,2))',fps=30[c]"),
    says: /in 1[78]\d of 3\d\d frames\): an earlier frame of the source than its own is shown \(1 before it\)/,
  },
  '10 frames per second': {
    graph: behindStrip("[b]select='not(mod(n,3))',fps=30[c]"),
    says: /in 2[34]\d of 3\d\d frames\): an earlier frame of the source than its own is shown \([12] before it\)/,
  },
  'lines of two frames in turns': {
    graph: behindStrip(
      "[b]split[d][e];[e]tpad=start=1:start_mode=clone[f];[d][f]blend=all_expr='if(mod(Y,2),B,A)':shortest=1[c]",
    ),
    says: /two frames are shown in one, by lines in turns or one over the other \((4\d|5\d) % of a neighbour\)/,
  },
  'pairs of frames exchanged': {
    graph: behindStrip('[b]shuffleframes=1 0[c]'),
    says: /frames of the source are exchanged: earlier and later ones than their own are shown/,
  },
  'two frames late': {
    graph: behindStrip('[b]tpad=start=2:start_mode=clone[c]'),
    says: /an earlier frame of the source than its own is shown \(2 before it\)/,
  },
  'two frames early': {
    graph: behindStrip('[b]trim=start_frame=2,setpts=PTS-STARTPTS,tpad=stop=2:stop_mode=clone[c]'),
    says: /a later frame of the source than its own is shown \(2 after it\)/,
  },
};

/** Of 640 x 360: half as many pixels as of 720p. */
const SLIGHT = ['gblur=sigma=0.75', 'gblur=sigma=1.25', 'gblur=sigma=3', 'boxblur=1'];

/** From 3 to 5 s, a part of the frame is as it was at 3 s. @param crop the part: width, height, x and y */
const still = (crop: string): string =>
  `[0:v]split=3[a][b][c];[b][c]freezeframes=first=90:last=149:replace=90,crop=${crop}[d];` +
  `[a][d]overlay=${crop.split(':').slice(2).join(':').replaceAll('i', 'main_')}:enable='between(t,3,4.999)'[out]`;

const STILL: Record<string, string> = {
  'the lower half': 'iw:ih/2:0:ih/2',
  'the upper half': 'iw:ih/2:0:0',
  'a quarter': 'iw/2:ih/2:iw/4:ih/4',
};

const SOURCES: Record<string, string> = {
  card: 'testsrc2=s=320x180:r=30',
  fractal: 'mandelbrot=s=320x180:r=30:maxiter=200',
};

const BENIGN: Record<string, { graph: string; options: string[] }> = {
  '240p at 300 kb/s': { graph: '[0:v]scale=426:240[out]', options: ['-b:v', '300k'] },
  '360p at 300 kb/s': { graph: '[0:v]scale=640:360[out]', options: ['-b:v', '300k'] },
  '720p at 8 Mb/s': { graph: '[0:v]scale=1280:720[out]', options: ['-b:v', '8M'] },
  'B-frames': { graph: '[0:v]null[out]', options: ['-bf', '3', '-crf', '23', '-g', '60'] },
};

describe('the programme', () => {
  let fixture: Fixture;
  before(() => {
    fixture = videoClip(folder, 'card');
  });

  for (const [what, { graph, says, others = [] }] of Object.entries(DAMAGE)) {
    it(`${what}, strip kept: not that of the source, from 3 to 5 s, in the first segment`, async () => {
      const file = altered(fixture, path('damaged.mp4'), graph, { others });
      const verdict = await judged(programme, file, fixture);
      expect(verdict.state, verdict.seen).to.equal('failed');
      expect(verdict.seen).to.match(says).and.to.include('segment 0');
      expect(verdict.seen).to.match(/3\.0[03] s to (4\.9[67]|5\.0[03]) s/);
      expect((await judged(frames, file, fixture)).state).to.equal('passed');
    });
  }

  for (const [what, { graph, says, others = [] }] of Object.entries(THROUGHOUT)) {
    it(`${what}, strip kept: not that of the source`, async () => {
      const file = altered(fixture, path('damaged.mp4'), graph, { others });
      const verdict = await judged(programme, file, fixture);
      expect(verdict.state, verdict.seen).to.equal('failed');
      expect(verdict.seen).to.match(says);
    });
  }

  for (const [what, { graph, says }] of Object.entries(WHEN)) {
    it(`${what} behind a strip of 30: not that of the source`, async () => {
      const file = altered(fixture, path('when.mp4'), graph);
      const verdict = await judged(programme, file, fixture);
      expect(verdict.state, verdict.seen).to.equal('failed');
      expect(verdict.deviations, verdict.seen).to.have.length(1);
      expect(verdict.seen).to.match(says);
    });
  }

  for (const [what, { graph, options }] of Object.entries(BENIGN)) {
    it(`${what}: that of the source`, async () => {
      const file = altered(fixture, path('benign.mp4'), graph, { options });
      const verdict = await judged(programme, file, fixture);
      expect(verdict.state, verdict.seen).to.equal('passed');
      expect(verdict.seen).to.match(
        /^360 frames compared; 95 % of them: correlation (0\.99|1\.00)/,
      );
    });
  }

  describe('a card beside a fractal, at 360p', () => {
    let sharp: Fixture;
    before(() => {
      const half = 's=320x360:r=30';
      const filter = `testsrc2=${half}[a];mandelbrot=${half}:maxiter=300[b];[a][b]hstack`;
      sharp = videoClip(folder, 'sharp', filter, { width: 640, height: 360 });
    });

    for (const filter of SLIGHT) {
      for (const rate of ['4M', '800k']) {
        it(`with ${filter} at ${rate}b/s: blurred, from the beginning to the end`, async () => {
          const options = ['-b:v', rate, '-maxrate', rate, '-bufsize', rate];
          const file = altered(sharp, path('blurred.mp4'), `[0:v]${filter}[out]`, { options });
          const verdict = await judged(programme, file, sharp);
          expect(verdict.state, verdict.seen).to.equal('failed');
          expect(verdict.seen).to.match(
            /^0\.00 s to 12\.00 s \(segments 0 to 1\): blurred \(edges have \d+ % of their strength\)$/,
          );
        });
      }
    }

    for (const [filter, rate] of [
      ['null', '4M'],
      ['null', '300k'],
      ['scale=426:240', '300k'],
      ['scale=426:240:flags=bilinear', '2M'],
      ['scale=1280:720:flags=bilinear', '2M'],
    ] as const) {
      it(`with ${filter} at ${rate}b/s: that of the source`, async () => {
        const options = ['-preset', 'superfast', '-b:v', rate, '-maxrate', rate, '-bufsize', rate];
        const file = altered(sharp, path('sharp-again.mp4'), `[0:v]${filter}[out]`, { options });
        const verdict = await judged(programme, file, sharp);
        expect(verdict.state, verdict.seen).to.equal('passed');
      });
    }
  });

  for (const [name, source] of Object.entries(SOURCES)) {
    describe(`a ${name} without frame numbers`, () => {
      let plain: Fixture;
      before(() => {
        plain = videoClip(folder, name, source);
      });

      for (const [part, crop] of Object.entries(STILL)) {
        it(`of which ${part} stands still for 2 s: that is said`, async () => {
          const file = altered(plain, path('still.mp4'), still(crop));
          const verdict = await judged(programme, file, plain);
          expect(verdict.state, verdict.seen).to.equal('failed');
          expect(verdict.seen).to.match(
            /^([34]\.\d\d s to ([34]\.\d\d|5\.0[03]) s \(segment 0\): \d+ % of the frame stands still while the source moves(; |$))+$/,
          );
        });
      }

      it('of which a twentieth stands still: that of the source', async () => {
        const file = altered(plain, path('still.mp4'), still('iw/5:ih/4:iw/2:ih/2'));
        const verdict = await judged(programme, file, plain);
        expect(verdict.state, verdict.seen).to.equal('passed');
      });
    });
  }

  it('says of a noisy pan for which an encoder has too few bits that it is coarse', async () => {
    const pan =
      'mandelbrot=s=640x360:r=1:start_scale=0.3:maxiter=400,trim=end_frame=1,loop=-1:1,setpts=N/30/TB,' +
      "fps=30,crop=320:180:x='n/2':y='n/4',noise=c0s=20:allf=t";
    const noisy = videoClip(folder, 'noisy', pan);
    const options = ['-b:v', '30k', '-maxrate', '30k', '-bufsize', '30k', '-g', '60'];
    const file = altered(noisy, path('coarse.mp4'), '[0:v]null[out]', { options });
    const { state, seen } = await judged(programme, file, noisy);
    expect(state, seen).to.equal('failed');
    expect(seen).to.match(/coarse or in blocks, as of too few bits/);
    expect(seen).not.to.match(/blurred|something else|stands still/);
  });

  it('tells damage of a source without frame numbers as well', async () => {
    const plain = videoClip(folder, 'plain', 'mandelbrot=s=320x180:r=30:maxiter=200');
    const grey = altered(plain, path('grey.mp4'), "[0:v]hue=s=0:enable='gte(t,8)'[out]");
    const { state, seen } = await judged(programme, grey, plain);
    expect([state, seen]).to.satisfy(
      ([is, says]: string[]) =>
        is === 'failed' && /8\.00 s to 12\.00 s \(segment 1\): without colour/.test(says ?? ''),
      seen,
    );
  });
});
