import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { FrameClock } from '../../support/analyze/frame-clock';
import type { SegmentAudio } from '../../support/analyze/resilience-findings';
import type { Fault } from '../../support/broadcast/fault';
import { readFixture } from '../../support/broadcast/fixture';
import type { Fragment } from '../../support/broadcast/fragment';
import { coverageOf } from '../../support/report/coverage';
import type { VerdictFacts } from '../../support/report/facts';
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
    expect(new Set(facts.map(({ withoutDub }) => withoutDub))).to.deep.equal(
      new Set(['the answer timed out']),
    );
    const { heard, dubbed, lost } = coverageOf(FIXTURE, {
      ...{ fragments: facts, unsent: [], verdicts: [], isHeard: true },
    });
    expect({ heard, dubbed }).to.deep.equal({ heard: 0, dubbed: 0 });
    expect(lost).to.deep.equal([
      { why: 'the answer timed out', segments: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
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
    expect(facts[3]?.remarks).to.include('audio is late: 2.0 ms');
  });
});
