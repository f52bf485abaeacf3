import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';
import { execa } from 'execa';

import { projectRoot } from '../../support/config';
import type { RunFacts, RunPart } from '../../support/report/facts';
import { readRequirements } from '../../support/report/requirements';
import { readPart, runFactsOf, verdictOf, type ResultsPart } from '../../support/report/run-report';
import { summaryOf } from '../../support/report/summary';
import { besidePage } from '../../support/report/showcase';
import { removeReports, writeReports } from '../../support/report/write-reports';
import { tempFolder } from '../analyze/make-media';
import { partOf, resultsIn, steps, type Told } from './run-messages';
import { NOTHING } from './broadcast-page-data';

const REQUIREMENTS = readRequirements();
const folder = tempFolder();
let runs = 0;

const passed: Told = {
  ...{ name: 'one that passes', tags: ['@021', '@021-US1-1'] },
  judged: {
    'composition-has': 'passed',
    'sts-starts-first': 'passed',
    'compositions-healthy': 'passed',
  },
};
const failed: Told = {
  name: 'one that fails',
  tags: ['@021-US1-2'],
  steps: [
    ...steps('PASSED'),
    { text: 'it is heard', status: 'FAILED', message: 'Error: a dub is not heard\n  seen: none' },
    ...steps('SKIPPED'),
  ],
};
const skipped: Told = {
  ...{ name: 'one that is skipped', tags: ['@021-US1-3'], steps: steps('SKIPPED') },
  skipReason: 'the file of the broadcast is missing\n  seen: no such file',
};

function results(told: Told[], part?: RunPart | 'none', isBrokenOff?: boolean): ResultsPart {
  return resultsIn(join(folder, `run-${(runs += 1)}`), told, part, isBrokenOff);
}

function factsOf(...parts: ResultsPart[]): RunFacts {
  return runFactsOf(parts, { broadcasts: [], problems: [], seconds: 0.5 });
}

/** The verdict on a run, or on the shards of one. */
function verdict(...parts: ResultsPart[]): string {
  const { text, outcome } = verdictOf(factsOf(...parts));
  expect(text.startsWith('Passed: '), text).to.equal(outcome === 'passed');
  return text;
}

