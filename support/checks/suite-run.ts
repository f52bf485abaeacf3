/** What the suite says of services and settings of which something is wrong. */
import type { SuiteRun } from '../environment/nested-suite';
import { ofSubject, type Text } from './builders';
import { assessed, type Verdict } from './criterion';

/** How a scenario of a nested run has ended. */
export interface NestedScenario {
  name: string;
  tags: readonly string[];
  status: string;
  /** Messages of its failed steps. */
  message: string;
  skipReason: string | undefined;
  /** Why this configuration cannot show it, whatever else is wrong; not there where it can. */
  notShown?: string;
}

/** A nested run of the suite, with settings of which something is wrong: its culprit. */
export interface NestedRun extends SuiteRun {
  scenarios: readonly NestedScenario[];
}

/**
 * What a message has to name: the culprit of the run alone, with the line where it is a file, or with who holds it where
 * it is a port.
 */
export type Naming = 'culprit' | 'culprit and line' | 'culprit and holder';

/** What features call them: {culprit} of support/parameter-types.ts. */
const NAMINGS: Record<string, Naming> = {
  'that file': 'culprit',
  'the file': 'culprit',
  'the port': 'culprit',
  'the file and line': 'culprit and line',
  'the port and its holder': 'culprit and holder',
};

/** @param words as a feature says it: "the file and line" */
export function namingOf(words: string): Naming {
  const naming = NAMINGS[words];
  if (naming === undefined) throw new Error(`a message cannot name "${words}"`);
  return naming;
}

const HOLDER = /\(pid \d+\)|taken by container \S+/;
const LINE = /\.yml:\d+/;

function names(message: string, culprit: string, naming: Naming): boolean {
  const isNamed = message.includes(culprit);
  if (naming === 'culprit and line') return isNamed && LINE.test(message);
  if (naming === 'culprit and holder') return isNamed && HOLDER.test(message);
  return isNamed;
}

function expectedName(culprit: string, naming: Naming): string {
  return naming.replace('culprit', culprit);
}

/** Which scenario has to fail, and how its message has to name the culprit. */
export interface FailingScenario {
  scenario: string;
  naming: Naming;
}

/** A scenario of a nested run that judges what is wrong. */
export const scenarioFails = ofSubject<NestedRun, FailingScenario>('nested-scenario-fails', {
  title: 'The scenario that judges it fails, naming what is wrong',
  failure: 'the scenario did not fail with that message',
  where: () => 'nested run of the suite',
  assess: ({ scenarios, culprit, output }, { scenario, naming }) => {
    const { status = 'did not run', message = '' } =
      scenarios.find(({ name }) => name === scenario) ?? {};
    return assessed(
      status === 'FAILED' && names(message, culprit, naming),
      `"${scenario}": ${status}: ${message || output.slice(-2000)}`,
      `FAILED, naming ${expectedName(culprit, naming)}`,
    );
  },
});

/** How a scenario of a nested run has to end. */
export interface ScenarioEnd {
  scenario: string;
  /** With `fails` its message has to name the culprit of the run, and the run has to report it. */
  ends: 'passes' | 'fails';
}

/** A scenario of a nested run for which services were started. */
export const scenarioEnds = ofSubject<NestedRun, ScenarioEnd>('nested-scenario-ends', {
  title: 'A scenario of a nested run ends as it has to',
  failure: 'the scenario of the nested run ended otherwise',
  where: () => 'nested run of the suite',
  assess: ({ scenarios, culprit, output, exitCode }, { scenario, ends }) => {
    const { status = 'did not run', message = '' } =
      scenarios.find(({ name }) => name === scenario) ?? {};
    const isRight =
      ends === 'passes'
        ? status === 'PASSED' && exitCode === 0
        : status === 'FAILED' && message.includes(culprit) && exitCode === 1;
    const said = ends === 'passes' && isRight ? '' : `: ${message || output.slice(-2000)}`;
    return assessed(
      isRight,
      `"${scenario}": ${status}, exit code ${exitCode}${said}`,
      ends === 'passes' ? 'PASSED, exit code 0' : `FAILED, naming ${culprit}, exit code 1`,
    );
  },
});

/** All scenarios of a nested run but those that judge what is wrong, and those that this configuration cannot show. */
export const scenariosSkipped = ofSubject<NestedRun, { naming: Naming }>(
  'nested-scenarios-skipped',
  {
    title: 'Every scenario that needs what is wrong is skipped, naming it',
    failure: 'scenarios were not skipped for that reason',
    where: () => 'nested run of the suite',
    assess: ({ culprit, scenarios }, { naming }) => {
      const others = scenarios.filter(
        ({ tags, notShown }) =>
          notShown === undefined && !tags.some((tag) => tag.startsWith('@judges-')),
      );
      const wrong = others.filter(
        ({ status, skipReason }) =>
          status !== 'SKIPPED' || !names(skipReason ?? '', culprit, naming),
      );
      const shown = wrong.map(
        ({ name, status, skipReason, message }) => `${name}: ${status} ${skipReason ?? message}`,
      );
      return assessed(
        others.length > 0 && wrong.length === 0,
        [`${others.length} scenarios, ${wrong.length} of them not`, ...shown].join('\n'),
        `all skipped, naming ${expectedName(culprit, naming)}`,
      );
    },
  },
);

export const suiteFails = ofSubject<SuiteRun>('nested-run-fails', {
  title: 'The suite reports failure',
  failure: 'the suite reported success',
  where: () => 'exit code of a nested run of the suite',
  assess: ({ exitCode, output }) => {
    const isFailure = exitCode !== undefined && exitCode !== 0;
    return assessed(isFailure, `${exitCode}: ${output.slice(-500)}`, 'not 0');
  },
});

/** A suite that stays green when the pipeline is broken is worse than none: the verdict has to say what is wrong. */
export const verdictFails = ofSubject<{ stream: string; verdict: Verdict }, Text>('verdict-fails', {
  title: 'Judging a broken broadcast fails, saying what is wrong',
  failure: 'the verdict does not fail with that message',
  where: ({ stream }) => `stream ${stream}`,
  assess: ({ verdict: { state, what, seen } }, { text }) => {
    const message = state === 'passed' ? '' : `${what}: ${seen}`;
    return assessed(message.includes(text), message || 'it holds', text);
  },
});
