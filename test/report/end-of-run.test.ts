import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';
import { execa } from 'execa';

import { projectRoot } from '../../support/config';
import { endOfRun, type EndOfRunOptions } from '../../support/report/end-of-run';
import type { ScenarioResult, StepResult } from '../../support/report/scenario-results';

const OPTIONS: EndOfRunOptions = {
  seconds: 392,
  indexPage: 'reports/index.html',
  detailsPage: 'reports/cucumber.html',
  pageOf: (stream) => (stream === 'gone' ? undefined : `reports/evidence/${stream}/index.html`),
  problems: [],
  snippetOf: (text) => `When('${text}', async function () {\n  return 'pending';\n});`,
  paint: (_format, text) => text,
};

function step(text: string, status: StepResult['status'], message = ''): StepResult {
  return { keyword: 'Then', text, table: undefined, status, message };
}

function scenario(name: string, given: Partial<ScenarioResult> = {}): ScenarioResult {
  return {
    ...{ name, tags: ['@P1', '@021-US2-1'], place: 'features/a.feature:7', feature: 'A' },
    ...{ steps: [], status: 'PASSED', message: '', skipReason: undefined, judgedBy: [] },
    ...{ seconds: 1, ...given },
  };
}

function failed(
  name: string,
  message: string,
  given: Partial<ScenarioResult> = {},
): ScenarioResult {
  const steps = [step('it begins', 'PASSED'), step('it is dubbed', 'FAILED', message)];
  return scenario(name, { status: 'FAILED', steps, message: `${message}\n`, ...given });
}

const MESSAGE = [
  'NotAsExpected: live/s1/out: fragment 3 is not heard',
  '  seen:     correlation 0.12',
  '  expected: 0.35 or more',
  '  next:     listen to 0003-dubbed.wav',
  '    at World.<anonymous> (/x/step-definitions/output.steps.ts:12:9)',
].join('\n');

const lines = (results: ScenarioResult[], options: Partial<EndOfRunOptions> = {}): string[] =>
  endOfRun(results, { ...OPTIONS, ...options }).split('\n');

