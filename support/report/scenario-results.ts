import { existsSync, readFileSync } from 'node:fs';

import type { Attachment, Envelope, TestStepResultStatus } from '@cucumber/messages';
import type { TestCaseFinished, TestCaseStarted, TestStepFinished } from '@cucumber/messages';
import { Query } from '@cucumber/query';

import { messageOf, NotObserved } from '../base/errors';

/** The name of the attachment that says why a scenario was skipped. */
export const SKIP_REASON = 'skip-reason.txt';

/** The name of the attachment that says why a scenario is not shown. */
export const NOT_SHOWN_REASON = 'not-shown.txt';

/** The name of the attachment that lists the streams of the broadcasts that a scenario was judged by. */
export const JUDGED_BY = 'judged-by.txt';

/** The name of the attachment that lists the streams that a scenario has used. */
export const STREAMS = 'streams.txt';

const READ_ATTACHMENTS = [SKIP_REASON, NOT_SHOWN_REASON, JUDGED_BY, STREAMS];

/** As `--fail-fast`, and the profile `debug`, want it. */
const ENDED_AT_FAILURE =
  'another scenario has failed, and the run ends at the first failure (--fail-fast)';

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
  /** Why this system, or this configuration, cannot show it; not there where it can. */
  notShown?: string;
  /** Streams of the broadcasts that it was judged by. */
  judgedBy: string[];
  /** All streams that it has used, also those of which no broadcast was observed; not there where it used none. */
  streams?: string[];
  seconds: number;
  /** Earlier attempts (`--retry`), the first one first: this is the last one, which counts. */
  attempts?: ScenarioResult[];
}

/** How a step or scenario ended, as Cucumber's messages say it. */
export type Status = `${TestStepResultStatus}`;

/** A requirement's ID as a tag of its scenarios: @021-US4-2, @019-E1, @018-SC. */
const REQUIREMENT = /^@(\d{3}-\S+)$/;

/** The IDs of the requirements that a scenario shows. */
export function idsOf({ tags }: Pick<ScenarioResult, 'tags'>): string[] {
  return tags.flatMap((tag) => REQUIREMENT.exec(tag)?.[1] ?? []);
}

/**
 * What the run as a whole says of a scenario. `not shown`: this system, or this configuration, does not offer what it needs,
 * which it says; anything but that, passed and skipped is a failure.
 */
export type Outcome = 'passed' | 'failed' | 'skipped' | 'not shown';

export function outcomeOf({
  status,
  notShown,
}: Pick<ScenarioResult, 'status' | 'notShown'>): Outcome {
  if (status === 'PASSED') return 'passed';
  if (status !== 'SKIPPED') return 'failed';
  return notShown === undefined ? 'skipped' : 'not shown';
}

/** What failed outside of the steps: in a hook before or after them. Empty when nothing did. */
export function outsideSteps({ message, steps }: ScenarioResult): string {
  return steps.reduce((rest, step) => rest.replace(step.message, ''), message).trim();
}

/** IDs and name: what stays when a feature is edited. */
export function nameWithIds({ ids, name }: { ids: readonly string[]; name: string }): string {
  return [...ids, name].join(' ');
}

/** A scenario of the features that were read. */
interface KnownScenario extends Pick<ScenarioResult, 'name' | 'tags' | 'place'> {
  isAsked: boolean;
}

/** Makes results of Cucumber's messages, one after the other. */
export class ScenarioCollector {
  /** For what is not of a scenario: suggestions, undefined parameter types. */
  readonly query = new Query();
  /** In the order in which they began; those that began in the same millisecond, too. */
  readonly #begun: TestCaseStarted[] = [];
  /** Pickles that a test case was made of. */
  readonly #asked = new Set<string>();

  add(message: Envelope): void {
    // Of all that is attached, nothing else is read; charts and logs would be kept in memory.
    const { fileName = '' } = message.attachment ?? {};
    if (message.attachment && !READ_ATTACHMENTS.includes(fileName)) return;
    this.query.update(message);
    if (message.testCase) this.#asked.add(message.testCase.pickleId);
    if (message.testCaseStarted) this.#begun.push(message.testCaseStarted);
  }

