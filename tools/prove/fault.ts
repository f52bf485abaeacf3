import type { ScenarioResult } from '../../support/report/scenario-results';
import { SuiteError } from '../../support/base/errors';
import type { AlteredEvidence } from './altered-evidence';

/**
 * A scenario that a fault turns red, by its requirement, and its name, or the beginning of it, where several have the
 * same: `021-US2-3`, `018-US1-6 A broadcast without`.
 */
export type ScenarioName = string;

interface Base {
  /** What is wrong, in words. */
  name: string;
  /** What each scenario that the fault is meant for says of it: the cause, not only an effect. */
  red: Record<ScenarioName, RegExp>;
  /** Turn red as well, as an effect of the same fault; that proves nothing about them. */
  follows?: readonly ScenarioName[];
}

/** One thing in the recorded evidence of a broadcast that is not as it should be. */
export interface EvidenceFault extends Base {
  /** The broadcast that this scenario looks at. */
  broadcast: ScenarioName;
  /** Which of them, where it looks at several; counted from 0. */
  which?: number;
  alter: (evidence: AlteredEvidence) => void | Promise<void>;
}

/** Something that is wrong outside: settings, services, files, tools. */
export interface OutsideFault extends Base {
  /** Which scenarios are run, as a tag expression. */
  tags: string;
  /** Whether the scenarios are judged by recorded broadcasts; services are started otherwise. */
  isReplay?: boolean;
  /**
   * Makes it.
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

/** The requirements that a scenario is tagged with, and its name. */
export function titleOf({ tags, name }: Pick<ScenarioResult, 'tags' | 'name'>): string {
  return `${requirementsOf(tags).join(', ')} ${name}`;
}

function requirementsOf(tags: readonly string[]): string[] {
  return tags.filter((tag) => /^@\d{3}-/.test(tag)).map((tag) => tag.slice(1));
}

/**
 * The scenario that a name means.
 *
 * @throws SuiteError when there is none, or several
 */
export function scenarioOf<T extends Pick<ScenarioResult, 'tags' | 'name'>>(
  scenarios: readonly T[],
  wanted: ScenarioName,
): T {
  const [requirement = '', ...words] = wanted.split(' ');
  const found = scenarios.filter(
    ({ tags, name }) =>
      requirementsOf(tags).includes(requirement) && name.startsWith(words.join(' ')),
  );
  const exact = found.filter(({ name }) => name === words.join(' '));
  const [only, ...others] = exact.length > 0 ? exact : found;
  if (only && others.length === 0) return only;
  throw new SuiteError({
    what: 'no scenario is meant by that, or several',
    where: 'a fault in prove/',
    seen: found.map(titleOf).join('; ') || 'none',
    expected: `one scenario: ${wanted}`,
  });
}
