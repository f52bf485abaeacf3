import type { Writable } from 'node:stream';

import { execa } from 'execa';

import { messageOf } from '../base/errors';
import type { Track } from '../base/track';
import { inSessionOfItsOwn } from '../base/own-session';
import type { Doorway } from './rtsp-relay';

/** How an ffmpeg has ended. */
export interface ClientEnd {
  /** Null where a signal has ended it. */
  exitCode: number | null;
  stdout: string;
  /** What it has said, or why it was not started; empty where the suite has stopped it. */
  stderr: string;
}

/** An ffmpeg that publishes to a media server, or reads from it; `end` never rejects. */
export interface MediaClient {
  end: Promise<ClientEnd>;
  kill: (signal: 'SIGTERM' | 'SIGKILL') => void;
}

/**
 * Starts ffmpeg.
 *
 * @param name of the process, for whoever has to remove it
 * @param argumentsFor its arguments, by the address
 * @param feed writes what it reads from its standard input; without it there is none
 */
export function startClient(
  name: string,
  doorway: Doorway | Promise<Doorway>,
  argumentsFor: (url: string) => readonly string[] | Promise<readonly string[]>,
  track: Track,
  feed?: (stdin: Writable) => void,
): MediaClient {
  let killedBy: 'SIGTERM' | 'SIGKILL' | undefined;
  let isStopped = false;
  let kill = (signal: 'SIGTERM' | 'SIGKILL'): void => void (killedBy = signal);
  const run = async (): Promise<ClientEnd> => {
    const { url, close, passed, problem } = await doorway;
    const args = await argumentsFor(url);
    const leader = inSessionOfItsOwn({
      program: 'ffmpeg',
      args: ['-hide_banner', '-nostdin', '-loglevel', 'error', ...args],
    });
    const child = execa(leader.program, leader.args, {
      ...{ reject: false, stdin: feed ? 'pipe' : 'ignore' },
      ...{ detached: leader.detached, cleanup: false },
    });
    // Where it has ended, its exit code says so.
    child.stdin?.on('error', () => undefined);
    if (child.stdin) feed?.(child.stdin);
    const ended = track(name, child.pid);
    kill = (signal) => void (isStopped = child.kill(signal) || isStopped);
    if (killedBy) kill(killedBy);
    const { exitCode, stdout, stderr, message = '' } = await child;
    ended();
    if (exitCode === 0 && !isStopped) await passed?.();
    close();
    const said = `${stderr.trim()}\n${problem?.() ?? ''}`.trim();
    // A signal that the suite itself has sent is no error.
    const isQuiet = isStopped || exitCode === 0;
    return { exitCode: exitCode ?? null, stdout, stderr: said || (isQuiet ? '' : message) };
  };
  const end = run().catch((error: unknown) => {
    return { exitCode: null, stdout: '', stderr: messageOf(error) };
  });
  return { end, kill: (signal) => kill(signal) };
}
