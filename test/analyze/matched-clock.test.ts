import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { type FrameClock, presentationsOf } from '../../support/analyze/frame-clock';
import { OutputFindings } from '../../support/analyze/output-findings';
import type { Fixture } from '../../support/broadcast/fixture';
import { CannotBeShown } from '../../support/base/errors';
import { judge } from '../../support/checks/criterion';
import { judgeOutput } from '../../support/checks/output-criteria';
import { decodedVideo } from '../../support/checks/output-length';
import { frames } from '../../support/checks/output-frames';
import { outputBegins, outputEnds } from '../../support/checks/output-start';
import { programme } from '../../support/checks/programme';
import { observed, rejection, tempFolder } from './make-media';
import { altered, judged, subjectOf, videoClip } from './video-clip';

const folder = tempFolder();
const path = (name: string): string => join(folder, name);
/** A test card without numbers: it moves, and looks much the same all the time. */
const CARD = 'testsrc2=s=320x180:r=30';

/** Stretches of the source in seconds, one after the other. */
const stretches = (...all: [number, number][]): string =>
  `[0:v]split=${all.length}${all.map((_, i) => `[p${i}]`).join('')};` +
  all.map(([from, to], i) => `[p${i}]trim=${from}:${to},setpts=PTS-STARTPTS[s${i}];`).join('') +
  `${all.map((_, i) => `[s${i}]`).join('')}concat=n=${all.length}[out]`;

/** What is done to the video, and what is wrong with its frames; nothing where they are as they should be. */
const OUTPUTS: Record<string, { graph: string; says?: RegExp; options?: string[] }> = {
  'as it was': { graph: '[0:v]null[out]' },
  'at 240p and 300 kb/s': { graph: '[0:v]scale=426:240[out]', options: ['-b:v', '300k'] },
  'with a lead-in of 120 ms of its first frame': {
    graph: '[0:v]tpad=start_duration=0.12:start_mode=clone[out]',
  },
  'two segments exchanged': {
    graph: stretches([6, 12], [0, 6]),
    says: /frame 0 after 359 at 6\.00 s/,
  },
  'a hole of 1 s': {
    graph: stretches([0, 4], [5, 12]),
    says: /30 frames from 120 on lost at 3\.97 s/,
  },
  'frozen for 3 s': {
    graph: '[0:v]split[a][b];[a][b]freezeframes=first=120:last=209:replace=120[out]',
    says: /one frame for 2\.97 s at 4\.00 s/,
  },
  'a stretch again': { graph: stretches([0, 5], [4, 12]), says: /frame 120 after 149 at 5\.00 s/ },
  'a slide show of 5 frames per second': {
    graph: '[0:v]fps=5,fps=30[out]',
    says: /shown at 5 frames per second in place of 30: \d+ frames, at regular intervals, left out/,
  },
  'a foreign frame each second': {
    graph: "[0:v]drawbox=color=gray:t=fill:enable='eq(mod(n,30),7)'[out]",
    says: /^12 frames that are none of the source, the first at 0\.23 s$/,
  },
  'black for 1 s': {
    graph: "[0:v]drawbox=color=black:t=fill:enable='between(t,5,6)'[out]",
    says: /3\d frames that are none of the source.*black for/,
  },
};

