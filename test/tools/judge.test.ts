import { describe, it } from 'node:test';

import { expect } from 'chai';

import { type Fault, scenarioOf, scenariosCalled } from '../../tools/prove/fault';
import { isWrong, judgeFault, unproved, type Trial, withVerdicts } from '../../tools/prove/judge';
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
const trial = (effects: Trial['effects'], problem = ''): Trial => ({
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
    expect(isWrong(trial(effects))).to.equal(false);
  });

  const wrong: [string, ScenarioResult[], string[], string][] = [
    ['leaves a scenario green', [result('021-A', 'PASSED')], [], 'not red'],
    ['leaves a scenario skipped', [result('021-A', 'SKIPPED')], [], 'not red'],
    ['has another message', [result('021-A', 'FAILED', 'timeout')], [], 'says something else'],
    [
      'turns red what is not declared',
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
      expect(isWrong(trial(effects))).to.equal(true);
    });
  }

  it('is compared with the recorded verdict by which a scenario failed', () => {
    const recorded = {
      ...{ criterion: 'frames', title: 'Every frame is shown', limit: null, where: 'output.mp4' },
      ...{ what: 'frames are lost', seen: '3 frames', expected: 'none', deviations: [] },
    };
    const scenario = { name: 'scenario 021-A', place: 'a.feature:1' };
    const red = [result('021-A', 'FAILED', 'NotAsExpected: output.mp4')];
    const [one] = withVerdicts(red, [
      { scenario, verdict: { ...recorded, state: 'failed' } },
      { stream: 'by the default limits', verdict: { ...recorded, state: 'failed', seen: '' } },
    ]);
    expect(one?.message).to.match(/^output\.mp4: frames are lost\n +seen: +3 frames\n/);
    const passed = withVerdicts(red, [{ scenario, verdict: { ...recorded, state: 'passed' } }]);
    expect(passed).to.deep.equal(red);
  });

  it('is wrong when it could not be tried', () => {
    expect(isWrong(trial([], 'the recording could not be altered'))).to.equal(true);
  });

  it('proves nothing about scenarios that only follow', () => {
    const results = [result('021-A', 'FAILED', 'cause'), result('021-B', 'FAILED', 'effect')];
    const effects = judgeFault(fault({ '021-A': /cause/ }, ['021-B']), results);
    expect(isWrong(trial(effects))).to.equal(false);
    expect(unproved(results, [trial(effects)])).to.deep.equal(['021-B scenario 021-B']);
  });
});

describe('the name of a scenario', () => {
  const scenarios = [
    { tags: ['@021-A'], name: 'The port is taken' },
    { tags: ['@021-A'], name: 'The port is taken by others' },
    { tags: ['@021-B', '@019-B'], name: 'Something else' },
  ];

  it('is its requirement, where no other scenario has it', () => {
    expect(scenarioOf(scenarios, '019-B', 'a fault')).to.equal(scenarios[2]);
  });

  it('has its words besides, or the first of them, where several have it', () => {
    expect(scenarioOf(scenarios, '021-A The port is taken', 'a fault')).to.equal(scenarios[0]);
    expect(scenarioOf(scenarios, '021-A The port is taken by', 'a fault')).to.equal(scenarios[1]);
  });

  it('may mean no scenario: then a baseline lacks it', () => {
    expect(scenariosCalled(scenarios, '021-C')).to.deep.equal([]);
    expect(scenariosCalled(scenarios, '021-A')).to.have.length(2);
  });

  it('means one scenario, or is refused with the fault and what to write', () => {
    expect(() => scenarioOf(scenarios, '021-A The', 'A port')).to.throw(
      /"A port"[\s\S]*several scenarios[\s\S]*write '021-A The port is taken' or '021-A The port is taken by'$/,
    );
    expect(() => scenarioOf(scenarios, '021-C', 'A port')).to.throw(
      /unknown scenario[\s\S]*'021-C'/,
    );
  });
});

describe('the page', () => {
  const scenario = { tags: ['@021-A'], name: 'Less < more & "so"', place: '' };
  const title = '021-A Less < more & "so"';
  const proved: Trial = {
    ...trial([{ scenario: title, kind: 'proved', message: '<script>alert(1)</script>' }]),
    fault: 'A <b>fault</b>',
  };
  const proof = { seconds: 60, isWhole: true, scenarios: [scenario], trials: [proved] };

  it('escapes what it shows', () => {
    const html = page({ ...proof, unproved: [] });
    expect(html).not.to.match(/<script|<b>/);
    expect(html).to.include('Less &lt; more &amp;').and.to.include('&lt;script');
  });

  it('says what is not proved', () => {
    expect(page({ ...proof, unproved: [] })).not.to.include('no fault turns it red');
    const html = page({ ...proof, trials: [], unproved: [title] });
    expect(html).to.include('no fault turns it red').and.to.include('0 of 1 scenarios proved');
  });
});
