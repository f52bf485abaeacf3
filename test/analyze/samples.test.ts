import { describe, it } from 'node:test';

import { expect } from 'chai';

import {
  bytePiecesOf,
  correlationAt,
  correlationsAt,
  padded,
  partOf,
  piecesOf,
  productOf,
  productsAt,
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

describe('a piece at many places', () => {
  const samples = inMemory.subarray(0, 200);
  for (const step of [1, 2, 3]) {
    // All remainders of what is taken at a time, and pieces that the step fits or does not.
    for (const [length, count] of [
      ...Array.from({ length: 14 }, (_, i) => [20 + i, i] as const),
      ...([
        [0, 9],
        [2, 9],
        [33, 168],
      ] as const),
    ]) {
      it(`is compared with each of ${count}, by each ${step}. of ${length} samples`, () => {
        const piece = noise(length, 3);
        const taken = piece.map((sample, i) => (i % step === 0 ? sample : 0));
        const [products, scores] = [
          productsAt(samples, piece, count, step),
          correlationsAt(samples, piece, count, step),
        ];
        expect(products).to.have.length(count);
        for (let at = 0; at < count; at += 1) {
          const there = samples.subarray(at, at + length);
          expect(products[at]).to.be.closeTo(productOf(taken, there), 1e-12);
          expect(scores[at]).to.be.closeTo(correlationAt(samples, at, piece, step), 1e-9);
        }
      });
    }
  }

  it('is nowhere in silence, and as alike beside it as it was before', () => {
    const piece = inMemory.subarray(0, 50);
    const around = new Float32Array(300);
    around.set(piece, 20);
    const scores = correlationsAt(around, piece, 251, 2);
    expect(scores[20]).to.be.closeTo(1, 1e-6);
    expect([...scores.subarray(80)].every((score) => Math.abs(score) < 1e-6)).to.equal(true);
  });
});
