import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

import type { ProcessInfo, SystemView } from './system-view';
import { parseTcpTable, type TcpSocket } from './tcp-table';

const KILOBYTE = 1024;
const TICKS_PER_SECOND = 100;

/** Linux, by /proc (proc(5)): it keeps the first environment of a process, whatever that executes now. */
export const procView: SystemView = {
  askAgainMs: 0,
  startTimeOfNew: (pid) => processInfo(pid)?.startTime,
  processes: (ids = processIds()) => ids.flatMap((pid) => processInfo(pid) ?? []),
  startedWith,
  residentBytes: (pid) => {
    const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(textOf(`/proc/${pid}/status`)) ?? [];
    return Number(kilobytes) * KILOBYTE;
  },
  openDescriptors: (pid) => namesIn(`/proc/${pid}/fd`).length,
  listeningPorts: () => tcpSockets('listening').map(({ localPort }) => localPort),
  listenerOn: (port) => {
    const listening = tcpSockets('listening').filter(({ localPort }) => localPort === port);
    const inodes = new Set(listening.map(({ inode }) => inode));
    return processIds().find((pid) => inodesOf(pid).some((inode) => inodes.has(inode)));
  },
  connectionsOf: (ids) => {
    const inodes = new Set(ids.flatMap(inodesOf));
    return tcpSockets('established').filter(({ inode }) => inodes.has(inode));
  },
  secondsOfChildren: () => {
    // cutime and cstime.
    const [user, system] = statFields('self').slice(13, 15);
    return (Number(user) + Number(system)) / TICKS_PER_SECOND;
  },
  bootId: () => textOf('/proc/sys/kernel/random/boot_id').trim(),
  pidNamespace: () => targetOf('/proc/self/ns/pid'),
};

function processInfo(pid: number): ProcessInfo | undefined {
  const fields = statFields(pid);
  const [state = '', parent, group] = fields;
  if (state === '' || state === 'Z' || state === 'X') return undefined;
  return {
    ...{ pid, parent: Number(parent), group: Number(group) },
    startTime: fields[19] ?? '',
    command: textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, 200),
  };
}

/** From the third one on: the second, the name, is in brackets and may hold blanks. One that is empty where there is no such process. */
function statFields(pid: number | 'self'): string[] {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function startedWith(variable: string): { process: ProcessInfo; value: string }[] {
  const beginning = `${variable}=`;
  return processIds().flatMap((pid) => {
    const process = processInfo(pid);
    const entry = textOf(`/proc/${pid}/environ`)
      .split('\0')
      .find((one) => one.startsWith(beginning));
    if (!process || entry === undefined) return [];
    // While this was read the id may have been given to another process.
    if (processInfo(pid)?.startTime !== process.startTime) return [];
    return { process, value: entry.slice(beginning.length) };
  });
}

function tcpSockets(wanted: TcpSocket['state']): TcpSocket[] {
  const tables = `${textOf('/proc/net/tcp')}\n${textOf('/proc/net/tcp6')}`;
  return parseTcpTable(tables).filter(({ state }) => state === wanted);
}

/** The sockets that a process has open. */
function inodesOf(pid: number): string[] {
  return namesIn(`/proc/${pid}/fd`).flatMap(
    (name) => /^socket:\[(\d+)\]$/.exec(targetOf(`/proc/${pid}/fd/${name}`))?.[1] ?? [],
  );
}

function processIds(): number[] {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

// Processes come and go while /proc is read: of one that is gone nothing is told.
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function targetOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
