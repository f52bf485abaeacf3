import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';
import { execa } from 'execa';

import { EVIDENCE_VERSION } from '../../support/broadcast/record';
import { addVerdict, type VerdictLine } from '../../support/checks/verdict-log';
import { projectRoot } from '../../support/config';
import { passRates } from '../../support/history/repeated-runs';
import { rememberBegin, remembering } from '../../support/history/remember';
import { endsIn, nearestIn, OUTCOMES, type RunRecord } from '../../support/history/run-record';
import { readHistory } from '../../support/history/store';
import type { RunFacts } from '../../support/report/facts';
import { countsOf, type ResultsPart, verdictOf } from '../../support/report/run-report';
import type { Outcome } from '../../support/report/scenario-results';
import { writeReports } from '../../support/report/write-reports';
import { tempFolder } from '../analyze/make-media';
import { NOTHING } from '../report/broadcast-page-data';
import { partOf, resultsIn, steps, type Told } from '../report/run-messages';

const TOLD: Told[] = [
  { name: 'Fine', tags: ['@019-A'] },
  { name: 'Retried', tags: ['@019-B'], failedBefore: 'AssertionError: the first attempt' },
  { name: 'Broken', tags: ['@019-C'], steps: steps('FAILED') },
  { name: 'Left', steps: steps('SKIPPED'), skipReason: 'no clip' },
  { name: 'Unable', steps: steps('SKIPPED'), notShown: 'no networks' },
  { name: 'Not asked for', isLeftOut: true },
];

/** The evidence of a broadcast with this request. */
function writeEvidence(path: string, stream: string, request: object): void {
  mkdirSync(path, { recursive: true });
  const figures = { fragmentsSent: 0, fragmentsAnswered: 0 };
  writeFileSync(join(path, 'facts.json'), JSON.stringify({ ...NOTHING, figures, stream }));
  writeFileSync(
    join(path, 'run.json'),
    JSON.stringify({
      ...{ version: EVIDENCE_VERSION, stream, request },
      ...{ outcome: { kind: 'output ended' }, runtime: 'host', monitor: 'tap', problems: [] },
      ...{ fixtureScript: 'fixtures/1-min-nfl.yaml', fixtureFile: '', durationSeconds: 60 },
      ...{ segmentSeconds: 6, faultSeed: 1, finishedAt: 1, times: {}, startedAt: '' },
      publisher: { exitCode: 0, stderr: '' },
    }),
  );
}

function verdictOn(stream: string, value: number, limit: number): VerdictLine {
  const about = { title: 'The A/V offset', where: 'here', what: '', seen: '', expected: '' };
  return {
    stream,
    verdict: {
      ...{ ...about, criterion: 'av-offset', state: 'passed', limit: null, deviations: [] },
      figure: { name: 'A/V offset', value, limit, unit: 'ms', holds: 'below' },
    },
  };
}

