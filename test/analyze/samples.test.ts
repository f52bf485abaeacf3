import { describe, it } from 'node:test';

import { expect } from 'chai';

import {
  bytePiecesOf,
  padded,
  partOf,
  piecesOf,
  putSamples,
  type Samples,
  samplesIn,
  silenceLike,
  stored as storedTogether,
} from '../../support/analyze/samples';
import { noise, stored } from './make-media';

const inMemory = noise(100_000, 1);
const inFile = stored(inMemory);

describe('samples in a file', () => {
  const both = (read: (samples: Samples) => Iterable<number>): void => {
    expect([...read(inFile)]).to.deep.equal([...read(inMemory)]);
  };

  it('are those that were put there', () => {
    expect(inFile).to.not.be.instanceOf(Float32Array);
    both((samples) => samplesIn(samples));
  });

  for (const [from, to] of [
    [10, 20],
    [-5, 3],
    [99_990, Infinity],
    [7.9, 12.1],
    [30, 20],
    [200_000, 300_000],
  ] as const) {
    it(`have the same part from ${from} to ${to}`, () => {
      both((samples) => samplesIn(samples, from, to));
      both((samples) => samplesIn(partOf(samples, 50, 99_999), from, to));
    });
  }

  it('are silent before and after', () => {
    for (const [from, count] of [
      [-10, 20],
      [99_990, 20],
      [-30, 20],
      [200_000, 20],
    ] as const) {
      both((samples) => padded(samples, from, count));
    }
  });

  it('lie there together, moved from memory, and stay where they are', () => {
    const others = noise(1000, 2);
    const [one, other, same] = storedTogether([inMemory, others, inFile]);
    if (!one || !other) throw new Error('nothing is stored');
    expect([one.fd, other.first, other.length]).to.deep.equal([other.fd, 100_000, 1000]);
    expect(same).to.equal(inFile);
    expect(samplesIn(one)).to.deep.equal(inMemory);
    expect(samplesIn(other)).to.deep.equal(others);
    expect(samplesIn(other, 990, 2000)).to.deep.equal(others.slice(990));
  });

  it('come in pieces', () => {
    both((samples) => [...piecesOf(samples, 999)].flatMap((piece) => [...piece]));
    both((samples) => [...bytePiecesOf(samples)].flatMap((piece) => [...piece]));
  });

  it('are written where there was silence, as far as there is room', () => {
    both((samples) => {
      const room = silenceLike(samples, 50_000);
      putSamples(room, 100, partOf(samples, 0, 10));
      putSamples(room, 105, partOf(samples, 1000, 1010));
      putSamples(room, 40_000, samples);
      return samplesIn(room);
    });
  });
});
