import { readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';

import {
  isMap,
  isNode,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  Parser,
  type Document,
  type ScalarTag,
} from 'yaml';

import { messageOf, SuiteError } from './errors';
import { interpolateAll, type Variables } from './interpolate';

/** A YAML file whose variables are not filled in yet. */
export interface YamlFile {
  /** Absolute. */
  path: string;
  /** The path as messages show it. */
  shown: string;
  /** The values with their variables unreplaced. */
  values: unknown;
  /**
   * The values, with `${NAME:-default}` filled in.
   *
   * @throws SuiteError naming the file, when a required variable is not set
   */
  valuesWith(variables: Variables): unknown;
  /** "file:line" of the deepest part of `keys` that the file has; `depth` is how many of them it has. */
  placeOf(keys: readonly string[]): { place: string; depth: number };
  /** The keys, or places in a list, that lead to each value with a tag of its own, as `!reset` of Compose is. */
  tagged(tag: string): (string | number)[][];
}

/**
 * Reads a YAML file.
 *
 * @param kind what the file is, for the messages: "compose file"
 * @param scalars values without quotes that are read in another way than YAML 1.2 reads them
 * @throws SuiteError when the file is missing, cannot be read or is not YAML, naming line and column
 */
export function readYamlFile(file: string, kind: string, scalars: ScalarTag[] = []): YamlFile {
  const path = resolve(file);
  const shown = shownPath(path);
  const text = textOf(path, shown, kind);
  if (text.length > LONGEST) {
    throw new SuiteError({
      ...{ what: `the ${kind} is too long`, where: shown },
      ...{ seen: `${text.length} characters`, expected: `${LONGEST} at most` },
    });
  }
  const lines = new LineCounter();
  const { document, values } = parsed(text, { lines, shown, kind, scalars });
  return {
    path,
    shown,
    values,
    valuesWith(variables) {
      try {
        return interpolateAll(values, variables);
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
    tagged: (tag) => taggedIn(document.contents, tag),
  };
}

function taggedIn(node: unknown, tag: string): (string | number)[][] {
  if (isNode(node) && node.tag === tag) return [[]];
  const inside: [string | number, unknown][] = isMap(node)
    ? node.items.map(({ key, value }) => [String(key), value])
    : isSeq(node)
      ? [...node.items.entries()]
      : [];
  return inside.flatMap(([key, value]) => taggedIn(value, tag).map((keys) => [key, ...keys]));
}

/** Characters; a hundred times what the shipped files have. Longer ones take the parser minutes. */
const LONGEST = 2 ** 18;

/** Collections, one inside the other. With thousands of them the stack ends in the parser, which can end the whole program. */
const DEEPEST = 100;

/** Ten times what large compose files have; such as multiply without end have millions. */
const MOST_ALIASES = 10_000;

function textOf(path: string, shown: string, kind: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new SuiteError({
      what: `the ${kind} ${isMissing ? 'is missing' : 'cannot be read'}`,
      where: shown,
      seen: isMissing ? 'no such file' : messageOf(error),
      expected: `a ${kind}`,
    });
  }
}

/** The line where something is nested deeper than any file needs; undefined where nothing is. */
function tooDeepLine(text: string): number | undefined {
  const parser = new Parser();
  let line = 1;
  for (const lexeme of new Lexer().lex(text)) {
    // It gives what has ended; what it still stands in is on its stack.
    Array.from(parser.next(lexeme));
    if (parser.stack.length > DEEPEST) return line;
    line += lexeme.split('\n').length - 1;
  }
  return undefined;
}

function parsed(
  text: string,
  {
    lines,
    shown,
    kind,
    scalars,
  }: { lines: LineCounter; shown: string; kind: string; scalars: ScalarTag[] },
): { document: Document.Parsed; values: unknown } {
  const notValid = (place: string, seen: string): SuiteError =>
    new SuiteError({
      ...{ what: `the ${kind} is not valid YAML`, where: `${shown}:${place}`, seen },
      expected: 'YAML',
    });
  const tooDeep = tooDeepLine(text);
  if (tooDeep !== undefined) {
    throw notValid(String(tooDeep), `more than ${DEEPEST} levels, one inside the other`);
  }
  try {
    // Tags such as !override are Compose's own.
    const document = parseDocument(text, {
      ...{ lineCounter: lines, merge: true, logLevel: 'error' },
      customTags: (tags) => [...scalars, ...tags],
      // Finding the place of every error in a file full of errors would take minutes.
      prettyErrors: false,
    });
    const [syntaxError] = document.errors;
    if (syntaxError) {
      const { line, col } = lines.linePos(syntaxError.pos[0]);
      const seen = syntaxError.message.split('\n')[0] ?? '';
      throw notValid(`${line}:${col}`, seen);
    }
    return { document, values: document.toJS({ maxAliasCount: MOST_ALIASES }) };
  } catch (error) {
    // Unresolved or endlessly multiplying aliases, and endless nesting, show only here.
    throw error instanceof SuiteError ? error : notValid('1', messageOf(error));
  }
}

/** A path as messages show it: relative to the working directory where that is shorter. */
export function shownPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}
