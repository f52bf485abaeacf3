import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';

import { keepFile } from './kept-file';

let folder: string | undefined;

/**
 * Caches what media tools say of files, for judging the same recordings repeatedly.
 *
 * @param where folder of the cached answers
 */
export function cacheTools(where: string): void {
  mkdirSync(where, { recursive: true });
  folder = where;
}

/** The cached answer to a question about files that have not changed since; without one it is asked. */
export async function cached<T>(question: readonly unknown[], ask: () => Promise<T>): Promise<T> {
  if (!folder) return ask();
  const key = createHash('sha256')
    .update(serialize(question.flat().map(identityOf)))
    .digest('hex');
  const file = join(folder, key);
  if (existsSync(file)) return deserialize(readFileSync(file)) as T;
  const answer = await ask();
  keepFile(file, serialize(answer));
  return answer;
}

/** A file is unchanged when path, size and modification time are the same. */
function identityOf(part: unknown): unknown {
  if (typeof part !== 'string' || !part.startsWith('/') || !existsSync(part)) return part;
  const path = realpathSync(part);
  const { size, mtimeMs } = statSync(path);
  return [path, size, mtimeMs];
}
