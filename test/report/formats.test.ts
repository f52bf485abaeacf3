import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import type { Envelope } from '@cucumber/messages';
import messagesSchema from '@cucumber/messages/schema';
import { Ajv2020, type AnySchema } from 'ajv/dist/2020';
import { expect } from 'chai';
import { execa } from 'execa';
import { validateXML } from 'xmllint-wasm';

import { projectRoot } from '../../support/config';

const FEATURE = `
@018
Feature: what formatters have to write
  Every kind of scenario, step and attachment.

  Background:
    Given nothing in particular of formats

  @018-US1-1
  Scenario: passed
    When something of formats has a table
      | fragment | offset |
      | 1        | 20 ms  |
    And something of formats has a text
      """
      ]]> & <b>
      """

  Scenario: failed, with a message that is hard to write
    When a step of formats fails
    Then nothing in particular of formats

  Scenario: skipped
    When a step of formats is skipped

  Scenario: undefined
    When this step of formats has no definition

  Scenario: with frames
    When frames are attached of formats

  Scenario Outline: an outline
    When nothing in particular of formats
    Examples:
      | size |
      | 1    |
      | 2    |

  Rule: one of several
    Scenario: in a rule
      When nothing in particular of formats
`;

/** What cannot be in XML as it is, and the end of the section that it is in. */
const HARD_TO_WRITE = ']]> <b>&amp; \u001b[31mred \u0007 \u0000 \ud800';
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><circle r="4"/></svg>';

const STEPS = `
import { When } from '${projectRoot}/node_modules/@cucumber/cucumber';
import { NotAsExpected } from '${projectRoot}/support/base/errors';
const seen = ${JSON.stringify(HARD_TO_WRITE)};
When('nothing in particular of formats', () => undefined);
When('something of formats has a table', (_table) => undefined);
When('something of formats has a text', (_text) => undefined);
When('a step of formats fails', () => {
  throw new NotAsExpected({ what: seen, where: 'here', seen, expected: 'less' });
});
When('a step of formats is skipped', () => 'skipped');
When('frames are attached of formats', function () {
  this.attach(${JSON.stringify(SVG)}, { mediaType: 'image/svg+xml', fileName: 'chart.svg' });
  this.attach(Buffer.from([137, 80, 78, 71]), { mediaType: 'image/png' });
  this.log(seen);
});
`;

const text = { type: 'string' };
const line = { type: 'integer', minimum: 1 };

/** As ajv takes it: all that is listed and nothing else, `?` for what may be missing. */
function object(properties: Record<string, AnySchema>): AnySchema {
  const names = Object.keys(properties);
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name.replace('?', ''), schema]),
    ),
    required: names.filter((name) => !name.endsWith('?')),
    additionalProperties: false,
  };
}

function list(items: AnySchema): AnySchema {
  return { type: 'array', items };
}

const result = {
  ...(object({
    status: { enum: ['passed', 'failed', 'skipped', 'undefined', 'pending', 'ambiguous'] },
    'duration?': { type: 'number', minimum: 0 },
    'error_message?': text,
  }) as object),
  if: { properties: { status: { const: 'failed' } } },
  then: { required: ['error_message'] },
};
const ofEveryStep = {
  keyword: text,
  result,
  'match?': object({ location: text }),
  'embeddings?': list(
    object({ data: { type: 'string', pattern: '^[A-Za-z0-9+/]*=*$' }, mime_type: text }),
  ),
};
const tags = list(object({ name: { type: 'string', pattern: '^@' }, line }));

/**
 * The JSON of cucumber-js, after the schema of cucumber/cucumber-json-schema (schemas/cucumber-js.json), with the
 * attachments that it does not know.
 */
const cucumberJsonSchema = list(
  object({
    ...{ uri: text, id: text, line, keyword: text, name: text, description: text, tags },
    elements: list(
      object({
        ...{ id: text, line, keyword: text, name: text, description: text, tags },
        type: { const: 'scenario' },
        steps: list({
          anyOf: [
            object({
              ...ofEveryStep,
              ...{ name: text, line },
              arguments: list({
                anyOf: [
                  object({ rows: list(object({ cells: list(text) })) }),
                  object({ content: text, line }),
                ],
              }),
            }),
            object({ ...ofEveryStep, hidden: { const: true } }),
          ],
        }),
      }),
    ),
  }),
);

interface Step {
  result: { status: string };
  embeddings?: { data: string; mime_type: string }[];
}

type CucumberJson = { elements: { name: string; steps: Step[] }[] }[];

/** What does not fit, in ajv's words; empty when all of it fits. */
function misfits(schema: AnySchema, values: readonly unknown[]): string[] {
  // The messages' schemas say more of some texts (a URI, say) than ajv knows of by itself.
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false });
  const validate = ajv.compile(schema);
  return values.flatMap((value) => {
    if (validate(value)) return [];
    return [`${ajv.errorsText(validate.errors)}: ${JSON.stringify(value).slice(0, 200)}`];
  });
}

