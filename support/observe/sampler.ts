import { setTimeout as delay } from 'node:timers/promises';

import { messageOf } from '../base/errors';

/** A poll that is repeated until it is stopped. */
export interface Sampler {
  /** Ends the sampling after the poll that is under way. */
  stop(): Promise<void>;
  /** Why the last poll failed; undefined when it did not. */
  lastError(): string | undefined;
  /** How many polls there were, how many of them failed, and why the last of those did. */
  readonly failures: { polls: number; failed: number; lastReason: string };
}

/**
 * Calls `poll` again and again. A poll that fails is not an error here: what was never seen is missing from the
 * evidence, and `lastError` says why.
 *
 * @param everyMs pause between two polls; may change while sampling
 */
export function sample(everyMs: () => number, poll: () => Promise<void>): Sampler {
  const stopping = new AbortController();
  let lastError: string | undefined;
  const failures = { polls: 0, failed: 0, lastReason: '' };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      failures.polls += 1;
      try {
        await poll();
        lastError = undefined;
      } catch (error) {
        lastError = messageOf(error);
        failures.failed += 1;
        failures.lastReason = lastError;
      }
      await delay(everyMs(), undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const ended = loop();
  return {
    stop: async () => {
      stopping.abort();
      await ended;
    },
    lastError: () => lastError,
    failures,
  };
}
