import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

import { now } from '../base/clock';
import {
  ASIDE_PRIORITY,
  prioritizeSession,
  servicePriority,
  yieldToServices,
} from '../platform/priority';
import { groupGone, processesWith, signalGroup } from '../platform/processes';
import { RUN_VARIABLE, type SessionState } from './session-state';

/** A program that runs in a process group of its own. */
export interface ProcessGroup {
  name: string;
  /** Process id of the leader, which is the id of the group. */
  pid: number;
  child: ChildProcess;
  /** Milliseconds since the epoch. */
  startedAt: number;
  /** How the leader ended; undefined while it runs. */
  ended: { code: number | null; signal: NodeJS.Signals | null } | undefined;
  /** Resolves when the leader has ended. */
  end: Promise<void>;
}

/**
 * Starts a program in a process group of its own, its output appended to `logFile`.
 * The group is written to the session's state file and carries the session's id in its environment, so that a later
 * run can remove what a killed one left.
 *
 * @throws Error when the program cannot be started (ENOENT …)
 */
export async function startGroup(
  state: SessionState,
  options: {
    name: string;
    command: readonly string[];
    cwd: string;
    environment: NodeJS.ProcessEnv;
    logFile: string;
    /** As UpOptions. */
    isAside: boolean;
  },
): Promise<ProcessGroup> {
  const [program = '', ...args] = options.command;
  const log = openSync(options.logFile, 'a');
  try {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...state.environment, ...options.environment },
      detached: true,
      stdio: ['ignore', log, log],
    });
    await new Promise<void>((started, failed) => {
      child.once('spawn', started).once('error', failed);
    });
    const pid = child.pid ?? 0;
    if (options.isAside) yieldToServices(pid, ASIDE_PRIORITY);
    prioritizeSession(pid, servicePriority(options.isAside));
    const group: ProcessGroup = {
      name: options.name,
      pid,
      child,
      startedAt: now(),
      ended: undefined,
      end: new Promise((done) => {
        child.once('exit', (code, signal) => {
          group.ended = { code, signal };
          done();
        });
      }),
    };
    state.addGroup(pid, options.name);
    return group;
  } finally {
    closeSync(log);
  }
}

/**
 * Ends a group: SIGTERM, and SIGKILL for what is left after `graceMs`.
 *
 * @returns whether SIGTERM was enough
 */
export async function stopGroup(
  state: SessionState,
  group: ProcessGroup,
  graceMs: number,
): Promise<boolean> {
  // When the leader has ended, the group may be gone and its id reused.
  const isOurs =
    !group.ended ||
    processesWith(RUN_VARIABLE, (run) => run === state.run).some((one) => one.group === group.pid);
  let gone = true;
  if (isOurs) {
    signalGroup(group.pid, 'SIGTERM');
    // A paused process would not handle the signal.
    signalGroup(group.pid, 'SIGCONT');
    gone = await groupGone(group.pid, graceMs);
  }
  if (!gone) {
    signalGroup(group.pid, 'SIGKILL');
    await groupGone(group.pid, 5000);
  }
  await group.end;
  state.removeGroup(group.pid);
  return gone;
}
