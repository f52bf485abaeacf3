import { existsSync, readFileSync } from 'node:fs';

import type { Attachment, Envelope, GherkinDocument, Pickle } from '@cucumber/messages';

import { messageOf, NotObserved } from '../base/errors';

/** The name of the attachment that says why a scenario was skipped. */
export const SKIP_REASON = 'skip-reason.txt';

/** The name of the attachment that lists the streams of the broadcasts that a scenario was judged by. */
export const JUDGED_BY = 'judged-by.txt';

/** One step of a scenario, as product wrote it. */
export interface StepResult {
  /** Given, When, Then, And, But; empty where the feature does not say. */
  keyword: string;
  text: string;
  /** The rows of its table. */
  table: string[][] | undefined;
  status: Status;
  /** The failure with its stack; empty when there is none. */
  message: string;
}

/** How one scenario ended. */
export interface ScenarioResult {
  name: string;
  tags: string[];
  /** Where it is, as cucumber-js takes it: file:line. */
  place: string;
  /** The name of its feature. */
  feature: string;
  /** In the order of the scenario, those of its Background first; without hooks. */
  steps: StepResult[];
  status: Status;
  /** Messages of failed steps and hooks. */
  message: string;
  /** Why it was skipped; undefined when it does not say. */
  skipReason: string | undefined;
  /** Streams of the broadcasts that it looked at. */
  judgedBy: string[];
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

/** A requirement's ID as a tag of its scenarios: @021-US4-2, @019-E1, @018-SC. */
const REQUIREMENT = /^@(\d{3}-\S+)$/;

/** The IDs of the requirements that a scenario shows. */
export function idsOf({ tags }: Pick<ScenarioResult, 'tags'>): string[] {
  return tags.flatMap((tag) => REQUIREMENT.exec(tag)?.[1] ?? []);
}

/** What the run as a whole says of a scenario: anything but passed and skipped is a failure. */
export type Outcome = 'passed' | 'failed' | 'skipped';

export function outcomeOf({ status }: Pick<ScenarioResult, 'status'>): Outcome {
  if (status === 'PASSED') return 'passed';
  return status === 'SKIPPED' ? 'skipped' : 'failed';
}

interface Running {
  result: ScenarioResult;
  steps: Map<string, StepResult>;
  hasEnded: boolean;
  startedAtMs: number;
}

/** Makes results of Cucumber's messages, one after the other. */
export class ScenarioCollector {
  readonly #features = new Map<string, { name: string; keywords: Map<string, string> }>();
  readonly #pickles = new Map<string, Pickle>();
  readonly #cases = new Map<string, { pickleId: string; pickleStepOf: Map<string, string> }>();
  readonly #running = new Map<string, Running>();
  #startedAtMs: number | undefined;
  #endedAtMs: number | undefined;

