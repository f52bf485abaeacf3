/** What pages take from the documentation, so that it stands in one place: the words, and what messages mean. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { projectRoot } from '../config';

/** The rows of all tables of a page of docs/, without their heads: the first two cells of each, in Markdown. */
function rowsOf(page: string): [string, string][] {
  const lines = readFileSync(join(projectRoot, 'docs', page), 'utf8').split('\n');
  const isHead = (at: number): boolean => /^\|[\s|:-]+\|$/.test(lines[at + 1] ?? '');
  return lines.flatMap((line, at): [string, string][] => {
    if (!line.startsWith('|') || /^\|[\s|:-]+\|$/.test(line) || isHead(at)) return [];
    const [, first = '', second = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return [[first, second]];
  });
}

/** Without what is Markdown. */
function plain(markdown: string): string {
  return markdown
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replace(/[`*]/g, '')
    .replaceAll('\\|', '|');
}

let words: readonly (readonly [string, string])[] | undefined;

/** The words of docs/glossary.md, and what they mean. */
export function glossary(): readonly (readonly [string, string])[] {
  words ??= rowsOf('glossary.md').map(([word, means]) => [plain(word), plain(means)] as const);
  return words;
}

let meanings: Map<string, string> | undefined;

/** What docs/troubleshooting.md says of a message, as it stands there; undefined where that has no such message. */
export function meaningOf(message: string): string | undefined {
  meanings ??= new Map(
    rowsOf('troubleshooting.md').map(([said, means]) => [plain(said), plain(means)]),
  );
  return meanings.get(message);
}
