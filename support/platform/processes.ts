import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { procView } from './proc';
import { psView } from './ps';
import type { ProcessInfo } from './system-view';

/** What the operating system of this host tells of processes and sockets. */
export const system = existsSync('/proc/self/stat') ? procView : psView;

/** Sends a signal to a whole group; a group that has ended is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  signalIfThere(-pid, signal);
}

/** Sends a signal to a process, or to the group of a negative id; one that has ended is no error. */
export function signalIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // macOS says EPERM of a group in which all have ended, and whose parents have not yet waited for them.
    if (code !== 'ESRCH' && !(code === 'EPERM' && pid < 0)) throw error;
  }
}

/** Whether there is a process of that id, whichever, one that has ended and is not yet waited for included: takes no time. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** A process that runs; undefined when there is none, or it has ended and its parent has not yet waited for it. */
export function processInfo(pid: number): ProcessInfo | undefined {
  return system.processes([pid])[0];
}

/** When a process started, as `ProcessInfo` has it; undefined when it does not run. */
export function startTimeOf(pid: number): string | undefined {
  return processInfo(pid)?.startTime;
}

/** Whether the process of that id is still the one that started at that time. */
export function isRunning(one: { pid: number; startTime?: string | undefined }): boolean {
  const startTime = startTimeOf(one.pid);
  return startTime !== undefined && startTime === one.startTime;
}

/**
 * Processes that were started with a variable in their environment, the own one excepted: in whichever group. Those of other
 * users are visible to root only.
 */
export function processesWith(variable: string, fits: (value: string) => boolean): ProcessInfo[] {
  return system
    .startedWith(variable)
    .filter(({ process: { pid }, value }) => pid !== process.pid && fits(value))
    .map((one) => one.process);
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
