import { faultsOf, type ScenarioResult } from '../../support/report/scenario-results';
import { type Fault, scenarioOf, titleOf } from './fault';

/** What one fault did to one scenario. */
export interface Effect {
  /** Requirements and name. */
  scenario: string;
  /**
   * `proved`: red, and says why; `follows`: red, as declared. All others are wrong: not red although expected, red with
   * another message than expected, red although nobody expects it.
   */
  kind: 'proved' | 'follows' | 'not red' | 'says something else' | 'not expected';
  /** What the scenario says. */
  message: string;
}

/** One fault, with what it did. */
export interface Verdict {
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
  const declared = (name: string): ScenarioResult => scenarioOf(results, name);
  const expected = new Map(
    Object.entries(fault.red).map(([name, says]) => [declared(name), says] as const),
  );
  const following = new Set((fault.follows ?? []).map(declared));
  return results.flatMap((one): Effect[] => {
    const effect = (kind: Effect['kind'], message = messageOf(one)): Effect[] => [
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
function messageOf({ message, status }: ScenarioResult): string {
  const lines = message.split('\n').filter((line) => !/^\s+at /.test(line));
  return lines.join('\n').trim() || status;
}

/** Whether an effect, or a fault that could not be tried, fails the command. */
export function isWrong({ effects, problem }: Verdict): boolean {
  return problem !== '' || effects.some(({ kind }) => kind !== 'proved' && kind !== 'follows');
}

/** The scenarios that no fault has turned red for its own reason. */
export function unproved(
  scenarios: readonly ScenarioResult[],
  verdicts: readonly Verdict[],
): string[] {
  const proved = new Set(
    verdicts.flatMap(({ effects }) =>
      effects.flatMap(({ kind, scenario }) => (kind === 'proved' ? scenario : [])),
    ),
  );
  return scenarios.map(titleOf).filter((title) => !proved.has(title));
}

/** What is red before anything is made wrong: then nothing can be proved. */
export function wrongBefore(results: readonly ScenarioResult[]): string[] {
  return faultsOf(results.filter(({ status }) => status !== 'SKIPPED'));
}
