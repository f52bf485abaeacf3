import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { execa } from 'execa';

import { projectRoot } from '../../support/config';
import type { Basis, Spec } from '../../support/report/requirements';
import { readSoakRecord, type SoakVerdict } from '../../support/report/soak-record';
import { recordOf } from '../../support/history/record-of-run';
import {
  judgeRepeated,
  passRates,
  passRatesInWords,
  type RepeatedRun,
} from '../../support/history/repeated-runs';
import { type End, HISTORY_VERSION, scenariosOf } from '../../support/history/run-record';
import { factsAlone } from '../../support/report/run-report';
import { tempFolder } from '../analyze/make-media';
import { resultsIn, steps } from '../report/run-messages';

const RATE = (runs: number): Basis => ({ soak: { runs, percent: 95 } });
const TIME: Basis = { soak: { runs: 1, underSeconds: 600 } };

function specOf(basis: Basis): Spec[] {
  const sentences = [{ text: 'it holds', basis }];
  const other = [{ text: 'it works', basis: { by: ['one'] } }];
  const requirements = [
    { id: '019-SC', text: 'all of it', sentences },
    { id: '019-A', text: 'a part', sentences: other },
  ];
  return [{ spec: '019', title: 'Two', requirements }];
}

/** A run of one scenario of spec 019, and of others. */
function run(
  end: End,
  { others = 0, ...more }: Partial<RepeatedRun> & { others?: number } = {},
): RepeatedRun {
  const scenarios = [
    { ids: ['019-A'], name: 'One' },
    ...Array.from({ length: others }, (_, index) => ({ ids: ['018-A'], name: `Other ${index}` })),
  ];
  return {
    ...{ name: 'run', seconds: 500, problems: [], specs: ['019'], revision: 'abc', images: {} },
    names: { version: HISTORY_VERSION, scenarios, broadcasts: [], figures: [], limited: [] },
    ends: end.repeat(scenarios.length),
    ...more,
  };
}

const times = (count: number, one: RepeatedRun): RepeatedRun[] =>
  Array.from({ length: count }, () => one);

async function verdict(basis: Basis, runs: RepeatedRun[]): Promise<SoakVerdict> {
  const [only, ...more] = await judgeRepeated(specOf(basis), runs);
  if (!only || more.length > 0) throw new Error('not one verdict');
  expect(only).to.include({ requirement: '019-SC', sentence: 'it holds' });
  return only;
}

async function stateOf(basis: Basis, runs: RepeatedRun[]): Promise<string> {
  return (await verdict(basis, runs)).state;
}

describe('how often repeated runs pass', () => {
  const mixed = (passed: number, failed: number): RepeatedRun[] => [
    ...times(passed, run('P')),
    ...times(failed, run('F')),
  ];

  for (const [passed, failed, state] of [
    [10, 0, 'passed'],
    [9, 1, 'failed'],
  ] as const) {
    it(`is ${state} at ${passed} of 10`, async () => {
      expect(await stateOf(RATE(10), mixed(passed, failed))).to.equal(state);
    });
  }

  for (const [passed, failed, state] of [
    [20, 0, 'passed'],
    [19, 1, 'passed'],
    [18, 2, 'failed'],
  ] as const) {
    it(`is ${state} at ${passed} of 20`, async () => {
      expect(await stateOf(RATE(20), mixed(passed, failed))).to.equal(state);
    });
  }

  it('says what failed', async () => {
    const { what, seen } = await verdict(RATE(10), mixed(9, 1));
    expect(what).to.equal('too few of the runs passed');
    expect(seen).to.equal('9 of 10 runs passed (90.0 %); run: failed: 019-A One');
  });

  it('is not shown by fewer runs than the spec has', async () => {
    const few = await verdict(RATE(10), mixed(9, 0));
    expect(few.state).to.equal('not shown');
    expect(few.seen).to.equal('9 of 9 recorded runs');
    expect(await stateOf(RATE(20), mixed(19, 0))).to.equal('not shown');
  });

  it('is not shown by runs of a part of the spec', async () => {
    const parts = [...times(9, run('P')), ...times(3, run('P', { specs: ['018'] }))];
    const { state, seen } = await verdict(RATE(10), parts);
    expect([state, seen]).to.deep.equal(['not shown', '9 of 12 recorded runs']);
  });

  it('says how many runs a history has, of whatever scenarios', async () => {
    const [one] = await judgeRepeated(specOf(RATE(10)), times(30, run('P', { specs: [] })), true);
    expect([one?.state, one?.seen]).to.deep.equal(['not shown', '0 of 30 recorded runs']);
  });

  it('counts skipped scenarios, required ones that are not shown, and problems as not passed', async () => {
    const broken = run('-', { problems: ['the run was interrupted'] });
    for (const bad of [run('S'), run('M'), run('P', { problems: ['not stopped'] }), broken]) {
      expect(await stateOf(RATE(10), [...times(9, run('P')), bad])).to.equal('failed');
    }
    expect(await stateOf(RATE(10), times(10, run('N')))).to.equal('passed');
    expect(await stateOf(RATE(10), times(10, run('R')))).to.equal('passed');
  });

  it('leaves failures of other specs out', async () => {
    expect(await stateOf(RATE(10), times(10, run('P', { others: 1, ends: 'PF' })))).to.equal(
      'passed',
    );
  });

  it('is that of the last runs of the spec in a history', async () => {
    const part = run('F', { specs: [] });
    const runs = [...times(30, run('F')), ...times(5, run('P')), part, ...times(5, run('P'))];
    const judgeLast = async (): Promise<string[]> => {
      const [one] = await judgeRepeated(specOf(RATE(10)), runs, true);
      return [one?.state ?? '', one?.seen ?? ''];
    };
    expect(await judgeLast()).to.deep.equal(['passed', '10 of 10 runs passed (100.0 %)']);
    runs.push(run('F'));
    expect(await judgeLast()).to.deep.equal([
      'failed',
      '9 of 10 runs passed (90.0 %); run: failed: 019-A One',
    ]);
  });
});

