import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import {
  NOT_SHOWN_REASON,
  outcomeOf,
  readScenarioResults,
  SKIP_REASON,
} from '../../support/report/scenario-results';
import { faultsOf } from '../../support/report/run-report';

describe('results of a run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'results-test-'));
  after(() => rmSync(folder, { recursive: true }));

  const time = { seconds: 1, nanos: 0 };

  /** The messages of one scenario whose steps end with these statuses. */
  function scenario(name: string, statuses: string[], skipReason?: string): object[] {
    const ids = statuses.map((_, index) => `${name}-${index}`);
    return [
      {
        pickle: {
          ...{ id: `p-${name}`, name, uri: 'a.feature', astNodeIds: [name] },
          ...{ tags: [{ name: '@tag' }], steps: [] },
        },
      },
      {
        testCase: { id: `c-${name}`, pickleId: `p-${name}`, testSteps: ids.map((id) => ({ id })) },
      },
      ...attempt(name, 0, statuses, { skipReason }),
    ];
  }

  function attempt(
    name: string,
    number: number,
    statuses: string[],
    {
      skipReason,
      willBeRetried = false,
    }: { skipReason?: string | undefined; willBeRetried?: boolean },
  ): object[] {
    const testCaseStartedId = `s-${name}-${number}`;
    const skipped = {
      ...{ testCaseStartedId, testStepId: `${name}-0`, fileName: SKIP_REASON },
      ...{ body: skipReason, contentEncoding: 'IDENTITY' },
    };
    return [
      {
        testCaseStarted: {
          ...{ id: testCaseStartedId, testCaseId: `c-${name}`, attempt: number, timestamp: time },
        },
      },
      ...(skipReason ? [{ attachment: skipped }] : []),
      ...statuses.map((status, index) => ({
        testStepFinished: {
          ...{ testCaseStartedId, testStepId: `${name}-${index}` },
          testStepResult: { status, ...(status === 'FAILED' ? { message: 'why' } : {}) },
        },
      })),
      {
        testCaseFinished: {
          ...{ testCaseStartedId, willBeRetried, timestamp: { seconds: 3, nanos: 5e8 } },
        },
      },
    ];
  }

  function results(...messages: object[][]): ReturnType<typeof readScenarioResults> {
    const file = join(folder, 'messages.ndjson');
    writeFileSync(
      file,
      ['{"meta":{}}', ...messages.flat().map((m) => JSON.stringify(m))].join('\n'),
    );
    return readScenarioResults(file);
  }

  it('are as bad as the worst step', () => {
    const [one] = results(scenario('a', ['PASSED', 'FAILED', 'SKIPPED']));
    expect(one).to.include({ name: 'a', status: 'FAILED', message: 'why\n' });
  });

  it('are of the last attempt, with the earlier ones', () => {
    const [first, ...others] = results(
      scenario('a', ['FAILED']).slice(0, 2),
      attempt('a', 0, ['FAILED'], { willBeRetried: true }),
      attempt('a', 1, ['PASSED'], {}),
      scenario('b', ['PASSED']),
    );
    expect(first).to.include({ name: 'a', status: 'PASSED', message: '', seconds: 2.5 });
    expect(first?.attempts?.map(({ status }) => status)).to.deep.equal(['FAILED']);
    expect(others.map(({ name, attempts }) => [name, attempts])).to.deep.equal([['b', undefined]]);
  });

  it('count when everything passed', () => {
    expect(faultsOf(results(scenario('a', ['PASSED']), scenario('b', ['PASSED'])))).to.be.empty;
  });

  for (const status of ['FAILED', 'UNDEFINED', 'AMBIGUOUS', 'PENDING', 'SKIPPED']) {
    it(`do not count when a scenario is ${status.toLowerCase()}`, () => {
      const faults = faultsOf(results(scenario('a', ['PASSED']), scenario('b', [status])));
      expect(faults).to.have.length(1);
      expect(faults[0]).to.match(new RegExp(`^${status.toLowerCase()}: b`));
    });
  }

  it('do not count when no scenario ran', () => {
    expect(faultsOf(results())).to.deep.equal(['no scenario ran']);
  });

  it('say that a run which ends at the first failure has not begun the others', () => {
    const ended = results([...scenario('a', ['FAILED']), ...scenario('b', ['SKIPPED', 'SKIPPED'])]);
    expect(ended[1]?.skipReason).to.match(/^another scenario has failed, .*--fail-fast/);
    const alone = results(scenario('b', ['SKIPPED', 'SKIPPED']));
    expect(alone[0]?.skipReason).to.equal(undefined);
    const begun = results([...scenario('a', ['FAILED']), ...scenario('b', ['PASSED', 'SKIPPED'])]);
    expect(begun[1]?.skipReason).to.equal(undefined);
  });

  it('say why a scenario was skipped', () => {
    const skipped = results(scenario('a', ['SKIPPED'], 'no broadcast'));
    expect(faultsOf(skipped)).to.deep.equal(['skipped: a: no broadcast']);
  });

  it('count although a scenario that is not required is not shown, unless none is', () => {
    const unable = scenario('a', ['SKIPPED']);
    const [started = {}, ...rest] = unable.slice(-3);
    const why = {
      attachment: {
        ...{ testCaseStartedId: 's-a-0', testStepId: 'a-0', fileName: NOT_SHOWN_REASON },
        ...{ body: 'no networks', contentEncoding: 'IDENTITY' },
      },
    };
    const messages = [...unable.slice(0, -3), started, why, ...rest];
    const both = results(messages, scenario('b', ['PASSED']));
    expect(both.map(outcomeOf)).to.deep.equal(['not shown', 'passed']);
    expect(both[0]?.notShown).to.equal('no networks');
    expect(faultsOf(both)).to.deep.equal(['not shown: a: no networks']);
    expect(faultsOf(both, { fails: 'none', excluded: [] })).to.be.empty;
    const none = ['no scenario can be shown by this configuration'];
    expect(faultsOf(results(messages))).to.deep.equal(none);
  });

  it('fail when there are none', () => {
    expect(() => readScenarioResults(join(folder, 'none.ndjson'))).to.throw(/there are no results/);
  });
});
