import type { CauseFacts } from '../../support/report/facts';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { endOfRun, scenarioLine, type EndOfRunOptions } from '../../support/report/end-of-run';
import type { ScenarioResult, StepResult } from '../../support/report/scenario-results';

const OPTIONS: EndOfRunOptions = {
  seconds: 392,
  indexPage: 'reports/index.html',
  detailsPage: 'reports/cucumber.html',
  pageOf: (stream) => (stream === 'gone' ? undefined : `reports/evidence/${stream}/index.html`),
  problems: [],
  policy: { fails: 'required', excluded: [] },
  snippetOf: (text) => `When('${text}', async function () {\n  return 'pending';\n});`,
  paint: (_format, text) => text,
  link: (path) => path,
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
    expect(lines([])).to.deep.equal([
      ...['', 'no scenario ran; the results of an earlier run are kept', ''],
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

  it('shows every failure in full', () => {
    const many = Array.from({ length: 13 }, (_, i) => failed(`s${i + 1}`, MESSAGE));
    expect(lines(many).filter((line) => line.includes('seen:'))).to.have.length(13);
  });

  it('begins with the cause, its place and the logs of that time; what follows is named once', () => {
    const results = [
      failed('early', MESSAGE, { place: 'a:1', tags: ['@021-US2-5'] }),
      failed('owner', MESSAGE, { place: 'a:2', tags: ['@021-US2-3'] }),
    ];
    const cause: CauseFacts = {
      ...{ what: 'another number of fragments was sent', where: 'stream s1', seen: '9' },
      ...{ stream: 's1', segments: [4], scenarios: ['a:2'], followers: ['a:1'] },
      place: 'segment 4, frames 720 to 899',
      isAllLost: true,
      lost: ['segment 4, from second 24: not sent (unknown)'],
      log: [{ service: 'media-service', text: 'segment 4 dropped' }],
    };
    const shown = lines(results, { causes: [cause] });
    expect(shown.slice(1, 11)).to.deep.equal([
      '✘ Cause of 2 of 2 failures: segment 4, from second 24: not sent (unknown)',
      '  stream s1',
      '  judged: another number of fragments was sent',
      '  seen: 9',
      '  next: open the page below; docs/troubleshooting.md has every message of the suite',
      '  where: segment 4, frames 720 to 899',
      '  media-service: segment 4 dropped',
      '  found by 021-US2-3',
      '  from it follows: 021-US2-5',
      '  evidence: reports/evidence/s1/index.html',
    ]);
    expect(shown.filter((line) => line.startsWith('✘ 1. '))).to.deep.equal([
      '✘ 1. 021-US2-3 owner',
    ]);
    expect(shown.join('\n')).to.not.include('early');
  });

  it('says of every failure what to do, and leads to paths by a click', () => {
    const link = (path: string): string => `<${path}>`;
    const bug = failed('bug', 'TypeError: x is not a function', { judgedBy: ['s1'] });
    const shown = lines([bug], { link });
    expect(shown).to.include(
      '       next:     open the page below; docs/troubleshooting.md has every message of the suite',
    );
    expect(shown).to.include('     evidence: <reports/evidence/s1/index.html>');
    expect(shown).to.include('report: <reports/index.html>');
    const said = lines([failed('a', MESSAGE)]).filter((line) => line.includes('next: '));
    expect(said).to.deep.equal(['         next:     listen to 0003-dubbed.wav']);
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
      '       this step has no definition',
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

  it('lists what is not shown, by the reason, and what fails the run by it', () => {
    const notShown = 'RUNTIME: there are no networks\n  seen: processes';
    const unable = (name: string, ...tags: string[]): ScenarioResult =>
      scenario(name, { status: 'SKIPPED', notShown, tags });
    const policy: EndOfRunOptions['policy'] = {
      fails: 'required',
      excluded: [
        { id: '019-E7', because: 'we have none' },
        { id: '021-US2-1', because: 'no time' },
      ],
    };
    const results = [unable('a', '@019-E7'), unable('b', '@P2'), unable('c'), scenario('d')];
    expect(lines(results, { policy })).to.deep.equal([
      '',
      '? Not shown: 3 scenarios, 1 of which fails the run',
      '  RUNTIME: there are no networks',
      '    seen: processes',
      ...['  – c (fails the run)', '  – 019-E7 a (excluded: we have none)'],
      '  – b (not required: P2)',
      '? 021-US2-1 is excluded by acceptance.yaml (notShown), but shown: remove it there',
      '',
      ...['4 scenarios: 1 passed, 3 not shown, in 6 min 32 s', 'report: reports/index.html', ''],
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
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    expect(text).to.not.match(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(text).to.include('\\u001b[31m');
  });
});

describe('a dry run', () => {
  const skipped = scenario('a', { status: 'SKIPPED', steps: [step('it flies', 'SKIPPED')] });
  const undefinedOne = scenario('b', {
    status: 'UNDEFINED',
    steps: [step('it flies', 'UNDEFINED')],
  });

  it('says how many scenarios there are, and what is not defined', () => {
    expect(lines([skipped], { isDry: true })).to.deep.equal([
      ...['', '1 scenario found; nothing was run (--dry-run)', ''],
    ]);
    const shown = lines([skipped, undefinedOne], { isDry: true });
    expect(shown).to.include('✘ 1. 021-US2-1 b');
    expect(shown).to.include('2 scenarios found, 1 failed; nothing was run (--dry-run)');
  });
});

describe('the line of a scenario', () => {
  const line = (given: Partial<ScenarioResult>, attempt = 1, willBeRetried = false): string =>
    scenarioLine(scenario('a', given), { attempt, willBeRetried }, (_format, text) => text);

  it('says how it ended, how long it took, and why it was skipped', () => {
    expect(line({})).to.equal('✔ 021-US2-1 a (1.0 s)');
    expect(line({ status: 'UNDEFINED' })).to.equal('✘ 021-US2-1 a (1.0 s)');
    expect(line({ status: 'SKIPPED' })).to.equal('↷ 021-US2-1 a (1.0 s)');
    expect(line({ status: 'SKIPPED', skipReason: 'no file\n  seen: none' })).to.equal(
      '↷ 021-US2-1 a (1.0 s) (skipped: no file)',
    );
    expect(line({ status: 'SKIPPED', notShown: 'no networks\n  seen: none' })).to.equal(
      '? 021-US2-1 a (1.0 s) (not shown: no networks)',
    );
  });

  it('says which attempt it was, and that another one follows', () => {
    expect(line({ status: 'FAILED' }, 1, true)).to.equal(
      '↻ 021-US2-1 a (1.0 s): failed, attempt 2 follows',
    );
    expect(line({}, 2)).to.equal('✔ 021-US2-1 a (1.0 s, attempt 2)');
  });
});
