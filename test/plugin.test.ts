import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';

import { expect } from 'chai';
import { execa } from 'execa';

import { projectRoot } from '../support/config';
import type { RunRecord } from '../support/history/run-record';
import { readHistory } from '../support/history/store';
import { formatsInto } from '../support/report/result-files';
import { readScenarioResults } from '../support/report/scenario-results';

const FEATURE = `
Feature: a tiny one
  @021-US2-1
  Scenario: fine
    When it works
  @021-US2-2
  Scenario: broken
    When it works
    Then it is as expected
  Scenario: new
    When this step is not defined
  Scenario: left out
    When it is skipped
  Scenario: unsteady
    When it fails the first time
  Scenario: with a bug
    When its step has a bug
  @021-US2-3
  Scenario: unable
    When it works
    Then there is no such thing
    And the rest is judged
  Scenario: unable and broken
    When it works
    Then there is no such thing
    And it is as expected
  Scenario: killed
    When the run is killed
`;
const STEPS = `
const { When, Then, BeforeAll } = require('${projectRoot}/node_modules/@cucumber/cucumber');
const { CannotBeShown, NotAsExpected } = require('${projectRoot}/support/base/errors');
let attempts = 0;
When('it works', () => undefined);
When('it is skipped', () => 'skipped');
When('the run is killed', () => process.kill(process.pid, 'SIGKILL'));
When('it fails the first time', () => {
  attempts += 1;
  if (attempts === 1) throw new Error('the first attempt');
});
Then('there is no such thing', () => {
  throw new CannotBeShown({ what: 'there is no such thing', where: 'here', seen: 'none', expected: 'one' });
});
Then('the rest is judged', () => undefined);
When('its step has a bug', () => [].first.name);
Then('it is as expected', () => {
  throw new NotAsExpected({ what: 'wrong', where: 'here', seen: 'so many', expected: 'as many' });
});
`;

