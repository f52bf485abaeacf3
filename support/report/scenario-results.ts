import { existsSync, readFileSync } from 'node:fs';

import type { Envelope } from '@cucumber/messages';

import { messageOf, NotObserved } from '../errors';

/** The name of the attachment that says why a scenario was skipped. */
export const SKIP_REASON = 'skip-reason.txt';

/** The name of the attachment that lists the streams of the broadcasts that a scenario was judged by. */
export const JUDGED_BY = 'judged-by.txt';

/** How one scenario ended. */
export interface ScenarioResult {
  name: string;
  tags: string[];
  /** Where it is, as cucumber-js takes it: file:line. */
  place: string;
  status: Status;
  /** Messages of failed steps. */
  message: string;
  /** Why it was skipped; undefined when it does not say. */
  skipReason: string | undefined;
  /** Streams of the broadcasts that it looked at. */
  judgedBy: string[];
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
  const pickles = new Map<string, Pick<ScenarioResult, 'name' | 'tags' | 'place'>>();
  const pickleOfCase = new Map<string, string>();
  const results = new Map<string, ScenarioResult & { hasEnded: boolean }>();
  const read = (message: Envelope): void => {
    if (message.pickle) {
      const { id, name, tags, uri, location } = message.pickle;
      const place = `${uri}:${location?.line ?? ''}`;
      pickles.set(id, { name, tags: tags.map((tag) => tag.name), place });
    } else if (message.testCase) {
      pickleOfCase.set(message.testCase.id, message.testCase.pickleId);
    } else if (message.testCaseStarted) {
      const { id, testCaseId } = message.testCaseStarted;
      const pickle = pickles.get(pickleOfCase.get(testCaseId) ?? '');
      results.set(id, {
        ...(pickle ?? { name: testCaseId, tags: [], place: '' }),
        ...{ status: 'PASSED', message: '', skipReason: undefined, judgedBy: [], hasEnded: false },
      });
    } else if (message.testStepFinished) {
      const { testCaseStartedId, testStepResult } = message.testStepFinished;
      const result = results.get(testCaseStartedId);
      if (!result) return;
      const isWorse =
        WORST_FIRST.indexOf(testStepResult.status) < WORST_FIRST.indexOf(result.status);
      if (isWorse) result.status = testStepResult.status;
      if (testStepResult.message) result.message += `${testStepResult.message}\n`;
    } else if (message.attachment) {
      const { fileName, testCaseStartedId = '', body, contentEncoding } = message.attachment;
      const result = results.get(testCaseStartedId);
      if (!result) return;
      const isEncoded = (contentEncoding as string) === 'BASE64';
      const text = (): string => (isEncoded ? Buffer.from(body, 'base64').toString() : body);
      if (fileName === SKIP_REASON) result.skipReason = text();
      if (fileName === JUDGED_BY) result.judgedBy = text().split('\n');
    } else if (message.testCaseFinished) {
      const result = results.get(message.testCaseFinished.testCaseStartedId);
      if (result) result.hasEnded = true;
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
  return [...results.values()].map(({ hasEnded, ...result }) => ({
    ...result,
    // The run was ended in the middle of it.
    status: hasEnded || result.status !== 'PASSED' ? result.status : 'UNKNOWN',
  }));
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
