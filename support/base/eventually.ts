import { setTimeout as delay } from 'node:timers/promises';

import { messageOf } from './errors';

/** What was waited for did not come in time; `cause` is the last error. */
export class NotInTime extends Error {
  constructor(what: string, withinMs: number, lastError: unknown) {
    super(`${what}: not within ${withinMs / 1000} s; last seen: ${messageOf(lastError)}`, {
      cause: lastError,
    });
    this.name = 'NotInTime';
  }
}

/**
 * Calls `attempt` until it does not throw, and returns what it returned.
 *
 * @param what completes the message "…: not within 10 s; last seen: …"
 * @param options.withinMs time limit; the last error is the cause of the NotInTime that is thrown
 * @param options.everyMs pause between two attempts
 * @param options.signal ends the waiting at once with its reason
 */
export async function eventually<T>(
  what: string,
  attempt: () => T | Promise<T>,
  options: { withinMs: number; everyMs?: number; signal?: AbortSignal },
): Promise<T> {
  const { withinMs, everyMs = 100, signal } = options;
  const deadline = performance.now() + withinMs;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() + everyMs > deadline) throw new NotInTime(what, withinMs, error);
    }
    await delay(everyMs, undefined, signal ? { signal } : {});
  }
}
