import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { styleText } from 'node:util';

import { Formatter, type IFormatterOptions } from '@cucumber/cucumber';
import type { Envelope, TestCaseFinished, TestStepStarted } from '@cucumber/messages';

import { readConfig } from '../config';
import { messageOf } from '../base/errors';
import { noteEnvelope } from '../session/planned-scenarios';
import { endOfRun, titleOf, type Format } from './end-of-run';
import { reportFiles } from './facts';
import { makeReports } from './make-reports';
import { noteScenario, noteStep, startProgress, stopProgress, waitingFor } from './progress';
import { idsOf, ScenarioCollector, SKIP_REASON, type Status } from './scenario-results';
import { removeReports } from './write-reports';

/** What is waited for, a line for each scenario as it ends, and at the end the failures with all they have to say. */
export class LiveFormatter extends Formatter {
  readonly #collector = new ScenarioCollector();
  /** The text of each step by its ID, and code that cucumber-js suggests for those that have none, by their text. */
  readonly #stepTexts = new Map<string, string>();
  readonly #snippets = new Map<string, string>();
  readonly #problems: string[] = [];
  readonly #hasColours: boolean;

  constructor(options: IFormatterOptions) {
    super(options);
    // What cucumber-js goes by: its options, --no-color and FORCE_COLOR.
    this.#hasColours = this.colorFns.tag('x') !== 'x';
    options.eventBroadcaster.on('envelope', (envelope: Envelope) => this.#note(envelope));
  }

  override async finished(): Promise<void> {
    const reports = await waitingFor('the reports to be written', () =>
      makeReports(this.#collector),
    ).catch((error: unknown) => ({ problems: [`no reports: ${messageOf(error)}`] }));
    stopProgress();
    const problems = [...this.#problems, ...reports.problems];
    // Such a run has not passed, whatever its scenarios say.
    if (problems.length > 0) process.on('exit', () => (process.exitCode ||= 1));
    const { reportsFolder } = readConfig();
    const shown = (...path: string[]): string | undefined => {
      const file = join(reportsFolder, ...path);
      return existsSync(file) ? relative(this.cwd, file) : undefined;
    };
    const { startedAtMs = 0, endedAtMs = startedAtMs } = this.#collector.times;
    const end = endOfRun(this.#collector.results, {
      problems,
      indexPage: shown(reportFiles.index),
      detailsPage: shown('cucumber.html'),
      pageOf: (stream) => shown('evidence', stream, reportFiles.broadcastPage),
      seconds: (endedAtMs - startedAtMs) / 1000,
      snippetOf: (text) => this.#snippets.get(text),
      paint: this.#paint,
    });
    this.stream.write(end);
    await super.finished();
  }

  #note(envelope: Envelope): void {
    noteEnvelope(envelope);
    this.#collector.add(envelope);
    const { pickle, suggestion, testRunStarted, testCaseStarted } = envelope;
    pickle?.steps.forEach(({ id, text }) => this.#stepTexts.set(id, text));
    if (suggestion) {
      const { pickleStepId, snippets } = suggestion;
      const code = snippets.map((snippet) => snippet.code).join('\n');
      this.#snippets.set(this.#stepTexts.get(pickleStepId) ?? '', code);
    }
    if (envelope.undefinedParameterType) {
      const { name, expression } = envelope.undefinedParameterType;
      this.#problems.push(`the parameter type {${name}} is not defined: ${expression}`);
    }
    if (testRunStarted) removeReports(readConfig().reportsFolder);
    if (testRunStarted) startProgress(this.stream, process.stderr);
    if (testCaseStarted) {
      const { name, tags } = this.eventDataCollector.getTestCaseAttempt(testCaseStarted.id).pickle;
      noteScenario({ ids: idsOf({ tags: tags.map((tag) => tag.name) }), name });
    }
    if (envelope.testStepStarted) this.#noteStep(envelope.testStepStarted);
    if (envelope.testCaseFinished) this.#logScenario(envelope.testCaseFinished);
  }

  #noteStep({ testCaseStartedId, testStepId }: TestStepStarted): void {
    const { testSteps } = this.eventDataCollector.getTestCaseAttempt(testCaseStartedId).testCase;
    const index = testSteps.findIndex(({ id }) => id === testStepId);
    const text = this.#stepTexts.get(testSteps[index]?.pickleStepId ?? '');
    const isAfterSteps = testSteps.slice(0, index).some(({ pickleStepId }) => pickleStepId);
    noteStep(text ?? (isAfterSteps ? 'tidying up' : 'getting ready'));
  }

  #logScenario({ testCaseStartedId }: TestCaseFinished): void {
    noteScenario(undefined);
    const { pickle, worstTestStepResult, stepResults, stepAttachments } =
      this.eventDataCollector.getTestCaseAttempt(testCaseStartedId);
    const seconds = Object.values(stepResults).reduce((sum, { duration }) => {
      return sum + duration.seconds + duration.nanos / 1e9;
    }, 0);
    const reason = Object.values(stepAttachments)
      .flat()
      .find((attachment) => attachment.fileName === SKIP_REASON);
    const [why] = reason ? decode(reason).split('\n') : [];
    const title = titleOf({ name: pickle.name, tags: pickle.tags.map(({ name }) => name) });
    const end = ` ${title} (${seconds.toFixed(1)} s)${why ? ` (skipped: ${why})` : ''}`;
    const lines: Partial<Record<Status, string>> = {
      PASSED: `${this.#paint('green', '✔')}${end}`,
      SKIPPED: `${this.#paint('yellow', '↷')}${end}`,
    };
    const line = lines[worstTestStepResult.status] ?? this.#paint('red', `✘${end}`);
    this.stream.write(`${line}\n`);
  }

  /** Node looks whether the stream is a terminal, at NO_COLOR and FORCE_COLOR. */
  readonly #paint = (format: Format, text: string): string =>
    this.#hasColours
      ? styleText(format, text, { stream: this.stream, validateStream: true })
      : text;
}

function decode({ body, contentEncoding }: { body: string; contentEncoding: string }): string {
  return contentEncoding === 'BASE64' ? Buffer.from(body, 'base64').toString() : body;
}
