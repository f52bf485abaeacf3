import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { FrameClock } from '../../support/analyze/frame-clock';
import type { SegmentAudio } from '../../support/analyze/resilience-findings';
import type { Fault } from '../../support/broadcast/fault';
import { readFixture } from '../../support/broadcast/fixture';
import type { Fragment } from '../../support/broadcast/fragment';
import { coverageOf } from '../../support/report/coverage';
import type { FragmentFacts, VerdictFacts } from '../../support/report/facts';
import { fragmentFacts, type KnownOfBroadcast } from '../../support/report/fragment-facts';
import { projectRoot } from '../../support/config';

const FIXTURE = readFixture(`${projectRoot}/fixtures/1-min-tones.yaml`);

const ANSWER = { audio: { file: 'dub.wav' } } as Fragment['answer'];

/** Ten fragments of tones, each answered after a second. */
const FRAGMENTS = Array.from({ length: 10 }, (_, index): Fragment => ({
  ...{ index, fragmentId: `f${index}`, segment: index, sequence: index, connection: 1 },
  ...{ sentAt: 6000 * index, timestampMs: 6000 * index, audio: undefined, isAcknowledged: true },
  ...{ answer: ANSWER, errorCode: undefined, end: 'answered', endedAt: 6000 * index + 1000 },
  roundTripMs: 1000,
}));

const CLOCK: FrameClock = {
  ...{ kind: 'packets', framesPerSecond: 30, runs: [], unreadable: 0 },
  ...{ backward: [], lost: [] },
} as unknown as FrameClock;

/** All tones are heard; what of it is the dub is told by segment. */
function known(audio: SegmentAudio, faults: Fault[], verdicts: VerdictFacts[] = []) {
  const heard = Array.from({ length: 60 }, (_, second) => ({
    ...{ second, level: audio === 'dub' ? 0.5 : 1 },
    avOffset: { observed: true as const, offsetMs: 2, ptsSeconds: second },
  }));
  const segments = FRAGMENTS.map(() => audio);
  return {
    ...{
      fixture: FIXTURE,
      faults,
      verdicts,
      isTranslated: false,
      clock: CLOCK,
      tones: { heard, joinedSeconds: 0, segments },
    },
    clockOfStages: {
      ...{ secondsAt: (ms: number) => ms / 1000, ingestedAt: 0, ptsZeroAtSeconds: undefined },
      segmentSeconds: 6,
    },
    ...{ placements: undefined, sourceStarts: undefined, texts: undefined },
    spoken: undefined,
  } satisfies KnownOfBroadcast;
}

const soften = (first: number, last: number | null): Fault => ({
  ...{ on: { first, last }, does: 'soften' },
});

const TIMED_OUT = 'the answer timed out (limit announced: 1.0 s)';

