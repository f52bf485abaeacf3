import { setTimeout as delay } from 'node:timers/promises';

import { processorCount } from '../base/processors';
import { watchMachine } from '../observe/machine';

/**
 * Broadcasts begin one after the other: each when the last one of the same services is being read (or is not after some time),
 * as media-service keeps few workers warm; and, whatever their services, not closer together than this, as each start costs
 * more than a second of a processor, which the others miss. In segments of six seconds no two of ten begin at the same
 * time then: 0, 2.6, 5.2, 1.8, 4.4, 1.0 …
 */
const READ_PATIENCE_MS = 3000;
export const START_EVERY_MS = 2600;
/** Where the suite is kept waiting for a processor meanwhile, one more time, so often at most: those on the air are not to suffer. */
const MOST_LATER = 5;
/** What sums of shares of a processor may be off by. */
const EPSILON = 1e-9;

/** What a broadcast takes of what there is. */
export interface Shares {
  /** In the mean, of all its services and of the suite. */
  processors: number;
  /** Of the services that dub it, 0 to 1: with 1, they dub no other one meanwhile. */
  share: number;
}

/** What a broadcast takes while it is being dubbed. */
export interface Load extends Shares {
  /** The services that dub it. */
  set: string;
  /** From the end of its publisher until that of its output. */
  tail: Shares;
  /** Of all but the last of a block, whose broadcasts are to be on the air at the same time: within so much after it the next one begins. */
  nextWithinMs?: number;
}

/** What a broadcast takes now. */
export interface OnAir extends Shares {
  set: string;
  /** It is published to its end: what it takes of its services is free soon. */
  isEnding: boolean;
}

function taken(load: Load, isEnding: boolean): OnAir {
  const { processors, share } = isEnding ? load.tail : load;
  return { processors, share, set: load.set, isEnding };
}

/** A broadcast that has not begun. */
export interface Waiting {
  load: Load;
  /** Whether its services run. What it takes of the processors is kept for it before they do. */
  isReady: boolean;
}

/**
 * The first one that may begin, in the order in which they are given. Of those that take a processor, none begins before one that is
 * ready and wants more than is free, as it would never get that. Whose services are taken are passed by others; while these are being
 * given back, by those that leave it its processors.
 *
 * @param onAir what those take that are being dubbed
 */
