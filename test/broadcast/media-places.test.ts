import { describe, it } from 'node:test';

import { expect } from 'chai';

import { fragmentsOf } from '../../support/broadcast/fragment';
import { mediaTimeIn, placesByTime } from '../../support/broadcast/media-places';
import { sent } from './an-exchange';

const SEGMENT_MS = 6000;

describe('the segments of fragments, by their time', () => {
  const places = (...times: (number | undefined)[]): number[] | undefined => {
    const sentAt = times.map((timestampMs, i) => ({ fragmentId: `f${i}`, timestampMs }));
    const found = placesByTime(sentAt, SEGMENT_MS);
    return found && [...found.values()];
  };

  it('tell which one was lost', () => {
    expect(places(0, 6000, 18_000)).to.deep.equal([0, 1, 3]);
    expect(places(6000, 12_000)).to.deep.equal([1, 2]);
  });

  it('begin at frames and packets, and at any time of the media', () => {
    expect(places(0, 6016, 17_990)).to.deep.equal([0, 1, 3]);
    expect(places(123_456, 129_456, 141_456)).to.deep.equal([0, 1, 3]);
    expect(places(60_000, 66_000)).to.deep.equal([0, 1]);
    expect(places(-21, 5979)).to.deep.equal([0, 1]);
  });

  it('are not known where one has no time, they begin in between, or again', () => {
    expect(places(0, undefined)).to.equal(undefined);
    expect(places(0, 6601)).to.equal(undefined);
    expect(places(0, 6000, 0)).to.equal(undefined);
    expect(placesByTime([{ fragmentId: 'a', timestampMs: 0 }], NaN)).to.equal(undefined);
  });

  it('are those of fragments, before their sequence numbers', () => {
    const at = (id: string, sequence: number, timestamp: number) =>
      sent(timestamp / 1000, id, { sequence, timestamp });
    const events = [at('a', 0, 0), at('b', 1, 12_000), at('b', 0, 12_000), at('c', 2, 18_000)];
    const segments = (segmentMs?: number): number[] =>
      fragmentsOf(events, 1, segmentMs).fragments.map(({ segment }) => segment);
    expect(segments(SEGMENT_MS)).to.deep.equal([0, 2, 2, 3]);
    expect(segments()).to.deep.equal([0, 1, 1, 2]);
  });
});

describe('the time of a fragment', () => {
  const now = 1_795_740_560_791;

  it('is its timestamp, or that of its frames where the timestamp is the time of the clock', () => {
    expect(mediaTimeIn(12_000, 5e9, now)).to.equal(12_000);
    expect(mediaTimeIn(now - 3, 12e9, now)).to.equal(12_000);
    expect(mediaTimeIn(undefined, 12e9, now)).to.equal(12_000);
    expect(mediaTimeIn(now - 3, 1e6 * now, now)).to.equal(undefined);
    expect(mediaTimeIn(undefined, undefined, now)).to.equal(undefined);
  });
});
