import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { BroadcastFacts, BroadcastSummary } from '../../support/report/facts';
import { type Shown, showcaseOf } from '../../support/report/showcase';
import { NOTHING } from './broadcast-page-data';

/** `heard` of ten segments. */
function shown(stream: string, heard: number | undefined, of: Partial<BroadcastFacts> = {}): Shown {
  const coverage = { segments: 10, heard, dubbed: heard ?? 10, lost: [] };
  return {
    facts: { ...NOTHING, translatedTo: 'es', isDisturbed: false, durationSeconds: 60, ...of },
    summary: { stream, coverage, figures: {} } as unknown as BroadcastSummary,
    evidenceUrl: '',
  };
}

const chosen = (...broadcasts: Shown[]): string | undefined =>
  showcaseOf(broadcasts, () => undefined)?.summary.stream;

describe('the broadcast by which a run says what viewers get', () => {
  it('is of the longest ones the one that lost most, wherever it stands', () => {
    const [whole, lossy] = [shown('whole', 10), shown('lossy', 8)];
    expect(chosen(whole, lossy)).to.equal('lossy');
    expect(chosen(lossy, whole)).to.equal('lossy');
    expect(chosen(shown('none', 0), lossy, whole)).to.equal('none');
  });

  it('is the first of equals, and a shorter one never', () => {
    expect(chosen(shown('first', 10), shown('second', 10))).to.equal('first');
    expect(chosen(shown('short', 0, { durationSeconds: 59 }), shown('long', 10))).to.equal('long');
  });

  it('is one that was measured, where there is one', () => {
    expect(chosen(shown('unmeasured', undefined), shown('measured', 10))).to.equal('measured');
    expect(chosen(shown('unmeasured', undefined))).to.equal('unmeasured');
  });

  it('is none that was disturbed on purpose, or not translated', () => {
    const disturbed = shown('disturbed', 0, { isDisturbed: true });
    const echo = shown('echo', 0, { translatedTo: undefined });
    expect(chosen(disturbed, echo)).to.equal(undefined);
    expect(chosen(disturbed, echo, shown('plain', 10))).to.equal('plain');
  });
});
