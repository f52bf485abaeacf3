import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

import { watchMachine } from '../observe/machine';

/**
 * Broadcasts begin one after the other: each when the last one of the same services is being read (or is not after some time),
 * as media-service keeps few workers warm; and, whatever their services, not closer together than this, as each start costs
 * more than a second of a processor, which the others miss. In segments of six seconds no two of ten begin at the same
 * time then: 0, 2.6, 5.2, 1.8, 4.4, 1.0 …
 */
const READ_PATIENCE_MS = 3000;
const START_EVERY_MS = 2600;
/** Where the suite is kept waiting for a processor meanwhile, one more time, so often at most: those on the air are not to suffer. */
const MOST_LATER = 5;
/**
 * How many broadcasts may be dubbed at a time, by what they are. By the STS itself: recognition and a neural voice take one
 * processor for about as long as is spoken, all else another one for half of that. Of broadcasts that last, two on two processors
 * would make the STS slower than they are, and its queue longer to their end. Short ones have two fragments each, which may wait.
 * By the Echo STS: with ten on two processors, each is seen up to a second late.
 */
export const MOST_AT_ONCE = {
  shared: Math.max(1, availableParallelism() - 1),
  short: 2 * availableParallelism(),
  echo: 3 * availableParallelism(),
};

/** When broadcasts may begin, to whatever services. */
export class Starts {
  #next: Promise<unknown> = Promise.resolve();

  /**
   * @param signal after which nothing is waited for
   * @param watch tells when the suite is kept waiting
   */
  constructor(
    private readonly signal: AbortSignal,
    private readonly watch = watchMachine,
  ) {}

  /** Settles when the next one may begin. */
  turn(): Promise<unknown> {
    const turn = this.#next;
    this.#next = turn.then(() => this.#pause());
    return turn;
  }

  async #pause(): Promise<void> {
    for (let later = 0; later <= MOST_LATER; later += 1) {
      const seen = this.watch();
      await pause(START_EVERY_MS, this.signal);
      if (seen().waits.length === 0 || this.signal.aborted) return;
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // Nobody is waited for when nothing begins any more.
  await delay(ms, undefined, { ref: false, signal }).catch(() => undefined);
}

/** When each broadcast to the same services may begin. */
export class Schedule {
  #last: Promise<unknown> = Promise.resolve();
  readonly #dubbing = new Set<Promise<unknown>>();

  /**
   * @param signal after which no broadcast begins any more
   * @param maxStreams that are dubbed at the same time. Ten leave two cores time to spare, and all take hardly longer
   * @param starts of all broadcasts, to other services as well
   */
  constructor(
    private readonly signal: AbortSignal,
    private readonly maxStreams: number,
    private readonly starts = new Starts(signal),
  ) {}

  /**
   * Calls `broadcast` when its turn has come; it is being dubbed until it settles.
   *
   * @param broadcast is given what to call once it is being read
   * @param most that are dubbed at the same time as it, with it
   */
  take<T>(broadcast: (onIngested: () => void) => Promise<T>, most = this.maxStreams): Promise<T> {
    let isRead = (): void => undefined;
    const read = new Promise<void>((done) => (isRead = done));
    const begun = this.#last
      .then(() => this.#place(Math.min(most, this.maxStreams)))
      .then(() => this.starts.turn());
    this.#last = begun.then(() => Promise.race([read, pause(READ_PATIENCE_MS, this.signal)]));
    return begun.then(() => {
      this.signal.throwIfAborted();
      const seen = broadcast(isRead);
      const over: Promise<unknown> = Promise.allSettled([seen]).then(() =>
        this.#dubbing.delete(over),
      );
      this.#dubbing.add(over);
      return seen;
    });
  }

  async #place(most: number): Promise<void> {
    while (this.#dubbing.size >= most) await Promise.race(this.#dubbing);
  }
}
