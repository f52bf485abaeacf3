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

/** More of one part than anybody reads in a message. */
const LONGEST = 20_000;

/** An error that says what, where, seen, expected and what to do next; without secrets and control characters. */
export class SuiteError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    const shown = { ...problem };
    for (const part of ['what', 'where', 'seen', 'expected', 'next'] as const) {
      const text = shown[part];
      if (text !== undefined) shown[part] = shortened(safeText(text.slice(0, 2 * LONGEST)));
    }
    super(describe(shown), options);
    this.name = new.target.name;
    this.problem = shown;
  }
}

/** A Then step saw something other than what the feature file says. */
export class NotAsExpected extends SuiteError {}

/** Nothing was observed where a Then step needs evidence. */
export class NotObserved extends SuiteError {}

export type Prerequisite =
  | 'fixture'
  | 'compose-files'
  | 'services'
  | 'configuration'
  /** Recorded broadcasts are judged: what has to be asked of a running service cannot be. */
  | 'running-services';

/** What scenarios need is not there: the scenario that judges it fails, the others are skipped with this message. */
export class PrerequisiteMissing extends SuiteError {
  constructor(
    problem: Problem,
    readonly prerequisite: Prerequisite,
    options?: ErrorOptions,
  ) {
    super(problem, options);
  }
}

function describe({ what, where, seen, expected, next }: Problem): string {
  const lines = [`${where}: ${what}`, `  seen:     ${seen}`, `  expected: ${expected}`];
  if (next) lines.push(`  next:     ${next}`);
  return lines.join('\n');
}

function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)} … (cut off)`;
}

/** The message of anything that was thrown, as it can be shown. */
export function messageOf(error: unknown): string {
  return safeText(error instanceof Error ? error.message : String(error));
}

/** Of an error that says what, where, seen and expected what was seen; of others the message. */
export function seenOf(error: unknown): string {
  return error instanceof SuiteError ? error.problem.seen : messageOf(error);
}

/** An error of somebody else's, with what of it can be shown. */
export function safeError(error: unknown): Error {
  if (error instanceof SuiteError) return error;
  const safe = new Error(messageOf(error));
  if (error instanceof Error) {
    safe.name = error.name;
    if (error.stack !== undefined) safe.stack = safeText(error.stack);
  }
  return safe;
}
