import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';

import { PrerequisiteMissing } from '../errors';

/** A free TCP port of the loopback address. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, failed) => {
    server.once('error', failed).listen(0, '127.0.0.1', done);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/**
 * Refuses to start on a port that somebody else listens on.
 *
 * @param ports what each port is for, by its number
 * @throws PrerequisiteMissing naming each taken port and the process that holds it
 */
export async function checkPortsFree(ports: ReadonlyMap<number, string>): Promise<void> {
  const taken: string[] = [];
  for (const [port, purpose] of ports) {
    if (!(await isFree(port))) taken.push(`port ${port} (${purpose}) is held by ${holderOf(port)}`);
  }
  if (taken.length === 0) return;
  throw new PrerequisiteMissing(
    {
      what: 'the services cannot be started: a port they publish is taken',
      where: 'this host',
      seen: taken.join('; '),
      expected: `ports ${[...ports.keys()].join(', ')} free`,
      next: 'stop that program, or choose other ports (README, Configuration)',
    },
    'services',
  );
}

async function isFree(port: number): Promise<boolean> {
  for (const address of ['127.0.0.1', '0.0.0.0']) {
    const server = createServer();
    const free = await new Promise<boolean>((answer) => {
      server.once('error', () => answer(false)).listen(port, address, () => answer(true));
    });
    if (!free) return false;
    await new Promise((done) => server.close(done));
  }
  return true;
}

/** The process that listens on a port, as "program (pid 12)"; read from /proc, where there is one. */
function holderOf(port: number): string {
  const inodes = new Set(
    ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
      readLines(table)
        .slice(1)
        .map((line) => line.trim().split(/\s+/))
        .filter(([, local = '', , state]) => state === '0A' && portOf(local) === port)
        .map((fields) => `socket:[${fields[9]}]`),
    ),
  );
  for (const pid of inodes.size
    ? readDirectory('/proc').filter((name) => /^\d+$/.test(name))
    : []) {
    for (const descriptor of readDirectory(`/proc/${pid}/fd`)) {
      if (inodes.has(readLink(`/proc/${pid}/fd/${descriptor}`))) {
        const command = readLines(`/proc/${pid}/cmdline`).join(' ').replaceAll('\0', ' ').trim();
        return `${command.slice(0, 120)} (pid ${pid})`;
      }
    }
  }
  return 'a process that this user may not see';
}

function portOf(hexAddress: string): number {
  return parseInt(hexAddress.split(':')[1] ?? '', 16);
}

// Processes come and go while /proc is read: what has gone is not the holder.
function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}

function readDirectory(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
