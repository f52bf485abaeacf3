import { mkdirSync } from 'node:fs';
import { constants } from 'node:os';

import { messageOf } from '../base/errors';
import type { Config } from '../config';
import { waitersAsText, waitersOf, watchWaiters } from '../environment/waiting';
import { waitingFor } from '../report/progress';
import { judgeUnasked } from './default-verdicts';
import { Session, type SessionRecord } from './session';

/** A signal to a whole group reaches this process twice, once from whoever waits for it: both are one. */
const ONE_SIGNAL_MS = 500;
/** Stopping takes 1 to 12 s; what has not stopped by then is killed. */
const CLOSE_MS = 60_000;
const WAITERS_EVERY_MS = 500;

let session: Session | undefined;
let record: SessionRecord | undefined;

/** The session of this process; made on first use. */
export function openSession(config: () => Config): Session {
  if (session) return session;
  const opened = new Session(config());
  session = opened;
  mkdirSync(opened.config.reportsFolder, { recursive: true });
  closeOnSignals(opened);
  return opened;
}

/**
 * Stops what was started, and judges what no scenario has judged for the pages.
 *
 * @throws whatever could not be stopped or removed
 */
export async function closeSession(): Promise<void> {
  const opened = session;
  if (!opened) return;
  const problems: string[] = [];
  try {
    await waitingFor('the services to stop', () => opened.close());
  } catch (error) {
    problems.push(messageOf(error));
    throw error;
  } finally {
    record = await opened.record(problems);
    problems.push(...(await judgeUnasked(record.broadcasts, opened.config.reportsFolder)));
    session = undefined;
  }
}

/** What the session left; undefined while it is open, and where no scenario needed one. */
export function closedSession(): SessionRecord | undefined {
  return record;
}

/**
 * cucumber-js handles no signal: the first one stops the services in order, the second kills them. The same happens when
 * nobody reads any more what is printed, or whoever waits for this process is gone.
 */
function closeOnSignals(opened: Session): void {
  let closingSince: number | undefined;
  const end = (exitCode: number): never => {
    opened.kill();
    process.exit(exitCode);
  };
  const close = (why: string, exitCode: number): void => {
    if (closingSince !== undefined) return;
    closingSince = performance.now();
    console.error(`\n${why}: stopping the services …`);
    setTimeout(() => end(exitCode), CLOSE_MS);
    opened.close().then(
      () => process.exit(exitCode),
      (error: unknown) => {
        console.error(messageOf(error));
        end(exitCode);
      },
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const exitCode = 128 + constants.signals[signal];
    process.on(signal, () => {
      const isSecond =
        closingSince !== undefined && performance.now() - closingSince > ONE_SIGNAL_MS;
      if (isSecond) end(exitCode);
      close(signal, exitCode);
    });
  }
  // The other end of the pipe, or the terminal, is gone. Without a listener the next line printed would be fatal.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => close(messageOf(error), 1));
  }
  const goneWaiter = watchWaiters(opened.config.waiters ?? waitersAsText(waitersOf(process.pid)));
  setInterval(() => {
    const gone = goneWaiter();
    if (gone !== undefined) close(`process ${gone}, which waits for this one, is gone`, 1);
  }, WAITERS_EVERY_MS).unref();
  process.on('exit', () => opened.kill());
}
