import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { execa } from 'execa';

import { projectRoot } from '../../support/config';
import type { Basis, Spec } from '../../support/report/requirements';
import { readSoakRecord, type SoakVerdict } from '../../support/report/soak-record';
import { judgeRuns, passRates, type RecordedRun, recordedRun } from '../../tools/soak-judge';
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

type Outcome = RecordedRun['scenarios'][number]['outcome'];

/** A run of one scenario of spec 019, and of others. */
function run(
  outcome: Outcome,
  { others = 0, ...more }: Partial<RecordedRun> & { others?: number } = {},
): RecordedRun {
  const scenarios = [
    { title: '019-A One', place: 'a.feature:1', ids: ['019-A'], outcome },
    ...Array.from({ length: others }, (_, index) => ({
      ...{ title: `Other ${index}`, place: `b.feature:${index}`, ids: ['018-A'], outcome },
    })),
  ];
  const known = scenarios.map(({ place, ids }) => ({ place, ids }));
  return { name: 'run', seconds: 500, scenarios, known, problems: [], ...more };
}

const times = (count: number, one: RecordedRun): RecordedRun[] =>
  Array.from({ length: count }, () => one);

async function verdict(basis: Basis, runs: RecordedRun[]): Promise<SoakVerdict> {
  const [only, ...more] = await judgeRuns(specOf(basis), runs);
  if (!only || more.length > 0) throw new Error('not one verdict');
  expect(only).to.include({ requirement: '019-SC', sentence: 'it holds' });
  return only;
}

async function stateOf(basis: Basis, runs: RecordedRun[]): Promise<string> {
  return (await verdict(basis, runs)).state;
}

describe('how often repeated runs pass', () => {
  const mixed = (passed: number, failed: number): RecordedRun[] => [
    ...times(passed, run('passed')),
    ...times(failed, run('failed')),
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
    const left = { place: 'a.feature:9', ids: ['019-B'] };
    const part = run('passed');
    const withoutOne = { ...part, known: [...part.known, left] };
    expect(await stateOf(RATE(10), times(10, withoutOne))).to.equal('not shown');
    const otherSpec = { ...part, scenarios: [], known: [] };
    expect(await stateOf(RATE(10), times(10, otherSpec))).to.equal('not shown');
    const ofOther = times(10, {
      ...part,
      scenarios: part.scenarios.map((one) => ({ ...one, ids: ['019-SC'] })),
    });
    expect(await stateOf(RATE(10), ofOther)).to.equal('not shown');
  });

  it('counts skipped scenarios, problems and runs without an end as not passed', async () => {
    const broken = { name: 'broken', scenarios: [], known: [], problems: ['no results'] };
    for (const bad of [run('skipped'), run('passed', { problems: ['not stopped'] }), broken]) {
      expect(await stateOf(RATE(10), [...times(9, run('passed')), bad])).to.equal('failed');
    }
    const interrupted = run('passed', { seconds: undefined });
    expect(await stateOf(RATE(10), [...times(9, run('passed')), interrupted])).to.equal('failed');
    expect(await stateOf(RATE(10), times(10, run('not shown')))).to.equal('passed');
  });

  it('leaves failures of other specs out', async () => {
    const [own] = run('passed').scenarios;
    const foreign = run('failed', { others: 1 });
    const [, other] = foreign.scenarios;
    if (!own || !other) throw new Error('no scenarios');
    const runs = times(10, { ...foreign, scenarios: [own, other] });
    expect(await stateOf(RATE(10), runs)).to.equal('passed');
  });
});

describe('how long repeated runs take', () => {
  for (const [seconds, state] of [
    [599, 'passed'],
    [600, 'failed'],
    [601, 'failed'],
  ] as const) {
    it(`is ${state} at ${seconds} s`, async () => {
      expect(await stateOf(TIME, [run('passed', { seconds })])).to.equal(state);
    });
  }

  it('is that of the slowest', async () => {
    const slow = run('passed', { name: 'slow', seconds: 601 });
    const { state, seen } = await verdict(TIME, [run('passed'), slow]);
    expect([state, seen]).to.deep.equal(['failed', 'slow: 601 s']);
  });

  it('is not shown by a longer run that had scenarios of other specs as well', async () => {
    const long = run('passed', { seconds: 601, others: 1 });
    const { state, what } = await verdict(TIME, [long]);
    expect([state, what]).to.deep.equal([
      ...['not shown', 'the runs had scenarios of other specs as well'],
    ]);
    expect(await stateOf(TIME, [{ ...long, seconds: 599 }])).to.equal('passed');
  });
});

describe('the pass rates of scenarios', () => {
  it('name those that did not always pass, the worst first', () => {
    const runs = [run('passed', { others: 1 }), run('passed', { others: 1 }), run('failed')];
    const worse = { title: 'Worse', place: 'c.feature:1', ids: [] };
    const [first, second, third] = runs.map((one, index) => ({
      ...one,
      scenarios: [
        ...one.scenarios,
        { ...worse, outcome: index === 0 ? 'passed' : 'failed' } as const,
      ],
    }));
    if (!first || !second || !third) throw new Error('no runs');
    expect(passRates([first, second, third])).to.deep.equal([
      ...['1 of 3 (33 %): Worse', '2 of 3 (67 %): 019-A One'],
      '1 of 3 scenarios passed in every run',
    ]);
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
    const { scenarios, known, ...run } = recordedRun('a run', resultsIn(join(folder, 'one'), told));
    expect(run).to.deep.equal({ name: 'a run', seconds: 100, problems: [] });
    expect(scenarios.map(({ title, outcome }) => [title, outcome])).to.deep.equal([
      ['019-A One', 'passed'],
      ['019-B Two', 'failed'],
    ]);
    expect(known.flatMap(({ ids }) => ids)).to.deep.equal(['019-A', '019-B', '018-C']);
    const broken = resultsIn(join(folder, 'two'), told, 'none', true);
    expect(recordedRun('broken off', broken, 90).seconds).to.equal(undefined);
  });

  it('are judged by the command, which writes the record for reports', async () => {
    const runs = ['a', 'b'].map((name) => join(folder, name));
    runs.forEach((one) => resultsIn(one, [{ name: 'One', tags: ['@019-US1-1'] }]));
    const script = ['-r', 'ts-node/register', 'tools/soak.ts', '--recorded', ...runs];
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