describe('the verdict on a run', () => {
  it('is passed when all scenarios passed', () => {
    expect(verdict(results([passed, passed]))).to.equal(
      'Passed: 2 scenarios passed in 1 min 40 s.',
    );
  });

  it('is failed when one failed', () => {
    expect(verdict(results([passed, failed, skipped]))).to.equal(
      'Failed after 1 min 40 s: 1 of 3 scenarios passed, 1 failed, 1 skipped.',
    );
  });

  for (const status of ['UNDEFINED', 'AMBIGUOUS', 'PENDING', 'UNKNOWN']) {
    it(`is failed when a step is ${status.toLowerCase()}`, () => {
      const told = { name: 'one', steps: steps('PASSED', status) };
      expect(verdict(results([told]))).to.contain('0 of 1 scenario passed, 1 failed');
    });
  }

  it('is failed when a hook failed', () => {
    const told = { name: 'one', steps: steps('SKIPPED'), hook: 'Error: not set up' };
    expect(verdict(results([told]))).to.contain('1 failed');
  });

  it('is not passed when one was skipped', () => {
    expect(verdict(results([passed, skipped]))).to.equal(
      'Not a passed run: 1 of 2 scenarios passed, 1 skipped, which shows nothing.',
    );
  });

  it('is not passed when nothing ran', () => {
    expect(verdict(results([]))).to.equal('Not a passed run: no scenario ran.');
  });

  it('is not passed when it was interrupted between two scenarios', () => {
    expect(verdict(results([passed], 'none', true))).to.equal(
      'Not a passed run: 1 scenario passed, but the run was interrupted.',
    );
  });

  it('is not passed when it was killed in the middle of a line', () => {
    const { folder: killed } = results([passed], 'none', true);
    appendFileSync(join(killed, 'messages.ndjson'), '\n{"testCaseStar');
    expect(verdict(readPart(killed))).to.equal(
      'Not a passed run: 1 scenario passed, but the run was interrupted.',
    );
    const { folder: torn } = results([passed]);
    writeFileSync(join(torn, 'messages.ndjson'), '{"torn\n{"testRunFinished":{}}');
    expect(() => readPart(torn)).to.throw("not one of Cucumber's messages");
  });

  it('is failed when it was interrupted in a scenario', () => {
    const told = { ...passed, isBrokenOff: true };
    expect(verdict(results([passed, told], 'none', true))).to.equal(
      'Failed: 1 of 2 scenarios passed, 1 failed; the run was interrupted.',
    );
    expect(factsOf(results([told], 'none', true)).seconds).to.equal(undefined);
  });

  it('is not passed when something else went wrong', () => {
    const part = partOf({ problems: ['a service could not be stopped'] });
    expect(verdict(results([passed], part))).to.equal(
      'Not a passed run: 1 scenario passed, but a service could not be stopped.',
    );
    const more = partOf({ problems: ['one', 'another'] });
    expect(verdict(results([passed], more))).to.contain('but 2 problems are listed below');
  });

  it('is not passed when what is required is not shown, unless that is excluded', () => {
    const unable: Told = {
      ...{ name: 'unable', tags: ['@019-E7', '@P1'], steps: steps('SKIPPED') },
      notShown: 'RUNTIME: there are no networks',
    };
    const excluded = [{ id: '019-E7', because: 'we have none' }];
    const scope = (of: typeof excluded): RunPart =>
      partOf({
        scope: {
          ...{ scenarios: 2, notShown: [], untold: [] },
          policy: { fails: 'required', excluded: of },
        },
      });
    expect(verdict(results([passed, unable], scope([])))).to.equal(
      'Not a passed run: 1 of 2 scenarios passed, 1 required not shown.',
    );
    expect(verdict(results([passed, unable]))).to.match(/^Not a passed run/);
    const run = results([passed, unable], scope(excluded));
    expect(verdict(run)).to.equal(
      'Passed: 1 of 2 scenarios passed in 1 min 40 s. 1 scenario not shown.',
    );
    const summary = summaryOf(factsOf(run), REQUIREMENTS);
    expect(summary).to.contain('This configuration can show all 2 scenarios');
    expect(summary).to.contain('### Not shown: 1 scenario\n');
    expect(summary).to.contain('1 scenario: RUNTIME: there are no networks');
    expect(summary).to.contain('- 019-E7 unable (excluded: we have none)');
    expect(verdict(results([unable], scope(excluded)))).to.equal(
      'Not a passed run: no scenario can be shown by this configuration.',
    );
  });

  it('is not passed when it is given twice', () => {
    const run = results([passed]);
    expect(verdict(run, run)).to.equal(
      'Not a passed run: 2 scenarios passed, but 1 scenario more than once: not parts of one run.',
    );
  });

  it('is not passed when the verdicts are gone by which it passed', () => {
    const { folder: kept } = results([{ ...passed, judgedBy: ['stream'] }]);
    expect(verdict(readPart(kept))).to.match(/^Passed/);
    rmSync(join(kept, 'verdicts.ndjson'));
    expect(verdict(readPart(kept))).to.equal(
      'Not a passed run: 1 scenario passed, but verdicts.ndjson lacks those of 1 scenario that passed.',
    );
  });

  it('counts what was asked for and not run, where it was interrupted', () => {
    const left = { ...passed, name: 'left', isNotBegun: true };
    expect(verdict(results([failed, left], 'none', true))).to.equal(
      'Failed: 0 of 2 scenarios passed, 1 failed, 1 not run; the run was interrupted.',
    );
    expect(verdict(results([passed, left], 'none', true))).to.equal(
      'Not a passed run: 1 of 2 scenarios passed, 1 not run, but the run was interrupted.',
    );
  });

  it('takes shards for one run', () => {
    const parts = [1, 2, 3].map((index) => results([passed], partOf({}, [index, 3])));
    expect(verdict(...parts)).to.equal('Passed: 3 scenarios passed in 1 min 40 s.');
    expect(factsOf(...parts)).to.deep.include({ startedAtMs: 1_000_000, reportSeconds: 3.5 });
  });

  it('misses no other shard where one speaks for itself', () => {
    const shard = results([passed], partOf({}, [1, 2]));
    const facts = runFactsOf([shard], { broadcasts: [], problems: [], seconds: 0.5 }, true);
    expect(verdictOf(facts)).to.deep.equal({
      text: 'Passed: 1 scenario passed in 1 min 40 s. This is part 1 of 2.',
      outcome: 'passed',
    });
  });

  it('names a shard that is missing, is there twice, or is of another division', () => {
    const shard = (index: number, count: number): ResultsPart =>
      results([passed], partOf({}, [index, count]));
    expect(verdict(shard(1, 3), shard(3, 3))).to.contain('passed, but part 2 of 3 is missing');
    expect(verdict(shard(1, 2))).to.contain('but part 2 of 2 is missing');
    expect(factsOf(shard(1, 2), shard(1, 2)).problems).to.deep.equal([
      'part 1 of 2 is there 2 times',
      'part 2 of 2 is missing',
    ]);
    expect(verdict(shard(1, 2), shard(2, 3))).to.contain('do not belong together: of 2, of 3');
  });

  it('says which shard a problem is of', () => {
    const wrong = results([passed], partOf({ problems: ['a page is missing'] }, [2, 2]));
    expect(factsOf(results([passed], partOf({}, [1, 2])), wrong).problems).to.deep.equal([
      'part 2 of 2: a page is missing',
    ]);
  });
});

