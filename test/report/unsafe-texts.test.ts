import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { expect } from 'chai';
import { execa } from 'execa';

import { projectRoot } from '../../support/config';
import { attachLogs } from '../../support/report/attachments';
import { readScenarioResults } from '../../support/report/scenario-results';
import { startBrowser } from './browser';

const SECRET = 'g-4711-secret-key';
/** What a browser makes of a text as XML, as a text again; of what is none, an element that says so. */
const READ_XML =
  '((text) => new XMLSerializer().serializeToString(new DOMParser().parseFromString(text, "application/xml")))';

/** What a service might say; the last two are no XML. */
const NASTY = `</script><script>alert(1)</script> <b>&amp; ]]> \u001b[31mred \u0007 \u0000 \ud800`;

const FEATURE = `
Feature: nasty
  Scenario: an error of the suite
    When the suite fails
  Scenario: an error of somebody else
    When a library fails
  Scenario: a prerequisite that is missing
    When the configuration is missing
  Scenario: a log
    When something is logged
`;

const STEPS = `
import { When } from '${projectRoot}/node_modules/@cucumber/cucumber';
import { PrerequisiteMissing, NotAsExpected } from '${projectRoot}/support/base/errors';
const seen = ${JSON.stringify(`${NASTY} ${SECRET} rtsp://u:hunter2@h/`)};
const problem = { what: 'nasty', where: 'http://u:hunter2@h/?key=hunter2', seen, expected: 'x' };
When('the suite fails', () => { throw new NotAsExpected(problem); });
When('a library fails', () => { throw new TypeError(seen, { cause: new Error(seen) }); });
When('the configuration is missing', () => { throw new PrerequisiteMissing(problem, 'services'); });
When('something is logged', function () { this.log(seen); throw new Error('logged'); });
`;

/** A run of the suite's own World, hooks and formatters over steps that say what they should not. */
describe('reports', () => {
  const folder = mkdtempSync(join(tmpdir(), 'reports-test-'));
  const reports = join(folder, 'reports');
  const read = (name: string): string => readFileSync(join(reports, name), 'utf8');
  let output = '';
  after(() => rmSync(folder, { recursive: true }));

  before(async () => {
    mkdirSync(reports);
    // Without the profiles of the suite, which write to its own reports.
    writeFileSync(join(folder, 'cucumber.json'), '{"default":{}}');
    writeFileSync(join(folder, 'nasty.feature'), FEATURE);
    writeFileSync(join(folder, 'nasty.steps.ts'), STEPS);
    const formats = [
      ...['html:cucumber.html', 'json:cucumber.json', 'junit:junit.xml', 'message:messages.ndjson'],
    ].map((format) => format.replace(':', `:${reports}/`));
    const { exitCode, all } = await execa(
      process.execPath,
      [
        ...[join(projectRoot, 'node_modules/@cucumber/cucumber/bin/cucumber.js')],
        ...[
          '--config',
          relative(projectRoot, join(folder, 'cucumber.json')),
          '--require-module',
          join(projectRoot, 'support/base/typescript.cjs'),
        ],
        ...['world', 'hooks'].flatMap((name) => ['--require', `support/${name}.ts`]),
        ...['--require', join(folder, 'nasty.steps.ts')],
        ...[
          '--plugin',
          './support/plugin.cjs',
          '--format',
          './support/report/console-formatter.cjs',
        ],
        ...formats.flatMap((format) => ['--format', format]),
        join(folder, 'nasty.feature'),
      ],
      {
        cwd: projectRoot,
        env: { REPORTS_DIR: reports, RUNTIME: 'host', SOME_API_KEY: SECRET },
        ...{ reject: false, all: true },
      },
    );
    output = all;
    expect(exitCode, all).to.equal(1);
  });

  it('tell of every scenario', () => {
    const results = readScenarioResults(join(reports, 'messages.ndjson'));
    expect(results.map(({ status }) => status)).to.deep.equal([
      ...['FAILED', 'FAILED', 'SKIPPED', 'FAILED'],
    ]);
    expect(results[2]?.skipReason).to.include('nasty');
  });

  it('have no secrets, in no file and not on the terminal', () => {
    const files = readdirSync(reports, { recursive: true, withFileTypes: true }).filter((file) =>
      file.isFile(),
    );
    expect(files.length).to.be.at.least(4);
    const texts = files.map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'));
    const secretIn = (text: string): string | undefined =>
      /.{0,200}(?:g-4711|hunter2).{0,20}/.exec(text)?.[0];
    for (const text of [...texts, output]) {
      expect(secretIn(text)).to.be.undefined;
      // Attachments may be Base64.
      const encoded = [...text.matchAll(/"body":\s*"([A-Za-z0-9+/=]{8,})"/g)].map(([, body = '']) =>
        Buffer.from(body, 'base64').toString(),
      );
      expect(secretIn(encoded.join('\n'))).to.be.undefined;
    }
    expect(texts.join('\n')).to.include('***');
  });

  it('show markup as text', () => {
    const html = read('cucumber.html');
    // One at a time, as a failure should not print the whole report.
    expect(html.includes('alert(1)'), 'the text itself').to.be.true;
    expect(/<script>alert/i.test(html), 'a script that runs').to.be.false;
  });

  it('are XML that can be read, with the text as it was seen', async () => {
    const browser = await startBrowser();
    try {
      const page = await browser.newPage();
      const xml = await page.evaluate(`${READ_XML}(${JSON.stringify(read('junit.xml'))})`);
      expect(xml).to.match(/<testsuite/);
      expect(xml).to.not.include('<parsererror');
      expect(xml).to.include('alert(1)').and.to.include('\\u001b[31mred');
    } finally {
      await browser.close();
    }
  });

  it('do not steer the terminal', () => {
    expect(output).to.include('\\u001b[31mred').and.to.include('\\u0000');
    expect(output).to.not.include('\u001b[31mred');
    expect(output).to.not.include('\u0000').and.to.not.include('\u0007');
  });

  it('have logs attached that can be shown', () => {
    const attached: string[] = [];
    attachLogs(new Map([['sts', NASTY]]), (body) => void attached.push(body.toString()));
    expect(attached.join('')).to.include('\\u001b[31mred').and.to.not.include('\u0000');
  });
});
