import { existsSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';

import { isNode, LineCounter, parseDocument } from 'yaml';

import { messageOf, SuiteError } from './errors';
import { interpolateAll, type Variables } from './interpolate';

/** A YAML file whose variables are not filled in yet. */
export interface YamlFile {
  /** Absolute. */
  path: string;
  /** The path as messages show it. */
  shown: string;
  /**
   * The values, with `${NAME:-default}` filled in.
   *
   * @throws SuiteError naming the file, when a required variable is not set
   */
  valuesWith(variables: Variables): unknown;
  /** "file:line" of the deepest part of `keys` that the file has; `depth` is how many of them it has. */
  placeOf(keys: readonly string[]): { place: string; depth: number };
}

/**
 * Reads a YAML file.
 *
 * @param kind what the file is, for the messages: "compose file"
 * @throws SuiteError when the file is missing or is not YAML, naming line and column
 */
export function readYamlFile(file: string, kind: string): YamlFile {
  const path = resolve(file);
  const shown = shownPath(path);
  if (!existsSync(path)) {
    throw new SuiteError({
      what: `the ${kind} is missing`,
      where: shown,
      seen: 'no such file',
      expected: `a ${kind}`,
    });
  }
  const lines = new LineCounter();
  // Tags such as !override are Compose's own.
  const document = parseDocument(readFileSync(path, 'utf8'), {
    ...{ lineCounter: lines, merge: true, logLevel: 'error' },
  });
  const [syntaxError] = document.errors;
  if (syntaxError) {
    const { line, col } = lines.linePos(syntaxError.pos[0]);
    throw new SuiteError({
      what: `the ${kind} is not valid YAML`,
      where: `${shown}:${line}:${col}`,
      seen: syntaxError.message.split('\n')[0]?.replace(/ at line.*$/, '') ?? '',
      expected: 'YAML',
    });
  }
  return {
    path,
    shown,
    valuesWith(variables) {
      try {
        return interpolateAll(document.toJS(), variables);
      } catch (error) {
        throw new SuiteError({
          what: `a variable of the ${kind} cannot be filled in`,
          where: shown,
          seen: messageOf(error),
          expected: 'every variable set, or with a default',
        });
      }
    },
    placeOf(keys) {
      for (let depth = keys.length; depth > 0; depth -= 1) {
        const found = document.getIn(keys.slice(0, depth), true);
        if (isNode(found) && found.range) {
          return { place: `${shown}:${lines.linePos(found.range[0]).line}`, depth };
        }
      }
      return { place: `${shown}:1`, depth: 0 };
    },
  };
}

/** A path as messages show it: relative to the working directory where that is shorter. */
export function shownPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}
