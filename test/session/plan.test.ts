import { describe, it } from 'node:test';

import { expect } from 'chai';

import { keyOf, requestOf } from '../../support/broadcast/request';
import { inTurn, plan, type PlannedBroadcast, RequestDraft } from '../../support/session/plan';
import { scenario } from './a-scenario';

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

describe('the turns of scenarios', () => {
  plan('it is dubbed', (draft) => draft.complete());
  plan('it is dubbed twice', (draft) => [1, 2].map((use) => draft.complete({ use })));
  plan('it is dubbed by services of its own', (draft) => {
    draft.throughOwn('dual without a tap');
    draft.complete();
  });
  plan('it is echoed', (draft) => {
    draft.throughEcho(6);
    draft.complete();
  });
  plan('the STS is started with {string}', (draft, LOG_LEVEL: string) =>
    draft.addTrial('sts', { LOG_LEVEL }),
  );
  plan('the STS is sent silence', (draft) => draft.addDirect({ fixture: '12-s-silence' }));
  plan('the suite is run without a broadcast', (draft) => draft.addNested('no broadcast'));

  it('are those in which what they wait for is over, and of equal ones the order of the features', () => {
    const inFeatures = [
      scenario('direct', 'the STS is sent silence'),
      scenario('echo 1', 'it is echoed'),
      scenario('trial', 'the STS is started with "DEBUG"'),
      scenario('edge case', 'it is dubbed', '@edge-case'),
      scenario('nothing 1', 'it is there'),
      scenario('nested', 'the suite is run without a broadcast'),
      scenario('own 1', 'it is dubbed by services of its own', '@edge-case'),
      scenario('own 2', 'it is there', '@own-services'),
      scenario('echo 2', 'it is echoed', '@edge-case'),
      scenario('twice', 'it is dubbed twice'),
      scenario('shared', 'it is dubbed'),
      scenario('nothing 2', 'it is there', '@edge-case'),
    ];
    const ends = { echo: 40, shared: 60, short: 80 };
    const inOrder = (besideFrom: number): string[] =>
      inTurn(inFeatures, (planned: PlannedBroadcast[]) => ({
        ends: new Map(planned.map(({ request, group }) => [keyOf(request), ends[group]])),
        besideFrom,
      })).map(({ pickle }) => pickle.name);
    expect(inOrder(40)).to.deep.equal([
      ...['nothing 1', 'nothing 2', 'echo 1', 'own 1', 'own 2', 'echo 2'],
      ...['edge case', 'shared', 'twice', 'direct', 'trial', 'nested'],
    ]);
    expect(inOrder(81)).to.deep.equal([
      ...['nothing 1', 'nothing 2', 'echo 1', 'echo 2', 'edge case', 'shared', 'twice'],
      ...['own 1', 'own 2', 'direct', 'trial', 'nested'],
    ]);
  });
});