describe('how long repeated runs take', () => {
  for (const [seconds, state] of [
    [599, 'passed'],
    [600, 'failed'],
    [601, 'failed'],
  ] as const) {
    it(`is ${state} at ${seconds} s`, async () => {
      expect(await stateOf(TIME, [run('P', { seconds })])).to.equal(state);
    });
  }

  it('is that of the slowest', async () => {
    const slow = run('P', { name: 'slow', seconds: 601 });
    const { state, seen } = await verdict(TIME, [run('P'), slow]);
    expect([state, seen]).to.deep.equal(['failed', 'slow: 601 s']);
  });

  it('is not shown by a longer run that had scenarios of other specs as well', async () => {
    const long = run('P', { seconds: 601, others: 1 });
    const { state, what } = await verdict(TIME, [long]);
    expect([state, what]).to.deep.equal([
      ...['not shown', 'the runs had scenarios of other specs as well'],
    ]);
    expect(await stateOf(TIME, [{ ...long, seconds: 599 }])).to.equal('passed');
  });
});

describe('the pass rates of scenarios', () => {
  it('name those that did not always pass, the worst first', () => {
    const rates = passRates([
      run('P', { others: 2, ends: 'PFP' }),
      run('P', { others: 1, ends: 'PF' }),
      run('F', { others: 2, ends: 'FPN' }),
    ]);
    expect(passRatesInWords(rates)).to.deep.equal([
      ...['1 of 3 (33 %): 018-A Other 0', '2 of 3 (67 %): 019-A One'],
      '1 of 3 scenarios passed in every run',
    ]);
    expect(rates.map(({ ran, ends }) => [ran, ends])).to.deep.equal([
      ...[
        [3, 'FFP'],
        [3, 'PPF'],
        [1, 'P--'],
      ],
    ]);
  });

  it('tell those that are flaky: by a retry, or both ways with the same services', () => {
    const flaky = (...runs: RepeatedRun[]): number | undefined => passRates(runs)[0]?.flaky;
    expect(flaky(run('P'), run('R'), run('P'))).to.equal(1);
    expect(flaky(run('P'), run('F'), run('F'))).to.equal(2);
    expect(flaky(run('P'), run('F', { revision: 'def' }))).to.equal(0);
    expect(flaky(run('P'), run('F', { images: { sts: 'sha256:1' } }))).to.equal(0);
    const changed = { revision: 'abc-dirty' };
    expect(flaky(run('P', changed), run('F', changed))).to.equal(0);
  });
});

describe('recorded runs', () => {
  const folder = tempFolder();

  it('are read from their results', () => {
    const told = [
      { name: 'One', tags: ['@019-A'] },
      { name: 'Two', tags: ['@019-B'], steps: steps('FAILED') },
      { name: 'Three', tags: ['@018-C'], isLeftOut: true },
    ];
    const specs = ['018', '019'].map((spec) => ({ spec, title: '', requirements: [] }));
    const recordIn = (name: string, isBrokenOff = false): ReturnType<typeof recordOf> => {
      const part = resultsIn(join(folder, name), told, undefined, isBrokenOff);
      return recordOf([part], factsAlone(part), specs);
    };
    const record = recordIn('one');
    expect(record).to.deep.include({
      ...{ seconds: 100, revision: 'abc', outcome: 'failed', problems: [], known: 3 },
      ...{ startedAt: '1970-01-01T00:16:40.000Z', specs: ['019'], ends: 'PF' },
    });
    expect(scenariosOf(record).map(({ name, end }) => `${name} ${end}`)).to.deep.equal([
      ...['One P', 'Two F'],
    ]);
    const broken = recordIn('two', true);
    expect(broken).not.to.have.property('seconds');
    expect(broken).to.deep.include({
      ...{ outcome: 'interrupted', problems: ['the run was interrupted'] },
      verdict: 'No end: 1 of 2 scenarios passed, 1 failed, 0 not run.',
    });
  });

  it('are judged by the command, which writes the record for reports', async () => {
    const runs = ['a', 'b'].map((name) => join(folder, name));
    runs.forEach((one) => resultsIn(one, [{ name: 'One', tags: ['@019-US1-1'] }]));
    const script = ['-r', './support/base/typescript.cjs', 'tools/soak.ts', '--recorded', ...runs];
    const { stdout, exitCode } = await execa(process.execPath, script, {
      ...{ cwd: projectRoot, env: { REPORTS_DIR: folder } },
    });
    expect(exitCode).to.equal(0);
    expect(stdout).to.contain('1 of 1 scenarios passed, 100 s');
    expect(stdout).to.contain('019-SC, "95 percent of 10 runs pass": not shown');
    const record = readSoakRecord(join(folder, 'soak.json'));
    expect(record.map(({ state }) => state)).to.deep.equal(Array(4).fill('not shown'));
  });
});