describe('what the history has of a run', () => {
  const folder = tempFolder();
  let files = 0;

  /** Makes the report of a run, and adds it to a history of its own. */
  async function reported(
    name: string,
    parts: readonly ResultsPart[],
    isShard = false,
  ): Promise<{ facts: RunFacts; runs: RunRecord[]; file: string }> {
    const file = join(folder, `history-${(files += 1)}.ndjson`);
    const repeated = remembering({ historyFile: file });
    const to = join(folder, name);
    mkdirSync(to, { recursive: true });
    const { facts } = await writeReports(to, parts, { isShard, repeated });
    return { facts, runs: readHistory([file]).runs, file };
  }

  const count = ({ ends }: RunRecord, outcome: Outcome): number =>
    endsIn(ends).filter((end) => end !== '-' && OUTCOMES[end] === outcome).length;

  /** The same verdict, and as many scenarios that have ended in each way. */
  function expectAlike(facts: RunFacts, run: RunRecord | undefined): void {
    if (!run) throw new Error('the run is not in it');
    const { text, outcome } = verdictOf(facts);
    expect([run.verdict, run.outcome]).to.deep.equal([text, outcome]);
    const counts = countsOf(facts.scenarios);
    for (const one of ['passed', 'failed', 'skipped', 'not shown'] as const) {
      expect(count(run, one), one).to.equal(counts[one]);
    }
    expect(run.seconds).to.equal(facts.seconds);
  }

  it('is what its report says, a scenario that passed at a retry with it', async () => {
    const { facts, runs } = await reported('whole', [resultsIn(join(folder, 'whole'), TOLD)]);
    expect(facts.hasHistory).to.equal(true);
    expectAlike(facts, runs[0]);
    expect(runs[0]).to.include({ ends: 'PRFSM', known: 6 });
    const retried = passRates(runs).find(({ title }) => title === '019-B Retried');
    expect(retried).to.include({ ran: 1, passed: 1, flaky: 1 });
  });

  it('is one run of several shards, and nothing of a shard alone', async () => {
    const told = (isSecond: boolean): Told[] =>
      TOLD.slice(0, 4).map((one, index) =>
        index % 2 === (isSecond ? 1 : 0) ? one : { ...one, isLeftOut: true },
      );
    const shards = [false, true].map((isSecond, index) =>
      resultsIn(join(folder, `shard-${index}`), told(isSecond), partOf({}, [index + 1, 2])),
    );
    const { facts, runs } = await reported('merged', shards);
    expect(runs).to.have.length(1);
    expectAlike(facts, runs[0]);
    expect(runs[0]).to.include({ ends: 'PRFS', known: 4 });
    const alone = await reported('shard-0', shards.slice(0, 1), true);
    expect(alone.facts).to.include({ hasHistory: false, soak: undefined });
    expect(existsSync(alone.file)).to.equal(false);
  });

  it('is nothing of recorded broadcasts that are judged again', async () => {
    const part = resultsIn(join(folder, 'replay'), TOLD, partOf({ isReplay: true }));
    const { facts, file } = await reported('replay', [part]);
    expect(facts.hasHistory).to.equal(false);
    const config = { reportsFolder: join(folder, 'replay'), historyFile: file, differing: {} };
    rememberBegin(part.collector, { ...config, evidenceFolder: 'reports/evidence' });
    expect(existsSync(file)).to.equal(false);
    rememberBegin(part.collector, { ...config, evidenceFolder: undefined });
    expect(readHistory([file]).runs).to.have.length(1);
  });

  it('is what an interrupted run has done, once its report is made', async () => {
    const [fine = { name: '' }, , broken = { name: '' }] = TOLD;
    const told = [fine, broken, { name: 'In the middle', steps: [], isBrokenOff: true }];
    const part = resultsIn(join(folder, 'killed'), told, 'none', true);
    const { facts, runs } = await reported('killed', [part]);
    expect(runs[0]).to.deep.include({
      ...{ outcome: 'interrupted', ends: 'PF-', problems: ['the run was interrupted'] },
      verdict: 'No end: 1 of 3 scenarios passed, 1 failed, 1 not run.',
    });
    expect(runs[0]).not.to.have.property('seconds');
    expect(verdictOf(facts).outcome).to.equal('failed');
    // What the end of the run came in the middle of is red in the report of that run, and says nothing of the services.
    expect(countsOf(facts.scenarios)).to.include({ passed: 1, failed: 2 });
    expect(passRates(runs).map(({ title }) => title)).not.to.include('In the middle');
  });

  it('has the images of all its services, those of every shard', async () => {
    const sts = { 'sts-service': 'sha256:1' };
    const media = { 'media-service': 'sha256:2' };
    const shards = [sts, media].map((one, index) => {
      const part = partOf({}, [index + 1, 2]);
      const environment = { ...part.environment, runsOn: 'docker', images: { ...one } };
      return resultsIn(join(folder, `image-${index}`), TOLD.slice(0, 1), { ...part, environment });
    });
    const { runs } = await reported('images', shards);
    expect(runs[0]).to.deep.include({ images: { ...sts, ...media }, runtime: 'docker' });
  });

  it('has of each criterion the figure that is nearest to its limit, by the verdicts of its report', async () => {
    const to = join(folder, 'figures');
    const evidence = ['stream_1', 'stream_2'].map((stream) => join('evidence', stream));
    evidence.forEach((one, index) => {
      writeEvidence(join(to, one), `stream_${index + 1}`, { use: index });
    });
    for (const [stream, value, limit] of [
      ['stream_1', 30, 120],
      ['stream_2', 60, 120],
      ['stream_2', 60, 80],
      ['stream_3', 119, 120],
    ] as const) {
      addVerdict(to, verdictOn(stream, value, limit));
    }
    const { facts, runs } = await reported('figures', [resultsIn(to, TOLD, partOf({ evidence }))]);
    expect(facts.broadcasts.map(({ stream }) => stream)).to.deep.equal(['stream_1', 'stream_2']);
    expect(runs.flatMap(nearestIn)).to.deep.equal([
      {
        ...{ criterion: 'av-offset', name: 'A/V offset', value: 60, limit: 80, unit: 'ms' },
        ...{ holds: 'below', broadcast: '1-min-nfl, broadcast 2 of it' },
      },
    ]);
  });

  it('has the figure of a broadcast that was made to go wrong where no other was judged by it', async () => {
    const nearest = async (name: string, disturbed: readonly boolean[]): Promise<number[]> => {
      const to = join(folder, name);
      const evidence = disturbed.map((isDisturbed, index) => {
        const stream = `stream_${index + 1}`;
        const path = join(to, 'evidence', stream);
        writeEvidence(path, stream, {
          use: index,
          ...(isDisturbed ? { cutOffAfterSeconds: 5 } : {}),
        });
        addVerdict(to, verdictOn(stream, isDisturbed ? 119 : 30, 120));
        return join('evidence', stream);
      });
      const { runs } = await reported(name, [resultsIn(to, TOLD, partOf({ evidence }))]);
      return runs.flatMap(nearestIn).map(({ value }) => value);
    };
    expect(await nearest('disturbed-one', [true, false])).to.deep.equal([30]);
    expect(await nearest('disturbed-all', [true])).to.deep.equal([119]);
  });

  it('is added by npm run report, of a shard alone and of a replay not', async () => {
    const report = async (...args: string[]): Promise<RunRecord[]> => {
      const file = join(folder, `history-${(files += 1)}.ndjson`);
      const script = ['-r', './support/base/typescript.cjs', 'scripts/report.ts', ...args];
      await execa(process.execPath, script, {
        ...{ cwd: projectRoot, env: { HISTORY_FILE: file }, reject: false },
      });
      return readHistory([file]).runs;
    };
    const shards = ['shard-0', 'shard-1'].map((name) => join(folder, name));
    const [first = ''] = shards;
    expect(await report(...shards, '--to', join(folder, 'again'))).to.have.length(1);
    expect(await report(first)).to.deep.equal([]);
    expect(await report(join(folder, 'replay'))).to.deep.equal([]);
  });
});
