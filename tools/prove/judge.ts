import { messageOf } from '../../support/base/errors';
import { expectPassed, type Verdict } from '../../support/checks/criterion';
import type { VerdictLine } from '../../support/checks/verdict-log';
import { faultsOf } from '../../support/report/run-report';
import type { ScenarioResult } from '../../support/report/scenario-results';
import { type Fault, scenarioOf, titleOf } from './fault';

/** What one fault did to one scenario. */
export interface Effect {
  /** Requirements and name. */
  scenario: string;
  /**
   * `proved`: red, and says why; `follows`: red, as declared. All others are wrong: not red although expected, red with
   * another verdict than expected, red although it is not declared.
   */
  kind: 'proved' | 'follows' | 'not red' | 'says something else' | 'not expected';
  /** The recorded verdict by which the scenario failed; its error where it failed without one. */
  message: string;
}

/** One fault, with what it did. */
export interface Trial {
  fault: string;
  effects: Effect[];
  /** Why the fault could not be tried; empty when it was. */
  problem: string;
  seconds: number;
}

/**
 * Compares the scenarios that a fault has turned red with those that it should.
 *
 * @param results of the run with the fault
 */
export function judgeFault(fault: Fault, results: readonly ScenarioResult[]): Effect[] {
  const red = results.filter(({ status }) => status !== 'PASSED' && status !== 'SKIPPED');
  const declared = (name: string): ScenarioResult => scenarioOf(results, name, fault.name);
  const expected = new Map(
    Object.entries(fault.red).map(([name, says]) => [declared(name), says] as const),
  );
  const following = new Set((fault.follows ?? []).map(declared));
  return results.flatMap((one): Effect[] => {
    const effect = (kind: Effect['kind'], message = shownMessageOf(one)): Effect[] => [
      { scenario: titleOf(one), kind, message },
    ];
    const says = expected.get(one);
    if (!red.includes(one)) {
      const isMissed = says !== undefined || following.has(one);
      return isMissed ? effect('not red', `${one.status}: ${one.skipReason ?? 'green'}`) : [];
    }
    if (says) return effect(says.test(one.message) ? 'proved' : 'says something else');
    return effect(following.has(one) ? 'follows' : 'not expected');
  });
}

/** The message without the places in the code where it was made. */
function shownMessageOf({ message, status }: ScenarioResult): string {
  const lines = message.split('\n').filter((line) => !/^\s+at /.test(line));
  return lines.join('\n').trim() || status;
}

/** The results with the recorded verdict for a message, where a scenario failed by one. */
export function withVerdicts(
  results: readonly ScenarioResult[],
  lines: readonly VerdictLine[],
): ScenarioResult[] {
  const failed = new Map<string, Verdict>();
  for (const { scenario, verdict } of lines) {
    if (scenario && verdict.state !== 'passed') failed.set(scenario.place, verdict);
  }
  return results.map((result) => {
    const verdict = failed.get(result.place);
    return verdict ? { ...result, message: failureOf(verdict) } : result;
  });
}

/** What the step says that fails by this verdict. */
function failureOf(verdict: Verdict): string {
  try {
    expectPassed(verdict);
    return '';
  } catch (error) {
    return messageOf(error);
  }
}

/** Whether an effect, or a fault that could not be tried, fails the command. */
export function isWrong({ effects, problem }: Trial): boolean {
  return problem !== '' || effects.some(({ kind }) => kind !== 'proved' && kind !== 'follows');
}

/** The scenarios that no fault has turned red for its own reason. */
export function unproved(scenarios: readonly ScenarioResult[], trials: readonly Trial[]): string[] {
  const proved = new Set(
    trials.flatMap(({ effects }) =>
      effects.flatMap(({ kind, scenario }) => (kind === 'proved' ? scenario : [])),
    ),
  );
  return scenarios.map(titleOf).filter((title) => !proved.has(title));
}

/** What is red without any fault: then nothing can be proved. */
export function wrongBefore(results: readonly ScenarioResult[]): string[] {
  return faultsOf(results.filter(({ status }) => status !== 'SKIPPED'));
}
