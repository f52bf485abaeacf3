import { exists, processInfo, system } from '../platform/processes';
import type { ProcessInfo } from '../platform/system-view';

/** npm and npx give themselves such names; before that they are Node.js with their own script. */
const NPM = /^(npm|npx)( |$)|\/(npm|npx)(-cli\.js)?( |$)/;
const MOST_ANCESTORS = 50;

/**
 * The programs that wait for a process to end: its ancestors up to the npm that has started it. Empty without npm, as it
 * is then unknown whether an ancestor waits.
 *
 * A signal to npm, or its end, does not reach what it has started: a program that is to end with npm must poll it.
 */
export function waitersOf(
  pid: number,
  infoOf: (pid: number) => ProcessInfo | undefined = processInfo,
): ProcessInfo[] {
  const ancestors: ProcessInfo[] = [];
  let next = infoOf(pid)?.parent ?? 0;
  while (next > 0 && ancestors.length < MOST_ANCESTORS) {
    const ancestor = infoOf(next);
    if (!ancestor) break;
    ancestors.push(ancestor);
    if (NPM.test(ancestor.command)) return ancestors;
    next = ancestor.parent;
  }
  return [];
}

/** The same as text, for the environment of a program: `12:3456,…`, process ids with their start times. */
export function waitersAsText(waiters: readonly ProcessInfo[]): string {
  return waiters.map(({ pid, startTime }) => `${pid}:${startTime}`).join();
}

/**
 * To be asked again and again, by {@link waitersAsText}: the id of the first of them that is gone; undefined while all of them run.
 * An id that is nobody's is noticed each time; one that is another process's by now, where looking takes programs, every 10 s.
 */
export function watchWaiters(text: string): () => number | undefined {
  const waiters = text
    .split(',')
    .filter((one) => one !== '')
    .map((one) => one.split(':'))
    .map(([pid, startTime = '']) => ({ pid: Number(pid), startTime }));
  let lookedAt = -Infinity;
  return () => {
    const nobody = waiters.find(({ pid }) => !exists(pid));
    if (nobody || performance.now() - lookedAt < system.askAgainMs) return nobody?.pid;
    lookedAt = performance.now();
    return goneOf(waiters);
  };
}

function goneOf(waiters: readonly Pick<ProcessInfo, 'pid' | 'startTime'>[]): number | undefined {
  if (waiters.length === 0) return undefined;
  const running = system.processes(waiters.map(({ pid }) => pid));
  return waiters.find(
    ({ pid, startTime }) => !running.some((one) => one.pid === pid && one.startTime === startTime),
  )?.pid;
}
