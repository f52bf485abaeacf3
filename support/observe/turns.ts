import { setTimeout as delay } from 'node:timers/promises';

/**
 * Broadcasts begin one after the other: each when the last one is being read (or is not after some time), as
 * media-service keeps few workers warm, and not closer together than this. In segments of six
 * seconds no two of ten begin at the same time then: 0, 2.6, 5.2, 1.8, 4.4, 1.0 …
 */
const READ_PATIENCE_MS = 3000;
const START_EVERY_MS = 2600;
/** So many on the air at once leave two cores time to spare, and all take hardly longer: the longest begin first. */
const MOST_ON_AIR = 10;

/** When each broadcast to the same services may begin. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();
  readonly #onAir = new Set<Promise<unknown>>();

  /**
   * Calls `broadcast` when its turn has come; it is on the air until it settles.
   *
   * @param broadcast is given what to call once it is being read
   */
  take<T>(broadcast: (onIngested: () => void) => Promise<T>): Promise<T> {
    let isRead = (): void => undefined;
    const read = new Promise<void>((done) => (isRead = done));
    const begun = this.#last.then(() => this.#place());
    this.#last = begun.then(() =>
      Promise.all([
        delay(START_EVERY_MS, undefined, { ref: false }),
        Promise.race([read, delay(READ_PATIENCE_MS, undefined, { ref: false })]),
      ]),
    );
    return begun.then(() => {
      const seen = broadcast(isRead);
      const over: Promise<unknown> = Promise.allSettled([seen]).then(() =>
        this.#onAir.delete(over),
      );
      this.#onAir.add(over);
      return seen;
    });
  }

  async #place(): Promise<void> {
    while (this.#onAir.size >= MOST_ON_AIR) await Promise.race(this.#onAir);
  }
}
