/**
 * The suite's plugin of cucumber-js: it plans the broadcasts of a run, shows its progress and makes its reports, whatever
 * format or profile is asked for.
 */
import type { CauseFacts } from './report/facts';
import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';

import {
  type CoordinatorEnvironment,
  type IResolvedConfiguration,
  loadConfiguration,
  type Plugin,
} from '@cucumber/cucumber/api';
import type { Envelope, TestCaseFinished, TestStepStarted } from '@cucumber/messages';

import { changed } from './base/changed';
import { messageOf } from './base/errors';
import { readShard, SHARD_VARIABLE } from './base/shard';
import { type Config, readConfig, reportsFolderOf } from './config';
import { consoleOr } from './report/console';
import { endOfRun, scenarioLine, titleOf } from './report/end-of-run';
import { reportFiles } from './report/facts';
import { makeReports } from './report/make-reports';
import { policyOf } from './report/not-shown';
import { noteScenario, noteStep, startProgress, stopProgress, waitingFor } from './report/progress';
import { beginResults, FORMAT_FILES, NOTHING_RUN, removePending } from './report/result-files';
import { idsOf, NOT_SHOWN_REASON, ScenarioCollector } from './report/scenario-results';
import { rememberBegin, remembering } from './history/remember';
import { closedSession } from './session/lifecycle';
import { forecastInWords, secondsFor, timesInForecast } from './session/loads';
import { broadcastsIn, inTurn, noteEnvelope } from './session/plan';
import { checkExcluded, toldScope } from './session/scope';
import { whyEmpty, whyNothing } from './session/selection';
import { inShard } from './session/shards';

/** Of cucumber.js: `pluginOptions: { acceptance: … }`. */
interface Options {
  /** Whether the pages and the summary of the run are made; they are where this is not given. */
  reports?: boolean;
}

const PARALLEL = [
  '--parallel is refused: the scenarios of a run share one set of services, its ports and its streams.',
  'Broadcasts are published at the same time as it is, and scenarios only look at them.',
  'To use several machines: --shard 1/2 (docs/ci.md, Shards).',
].join('\n');

export const plugin: Plugin<Options> = {
  type: 'plugin',
  optionsKey: 'acceptance',
  coordinator: async ({ operation, on, transform, options, environment }) => {
    if (operation !== 'runCucumber') return undefined;
    const { useConfiguration, runConfiguration } = await configurationOf(process.argv.slice(2));
    const { dryRun, parallel, order } = useConfiguration;
    if (parallel > 0) {
      console.error(PARALLEL);
      process.exit(2);
    }
    const { [SHARD_VARIABLE]: shardText } = environment.env;
    const shard = readShard(shardText);
    const nothing = await whyNothing(runConfiguration.sources, shardText);
    if (nothing !== undefined) {
      console.error(`${nothing}\n${NOTHING_RUN}`);
      process.exit(1);
    }
    const run = new Run({ isDry: dryRun, hasReports: options.reports ?? true }, environment);
    on('message', (envelope) => run.note(envelope));
    transform('pickles:filter', (all) => {
      if (!shard) return all;
      const config = configOrNothing(environment);
      const ours = inShard(all, shard, (planned) => secondsFor(planned, config));
      if (all.length === 0 || ours.length > 0) return ours;
      console.error(`${whyEmpty(shardText, all.length)}\n${NOTHING_RUN}`);
      process.exit(1);
    });
    transform('pickles:order', (all) => {
      configOrNothing(environment);
      if (dryRun) run.forecast = forecastInWords(broadcastsIn(all));
      return order === 'defined' ? inTurn(all, timesInForecast) : all;
    });
    return () => run.end();
  },
};

/** The configuration; where it is not valid, nothing is run. */
function configOrNothing({ env }: CoordinatorEnvironment): Config {
  try {
    return readConfig();
  } catch (error) {
    return refuse(reportsFolderOf(env), error);
  }
}

