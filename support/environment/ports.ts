import { connect, createServer, type AddressInfo } from 'node:net';

import { processInfo, system } from '../platform/processes';
import type { TcpConnection } from '../platform/system-view';

/**
 * Different TCP ports that are free at all addresses of this host; all stay open until the last is found. A container's port is
 * published at all of them: it would get what is said to a tap that listens at another than the loopback address.
 */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  for (const server of servers) {
    await new Promise<void>((done, failed) => {
      server.once('error', failed).listen(0, '0.0.0.0', done);
    });
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
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
    const server = createServer();
    const free = await new Promise<boolean>((answer) => {
      server.once('error', () => answer(false)).listen(port, address, () => answer(true));
    });
    if (!free) return false;
    await new Promise((done) => server.close(done));
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
