import type { BroadcastRecord } from '../broadcast/record';
import { fieldsOfLine, textOf } from './log-fields';
import { type Level, levelOf } from './log-levels';

/** A line that a service has logged, in JSON or in plain text. `at` is milliseconds since the epoch, where the line says so. */
export interface LogLine {
  at: number | undefined;
  level: Level | undefined;
  message: string;
  /** Everything that a line in JSON holds, as it is meant: without escapes. */
  fields: Record<string, unknown>;
}

/** Where a line in JSON has its time, and its text. */
const TIMES = ['timestamp', '@timestamp', 'time', 'ts'];
const MESSAGES = ['message', 'msg', 'event'];

/** Whether the line has the level error or worse. */
export function isError({ level }: LogLine): boolean {
  return level === 'ERROR' || level === 'CRITICAL';
}

/**
 * The lines of a log that name a stream; all others are left out.
 *
 * @param stream its name, anywhere in the line
 */
export function linesOf(log: string, stream: string): LogLine[] {
  return log
    .split('\n')
    .filter((line) => line.trim() !== '' && line.includes(stream))
    .map(lineOf);
}

/**
 * The lines of a log about a stream: those that name it. Where none does, and no other stream was dubbed meanwhile, those
 * that were written while it was.
 */
export function linesAbout(
  log: string,
  stream: string,
  { times: { published = NaN }, finishedAt, alongside = [] }: BroadcastRecord,
): LogLine[] {
  const named = linesOf(log, stream);
  if (named.length > 0 || alongside.length > 0) return named;
  return linesOf(log, '').filter(({ at = NaN }) => at >= published && at <= finishedAt);
}

export function lineOf(line: string): LogLine {
  const fields = fieldsOfLine(line) ?? {};
  const first = (names: readonly string[]): unknown =>
    names.map((name) => fields[name]).find((value) => value !== undefined);
  return {
    ...{ at: timeOf(first(TIMES)) ?? timeIn(line), level: levelOf(line), fields },
    message: textOf(first(MESSAGES)) || (Object.keys(fields).length > 0 ? '' : line.trim()),
  };
}

/** ISO 8601, or seconds (spec 018) or milliseconds since the epoch. */
function timeOf(time: unknown): number | undefined {
  // In seconds, this is the year 5138.
  const unitMs = Number(time) < 1e11 ? 1000 : 1;
  const at = typeof time === 'number' ? time * unitMs : Date.parse(textOf(time));
  return Number.isFinite(at) ? at : undefined;
}

/** The time with which a line in plain text begins, by itself or by the engine of its container. */
function timeIn(line: string): number | undefined {
  const [, time] =
    /^\W?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)/.exec(line) ?? [];
  return time === undefined ? undefined : timeOf(time.replace(',', '.'));
}

/** What a worker that has ended returned, where a field of the last line that has one says so. */
export function exitCodeIn(lines: readonly LogLine[]): number | undefined {
  const codes = lines.flatMap(({ fields }) =>
    Object.entries(fields).flatMap(([name, value]) =>
      /^(?:exit|return)_?(?:code|status)$/i.test(name) && typeof value === 'number' ? value : [],
    ),
  );
  return codes.at(-1);
}

/** What is known of a worker that has ended, or was waited for in vain. */
export interface EndedWorker {
  /** What was logged about its stream. */
  lines: readonly LogLine[];
  /** By a field of these lines, or of the service itself where that has ended. */
  exitCode: number | undefined;
}