function refuse(reportsFolder: string, error: unknown): never {
  removePending(reportsFolder);
  console.error(`${messageOf(error)}\n${NOTHING_RUN}`);
  process.exit(2);
}

/** What cucumber-js was asked for, by the command line and its configuration file. Plugins are not told. */
async function configurationOf(args: string[]): Promise<IResolvedConfiguration> {
  // Short options that take a value, too: it may be written without a space between.
  const value = { type: 'string', multiple: true } as const;
  const { values } = parseArgs({
    ...{ args, strict: false, allowPositionals: true },
    options: {
      config: { ...value, short: 'c' },
      profile: { ...value, short: 'p' },
      ...{ tags: { ...value, short: 't' }, format: { ...value, short: 'f' } },
      ...{ require: { ...value, short: 'r' }, import: { ...value, short: 'i' } },
      loader: { ...value, short: 'l' },
    },
  });
  const texts = (all: readonly (string | boolean)[] = []): string[] => all.map(String);
  const file = texts(values.config).at(-1);
  return await loadConfiguration({
    ...(file === undefined ? {} : { file }),
    profiles: texts(values.profile),
    provided: args,
  });
}

/** One run of cucumber-js, as its messages tell it. */
class Run {
  readonly #collector = new ScenarioCollector();
  readonly #reportsFolder: string;
  /** Of the failures of this run. */
  #causes: CauseFacts[] = [];
  /** Of steps that are not shown, each with its attempt. */
  readonly #notShown = new Set<string>();
  #hasBegun = false;
  /** Whether the history has it: with an end, when it has ended. */
  #isRemembered = false;
  /** How long its broadcasts would take. */
  forecast: string | undefined;
  /** What went wrong before there is a session. */
  readonly #problems: string[] = [];

  constructor(
    readonly how: { isDry: boolean; hasReports: boolean },
    readonly environment: CoordinatorEnvironment,
  ) {
    this.#reportsFolder = reportsFolderOf(environment.env);
  }

