import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Verdict } from '../../support/checks/criterion';
import { addVerdict } from '../../support/checks/verdict-log';
import type { RunPart } from '../../support/report/facts';
import { readPart, type ResultsPart } from '../../support/report/run-report';
import {
  JUDGED_BY,
  NOT_SHOWN_REASON,
  SKIP_REASON,
  STREAMS,
} from '../../support/report/scenario-results';

/** What Cucumber says of a scenario, in short. */
export interface Told {
  name: string;
  tags?: string[];
  /** Each with how it ended, and its message. */
  steps?: { text: string; status: string; message?: string; table?: string[][] }[];
  feature?: string;
  skipReason?: string;
  notShown?: string;
  judgedBy?: string[];
  /** The criteria that it was judged by, with what came of it. */
  judged?: Record<string, Verdict['state']>;
  /** Whether it is in the features, and was not asked for. */
  isLeftOut?: boolean;
  /** Whether it was asked for, and the run ended before it. */
  isNotBegun?: boolean;
  streams?: string[];
  /** The message of a hook that failed. */
  hook?: string;
  isBrokenOff?: boolean;
  /** The message of its first attempt, which failed: this is the second. */
  failedBefore?: string;
}

const at = (seconds: number): object => ({ timestamp: { seconds, nanos: 0 } });

/** A step that ended so. */
export function steps(...statuses: string[]): NonNullable<Told['steps']> {
  return statuses.map((status, index) => ({ text: `step ${index}`, status }));
}

function messagesOf(told: Told, number: number): object[] {
  const { name, tags = [], feature = 'A feature', judgedBy, skipReason, hook } = told;
  const { failedBefore } = told;
  const [uri, run] = [`features/${feature}.feature`, `s${number}`];
  const own = told.steps ?? steps('PASSED');
  const attached = (fileName: string, body: string): object => ({
    attachment: {
      ...{ testCaseStartedId: run, testStepId: `${run}-hook`, fileName, body },
      contentEncoding: 'IDENTITY',
    },
  });
  const ended = (testStepId: string, status: string, message?: string): object => ({
    testStepFinished: {
      ...{ testCaseStartedId: run, testStepId },
      testStepResult: { status, ...(message === undefined ? {} : { message }) },
    },
  });
  const ids = own.map((_, index) => `${run}-${index}`);
  return [
    {
      gherkinDocument: {
        uri,
        feature: {
          name: feature,
          children: [
            {
              scenario: {
                ...{ id: `n${number}`, examples: [] },
                steps: ids.map((id) => ({ id, keyword: 'Then ' })),
              },
            },
          ],
        },
      },
    },
    {
      pickle: {
        ...{ id: `p${number}`, name, uri, location: { line: number + 1, column: 3 } },
        astNodeIds: [`n${number}`],
        tags: tags.map((tag) => ({ name: tag })),
        steps: own.map(({ text, table }, index) => ({
          ...{ id: ids[index], text, astNodeIds: [ids[index]] },
          argument: table && {
            dataTable: {
              rows: table.map((cells) => ({ cells: cells.map((value) => ({ value })) })),
            },
          },
        })),
      },
    },
    {
      testCase: {
        ...{ id: `c${number}`, pickleId: `p${number}` },
        testSteps: [{ id: `${run}-hook` }, ...ids.map((id) => ({ id, pickleStepId: id }))],
      },
    },
    ...(failedBefore === undefined ? [] : attemptBefore(number, ids[0] ?? '', failedBefore)),
    {
      testCaseStarted: {
        ...{ id: run, attempt: failedBefore === undefined ? 0 : 1, testCaseId: `c${number}` },
        ...at(number),
      },
    },
    ended(`${run}-hook`, hook === undefined ? 'PASSED' : 'FAILED', hook),
    ...own.map(({ status, message }, index) => ended(ids[index] ?? '', status, message)),
    ...(skipReason === undefined ? [] : [attached(SKIP_REASON, skipReason)]),
    ...(told.notShown === undefined ? [] : [attached(NOT_SHOWN_REASON, told.notShown)]),
    ...(judgedBy === undefined ? [] : [attached(JUDGED_BY, judgedBy.join('\n'))]),
    ...(told.streams === undefined ? [] : [attached(STREAMS, told.streams.join('\n'))]),
    ...(told.isBrokenOff
      ? []
      : [
          { testCaseFinished: { testCaseStartedId: run, willBeRetried: false, ...at(number + 1) } },
        ]),
  ];
}

/** An attempt whose first step failed. */
function attemptBefore(number: number, testStepId: string, message: string): object[] {
  const testCaseStartedId = `s${number}-before`;
  return [
    {
      testCaseStarted: {
        ...{ id: testCaseStartedId, attempt: 0, testCaseId: `c${number}` },
        ...at(number),
      },
    },
    {
      testStepFinished: {
        ...{ testCaseStartedId, testStepId, testStepResult: { status: 'FAILED', message } },
      },
    },
    { testCaseFinished: { testCaseStartedId, willBeRetried: true, ...at(number) } },
  ];
}

/** What a run has written, with one processor of speed 0.75 and 1 GiB of memory. */
export function partOf(more: Partial<RunPart> = {}, shard?: [number, number]): RunPart {
  return {
    environment: {
      ...{
        runtime: 'host: Docker does not answer',
        node: 'v20',
        system: 'Linux 6',
        processors: 1,
        speed: 0.75,
      },
      ...{ memoryBytes: 2 ** 30, suite: '0.1.0', commit: 'abc', settings: { LOG_LEVEL: 'DEBUG' } },
      ...(shard ? { shard: { index: shard[0], count: shard[1] } } : {}),
    },
    ...{ evidence: [], isReplay: false, problems: [], reportSeconds: 1 },
    ...more,
  };
}

/** Writes the results of a run into a folder, and reads them. It takes 100 s. */
export function resultsIn(
  folder: string,
  told: readonly Told[],
  part: RunPart | 'none' = partOf(),
  isBrokenOff = false,
): ResultsPart {
  mkdirSync(folder, { recursive: true });
  const messages = [
    { testRunStarted: at(1000) },
    ...told.flatMap((one, number) =>
      messagesOf(one, number).slice(0, one.isLeftOut ? 2 : one.isNotBegun ? 3 : undefined),
    ),
    ...(isBrokenOff ? [] : [{ testRunFinished: { success: true, ...at(1100) } }]),
  ];
  const lines = messages.map((message) => JSON.stringify(message));
  writeFileSync(join(folder, 'messages.ndjson'), lines.join('\n'));
  told.forEach(({ name, feature = 'A feature', judged = {} }, number) => {
    const place = `features/${feature}.feature:${number + 1}`;
    for (const [criterion, state] of Object.entries(judged)) {
      const verdict = { criterion, title: criterion, state, limit: null, where: 'here', what: '' };
      const scenario = { name, place };
      addVerdict(folder, {
        scenario,
        verdict: { ...verdict, seen: '', expected: '', deviations: [] },
      });
    }
  });
  if (part !== 'none') writeFileSync(join(folder, 'part.json'), JSON.stringify(part));
  return readPart(folder);
}
