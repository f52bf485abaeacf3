/** What the doctor says: one line for each thing that a run needs. */
import { messageOf, type Problem, problemOf } from '../../support/base/errors';
import { safeText } from '../../support/base/safe-text';

/**
 * `missing`: a run does without, and does not show what needs it; `not asked`: something else has to be mended first;
 * `follows`: it is wrong by what another line says.
 */
export type LineState = 'ok' | 'wrong' | 'follows' | 'missing' | 'not asked';

export interface Line {
  /** What was asked about: "media server", "metrics". */
  topic: string;
  state: LineState;
  /** What was seen. */
  text: string;
  /** What to do about it. */
  next?: string;
}

const SHOWN: Record<LineState, string> = {
  ok: 'ok',
  wrong: 'WRONG',
  follows: 'follows',
  missing: 'missing',
  'not asked': 'not asked',
};

export function ok(topic: string, text: string): Line {
  return { topic, state: 'ok', text };
}

/** The line of an error, with what it says is to be done. */
export function wrong(topic: string, error: unknown, next?: string): Line {
  const problem = problemOf(error);
  const text = problem
    ? `${placed(problem)}: ${problem.seen}; expected: ${problem.expected}`
    : messageOf(error);
  const advice = problem?.next ?? next;
  return { topic, state: 'wrong', text, ...(advice === undefined ? {} : { next: advice }) };
}

/** What is wrong, and where, unless it names that itself. */
export function placed({ what, where }: Pick<Problem, 'what' | 'where'>): string {
  return what.includes(where) ? what : `${what} (${where})`;
}

/** What has to be mended: the causes, each once. */
export function causesIn(lines: readonly Line[]): Line[] {
  return lines.filter(({ state }) => state === 'wrong');
}

/** Asks about one topic; an error is its answer. */
export async function asking(
  topic: string,
  ask: () => Promise<Line[]>,
  next?: string,
): Promise<Line[]> {
  try {
    return await ask();
  } catch (error) {
    return [wrong(topic, error, next)];
  }
}

/** A line as people read it, what to do below it. */
export function shownLine({ topic, state, text, next }: Line): string {
  const [first = '', ...rest] = safeText(text).split('\n');
  const below = [...rest, ...(next === undefined ? [] : [`→ ${safeText(next)}`])];
  return [
    `${SHOWN[state].padEnd(10)}${topic.padEnd(16)}${first}`,
    ...below.map((one) => `${' '.repeat(26)}${one.trim()}`),
  ].join('\n');
}
