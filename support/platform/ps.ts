import { spawnSync } from 'node:child_process';

import type { ProcessInfo, SystemView, TcpConnection } from './system-view';

const KILOBYTE = 1024;
const MOST_BYTES = 64 * 2 ** 20;

/** One each: macOS takes what follows the "=" of a list for a heading. */
const COLUMNS = ['pid', 'ppid', 'pgid', 'lstart', 'stat', 'command'].flatMap((name) => [
  '-o',
  `${name}=`,
]);

/**
 * macOS, by ps(1), lsof(8) and sysctl(8): where there is no /proc. The environment of programs that belong to the system
 * (System Integrity Protection: /bin/sh, /bin/sleep …) is told to nobody.
 */
export const psView: SystemView = {
  askAgainMs: 10_000,
  // Of one that was started at the end of the second before, this is no process's: it is found by its environment.
  startTimeOfNew: () => String(Math.floor(Date.now() / 1000)),
  processes: (ids) => psLines(ids ? ['-p', ids.join()] : ['-ax']).map(shortened),
  startedWith,
  residentBytes: (pid) => Number(outputOf('ps', '-o', 'rss=', '-p', String(pid))) * KILOBYTE,
  openDescriptors: (pid) =>
    lsof('-p', String(pid)).filter(({ descriptor }) => /^\d/.test(descriptor)).length,
  listeningPorts: () => listeners().map(({ name }) => portOf(name)),
  listenerOn: (port) => listeners().find(({ name }) => portOf(name) === port)?.pid,
  connectionsOf: (ids) =>
    ids.length === 0
      ? []
      : lsof('-a', '-p', ids.join(), '-iTCP', '-sTCP:ESTABLISHED').flatMap(({ name }) =>
          connectionIn(name),
        ),
  bootId: () => outputOf('sysctl', '-n', 'kern.bootsessionuuid').trim() || 'unknown',
  // macOS has none.
  secondsOfChildren: () => undefined,
  pidNamespace: () => 'unknown',
};

function psLines(selection: readonly string[]): ProcessInfo[] {
  return parsePs(outputOf('ps', ...selection, '-ww', ...COLUMNS));
}

function shortened(process: ProcessInfo): ProcessInfo {
  return { ...process, command: process.command.slice(0, 200) };
}

/**
 * Reads what `ps -o pid= -o ppid= -o pgid= -o lstart= -o stat= -o command=` prints with TZ=UTC0 and LC_ALL=C. Processes that
 * have ended are left out; commands are whole.
 */
export function parsePs(text: string): ProcessInfo[] {
  const fields = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\w+ +\w+ +\d+ [\d:]+ \d+)\s+(\S+)\s*(.*)$/;
  return text.split('\n').flatMap((line) => {
    const [, pid, parent, group, started = '', state = '', command = ''] = fields.exec(line) ?? [];
    if (pid === undefined || state.startsWith('Z')) return [];
    return {
      ...{ pid: Number(pid), parent: Number(parent), group: Number(group) },
      startTime: String(Date.parse(`${started} UTC`) / 1000),
      command: command.trim(),
    };
  });
}

function startedWith(variable: string): { process: ProcessInfo; value: string }[] {
  // -E: the environment, behind the arguments.
  const withEnvironment = psLines(['-ax', '-E']);
  return valuesIn(psLines(['-ax']), withEnvironment, variable);
}

/** The value of a variable in the environments that `ps -E` prints behind the commands of the same processes. */
export function valuesIn(
  processes: readonly ProcessInfo[],
  withEnvironment: readonly ProcessInfo[],
  variable: string,
): { process: ProcessInfo; value: string }[] {
  const texts = new Map(
    withEnvironment.map(({ pid, startTime, command }) => [`${pid} ${startTime}`, command]),
  );
  const entry = new RegExp(` ${variable}=(\\S*)`);
  return processes.flatMap((process) => {
    const text = texts.get(`${process.pid} ${process.startTime}`) ?? '';
    if (!text.startsWith(process.command)) return [];
    const value = entry.exec(text.slice(process.command.length))?.[1];
    return value === undefined ? [] : { process: shortened(process), value };
  });
}

/** One open file. */
interface OpenFile {
  pid: number;
  /** Its number, or a word for what is no descriptor (`cwd`, `txt`). */
  descriptor: string;
  /** A path, or of a socket `address:port`, with `->address:port` where it is connected. */
  name: string;
}

function lsof(...selection: string[]): OpenFile[] {
  // -n, -P: numbers in place of names. It ends with 1 where it finds nothing.
  return parseLsof(outputOf('lsof', '-nP', ...selection, '-Fpfn'));
}

function listeners(): OpenFile[] {
  return lsof('-iTCP', '-sTCP:LISTEN');
}

/** Reads what `lsof -Fpfn` prints: a field a line, each behind its letter; `p` begins a process, `f` a file of it. */
export function parseLsof(text: string): OpenFile[] {
  const files: OpenFile[] = [];
  let pid = 0;
  for (const line of text.split('\n')) {
    const value = line.slice(1);
    const file = files.at(-1);
    if (line.startsWith('p')) pid = Number(value);
    else if (line.startsWith('f')) files.push({ pid, descriptor: value, name: '' });
    else if (line.startsWith('n') && file) file.name = value;
  }
  return files;
}

/** `*:8080`, `127.0.0.1:8080`, `[::1]:8080` */
function portOf(end: string): number {
  return Number(end.slice(end.lastIndexOf(':') + 1));
}

/** Reads `127.0.0.1:50000->127.0.0.1:8080`; an IPv4 address in one of IPv6 is the IPv4 address. */
export function connectionIn(name: string): TcpConnection[] {
  const [local, remote] = name.split('->');
  if (local === undefined || remote === undefined) return [];
  const address = remote
    .slice(0, remote.lastIndexOf(':'))
    .replace(/^\[(?:::ffff:(?=.*\.))?|\]$/g, '');
  return [{ localPort: portOf(local), remoteAddress: address, remotePort: portOf(remote) }];
}

/** Empty where the program fails, or is not there. */
function outputOf(program: string, ...args: string[]): string {
  // One time zone and language, in which start times are the same text whoever asks.
  const { stdout } = spawnSync('env', ['LC_ALL=C', 'TZ=UTC0', program, ...args], {
    ...{ encoding: 'utf8', maxBuffer: MOST_BYTES, stdio: ['ignore', 'pipe', 'ignore'] },
  });
  return stdout;
}
