import { randomInt } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';

import { SuiteError } from '../base/errors';
import { processInfo, system } from '../platform/processes';
import type { TcpConnection } from '../platform/system-view';

/** Outside of what systems give to connections that programs make (Linux from 32768 on, macOS from 49152): those take it meanwhile. */
const PORTS = { from: 15_000, to: 32_000 };

/**
 * Different TCP ports that are free at all addresses of this host; all stay open until the last is found. A container's port is
 * published at all of them: it would get what is said to a tap that listens at another than the loopback address.
 *
 * @param range of which they are drawn, without its end
 * @throws SuiteError where so many are not found in it
 */
export async function freePorts(count: number, range = PORTS): Promise<number[]> {
  const servers = new Map<number, Server>();
  const drawn = new Set<number>();
  while (servers.size < count && drawn.size < range.to - range.from) {
    const port = randomInt(range.from, range.to);
    if (drawn.has(port)) continue;
    drawn.add(port);
    const server = await listening(port, '0.0.0.0');
    if (server) servers.set(port, server);
  }
  await Promise.all([...servers.values()].map(closed));
  if (servers.size === count) return [...servers.keys()];
  throw new SuiteError({
    what: 'there are not enough free ports',
    where: `TCP ports ${range.from} to ${range.to - 1} of this host`,
    seen: `${servers.size} that nothing listens on`,
    expected: `${count}`,
    next: 'stop what listens there: `ss -tlnp`, or `lsof -nP -iTCP -sTCP:LISTEN`',
  });
}

/** Undefined where the port is taken. */
function listening(port: number, address: string): Promise<Server | undefined> {
  const server = createServer();
  return new Promise((answer) => {
    server.once('error', () => answer(undefined)).listen(port, address, () => answer(server));
  });
}

function closed(server: Server): Promise<unknown> {
  return new Promise((done) => server.close(done));
}

/** A TCP port that is free at all addresses of this host. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** Whether something accepts TCP connections at an address; false when there is no answer within 2 s. */
export async function acceptsConnections(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, timeout: 2000 });
  const accepts = await new Promise<boolean>((answer) => {
    socket
      .once('connect', () => answer(true))
      .once('timeout', () => answer(false))
      .once('error', () => answer(false));
  });
  socket.destroy();
  return accepts;
}

/** The program that listens on a TCP port of this host, as "program (pid 12)"; undefined when the port is free. */
export async function localHolderOf(port: number): Promise<string | undefined> {
  return (await isFree(port)) ? undefined : processOn(port);
}

async function isFree(port: number): Promise<boolean> {
  for (const address of ['127.0.0.1', '0.0.0.0']) {
    const server = await listening(port, address);
    if (!server) return false;
    await closed(server);
  }
  return true;
}

function processOn(port: number): string {
  const pid = system.listenerOn(port);
  const holder = pid === undefined ? undefined : processInfo(pid);
  return holder
    ? `${holder.command.slice(0, 120)} (pid ${holder.pid})`
    : 'a process that this user may not see';
}

/** The established TCP connections of all processes of a process group. */
export function connectionsOfGroup(group: number): TcpConnection[] {
  const members = system.processes().filter((one) => one.group === group);
  return system.connectionsOf(members.map(({ pid }) => pid));
}
