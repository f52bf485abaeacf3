import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { FragmentPlacement } from '../../support/analyze/dub-placement';
import { syncOf } from '../../support/analyze/dub-placement';
import { unobserved } from '../../support/analyze/finding';
import { frameClock } from '../../support/analyze/frame-clock';
import { CannotBeShown } from '../../support/base/errors';
import type { Criterion } from '../../support/checks/criterion';
import { avDrift, higherRate } from '../../support/checks/av-drift';
import { avOffset } from '../../support/checks/av-sync';
import { connectionAttempts, growingBackoff } from '../../support/checks/connection';
import { dubs } from '../../support/checks/dub';
import { dubSpeed } from '../../support/checks/dub-speed';
import { tracks } from '../../support/checks/output-file';
import { decodedVideo, duration } from '../../support/checks/output-length';
import { frames } from '../../support/checks/output-frames';
import { original, outputIsOriginal, fingerprint } from '../../support/checks/output-original';
import { outputBegins, outputEnds } from '../../support/checks/output-start';
import { inputListed } from '../../support/checks/timing';
import { connection } from '../broadcast/an-exchange';
import { aBroadcast, stateOf } from './a-broadcast';

/** These criteria compare what was measured with the limit alone. */
const SUBJECT = undefined as never;

/** Whether a measurement passes a limit. */
function holds<M, L>({ assess }: Criterion<never, M, L>, measured: M, limit: L): boolean {
  return assess(measured, limit, SUBJECT).deviations.length === 0;
}

const heard = (offsetMs: number, sequence = 0, heardShare = 1): FragmentPlacement => {
  const at = { ptsSeconds: 6 * sequence, offsetMs };
  const occurrence = { ...at, score: 0.9, speed: 1, heardShare, lateSeconds: 0 };
  return {
    ...{ sequence, startSeconds: 6 * sequence },
    presentations: {
      observed: true,
      presentations: [{ ptsSeconds: 6 * sequence, frameDistance: 0 }],
    },
    occurrences: { observed: true, occurrences: [occurrence], bestScore: 0.9 },
    avOffset: { observed: true, ...occurrence },
    original: { observed: true, score: 0.1, levelDb: -30 },
  };
};

/** A dub at a speed. */
function heardAt(
  speed: number,
  { fittingSpeed, hasOtherTempo }: { fittingSpeed?: number; hasOtherTempo?: true } = {},
): FragmentPlacement {
  const placement = heard(0);
  const { avOffset } = placement;
  return {
    ...placement,
    ...(fittingSpeed === undefined ? {} : { fittingSpeed }),
    avOffset: avOffset.observed
      ? { ...avOffset, speed, ...(hasOtherTempo ? { hasOtherTempo } : {}) }
      : avOffset,
  };
}

const offsets = (
  ...placements: FragmentPlacement[]
): Parameters<(typeof avOffset)['assess']>[0] => ({
  ...{ kind: 'strip', placements, sync: syncOf(placements), undubbed: [] },
});

