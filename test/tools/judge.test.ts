import { describe, it } from 'node:test';

import { expect } from 'chai';

import { type Fault, scenarioOf } from '../../tools/prove/fault';
import { isWrong, judgeFault, unproved, type Verdict } from '../../tools/prove/judge';
import { page } from '../../tools/prove/page';
import type { ScenarioResult } from '../../support/report/scenario-results';

function result(
  requirement: string,
  status: ScenarioResult['status'],
  message = '',
): ScenarioResult {
  return {
    ...{ name: `scenario ${requirement}`, tags: ['@P1', `@${requirement}`], place: 'a.feature:1' },
    ...{ feature: 'a feature', steps: [], seconds: 1 },
    ...{ status, message, skipReason: undefined, judgedBy: [] },
  };
}

const fault = (red: Fault['red'], follows: string[] = []): Fault => ({
  ...{ name: 'a fault', red, follows, tags: '@P1' },
  make: () => Promise.resolve({ environment: {} }),
});
const verdict = (effects: Verdict['effects'], problem = ''): Verdict => ({
  ...{ fault: 'a fault', effects, problem, seconds: 1 },
});

describe('a fault', () => {
  it('proves the scenarios that turn red and name the cause', () => {
    const results = [
      result('021-A', 'FAILED', 'seen: 9 of 10\n    at somewhere.ts:1'),
      result('021-B', 'PASSED'),
      result('021-C', 'SKIPPED'),
    ];
    const effects = judgeFault(fault({ '021-A': /9 of 10/ }), results);
    expect(effects).to.deep.equal([
      { scenario: '021-A scenario 021-A', kind: 'proved', message: 'seen: 9 of 10' },
    ]);
    expect(isWrong(verdict(effects))).to.equal(false);
  });

  const wrong: [string, ScenarioResult[], string[], string][] = [
    ['leaves a scenario green', [result('021-A', 'PASSED')], [], 'not red'],
    ['leaves a scenario skipped', [result('021-A', 'SKIPPED')], [], 'not red'],
    ['has another message', [result('021-A', 'FAILED', 'timeout')], [], 'says something else'],
    [
      'turns red what nobody expects',
      [result('021-A', 'FAILED', 'cause'), result('021-B', 'FAILED')],
      [],
      'not expected',
    ],
    [
      'does not turn red what is said to follow',
      [result('021-A', 'FAILED', 'cause'), result('021-B', 'PASSED')],
      ['021-B'],
      'not red',
    ],
    [
      'leaves a step undefined',
      [result('021-A', 'FAILED', 'cause'), result('021-B', 'UNDEFINED')],
      [],
      'not expected',
    ],
  ];
  for (const [what, results, follows, kind] of wrong) {
    it(`is wrong when it ${what}`, () => {
      const effects = judgeFault(fault({ '021-A': /cause/ }, follows), results);
      expect(effects.map((one) => one.kind)).to.include(kind);
      expect(isWrong(verdict(effects))).to.equal(true);
    });
  }

  it('is wrong when it could not be tried', () => {
    expect(isWrong(verdict([], 'the recording could not be altered'))).to.equal(true);
  });

  it('proves nothing about scenarios that only follow', () => {
    const results = [result('021-A', 'FAILED', 'cause'), result('021-B', 'FAILED', 'effect')];
    const effects = judgeFault(fault({ '021-A': /cause/ }, ['021-B']), results);
    expect(isWrong(verdict(effects))).to.equal(false);
    expect(unproved(results, [verdict(effects)])).to.deep.equal(['021-B scenario 021-B']);
  });
});

describe('the name of a scenario', () => {
  const scenarios = [
    { tags: ['@021-A'], name: 'The port is taken' },
    { tags: ['@021-A'], name: 'The port is taken by others' },
    { tags: ['@021-B', '@019-B'], name: 'Something else' },
  ];

  it('is its requirement, where no other scenario has it', () => {
    expect(scenarioOf(scenarios, '019-B')).to.equal(scenarios[2]);
  });

  it('has its words besides, or the first of them, where several have it', () => {
    expect(scenarioOf(scenarios, '021-A The port is taken')).to.equal(scenarios[0]);
    expect(scenarioOf(scenarios, '021-A The port is taken by')).to.equal(scenarios[1]);
  });

  it('means one scenario, or is refused', () => {
    expect(() => scenarioOf(scenarios, '021-A')).to.throw(/or several[\s\S]*taken by others/);
    expect(() => scenarioOf(scenarios, '021-C')).to.throw(/no scenario is meant/);
  });
});

describe('the page', () => {
  const scenario = { tags: ['@021-A'], name: 'Less < more & "so"', place: '' };
  const title = '021-A Less < more & "so"';
  const proved: Verdict = {
    ...verdict([{ scenario: title, kind: 'proved', message: '<script>alert(1)</script>' }]),
    fault: 'A <b>fault</b>',
  };
  const proof = { seconds: 60, isWhole: true, scenarios: [scenario], verdicts: [proved] };

  it('escapes what it shows', () => {
    const html = page({ ...proof, unproved: [] });
    expect(html).not.to.match(/<script|<b>/);
    expect(html).to.include('Less &lt; more &amp;').and.to.include('&lt;script');
  });

  it('says what is not proved', () => {
    expect(page({ ...proof, unproved: [] })).not.to.include('no fault turns it red');
    const html = page({ ...proof, verdicts: [], unproved: [title] });
    expect(html).to.include('no fault turns it red').and.to.include('0 of 1 scenarios proved');
  });
});