describe('the facts of fragments of tones', () => {
  it('tell the original from a dub by its level where that fragment was softened', () => {
    for (const faults of [[soften(0, null)], [soften(0, 99)]]) {
      const facts = fragmentFacts(FRAGMENTS, known('original', faults));
      expect(facts.map(({ state }) => state)).to.deep.equal(Array(10).fill('unheard'));
    }
    const some = fragmentFacts(FRAGMENTS, known('original', [soften(0, 4)]));
    expect(some.map(({ state }) => state)).to.deep.equal([
      ...Array<string>(5).fill('unheard'),
      ...Array<string>(5).fill('heard'),
    ]);
    const dubbed = fragmentFacts(FRAGMENTS, known('dub', [soften(0, null)]));
    expect(dubbed.map(({ state }) => state)).to.deep.equal(Array(10).fill('heard'));
  });

  it('take nothing for a dub of which there was none, whatever is heard', () => {
    const late = FRAGMENTS.map((one): Fragment => ({ ...one, end: 'timed out' }));
    const facts = fragmentFacts(late, known('dub', []));
    expect(new Set(facts.map(({ state }) => state))).to.deep.equal(new Set(['not measured']));
    expect(new Set(facts.map(({ withoutDub }) => withoutDub))).to.deep.equal(new Set([TIMED_OUT]));
    const { heard, dubbed, lost } = coverageOf(FIXTURE, {
      ...{ fragments: facts, unsent: [], verdicts: [], isHeard: true },
    });
    expect({ heard, dubbed }).to.deep.equal({ heard: 0, dubbed: 0 });
    expect(lost).to.deep.equal([
      { why: TIMED_OUT, segments: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], fromSeconds: 0 },
    ]);
  });

  it('have the stages of an answer that is an error, or comes too late', () => {
    const timingsMs = { asr: 500, translation: 200, tts: 1000 };
    const error = { code: 'TIMEOUT', message: 'not done', stage: 'tts' };
    const failing = { ...ANSWER, audio: undefined, timingsMs, error } as Fragment['answer'];
    const [first, second] = FRAGMENTS;
    if (!first || !second || !failing) throw new Error('two fragments and an answer');
    const stagesOf = (one: Fragment): unknown[] => {
      const [facts] = fragmentFacts([one], known('dub', []));
      return (facts?.stages ?? []).map(({ stage, fromSeconds, toSeconds }) => [
        ...[stage, Number(fromSeconds.toFixed(2)), Number(toSeconds.toFixed(2))],
      ]);
    };
    const failed = { ...first, answer: { ...failing, at: 2000 }, endedAt: 2000 };
    expect(stagesOf({ ...failed, errorCode: 'TIMEOUT' })).to.deep.equal([
      ...[['queued', 0, 0.3]],
      ...[
        ['asr', 0.3, 0.8],
        ['translation', 0.8, 1],
        ['tts', 1, 2],
      ],
    ]);
    const late: Fragment = { ...failed, end: 'timed out', endedAt: 1500 };
    expect(stagesOf(late)).to.deep.equal(stagesOf(failed));
    // Without any answer, all that is known is how long it was waited for.
    const none: Fragment = { ...second, answer: undefined, end: 'timed out', endedAt: 14_000 };
    expect(stagesOf(none)).to.deep.equal([['queued', 6, 14]]);
  });

  it('count lost segments from where the output begins in the clip', () => {
    const lateJoin = fragmentFacts(FRAGMENTS, {
      ...known('dub', []),
      tones: { ...known('dub', []).tones, joinedSeconds: 4 },
    });
    const facts = lateJoin.map((one) =>
      one.segment === 6 ? { ...one, withoutDub: 'the answer timed out', isHeard: false } : one,
    );
    const { lost } = coverageOf(FIXTURE, {
      ...{ fragments: facts, unsent: [], verdicts: [], isHeard: true },
    });
    expect(lost).to.deep.equal([{ why: 'the answer timed out', segments: [6], fromSeconds: 40 }]);
  });

  it('tell a segment that is cut out of the output from one whose dub is not heard', () => {
    const facts = fragmentFacts(FRAGMENTS, known('dub', [])).map((one): FragmentFacts => {
      const { segment } = one;
      const isUnheard = segment === 3 || segment === 4;
      return {
        ...{ ...one, state: isUnheard ? 'unheard' : 'heard', isHeard: !isUnheard },
        shownAtPts: segment === 4 ? undefined : 6 * segment,
      };
    });
    const seen = { fragments: facts, unsent: [], verdicts: [], isHeard: true };
    expect(
      coverageOf(FIXTURE, seen).lost.map(({ why, segments }) => [why, segments]),
    ).to.deep.equal([
      ['the dub is not heard', [3]],
      ['neither its video nor its dub is in the output', [4]],
    ]);
  });

  it('measure nothing where no dub differs from the original', () => {
    const facts = fragmentFacts(FRAGMENTS, known('dub', []));
    expect(new Set(facts.map(({ state }) => state))).to.deep.equal(new Set(['not measured']));
    expect(facts[0]).not.to.have.any.keys('heardShare', 'offsetMs');
    const { heard, dubbed } = coverageOf(FIXTURE, {
      ...{ fragments: facts, unsent: [], verdicts: [], isHeard: true },
    });
    expect({ heard, dubbed }).to.deep.equal({ heard: undefined, dubbed: 10 });
  });

  it('say nothing of a dub in place of which the original is heard', () => {
    const [first] = fragmentFacts(FRAGMENTS, known('original', [soften(0, null)]));
    expect(first).to.include({ state: 'unheard' }).and.not.have.any.keys('heardShare', 'offsetMs');
  });

  it('are wrong where a verdict deviates, in its words', () => {
    const verdict: VerdictFacts = {
      ...{ criterion: 'tone-offset', title: 'in sync', state: 'failed', limit: { limitMs: 1 } },
      ...{ where: 'output.mp4', what: 'audio is late', seen: '2 ms', expected: '1 ms' },
      deviations: [{ text: 'fragment 3: 2.0 ms', fragment: 3 }],
      judgedBy: [],
    };
    const facts = fragmentFacts(FRAGMENTS, known('dub', [soften(0, null)], [verdict]));
    expect(
      facts.flatMap(({ state, sequence }) => (state === 'wrong' ? sequence : [])),
    ).to.deep.equal([3]);
    const { heard, audible } = coverageOf(FIXTURE, {
      ...{ fragments: facts, unsent: [], verdicts: [verdict], isHeard: true },
    });
    expect({ heard, audible }).to.deep.equal({ heard: 9, audible: 10 });
    expect(facts[3]?.remarks).to.include('audio is late: 2.0 ms');
  });
});
