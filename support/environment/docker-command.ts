import { execa } from 'execa';

import { type Problem, SuiteError } from '../base/errors';
import type { Variables } from '../base/interpolate';
import { inSessionOfItsOwn } from '../base/own-session';
import { signalGroup } from '../platform/processes';
import type { SessionState } from './session-state';

const LAST_LINES = 15;

/** What a docker command printed. */
export interface DockerOutput {
  stdout: string;
  stderr: string;
}

export interface DockerOptions {
  /** All environment variables of the command. */
  environment: Variables;
  /** Ends the command and everything it has started. */
  signal?: AbortSignal;
  withinMs?: number;
  /** Its id, which the command carries: what is left of it is found by that. */
  state: Pick<SessionState, 'environment'>;
}

/** A docker command ended with an error. */
export class DockerFailed extends SuiteError {
  constructor(
    problem: Problem,
    /** What it wrote to its standard error. */
    readonly stderr: string,
  ) {
    super(problem);
  }
}

/**
 * Runs `docker …` and checks that it succeeds.
 *
 * Docker starts its plug-ins (`docker compose`) as children that outlive it, so the command gets a process group of its
 * own, and the whole group is killed when `signal` or the time limit ends it.
 *
 * @throws DockerFailed with the command, how it ended and the last lines of its output
 */
export async function docker(
  args: readonly string[],
  options: DockerOptions,
): Promise<DockerOutput> {
  const { environment, state, withinMs = 60_000 } = options;
  const timeUp = AbortSignal.timeout(withinMs);
  const signal = AbortSignal.any([timeUp, ...(options.signal ? [options.signal] : [])]);
  signal.throwIfAborted();
  const env = { ...environment, ...state.environment };
  const leader = inSessionOfItsOwn({ program: 'docker', args: [...args] }, env.PATH ?? '');
  const child = execa(leader.program, leader.args, {
    ...{ env, extendEnv: false, reject: false, stdin: 'ignore' },
    ...{ detached: leader.detached, cleanup: false },
  });
  const kill = (): void => {
    child.kill('SIGKILL');
    if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
  };
  signal.addEventListener('abort', kill);
  const result = await child;
  signal.removeEventListener('abort', kill);
  if (!result.failed) return { stdout: result.stdout, stderr: result.stderr };
  if (options.signal?.aborted) throw options.signal.reason;
  const how = timeUp.aborted
    ? `no end within ${withinMs / 1000} s`
    : result.exitCode === undefined
      ? result.shortMessage
      : `exit code ${result.exitCode}`;
  const lines = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-LAST_LINES);
  throw new DockerFailed(
    {
      what: 'a docker command failed',
      where: `docker ${args.join(' ')}`,
      seen: [how, ...lines].join('\n    '),
      expected: 'exit code 0',
      next: 'run the command by hand; `docker info` tells whether the engine answers',
    },
    result.exitCode === undefined ? '' : result.stderr,
  );
}