/** cucumber-js itself, with the suite's plugin, over a feature of its own. */
describe('a run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plugin-test-'));
  const reports = join(folder, 'reports');
  const messages = join(reports, 'messages.ndjson');
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => rmSync(reports, { recursive: true, force: true }));
  const console = './support/report/console-formatter.cjs';
  const common = {
    ...{
      plugin: ['./support/plugin.cjs'],
      requireModule: [join(projectRoot, 'support/base/typescript.cjs')],
    },
    require: [join(folder, 'tiny.steps.ts')],
    format: [[console], ...formatsInto(reports)],
  };
  const own = ['world', 'parameter-types', 'hooks'].map((name) => `support/${name}.ts`);
  const profiles = {
    ...{ default: common, parallel: { ...common, parallel: 2 } },
    // With what the suite does before and after each scenario and step.
    hooks: { ...common, require: [...own, join(folder, 'tiny.steps.ts')] },
  };
  writeFileSync(join(folder, 'cucumber.json'), JSON.stringify(profiles));
  writeFileSync(join(folder, 'tiny.feature'), FEATURE);

  const run = async (
    args: readonly string[],
    env: Record<string, string | undefined> = {},
    steps = STEPS,
  ): Promise<{ exitCode: number | undefined; text: string; stdout: string }> => {
    writeFileSync(join(folder, 'tiny.steps.ts'), steps);
    const cucumber = join(projectRoot, 'node_modules/@cucumber/cucumber/bin/cucumber.js');
    const { exitCode, all, stdout } = await execa(
      process.execPath,
      [
        ...[cucumber, '--config', relative(projectRoot, join(folder, 'cucumber.json'))],
        ...[...args, join(folder, 'tiny.feature')],
      ],
      {
        ...{ cwd: projectRoot, reject: false, all: true },
        env: {
          // What node's test runner sets for its own output.
          ...{ FORCE_COLOR: undefined, NO_COLOR: undefined },
          ...{ REPORTS_DIR: reports, EVIDENCE: undefined, ...env },
        },
      },
    );
    return { exitCode, text: all, stdout };
  };
  const history = (): RunRecord[] => readHistory([join(reports, 'history.ndjson')]).runs;
  /** The files of the results folder, with what is in them. */
  const results = (): Record<string, string> => {
    if (!existsSync(reports)) return {};
    const files = readdirSync(reports, { recursive: true, encoding: 'utf8', withFileTypes: true });
    return Object.fromEntries(
      files
        .filter((file) => file.isFile())
        .map(({ parentPath, name }) => {
          const file = join(parentPath, name);
          return [relative(reports, file), readFileSync(file, 'utf8')];
        }),
    );
  };

  it('says what failed once, without control characters', async () => {
    const { exitCode, text } = await run(['--name', '^(fine|broken|new|left out)$'], {
      NO_COLOR: '1',
    });
    expect(exitCode).to.equal(1);
    expect(text).to.not.include('\x1b').and.to.not.include('\r');
    expect(text.split('so many')).to.have.length(2);
    expect(text.split('as many')).to.have.length(2);
    expect(text).to.match(/^✔ 021-US2-1 fine \(\d\.\d s\)$/m);
    expect(text).to.match(/^✘ 021-US2-2 broken \(\d\.\d s\)$/m);
    expect(text).to.match(/^✘ 1\. 021-US2-2 broken$/m);
    expect(text).to.include("When('this step is not defined', function () {");
    expect(text).to.match(/^4 scenarios: 1 passed, 2 failed, 1 skipped, in \d+\.\d s$/m);
    expect(text, 'traces').to.not.include('tiny.steps.ts');
    expect(Object.keys(results())).to.include.members([
      ...['cucumber.html', 'cucumber.json', 'junit.xml', 'messages.ndjson', 'index.html'],
      ...['history.html', 'history.ndjson'],
    ]);
  });

  it('says where the bug of a step is', async () => {
    const { text } = await run(['--name', 'with a bug']);
    expect(text).to.match(/TypeError: .*undefined.*\n +at .*tiny\.steps\.ts:\d+:\d+\n/);
  });

  it('has colours where they are asked for', async () => {
    const { text } = await run(['--name', 'fine'], { FORCE_COLOR: '1' });
    expect(text).to.include('\x1b[32m✔');
  });

  it('leaves stdout to a format that is asked for, and is the same otherwise', async () => {
    const { stdout, text } = await run(['--name', 'fine', '--format', 'json']);
    expect(JSON.parse(stdout)).to.be.an('array');
    expect(text).to.match(/^✔ 021-US2-1 fine/m);
    expect(text).to.match(/^1 scenario: 1 passed, /m);
    expect(results()).to.include.keys('index.html', 'messages.ndjson');
  });

  it('says which hook of the run failed', async () => {
    const hook = `BeforeAll(() => { throw new Error('no machine'); });`;
    const { exitCode, text } = await run([], { NO_COLOR: '1' }, `${STEPS}${hook}`);
    expect(exitCode).to.equal(1);
    expect(text).to.include('BeforeAll').and.to.include('no machine');
  });

  it('counts a scenario once that is tried again: by its last attempt', async () => {
    const { exitCode, text } = await run(['--name', 'unsteady', '--retry', '1']);
    expect(exitCode, text).to.equal(0);
    expect(text).to.match(/^↻ unsteady \(\d\.\d s\): failed, attempt 2 follows$/m);
    expect(text).to.match(/^✔ unsteady \(\d\.\d s, attempt 2\)$/m);
    expect(text).to.match(/^1 scenario: 1 passed, /m);
    expect(verdict()).to.equal('');
    const { 'junit.xml': junit = '', 'index.html': page } = results();
    expect(junit).to.include('<testcase').and.to.not.include('<failure');
    expect(page).to.match(/Passed: 1 scenario passed/);
    const [result, ...others] = readScenarioResults(messages);
    expect(others).to.be.empty;
    expect(result).to.include({ name: 'unsteady', status: 'PASSED', message: '' });
    expect(result?.attempts?.map(({ status }) => status)).to.deep.equal(['FAILED']);
    expect(result?.attempts?.[0]?.message).to.include('the first attempt');
    expect(history().map(({ ends, outcome }) => [ends, outcome])).to.deep.equal([['R', 'passed']]);
  });

  it('is in the history when it was killed, and once when its report is made', async () => {
    const { exitCode } = await run(['--name', '^(fine|killed)$']);
    expect(exitCode).to.equal(undefined);
    expect(history()).to.have.length(1);
    expect(history()[0]).to.include({ outcome: 'interrupted', ends: '--', known: 9 });
    const script = ['-r', './support/base/typescript.cjs', 'scripts/report.ts', reports];
    await execa(process.execPath, script, { cwd: projectRoot, reject: false });
    expect(history()).to.have.length(1);
    expect(history()[0]?.verdict).to.match(/^No end: \d of 2 scenarios passed, 0 failed/);
  });

  it('changes nothing of an earlier one where no scenario runs', async () => {
    await run(['--name', 'fine']);
    const earlier = results();
    const dry = await run(['--dry-run', '--name', '^(fine|left out)$']);
    expect(dry.exitCode, dry.text).to.equal(0);
    expect(dry.text).to.include('2 scenarios found; nothing was run (--dry-run)');
    expect(results()).to.deep.equal(earlier);
    const none = await run(['--tags', '@nothing']);
    expect(none.exitCode).to.equal(1);
    expect(none.text).to.equal(
      '@nothing: no scenario has such a tag\nNothing was run; the results of an earlier run are kept.',
    );
    expect(results()).to.deep.equal(earlier);
    const typo = await run(['--tagz', '@021-US2-1']);
    expect(typo.exitCode).to.equal(1);
    expect(typo.text).to.include('Did you mean --tags?');
    expect(results()).to.deep.equal(earlier);
  });

  for (const args of [
    ['--parallel', '2'],
    ['--profile', 'parallel'],
  ]) {
    it(`is refused with ${args.join(' ')}`, async () => {
      const { exitCode, text } = await run(args);
      expect(exitCode).to.equal(2);
      expect(text).to.match(/^--parallel is refused: .*share one set of services/);
      expect(results()).to.deep.equal({});
    });
  }

  const verdict = (): string => {
    const script = ['-r', './support/base/typescript.cjs', 'scripts/verdict.ts', messages];
    try {
      return execFileSync(process.execPath, script, { cwd: projectRoot }).toString();
    } catch (error) {
      return `exit ${(error as { status: number }).status}: ${String((error as { stdout: Buffer }).stdout)}`;
    }
  };

  describe('of what cannot be shown', () => {
    /** acceptance.yaml with another end. */
    const withNotShown = (block: string): Record<string, string> => {
      const [shipped = ''] = readFileSync(join(projectRoot, 'acceptance.yaml'), 'utf8').split(
        /^notShown:$/m,
      );
      const file = join(folder, 'acceptance.yaml');
      writeFileSync(file, `${shipped}${block}`);
      return { ACCEPTANCE_CONFIG: file, RUNTIME: 'host', NO_COLOR: '1' };
    };
    const tried = ['--profile', 'hooks', '--name', '^(fine|unable)$'];
    const line = '? 021-US2-3 unable';

    it('fails where that is required, judges the rest of it, and says why everywhere', async () => {
      const { exitCode, text } = await run(tried, withNotShown(''));
      expect(exitCode, text).to.equal(0);
      expect(text).to.include('This configuration can show all 2 scenarios');
      expect(text).to.match(
        /^\? 021-US2-3 unable \(\d\.\d s\) \(not shown: here: there is no such thing\)$/m,
      );
      expect(text).to.include('? Not shown: 1 scenario, 1 of which fails the run');
      expect(text).to.include('2 scenarios: 1 passed, 1 not shown, in');
      expect(verdict()).to.equal(
        'exit 1: The run does not count as passed: 1 required scenario not shown.\n',
      );
      const { 'junit.xml': junit = '', 'index.html': page, 'summary.md': summary } = results();
      expect(junit).to.include('<skipped message="not shown: here: there is no such thing">');
      expect(page).to.include('Not shown: 1 scenario, 1 of which fails the run');
      expect(summary).to.include('### Not shown: 1 scenario, 1 of which fails the run');
      const result = readScenarioResults(messages).find(({ name }) => name === 'unable');
      expect(result?.steps.map(({ status }) => status)).to.deep.equal([
        ...['PASSED', 'SKIPPED', 'PASSED'],
      ]);
    });

    it('passes where that is excluded, or not required, and names what is excluded for nothing', async () => {
      const excluded = `notShown:\n  excluded:\n    - {id: 021-US2-3, because: we have none}\n`;
      const other = '    - {id: 021-US2-1, because: no time}\n';
      const { text } = await run(tried, withNotShown(`${excluded}${other}`));
      expect(text).to.include(`${line.replace('? ', '  – ')} (excluded: we have none)`);
      expect(text).to.include('021-US2-1 is excluded by acceptance.yaml (notShown), but shown');
      expect(verdict()).to.equal('');
      const { 'index.html': page } = results();
      expect(page).to.match(/Passed: 1 of 2 scenarios passed in .* 1 scenario not shown\./);
      await run(tried, withNotShown('notShown: {fails: none}'));
      expect(verdict()).to.equal('');
    });

    it('does not hold in another runtime', async () => {
      const excluded = 'excluded: [{id: 021-US2-3, because: none, runtime: docker}]';
      await run(tried, withNotShown(`notShown: {${excluded}}`));
      expect(verdict()).to.match(/^exit 1: /);
    });

    it('fails where a step has failed besides, and where nothing else was shown', async () => {
      const both = await run(
        ['--profile', 'hooks', '--name', '^unable and broken$'],
        withNotShown(''),
      );
      expect(both.exitCode).to.equal(1);
      expect(both.text).to.include('1 scenario: 1 failed, in');
      await run(
        ['--profile', 'hooks', '--name', '^unable$'],
        withNotShown('notShown: {fails: none}'),
      );
      expect(verdict()).to.equal(
        'exit 1: The run does not count as passed: no scenario can be shown by this configuration.\n',
      );
    });

    for (const [what, block, message] of [
      [
        'an unknown ID',
        'excluded: [{id: 021-US9-9, because: none}]',
        /unknown requirement.*\n.*021-US9-9/,
      ],
      ['no reason', 'excluded: [{id: 019-E7}]', /notShown\.excluded\.0\.because/],
      ['another word', 'fails: some', /notShown\.fails/],
    ] as const) {
      it(`runs nothing with ${what} in it`, async () => {
        const { exitCode, text } = await run(tried, withNotShown(`notShown: {${block}}`));
        expect(exitCode, text).to.equal(2);
        expect(text).to.match(message);
        expect(results()).to.deep.equal({});
      });
    }
  });

  it('does not count when all is skipped', async () => {
    const fine = await run(['--name', 'fine']);
    expect([fine.exitCode, verdict()]).to.deep.equal([0, '']);
    const skipped = await run(['--name', 'left out']);
    expect([skipped.exitCode, verdict()]).to.deep.equal([
      ...[0, 'exit 1: The run does not count as passed: 1 scenario skipped.\n'],
    ]);
    const broken = await run(['--name', 'broken']);
    expect([broken.exitCode, verdict()]).to.deep.equal([1, 'exit 1: ']);
  });
});
