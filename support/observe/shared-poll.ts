import { now } from '../base/clock';

/** What was seen, and when; milliseconds since the epoch. */
export interface Polled<T> {
  at: number;
  value: T;
}

/** Looks, or hands out what somebody else has just seen. */
export type SharedPoll<T> = (options?: { fresh?: boolean }) => Promise<Polled<T>>;

/**
 * Lets many broadcasts watch one service as one: who looks within `maxAgeMs` of somebody else's look gets that one.
 * `fresh` asks anew whatever was seen before.
 */
export function sharedPoll<T>(maxAgeMs: number, look: () => Promise<T>): SharedPoll<T> {
  let latest: { begunAt: number; result: Promise<Polled<T>> } | undefined;
  return ({ fresh = false } = {}) => {
    const begunAt = now();
    if (latest && !fresh && begunAt - latest.begunAt < maxAgeMs) return latest.result;
    const result = look().then((value) => ({ at: now(), value }));
    latest = { begunAt, result };
    return result;
  };
}
