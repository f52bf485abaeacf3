import { AsyncLocalStorage } from 'node:async_hooks';

import { SuiteError } from '../base/errors';

/** A finding was asked for without work, and nobody has worked it out. */
export class NotMeasured extends SuiteError {}

const noWork = new AsyncLocalStorage<true>();

/**
 * Looks at what is known: within `look`, and all that it awaits, findings are those that were asked for before, also those
 * that are still being worked out. All others are rejected with {@link NotMeasured}, and can still be asked for later.
 */
export function cachedOnly<T>(look: () => T): T {
  return noWork.run(true, look);
}

/** Findings that are worked out when they are first asked for, and then remembered. */
export class FindingCache {
  readonly #known = new Map<string, Promise<unknown>>();

  /** @throws NotLookedAt (as a rejection) within {@link cachedOnly} */
  once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.#known.get(key) as Promise<T> | undefined;
    if (known) return known;
    if (noWork.getStore()) {
      return Promise.reject(
        new NotMeasured({
          ...{ what: 'no scenario looked at it', where: key, seen: 'nothing' },
          expected: 'a finding that was asked for before',
        }),
      );
    }
    const result = work();
    this.#known.set(key, result);
    return result;
  }
}
