import { describe, it } from 'node:test';

import { expect } from 'chai';

import { makeLongLocator } from '../../support/analyze/long-search';
import { noise, observed } from './make-media';

const RATE = 100;
const needleOf = (seed: number): Float32Array => noise(4 * RATE, seed);

describe('the search in long audio', () => {
  /** 20 minutes in which a needle is heard each minute, all later by so much. */
  const audio = (laterSeconds: number, moved: Record<number, number> = {}): Float32Array => {
    const samples = noise(1200 * RATE, 99).map((sample) => sample * 0.01);
    for (let i = 0; i < 20; i += 1) {
      samples.set(needleOf(i), ((moved[i] ?? 60 * i) + laterSeconds) * RATE);
    }
    return samples;
  };
  const foundIn = (samples: Float32Array): number[] => {
    const find = makeLongLocator(samples, RATE);
    return Array.from({ length: 20 }, (_, i) => {
      const { score, offsetSeconds } = observed(find(needleOf(i), 60 * i, true));
      return score >= 0.5 ? offsetSeconds : NaN;
    });
  };
  const minutes = (laterSeconds: number): number[] =>
    Array.from({ length: 20 }, (_, i) => 60 * i + laterSeconds);

  for (const later of [0, 2.2, 30]) {
    it(`finds every needle where all are ${later} s late`, () => {
      expect(foundIn(audio(later))).to.deep.equal(minutes(later));
    });
  }

  it('finds what is beyond its reach, and what is after it', () => {
    const found = foundIn(audio(5, { 3: 1130, 10: 20 }));
    expect(found).to.deep.equal(minutes(5).with(3, 1135).with(10, 25));
  });

  it('lists every place once, also where pieces meet', () => {
    const samples = audio(0, { 5: 298, 6: 700 });
    samples.set(needleOf(5), 1100 * RATE);
    const find = makeLongLocator(samples, RATE);
    const { places } = observed(find(needleOf(5), undefined, true));
    expect(places.map(({ offsetSeconds }) => offsetSeconds)).to.deep.equal([298, 1100]);
  });

  it('finds nothing where nothing is', () => {
    const find = makeLongLocator(audio(0), RATE);
    expect(observed(find(needleOf(77), 300, false)).score).to.be.below(0.5);
    expect(observed(find(needleOf(77), 300, true)).score).to.be.below(0.5);
    const silent = makeLongLocator(new Float32Array(1200 * RATE), RATE);
    expect(silent(needleOf(1), 300, true).observed).to.be.false;
  });
});