describe('the clock of a clip without frame numbers', () => {
  let fixture: Fixture;
  before(() => {
    fixture = videoClip(folder, 'plain', CARD);
  });

  for (const [what, { graph, says, options = [] }] of Object.entries(OUTPUTS)) {
    it(`${what}: ${says ? 'frames are wrong' : 'every frame once, in order'}`, async () => {
      const file = altered(fixture, path('output.mp4'), graph, { options });
      const { state, seen } = await judged(frames, file, fixture);
      expect(state, seen).to.equal(says ? 'failed' : 'passed');
      if (says) expect(seen).to.match(says);
    });
  }

  it('converted to 25 frames per second: one thing is wrong, which its description may allow', async () => {
    const numbered = videoClip(folder, 'numbered');
    for (const clip of [fixture, numbered]) {
      const file = altered(clip, path('converted.mp4'), '[0:v]fps=25[out]');
      const { state, deviations } = await judged(frames, file, clip);
      expect(deviations.map(({ text }) => text)).to.have.length(1);
      expect(deviations[0]?.text).to.match(
        /^shown at 25 frames per second in place of 30: (59|60) /,
      );
      expect(state).to.equal('failed');
      const allowing = { ...clip, video: { ...clip.video, outputFramesPerSecond: 25 } };
      const allowed = await judged(frames, file, allowing);
      expect(allowed.state, allowed.seen).to.equal('passed');
      expect(allowed.seen).to.include('shown at 25 frames per second');
      const enough = { leastSeconds: 11.9 };
      const count = async (one: Fixture): Promise<string> =>
        (await judge(decodedVideo, subjectOf(file, one), enough)).state;
      expect([await count(clip), await count(allowing)]).to.deep.equal(['follows', 'passed']);
    }
  });

  it('converted to 29.97 frames per second: one thing is wrong at most', async () => {
    const numbered = videoClip(folder, 'numbered');
    const file = altered(numbered, path('ntsc.mp4'), '[0:v]fps=30000/1001[out]');
    const { state, deviations } = await judged(frames, file, numbered);
    // 1 of 1001 frames is left out: in 12 s it is one, or none.
    expect(deviations.length).to.equal(state === 'failed' ? 1 : 0);
    const allowing = { ...numbered, video: { ...numbered.video, outputFramesPerSecond: 29.97 } };
    expect((await judged(frames, file, allowing)).state).to.equal('passed');
  });

  for (const rate of ['60', '60000/1001', '50']) {
    it(`converted to ${rate} frames per second, no frame is lost, whatever moves`, async () => {
      const zoom = 'mandelbrot=s=320x180:r=30:maxiter=200';
      const clips = [fixture, videoClip(folder, 'numbered'), videoClip(folder, 'zoom', zoom)];
      for (const clip of clips) {
        const options = ['-preset', 'medium', '-crf', '23'];
        const file = altered(clip, path('higher.mp4'), `[0:v]fps=${rate}[out]`, { options });
        for (const one of [frames, programme]) {
          const { state, seen } = await judged(one, file, clip);
          expect(state, `${clip.id}: ${seen}`).to.equal('passed');
        }
      }
    });
  }

  /** When second 6 of the source is shown. */
  const shownAt = async (file: string): Promise<number | undefined> => {
    const clock: FrameClock = observed(await new OutputFindings(file, fixture, []).clock());
    expect(clock.kind).to.equal('matched');
    return observed(presentationsOf(clock, 6, 3)).presentations[0]?.ptsSeconds;
  };

  for (const [what, graph, seconds] of [
    ['joined 0.4 s late', stretches([0.4, 12]), 5.6],
    ['after a lead-in of 2.2 s', '[0:v]tpad=start_duration=2.2:start_mode=clone[out]', 8.2],
    ['400 ms early from 3 s on', stretches([0, 3], [3.4, 12]), 5.6],
    ['at 25 frames per second', '[0:v]fps=25[out]', 6],
    ['of half the size, at 100 kb/s', '[0:v]scale=160:90[out]', 6],
  ] as const) {
    it(`tells when a second is shown: ${what}`, async () => {
      const options = what.includes('100 kb/s') ? ['-b:v', '100k'] : [];
      const file = altered(fixture, path('shifted.mp4'), graph, { options });
      expect(await shownAt(file)).to.be.closeTo(seconds, 0.02);
    });
  }

  it('says what is missing at the start and at the end', async () => {
    const file = altered(fixture, path('short.mp4'), stretches([0.8, 11.2]));
    expect((await judged(outputBegins, file, fixture)).seen).to.include('the first 0.80 s');
    const end = await judged(outputEnds, file, fixture);
    expect(end.seen).to.include('the last 0.80 s of the video');
    expect([end.state, end.because?.criterion]).to.deep.equal(['follows', 'frames']);
  });

  it('tells another video, and has no clock for it', async () => {
    const file = altered(fixture, path('other.mp4'), '[1:v]null[out]', {
      others: ['-f', 'lavfi', '-t', '12', '-i', 'mandelbrot=s=320x180:r=30'],
    });
    const { state, seen } = await judged(programme, file, fixture);
    expect(state, seen).to.equal('failed');
    expect(seen).to.match(/the output does not show the source: correlation of its frames/);
    expect((await judged(frames, file, fixture)).state).to.equal('not shown');
  });

  it('says that all of it is black, or of one colour', async () => {
    for (const [colour, says] of [
      ['black', /: 3\d\d of its 360 frames are black$/],
      ['green', /: 3\d\d of its 360 frames are of one colour \(luma \d+ of 255\)$/],
    ] as const) {
      const file = altered(fixture, path('even.mp4'), `[0:v]drawbox=t=fill:color=${colour}[out]`);
      const { state, seen } = await judged(programme, file, fixture);
      expect([state, says.test(seen)], seen).to.deep.equal(['failed', true]);
    }
  });

  it('says that lines of two frames are shown in turns', async () => {
    const graph =
      '[0:v]split[d][e];[e]tpad=start=1:start_mode=clone[f];' +
      "[d][f]blend=all_expr='if(mod(Y,2),B,A)':shortest=1[out]";
    const file = altered(fixture, path('combed.mp4'), graph, { options: ['-crf', '23'] });
    const { state, seen } = await judged(programme, file, fixture);
    expect(state, seen).to.equal('failed');
    expect(seen).to.include('two frames are shown in one, by lines in turns');
  });

  it('tells noise that small copies of a large frame hardly show', async () => {
    const large = videoClip(folder, 'large', 'testsrc2=s=1280x720:r=30');
    const file = altered(large, path('noisy.mp4'), '[0:v]noise=alls=60[out]');
    const { state, seen } = await judged(programme, file, large);
    expect(state, seen).to.equal('failed');
    expect(seen).to.match(/^0\.00 s to 12\.00 s .*noise or blocks over it/);
  });

  it('says that what is seen is turned, or larger', async () => {
    const zoom = videoClip(folder, 'zoom', 'mandelbrot=s=320x180:r=30:maxiter=200');
    for (const [clip, graph, says] of [
      [fixture, 'rotate=1.5*PI/180', /what is seen is turned by (1\.[3-9]|2\.\d)°/],
      [zoom, 'rotate=-1.5*PI/180', /what is seen is turned by (1\.[3-9]|2\.\d)°/],
      [fixture, 'scale=330:186,crop=320:180', /what is seen is [2-4] % larger/],
    ] as const) {
      const file = altered(clip, path('turned.mp4'), `[0:v]${graph}[out]`);
      const { state, seen } = await judged(programme, file, clip);
      expect([state, says.test(seen)], seen).to.deep.equal(['failed', true]);
    }
  });

  it('says which half of the frame is not that of the source', async () => {
    const zoom = videoClip(folder, 'zoom', 'mandelbrot=s=320x180:r=30:maxiter=200');
    const file = altered(zoom, path('half.mp4'), '[1:v]crop=160:180[a];[0:v][a]overlay[out]', {
      others: ['-f', 'lavfi', '-t', '12', '-i', 'smptebars=s=320x180:r=30'],
    });
    const { state, seen } = await judged(programme, file, zoom);
    expect(state, seen).to.equal('failed');
    expect(seen).to.match(/left half -?0\.[0-4]\d, right half (0\.9\d|1\.00), upper half/);
  });

  it('shows nothing of a source in which nothing moves', async () => {
    const still = videoClip(folder, 'still', 'smptebars=s=320x180:r=30');
    const error = await rejection(judged(frames, still.path, still));
    expect(error).to.be.instanceOf(CannotBeShown);
    expect(String(error)).to.include('nothing moves in the source');
    expect((await judged(programme, still.path, still)).state).to.equal('passed');
    const verdicts = await judgeOutput(subjectOf(still.path, still));
    const found = verdicts.find(({ criterion }) => criterion === 'frames');
    expect(found?.state).to.equal('not shown');
    expect(`${found?.what}: ${found?.seen}`).to.match(/nothing tells when .*: nothing moves in/);
  });

  it('misses nothing where the source has no frames', async () => {
    // As a camera in the dark has it: from 3 to 5 s, a frame now and then.
    const some = "select='not(between(n,90,150))+not(mod(n,4))'";
    const varying = videoClip(folder, 'varying', `${CARD},${some}`);
    const constant = altered(varying, path('constant.mp4'), '[0:v]fps=30[out]');
    for (const file of [varying.path, constant]) {
      const { state, seen } = await judged(frames, file, varying);
      expect(state, seen).to.equal('passed');
    }
    const holed = altered(
      varying,
      path('holed.mp4'),
      '[0:v]fps=30[a];'.concat(stretches([0, 3.5], [4.5, 12]).replaceAll('[0:v]', '[a]')),
    );
    expect((await judged(frames, holed, varying)).seen).to.match(/\d+ frames from 1\d\d on lost/);
  });

  it('says where nothing moves in a part of it', async () => {
    // What is looped keeps the times of its frames.
    const again = 'loop=90:1:150,setpts=N/30/TB';
    const pausing = videoClip(folder, 'pausing', `${CARD},${again}`);
    const still = 'trim=duration=6,tpad=stop_duration=6:stop_mode=clone';
    const frozen = videoClip(folder, 'frozen', `${CARD},${still}`);
    for (const clip of [pausing, frozen]) {
      const { state, seen } = await judged(frames, clip.path, clip);
      expect(state, seen).to.equal('passed');
      expect(seen).to.match(
        /nothing moves from [56]\.\d s to \d+\.\d s: the order .* is not shown/,
      );
    }
  });
});
