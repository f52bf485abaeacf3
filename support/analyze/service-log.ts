import type { BroadcastRecord } from '../broadcast/record';
import { fieldsOfLine, textBeside, textOf } from './log-fields';
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
const TIMES = ['timestamp', '@timestamp', 'time', 'ts', '@t', 'Timestamp'];
const MESSAGES = ['message', 'msg', 'event', 'body', '@m', '@mt', 'Body'];

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
  const text = textBeside(line);
  // What has fields behind its text may have an engine's time before it, too.
  const beside = Object.keys(fields).length > 0 ? text.replace(BEGINS_WITH_TIME, '').trim() : text;
  return {
    ...{ at: timeOf(first(TIMES)) ?? timeIn(text), level: levelOf(line), fields },
    message: textOf(first(MESSAGES)) || beside,
  };
}

/** ISO 8601, or seconds (spec 018) or milliseconds since the epoch. */
function timeOf(time: unknown): number | undefined {
  // In seconds, this is the year 5138.
  const unitMs = Number(time) < 1e11 ? 1000 : 1;
  const isNumber = typeof time === 'number' || /^\d+(\.\d+)?$/.test(textOf(time));
  const at = isNumber ? Number(time) * unitMs : Date.parse(textOf(time));
  return Number.isFinite(at) ? at : undefined;
}

const TIME = String.raw`\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?`;
/** By the line itself, or by the engine of its container. */
const BEGINS_WITH_TIME = new RegExp(`^\\W?(${TIME})`);
/** As logfmt has it. */
const HAS_TIME = new RegExp(`(?:^|\\s)(?:time|timestamp|ts)="?(${TIME}|\\d{9,13}(?:\\.\\d+)?)`);

/** The time of a line in plain text. */
function timeIn(line: string): number | undefined {
  const [, time] = BEGINS_WITH_TIME.exec(line) ?? HAS_TIME.exec(line) ?? [];
  return time === undefined ? undefined : timeOf(time.replace(',', '.'));
}

const EXIT_CODE = /^(?:exit|return)_?(?:code|status)$/i;
const EXIT_CODE_IN_TEXT = /\b(?:exit|return)_?(?:code|status)[=:] ?"?(\d+)/i;

/** What a worker that has ended returned, where a field of the last line that has one says so; in text, `exit_code=1`. */
export function exitCodeIn(lines: readonly LogLine[]): number | undefined {
  const codes = lines.flatMap(({ fields, message }) => {
    const [, inText] = EXIT_CODE_IN_TEXT.exec(message) ?? [];
    const values = Object.entries(fields).flatMap(([name, value]) =>
      EXIT_CODE.test(name) ? [value] : [],
    );
    return [inText, ...values].flatMap((value) =>
      typeof value === 'number' || /^\d+$/.test(textOf(value)) ? Number(value) : [],
    );
  });
  return codes.at(-1);
}

/** What is known of a worker that has ended, or was waited for in vain. */
export interface EndedWorker {
  /** What was logged about its stream. */
  lines: readonly LogLine[];
  /** By a field of these lines, or of the service itself where that has ended. */
  exitCode: number | undefined;
}
