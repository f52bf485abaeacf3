/* Answers of media tools and of heavy work, kept for judging the same recordings repeatedly. */
import { createHash, type Hash } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { codeVersion, decoderVersion, keepAnswer, keptAnswer } from './kept-file';
import { SAMPLE_BYTES, samplesIn, type StoredSamples } from './samples';
import { piecesAt } from './scratch-file';
import { type StoredThumbnails, THUMBNAIL_BYTES } from './thumbnails';

/** Answers with more audio in scratch files, of more than ten minutes, are not kept. */
const LARGEST_BYTES = 2 ** 26;

let folder: string | undefined;

/** @param where folder of the cached answers */
export function cacheAnswers(where: string): void {
  mkdirSync(where, { recursive: true });
  folder = where;
}

/**
 * The cached answer to a question about files and data that have not changed since, nor has what measures; without one it is asked.
 * What a program says that did not end well is not kept: it may have been ended, or lack what the next one has.
 */
export async function cached<T>(question: readonly unknown[], ask: () => Promise<T>): Promise<T> {
  const key = folder && keyOf([codeVersion(), await decoderVersion(), question]);
  if (!folder || !key) return ask();
  const file = join(folder, key);
  const kept = keptAnswer(file);
  if (kept !== undefined) return kept as T;
  const answer = await ask();
  if (!hasFailed(answer) && bytesInFiles(answer) <= LARGEST_BYTES) {
    keepAnswer(file, inMemory(answer));
  }
  return answer;
}

function hasFailed(answer: unknown): boolean {
  return isComposed(answer) && 'exitCode' in answer && answer.exitCode !== 0;
}

/** How much of an answer lies in scratch files; infinite where that is not samples, or cannot be told. */
function bytesInFiles(part: unknown): number {
  if (!isComposed(part)) return 0;
  if (isStored(part)) return 'first' in part ? SAMPLE_BYTES * part.length : Infinity;
  if (!isPlain(part) && !(part instanceof Map)) return Infinity;
  const parts: unknown[] = part instanceof Map ? [...part.values()] : Object.values(part);
  return parts.reduce((sum: number, one) => sum + bytesInFiles(one), 0);
}

/** The same, with its samples in memory: a descriptor says nothing to the next program. */
function inMemory(part: unknown): unknown {
  if (!isComposed(part)) return part;
  if (isStored(part)) return 'first' in part ? samplesIn(part) : part;
  if (Array.isArray(part)) return part.map(inMemory);
  if (part instanceof Map) return new Map([...part].map(([name, one]) => [name, inMemory(one)]));
  return Object.fromEntries(Object.entries(part).map(([name, one]) => [name, inMemory(one)]));
}

function isComposed(part: unknown): part is object {
  return typeof part === 'object' && part !== null && !ArrayBuffer.isView(part);
}

function isPlain(part: object): boolean {
  return Array.isArray(part) || Object.getPrototypeOf(part) === Object.prototype;
}

function isStored(part: object): part is StoredSamples | StoredThumbnails {
  return 'fd' in part;
}

/** Undefined where part of the question is no plain data. */
function keyOf(question: readonly unknown[]): string | undefined {
  const hash = createHash('sha256');
  return isAdded(hash, question) ? hash.digest('hex') : undefined;
}

function isAdded(hash: Hash, part: unknown): boolean {
  if (typeof part !== 'object' || part === null) {
    hash.update(`${typeof part} ${JSON.stringify(String(identityOf(part)))}`);
    return true;
  }
  if (part instanceof Uint8Array || part instanceof Float32Array || part instanceof Float64Array) {
    hash.update(`${part.constructor.name} ${part.byteLength} `);
    hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
    return true;
  }
  if (!isPlain(part)) return false;
  if (isStored(part)) {
    addStored(hash, part);
    return true;
  }
  const entries = Object.entries(part);
  hash.update(`${Array.isArray(part) ? 'list' : 'object'} ${entries.length} `);
  return entries.every(([name, one]) => isAdded(hash, name) && isAdded(hash, one));
}

/** Samples as {@link isAdded} adds those in memory: they may lie in another file the next time, or in none. Thumbnails by a name of their own. */
function addStored(hash: Hash, part: StoredSamples | StoredThumbnails): void {
  const [kind, from, bytes] =
    'first' in part
      ? (['Float32Array', SAMPLE_BYTES * part.first, SAMPLE_BYTES * part.length] as const)
      : (['thumbnails', 0, THUMBNAIL_BYTES * part.count] as const);
  hash.update(`${kind} ${bytes} `);
  for (const piece of piecesAt(part.fd, from, bytes)) hash.update(piece);
}

/** A file is unchanged when path, size and times are the same; that of its last change is the system's: who writes the file cannot set it. */
function identityOf(part: unknown): unknown {
  if (typeof part !== 'string' || !part.startsWith('/') || !existsSync(part)) return part;
  const path = realpathSync(part);
  const { ino, size, mtimeMs, ctimeMs } = statSync(path);
  return [path, ino, size, mtimeMs, ctimeMs];
}
