/* Answers of media tools and of heavy work, kept for judging the same recordings repeatedly. */
import { createHash, type Hash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';

import { keepFile } from './kept-file';
import { SAMPLE_BYTES, type StoredSamples } from './samples';
import { piecesAt } from './scratch-file';
import { type StoredThumbnails, THUMBNAIL_BYTES } from './thumbnails';

let folder: string | undefined;

/** @param where folder of the cached answers */
export function cacheAnswers(where: string): void {
  mkdirSync(where, { recursive: true });
  folder = where;
}

/** The cached answer to a question about files and data that have not changed since; without one it is asked. */
export async function cached<T>(question: readonly unknown[], ask: () => Promise<T>): Promise<T> {
  const key = folder && keyOf(question);
  if (!folder || !key) return ask();
  const file = join(folder, key);
  if (existsSync(file)) return deserialize(readFileSync(file)) as T;
  const answer = await ask();
  // A descriptor says nothing to the next program.
  if (!isInScratchFile(answer)) keepFile(file, serialize(answer));
  return answer;
}

/** Whether part of it is in a scratch file. */
function isInScratchFile(part: unknown): boolean {
  if (typeof part !== 'object' || part === null || ArrayBuffer.isView(part)) return false;
  return 'fd' in part || Object.values(part).some(isInScratchFile);
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
  if (!Array.isArray(part) && Object.getPrototypeOf(part) !== Object.prototype) return false;
  if ('fd' in part) {
    addStored(hash, part as StoredSamples | StoredThumbnails);
    return true;
  }
  const entries = Object.entries(part);
  hash.update(`${Array.isArray(part) ? 'list' : 'object'} ${entries.length} `);
  return entries.every(([name, one]) => isAdded(hash, name) && isAdded(hash, one));
}

/** What is in a scratch file, by its bytes: the same data may lie in another file the next time. */
function addStored(hash: Hash, part: StoredSamples | StoredThumbnails): void {
  const [kind, first, count, size] =
    'first' in part
      ? (['samples', part.first, part.length, SAMPLE_BYTES] as const)
      : (['thumbnails', 0, part.count, THUMBNAIL_BYTES] as const);
  hash.update(`${kind} ${count} `);
  for (const piece of piecesAt(part.fd, first * size, count * size)) hash.update(piece);
}

/** A file is unchanged when path, size and modification time are the same. */
function identityOf(part: unknown): unknown {
  if (typeof part !== 'string' || !part.startsWith('/') || !existsSync(part)) return part;
  const path = realpathSync(part);
  const { size, mtimeMs } = statSync(path);
  return [path, size, mtimeMs];
}
