import { cpus } from 'node:os';

import { now } from '../base/clock';

/** A time in which this process could do nothing: `at` is milliseconds since the epoch. */
export interface Wait {
  at: number;
  ms: number;
}

/** How busy the machine of the suite was. */
export interface SeenOfMachine {
  waits: Wait[];
  /** Which part of the time of all processors was used, 0 to 1; undefined where the system does not tell. */
  busyShare: number | undefined;
}

const EVERY_MS = 50;
/** Shorter ones come all the time, as the process loads code or collects garbage. */
const LEAST_MS = 250;

/**
 * Notes when this process is kept waiting for a processor, or by itself: what it notes then of the services, it notes late.
 *
 * @returns what ends it, and tells what was seen so far
 */
export function watchMachine(): () => SeenOfMachine {
  const waits: Wait[] = [];
  const before = processorTimes();
  let last = now();
  const look = (): void => {
    const ms = now() - last - EVERY_MS;
    if (ms >= LEAST_MS) waits.push({ at: last + EVERY_MS, ms });
    last = now();
  };
  const timer = setInterval(look, EVERY_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    look();
    const after = processorTimes();
    const [all, idle] = [after.all - before.all, after.idle - before.idle];
    return { waits, busyShare: all > 0 ? Math.min(1, Math.max(0, 1 - idle / all)) : undefined };
  };
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
