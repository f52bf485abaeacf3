/** What a line of a log in JSON holds. */
import { jsonOf } from '../base/json';

/** The fields of a line in JSON, whatever an engine has written before it; undefined of any other line. */
export function fieldsOfLine(line: string): Record<string, unknown> | undefined {
  const start = line.indexOf('{');
  const value = start < 0 ? undefined : jsonOf(line.slice(start));
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)
    : undefined;
}

/** A text; empty for any other value. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
