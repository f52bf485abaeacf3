import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { dirname, join } from 'node:path';

/** Above it, what a service does may be late only because no processor was free. */
const FULL_SHARE = 0.95;

/**
 * So many processors this process may use, 1 at least: those that it is let run on, and no more than the quota of its control group is
 * worth, as `docker run --cpus` and Kubernetes set one. Node.js 20 does not count that.
 *
 * @param root of /proc and /sys
 */
export function processorCount(root = '/'): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(quotaIn(root))));
}

/** In processors, fractions as well; Infinity where there is none. */
function quotaIn(root: string): number {
  const groups = join(root, 'sys/fs/cgroup');
  const quotas = [quotaOf(`${textOf(groups, V1.quota)} ${textOf(groups, V1.period)}`)];
  // The one of each group holds for those below it.
  let group = /^0::(.*)$/m.exec(textOf(root, 'proc/self/cgroup'))?.[1] ?? '/';
  for (;;) {
    quotas.push(quotaOf(textOf(groups, join(group, 'cpu.max'))));
    if (group === dirname(group)) return Math.min(...quotas);
    group = dirname(group);
  }
}

/** A container of the first version sees its own group there. */
const V1 = { quota: 'cpu/cpu.cfs_quota_us', period: 'cpu/cpu.cfs_period_us' };

/** @param text microseconds, and of how many; "max" and -1 are no quota */
function quotaOf(text: string): number {
  const [quota = NaN, period = NaN] = text.trim().split(/\s+/).map(Number);
  return quota > 0 && period > 0 ? quota / period : Infinity;
}

/** Empty where the system has no such file. */
function textOf(...path: readonly string[]): string {
  try {
    return readFileSync(join(...path), 'utf8');
  } catch {
    return '';
  }
}

/**
 * @returns tells which part of the time of all processors was used since then, 0 to 1; undefined where the system does not tell,
 *   or tells only that others have some: where this process may use no more than a part of them
 */
export function busyShareFromNow(): () => number | undefined {
  const before = processorTimes();
  const areOurs = processorCount() >= cpus().length;
  return () => {
    const after = processorTimes();
    const [all, idle] = [after.all - before.all, after.idle - before.idle];
    const share = Math.min(1, Math.max(0, 1 - idle / all));
    return all > 0 && (areOurs || share >= FULL_SHARE) ? share : undefined;
  };
}

/** Of a time that was seen then, whoever judges it has to know. */
export const TOO_BUSY = 'the machine was too busy';

/**
 * For people: that the machine was too busy; undefined where it was not.
 *
 * @param during completes "was taken while …"
 */
export function tooBusy(share: number | undefined, during: string): string | undefined {
  if (share === undefined || share < FULL_SHARE) return undefined;
  return `${TOO_BUSY}: ${Math.floor(100 * share)} % of the time of its processors was taken while ${during}`;
}

/** Of all processors together, in ms since the machine was started. */
function processorTimes(): { all: number; idle: number } {
  const times = cpus().map((one) => one.times);
  const sum = (of: (one: (typeof times)[number]) => number): number =>
    times.reduce((total, one) => total + of(one), 0);
  return {
    all: sum(({ user, nice, sys, idle, irq }) => user + nice + sys + idle + irq),
    idle: sum(({ idle }) => idle),
  };
}