  note(envelope: Envelope): void {
    this.#tellNotShown(envelope);
    noteEnvelope(envelope);
    this.#collector.add(envelope);
    const { testCase, testCaseStarted, testStepStarted, testCaseFinished } = envelope;
    if (testCase && !this.#hasBegun) this.#begin();
    if (testCaseStarted) {
      this.#rememberBegin();
      const pickle = this.#collector.query.findPickleBy(testCaseStarted);
      const tags = pickle?.tags.map(({ name }) => name) ?? [];
      noteScenario({ ids: idsOf({ tags }), name: pickle?.name ?? '' });
    }
    if (testStepStarted) this.#noteStep(testStepStarted);
    if (testCaseFinished) this.#showScenario(testCaseFinished);
  }

  /** For all that read it after the plugin: a step that is not shown has not passed (support/hooks.ts). */
  #tellNotShown(envelope: Envelope): void {
    const { attachment, testStepFinished: ended } = envelope;
    if (attachment?.fileName === NOT_SHOWN_REASON) {
      this.#notShown.add(`${attachment.testCaseStartedId} ${attachment.testStepId}`);
    }
    if (!ended || !this.#notShown.has(`${ended.testCaseStartedId} ${ended.testStepId}`)) return;
    // cucumber-js goes on with its own result, which stays as it is.
    const testStepResult = changed(ended.testStepResult, { status: 'SKIPPED' });
    envelope.testStepFinished = changed(ended, { testStepResult });
  }

  /** Makes the reports and shows the end; the session has been closed by then (AfterAll). */
  async end(): Promise<void> {
    const isRun = this.#hasBegun && !this.how.isDry;
    if (!isRun) removePending(this.#reportsFolder);
    const problems = [...this.#problems, ...this.#undefinedParameterTypes()];
    if (isRun && this.how.hasReports) problems.push(...(await this.#makeReports()));
    stopProgress();
    // Such a run has not passed, whatever its scenarios say.
    if (problems.length > 0 || !this.#hasBegun) {
      process.on('exit', () => (process.exitCode ||= 1));
    }
    this.#showEnd(problems, isRun);
  }

  /** There is a scenario to run: nothing has been asked for wrongly. Its hooks come after this. */
  #begin(): void {
    this.#hasBegun = true;
    if (this.how.isDry) return;
    try {
      checkExcluded(readConfig());
    } catch (error) {
      refuse(this.#reportsFolder, error);
    }
    beginResults(this.#reportsFolder);
    startProgress(process.stdout, process.stderr);
  }

  /** A run that is killed leaves no other record. All that it was asked for is known when the first scenario begins. */
  #rememberBegin(): void {
    if (this.#isRemembered || this.how.isDry || !this.how.hasReports) return;
    this.#isRemembered = true;
    try {
      rememberBegin(this.#collector, readConfig());
    } catch (error) {
      this.#problems.push(messageOf(error));
    }
  }

  #noteStep(started: TestStepStarted): void {
    const { query } = this.#collector;
    const testStep = query.findTestStepBy(started);
    const testSteps = query.findTestCaseBy(started)?.testSteps ?? [];
    const index = testSteps.findIndex(({ id }) => id === started.testStepId);
    const isAfterSteps = testSteps.slice(0, index).some(({ pickleStepId }) => pickleStepId);
    const step = testStep && query.findPickleStepBy(testStep);
    noteStep(step?.text ?? (isAfterSteps ? 'tidying up' : 'getting ready'));
  }

  #showScenario(ended: TestCaseFinished): void {
    noteScenario(undefined);
    const { write, paint } = consoleOr(this.environment.stderr);
    const result = this.#collector.resultOf(ended);
    const attempt = this.#collector.query.findTestCaseStartedBy(ended)?.attempt ?? 0;
    const { willBeRetried } = ended;
    write(
      this.how.isDry
        ? `· ${titleOf(result)}\n`
        : `${scenarioLine(result, { attempt: attempt + 1, willBeRetried }, paint)}\n`,
    );
  }

  async #makeReports(): Promise<readonly string[]> {
    try {
      const { problems, causes } = await waitingFor('the reports to be written', () =>
        makeReports(
          this.#collector,
          closedSession(),
          readConfig(),
          toldScope(),
          remembering(readConfig()),
        ),
      );
      this.#causes = causes;
      return problems;
    } catch (error) {
      return [`no reports: ${messageOf(error)}`];
    }
  }

  #undefinedParameterTypes(): string[] {
    return this.#collector.query
      .findAllUndefinedParameterTypes()
      .map(({ name, expression }) => `the parameter type {${name}} is not defined: ${expression}`);
  }

  #showEnd(problems: readonly string[], isRun: boolean): void {
    const { write, paint, link } = consoleOr(this.environment.stderr);
    const { query, results, times } = this.#collector;
    const scope = toldScope();
    const policy = policyOf(scope ? [scope] : []);
    const snippets = new Map(
      query.findAllPickleSteps().map((step) => {
        const code = query.findSuggestionsBy(step).flatMap((one) => one.snippets);
        return [step.text, code.map((snippet) => snippet.code).join('\n')];
      }),
    );
    const shown = (...path: string[]): string | undefined => {
      const file = join(this.#reportsFolder, ...path);
      // What is there of an earlier run is not this one's.
      return isRun && existsSync(file) ? relative(this.environment.cwd, file) : undefined;
    };
    write(
      endOfRun(results, {
        ...{ problems, paint, link, isDry: this.how.isDry, policy, causes: this.#causes },
        indexPage: shown(reportFiles.index),
        detailsPage: shown(FORMAT_FILES.html),
        pageOf: (stream) =>
          shown('evidence', stream, reportFiles.broadcastPage) ??
          shown(reportFiles.replayed, stream, reportFiles.broadcastPage),
        seconds: times.seconds ?? 0,
        snippetOf: (text) => snippets.get(text),
      }),
    );
    if (this.forecast !== undefined) write(`${this.forecast}\n`);
  }
}
