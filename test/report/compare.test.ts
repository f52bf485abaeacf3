import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';

import { projectRoot } from '../../support/config';
import { SuiteError } from '../../support/base/errors';
import {
  comparedScenario,
  type ComparedRun,
  type Comparison,
  type ComparedScenario,
  compareRuns,
  comparisonText,
  namedBroadcast,
  readComparedRun,
  type Row,
} from '../../support/report/compare';
import { EVIDENCE_VERSION } from '../../support/broadcast/record';
import { type PartialRequest, requestOf } from '../../support/broadcast/request';
import { recordOf } from '../../support/history/record-of-run';
import type { RunRecord } from '../../support/history/run-record';
import { appendRun } from '../../support/history/store';
import type { BroadcastFigures } from '../../support/report/facts';
import { readRequirements } from '../../support/report/requirements';
import { factsAlone, readPart } from '../../support/report/run-report';
import type { ScenarioResult, Status } from '../../support/report/scenario-results';

const FIGURES: BroadcastFigures = {
  ...{ fragmentsSent: 10, fragmentsAnswered: 10, tookSeconds: 69, outputReadySeconds: 8 },
  ...{ endToEndSeconds: 9, answerP50Ms: 1200, answerP95Ms: 1800, answerMaxMs: 2000 },
  ...{ offsetWorstMs: -20, offsetP50Ms: 5, offsetP95Ms: 18, driftMs: 2 },
  ...{ leastCorrelation: 0.97, leastHeardShare: 1, mostOriginal: 0.05 },
  ...{ wordErrorRate: 0.04, chrf: 0.7, loudnessLufs: -18 },
  ...{ spokenErrorRate: 0.08, leastLanguageProbability: 0.9 },
};

function scenario(name: string, status: Status = 'PASSED', line = 10): ComparedScenario {
  const result: ScenarioResult = {
    ...{ name, status, tags: ['@021', '@021-US2-5', '@P1'], place: `features/a.feature:${line}` },
    ...{ feature: 'A', steps: [], message: '', skipReason: undefined, judgedBy: [], seconds: 1 },
  };
  return comparedScenario(result);
}

const DROPPED: PartialRequest = {
  faults: [{ on: { first: 0, last: null }, does: 'drop' }],
};

const named = (asked: PartialRequest): ReturnType<typeof namedBroadcast> =>
  namedBroadcast({ request: requestOf(asked), fixtureScript: 'fixtures/1-min-nfl.yaml' });

type Changes = { [K in keyof BroadcastFigures]?: BroadcastFigures[K] | undefined };

/** A run of one broadcast; without figures where it has none. */
function run(changes: Changes | undefined, asked: PartialRequest = {}): ComparedRun {
  const figures = changes && ({ ...FIGURES, ...changes } as BroadcastFigures);
  return {
    ...{ folder: 'reports', seconds: 400, scenarios: [scenario('one')] },
    broadcasts: [{ ...named(asked), figures }],
  };
}

function moved(a: ComparedRun, b: ComparedRun): string[] {
  return compareRuns(a, b)
    .rows.filter(({ change }) => change !== 'within noise')
    .map(({ figure, change }) => `${figure}: ${change}`);
}