  /** One for each scenario that has begun, in that order: of several attempts, the last one counts. */
  get results(): ScenarioResult[] {
    const attempts = new Map<string, ScenarioResult[]>();
    for (const one of this.#begun) {
      const { testCaseId } = one;
      attempts.set(testCaseId, [...(attempts.get(testCaseId) ?? []), this.#resultOf(one)]);
    }
    return [...attempts.values()].flatMap((all) => {
      const last = all.at(-1);
      return last && all.length > 1 ? { ...last, attempts: all.slice(0, -1) } : (last ?? []);
    });
  }

  /** All scenarios of the features that were read, also those that have not begun, or were not asked for. */
  get known(): KnownScenario[] {
    return this.query.findAllPickles().map(({ id, name, tags, uri, location }) => ({
      ...{ name, tags: tags.map((tag) => tag.name), isAsked: this.#asked.has(id) },
      place: `${uri}:${location?.line ?? ''}`,
    }));
  }

  /** What Cucumber calls the run; undefined where it has not begun. */
  get runId(): string | undefined {
    return this.query.findTestRunStarted()?.id;
  }

  /** How the attempt ended that this message is the end of. */
  resultOf(ended: TestCaseFinished): ScenarioResult {
    const attempt = this.query.findTestCaseStartedBy(ended);
    if (!attempt) throw new TypeError(`no scenario has begun as ${ended.testCaseStartedId}`);
    return this.#resultOf(attempt);
  }

  /** When the run began, in ms since the epoch, and how long it took; undefined where it has not begun, or ended. */
  get times(): { startedAtMs: number | undefined; seconds: number | undefined } {
    const [started, ended] = [this.query.findTestRunStarted(), this.query.findTestRunFinished()];
    return {
      startedAtMs: started && millis(started.timestamp),
      seconds: started && ended && (millis(ended.timestamp) - millis(started.timestamp)) / 1000,
    };
  }

  #resultOf(attempt: TestCaseStarted): ScenarioResult {
    const { query } = this;
    const pickle = query.findPickleBy(attempt);
    const ended = query.findTestCaseFinishedBy(attempt);
    const finished = query.findTestStepsFinishedBy(attempt);
    const attached = new Map(
      finished
        .flatMap((step) => query.findAttachmentsBy(step))
        .map((one) => [one.fileName, textOf(one)]),
    );
    const notShown = attached.get(NOT_SHOWN_REASON);
    const streams = attached.get(STREAMS)?.split('\n');
    return {
      name: pickle?.name ?? attempt.testCaseId,
      tags: pickle?.tags.map(({ name }) => name) ?? [],
      place: pickle ? `${pickle.uri}:${pickle.location?.line ?? ''}` : '',
      feature: (pickle && query.findLineageBy(pickle)?.feature?.name) ?? '',
      steps: this.#stepsOf(attempt, finished),
      status: this.#statusOf(attempt),
      message: finished
        .flatMap(({ testStepResult: { message = '' } }) => (message ? `${message}\n` : []))
        .join(''),
      skipReason: attached.get(SKIP_REASON) ?? this.#whyNotBegun(finished),
      ...(notShown === undefined ? {} : { notShown }),
      judgedBy: attached.get(JUDGED_BY)?.split('\n') ?? [],
      ...(streams ? { streams } : {}),
      seconds: ended ? (millis(ended.timestamp) - millis(attempt.timestamp)) / 1000 : 0,
    };
  }

  /** Of a scenario of which not even a hook has run: cucumber-js says nothing of it. */
  #whyNotBegun(finished: readonly TestStepFinished[]): string | undefined {
    const isSkipped = ({ testStepResult: { status } }: TestStepFinished): boolean =>
      (status as Status) === 'SKIPPED';
    if (finished.length === 0 || !finished.every(isSkipped)) return undefined;
    const { FAILED, UNDEFINED, AMBIGUOUS, PENDING } =
      this.query.countMostSevereTestStepResultStatus();
    return FAILED + UNDEFINED + AMBIGUOUS + PENDING > 0 ? ENDED_AT_FAILURE : undefined;
  }

  #statusOf(attempt: TestCaseStarted): Status {
    const { query } = this;
    const { status = 'PASSED' } = query.findMostSevereTestStepResultBy(attempt) ?? {};
    // The run was ended in the middle of it.
    if (status === 'PASSED' && !query.findTestCaseFinishedBy(attempt)) return 'UNKNOWN';
    // A step that ended so has not passed; to Cucumber it is less severe than one that has.
    const finished = query.findTestStepsFinishedBy(attempt);
    const statuses: Status[] = finished.map(({ testStepResult }) => testStepResult.status);
    return statuses.includes('UNKNOWN') ? 'UNKNOWN' : status;
  }

  #stepsOf(attempt: TestCaseStarted, finished: readonly TestStepFinished[]): StepResult[] {
    const { query } = this;
    return (query.findTestCaseBy(attempt)?.testSteps ?? []).flatMap((testStep) => {
      const step = query.findPickleStepBy(testStep);
      if (!step) return [];
      const ended = finished.find(({ testStepId }) => testStepId === testStep.id)?.testStepResult;
      const rows = step.argument?.dataTable?.rows;
      return {
        keyword: query.findStepBy(step)?.keyword.trim() ?? '',
        text: step.text,
        table: rows?.map(({ cells }) => cells.map(({ value }) => value)),
        status: ended?.status ?? 'SKIPPED',
        message: ended?.message ?? '',
      };
    });
  }
}

/** What is attached, where that is text. */
export function textOf({ body, contentEncoding }: Attachment): string {
  const isEncoded = (contentEncoding as string) === 'BASE64';
  return isEncoded ? Buffer.from(body, 'base64').toString() : body;
}

function millis({ seconds, nanos }: { seconds: number; nanos: number }): number {
  return 1000 * seconds + nanos / 1e6;
}

/**
 * Reads Cucumber's messages (`reports/messages.ndjson`).
 *
 * @param mayBeBrokenOff a last line that is not whole is passed over: its run was killed while it was writing
 * @throws NotObserved when the file is not there or holds no message, or a line of it is malformed
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
