import { describe, it } from 'node:test';

import { expect } from 'chai';

import { keyOf, requestOf } from '../../support/broadcast/request';
import { RequestDraft } from '../../support/session/plan';

const softened = { on: { first: 0, last: null }, does: 'soften' } as const;
const dropped = { on: { first: 1, last: 1 }, does: 'drop' } as const;

describe('the draft of a request', () => {
  it('holds what earlier steps have said', () => {
    const draft = new RequestDraft();
    draft.throughEcho(2);
    draft.addFaults([softened]);
    draft.addFaults([dropped]);
    expect(draft.complete({ fixture: '90-s-tones', seconds: 24 })).to.deep.equal(
      requestOf({
        ...{ fixture: '90-s-tones', seconds: 24, composition: { echoSegmentSeconds: 2 } },
        faults: [softened, dropped],
      }),
    );
  });

  it('has other broadcasts through the same services, without the faults', () => {
    const draft = new RequestDraft();
    draft.throughEcho(6);
    draft.addFaults([softened]);
    const other = draft.addOther({ fixture: '90-s-tones', faults: [dropped] });
    expect(other.faults).to.deep.equal([dropped]);
    expect(other.composition).to.deep.equal({ echoSegmentSeconds: 6 });
    expect(draft.requests).to.deep.equal([other]);
  });

  it('compresses segments and the budget by the same factor', () => {
    const draft = new RequestDraft();
    draft.throughSlowEcho(6, 3);
    expect(draft.timeScale).to.equal(3);
    expect(draft.complete({ fixture: '90-s-tones', seconds: 12 })).to.deep.include({
      composition: { echoSegmentSeconds: 2, oneAtATime: true },
      ...{ timeScale: 3, budgetSeconds: 100 },
    });
  });

  it('gives the same key for the same faults, however they were said', () => {
    const [one, two] = [new RequestDraft(), new RequestDraft()];
    one.addFaults([softened]);
    const said = two.complete({ faults: [{ does: 'soften', on: { last: null, first: 0 } }] });
    expect(keyOf(one.complete())).to.equal(keyOf(said));
  });
});
