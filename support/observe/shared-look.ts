import { now } from '../clock';

/** What was seen, and when; milliseconds since the epoch. */
export interface Looked<T> {
  at: number;
  value: T;
}

/** Looks, or hands out what somebody else has just seen. */
export type SharedLook<T> = (options?: { fresh?: boolean }) => Promise<Looked<T>>;

/**
 * Lets many broadcasts watch one service as one: who looks within `maxAgeMs` of somebody else's look gets that one.
 * `fresh` asks anew whatever was seen before.
 */
export function sharedLook<T>(maxAgeMs: number, look: () => Promise<T>): SharedLook<T> {
  let latest: { begunAt: number; result: Promise<Looked<T>> } | undefined;
  return ({ fresh = false } = {}) => {
    const begunAt = now();
    if (latest && !fresh && begunAt - latest.begunAt < maxAgeMs) return latest.result;
    const result = look().then((value) => ({ at: now(), value }));
    latest = { begunAt, result };
    return result;
  };
}