describe('what a run has written', () => {
  it('is refused where it is not what was written', () => {
    const run = results([passed]);
    writeFileSync(join(run.folder, 'part.json'), '{"evidence": 1}');
    expect(() => readPart(run.folder)).to.throw(/part\.json: this is not what a run has written/);
  });

  it('may be missing', () => {
    expect(results([passed], 'none').part).to.equal(undefined);
  });
});

describe('the summary of a run', () => {
  const nasty = 'a | b </details> `code` <b>*bold*</b> [link](x) @021';

  it('shows what failed, with what was seen', () => {
    const summary = summaryOf(factsOf(results([passed, failed, skipped])), REQUIREMENTS);
    expect(summary).to.match(
      /^## ✘ Failed after 1 min 40 s: 1 of 3 scenarios passed, 1 failed, 1 skipped\.\n/,
    );
    expect(summary).to.contain('```text\nThen it is heard\na dub is not heard\n  seen: none\n```');
    expect(summary).to.contain('1 scenario: the file of the broadcast is missing');
    expect(summary).to.contain('- ✘ failed: **021-US1-2** ');
    const all = REQUIREMENTS.flatMap(({ requirements }) => requirements).length;
    expect(summary).to.contain(
      `1 of ${all} requirements passed; 1 failed; 1 skipped; ${all - 3} not run`,
    );
  });

  it('names the sentences that a requirement lacks', () => {
    const health = steps('PASSED').map((one) => ({ ...one, text: 'the services are healthy' }));
    const part = { name: 'half', tags: ['@021-US1-2'], steps: health };
    const others = REQUIREMENTS.flatMap(({ requirements }) => requirements)
      .filter(({ id }) => id !== '021-US1-2')
      .map(({ id }) => ({ name: id, tags: [`@${id}`], isLeftOut: true }));
    const summary = summaryOf(factsOf(results([part, ...others])), REQUIREMENTS);
    expect(summary).to.match(
      /- \? not shown: \*\*021-US1-2\*\* .*\n {2}- \? media-service answers with status 200 \(nothing has judged it: .*\)\n/,
    );
    expect(summary).to.contain('; 1 not shown; ');
  });

  it('takes nothing of names and messages for Markdown or HTML', () => {
    const told: Told = {
      ...{ name: nasty, feature: 'x' },
      steps: [{ text: nasty, status: 'FAILED', message: 'seen:\n````\n</details>\n| x |\n' }],
    };
    const facts = runFactsOf([results([told])], {
      broadcasts: [
        {
          ...{ stream: 's', name: nasty, page: 'evidence/a%7Cb/index.html', isComplete: true },
          ...{ isTranslated: true, coverage: { segments: 2, heard: 1, dubbed: 2, lost: [] } },
          ...{ faults: [nasty], figures: { fragmentsSent: 2, fragmentsAnswered: 1 } },
        },
      ],
      ...{ problems: [], seconds: 0 },
    });
    const summary = summaryOf(facts, []);
    const fence = /^(`{3,})text\n([^]*?)\n\1$/m.exec(summary);
    expect(fence?.[1]).to.have.length(5);
    expect(fence?.[2]).to.contain('````\n</details>\n| x |');
    expect(summary).to.contain('x · features/x.feature:1');
    const outside = summary.replace(fence?.[0] ?? '', '');
    expect(outside.match(/<\/details>/g)).to.have.length(1);
    expect(outside).not.to.match(/<b>\*|`code`|\]\(x\)/);
    const rows = outside.split('\n').filter((line) => line.startsWith('|'));
    expect(rows.map((row) => row.split('|').length)).to.deep.equal([12, 12, 12]);
    expect(rows[2]).to.contain('&#124; b &#60;/details&#62; &#96;code&#96;').and.contain('1 of 2');
  });

  for (const count of [3, 400, 5000]) {
    it(`of ${count} failures is not too long, and says what is left out`, () => {
      const message = `Error: ${'wörds '.repeat(5000)}`;
      const told = Array.from({ length: count }, (_, index) => ({
        name: `failure ${index} ${'n'.repeat(300)}`,
        steps: [{ text: 'step', status: 'FAILED', message }],
      }));
      const summary = summaryOf(factsOf(results(told)), REQUIREMENTS);
      expect(Buffer.byteLength(summary)).to.be.at.most(60_000).and.at.least(2000);
      expect(summary)
        .to.contain('failure 0')
        .and.match(/cut off|more\./);
      if (count > 100) expect(summary).to.match(/… and \d+ more\./);
      expect(summary.split('<details').length).to.equal(summary.split('</details>').length);
    });
  }
});

describe('reports of a run', () => {
  /** Results with evidence folders, each with the facts of a broadcast of which nothing was seen. */
  function withBroadcasts(streams: string[], told: Told[], shard?: [number, number]): ResultsPart {
    const run = results(told, partOf({ evidence: streams.map((one) => `evidence/${one}`) }, shard));
    for (const stream of streams) {
      const evidence = join(run.folder, 'evidence', stream);
      mkdirSync(evidence, { recursive: true });
      writeFileSync(
        join(evidence, 'facts.json'),
        JSON.stringify({ ...NOTHING, stream, figures: { fragmentsSent: 0, fragmentsAnswered: 0 } }),
      );
    }
    return run;
  }

  it('link every broadcast, both ways', async () => {
    const told = { ...passed, judgedBy: ['test a#1'] };
    const run = withBroadcasts(['test a#1'], [told]);
    const { facts, problems } = await writeReports(run.folder, [run]);
    expect(problems).to.deep.equal([]);
    expect(facts.broadcasts[0]).to.include({ page: 'evidence/test%20a%231/index.html' });
    const broadcastPage = readFileSync(join(run.folder, 'evidence/test a#1/index.html'), 'utf8');
    expect(broadcastPage)
      .to.contain('href="../../index.html"')
      .and.match(/scenarios? that judged this broadcast passed/);
    const page = readFileSync(join(run.folder, 'index.html'), 'utf8');
    expect(page).to.contain('href="evidence/test%20a%231/index.html"');
    expect(readFileSync(join(run.folder, 'summary.md'), 'utf8')).to.match(/^## ✔ Passed/);
  });

  it('of two shards are one, elsewhere', async () => {
    const parts = [1, 2].map((index) =>
      withBroadcasts([`s${index}`], [{ ...passed, judgedBy: [`s${index}`] }], [index, 2]),
    );
    const to = join(folder, 'merged');
    mkdirSync(to);
    const { facts } = await writeReports(to, parts);
    expect(verdictOf(facts).text).to.match(/^Passed: 2 scenarios/);
    const pages = facts.broadcasts.map(({ page = '' }) => page);
    expect(pages).to.have.length(2);
    for (const page of pages) {
      expect(page).to.match(/^\.\.\/run-\d+\/evidence\/s\d\/index\.html$/);
      expect(readFileSync(join(to, page), 'utf8')).to.contain('href="../../../merged/index.html"');
    }
  });

  it('name what has no page, and show the rest', async () => {
    const told = { ...passed, judgedBy: ['good', 'bare', 'broken', 'nowhere'] };
    const run = withBroadcasts(['good', 'bare', 'broken'], [told]);
    writeFileSync(join(run.folder, 'evidence/bare/facts.json'), '');
    writeFileSync(join(run.folder, 'evidence/broken/facts.json'), '{"stream": 1}');
    writeFileSync(join(run.folder, 'evidence/broken/index.html'), 'of an earlier report');
    const { facts, problems } = await writeReports(run.folder, [run]);
    expect(problems.map((one) => /(?:no page|no evidence) of (\w+)/.exec(one)?.[1])).to.deep.equal([
      ...['bare', 'broken', 'nowhere'],
    ]);
    expect(verdictOf(facts).outcome).to.equal('failed');
    expect(facts.broadcasts.map(({ stream, page }) => [stream, page])).to.deep.equal([
      ['good', 'evidence/good/index.html'],
    ]);
  });

  it('of a replay lie in its own results, and recorded evidence stays as it is', async () => {
    const recorded = withBroadcasts(['old'], [passed]);
    const old = join(recorded.folder, 'evidence/old');
    writeFileSync(join(old, 'index.html'), 'its own page');
    const evidence = `../${basename(recorded.folder)}/evidence/old`;
    const run = results(
      [{ ...passed, judgedBy: ['old'] }],
      partOf({ evidence: [evidence], isReplay: true }),
    );
    const pages = join(run.folder, 'broadcasts/old');
    mkdirSync(pages, { recursive: true });
    const output = { file: 'output.mp4', seconds: 8 };
    writeFileSync(join(pages, 'facts.json'), JSON.stringify({ ...NOTHING, figures: {}, output }));
    const { facts, problems } = await writeReports(run.folder, [run]);
    expect(problems).to.deep.equal([]);
    expect(readFileSync(join(old, 'index.html'), 'utf8')).to.equal('its own page');
    expect(facts.broadcasts.map(({ page }) => page)).to.deep.equal(['broadcasts/old/index.html']);
    expect(readFileSync(join(pages, 'index.html'), 'utf8'))
      .to.contain(`src="../../${evidence}/output.mp4"`)
      .and.contain('href="../../index.html"');
    removeReports(run.folder);
    expect(existsSync(pages)).to.equal(false);
  });

  it('of an earlier run are removed before a new one, without its evidence', async () => {
    const run = withBroadcasts(['s'], [passed]);
    await writeReports(run.folder, [run]);
    // The clip of an earlier run, whose page has shown it.
    const clip = join(folder, 'clip.mov');
    writeFileSync(clip, '');
    const original = besidePage(clip, run.folder) ?? '';
    expect(existsSync(join(run.folder, original))).to.equal(true);
    removeReports(run.folder);
    removeReports(join(folder, 'not there'));
    for (const name of ['index.html', 'summary.md', 'part.json', original]) {
      expect(existsSync(join(run.folder, name)), name).to.equal(false);
    }
    expect(existsSync(join(run.folder, 'evidence/s/facts.json'))).to.equal(true);
  });

  const report = (...args: string[]) =>
    execa(process.execPath, ['-r', './support/base/typescript.cjs', 'scripts/report.ts', ...args], {
      ...{ cwd: projectRoot, reject: false },
    });

  it('are made again by npm run report, whose exit code is the verdict', async () => {
    const run = withBroadcasts(['s'], [{ ...passed, judgedBy: ['s'] }]);
    const good = await report(run.folder);
    expect(good.stdout).to.match(/^Passed: 1 scenario passed in 1 min 40 s\. .*index\.html$/);
    expect(good.exitCode).to.equal(0);
    expect(existsSync(join(run.folder, 'evidence/s/index.html'))).to.equal(true);
    const other = { ...failed, feature: 'Another feature' };
    const bad = await report(run.folder, results([other]).folder, '--to', join(folder, 'both'));
    expect(bad.stdout).to.match(
      /^Failed( after [^:]+)?: 1 of 2 scenarios passed, 1 failed\. .*both\/index\.html$/,
    );
    expect(bad.exitCode).to.equal(1);
  });

  it('need to be told where they go when there are several', async () => {
    const { exitCode, stderr } = await report('a', 'b');
    expect(exitCode).to.equal(2);
    expect(stderr).to.contain('--to FOLDER is needed').and.contain('usage: npm run report');
  });

  it('cannot be made of nothing', async () => {
    const { exitCode, stderr } = await report(join(folder, 'nothing here'));
    expect(exitCode).to.equal(1);
    expect(stderr).to.contain('there are no results');
  });
});
