import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { type AudioTimeline, readTimeline } from '../../support/analyze/audio-track';
import { type Advance, audioAdvance, PILOT } from '../../support/analyze/pilot';
import { TONES, tonesHeard } from '../../support/analyze/tones';
import { frameClock } from '../../support/analyze/frame-clock';
import { ffmpeg, floatBytes, observed, run, tempFolder } from './make-media';

const SECONDS = 9;
const RATE_HZ = 22_050;
/** Where something is wrong: between the tones, and in the middle of one. */
const PLACES = [4, 4.5];

describe('the pilot', () => {
  const folder = tempFolder();
  const source = join(folder, 'source.m4a');
  let audio: AudioTimeline;

  before(async () => {
    const tones = `aevalsrc=exprs='${TONES}+${PILOT}':s=${RATE_HZ}:d=${SECONDS}`;
    ffmpeg('-f', 'lavfi', '-i', tones, '-c:a', 'aac', '-b:a', '128k', source);
    audio = await readTimeline(source);
  });

  /** The same audio, changed, after it has been encoded once more. */
  async function encoded(samples: Float32Array): Promise<AudioTimeline> {
    const file = join(folder, 'changed.m4a');
    const input = ['-f', 'f32le', '-ar', String(audio.rateHz), '-ac', '1', '-i', 'pipe:0'];
    const output = ['-c:a', 'aac', '-b:a', '128k', file];
    run('ffmpeg', ['-v', 'error', '-y', ...input, ...output], floatBytes(samples));
    return readTimeline(file);
  }

  async function filtered(filter: string, ...output: string[]): Promise<AudioTimeline> {
    const file = join(folder, 'filtered.m4a');
    ffmpeg('-i', source, '-af', filter, '-c:a', 'aac', '-b:a', '128k', ...output, file);
    return readTimeline(file);
  }

  const samplesOf = (ms: number): number => Math.round((ms / 1000) * audio.rateHz);

  /** Leaves out so much audio at a place, or repeats it. */
  function jumped(atSeconds: number, ms: number): Promise<AudioTimeline> {
    const at = Math.round(atSeconds * audio.rateHz);
    const parts = [audio.samples.subarray(0, at), audio.samples.subarray(at + samplesOf(ms))];
    const samples = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    samples.set(parts[0] ?? []);
    samples.set(parts[1] ?? [], at);
    return encoded(samples);
  }

  /** So much silence at a place; what follows stays where it is. */
  function silenced(atSeconds: number, ms: number): Promise<AudioTimeline> {
    const samples = Float32Array.from(audio.samples);
    const at = Math.round(atSeconds * audio.rateHz);
    return encoded(samples.fill(0, at, at + samplesOf(ms)));
  }

  const advanceOf = async (of: Promise<AudioTimeline> | AudioTimeline): Promise<Advance> =>
    observed(audioAdvance(await of));

  it('goes on in audio that is whole, encoded twice, resampled, or half as loud', async () => {
    for (const one of [
      audio,
      await encoded(audio.samples),
      await filtered('volume=0.5'),
      await filtered('aresample=44100,aresample=48000', '-ar', '48000'),
    ]) {
      const { irregularities, largestStepMs, measuredSeconds } = await advanceOf(one);
      expect(irregularities).to.deep.equal([]);
      expect(largestStepMs).to.be.below(0.02);
      expect(measuredSeconds).to.be.closeTo(SECONDS - 2, 0.1);
    }
  });

  for (const percent of [0.2, 0.5, 1]) {
    it(`goes on where the speed is ${percent} % another`, async () => {
      const rate = Math.round(RATE_HZ * (1 + percent / 100));
      const { irregularities, largestStepMs } = await advanceOf(
        filtered(`asetrate=${rate},aresample=${RATE_HZ}`),
      );
      expect(irregularities).to.deep.equal([]);
      expect(largestStepMs).to.be.closeTo(0.12 * percent, 0.03);
    });
  }

  for (const ms of [0.5, 1, 5, 12, 40, -2, -12]) {
    it(`finds a jump of ${ms} ms, to 0.1 ms`, async () => {
      for (const place of PLACES) {
        const { irregularities } = await advanceOf(jumped(place, ms));
        expect(irregularities, `at ${place} s`).to.have.length(1);
        expect(irregularities[0]?.jumpMs).to.be.closeTo(ms, 0.1);
        expect(irregularities[0]?.atSeconds).to.be.closeTo(place, 0.03);
      }
    });
  }

  for (const ms of [2, 4, 12, 60]) {
    it(`finds a gap of ${ms} ms, to 2 ms, in which nothing else is left out`, async () => {
      for (const place of PLACES) {
        const { irregularities } = await advanceOf(silenced(place, ms));
        expect(irregularities, `at ${place} s`).to.have.length(1);
        expect(irregularities[0]?.gapMs).to.be.closeTo(ms, 2);
        expect(irregularities[0]?.jumpMs).to.be.closeTo(0, 0.1);
      }
    });
  }

  it('tells each of several places', async () => {
    const samples = Float32Array.from(audio.samples);
    for (const at of [3, 5, 7]) {
      samples.fill(0, at * audio.rateHz, at * audio.rateHz + samplesOf(12));
    }
    const { irregularities } = await advanceOf(encoded(samples));
    expect(irregularities.map(({ atSeconds }) => Math.round(atSeconds))).to.deep.equal([3, 5, 7]);
  });

  it('is missed where it is not there, or there is too little of it', async () => {
    const tones = join(folder, 'tones.m4a');
    const plain = `aevalsrc=exprs='${TONES}':s=${RATE_HZ}:d=4`;
    ffmpeg('-f', 'lavfi', '-i', plain, '-c:a', 'aac', '-b:a', '128k', tones);
    expect(audioAdvance(await readTimeline(tones))).to.have.property('observed', false);
    const short = { ...audio, samples: audio.samples.subarray(0, 2 * audio.rateHz) };
    expect(audioAdvance(short)).to.have.property('observed', false);
  });

  it('leaves the tones where they are', () => {
    const frames = Array.from({ length: 10 * SECONDS }, (_, frame) => ({
      ...{ frame, ptsSeconds: audio.firstPtsSeconds + frame / 10 },
    }));
    const clock = frameClock(frames, 10);
    for (const { second, avOffset, level } of tonesHeard(audio, clock, SECONDS)) {
      expect(observed(avOffset).offsetMs, `second ${second}`).to.be.closeTo(0, 1.5);
      expect(level).to.be.closeTo(1, 0.05);
    }
  });
});
