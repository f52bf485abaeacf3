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

/** An error that says what, where, seen, expected and what to do next. */
export class SuiteError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, options?: ErrorOptions) {
    super(describe(problem), options);
    this.name = new.target.name;
    this.problem = problem;
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

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