describe('output criteria at their limits', () => {
  for (const [what, atSeconds, audio, isExplained] of [
    ['as much as the gap', 23.5, 0.7, true],
    ['up to a packet less', 23.5, 0.655, true],
    ['less', 23.5, 0.645, false],
    ['all from the gap on', 23.5, 1.2, true],
    ['more', 23.5, 1.26, false],
    ['as much as a gap 1 s before the end', 23, 0.7, true],
    ['as much as a gap long before the end', 22.9, 0.7, false],
    ['no more than may be', 22.9, 0.5, true],
  ] as const) {
    it(`a gap in the video, and at the end ${what} is missing: ${isExplained ? 'told once' : 'told by both'}`, async () => {
      const track = { observed: true, firstPtsSeconds: 0, durationSeconds: 24.7 };
      const gaps = [{ atSeconds, stepSeconds: 0.7 + 1 / 30 }];
      const span = {
        video: { ...track, nominalStepSeconds: 1 / 30, gaps },
        audio: { ...track, nominalStepSeconds: 0.021, gaps: [] },
      };
      const subject = { output: { span: () => Promise.resolve(span) } } as never;
      const explanation = outputEnds.explainedBy?.find(
        ({ criterion: { id } }) => id === 'timestamps',
      );
      const fits = await explanation?.fits?.({ video: 0, audio }, { withinSeconds: 0.5 }, subject);
      expect(fits).to.equal(isExplained);
    });
  }

  for (const [what, placement, isFine] of [
    ['0.69 % faster', heardAt(1.0069), true],
    ['0.71 % faster', heardAt(1.0071), false],
    ['0.69 % slower', heardAt(1 / 1.0069), true],
    ['0.71 % slower', heardAt(1 / 1.0071), false],
    ['1 % faster at the same pitch', heardAt(1.01, { hasOtherTempo: true }), false],
    ['5 % faster, as it is 5 % too long', heardAt(1.05, { fittingSpeed: 1.05 }), true],
    ['5 % faster, as it is 4.2 % too long', heardAt(1.05, { fittingSpeed: 1.042 }), false],
    ['5 % slower, as it is 5 % too short', heardAt(0.95, { fittingSpeed: 0.95 }), true],
    ['as it is, although 5 % too long', heardAt(1, { fittingSpeed: 1.05 }), true],
    ['5 % faster, as long as its fragment', heardAt(1.05, { fittingSpeed: 1 }), false],
    ['10 % faster, as it is 10 % too long', heardAt(1.1, { fittingSpeed: 1.1 }), true],
    ['11 % faster, as it is 11 % too long', heardAt(1.11, { fittingSpeed: 1.11 }), false],
  ] as const) {
    it(`a dub that is heard ${what}: ${isFine ? 'fine' : 'told'}`, () => {
      expect(holds(dubSpeed, [placement], { percent: 0.7, fittedPercent: 10.5 })).to.equal(isFine);
    });
  }

  it('dubs of which none is heard have no speed that could be right', () => {
    const avOffset = { observed: false, reason: 'not heard' } as const;
    const unheard = { ...heardAt(1), avOffset };
    expect(holds(dubSpeed, [unheard], { percent: 0.7, fittedPercent: 10.5 })).to.equal(false);
  });

  for (const [ms, isFine] of [
    ...[[119, true] as const, [-119, true] as const],
    ...[[120, false] as const, [-120, false] as const, [121, false] as const],
  ]) {
    it(`an A/V offset of ${ms} ms ${isFine ? 'passes' : 'fails'} "less than 120 ms"`, () => {
      expect(holds(avOffset, offsets(heard(0), heard(ms, 1)), { limitMs: 120 })).to.equal(isFine);
    });
  }

  it('a segment that is not heard, or not dubbed, fails whatever the limit', () => {
    const silent = { ...heard(0, 1), avOffset: unobserved('not heard') };
    const assessment = avOffset.assess(offsets(heard(0), silent), { limitMs: 1e9 }, SUBJECT);
    expect(assessment.deviations).to.deep.equal([{ text: 'fragment 1: not heard', fragment: 1 }]);
    expect(assessment.failure).to.include('not heard');
    expect(holds(avOffset, { ...offsets(heard(0)), undubbed: [1] }, { limitMs: 1e9 })).to.be.false;
  });

  it('an A/V drift of exactly 60 ms passes "at most 60 ms", both ways', () => {
    const drifted = (ms: number): boolean =>
      holds(avDrift, syncOf([heard(0), heard(ms, 1)]), { limitMs: 60 });
    expect([60, -60].map(drifted)).to.deep.equal([true, true]);
    expect([60.1, -60.1].map(drifted)).to.deep.equal([false, false]);
  });

  /** Of ten segments, or as many as are given. */
  const drift = (offset: (i: number) => number, count = 10) => {
    const placements = Array.from({ length: count }, (_, i) => heard(offset(i), i));
    const sync = syncOf(placements);
    const assessment = avDrift.assess(sync, { limitMs: 60 }, SUBJECT);
    return { placements, sync, assessment, texts: assessment.deviations.map(({ text }) => text) };
  };

  for (const [ppm, isFine] of [
    ...[[100, true] as const, [-150, true] as const, [230, true] as const],
    ...[[500, false] as const, [-500, false] as const, [1000, false] as const],
    ...[[2000, false] as const, [5000, false] as const],
  ]) {
    it(`clocks that are ${ppm} ppm apart ${isFine ? 'pass' : 'fail'}, over a minute`, () => {
      const { texts, assessment } = drift((i) => 0.7 + (6 * i * ppm) / 1000);
      expect(texts).to.have.length(isFine ? 0 : 1);
      if (!isFine) expect(texts[0]).to.include(`(${ppm} ± 37 ppm) from the first`);
      if (!isFine) expect(assessment.failure).to.equal(undefined);
    });
  }

  it('a jump is called one: by the offsets where they exceed their limit, and else by what changes them', () => {
    const words = 'a jump of -139.2 ms between segments 1 and 2 (from 12.14 s on; the video is';
    const late = drift((i) => (i < 2 ? 0.3 : -138.9), 4);
    expect(late.texts).to.deep.equal([]);
    expect(late.assessment.seen).to.include(words);
    const { deviations } = avOffset.assess(offsets(...late.placements), { limitMs: 120 }, SUBJECT);
    expect(deviations[0]?.text).to.include(`fragment 2: -138.9 ms, after ${words}`);
    expect(deviations.map(({ fragment }) => fragment)).to.deep.equal([2, 3]);
    const [byDrift] = avOffset.explainedBy ?? [];
    expect(byDrift?.fits?.(offsets(...late.placements), { limitMs: 120 }, SUBJECT)).to.be.false;

    const small = drift((i) => (i < 5 ? 0 : 90));
    expect(small.assessment.failure).to.equal('the A/V offset jumps');
    expect(small.texts[0]).to.include(
      'a jump of 90.0 ms between segments 4 and 5 (from 29.91 s on',
    );
    expect(drift((i) => (i < 5 ? 0 : 59)).texts).to.deep.equal([]);
    expect(drift((i) => (i < 3 ? 0 : i < 7 ? 40 : 80)).texts).to.have.length(2);
    expect(drift((i) => (i < 3 || i > 6 ? 0 : 40)).texts).to.deep.equal([]);
  });

  it('a slope explains offsets beyond their limit, whatever its length', () => {
    const { placements, texts } = drift((i) => 6 * i, 100);
    expect(texts[0]).to.include('594.0 ms (1000.00 ± 1.15 ppm)');
    const [byDrift] = avOffset.explainedBy ?? [];
    expect(byDrift?.criterion.id).to.equal('av-drift');
    expect(byDrift?.fits?.(offsets(...placements), { limitMs: 120 }, SUBJECT)).to.be.true;
  });

  it('what cannot be told is said', () => {
    expect(drift((i) => (i < 1 ? 0 : 61), 2).texts[0]).to.include('which cannot be told of two');
    const last = drift((i) => (i < 9 ? 0 : 80));
    expect(last.texts).to.deep.equal([]);
    expect(last.assessment.seen).to.include('segment 9 alone by 80.0 ms');
    const all = drift((i) => [0, -90, 0][i] ?? 0, 3);
    expect(all.texts).to.deep.equal([]);
    expect(all.assessment.seen).to.include('whether it drifts as well cannot be told');
  });

  it('a dub has to be heard to 85 %', () => {
    const whole = (share: number): boolean =>
      holds(dubs, [heard(0, 0, share)], { heardShare: 0.85 });
    expect([0.85, 0.84].map(whole)).to.deep.equal([true, false]);
  });

  it('the original is heard from a correlation of 0.4 on', () => {
    const score = (value: number): boolean =>
      holds(
        original,
        [{ ...heard(0), original: { observed: true, score: value, levelDb: 0 } }],
        original.defaultLimit,
      );
    expect([0.39, 0.4].map(score)).to.deep.equal([true, false]);
  });

  it('between a bit error rate of 0.25 and one of 0.3, nothing is proved', () => {
    const match = (rate: number) => ({
      observed: true as const,
      ...{ bitErrorRate: rate, offsetSeconds: 0, items: 100 },
    });
    const same = (rate: number): boolean => holds(outputIsOriginal, match(rate), { below: 0.25 });
    const other = (rate: number): boolean =>
      holds(fingerprint, { rate, windows: [] }, fingerprint.defaultLimit);
    expect([0.24, 0.25, 0.3].map(same)).to.deep.equal([true, false, false]);
    expect([0.25, 0.3, 0.31].map(other)).to.deep.equal([false, false, true]);
  });

  it('a length is within its borders, video, audio and both together', () => {
    const length = (video: number, audio: number, together: number): boolean =>
      holds(
        duration,
        {
          ...{ videoSeconds: video, audioSeconds: audio },
          ...{ togetherSeconds: together, sourceSeconds: 12 },
        },
        { seconds: 12, toleranceSeconds: 1 },
      );
    expect(length(11, 13, 13)).to.be.true;
    expect(length(10.999, 12, 12)).to.be.false;
    expect(length(12, 13.001, 12)).to.be.false;
    expect(length(12, 12, 13.5)).to.be.false;
  });

  for (const [seconds, says] of [
    [28.7, 'failed'],
    [28.8, 'not shown'],
    [28.9, 'not shown'],
    [29, 'passed'],
    [31.1, 'failed'],
  ] as const) {
    it(`a length of ${seconds} s for 30 ± 1 s is ${says} where a reader may have lost 0.2 s`, () => {
      const lengths = { videoSeconds: seconds, audioSeconds: 30, togetherSeconds: 30 };
      const measured = { ...lengths, sourceSeconds: 30, lostSeconds: 0.2 };
      const judged = (): boolean => holds(duration, measured, { toleranceSeconds: 1 });
      if (says === 'not shown') expect(judged).to.throw(CannotBeShown, 'may have lost 0.20 s');
      else expect(judged()).to.equal(says === 'passed');
    });
  }

  for (const [seconds, says] of [
    [0.5, 'passed'],
    [0.51, 'not shown'],
    [0.7, 'not shown'],
    [0.71, 'failed'],
  ] as const) {
    it(`an output that begins ${seconds} s late is ${says} where a reader may have lost 0.2 s`, () => {
      const measured = { video: seconds, audio: 0, lostSeconds: 0.2 };
      const judged = (): boolean => holds(outputBegins, measured, { withinSeconds: 0.5 });
      if (says === 'not shown') expect(judged).to.throw(CannotBeShown, 'may have lost 0.20 s');
      else expect(judged()).to.equal(says === 'passed');
    });
  }

  it('half a second of the end may be missing, of video and of audio', () => {
    const missing = (video: number | undefined, audio: number | undefined): boolean =>
      holds(outputEnds, { video, audio }, { withinSeconds: 0.5 });
    expect([missing(0.5, 0.5), missing(0.51, 0), missing(0, 0.51)]).to.deep.equal([
      true,
      false,
      false,
    ]);
  });

  it('without a length of its own, a limit is about that of the source', () => {
    const measured = { videoSeconds: 30, audioSeconds: 30, togetherSeconds: 30, sourceSeconds: 31 };
    expect(holds(duration, measured, { toleranceSeconds: 1 })).to.be.true;
    expect(holds(duration, measured, { toleranceSeconds: 0.5 })).to.be.false;
    expect(holds(duration, measured, { fromSeconds: 30, toSeconds: 30 })).to.be.true;
    const longer = { ...measured, videoSeconds: 31, audioSeconds: 31, togetherSeconds: 31.75 };
    const { figure } = duration.assess(longer, { toleranceSeconds: 1 }, SUBJECT);
    expect(figure).to.include({ value: 0.75, limit: 1, unit: 's', holds: 'at most' });
  });

  it('a rate is a higher one where frames are shown more than once, at no multiple of their own', () => {
    const rateOf = (rate: number, frameAt: (i: number) => number): number | undefined => {
      const shown = Array.from({ length: 600 }, (_, i) => ({
        ...{ ptsSeconds: i / rate, frame: frameAt(i) },
      }));
      return higherRate(shown, frameClock(shown, 30, 599));
    };
    const converted = (rate: number): number | undefined =>
      rateOf(rate, (i) => Math.floor((i * 30) / rate));
    expect(converted(60_000 / 1001)).to.be.closeTo(59.94, 0.01);
    expect(converted(50)).to.equal(50);
    expect([60, 30].map(converted)).to.deep.equal([undefined, undefined]);
    // Each frame once: a clock that is wrong, be it by 0.1 % or by two thirds.
    expect([30.03, 29.97, 50].map((rate) => rateOf(rate, (i) => i))).to.deep.equal([
      ...[undefined, undefined, undefined],
    ]);
  });

  it('frames may be bunched by no more than 0.1 s, and are not called lost', () => {
    const times = (lackSeconds: number) =>
      Array.from({ length: 150 }, (_, frame) => {
        // Frames 60 to 69 go by in what is left of a third of a second.
        const inBunch = Math.min(Math.max(0, frame - 60), 10);
        const isOver = frame >= 71;
        return { frame, ptsSeconds: frame / 30 - (isOver ? 0 : (inBunch * lackSeconds) / 10) };
      });
    const assess = (lackSeconds: number) => {
      const shown = times(lackSeconds);
      const [clock, video] = [frameClock(shown, 30, 149), { frames: shown, black: [], frozen: [] }];
      const measured = { clock, video, black: [] } as unknown as Parameters<
        (typeof frames)['assess']
      >[0];
      const subject = { fixture: undefined } as never;
      return frames.assess(measured, frames.defaultLimit, subject).deviations;
    };
    expect(assess(0)).to.deep.equal([]);
    expect(assess(0.3).map(({ text }) => text)).to.deep.equal([
      '10 frames from 60 on bunched at 2.00 s: shown for 0.033 s in all',
    ]);
  });

  it('tracks are those two and no others', () => {
    const limit = { video: 'h264', audio: 'aac' };
    expect(holds(tracks, ['audio aac', 'video h264'], limit)).to.be.true;
    expect(holds(tracks, ['audio aac', 'audio aac', 'video h264'], limit)).to.be.false;
    expect(holds(tracks, ['video h264'], limit)).to.be.false;
    expect(holds(tracks, [], limit)).to.be.false;
  });

  it('so many frames are so many seconds', () => {
    const decoded = (frames: number): boolean =>
      holds(decodedVideo, { decoded: frames, framesPerSecond: 25 }, { leastSeconds: 59 });
    expect([1475, 1474].map(decoded)).to.deep.equal([true, false]);
  });

  it('a time is in time at its limit', () => {
    const listed = (seconds: number): boolean =>
      holds(inputListed, { seconds }, { withinMs: 2000 });
    expect([2, 2.001].map(listed)).to.deep.equal([true, false]);
  });

  it('attempts are counted, and their backoff has to grow', async () => {
    const refused = (...seconds: number[]) =>
      aBroadcast({ events: seconds.map((at) => connection(at, 'refused')) });
    const counted = (...seconds: number[]) =>
      stateOf(connectionAttempts, refused(...seconds), { least: 3 });
    expect([await counted(0, 1), await counted(0, 1, 2)]).to.deep.equal(['failed', 'passed']);
    const grows = (...seconds: number[]) =>
      stateOf(growingBackoff, refused(...seconds), { leastWaits: 2 });
    expect(await grows(0, 1, 3, 7)).to.equal('passed');
    expect(await grows(0, 1, 2)).to.equal('failed');
    expect(await grows(0, 1)).to.equal('failed');
  });
});
