import type { ScenarioResult } from '../../support/report/scenario-results';
import { SuiteError } from '../../support/base/errors';
import type { AlteredEvidence } from './altered-evidence';

/**
 * A scenario that a fault turns red, by its requirement, and its name, or the beginning of it, where several have the
 * same: `021-US2-3`, `018-US1-6 A broadcast without`.
 */
export type ScenarioName = string;

interface Base {
  /** What is wrong, as a sentence. */
  name: string;
  /** Of each scenario that the fault is meant for, what its verdict says: the cause, not only an effect. */
  red: Record<ScenarioName, RegExp>;
  /** Turn red as well, as an effect of the same fault; that proves nothing about them. */
  follows?: readonly ScenarioName[];
}

/** One defect in the recorded evidence of a broadcast. */
export interface EvidenceFault extends Base {
  /** The broadcast by which this scenario is judged. */
  broadcast: ScenarioName;
  /** Which of them, where it is judged by several; counted from 0. */
  which?: number;
  alter: (evidence: AlteredEvidence) => void | Promise<void>;
}

/** One defect outside: in settings, services, files, tools. */
export interface OutsideFault extends Base {
  /** Which scenarios are run, as a tag expression. */
  tags: string;
  /** Whether the scenarios are judged by recorded broadcasts; services are started otherwise. */
  isReplay?: boolean;
  /**
   * Injects it.
   *
   * @param folder to put files in; removed afterwards
   * @returns environment variables of the run, and how to end what was started for it
   */
  make: (folder: string) => Promise<{
    environment: Record<string, string>;
    end?: () => void | Promise<void>;
  }>;
}

export type Fault = EvidenceFault | OutsideFault;

export const isOfEvidence = (fault: Fault): fault is EvidenceFault => 'broadcast' in fault;

/** Whether no services are started for a fault. */
export const isQuiet = (fault: Fault): boolean => isOfEvidence(fault) || fault.isReplay === true;

/** The scenarios that a fault turns red, for its own reason or as an effect. */
export function turnsRed({ red, follows = [] }: Fault): ScenarioName[] {
  return [...Object.keys(red), ...follows];
}

/** All scenarios that a fault names; each has to be in the baseline. */
export function namedBy(fault: Fault): ScenarioName[] {
  return [...turnsRed(fault), ...(isOfEvidence(fault) ? [fault.broadcast] : [])];
}

/** What a scenario can be told by. */
export type NamedScenario = Pick<ScenarioResult, 'tags' | 'name'>;

/** The requirements that a scenario is tagged with, and its name. */
export function titleOf({ tags, name }: NamedScenario): string {
  return `${requirementsOf(tags).join(', ')} ${name}`;
}

function requirementsOf(tags: readonly string[]): string[] {
  return tags.filter((tag) => /^@\d{3}-/.test(tag)).map((tag) => tag.slice(1));
}

/** All scenarios that a name may mean; only that one where a name is given in full. */
export function scenariosCalled<T extends NamedScenario>(
  scenarios: readonly T[],
  wanted: ScenarioName,
): T[] {
  const [requirement = '', ...rest] = wanted.split(' ');
  const beginning = rest.join(' ');
  const found = scenarios.filter(
    ({ tags, name }) => requirementsOf(tags).includes(requirement) && name.startsWith(beginning),
  );
  const exact = found.filter(({ name }) => name === beginning);
  return exact.length > 0 ? exact : found;
}

/**
 * The scenario that a name means.
 *
 * @param fault the name of the fault that has it, for the message
 * @throws SuiteError when there is none, or several
 */
export function scenarioOf<T extends NamedScenario>(
  scenarios: readonly T[],
  wanted: ScenarioName,
  fault: string,
): T {
  const found = scenariosCalled(scenarios, wanted);
  const [only, ...others] = found;
  if (only && others.length === 0) return only;
  const where = `the fault "${fault}" in tools/prove/faults/`;
  if (!only) {
    throw new SuiteError({
      ...{
        what: 'unknown scenario',
        where,
        seen: `'${wanted}'`,
        expected: 'a scenario of features/',
      },
      next: 'write its requirement, and the beginning of its name where several scenarios have that',
    });
  }
  const longer = found.map((one) => `'${nameAmong(found, one, wanted)}'`);
  throw new SuiteError({
    ...{ what: 'several scenarios have this name', where },
    seen: `'${wanted}': ${found.map(titleOf).join('; ')}`,
    expected: 'the name of one scenario',
    next: `write ${longer.join(' or ')}`,
  });
}

/** The requirement in `wanted`, and as many words of a scenario's name as tell it from the others. */
function nameAmong<T extends NamedScenario>(
  scenarios: readonly T[],
  one: T,
  wanted: ScenarioName,
): ScenarioName {
  const [requirement = ''] = wanted.split(' ');
  const words = one.name.split(' ');
  const names = words.map((_, i) => [requirement, ...words.slice(0, i + 1)].join(' '));
  const isClear = (name: ScenarioName): boolean => {
    const [found, another] = scenariosCalled(scenarios, name);
    return found === one && !another;
  };
  return names.find(isClear) ?? `${requirement} ${one.name}`;
}
