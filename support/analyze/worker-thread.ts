import { join } from 'node:path';

import { Piscina } from 'piscina';

import type { heavyWork } from './worker-tasks';

type HeavyWork = typeof heavyWork;

/** Idle for so long, the thread gives its memory back. */
const IDLE_MS = 10_000;

let thread: Piscina | undefined;

/**
 * Does heavy work in a thread of its own. The tap and the samplers live in this one: while it is busy, messages and looks
 * wait, and what is on the air at the same time seems slower than it is.
 *
 * @param args copied to the thread
 */
export async function inWorkerThread<Name extends keyof HeavyWork>(
  name: Name,
  ...args: Parameters<HeavyWork[Name]>
): Promise<Awaited<ReturnType<HeavyWork[Name]>>> {
  thread ??= new Piscina({
    filename: join(__dirname, 'worker-thread-entry.cjs'),
    ...{ minThreads: 0, maxThreads: 1, idleTimeout: IDLE_MS },
    // What this process was told to load first is loaded by the thread's own file.
    execArgv: [],
  });
  return (await thread.run({ name, args })) as Awaited<ReturnType<HeavyWork[Name]>>;
}
