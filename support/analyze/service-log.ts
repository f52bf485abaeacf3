import { jsonOf } from '../base/json';

/** A line that a service has logged about a stream. `at` is milliseconds since the epoch, where the line says so. */
export interface LogLine {
  at: number | undefined;
  message: string;
  /** Everything else that the line holds. */
  fields: Record<string, unknown>;
}

/** Whether the line has the level error or worse. */
export function isError({ fields }: LogLine): boolean {
  return /^(error|critical|fatal)$/i.test(textOf(fields['level']));
}

/**
 * The JSON lines of a log that name a stream; all others are left out.
 *
 * @param stream its name, anywhere in the line
 */
export function linesOf(log: string, stream: string): LogLine[] {
  return log
    .split('\n')
    .filter((line) => line.includes(stream))
    .flatMap((line): LogLine[] => {
      const fields = fieldsOfLine(line);
      if (!fields) return [];
      const { timestamp, message, msg } = fields;
      return [{ at: timeOf(timestamp), message: textOf(message ?? msg), fields }];
    });
}

/** The fields of a line in JSON, whatever an engine has written before it; undefined of any other line. */
export function fieldsOfLine(line: string): Record<string, unknown> | undefined {
  const start = line.indexOf('{');
  const value = start < 0 ? undefined : jsonOf(line.slice(start));
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : undefined;
}

/** ISO 8601, or seconds since the epoch (spec 018). */
function timeOf(timestamp: unknown): number | undefined {
  const at = typeof timestamp === 'number' ? timestamp * 1000 : Date.parse(textOf(timestamp));
  return Number.isFinite(at) ? at : undefined;
}

/** A text; empty for any other value. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
