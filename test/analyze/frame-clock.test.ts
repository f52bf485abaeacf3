import { describe, it } from 'node:test';

import { expect } from 'chai';

import { frameClock, presentationsOf } from '../../support/analyze/frame-clock';
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
    expect(clock).to.deep.include({
      ...{ lost: [], longPresentations: [], bunches: [], backward: [], unreadable: 0 },
    });
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

  it('does not read numbers that the source does not have, by more than a second', () => {
    // What a mirrored strip says of its frames 30 and 31.
    const mirrored = range(0, 100).map((n) => (n === 30 ? 30_720 : n === 31 ? 63_488 : n));
    const clock = frameClock(shown(mirrored), FPS, 99);
    expect(clock).to.deep.include({ backward: [], unreadable: 2, firstUnreadableSeconds: 1.2 });
    expect(clock.runs).to.have.length(1);
    // A source may be a little longer than is said of it.
    const longer = [125, 124].map((last) => frameClock(shown(range(0, last + 1)), FPS, 99));
    expect(longer.map(({ unreadable }) => unreadable)).to.deep.equal([1, 0]);
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

  it('lists frames that are bunched, which are not lost', () => {
    const bunched = shown(range(0, 100)).map(({ frame, ptsSeconds }) => {
      const at = frame ?? 0;
      // Frames 30 to 40 within 20 ms; the others keep their times.
      return at > 30 && at <= 40
        ? { frame, ptsSeconds: 1.2 + (at - 30) * 0.002 }
        : { frame, ptsSeconds };
    });
    const { bunches, lost, backward } = frameClock(bunched, FPS, 99);
    expect([lost, backward]).to.deep.equal([[], []]);
    expect(bunches).to.have.length(1);
    expect(bunches[0]).to.include({ fromFrame: 30, count: 10, fromSeconds: 1.2 });
    expect(bunches[0]?.seconds).to.be.closeTo(10 * (0.04 - 0.002), 1e-9);
  });

  it('takes half of an interval for jitter, less for a bunch', () => {
    const spaced = (ms: number): number =>
      frameClock(
        [0, 1, 2].map((frame) => ({ frame, ptsSeconds: (frame * ms) / 1000 })),
        FPS,
      ).bunches.length;
    expect([20, 19].map(spaced)).to.deep.equal([0, 1]);
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

  it('says of exchanged frames that time jumps, and of no length that is right', () => {
    const exchanged = shown(range(0, 100).map((n) => n + (n % 2 === 0 ? 1 : -1)));
    const found = presentationsOf(frameClock(exchanged, FPS), 0, 4);
    expect(found)
      .to.have.property('reason')
      .that.matches(/^100 of .* between which time jumps$/);
  });

  it('counts numbers that cannot be read, and goes on behind them', () => {
    const clock = frameClock(shown([0, 1, null, 3, 4]), FPS);
    expect(clock.unreadable).to.equal(1);
    expect(clock.runs).to.have.length(1);
    expect(clock.lost).to.deep.equal([{ fromFrame: 2, count: 1, atSeconds: 1 / FPS, hidden: 1 }]);
    expect(clock.firstUnreadableSeconds).to.equal(2 / FPS);
  });

  it('takes one of 25 frames in place of which something else is shown for no conversion', () => {
    const clock = frameClock(shown(range(0, 500).map((n) => (n % 25 === 7 ? null : n))), FPS);
    expect(clock.unreadable).to.equal(20);
    expect(clock.conversion).to.equal(undefined);
  });
});

describe('a converted rate', () => {
  const SOURCE = 30;
  /** Frames of a source of 30 frames per second as a converter shows them, for 60 s. */
  const converted = (rate: number, seconds = 60): Frame[] =>
    range(0, Math.floor(seconds * rate)).map((i) => ({
      frame: Math.round((i / rate) * SOURCE),
      // As FLV has it.
      ptsSeconds: Math.round((1000 * i) / rate) / 1000,
    }));
  const clockOf = (frames: Frame[]): ReturnType<typeof frameClock> => frameClock(frames, SOURCE);

  for (const [rate, leftOut] of [
    [25, 299],
    [30_000 / 1001, 2],
    [24, 359],
    [24_000 / 1001, 361],
    [20, 599],
    [15, 899],
    [12.5, 1048],
    [10, 1198],
  ] as const) {
    it(`to ${rate.toFixed(2)} frames per second is one finding`, () => {
      const { lost, conversion, backward, bunches } = clockOf(converted(rate));
      expect({ lost, backward, bunches }).to.deep.equal({ lost: [], backward: [], bunches: [] });
      expect(conversion?.framesPerSecond).to.be.closeTo(rate, 1e-3);
      expect(conversion?.leftOut).to.be.closeTo(leftOut, 1);
    });
  }

  it('is told in an output that shows each frame again, or leaves out its time', () => {
    const slow = range(0, 900).flatMap((i) => [2 * i, 2 * i]);
    const again = slow.map((frame, i) => ({ frame, ptsSeconds: i / SOURCE }));
    expect(clockOf(again).conversion).to.deep.equal({ framesPerSecond: 15, leftOut: 899 });
    expect(clockOf(again).lost).to.deep.equal([]);
    const sixth = range(0, 1800).filter((frame) => frame % 6 !== 3);
    const dropped = sixth.map((frame) => ({ frame, ptsSeconds: frame / SOURCE }));
    expect(clockOf(dropped).conversion).to.deep.equal({ framesPerSecond: 25, leftOut: 300 });
    expect(clockOf(dropped).lost).to.deep.equal([]);
  });

  it('does not hide what is lost beside it', () => {
    const all = converted(25);
    const hole = all.filter(({ ptsSeconds }) => ptsSeconds < 20 || ptsSeconds >= 21);
    expect(clockOf(hole).conversion?.framesPerSecond).to.equal(25);
    expect(clockOf(hole).lost).to.have.length(1);
    expect(clockOf(hole).lost[0]).to.include({ fromFrame: 600, count: 30 });
    // One frame of the converted rate, whose time is left out; and one whose time is not.
    const one = all.filter((_, i) => i !== 501);
    expect(clockOf(one).lost.map(({ count }) => count)).to.deep.equal([1]);
    const closed = one.map((frame, i) => ({ ...frame, ptsSeconds: i / 25 }));
    expect(clockOf(closed).lost.map(({ count }) => count)).to.deep.equal([1]);
  });

  it('is none where frames are lost now and then, or nothing is', () => {
    const now = [100, 101, 350, 420, 600, 610, 611, 900, 1000, 1290, 1400, 1717];
    const kept = range(0, 1800).filter((frame) => !now.includes(frame));
    for (const frames of [
      kept.map((frame) => ({ frame, ptsSeconds: frame / SOURCE })),
      shown(kept).map(({ frame }, i) => ({ frame, ptsSeconds: i / SOURCE })),
    ]) {
      expect(clockOf(frames)).to.not.have.property('conversion');
      expect(clockOf(frames).lost).to.have.length(10);
    }
    const single = converted(30).filter(({ frame }) => frame !== 700);
    expect(clockOf(single)).to.not.have.property('conversion');
    expect(clockOf(single).lost).to.have.length(1);
    expect(clockOf(converted(60))).to.not.have.property('conversion');
    expect(clockOf(converted(30))).to.not.have.property('conversion');
  });
});

describe('a source that is longer than its strip can number', () => {
  const HOURS = 1.5;
  const COUNT = HOURS * 3600 * FPS;
  const wrapped = range(0, COUNT).map((frame) => ({
    frame: frame % 65_536,
    ptsSeconds: 3 + Math.round((1000 * frame) / FPS) / 1000,
  }));

  it('is counted on by the time of its frames', () => {
    const clock = frameClock(wrapped, FPS, COUNT - 1);
    expect(clock.runs).to.have.length(1);
    expect(clock.runs[0]).to.include({ firstFrame: 0, lastFrame: COUNT - 1 });
    expect(clock).to.deep.include({ lost: [], backward: [], longPresentations: [] });
  });

  it('lists what is lost where its numbers begin again, and a stretch that is shown again', () => {
    const holed = wrapped.filter((_, i) => i < 65_500 || i >= 65_600);
    const { lost } = frameClock(holed, FPS, COUNT - 1);
    expect(lost.map(({ fromFrame, count }) => [fromFrame, count])).to.deep.equal([[65_500, 100]]);
    const again = [...wrapped.slice(0, 65_600), ...wrapped.slice(65_500, 70_000)].map(
      ({ frame }, i) => ({ frame, ptsSeconds: i / FPS }),
    );
    const { backward } = frameClock(again, FPS, COUNT - 1);
    expect(backward.map(({ fromFrame, toFrame }) => [fromFrame, toFrame])).to.deep.equal([
      [65_599, 65_500],
    ]);
  });

  it('tells when each segment is shown, in a time that does not grow with the square of its length', () => {
    const clock = frameClock(wrapped, FPS, COUNT - 1);
    const from = performance.now();
    for (let at = 0; at < HOURS * 3600; at += 6) {
      const { presentations } = observed(presentationsOf(clock, at, 6));
      expect(presentations[0]?.ptsSeconds).to.be.closeTo(3 + at, 1e-3);
    }
    // 900 times 135,000 frames took 3 s.
    expect(performance.now() - from).to.be.lessThan(1000);
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
      reason: 'only 24 of the frames 26 to 75 are in the output',
    });
    expect(presentationsOf(clock, 2, 2)).to.deep.equal({
      observed: false,
      reason: 'frames 50 to 99 are not in the output',
    });
  });

  it('speaks of frames of the source only', () => {
    const clock = frameClock(shown(range(60, 100)), FPS, 99);
    const reason = (at: number, length: number): unknown => presentationsOf(clock, at, length);
    expect(reason(-0.02, 2)).to.have.property('reason', 'frames 0 to 49 are not in the output');
    expect(presentationsOf(frameClock(shown([0, 1]), FPS, 99), 3, 2)).to.have.property(
      'reason',
      'frames 75 to 99 are not in the output',
    );
    expect(reason(4, 2)).to.have.property('reason', 'the source has no frames 100 to 99');
  });

  it('tells frames that are there, in pieces, from frames that are not', () => {
    // Every tenth of a second the output goes on 0.1 s later, or earlier.
    const torn = shown(range(0, 50)).map(({ frame, ptsSeconds }, i) => ({
      ...{ frame, ptsSeconds: ptsSeconds + (Math.floor(i / 5) % 2 === 0 ? 0 : -0.06) },
    }));
    expect(presentationsOf(frameClock(torn, FPS, 49), 0, 2)).to.have.property(
      'reason',
      '50 of the frames 0 to 49 are in the output, but in 10 pieces between which time jumps',
    );
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
});
