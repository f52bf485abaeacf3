import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { SessionLeader } from '../base/own-session';

/** How a program has ended. */
export interface Ended {
  /** Null where it was not started, or a signal has ended it. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** Why it was not started. */
  problem: string | undefined;
  stdout: string;
  stderr: string;
}

let thread: Worker | undefined;
/** Who waits for which end. */
const waiting = new Map<number, (ended: Ended) => void>();
let last = 0;

/**
 * Runs a program from a thread of its own. While Node starts one it does nothing else: beside broadcasts on two processors that
 * takes 20 ms, and up to 0.3 s, for each of hundreds of docker commands; the tap lives in the main thread.
 *
 * @param env all its environment variables
 * @param signal has it killed, with the process group that it leads
 */
export function runInThread(
  { program, args, detached }: SessionLeader,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Ended> {
  const worker = (thread ??= startThread());
  const id = (last += 1);
  return new Promise((done) => {
    const kill = (): void => worker.postMessage({ id, isKilled: true });
    waiting.set(id, (ended) => {
      signal.removeEventListener('abort', kill);
      done(ended);
    });
    worker.ref();
    signal.addEventListener('abort', kill);
    worker.postMessage({ id, program, args, detached, env });
  });
}

function startThread(): Worker {
  const worker = new Worker(join(__dirname, 'docker-thread-entry.cjs'), {
    // Modules that this process was told to load first are of no use there.
    execArgv: [],
    resourceLimits: { maxYoungGenerationSizeMb: 2 },
  });
  worker.on('message', ({ id, ...ended }: Ended & { id: number }) => {
    waiting.get(id)?.(ended);
    waiting.delete(id);
    // Where no command runs, the thread does not keep the process.
    if (waiting.size === 0) worker.unref();
  });
  return worker;
}