describe('of two runs', () => {
  it('nothing is different when they are alike', () => {
    const comparison = compareRuns(run({}), run({}));
    expect(comparison).to.include({ gotWorse: 0 });
    expect(comparison.scenarios).to.deep.equal([]);
    expect(comparison.broadcasts).to.deep.equal([]);
    // All figures, and the time of the run.
    expect(comparison.rows).to.have.length(Object.keys(FIGURES).length + 1);
    expect(new Set(comparison.rows.map(({ change }) => change))).to.deep.equal(
      new Set(['within noise']),
    );
  });

  it('noise is up to the limit of each figure, and more is not', () => {
    for (const key of Object.keys(FIGURES) as (keyof BroadcastFigures)[]) {
      const [lost] = compareRuns(run({}), run({ [key]: undefined })).rows;
      const { limit = NaN, figure } = lost ?? {};
      const value = FIGURES[key] ?? NaN;
      // Away from 0, as offsets are told without their signs.
      const by = (difference: number): string[] =>
        moved(run({}), run({ [key]: value + (value < 0 ? -difference : difference) }));
      expect(by(0.99 * limit), figure).to.deep.equal([]);
      expect(by(1.01 * limit + 0.001), figure).to.have.length(1);
    }
  });

  it('the better direction is that of the figure', () => {
    const better = { answerP50Ms: 500, chrf: 0.9, wordErrorRate: -0.1, outputReadySeconds: 5 };
    expect(moved(run({}), run(better))).to.have.members([
      ...['latency per fragment, p50: better', 'output ready: better', 'word error rate: better'],
      'chrF: better',
    ]);
    expect(compareRuns(run({}), run(better)).gotWorse).to.equal(0);
    expect(moved(run(better), run({}))).to.have.members([
      ...[
        'latency per fragment, p50: worse',
        'output ready: worse',
        'word error rate: worse',
        'chrF: worse',
      ],
    ]);
    expect(compareRuns(run(better), run({})).gotWorse).to.equal(4);
  });

  it('offsets are farther from 0 or closer to it, on whichever side', () => {
    expect(moved(run({}), run({ offsetWorstMs: 22 }))).to.deep.equal([]);
    expect(moved(run({}), run({ offsetWorstMs: 60 }))).to.deep.equal([
      'A/V offset, worst: farther',
    ]);
    expect(moved(run({ offsetWorstMs: 60 }), run({}))).to.deep.equal(['A/V offset, worst: closer']);
  });

  it('another loudness is neither better nor worse', () => {
    const comparison = compareRuns(run({}), run({ loudnessLufs: -25 }));
    expect(comparison.rows[0]).to.include({ figure: 'loudness', change: 'moved', difference: -7 });
    expect(comparison.gotWorse).to.equal(0);
  });

  it('fragments are counted exactly, but of disturbed broadcasts', () => {
    const [ten, nine, eight] = [10, 9, 8].map((fragmentsAnswered) => ({ fragmentsAnswered }));
    const fewer = ['fragments answered: worse'];
    expect(moved(run(ten), run(nine))).to.deep.equal(fewer);
    const asked: PartialRequest = { refusesOutput: true };
    expect(moved(run(ten, asked), run(nine, asked))).to.deep.equal([]);
    expect(moved(run(ten, asked), run(eight, asked))).to.deep.equal(fewer);
  });

  it('times are compared of broadcasts only that were not disturbed, and that are long enough', () => {
    const slow = { answerP50Ms: 9000, endToEndSeconds: 20, tookSeconds: 90 };
    expect(moved(run({}), run(slow))).to.have.length(3);
    for (const asked of [DROPPED, { refusesOutput: true }, { cutOffAfterSeconds: 5 }]) {
      expect(moved(run({}, asked), run(slow, asked))).to.deep.equal([]);
    }
    const [short, slower] = [{ fragmentsSent: 2 }, { ...slow, fragmentsSent: 2 }];
    expect(moved(run(short), run(slower))).to.deep.equal([]);
  });

  it('times are not praised where fewer segments are dubbed or heard', () => {
    const quick = { answerP50Ms: 200, endToEndSeconds: 5, tookSeconds: 62 };
    const heard = { segmentsHeard: 10 };
    const better = ['answers', 'end to end', 'took'].length;
    expect(moved(run(heard), run({ ...quick, ...heard }))).to.have.length(better);
    expect(moved(run(heard), run({ ...quick, segmentsHeard: 5 }))).to.deep.equal([
      'segments heard dubbed: worse',
    ]);
    expect(moved(run({}), run({ ...quick, fragmentsAnswered: 6 }))).to.deep.equal([
      'fragments answered: worse',
    ]);
    // A run that was recorded before segments were counted.
    expect(moved(run({}), run({ ...quick, ...heard }))).to.include('segments heard dubbed: found');
  });

  it('a figure that is not there any more is lost, and one that was not is found', () => {
    expect(moved(run({}), run({ chrf: undefined }))).to.deep.equal(['chrF: lost']);
    expect(moved(run({ chrf: undefined }), run({}))).to.deep.equal(['chrF: found']);
  });

  it('broadcasts belong together by their requests, and one that is missing is named', () => {
    const [a, b] = [
      run({}),
      run(
        { chrf: 0.2 },
        { ...DROPPED, seconds: 12, composition: { echoSegmentSeconds: 2 }, use: 1 },
      ),
    ];
    const { broadcasts, rows } = compareRuns(a, b);
    expect(broadcasts).to.deep.equal([
      { broadcast: '1-min-nfl', missing: 'broadcast', in: 'RUN_B' },
      {
        broadcast:
          '1-min-nfl, its first 12 s, Echo STS in segments of 2 s, broadcast 2 of it – every fragment: the answer is dropped',
        ...{ missing: 'broadcast', in: 'RUN_A' },
      },
    ]);
    expect(rows.map(({ figure }) => figure)).to.deep.equal(['took']);
  });

  it('missing figures are worse only where there were some', () => {
    const [some, none] = [run({}), run(undefined)];
    const compared = [compareRuns(some, none), compareRuns(none, some), compareRuns(none, none)];
    expect(compared.map(({ broadcasts }) => broadcasts[0]?.in)).to.deep.equal([
      ...['RUN_B', 'RUN_A', 'both'],
    ]);
    expect(compared.map(({ gotWorse }) => gotWorse)).to.deep.equal([1, 0, 0]);
    expect(comparisonText(compareRuns(some, none), false)).to.include(
      'Figures are missing: npm run report -- reports makes them.',
    );
  });

  it('scenarios are named that fail, pass, are gone or new', () => {
    const before = ['passing', 'failing', 'gone', 'skipped', 'same', 'same'].map((name) =>
      scenario(name, name === 'failing' ? 'FAILED' : 'PASSED'),
    );
    const now = [
      ...[scenario('passing', 'UNDEFINED', 4), scenario('failing'), scenario('new')],
      ...[scenario('skipped', 'SKIPPED'), scenario('same'), scenario('same', 'FAILED')],
    ];
    const comparison = compareRuns(
      { ...run({}), scenarios: before },
      { ...run({}), scenarios: now, seconds: 800 },
    );
    expect(comparison.scenarios.map(({ change, name }) => `${change}: ${name}`)).to.deep.equal([
      ...['newly failed: passing', 'newly failed: same', 'newly skipped: skipped', 'gone: gone'],
      ...['newly passed: failing', 'new: new'],
    ]);
    expect(comparison.scenarios[0]).to.deep.include({
      ...{ ids: ['021-US2-5'], place: 'features/a.feature:4' },
    });
    expect(comparison.gotWorse).to.equal(4);
    // Other scenarios take another time.
    expect(comparison.rows.map(({ broadcast }) => broadcast)).to.not.include('the whole run');
  });

  it('the time of the run may be a tenth longer', () => {
    const time = (seconds: number | undefined): Row | undefined =>
      compareRuns(run({}), { ...run({}), seconds }).rows.find(
        ({ broadcast }) => broadcast === 'the whole run',
      );
    expect(time(439)).to.include({ change: 'within noise', difference: 39 });
    expect(time(441)).to.include({ change: 'worse', limit: 40 });
    expect(time(undefined)).to.be.undefined;
  });

  it('the time of a run of seconds may be three seconds longer', () => {
    const time = (seconds: number): string | undefined =>
      compareRuns({ ...run({}), seconds: 2 }, { ...run({}), seconds }).rows.find(
        ({ broadcast }) => broadcast === 'the whole run',
      )?.change;
    expect([time(4.9), time(5.1)]).to.deep.equal(['within noise', 'worse']);
  });

  it('a figure of the benchmark may be a fifth larger, where both runs have it', () => {
    const measured = (value: number): ComparedRun => ({
      ...run({}),
      benchmark: [{ name: 'run / its longest broadcast', value, unit: '' }],
    });
    const row = (a: ComparedRun, b: ComparedRun): Row | undefined =>
      compareRuns(a, b).rows.find(({ broadcast }) => broadcast === 'the benchmark');
    expect(row(measured(4), measured(4.7))?.change).to.equal('within noise');
    expect(row(measured(4), measured(4.9))).to.include({ change: 'worse', a: 4, b: 4.9 });
    expect(row(measured(4), measured(3.1))?.change).to.equal('better');
    expect(row(measured(4), run({}))).to.be.undefined;
    expect(row(run({}), measured(4))).to.be.undefined;
  });

  it('what is worse is shown first, in columns, and noise only when it is asked for', () => {
    const comparison = compareRuns(run({}), run({ wordErrorRate: 0.3, answerP50Ms: 500 }));
    const lines = comparisonText(comparison, false).split('\n');
    const noise = comparison.rows.length - 2;
    expect(lines).to.deep.equal([
      ...['RUN_A  reports', 'RUN_B  reports', ''],
      'FIGURE                               RUN_A   RUN_B  DIFFERENCE  NOISE UP TO  BROADCAST',
      'worse   word error rate               0.04    0.30       +0.26         0.05  1-min-nfl',
      'better  latency per fragment, p50  1200 ms  500 ms     -700 ms       250 ms  1-min-nfl',
      ...['', `${noise} figures within noise.`, '1 thing got worse.'],
    ]);
    expect(comparisonText(comparison, true).split('\n')).to.have.length(lines.length + noise);
  });
});

