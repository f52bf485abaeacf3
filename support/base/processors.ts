import { cpus } from 'node:os';

/** Above it, what a service does may be late only because no processor was free. */
const FULL_SHARE = 0.95;

/**
 * @returns tells which part of the time of all processors was used since then, 0 to 1; undefined where the system does not tell
 */
export function busyShareFromNow(): () => number | undefined {
  const before = processorTimes();
  return () => {
    const after = processorTimes();
    const [all, idle] = [after.all - before.all, after.idle - before.idle];
    return all > 0 ? Math.min(1, Math.max(0, 1 - idle / all)) : undefined;
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
