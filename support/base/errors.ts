import { AssertionError } from 'chai';

import { safeText } from './safe-text';

/** The parts of a message that an engineer can act on. */
export interface Problem {
  /** What went wrong, as half a sentence. */
  what: string;
  /** The file, address or service it concerns. */
  where: string;
  seen: string;
  expected: string;
  /** What to do about it. */
  next?: string;
}

/** The five parts of an error of the suite; undefined for any other error. */
export function problemOf(error: unknown): Problem | undefined {
  return error instanceof SuiteError || error instanceof AssertionFailure
    ? error.problem
    : undefined;
}

/** Characters that a part of a message may have. */
const LONGEST = 20_000;

/** An error that says what, where, seen, expected and what to do next; without secrets and control characters. */
export class SuiteError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    const shown = asShown(problem);
    super(describe(shown), options);
    this.name = new.target.name;
    this.problem = shown;
  }
}

/**
 * The failure of a Then step: other reports (Allure …) call it failed, and every other error broken. It has the same
 * parts as a {@link SuiteError}.
 */
export class AssertionFailure extends AssertionError<{ problem: Problem }> {
  declare readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    const shown = asShown(problem);
    super(describe(shown), { problem: shown }, new.target);
    if (options) this.cause = options.cause;
  }
}

/** A Then step saw something other than what the feature file says. */
export class NotAsExpected extends AssertionFailure {}

/** Nothing was observed where a Then step needs evidence. */
export class NotObserved extends AssertionFailure {}

export type Prerequisite =
  | 'fixture'
  | 'compose-files'
  | 'services'
  | 'configuration'
  /** Missing when recorded broadcasts are judged: running services cannot be asked then. */
  | 'running-services';

/** A prerequisite is missing: the scenario that judges it fails, the others are skipped with this message. */
export class PrerequisiteMissing extends SuiteError {
  constructor(
    problem: Problem,
    readonly prerequisite: Prerequisite,
    options?: ErrorOptions,
  ) {
    super(problem, options);
  }
}

/**
 * This system or configuration does not offer what is needed, so that nothing can be said: not shown, with the reason. Of
 * what it offers and is not there, {@link NotObserved} says so: a failure.
 */
export class CannotBeShown extends SuiteError {}

/** What a scenario lets go wrong did not: nothing of what was seen can be judged, neither for nor against a service. */
export class CouldNotBeDone extends SuiteError {}

function asShown(problem: Problem): Problem {
  const shown = { ...problem };
  for (const part of ['what', 'where', 'seen', 'expected', 'next'] as const) {
    const text = shown[part];
    if (text !== undefined) shown[part] = shortened(safeText(text.slice(0, 2 * LONGEST)));
  }
  return shown;
}

function describe({ what, where, seen, expected, next }: Problem): string {
  const lines = [`${where}: ${what}`, `  seen:     ${seen}`, `  expected: ${expected}`];
  if (next) lines.push(`  next:     ${next}`);
  return lines.join('\n');
}

function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)} … (cut off)`;
}

/** Throws what has failed of several things that were all tried; nothing where nothing has. */
export function throwFailures(failures: readonly unknown[]): void {
  if (failures.length > 0) throw new AggregateError(failures, failures.map(messageOf).join('\n'));
}

/** The message of anything that was thrown, without secrets and control characters. */
export function messageOf(error: unknown): string {
  return safeText(error instanceof Error ? error.message : String(error));
}

/** What was seen, for an error with five parts; the message of any other error. */
export function seenOf(error: unknown): string {
  return problemOf(error)?.seen ?? messageOf(error);
}

/** Any error, without secrets and control characters in its message and stack. */
export function safeError(error: unknown): Error {
  if (error instanceof Error && problemOf(error)) return error;
  const safe = new Error(messageOf(error));
  if (error instanceof Error) {
    safe.name = error.name;
    if (error.stack !== undefined) safe.stack = safeText(error.stack);
  }
  return safe;
}
