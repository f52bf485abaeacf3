import { now } from '../base/clock';

/** What was seen, and when it was asked for and answered; milliseconds since the epoch. */
export interface Polled<T> {
  askedAt: number;
  at: number;
  value: T;
}

/** Polls, or returns what another poll has just seen. */
export type SharedPoll<T> = (options?: { fresh?: boolean }) => Promise<Polled<T>>;

/**
 * Lets many broadcasts share the polls of one service: within `maxAgeMs` of the start of a poll, others get its result.
 * `fresh` polls anew in any case.
 */
export function sharedPoll<T>(maxAgeMs: number, poll: () => Promise<T>): SharedPoll<T> {
  let latest: { begunAt: number; result: Promise<Polled<T>> } | undefined;
  return ({ fresh = false } = {}) => {
    const begunAt = now();
    if (latest && !fresh && begunAt - latest.begunAt < maxAgeMs) return latest.result;
    const result = poll().then((value) => ({ askedAt: begunAt, at: now(), value }));
    latest = { begunAt, result };
    return result;
  };
}
