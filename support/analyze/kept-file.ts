/* Files in which answers are kept for the next program that asks. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Another process may be writing the same file, or reading it: that has all of it, or what was there before. */
export function keepFile(file: string, content: string | Uint8Array): void {
  const pending = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(pending, content);
  renameSync(pending, file);
}

/** A folder that is not there, or cannot be written to, costs time, and nothing else. */
export function orNothing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return undefined;
  }
}

let version: string | undefined;

/** What measures: of another one, answers are others. */
export function codeVersion(): string {
  version ??= digestOfCode();
  return version;
}

function digestOfCode(): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(__dirname).sort())
    hash.update(readFileSync(join(__dirname, name)));
  return hash.digest('hex');
}