describe('npm run compare', () => {
  const folder = mkdtempSync(join(tmpdir(), 'compare-test-'));
  after(() => rmSync(folder, { recursive: true }));
  const compare = (...args: string[]): ReturnType<typeof spawnSync> =>
    spawnSync(
      process.execPath,
      ['-r', './support/base/typescript.cjs', 'tools/compare.ts', ...args],
      {
        ...{ cwd: projectRoot, encoding: 'utf8' },
      },
    );
  /** A results folder with one broadcast of one scenario. */
  const results = (name: string, status: Status, figures: BroadcastFigures | undefined): string => {
    const path = join(folder, name);
    const evidence = join(path, 'evidence/test_1');
    mkdirSync(evidence, { recursive: true });
    const at = (seconds: number): object => ({ timestamp: { seconds, nanos: 0 } });
    const step = { testCaseStartedId: 'started', testStepId: 'step' };
    const duration = { seconds: 1, nanos: 0 };
    const messages = [
      { testRunStarted: at(0) },
      {
        pickle: { id: 'p', uri: 'a.feature', name: 'one', steps: [], tags: [], astNodeIds: ['s'] },
      },
      { testCase: { id: 'case', pickleId: 'p', testSteps: [{ id: 'step' }] } },
      { testCaseStarted: { id: 'started', testCaseId: 'case', attempt: 0, ...at(0) } },
      { testStepFinished: { ...step, testStepResult: { status, duration }, ...at(1) } },
      { testCaseFinished: { testCaseStartedId: 'started', ...at(1) } },
      { testRunFinished: { success: true, ...at(400) } },
    ];
    const lines = messages.map((message) => JSON.stringify(message));
    writeFileSync(join(path, 'messages.ndjson'), lines.join('\n'));
    writeFileSync(
      join(evidence, 'run.json'),
      JSON.stringify({
        ...{ version: EVIDENCE_VERSION, stream: 'test_1', request: {}, startedAt: '' },
        ...{ outcome: { kind: 'output ended' }, runtime: 'host', monitor: 'tap', problems: [] },
        ...{ fixtureScript: 'fixtures/1-min-nfl.yaml', fixtureFile: '', durationSeconds: 60 },
        ...{ segmentSeconds: 6, faultSeed: 1, finishedAt: 1, times: {} },
        publisher: { exitCode: 0, stderr: '' },
      }),
    );
    if (figures) {
      writeFileSync(
        join(evidence, 'facts.json'),
        JSON.stringify({
          ...{ stream: 'test_1', title: '1-min-nfl', startedAt: '', outcome: '', isComplete: true },
          ...{ name: '1-min-nfl', language: 'en', clip: '', unsent: [] },
          coverage: { segments: 10, lost: [] },
          exchange: { breaker: [], lostAtSeconds: [], fallbacks: [] },
          ...{ durationSeconds: 60, segmentSeconds: 6, faults: [], problems: [], missing: {} },
          ...{ fragments: [], verdicts: [], events: [], series: [], histograms: [], log: [] },
          ...{ files: [], figures },
        }),
      );
    }
    return path;
  };

  it('reads the results of two runs, and exits with 1 when something got worse', () => {
    const [a, b] = [results('a', 'PASSED', FIGURES), results('b', 'FAILED', FIGURES)];
    const same = compare(a, a);
    expect([same.status, same.stdout]).to.deep.equal([
      ...[0, `RUN_A  ${a}\nRUN_B  ${a}\n\n21 figures within noise.\nNothing got worse.\n`],
    ]);
    const failed = compare(a, b, '--json');
    expect(failed.status).to.equal(1);
    expect(JSON.parse(String(failed.stdout))).to.deep.include({
      ...{ a, b, gotWorse: 1, broadcasts: [] },
      scenarios: [{ change: 'newly failed', ids: [], name: 'one', place: 'a.feature:' }],
    });
  });

  /** The run of a results folder with other figures, as the history has it. */
  const remembered = (path: string, run: string, changes: Changes): RunRecord => {
    const part = readPart(path);
    const record = recordOf([part], factsAlone(part), readRequirements());
    const figures = Object.keys(FIGURES) as (keyof BroadcastFigures)[];
    const values = { ...FIGURES, ...changes };
    return {
      ...{ ...record, run, figures: [figures.map((key) => values[key] ?? null)] },
      names: { ...record.names, broadcasts: [named({})], figures },
    };
  };

  it('compares with the median of the last runs of the history, and exits with 1 when it is worse', () => {
    const [path, file] = [results('now', 'PASSED', FIGURES), join(folder, 'last/history.ndjson')];
    // Of the last three, the median has a word error rate of 0.2; of all four of 0.12.
    [0.01, 0.04, 0.2, 0.3].forEach((wordErrorRate, index) =>
      appendRun(file, remembered(path, `run ${index}`, { wordErrorRate })),
    );
    const three = compare(path, '--last', '3', '--history', file, '--json');
    expect(JSON.parse(String(three.stdout))).to.deep.include({ b: path, gotWorse: 0 });
    const { a, rows } = JSON.parse(String(three.stdout)) as Comparison;
    expect(a).to.equal('median of 3 runs from 1970-01-01 00:00 UTC to 1970-01-01 00:00 UTC');
    const better = rows.find(({ figure }) => figure === 'word error rate');
    expect(better).to.include({ change: 'better', a: 0.2, b: 0.04 });
    const [good, bad] = [join(folder, 'good.ndjson'), results('bad', 'FAILED', FIGURES)];
    ['one', 'two'].forEach((run) => appendRun(good, remembered(path, run, { chrf: 0.9 })));
    const worse = compare(bad, '--last', '10', '--history', good);
    expect(worse.status, String(worse.stderr)).to.equal(1);
    expect(worse.stdout)
      .to.match(/^RUN_A {2}median of 2 runs/)
      .and.match(/newly failed +one/)
      .and.match(/worse +chrF +0\.90 +0\.70/)
      .and.contain('2 things got worse.');
  });

  it('says that no run of the history can be compared', () => {
    const [path, file] = [results('alone', 'PASSED', FIGURES), join(folder, 'others.ndjson')];
    appendRun(file, { ...remembered(path, 'docker', {}), runtime: 'docker' });
    const { seconds, ...interrupted } = remembered(path, 'interrupted', {});
    expect(seconds).to.equal(400);
    appendRun(file, interrupted);
    const { status, stderr } = compare(path, '--last', '3', '--history', file);
    expect(status).to.equal(2);
    expect(stderr).to.contain('there is no run in the history that this one can be compared with');
  });

  it('compares scenarios where there are no figures', () => {
    const path = results('without-figures', 'PASSED', undefined);
    expect(readComparedRun(path)).to.deep.include({
      broadcasts: [{ name: '1-min-nfl', isDisturbed: false, figures: undefined }],
      seconds: 400,
    });
  });

  it('refuses what is not one run, and says so', () => {
    const merged = join(folder, 'merged');
    mkdirSync(merged);
    writeFileSync(join(merged, 'index.html'), '');
    expect(() => readComparedRun(merged))
      .to.throw(SuiteError, /not the results of one run\n.*no messages\.ndjson/)
      .with.property('problem')
      .that.includes({ where: merged });
    const refused = compare(merged, merged);
    expect(refused.status).to.equal(2);
    expect(refused.stderr).to.include('of a report that was merged from shards, their folders');
  });

  it('exits with 2 for a usage error', () => {
    for (const args of [
      ['a', 'b', 'c'],
      ['a', 'b', '--unheard-of'],
      ...[['a'], ['a', 'b', '--last', '3'], ['a', '--last', '0'], ['a', '--last', '1.5']],
    ]) {
      const { status, stderr } = compare(...args);
      expect([status, String(stderr)], args.join(' ')).to.satisfy(
        ([code, text]: [number, string]) => code === 2 && text.includes('usage: npm run compare'),
      );
    }
  });
});
