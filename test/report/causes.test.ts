import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { Verdict } from '../../support/checks/criterion';
import type { VerdictLine } from '../../support/checks/verdict-log';
import { causesOf, withCircumstances, withoutRepeats } from '../../support/report/causes';
import { lookUp } from '../../support/checks/criterion';
import type { BroadcastFacts, Cause } from '../../support/report/facts';
import { readRequirements } from '../../support/report/requirements';
import { runPage } from '../../support/report/run-page';
import { runFactsOf } from '../../support/report/run-report';
import { summaryOf } from '../../support/report/summary';
import { tempFolder } from '../analyze/make-media';
import { partOf, resultsIn, type Told } from './run-messages';

const failed = (place: string) => ({ place, status: 'FAILED' as const });

function line(place: string, verdict: Partial<Verdict>, stream = 's'): VerdictLine {
  return {
    ...{ stream, scenario: { name: place, place } },
    verdict: {
      ...{ criterion: 'x', title: 'X holds', state: 'failed', limit: null, where: 'there' },
      ...{ what: 'x is wrong', seen: '1', expected: '2', deviations: [], ...verdict },
    },
  };
}
const because = {
  criterion: 'owner',
  title: 'All are sent',
  what: 'another number was sent',
  seen: '9',
};

const CAUSE: Cause = {
  ...{ what: 'w', where: 'stream s', seen: '9', stream: 's', segments: [4] },
  ...{ scenarios: [], followers: [] },
};

/** Segments are sent at 7 s, 13 s …; segment 4 would have been at 31 s. */
function facts(
  log: [atSeconds: number, level: string, text: string][],
  unsent: { segment: number }[] = [],
): BroadcastFacts {
  const fragments = [0, 1, 2, 3, 5].map((segment) => ({
    segment,
    stages: [{ stage: 'queued', fromSeconds: 7 + 6 * segment, toSeconds: 8 + 6 * segment }],
  }));
  return {
    ...{ framesPerSecond: 30, segmentSeconds: 6, durationSeconds: 35, fragments },
    unsent,
    coverage: {
      lost: [
        { why: 'not sent (the breaker was open)', segments: [4], fromSeconds: 24 },
        { why: 'the answer timed out', segments: [1], fromSeconds: 6 },
      ],
    },
    log: log.map(([atSeconds, level, text]) => ({ service: 'media', atSeconds, level, text })),
  } as unknown as BroadcastFacts;
}

