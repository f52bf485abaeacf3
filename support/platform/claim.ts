import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';

import { folderLock, type Lock } from './folder-lock';

const claimed = new Map<string, Lock>();

/**
 * Claims something that only one process of this host may have at a time, until this process ends, however it ends.
 *
 * @param what names it; two checkouts that mean different things must say so in the name
 * @returns whether this process has it, now or already before
 */
export async function claim(what: string): Promise<boolean> {
  if (claimed.has(what)) return true;
  const name = `live-dubbing-${createHash('sha256').update(what).digest('hex').slice(0, 32)}`;
  const lock = await socketLock(name).catch((error: unknown) => {
    // No such sockets here: they are Linux's own.
    if ((error as NodeJS.ErrnoException).code === 'EINVAL') return folderLock(name);
    throw error;
  });
  if (!lock) return false;
  claimed.set(what, lock);
  return true;
}

/** Releases what was claimed. */
export async function release(what: string): Promise<void> {
  const lock = claimed.get(what);
  claimed.delete(what);
  await lock?.release();
}

/** A socket without a file (unix(7), abstract names): the kernel gives it to one and takes it back at the end. */
async function socketLock(name: string): Promise<Lock | undefined> {
  const server = createServer();
  const isOurs = await new Promise<boolean>((answer, failed) => {
    server
      .once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') answer(false);
        else failed(error);
      })
      .listen(`\0${name}`, () => answer(true));
  });
  if (!isOurs) return undefined;
  server.unref();
  return { release: () => closed(server) };
}

async function closed(server: Server): Promise<void> {
  await new Promise((done) => server.close(done));
}
