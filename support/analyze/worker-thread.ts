import { getPriority } from 'node:os';
import { join } from 'node:path';

import { Piscina } from 'piscina';

import { measuringPriority } from '../platform/priority';
import { cached } from './answer-cache';
import type { heavyWork } from './worker-tasks';

type HeavyWork = typeof heavyWork;

/** After this long without work the thread ends and gives its memory back. */
const IDLE_MS = 10_000;

/** Of garbage, and arrays that belong to it, a multiple of this is left lying; by default it is 48. */
const YOUNG_MB = 12;

let thread: { pool: Piscina; priority: number } | undefined;

/** A thread may not come before what it came after: when its priority is another one, there is a new one, and the old one ends with its work. */
function threadNow(): Piscina {
  const priority = measuringPriority();
  if (thread?.priority === priority) return thread.pool;
  const pool = new Piscina({
    filename: join(__dirname, 'worker-thread-entry.cjs'),
    ...{ minThreads: 0, maxThreads: 1, idleTimeout: IDLE_MS },
    niceIncrement: priority - getPriority(),
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    // Modules that this process was told to load first are loaded by the thread's own file.
    execArgv: [],
  });
  thread = { pool, priority };
  return pool;
}

/**
 * Does heavy work in a worker thread. The tap and the samplers live in the main thread: while that is busy, messages and
 * polls wait, and broadcasts that go on meanwhile seem slower than they are.
 *
 * @param args are copied to the thread, except for what is in shared memory or in a scratch file
 */
export function inWorkerThread<Name extends keyof HeavyWork>(
  name: Name,
  ...args: Parameters<HeavyWork[Name]>
): Promise<Awaited<ReturnType<HeavyWork[Name]>>> {
  return cached([name, args], () => work(name, args));
}

async function work<Name extends keyof HeavyWork>(
  name: Name,
  args: Parameters<HeavyWork[Name]>,
): Promise<Awaited<ReturnType<HeavyWork[Name]>>> {
  return threadNow().run({ name, args }) as Promise<Awaited<ReturnType<HeavyWork[Name]>>>;
}
