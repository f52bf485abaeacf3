import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:net';

const claimed = new Map<string, Server>();

/**
 * Claims something that only one process of this host may have at a time, until this process ends, however it ends.
 *
 * It is a socket without a file (unix(7), abstract names): the kernel gives it to one and takes it back at the end.
 *
 * @param what names it; two checkouts that mean different things must say so in the name
 * @returns whether this process has it, now or already before
 */
export async function claim(what: string): Promise<boolean> {
  if (claimed.has(what)) return true;
  const server = createServer();
  const name = createHash('sha256').update(what).digest('hex').slice(0, 32);
  const isOurs = await new Promise<boolean>((answer, failed) => {
    server
      .once('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') answer(false);
        else failed(error);
      })
      .listen(`\0live-dubbing-${name}`, () => answer(true));
  });
  if (!isOurs) return false;
  server.unref();
  claimed.set(what, server);
  return true;
}

/** Releases what was claimed. */
export async function release(what: string): Promise<void> {
  const server = claimed.get(what);
  claimed.delete(what);
  if (server) await new Promise((done) => server.close(done));
}
