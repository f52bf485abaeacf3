import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate } from 'node:timers/promises';

import { SuiteError } from '../base/errors';

/** A finding was asked for in {@link cachedOnly} that was never measured. */
export class NotMeasured extends SuiteError {}

const noWork = new AsyncLocalStorage<true>();

/**
 * Uses the cache only: within `read`, and all that it awaits, findings are those that were asked for before, also those
 * that are still being measured. All others are rejected with {@link NotMeasured}, and can still be asked for later.
 */
export function cachedOnly<T>(read: () => T): T {
  return noWork.run(true, read);
}

/** Findings that are measured when they are first asked for, and then cached. */
export class FindingCache {
  readonly #known = new Map<string, Promise<unknown>>();

  /** @throws NotMeasured (as a rejection) within {@link cachedOnly} */
  once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.#known.get(key) as Promise<T> | undefined;
    if (known) return known;
    if (noWork.getStore()) {
      return Promise.reject(
        new NotMeasured({
          ...{ what: 'no scenario has measured it', where: key, seen: 'nothing' },
          expected: 'a scenario of this run that asks for it',
        }),
      );
    }
    const result = work();
    this.#known.set(key, result);
    return result;
  }

  /** What has been measured so far; undefined where it was not, not yet, or could not be. */
  async measured<T>(key: string): Promise<T | undefined> {
    const known = this.#known.get(key) as Promise<T> | undefined;
    if (!known) return undefined;
    return Promise.race([known.catch(() => undefined), setImmediate(undefined)]);
  }
}
