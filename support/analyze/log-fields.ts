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

/** What a line says beside such fields, without colours; all of it where it has none. */
export function textBeside(line: string): string {
  const text = fieldsOfLine(line) ? line.slice(0, line.indexOf('{')) : line;
  return text.replaceAll(COLOURS, '').trim();
}

/** Of terminals (ECMA-48, SGR). */
// eslint-disable-next-line no-control-regex -- it begins with ESC
const COLOURS = /\u001b\[[\d;]*m/g;

/** A text; empty for any other value. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
