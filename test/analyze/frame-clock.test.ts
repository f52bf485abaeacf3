import { describe, it } from 'node:test';

import { expect } from 'chai';

import { firstPacketClock, frameClock, presentationsOf } from '../../support/analyze/frame-clock';
import type { Frame } from '../../support/analyze/video';
import { observed } from './make-media';

const FPS = 25;
/** Frames one after the other, 40 ms apart, from a PTS on; null is an unreadable number. */
const shown = (frames: (number | null)[], fromSeconds = 0): Frame[] =>
  frames.map((frame, i) => ({ frame, ptsSeconds: fromSeconds + i / FPS }));
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);
const starts = (frames: Frame[], at: number, length: number): number[] =>
  observed(presentationsOf(frameClock(frames, FPS), at, length)).presentations.map(
    ({ ptsSeconds }) => Math.round(1000 * ptsSeconds) / 1000,
  );

describe('frameClock', () => {
  it('has nothing to say against frames in order', () => {
    const clock = frameClock(shown(range(0, 100), 7.5), FPS, 99);
    expect(clock).to.deep.include({ lost: [], longPresentations: [], backward: [], unreadable: 0 });
    expect(clock.runs).to.have.length(1);
    expect(starts(shown(range(0, 100), 7.5), 1, 2)).to.deep.equal([8.5]);
  });

  it('allows for timestamps in whole ms', () => {
    const jittering = shown(range(0, 100)).map(({ frame, ptsSeconds }) => ({
      frame,
      ptsSeconds: Math.round(ptsSeconds * 1000 + ((frame ?? 0) % 3)) / 1000,
    }));
    expect(frameClock(jittering, FPS).runs).to.have.length(1);
  });

  it('lists lost frames, in the middle and at the end', () => {
    const frames = shown(range(0, 100)).filter(({ frame }) => frame !== 30 && frame !== 31);
    expect(frameClock(frames, FPS, 102).lost).to.deep.equal([
      { fromFrame: 30, count: 2, atSeconds: 29 / FPS },
      { fromFrame: 100, count: 3, atSeconds: 99 / FPS },
    ]);
    // The timeline went on: it is one run still.
    expect(frameClock(frames, FPS).runs).to.have.length(1);
  });

  it('lists a freeze that loses what it hides, and one that delays what follows', () => {
    const hiding = shown(range(0, 100).map((n) => (n > 50 && n < 76 ? 50 : n)));
    const delaying = shown([
      ...range(0, 50),
      ...Array.from({ length: 26 }, () => 50),
      ...range(51, 80),
    ]);
    for (const frames of [hiding, delaying]) {
      const [freeze, ...others] = frameClock(frames, FPS).longPresentations;
      expect(others).to.deep.equal([]);
      expect(freeze).to.include({ frame: 50, fromSeconds: 2 });
      expect(freeze?.seconds).to.be.closeTo(1, 1e-9);
    }
    expect(frameClock(hiding, FPS).lost).to.deep.equal([
      { fromFrame: 51, count: 25, atSeconds: 2 },
    ]);
    expect(frameClock(delaying, FPS).lost).to.deep.equal([]);
    expect(frameClock(hiding, FPS).runs).to.have.length(1);
    expect(frameClock(delaying, FPS).runs.map((run) => run.firstFrame)).to.deep.equal([0, 51]);
    expect(starts(delaying, 2.04, 1)).to.deep.equal([3.04]);
  });

  it('counts a freeze at the end', () => {
    const [freeze] = frameClock(shown([...range(0, 10), 9, 9, 9]), FPS).longPresentations;
    expect(freeze).to.include({ frame: 9 });
    expect(freeze?.seconds).to.be.closeTo(0.12, 1e-9);
  });

  it('lists frames out of order, and a loop', () => {
    const swapped = [...range(0, 10), 11, 10, ...range(12, 20)];
    expect(frameClock(shown(swapped), FPS).backward).to.deep.equal([
      { fromFrame: 11, toFrame: 10, atSeconds: 11 / FPS },
    ]);
    expect(frameClock(shown(swapped), FPS).lost).to.deep.equal([]);
    const looped = shown([...range(0, 50), ...range(0, 50)]);
    expect(frameClock(looped, FPS).backward).to.have.length(1);
    expect(starts(looped, 0.4, 1)).to.deep.equal([0.4, 2.4]);
  });

  it('counts numbers that cannot be read, and goes on behind them', () => {
    const clock = frameClock(shown([0, 1, null, 3, 4]), FPS);
    expect(clock.unreadable).to.equal(1);
    expect(clock.runs).to.have.length(1);
    expect(clock.lost).to.deep.equal([{ fromFrame: 2, count: 1, atSeconds: 1 / FPS }]);
  });
});

describe('presentations', () => {
  it('tells the time of a start that is not shown itself', () => {
    const late = shown(range(7, 100), 0.28);
    const found = observed(presentationsOf(frameClock(late, FPS), 0, 2)).presentations;
    expect(found[0]?.ptsSeconds).to.be.closeTo(0, 1e-9);
    expect(found[0]?.frameDistance).to.equal(7);
  });

  it('needs half of the stretch', () => {
    const clock = frameClock(shown(range(0, 50)), FPS);
    expect(presentationsOf(clock, 0.96, 2).observed).to.equal(true);
    expect(presentationsOf(clock, 1.04, 2)).to.deep.equal({
      observed: false,
      reason: 'frames 26 to 76 are not in the output',
    });
  });

  it('does not answer without numbers, or beyond 65536', () => {
    expect(presentationsOf(frameClock(shown([null, null]), FPS), 0, 1)).to.have.property(
      'observed',
      false,
    );
    expect(presentationsOf(frameClock(shown(range(0, 50)), FPS), 2622, 1)).to.have.property(
      'observed',
      false,
    );
  });

  it('counts from the first packet where there is no strip', () => {
    const clock = firstPacketClock(3, FPS, 10);
    expect(observed(presentationsOf(clock, 4, 2)).presentations[0]?.ptsSeconds).to.be.closeTo(
      7,
      1e-9,
    );
    expect(presentationsOf(clock, 11, 2).observed).to.equal(false);
  });
});
