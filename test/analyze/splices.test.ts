import { describe, it } from 'node:test';

import { expect } from 'chai';

import { measureSplices, type Splice } from '../../support/analyze/splices';
import { mixInto, observed, speech } from './make-media';

const RATE = 44100;
const words = speech('It is third down and they need seven yards to keep this drive alive', {
  rateHz: RATE,
  wordsPerMinute: 150,
});
const AT = 2;

/** Speech all over the splice at 2 s, changed by `spoil`. */
function splice(spoil: (samples: Float32Array, at: number) => void = () => undefined): Splice {
  const samples = new Float32Array(4 * RATE);
  mixInto(samples, words, Math.round(0.3 * RATE));
  spoil(samples, AT * RATE);
  const [found] = measureSplices({ samples, rateHz: RATE, firstPtsSeconds: 10 }, [10 + AT], AT);
  if (!found) throw new Error('no splice');
  return found;
}

describe('lookAtSeams', () => {
  it('finds nothing in speech that goes on', () => {
    const { isClick, repeatedMs, loudnessJump, atSeconds } = splice();
    expect({ isClick, repeatedMs, atSeconds }).to.deep.equal({
      isClick: false,
      repeatedMs: 0,
      atSeconds: 12,
    });
    expect(Math.abs(observed(loudnessJump).db)).to.be.below(4);
  });

  it('finds a click, on the splice only', () => {
    const click = (where: number) => splice((samples, at) => (samples[at + where] = 0.9)).isClick;
    expect(click(0)).to.equal(true);
    expect(click(Math.round(-0.015 * RATE))).to.equal(true);
    expect(click(Math.round(0.1 * RATE))).to.equal(false);
  });

  for (const milliseconds of [40, 60, 100]) {
    it(`finds ${milliseconds} ms that are heard twice`, () => {
      const { repeatedMs } = splice((samples, at) => {
        const length = Math.round((milliseconds / 1000) * RATE);
        samples.copyWithin(at, at - length, at);
      });
      expect(repeatedMs).to.be.closeTo(milliseconds, 2);
    });
  }

  it('measures a jump of the loudness', () => {
    const { loudnessJump } = splice((samples, at) => {
      for (let i = at; i < samples.length; i += 1) samples[i] = (samples[i] ?? 0) * 0.1;
    });
    const before = observed(splice().loudnessJump).db;
    // Of speech that is quieter by 20 dB some falls below -50 dBFS, which is not counted.
    expect(observed(loudnessJump).db - before).to.be.within(-20.5, -16);
  });

  it('has no jump to tell where one side is silent', () => {
    const { loudnessJump } = splice((samples, at) => samples.fill(0, at));
    expect(loudnessJump).to.have.property('observed', false);
  });
});