async function xmlErrors(xml: string): Promise<string[]> {
  const schema = readFileSync(join(projectRoot, 'test/report/junit.xsd'), 'utf8');
  const { errors } = await validateXML({ xml, schema });
  return errors.map(({ rawMessage }) => rawMessage);
}

/** The suite's own configuration of cucumber-js, over scenarios of every kind. */
describe('formats for machines', () => {
  const folder = mkdtempSync(join(tmpdir(), 'formats-test-'));
  const reports = join(folder, 'reports');
  const read = (name: string): string => readFileSync(join(reports, name), 'utf8');
  const messages = (): Envelope[] =>
    read('messages.ndjson')
      .trim()
      .split('\n')
      .map((one) => JSON.parse(one) as Envelope);
  after(() => rmSync(folder, { recursive: true }));

  before(async () => {
    mkdirSync(reports);
    writeFileSync(join(folder, 'formats.feature'), FEATURE);
    writeFileSync(join(folder, 'formats.steps.ts'), STEPS);
    const { exitCode, all } = await execa(
      process.execPath,
      [
        join(projectRoot, 'node_modules/@cucumber/cucumber/bin/cucumber.js'),
        ...['--require', join(folder, 'formats.steps.ts'), join(folder, 'formats.feature')],
      ],
      {
        cwd: projectRoot,
        // Nothing is started, whatever has been set up.
        env: { REPORTS_DIR: reports, RUNTIME: 'external' },
        ...{ reject: false, all: true },
      },
    );
    expect(exitCode, all).to.equal(1);
  });

  it('are of scenarios of every kind', () => {
    const [feature] = JSON.parse(read('cucumber.json')) as CucumberJson;
    const statuses = feature?.elements.map(({ name, steps }) => {
      const worst = steps.find((step) => step.result.status !== 'passed');
      return `${name}: ${worst?.result.status ?? 'passed'}`;
    });
    expect(statuses).to.deep.equal([
      'passed: passed',
      'failed, with a message that is hard to write: failed',
      'skipped: skipped',
      'undefined: undefined',
      'with frames: passed',
      'an outline: passed',
      'an outline: passed',
      'in a rule: passed',
    ]);
  });

  it('junit.xml is as Jenkins reads it', async () => {
    const xml = read('junit.xml');
    expect(await xmlErrors(xml)).to.deep.equal([]);
    expect(xml).to.match(/<testsuite .*tests="8" skipped="1" failures="2" errors="0"/);
    // What would end a section, and control characters, by their numbers.
    expect(xml).to.include(']]\\u003e').and.to.include('\\u001b[31mred');
    expect(await xmlErrors(xml.replace('tests="8"', ''))).to.match(/'tests' is required/);
    expect(await xmlErrors(xml.replace('<skipped', '<left-out/><skipped'))).to.match(/left-out/);
  });

  it("messages.ndjson is as Cucumber's schema says", () => {
    const all = messages();
    expect(misfits(messagesSchema, all)).to.deep.equal([]);
    expect(all.filter(({ testCaseFinished }) => testCaseFinished)).to.have.length(8);
    expect(all.at(-1)).to.have.property('testRunFinished');
    const wrong = [{ testCaseFinished: { testCaseStartedId: 1 } }, { unheardOf: {} }];
    expect(misfits(messagesSchema, wrong)).to.have.length(2);
  });

  it("cucumber.json is as the schema of cucumber-js's JSON says", () => {
    const features = JSON.parse(read('cucumber.json')) as CucumberJson;
    expect(misfits(cucumberJsonSchema, [features])).to.deep.equal([]);
    const [feature] = features;
    for (const part of ['uri', 'elements']) {
      expect(misfits(cucumberJsonSchema, [[{ ...feature, [part]: undefined }]])).to.have.length(1);
    }
  });

  it('have attached frames as they were', () => {
    const [feature] = JSON.parse(read('cucumber.json')) as CucumberJson;
    const attached = feature?.elements.flatMap(({ steps }) =>
      steps.flatMap(({ embeddings = [] }) => embeddings),
    );
    const svg = attached?.find(({ mime_type: type }) => type === 'image/svg+xml');
    expect(Buffer.from(svg?.data ?? '', 'base64').toString()).to.equal(SVG);
    const inMessages = messages().flatMap(({ attachment }) => attachment ?? []);
    expect(inMessages.map(({ mediaType, fileName }) => [mediaType, fileName])).to.deep.equal([
      ['image/svg+xml', 'chart.svg'],
      ['image/png', undefined],
      ['text/x.cucumber.log+plain', undefined],
    ]);
  });
});
