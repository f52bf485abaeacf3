import { existsSync, readFileSync } from 'node:fs';

import type { Envelope } from '@cucumber/messages';

import { messageOf, NotObserved } from '../errors';

/** The name of the attachment that says why a scenario was skipped. */
export const SKIP_REASON = 'skip-reason.txt';

/** How one scenario ended. */
export interface ScenarioResult {
  name: string;
  tags: string[];
  status: Status;
  /** Messages of failed steps. */
  message: string;
  /** Why it was skipped; undefined when it does not say. */
  skipReason: string | undefined;
  seconds: number;
}

/** From worst to best: a scenario is as bad as its worst step. */
const WORST_FIRST = [
  'UNKNOWN',
  'AMBIGUOUS',
  'UNDEFINED',
  'FAILED',
  'PENDING',
  'SKIPPED',
  'PASSED',
] as const;

/** How a step or scenario ended, as Cucumber's messages say it. */
export type Status = (typeof WORST_FIRST)[number];

/**
 * Reads Cucumber's messages (`reports/messages.ndjson`).
 *
 * @throws NotObserved when the file is not there or holds no message, or a line of it is none
 */
export function readScenarioResults(messagesFile: string): ScenarioResult[] {
  const text = existsSync(messagesFile) ? readFileSync(messagesFile, 'utf8').trim() : '';
  if (text === '') {
    throw new NotObserved({
      what: 'there are no results',
      where: messagesFile,
      seen: 'no file, or an empty one',
      expected: "Cucumber's messages",
      next: 'read what cucumber-js printed: it ended before the first scenario',
    });
  }
  const pickles = new Map<string, { name: string; tags: string[] }>();
  const pickleOfCase = new Map<string, string>();
  const results = new Map<string, ScenarioResult & { startedSeconds: number }>();
  const read = (message: Envelope): void => {
    if (message.pickle) {
      const { id, name, tags } = message.pickle;
      pickles.set(id, { name, tags: tags.map((tag) => tag.name) });
    } else if (message.testCase) {
      pickleOfCase.set(message.testCase.id, message.testCase.pickleId);
    } else if (message.testCaseStarted) {
      const { id, testCaseId, timestamp } = message.testCaseStarted;
      const pickle = pickles.get(pickleOfCase.get(testCaseId) ?? '');
      results.set(id, {
        ...{ name: pickle?.name ?? testCaseId, tags: pickle?.tags ?? [], message: '' },
        ...{ status: 'PASSED', skipReason: undefined, seconds: 0 },
        startedSeconds: timestamp.seconds + timestamp.nanos / 1e9,
      });
    } else if (message.testStepFinished) {
      const { testCaseStartedId, testStepResult } = message.testStepFinished;
      const result = results.get(testCaseStartedId);
      if (!result) return;
      const isWorse =
        WORST_FIRST.indexOf(testStepResult.status) < WORST_FIRST.indexOf(result.status);
      if (isWorse) result.status = testStepResult.status;
      if (testStepResult.message) result.message += `${testStepResult.message}\n`;
    } else if (message.attachment?.fileName === SKIP_REASON) {
      const result = results.get(message.attachment.testCaseStartedId ?? '');
      const { body, contentEncoding } = message.attachment;
      if (!result) return;
      result.skipReason =
        (contentEncoding as string) === 'BASE64' ? Buffer.from(body, 'base64').toString() : body;
    } else if (message.testCaseFinished) {
      const result = results.get(message.testCaseFinished.testCaseStartedId);
      const { seconds, nanos } = message.testCaseFinished.timestamp;
      if (result) result.seconds = seconds + nanos / 1e9 - result.startedSeconds;
    }
  };
  text.split('\n').forEach((line, index) => {
    try {
      read(JSON.parse(line) as Envelope);
    } catch (error) {
      throw new NotObserved(
        {
          what: "this is not one of Cucumber's messages",
          where: `${messagesFile}:${index + 1}`,
          seen: `${messageOf(error)}: ${line.slice(0, 100)}`,
          expected: 'a message, as JSON',
          next: 'read what cucumber-js printed: it was ended while it was writing',
        },
        { cause: error },
      );
    }
  });
  return [...results.values()];
}

/**
 * What is wrong with a run although no step failed: nothing ran, something is undefined, or was skipped.
 *
 * @returns one line for each thing that is wrong; empty when the run counts as passed
 */
export function faultsOf(results: readonly ScenarioResult[]): string[] {
  const faults = results.flatMap(({ status, name, skipReason }) => {
    if (status === 'PASSED') return [];
    if (status !== 'SKIPPED') return [`${status.toLowerCase()}: ${name}`];
    return [`skipped: ${name}: ${skipReason?.split('\n')[0] ?? 'without a reason'}`];
  });
  return results.length === 0 ? ['no scenario ran'] : faults;
}
