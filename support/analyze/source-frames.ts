/* The frames of a source, with which those of its outputs are compared. A source is decoded once, and its thumbnails are kept. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { deserialize, serialize } from 'node:v8';

import { isLong } from './media';
import { THUMBNAIL_BYTES, thumbnailOf, type Thumbnails, ThumbnailSink } from './thumbnails';
import { readFrames } from './video';

/** The frames of a video file, with their times in its own timeline, in seconds. */
export interface SourceFrames {
  thumbnails: Thumbnails;
  times: number[];
}

/** Beside the packages, as other tools do (`find-cache-dir`): removed with them. */
const FOLDER = resolve(__dirname, '../../node_modules/.cache/live-dubbing-acceptance');
/** Sources that are kept there; a minute of video takes 3 MB. */
const KEPT = 20;
/** To be raised when thumbnails become others. */
const VERSION = 1;

const known = new Map<string, Promise<SourceFrames>>();

/**
 * The frames of a source. Of a file that has not changed since they are remembered; in another process as well, unless it is a long one.
 *
 * @throws MediaUnreadable, NoVideoTrack, FrameClockUnreadable
 */
export function readSource(file: string): Promise<SourceFrames> {
  const { size, mtimeMs } = statSync(file, { throwIfNoEntry: false }) ?? { size: 0, mtimeMs: 0 };
  const identity = [resolve(file), size, mtimeMs, THUMBNAIL_BYTES, VERSION].join();
  const found = known.get(identity) ?? readOnce(file, identity);
  known.set(identity, found);
  found.catch(() => known.delete(identity));
  return found;
}

async function readOnce(file: string, identity: string): Promise<SourceFrames> {
  return (await isLong(file)) ? readFrames(file) : remembered(identity, () => readFrames(file));
}

async function remembered(
  identity: string,
  read: () => Promise<SourceFrames>,
): Promise<SourceFrames> {
  const file = join(FOLDER, createHash('sha256').update(identity).digest('hex'));
  if (existsSync(file)) return inSharedMemory(deserialize(readFileSync(file)) as SourceFrames);
  const frames = await read();
  try {
    mkdirSync(FOLDER, { recursive: true });
    // Another process may be writing the same.
    writeFileSync(`${file}.${process.pid}`, serialize(frames));
    renameSync(`${file}.${process.pid}`, file);
    removeOldest();
  } catch (error) {
    // A folder that cannot be written to costs time, and nothing else.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
  return frames;
}

/** Worker threads then need no copy. */
function inSharedMemory({ thumbnails, times }: SourceFrames): SourceFrames {
  return { times, thumbnails: chosen(thumbnails, [...times.keys()], false) };
}

function removeOldest(): void {
  const files = readdirSync(FOLDER)
    .map((name) => join(FOLDER, name))
    .map((path) => ({ path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of files.slice(KEPT)) rmSync(path, { force: true });
}

/**
 * The source at a constant rate, beginning at 0 of its timeline: frame `n` of the result is the one that is shown at
 * `n / framesPerSecond`. Of a source that has such a rate, these are its own frames.
 */
export function atConstantRate(
  { thumbnails, times }: SourceFrames,
  framesPerSecond: number,
): Thumbnails {
  const own = ownFrames(times, framesPerSecond);
  const areAll = own.length === thumbnails.count && own.every((frame, n) => frame === n);
  return areAll ? thumbnails : chosen(thumbnails, own, 'fd' in thumbnails);
}

/** Those of some frames, one after the other. */
function chosen(thumbnails: Thumbnails, frames: readonly number[], isStored: boolean): Thumbnails {
  const sink = new ThumbnailSink(isStored);
  for (const frame of frames) {
    sink.add((bytes, at) => {
      bytes.set(thumbnailOf(thumbnails, frame), at);
    });
  }
  return sink.thumbnails;
}

/** Those of its frames that only repeat the one before: the source has a rate that varies, and shows that one for longer. */
export function repeatsAtConstantRate(
  { times }: SourceFrames,
  framesPerSecond: number,
): ReadonlySet<number> {
  const own = ownFrames(times, framesPerSecond);
  return new Set(own.flatMap((frame, n) => (frame === own[n - 1] ? n : [])));
}

/** By frame at the constant rate, the source's own. */
function ownFrames(times: readonly number[], framesPerSecond: number): number[] {
  const count = Math.max(0, Math.round((times.at(-1) ?? -1) * framesPerSecond) + 1);
  // Half of an interval: times are rounded, to ms in some containers.
  const slack = 0.5 / framesPerSecond;
  let at = 0;
  return Array.from({ length: count }, (_, n) => {
    while ((times[at + 1] ?? Infinity) <= n / framesPerSecond + slack) at += 1;
    return at;
  });
}
