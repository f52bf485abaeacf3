import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { expect } from 'chai';
import { execa } from 'execa';

import { OutputFindings } from '../../support/analyze/output-findings';
import {
  partAfterDub,
  segmentOfTone,
  TONES,
  tonesFigures,
  type ToneHeard,
} from '../../support/analyze/tones';
import { drawFrameStrip } from '../../support/analyze/frame-strip';
import { beginningOf, readFixture } from '../../support/broadcast/fixture';
import type { FragmentAnswer } from '../../support/broadcast/fragment';
import { projectRoot } from '../../support/config';

const SECONDS = 12;
const RATE_HZ = 44_100;

describe('tones', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tones-'));
  const movie = join(folder, 'movie.mp4');
  const whole = readFixture(join(projectRoot, 'fixtures/90-s-tones.yaml'));
  const fixture = beginningOf(whole, SECONDS);
  const { width, height, framesPerSecond } = fixture.video;
  after(() => rmSync(folder, { recursive: true }));

  before(async () => {
    const size = { width, height, framesPerSecond, durationSeconds: SECONDS };
    await ffmpeg([
      ...[
        '-f',
        'lavfi',
        '-i',
        `testsrc2=size=${width}x${height}:rate=${framesPerSecond}:duration=${SECONDS}`,
      ],
      ...['-f', 'lavfi', '-i', `aevalsrc=exprs='${TONES}':s=${RATE_HZ}:d=${SECONDS}`],
      ...['-filter_complex', drawFrameStrip({ input: '0:v', output: 'v', ...size })],
      ...[
        '-map',
        '[v]',
        '-map',
        '1:a',
        '-c:v',
        'libx264',
        '-preset',
        'veryfast',
        '-c:a',
        'aac',
        '-b:a',
        '128k',
        movie,
      ],
    ]);
  });

  async function ffmpeg(args: string[]): Promise<void> {
    await execa('ffmpeg', ['-hide_banner', '-nostdin', '-loglevel', 'error', '-y', ...args]);
  }

  /** The movie with its audio changed, frames and timestamps as they were. */
  async function heardIn(name: string, filter: string): Promise<ToneHeard[]> {
    const file = join(folder, `${name}.mp4`);
    await ffmpeg(['-i', movie, '-af', filter, '-c:v', 'copy', '-c:a', 'aac', '-b:a', '128k', file]);
    const found = await new OutputFindings(file, fixture, []).tones();
    if (!found.observed) throw new Error(found.reason);
    return found.tones;
  }

  /** ffmpeg filters that move the samples under their timestamps; later when positive. */
  const moved = (ms: number): string =>
    ms >= 0
      ? `adelay=${ms}:all=1,atrim=end=${SECONDS}`
      : `atrim=start=${-ms / 1000},asetpts=PTS-STARTPTS,apad=whole_dur=${SECONDS}`;

  for (const ms of [0, 60, -60, 119, -119, 121, -121, 300, -300]) {
    it(`measures ${ms} ms at every second, to 1.5 ms`, async () => {
      const tones = await heardIn(`moved${ms}`, moved(ms));
      expect(tones).to.have.length(SECONDS);
      for (const { second, avOffset, level } of tones) {
        const measured = avOffset.observed ? avOffset.offsetMs : NaN;
        // The last tone may be moved beyond the end.
        if (second === SECONDS - 1 && ms === 300) continue;
        expect(measured, `second ${second}`).to.be.closeTo(ms, 1.5);
        expect(level, `second ${second}`).to.be.closeTo(1, 0.05);
        expect(Math.abs(measured) < 120).to.equal(Math.abs(ms) < 120);
      }
    });
  }

  it('tells an echo by its level', async () => {
    const tones = await heardIn('soft', "volume='if(between(t\\,4\\,8),0.5,1)':eval=frame");
    const levels = tones.map(({ level }) => Math.round(level * 10) / 10);
    expect(levels).to.deep.equal([1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 1, 1, 1, 1]);
  });

  it('misses a tone that is not there, and does not take a neighbour for it', async () => {
    const tones = await heardIn('gap', "volume='if(between(t,4,5),0,1)':eval=frame");
    expect(
      tones.filter(({ avOffset }) => !avOffset.observed).map(({ second }) => second),
    ).to.deep.equal([4]);
    const swapped = await heardIn('late', moved(1000));
    expect(swapped.some(({ avOffset }) => avOffset.observed)).to.equal(false);
  });

  it('finds drift, and jumps', async () => {
    const slow = tonesFigures(
      await heardIn(
        'slow',
        `asetrate=${RATE_HZ * 0.999},aresample=${RATE_HZ},atrim=end=${SECONDS}`,
      ),
    );
    expect(slow.observed && slow.driftMs).to.be.closeTo(SECONDS - 1, 1.5);
    expect(slow.observed && Math.abs(slow.largestStepMs)).to.be.below(12);
    const jump = tonesFigures(
      await heardIn(
        'jump',
        'asplit[a][b];[a]atrim=end=6[c];[b]atrim=start=6,asetpts=PTS-STARTPTS,adelay=40:all=1[d];[c][d]concat=n=2:v=0:a=1',
      ),
    );
    expect(jump.observed && jump.largestStepMs).to.be.closeTo(40, 1);
    expect(jump.observed && jump.largestStepAt).to.equal(6);
    expect(jump.observed && jump.jumps.map(({ after }) => after)).to.deep.equal([6]);
    expect(jump.observed && Math.abs(jump.driftMs)).to.be.below(1.5);
  });

  it('gives each tone to the segment that has it whole, wherever the worker joined', () => {
    const segments = (joined: number): (number | undefined)[] =>
      [5, 6, 11, 12].map((second) => segmentOfTone(second, joined, 6));
    expect(segments(0)).to.deep.equal([0, 1, 1, 2]);
    expect(segments(0.334)).to.deep.equal([0, 1, 1, 2]);
    // The segment boundary lies in the tone of seconds 6 and 12, or 10 ms from it.
    expect(segments(0.5)).to.deep.equal([0, undefined, 1, undefined]);
    expect(segments(0.39)).to.deep.equal([0, undefined, 1, undefined]);
    expect(segments(0.65)).to.deep.equal([0, 0, 1, 1]);
  });

  it('knows which part of a tone a shorter dub has no audio for, wherever the worker joined', () => {
    const audio = (durationMs: number | undefined) =>
      ({ durationMs }) as NonNullable<FragmentAnswer['audio']>;
    const after = (second: number, joined: number, dubMs: number | undefined): number => {
      const answer = { audio: audio(dubMs) } as FragmentAnswer;
      const fragments = [{ segment: 1, audio: audio(6000), answer }];
      return Number(partAfterDub(second, fragments, joined, 6).toFixed(6));
    };
    // The dub ends at 11.7 s, its segment at 12 s; the tone of second 12 lies from 12.4 to 12.6 s of the source.
    expect([0.9, 0.88, 0.8, 0.7, 0.6].map((joined) => after(12, joined, 5700))).to.deep.equal([
      ...[0, 0.1, 0.5, 1, 1],
    ]);
    expect([0.53, 0.5, 0.42, 0.4].map((joined) => after(12, joined, 5700))).to.deep.equal([
      ...[0.65, 0.5, 0.1, 0],
    ]);
    expect([11, 13, 6].map((second) => after(second, 0.53, 5700))).to.deep.equal([0, 0, 0]);
    // One that is as long has all of it; instead of one that is much shorter the original is played; what is not known lacks nothing.
    expect([5999, 6000, 6300].map((ms) => after(12, 0.5, ms))).to.deep.equal([0.005, 0, 0]);
    expect([5400, 5399, undefined].map((ms) => after(12, 0.6, ms))).to.deep.equal([1, 0, 0]);
    expect(partAfterDub(12, [], 0.6, 6)).to.equal(0);
  });

  it('has no figures for fewer than two tones', () => {
    expect(tonesFigures([]).observed).to.equal(false);
  });
});