describe('the end of a run', () => {
  it('is short when all is well', () => {
    expect(endOfRun([scenario('a'), scenario('b')], OPTIONS)).to.equal(
      '\n2 scenarios: 2 passed, in 6 min 32 s\nreport: reports/index.html\n',
    );
  });

  it('says so when nothing ran', () => {
    expect(lines([], { seconds: 0, indexPage: undefined })).to.deep.equal([
      ...['', 'no scenario ran, in 0.0 s', ''],
    ]);
  });

  it('begins with what failed: seen, expected, what to do, and the evidence', () => {
    const results = [scenario('a'), failed('b', MESSAGE, { judgedBy: ['s1', 'gone', 's2'] })];
    expect(lines(results)).to.deep.equal([
      '',
      '✘ 1. 021-US2-1 b',
      '     features/a.feature:7',
      '     Then it is dubbed',
      '       live/s1/out: fragment 3 is not heard',
      '         seen:     correlation 0.12',
      '         expected: 0.35 or more',
      '         next:     listen to 0003-dubbed.wav',
      '     evidence: reports/evidence/s1/index.html',
      '     evidence: reports/evidence/s2/index.html',
      '',
      '2 scenarios: 1 passed, 1 failed, in 6 min 32 s',
      'report: reports/index.html',
      '',
    ]);
  });

  it('cuts long messages, and says where the rest is', () => {
    const many = Array.from({ length: 30 }, (_, i) => `line ${i + 1}`).join('\n');
    const shown = lines([failed('a', many)]);
    expect(shown.filter((line) => /^ +line \d+$/.test(line))).to.have.length(12);
    expect(shown).to.include('       … more in reports/cucumber.html');

    const long = lines([failed('a', 'x'.repeat(20_000))]);
    expect(Math.max(...long.map((line) => line.length))).to.be.below(320);
    expect(long).to.include('       … more in reports/cucumber.html');
  });

  it('shows ten failures in full, and a line of each other one', () => {
    const many = Array.from({ length: 13 }, (_, i) => failed(`s${i + 1}`, MESSAGE));
    const shown = lines(many);
    expect(shown.filter((line) => line.includes('seen:'))).to.have.length(10);
    expect(shown.slice(-7)).to.deep.equal([
      '✘ 11. 021-US2-1 s11 features/a.feature:7',
      '✘ 12. 021-US2-1 s12 features/a.feature:7',
      '✘ 13. 021-US2-1 s13 features/a.feature:7',
      '',
      '13 scenarios: 13 failed, in 6 min 32 s',
      'report: reports/index.html',
      '',
    ]);
  });

  it('shows what hooks have to say, besides the step', () => {
    const hook = 'Error: cannot be undone\n    at /x/support/hooks.ts:3:1\n';
    const shown = lines([
      failed('a', 'Error: not dubbed', { message: `Error: not dubbed\n${hook}` }),
    ]);
    expect(shown.slice(3, 7)).to.deep.equal([
      '     Then it is dubbed',
      '       not dubbed',
      '     besides, before or after the steps',
      '       cannot be undone',
    ]);
    const alone = scenario('b', { status: 'FAILED', message: hook });
    expect(lines([alone]).slice(3, 5)).to.deep.equal([
      ...['     before or after the steps', '       cannot be undone'],
    ]);
  });

  it('says what is undefined, with code to begin with, once', () => {
    const steps = [step('it flies', 'UNDEFINED'), step('it flies', 'UNDEFINED')];
    const shown = lines([scenario('a', { status: 'UNDEFINED', steps })]);
    expect(shown.slice(3, 11)).to.deep.equal([
      '     Then it flies',
      '       nothing says what this step does',
      '',
      "         When('it flies', async function () {",
      "           return 'pending';",
      '         });',
      '',
      '     Then it flies',
    ]);
    expect(shown.filter((line) => line.includes("'pending'"))).to.have.length(1);
  });

  it('says what is ambiguous, pending, and what was broken off', () => {
    const ambiguous = step('it flies', 'AMBIGUOUS', 'Multiple step definitions match:\n  a\n  b');
    const text = endOfRun(
      [
        scenario('a', {
          status: 'AMBIGUOUS',
          steps: [ambiguous],
          message: `${ambiguous.message}\n`,
        }),
        scenario('b', { status: 'PENDING', steps: [step('it swims', 'PENDING')] }),
        scenario('c', { status: 'UNKNOWN', steps: [step('it runs', 'SKIPPED')] }),
      ],
      OPTIONS,
    );
    expect(text).to.include('Multiple step definitions match:\n         a\n');
    expect(text).to.not.include('before or after');
    expect(text).to.include('Then it swims\n       this step is not finished\n');
    expect(text).to.include('the run was ended in the middle of it');
    expect(text).to.include('3 scenarios: 3 failed');
  });

  it('tells each reason for which something was skipped once', () => {
    const reason = 'fixtures/a.mp4: the file is missing\n  seen:     no such file';
    const skip = (name: string, skipReason?: string): ScenarioResult =>
      scenario(name, { status: 'SKIPPED', skipReason });
    const results = ['a', 'b', 'c', 'd', 'e'].map((name) => skip(name, reason));
    expect(lines([...results, skip('f')])).to.deep.equal([
      '',
      '↷ 5 scenarios skipped',
      '  fixtures/a.mp4: the file is missing',
      '    seen:     no such file',
      ...['  – 021-US2-1 a', '  – 021-US2-1 b', '  – 021-US2-1 c', '  – and 2 more', ''],
      '↷ 1 scenario skipped',
      ...['  without a reason', '  – 021-US2-1 f', ''],
      ...['6 scenarios: 6 skipped, in 6 min 32 s', 'report: reports/index.html', ''],
    ]);
  });

  it('tells what went wrong besides the scenarios', () => {
    expect(lines([scenario('a')], { problems: ['the disk is full'] }).slice(0, 4)).to.deep.equal([
      ...['', '✘ Besides the scenarios', '  the disk is full', ''],
    ]);
  });

  it('does not steer the terminal', () => {
    const nasty = 'n\u001b[31m\u0007\u202e\u0000';
    const text = endOfRun(
      [
        failed(nasty, nasty, { place: nasty, tags: [`@021-${nasty}`] }),
        scenario(nasty, { status: 'SKIPPED', skipReason: nasty }),
        scenario('u', { status: 'UNDEFINED', steps: [step(nasty, 'UNDEFINED')] }),
      ],
      { ...OPTIONS, problems: [nasty] },
    );
    // eslint-disable-next-line no-control-regex
    expect(text).to.not.match(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(text).to.include('\\u001b[31m');
  });
});

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
    When nobody knows how
  Scenario: left out
    When it is skipped
`;
const STEPS = `
const { When, Then, BeforeAll } = require('${projectRoot}/node_modules/@cucumber/cucumber');
const { NotAsExpected } = require('${projectRoot}/support/errors');
When('it works', () => undefined);
When('it is skipped', () => 'skipped');
Then('it is as expected', () => {
  throw new NotAsExpected({ what: 'wrong', where: 'here', seen: 'so many', expected: 'as many' });
});
`;

/** cucumber-js itself, with the formatter, over a feature of its own. */
describe('a run', () => {
  const folder = mkdtempSync(join(tmpdir(), 'end-of-run-test-'));
  after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'cucumber.json'), '{"default":{}}');
  writeFileSync(join(folder, 'tiny.feature'), FEATURE);

  const run = async (
    steps: string,
    env: Record<string, string | undefined>,
    ...more: string[]
  ): Promise<{ exitCode: number | undefined; text: string }> => {
    writeFileSync(join(folder, 'tiny.steps.ts'), steps);
    const cucumber = join(projectRoot, 'node_modules/@cucumber/cucumber/bin/cucumber.js');
    const { exitCode, all } = await execa(
      process.execPath,
      [
        ...[cucumber, '--config', relative(projectRoot, join(folder, 'cucumber.json'))],
        ...['--require-module', 'ts-node/register', '--require', join(folder, 'tiny.steps.ts')],
        ...['--format', './support/report/live-formatter.cjs'],
        ...['--format', `message:${join(folder, 'messages.ndjson')}`],
        ...[...more, join(folder, 'tiny.feature')],
      ],
      {
        ...{ cwd: projectRoot, reject: false, all: true },
        // What node's test runner sets for its own output.
        env: { REPORTS_DIR: folder, FORCE_COLOR: undefined, NO_COLOR: undefined, ...env },
      },
    );
    return { exitCode, text: all };
  };

  it('says what failed once, without control characters', async () => {
    const { exitCode, text } = await run(STEPS, { NO_COLOR: '1' });
    expect(exitCode).to.equal(1);
    expect(text).to.not.include('\x1b').and.to.not.include('\r');
    expect(text.split('so many')).to.have.length(2);
    expect(text.split('as many')).to.have.length(2);
    expect(text).to.match(/^✔ 021-US2-1 fine \(\d\.\d s\)$/m);
    expect(text).to.match(/^✘ 021-US2-2 broken \(\d\.\d s\)$/m);
    expect(text).to.match(/^✘ 1\. 021-US2-2 broken$/m);
    expect(text).to.include("When('nobody knows how', function () {");
    expect(text).to.match(/^4 scenarios: 1 passed, 2 failed, 1 skipped, in 0\.\d s$/m);
    expect(text, 'traces').to.not.include('tiny.steps.ts');
  });

  it('has colours where they are asked for', async () => {
    const { text } = await run(STEPS, { FORCE_COLOR: '1' }, '--name', 'fine');
    expect(text).to.include('\x1b[32m✔');
  });

  it('says which hook of the run failed', async () => {
    const hook = `BeforeAll(() => { throw new Error('no machine'); });`;
    const { exitCode, text } = await run(`${STEPS}${hook}`, { NO_COLOR: '1' });
    expect(exitCode).to.equal(1);
    expect(text).to.include('BeforeAll').and.to.include('no machine');
  });

  it('does not count when all is skipped, or nothing ran', async () => {
    const verdict = (): string => {
      const script = [
        '-r',
        'ts-node/register',
        'scripts/verdict.ts',
        join(folder, 'messages.ndjson'),
      ];
      try {
        return execFileSync(process.execPath, script, { cwd: projectRoot }).toString();
      } catch (error) {
        return `exit ${(error as { status: number }).status}: ${String((error as { stdout: Buffer }).stdout)}`;
      }
    };
    const fine = await run(STEPS, {}, '--name', 'fine');
    expect([fine.exitCode, verdict()]).to.deep.equal([0, '']);
    const skipped = await run(STEPS, {}, '--name', 'left out');
    expect([skipped.exitCode, verdict()]).to.deep.equal([
      ...[0, 'exit 1: The run does not count as passed: 1 scenario skipped.\n'],
    ]);
    const none = await run(STEPS, {}, '--name', 'nothing of the kind');
    expect([none.exitCode, verdict()]).to.deep.equal([
      ...[0, 'exit 1: The run does not count as passed: no scenario ran.\n'],
    ]);
    expect(none.text).to.include('no scenario ran');
    const broken = await run(STEPS, {}, '--name', 'broken');
    expect([broken.exitCode, verdict()]).to.deep.equal([1, 'exit 1: ']);
  });
});
