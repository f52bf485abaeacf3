import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { Coverage, RunFacts, Showcase } from '../../support/report/facts';
import { leadOf } from '../../support/report/lead';

/** Of a run with nothing but the broadcast that its sentence is about: ten segments, so many of them heard. */
function sentenceOf(coverage: Pick<Coverage, 'heard' | 'audible'>): string {
  const summary = {
    ...{ name: 'One minute', coverage: { segments: 10, lost: [], ...coverage }, figures: {} },
  };
  const facts = {
    ...{ scenarios: [], notRun: 0, problems: [], scopes: [], isReplay: false },
    showcase: { summary, to: 'es' } as unknown as Showcase,
  };
  return leadOf(facts as unknown as RunFacts).sentence;
}

describe('the sentence of a run', () => {
  it('tells dubs that are not heard from those that are heard otherwise than they should be', () => {
    expect(
      [
        { heard: 10, audible: 10 },
        { heard: 8, audible: 8 },
        { heard: 3, audible: 9 },
        { heard: 0, audible: 9 },
        { heard: 0, audible: 0 },
        // Of an earlier run.
        { heard: 9 },
        { heard: 0 },
      ].map(sentenceOf),
    ).to.deep.equal([
      'Viewers get Spanish in 10 of 10 segments.',
      'Viewers get Spanish in 8 of 10 segments.',
      'Viewers get Spanish in 9 of 10 segments, 3 of them as they should be.',
      'Viewers get Spanish in 9 of 10 segments, none of them as they should be.',
      'Viewers get no Spanish: 0 of 10 segments.',
      'Viewers get Spanish in 9 of 10 segments.',
      'Viewers get no Spanish: 0 of 10 segments.',
    ]);
  });
});