  add(message: Envelope): void {
    const { gherkinDocument, pickle, testCase, testStepFinished, attachment } = message;
    if (gherkinDocument) this.#addFeature(gherkinDocument);
    if (pickle) this.#pickles.set(pickle.id, pickle);
    if (testCase) {
      const steps = testCase.testSteps.map(({ id, pickleStepId = '' }) => [id, pickleStepId]);
      this.#cases.set(testCase.id, {
        pickleId: testCase.pickleId,
        pickleStepOf: new Map(steps as [string, string][]),
      });
    }
    if (message.testRunStarted) this.#startedAtMs = millis(message.testRunStarted.timestamp);
    if (message.testRunFinished) this.#endedAtMs = millis(message.testRunFinished.timestamp);
    if (message.testCaseStarted) {
      const { id, testCaseId, timestamp } = message.testCaseStarted;
      this.#running.set(id, this.#begin(testCaseId, millis(timestamp)));
    }
    if (testStepFinished) {
      const { testCaseStartedId, testStepId, testStepResult } = testStepFinished;
      const running = this.#running.get(testCaseStartedId);
      const { status, message: text = '' } = testStepResult;
      if (!running) return;
      const { result } = running;
      if (WORST_FIRST.indexOf(status) < WORST_FIRST.indexOf(result.status)) result.status = status;
      if (text) result.message += `${text}\n`;
      const step = running.steps.get(testStepId);
      if (step) Object.assign(step, { status, message: text });
    }
    if (attachment) this.#addAttachment(attachment);
    if (message.testCaseFinished) {
      const { testCaseStartedId, timestamp } = message.testCaseFinished;
      const running = this.#running.get(testCaseStartedId);
      if (!running) return;
      running.hasEnded = true;
      running.result.seconds = (millis(timestamp) - running.startedAtMs) / 1000;
    }
  }

  /** One for each scenario that has begun, in that order. */
  get results(): ScenarioResult[] {
    return [...this.#running.values()].map(({ result, hasEnded }) => ({
      ...result,
      // The run was ended in the middle of it.
      status: hasEnded || result.status !== 'PASSED' ? result.status : 'UNKNOWN',
    }));
  }

  /** When the run began and ended, in ms since the epoch; undefined where it has not. */
  get times(): { startedAtMs: number | undefined; endedAtMs: number | undefined } {
    return { startedAtMs: this.#startedAtMs, endedAtMs: this.#endedAtMs };
  }

  #addFeature({ uri = '', feature }: GherkinDocument): void {
    const keywords = new Map<string, string>();
    for (const child of feature?.children ?? []) {
      const inRule = child.rule?.children ?? [];
      for (const { background, scenario } of [child, ...inRule]) {
        for (const step of [...(background?.steps ?? []), ...(scenario?.steps ?? [])]) {
          keywords.set(step.id, step.keyword.trim());
        }
      }
    }
    this.#features.set(uri, { name: feature?.name ?? '', keywords });
  }

  #begin(testCaseId: string, startedAtMs: number): Running {
    const testCase = this.#cases.get(testCaseId);
    const pickle = this.#pickles.get(testCase?.pickleId ?? '');
    const feature = this.#features.get(pickle?.uri ?? '');
    const steps = new Map<string, StepResult>();
    for (const [testStepId, pickleStepId] of testCase?.pickleStepOf ?? []) {
      const step = pickle?.steps.find(({ id }) => id === pickleStepId);
      if (!step) continue;
      const rows = step.argument?.dataTable?.rows;
      steps.set(testStepId, {
        keyword: feature?.keywords.get(step.astNodeIds[0] ?? '') ?? '',
        text: step.text,
        table: rows?.map(({ cells }) => cells.map(({ value }) => value)),
        ...{ status: 'SKIPPED', message: '' },
      });
    }
    return {
      ...{ steps, startedAtMs, hasEnded: false },
      result: {
        name: pickle?.name ?? testCaseId,
        tags: pickle?.tags.map(({ name }) => name) ?? [],
        place: pickle ? `${pickle.uri}:${pickle.location?.line ?? ''}` : '',
        feature: feature?.name ?? '',
        steps: [...steps.values()],
        ...{ status: 'PASSED', message: '', skipReason: undefined, judgedBy: [], seconds: 0 },
      },
    };
  }

  #addAttachment({ fileName, testCaseStartedId = '', body, contentEncoding }: Attachment): void {
    const result = this.#running.get(testCaseStartedId)?.result;
    if (!result) return;
    const isEncoded = (contentEncoding as string) === 'BASE64';
    const text = (): string => (isEncoded ? Buffer.from(body, 'base64').toString() : body);
    if (fileName === SKIP_REASON) result.skipReason = text();
    if (fileName === JUDGED_BY) result.judgedBy = text().split('\n');
  }
}

function millis({ seconds, nanos }: { seconds: number; nanos: number }): number {
  return 1000 * seconds + nanos / 1e6;
}

/**
 * Reads Cucumber's messages (`reports/messages.ndjson`).
 *
 * @param mayBeBrokenOff a last line that is not whole is passed over: its run was killed while it was writing
 * @throws NotObserved when the file is not there or holds no message, or a line of it is none
 */
export function readMessages(messagesFile: string, mayBeBrokenOff = false): ScenarioCollector {
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
  const collector = new ScenarioCollector();
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    try {
      collector.add(JSON.parse(line) as Envelope);
    } catch (error) {
      if (mayBeBrokenOff && index > 0 && index === lines.length - 1) return;
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
  return collector;
}

/**
 * How each scenario of a run ended.
 *
 * @throws NotObserved as {@link readMessages}
 */
export function readScenarioResults(messagesFile: string): ScenarioResult[] {
  return readMessages(messagesFile).results;
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
