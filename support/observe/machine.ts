import { now } from '../base/clock';
import { busyShareFromNow } from '../base/processors';

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
  const busyShare = busyShareFromNow();
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
    return { waits, busyShare: busyShare() };
  };
}