export function nextOf<One extends Waiting>(
  waiting: readonly One[],
  onAir: readonly OnAir[],
  processors: number,
): One | undefined {
  let free = processors - sum(onAir.map((one) => one.processors));
  let isAny = onAir.length > 0;
  const shares = new Map<string, number>();
  for (const { set, share } of onAir) shares.set(set, (shares.get(set) ?? 0) + share);
  /** Services that are not free soon, or for which one waits already. */
  const lasting = new Set(onAir.flatMap(({ set, isEnding }) => (isEnding ? [] : [set])));
  for (const one of waiting) {
    const { load, isReady } = one;
    const share = (shares.get(load.set) ?? 0) + load.share;
    // What is behind it waits for it: services are not taken in another order.
    shares.set(load.set, share);
    if (share > 1 + EPSILON) {
      if (!lasting.has(load.set)) free -= load.processors;
      lasting.add(load.set);
      continue;
    }
    const fits = load.processors <= free + EPSILON || !isAny;
    if (isReady && fits) return one;
    // Nothing is left but for those of a block whose first one is on the air: they take nothing of what this one waits for.
    free = isReady ? 0 : free - load.processors;
    isAny = true;
    if (!isReady) continue;
    shares.set(load.set, Infinity);
    lasting.add(load.set);
  }
  return undefined;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

/** When broadcasts may begin, to whatever services. */
export class Starts {
  #next: Promise<unknown> = Promise.resolve();
  everyMs = START_EVERY_MS;

  /**
   * @param signal after which nothing is waited for
   * @param watch tells when the suite is kept waiting
   */
  constructor(
    private readonly signal: AbortSignal,
    private readonly watch = watchMachine,
  ) {}

  /**
   * Settles when the next one may begin: in the order in which they ask, so that no other one begins between those of a block.
   *
   * @param ready settles when its services have taken the last one
   * @param nextWithinMs after it the next one begins, however long the suite is kept waiting
   */
  turn(ready: Promise<unknown>, nextWithinMs = Infinity): Promise<unknown> {
    const turn = this.#next.then(() => ready);
    this.#next = turn.then(() => this.#pause(nextWithinMs));
    return turn;
  }

  async #pause(mostMs: number): Promise<void> {
    let left = mostMs;
    for (let later = 0; later <= MOST_LATER && left > 0; later += 1) {
      const seen = this.watch();
      const ms = Math.min(this.everyMs, left);
      left -= ms;
      await pause(ms, this.signal);
      if (seen().waits.length === 0 || this.signal.aborted) return;
    }
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // Nobody is waited for when nothing begins any more.
  await delay(ms, undefined, { ref: false, signal }).catch(() => undefined);
}

/** A broadcast of the schedule that has not begun. */
interface Entry extends Waiting {
  begin: () => void;
  fail: (error: unknown) => void;
}

/** What a broadcast tells the schedule. */
export interface OnTheAir {
  onIngested: () => void;
  onPublished: () => void;
}

/** When each broadcast of a session begins: in their order, as soon as services and processors have room for it. */
export class Schedule {
  /** By services: until when the next broadcast to them does not begin. */
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #waiting: Entry[] = [];
  readonly #onAir = new Map<Load, OnAir>();

  /**
   * @param signal after which no broadcast begins any more
   * @param processors that broadcasts may take in the mean
   * @param starts of all of them
   */
  constructor(
    private readonly signal: AbortSignal,
    private processors = processorCount(),
    private readonly starts = new Starts(signal),
  ) {
    signal.addEventListener('abort', () => {
      for (const { fail } of this.#waiting.splice(0)) fail(signal.reason);
    });
  }

  /** What there is for broadcasts, once it is known by what they are dubbed. */
  fit({ processors, startEveryMs }: { processors: number; startEveryMs: number }): void {
    this.processors = processors;
    this.starts.everyMs = startEveryMs;
  }

  /**
   * Calls `broadcast` when its turn has come; it is being dubbed until that settles.
   *
   * @param ready settles when its services run; rejects where they do not
   * @param broadcast is given what `ready` came to, and what to call once it is being read, and published to its end
   * @param isUrgent a scenario waits for it that others wait for: it comes before those that have no room yet
   */
  async take<Ready, T>(
    load: Load,
    ready: Promise<Ready>,
    broadcast: (ready: Ready, on: OnTheAir) => Promise<T>,
    isUrgent = false,
  ): Promise<T> {
    // Whoever is refused its turn does not wait for them.
    ready.catch(() => undefined);
    const turn = this.#turnOf(load, ready, isUrgent);
    const [services] = await Promise.all([ready, turn]);
    try {
      return await this.#onTheAir(load, services, broadcast);
    } finally {
      this.#onAir.delete(load);
      this.#beginSome();
    }
  }

  /** Settles when it may begin; never where its services do not start. */
  #turnOf(load: Load, ready: Promise<unknown>, isUrgent: boolean): Promise<void> {
    this.signal.throwIfAborted();
    return new Promise((begin, fail) => {
      const entry: Entry = { load, isReady: false, begin, fail };
      if (isUrgent) this.#waiting.unshift(entry);
      else this.#waiting.push(entry);
      const settled = ready.then(
        () => (entry.isReady = true),
        () => this.#remove(entry),
      );
      void settled.then(() => this.#beginSome());
    });
  }

  #remove(entry: Entry): void {
    const at = this.#waiting.indexOf(entry);
    if (at >= 0) this.#waiting.splice(at, 1);
  }

  #beginSome(): void {
    for (;;) {
      const next = nextOf(this.#waiting, [...this.#onAir.values()], this.processors);
      if (!next) return;
      this.#remove(next);
      this.#onAir.set(next.load, taken(next.load, false));
      next.begin();
    }
  }

  async #onTheAir<Ready, T>(
    load: Load,
    ready: Ready,
    broadcast: (ready: Ready, on: OnTheAir) => Promise<T>,
  ): Promise<T> {
    let isRead = (): void => undefined;
    const read = new Promise<void>((done) => (isRead = done));
    const { set, nextWithinMs } = load;
    const begun = this.starts.turn(this.#last.get(set) ?? Promise.resolve(), nextWithinMs);
    this.#last.set(
      set,
      begun.then(() => Promise.race([read, pause(READ_PATIENCE_MS, this.signal)])),
    );
    await begun;
    this.signal.throwIfAborted();
    const onPublished = (): void => {
      // Its publisher may end after a broadcast that has failed: that takes nothing any more.
      if (!this.#onAir.has(load)) return;
      this.#onAir.set(load, taken(load, true));
      this.#beginSome();
    };
    return broadcast(ready, { onIngested: isRead, onPublished });
  }
}

/**
 * When broadcasts of the schedule begin and end, in seconds after the first, if all services run.
 *
 * @param broadcasts of so many seconds, the last of them after they are published
 */
export function forecast(
  broadcasts: readonly { load: Load; seconds: number; tailSeconds: number }[],
  processors: number,
  startEveryMs = START_EVERY_MS,
): { begins: number; ends: number }[] {
  const found = broadcasts.map(() => ({ begins: 0, ends: 0 }));
  const waiting = broadcasts.map((one, index) => ({ ...one, isReady: true, index }));
  let onAir: { load: Load; published: number; ends: number }[] = [];
  let now = 0;
  let nextStart = 0;
  for (;;) {
    const takenNow = onAir.map(({ load, published }) => taken(load, published <= now));
    const next = nextOf(waiting, takenNow, processors);
    if (next) {
      const begins = Math.max(now, nextStart);
      nextStart = begins + startEveryMs / 1000;
      const { load, seconds, tailSeconds, index } = next;
      const ends = begins + seconds;
      found[index] = { begins, ends };
      onAir.push({ load, published: ends - tailSeconds, ends });
      waiting.splice(waiting.indexOf(next), 1);
      continue;
    }
    const later = onAir
      .flatMap(({ published, ends }) => [published, ends])
      .filter((at) => at > now);
    if (later.length === 0) return found;
    now = Math.min(...later);
    onAir = onAir.filter(({ ends }) => ends > now);
  }
}
