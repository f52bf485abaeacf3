/* What is measured of a source is kept for the next program that compares an output with it: decoding it takes as long as decoding the output. */
import { createHash } from 'node:crypto';
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { probeTool } from './ffmpeg';
import { codeVersion, decoderVersion, keepAnswer, keptAnswer, orNothing } from './kept-file';
import { isLong } from './media';

/** Beside the packages, as other tools do (`find-cache-dir`): removed with them. */
const FOLDER = resolve(__dirname, '../../node_modules/.cache/live-dubbing-acceptance');
/** Answers that are kept there, six of each source; the largest takes 3 MB for a minute of video. */
const KEPT = 100;

const known = new Map<string, Promise<unknown>>();

/**
 * What is measured of a source. Of a file that has not changed since it is measured once, and remembered: in this process, and
 * unless it is a long one in a file, which the same version of the suite and of ffmpeg reads again.
 *
 * @param what is measured: each has a name of its own
 * @param measure gives data that can be copied (`node:v8`)
 */
export function ofSource<T>(
  file: string,
  what: string,
  measure: (file: string) => Promise<T>,
  folder = FOLDER,
): Promise<T> {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  // The time of its last change is the system's: who writes the file cannot set it.
  const identity = [resolve(file), stat?.ino, stat?.size, stat?.mtimeNs, stat?.ctimeNs];
  const key = [...identity, what, folder].join();
  const found = (known.get(key) as Promise<T> | undefined) ?? kept(file, key, measure, folder);
  known.set(key, found);
  found.catch(() => known.delete(key));
  return found;
}

async function kept<T>(
  file: string,
  key: string,
  measure: (file: string) => Promise<T>,
  folder: string,
): Promise<T> {
  const [{ version }, decoder] = await Promise.all([probeTool(), decoderVersion()]);
  const question = [key, version, decoder, codeVersion()].join();
  const kept = join(folder, createHash('sha256').update(question).digest('hex'));
  const answer = keptAnswer(kept);
  if (answer !== undefined) return answer as T;
  const measured = await measure(file);
  if (!(await isLong(file))) {
    keepAnswer(kept, measured);
    orNothing(() => removeOldest(folder));
  }
  return measured;
}

function removeOldest(folder: string): void {
  const files = readdirSync(folder)
    .map((name) => join(folder, name))
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of files.slice(KEPT)) rmSync(path, { force: true });
}
