import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** One process, as /proc tells it (proc(5)). */
export interface ProcessInfo {
  pid: number;
  parent: number;
  /** Id of its process group. */
  group: number;
  /** In clock ticks since boot; distinguishes it from a later process of the same id. */
  startTime: string;
  /** Its arguments, with blanks between them; at most 200 characters. */
  command: string;
}

/** Sends a signal to a whole group; a group that has ended is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  signalIfThere(-pid, signal);
}

/** Sends a signal to a process, or to the group of a negative id; one that has ended is no error. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** A process that runs; undefined when there is none, or it has ended and its parent has not yet waited for it. */
export function processInfo(pid: number): ProcessInfo | undefined {
  const stat = textOf(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field, the name, is in brackets and may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', parent, group] = fields;
  if (state === 'Z' || state === 'X') return undefined;
  return {
    ...{ pid, parent: Number(parent), group: Number(group) },
    startTime: fields[19] ?? '',
    command: (textOf(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim().slice(0, 200),
  };
}

/** All processes that run. */
export function allProcesses(): ProcessInfo[] {
  return processIds().flatMap((pid) => processInfo(pid) ?? []);
}

/** When a process started, in clock ticks since boot; undefined when it does not run. */
export function startTimeOf(pid: number): string | undefined {
  return processInfo(pid)?.startTime;
}

/** Whether the process of that id is still the one that started at that time. */
export function isRunning(one: { pid: number; startTime?: string | undefined }): boolean {
  const startTime = startTimeOf(one.pid);
  return startTime !== undefined && startTime === one.startTime;
}

/**
 * Processes that were started with a variable in their environment, the own one excepted.
 *
 * They are found in whichever group and whatever they execute now: /proc keeps the first environment of a process.
 * Those of other users are visible to root only.
 */
export function processesWith(variable: string, fits: (value: string) => boolean): ProcessInfo[] {
  const beginning = `${variable}=`;
  return processIds().flatMap((pid) => {
    if (pid === process.pid) return [];
    const before = processInfo(pid);
    const entry = textOf(`/proc/${pid}/environ`)
      ?.split('\0')
      .find((one) => one.startsWith(beginning));
    if (!before || entry === undefined || !fits(entry.slice(beginning.length))) return [];
    // While this was read the id may have been given to another process.
    return isRunning(before) ? [before] : [];
  });
}

/** Waits until no process of the group is left; returns whether that came within `withinMs`. */
export async function groupGone(pid: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (groupExists(pid)) {
    if (performance.now() > deadline) return false;
    await delay(50);
  }
  return true;
}

function groupExists(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

// Processes come and go while /proc is read.
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
