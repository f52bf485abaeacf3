/* Files in which answers are kept for the next program that asks. */
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { deserialize, serialize } from 'node:v8';

const DIGEST_BYTES = 32;

/** Another process may be writing the same file, or reading it: that has all of it, or what was there before. */
export function keepFile(file: string, content: string | Uint8Array): void {
  const pending = `${file}.${process.pid}`;
  mkdirSync(dirname(file), { recursive: true });
  try {
    writeFileSync(pending, content);
    renameSync(pending, file);
  } catch (error) {
    rmSync(pending, { force: true });
    throw error;
  }
}

/** The answer in a file; undefined where there is none, or it is not what was written. */
export function keptAnswer(file: string): unknown {
  const bytes = orNothing(() => readFileSync(file));
  const answer = bytes?.subarray(DIGEST_BYTES) ?? Buffer.alloc(0);
  const isWhole = bytes?.subarray(0, DIGEST_BYTES).equals(digestOf(answer)) ?? false;
  return isWhole ? deserialize(answer) : undefined;
}

/** @param answer data that can be copied (`node:v8`) */
export function keepAnswer(file: string, answer: unknown): void {
  const bytes = serialize(answer);
  orNothing(() => keepFile(file, Buffer.concat([digestOf(bytes), bytes])));
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** A folder that is not there, cannot be written to, or is full costs time, and nothing else. */
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

/** That of the analyzers, of what they are made of, and of the packages. */
function digestOfCode(): string {
  const hash = createHash('sha256');
  for (const folder of [__dirname, join(__dirname, '../base')]) {
    const entries = readdirSync(folder, { withFileTypes: true });
    const files = entries.filter((one) => one.isFile()).map(({ name }) => name);
    for (const name of files.sort()) hash.update(readFileSync(join(folder, name)));
  }
  hash.update(orNothing(() => readFileSync(join(__dirname, '../../package-lock.json'))) ?? '');
  return hash.digest('hex');
}

let decoder: Promise<string> | undefined;

/** The first line of what ffmpeg says of itself: what another one decodes may be other audio and video. Empty where none runs. */
export function decoderVersion(): Promise<string> {
  decoder ??= promisify(execFile)('ffmpeg', ['-version']).then(
    ({ stdout }) => stdout.split('\n')[0] ?? '',
    () => '',
  );
  return decoder;
}
