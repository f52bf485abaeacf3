/*
 * What is too large to be held in memory is kept in a file without a name: it is made and removed at once, so that nothing can be
 * left behind. Its descriptor is read by all threads of this process, and lasts as long as the process does.
 */
import { randomUUID } from 'node:crypto';
import { openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @returns the descriptor of an empty file, to be written and read */
export function scratchFile(): number {
  const path = join(tmpdir(), `live-dubbing-acceptance-${randomUUID()}`);
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return fd;
}

/** Writes bytes into a file, from byte `at` of it on. */
export function writeAt(fd: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, at + done);
  }
}

/** Fills `bytes` from byte `at` of a file on; with 0 where the file is shorter. */
export function readAt(fd: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length;) {
    const read = readSync(fd, bytes, done, bytes.length - done, at + done);
    if (read === 0) bytes.fill(0, done);
    done = read === 0 ? bytes.length : done + read;
  }
}

/** What is read of a file at a time, in bytes. */
const PIECE_BYTES = 2 ** 20;

/** A stretch of a file, one piece after the other. */
export function* piecesAt(fd: number, from: number, count: number): Generator<Uint8Array> {
  for (let done = 0; done < count; done += PIECE_BYTES) {
    const piece = new Uint8Array(Math.min(PIECE_BYTES, count - done));
    readAt(fd, piece, from + done);
    yield piece;
  }
}

/** So many blocks of each file are remembered. */
const REMEMBERED = 64;

const remembered = new Map<number, { index: number; bytes: Uint8Array }[]>();

/**
 * A block of a file that is not written any more. Blocks that are at most {@link REMEMBERED} apart are remembered, so that a stretch
 * can be read in any order.
 *
 * @param size of every block of that file, in bytes
 */
export function blockOf(fd: number, index: number, size: number): Uint8Array {
  let blocks = remembered.get(fd);
  if (!blocks) remembered.set(fd, (blocks = []));
  const known = blocks[index % REMEMBERED];
  if (known?.index === index) return known.bytes;
  const bytes = new Uint8Array(size);
  readAt(fd, bytes, index * size);
  blocks[index % REMEMBERED] = { index, bytes };
  return bytes;
}
