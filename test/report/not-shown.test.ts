import { describe, it } from 'node:test';

import { expect } from 'chai';

import {
  excuseOf,
  missedBy,
  needlesslyExcluded,
  notShownByReason,
  notShownTitle,
  type NotShownPolicy,
  policyOf,
  scopeInWords,
} from '../../support/report/not-shown';
import type { ScenarioResult } from '../../support/report/scenario-results';

function scenario(tags: string[], given: Partial<ScenarioResult> = {}): ScenarioResult {
  return {
    ...{ name: tags.join(), tags, place: 'a.feature:1', feature: 'A', steps: [], message: '' },
    ...{ status: 'SKIPPED', notShown: 'no networks', skipReason: undefined, judgedBy: [] },
    ...{ seconds: 0, ...given },
  };
}

const excluding = (...ids: string[]): NotShownPolicy => ({
  fails: 'required',
  excluded: ids.map((id) => ({ id, because: `no ${id}` })),
});

describe('a scenario that is not shown', () => {
  const excuse = (tags: string[], policy = excluding()): string | undefined =>
    excuseOf(scenario(tags), policy);

  it('fails the run, unless it has priority P2 or P3', () => {
    expect(excuse(['@019-E7', '@P1'])).to.equal(undefined);
    expect(excuse(['@019-ENV'])).to.equal(undefined);
    expect(excuse(['@019-E7', '@P2'])).to.equal('not required: P2');
    expect(excuse(['@P3'])).to.equal('not required: P3');
  });

  it('fails it always, or never, where that is asked for', () => {
    expect(excuse(['@P3'], { fails: 'all', excluded: [] })).to.equal(undefined);
    expect(excuse(['@P1'], { fails: 'none', excluded: [] })).to.be.a('string');
  });

  it('does not fail it when all of its requirements are excluded', () => {
    expect(excuse(['@P1', '@019-E7'], excluding('019-E7'))).to.equal('excluded: no 019-E7');
    const all = { ...excluding('019-E7'), fails: 'all' as const };
    expect(excuse(['@019-E7'], all)).to.equal('excluded: no 019-E7');
    expect(excuse(['@019-E5', '@021-E5'], excluding('021-E5'))).to.equal(undefined);
    expect(excuse(['@P1'], excluding('021-E5'))).to.equal(undefined);
  });

  it('is none that was skipped, or failed', () => {
    const skipped = scenario(['@P1'], { skipReason: 'no file' });
    delete skipped.notShown;
    const failed = scenario(['@P1'], { status: 'FAILED' });
    expect(missedBy([skipped, failed, scenario(['@P1'])], excluding())).to.have.length(1);
  });
});

describe('scenarios that are not shown', () => {
  it('are grouped by the reason, whatever the stream', () => {
    const of = (notShown: string): ScenarioResult => scenario(['@P1'], { notShown });
    const groups = notShownByReason(
      [of('stream a_1: not heard\n  seen: none'), of('no tap'), of('stream b_2: not heard')],
      excluding(),
    );
    expect(groups.map(({ reason, scenarios }) => [reason, scenarios.length])).to.deep.equal([
      ['stream a_1: not heard\n  seen: none', 2],
      ['no tap', 1],
    ]);
    expect(notShownTitle(groups)).to.equal('Not shown: 3 scenarios, 3 of which fail the run');
    expect(notShownTitle([])).to.equal('Not shown: 0 scenarios');
  });
});

describe('what is excluded', () => {
  it('is to be removed when all of its scenarios passed', () => {
    const passed = scenario(['@019-E7'], { status: 'PASSED' });
    const both = excluding('019-E7', '019-E8');
    expect(needlesslyExcluded([passed], both)).to.deep.equal([
      '019-E7 is excluded by acceptance.yaml (notShown), but shown: remove it there',
    ]);
    expect(needlesslyExcluded([passed, scenario(['@019-E7'])], both)).to.be.empty;
    expect(needlesslyExcluded([], both)).to.be.empty;
  });

  it('is, of shards, what any of them excludes', () => {
    const scope = (policy: NotShownPolicy): Parameters<typeof policyOf>[0][number] => ({
      ...{ scenarios: 1, notShown: [], untold: [], policy },
    });
    const { fails, excluded } = policyOf([scope(excluding('019-E7')), scope(excluding('019-E8'))]);
    expect([fails, ...excluded.map(({ id }) => id)]).to.deep.equal([
      'required',
      '019-E7',
      '019-E8',
    ]);
    expect(policyOf([])).to.deep.equal({ fails: 'required', excluded: [] });
  });
});

describe('what a configuration can show', () => {
  const policy = excluding();

  it('is said in a line where that is everything', () => {
    const told = (scenarios: number): string[] =>
      scopeInWords({ scenarios, notShown: [], untold: [], policy });
    expect(told(118)).to.deep.equal(['This configuration can show all 118 scenarios']);
    expect(told(1)).to.deep.equal(['This configuration can show the scenario']);
  });

  it('is said with the rest, by the reason', () => {
    const notShown = [
      { reason: 'no networks', titles: ['019-E7'] },
      { reason: 'no tap', titles: ['a', 'b', 'b', 'c', 'd', 'e'] },
    ];
    const untold = ['what only metrics tell: inflight'];
    expect(scopeInWords({ scenarios: 118, notShown, untold, policy })).to.deep.equal([
      'This configuration can show 111 of 118 scenarios; not shown:',
      '  019-E7: no networks',
      '  a, b, c and 2 more: no tap',
      '  of any scenario what only metrics tell: inflight',
    ]);
  });
});
