import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { faultsOf, readScenarioResults, SKIP_REASON } from '../../support/report/scenario-results';

describe('results of a run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'results-test-'));
  after(() => rmSync(folder, { recursive: true }));

  const time = { seconds: 1, nanos: 0 };

  /** The messages of one scenario whose steps end with these statuses. */
  function scenario(name: string, statuses: string[], skipReason?: string): object[] {
    return [
      { pickle: { id: `p-${name}`, name, tags: [{ name: '@tag' }], steps: [] } },
      { testCase: { id: `c-${name}`, pickleId: `p-${name}`, testSteps: [] } },
      { testCaseStarted: { id: `s-${name}`, testCaseId: `c-${name}`, timestamp: time } },
      ...(skipReason
        ? [
            {
              attachment: {
                testCaseStartedId: `s-${name}`,
                fileName: SKIP_REASON,
                body: skipReason,
                contentEncoding: 'IDENTITY',
              },
            },
          ]
        : []),
      ...statuses.map((status) => ({
        testStepFinished: {
          testCaseStartedId: `s-${name}`,
          testStepResult: { status, ...(status === 'FAILED' ? { message: 'why' } : {}) },
        },
      })),
      {
        testCaseFinished: { testCaseStartedId: `s-${name}`, timestamp: { seconds: 3, nanos: 5e8 } },
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

  it('say why a scenario was skipped', () => {
    const skipped = results(scenario('a', ['SKIPPED'], 'no broadcast'));
    expect(faultsOf(skipped)).to.deep.equal(['skipped: a: no broadcast']);
  });

  it('fail when there are none', () => {
    expect(() => readScenarioResults(join(folder, 'none.ndjson'))).to.throw(/there are no results/);
  });
});