describe('causes', () => {
  it('come with what follows from them, the one that explains most first', () => {
    const lines = [
      line('a:1', { criterion: 'alone' }),
      line('a:2', { state: 'follows', because }),
      line('a:3', { criterion: 'owner', what: 'another number was sent' }),
      line('a:4', { state: 'not shown', because }),
      line('a:5', { criterion: 'owner' }, 'another'),
      // It passed in the end, as an earlier attempt did not.
      line('a:6', { criterion: 'alone' }),
    ];
    const causes = causesOf(lines, ['a:1', 'a:2', 'a:3', 'a:4', 'a:5'].map(failed));
    expect(causes.map(({ scenarios, followers }) => [scenarios, followers])).to.deep.equal([
      [
        ['a:3', 'a:5'],
        ['a:2', 'a:4'],
      ],
      [['a:1'], []],
    ]);
    expect(causes[0]).to.include({ what: 'another number was sent', stream: 's' });
  });

  it('what no scenario has found itself is named all the same, and what is missing once', () => {
    const [only] = causesOf([line('a:1', { state: 'follows', because })], [failed('a:1')]);
    expect(only).to.include({ what: 'another number was sent', seen: '9' });
    const missing = ['p', 'q'].map((criterion) =>
      line(criterion, { criterion, state: 'not shown', what: 'no recording', seen: 'stalled' }),
    );
    expect(causesOf(missing, ['p', 'q'].map(failed))).to.have.length(1);
  });

  it('say what is written down about them, in place of where to look it up', () => {
    const cause = { ...CAUSE, what: 'a fragment failed', next: lookUp('a fragment failed') };
    const known = withCircumstances(cause, undefined);
    expect(known.meaning).to.match(/^The STS answered with an error/);
    expect(known).not.to.have.property('next');
    const advised = withCircumstances({ ...cause, next: 'read its log' }, undefined);
    expect(advised).to.include({ next: 'read its log', meaning: known.meaning });
    const unknown = { ...CAUSE, what: 'no such message', next: lookUp('no such message') };
    expect(withCircumstances(unknown, undefined)).to.include({ next: unknown.next });
    expect(withCircumstances(unknown, undefined)).not.to.have.property('meaning');
  });

  it('are placed in the clip by where the first fragment begins in it', () => {
    const late = facts([]);
    late.fragments.forEach((one) => (one.sourceSeconds = 4 + 6 * one.segment));
    const { place } = withCircumstances(CAUSE, { ...late, durationSeconds: 60 });
    expect(place).to.equal('segment 4, frames 840 to 1019');
  });

  it('have their frames, and at most five lines of warnings of that time', () => {
    const { place, log, lost } = withCircumstances(
      CAUSE,
      facts([
        ...([27.9, 28, 34, 34.1] as const).map((at): [number, string, string] => [
          at,
          'error',
          `${at}`,
        ]),
        [31, 'info', 'fine'],
      ]),
    );
    expect(place).to.equal('segment 4, frames 720 to 899');
    expect(lost).to.deep.equal([
      'segment 4, from second 24 of the clip: not sent (the breaker was open)',
    ]);
    expect(log.map(({ text }) => text)).to.deep.equal(['28', '34']);
    const many = Array.from({ length: 7 }, (_, i): [number, string, string] => [
      31,
      'warning',
      `${i}`,
    ]);
    expect(withCircumstances(CAUSE, facts(many)).log).to.have.length(5);
  });

  it('of a segment that was not sent, have what failed before, which may have opened the breaker', () => {
    const { lost, log } = withCircumstances(
      CAUSE,
      facts(
        [
          [13, 'warning', 'timeout'],
          [19, 'warning', 'nothing to do with it'],
          [31, 'warning', 'open'],
        ],
        [{ segment: 4 }],
      ),
    );
    expect(lost).to.deep.equal([
      'segment 4, from second 24 of the clip: not sent (the breaker was open)',
      'segment 1, from second 6 of the clip: the answer timed out',
    ]);
    expect(log.map(({ text }) => text)).to.deep.equal(['timeout', 'open']);
  });

  it('that name no segment have all that was lost of their broadcast', () => {
    const { lost } = withCircumstances({ ...CAUSE, segments: [] }, facts([]));
    expect(lost).to.have.length(2);
  });

  it('that name no segment have nothing of what another cause of their broadcast has lost', () => {
    const cause = { ...CAUSE, segments: [] };
    const lostBeside = (other: Cause): string[] =>
      withCircumstances(cause, facts([]), [cause, other]).lost;
    expect(lostBeside(CAUSE)).to.deep.equal([
      'segment 1, from second 6 of the clip: the answer timed out',
    ]);
    expect(lostBeside({ ...CAUSE, stream: 'another' })).to.have.length(2);
  });

  it('are one where they are about the same lost segments of a broadcast', () => {
    const lost = { ...CAUSE, isAllLost: true, lost: ['segment 4: not sent'], log: [] };
    const causes = [
      { ...lost, scenarios: ['a'], followers: ['b'] },
      { ...lost, what: 'the dub is not heard', scenarios: ['c'] },
      { ...lost, stream: 'another', scenarios: ['d'] },
      { ...lost, isAllLost: false, segments: [4, 5], scenarios: ['e'] },
    ];
    expect(
      withoutRepeats(causes).map(({ scenarios, followers }) => [scenarios, followers]),
    ).to.deep.equal([
      [['a'], ['b', 'c']],
      [['d'], []],
      [['e'], []],
    ]);
  });

  it('the last segment ends with the broadcast', () => {
    const { place } = withCircumstances({ ...CAUSE, segments: [5] }, facts([]));
    expect(place).to.equal('segment 5, frames 900 to 1049');
  });

  it('stand before the failures, on the page of the run and in its summary', () => {
    const told: Told = {
      ...{ name: 'All come back', tags: ['@021-US2-3'], feature: 'Dubbing' },
      steps: [{ text: 'they do', status: 'FAILED', message: 'no' }],
    };
    const part = resultsIn(tempFolder(), [told], partOf({}, [1, 1]));
    const made = { broadcasts: [], problems: [], seconds: 0 };
    const places = part.collector.results.map(({ place }) => place);
    const cause = {
      ...CAUSE,
      what: 'another <number> was sent',
      scenarios: places,
      isAllLost: false,
      log: [],
      lost: [],
    };
    const run = { ...runFactsOf([part], made), causes: [cause] };
    const html = runPage(run, readRequirements());
    const title = 'Cause of 1 of 1 failure: another';
    expect(html.indexOf(`${title} &lt;number`)).to.be.above(0);
    expect(html.indexOf(`${title} &lt;number`)).to.be.below(html.indexOf('id="failures"'));
    const summary = summaryOf(run, readRequirements());
    expect(summary.indexOf(title)).to.be.above(0).and.below(summary.indexOf('### Failures'));
    expect(summary).to.include('found by 021-US2-3');
  });
});
