import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { processorCount } from '../base/processors';

const WINDOW_MS = 40;
/** The best counts: whatever ends or starts meanwhile, as the engine, makes the others worse. */
const WINDOWS = 5;
const BYTES = 16_384;
/** Threads that have not begun, or ended, by then: the processors are as slow as can be. */
const PATIENCE_MS = 2000;
/** Where the threads count, in what they share. */
const INDEX = { ready: 0, begun: 1, ended: 2, hashes: 3 };
/** What threads that are ready are told. */
const [COUNT, GIVE_UP] = [1, 2];
/**
 * What a processor does that is one of two threads of a core, while both work: such two were what loads of broadcasts were measured on.
 * Two that are cores of their own did 58, and of a run with host processes 434 s of processor time where those had 646 to 960 s.
 */
const HASHES_PER_MS = 34;
/** Nothing faster was tried. What is slower than the least is rounded down to hundredths: others have most of the processors. */
const SPEEDS = { least: 0.5, most: 1.5 };
/** Of all processors together: with less, nothing is dubbed as fast as it is spoken. */
const LEAST_OF_ALL = 1;
/** The machine may be slower a minute later: rounded down, from so much of a step on up, as those by which loads were measured differ too. */
const STEP = 0.25;
const UP_FROM = 0.6;
/**
 * Above 1, rounded down to these: processors of 37 to 45 hashes took as much time for a run as those with 34. With what 1.25 gives, two
 * broadcasts of the STS itself at the same time, an answer took 17 s of 15.
 */
const STEP_ABOVE = 0.5;

/**
 * SHA-512 of 16 KiB, so often in a millisecond by each processor while all work at the same time, in the best 40 of 200 ms; 0 where they
 * were too slow for it.
 */
export function hashesPerMs(processors = processorCount()): number {
  const shared = new SharedArrayBuffer((INDEX.hashes + WINDOWS) * Int32Array.BYTES_PER_ELEMENT);
  const numbers = new Int32Array(shared);
  const workerData = {
    shared,
    index: INDEX,
    giveUp: GIVE_UP,
    bytes: BYTES,
    milliseconds: WINDOW_MS,
    windows: WINDOWS,
  };
  const file = join(__dirname, 'speed-worker.cjs');
  const threads = Array.from({ length: processors }, () => new Worker(file, { workerData }));
  // With one that cannot be started there is no telling: they count as slow.
  for (const thread of threads) thread.on('error', () => undefined).unref();
  const areAll = (index: number): boolean => {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const count = Atomics.load(numbers, index);
      const patience = deadline - performance.now();
      if (count === processors || patience <= 0) return count === processors;
      Atomics.wait(numbers, index, count, patience);
    }
  };
  const areReady = areAll(INDEX.ready);
  Atomics.store(numbers, INDEX.begun, areReady ? COUNT : GIVE_UP);
  Atomics.notify(numbers, INDEX.begun);
  if (!areReady || !areAll(INDEX.ended)) return 0;
  return Math.max(...numbers.subarray(INDEX.hashes)) / processors / WINDOW_MS;
}

/**
 * How fast each processor is, where 1 is those that loads of broadcasts were measured on: 0.5 to 1 in steps of a quarter, or 1.5; or less, of
 * so many that others have most of them.
 */
export function speedOf(rate: number, processors = processorCount()): number {
  const measured = rate / HASHES_PER_MS;
  if (measured < SPEEDS.least) {
    const least = Math.min(SPEEDS.least, LEAST_OF_ALL / processors);
    return Math.max(Math.ceil(100 * least), Math.floor(100 * measured)) / 100;
  }
  if (measured < 1) return STEP * Math.floor(measured / STEP + 1 - UP_FROM);
  return Math.min(SPEEDS.most, STEP_ABOVE * Math.floor(measured / STEP_ABOVE));
}

let speed: number | undefined;

/** That of this machine, measured once: before anything is started that takes processors. It takes 0.25 s, in which nothing else goes on. */
export function processorSpeed(): number {
  return (speed ??= speedOf(hashesPerMs()));
}

/** The same, without measuring it; undefined where nothing needed it. */
export function measuredSpeed(): number | undefined {
  return speed;
}
