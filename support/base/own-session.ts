import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where there is one (Linux); what a session shares with others is no question elsewhere. */
const SETSID = ['/usr/bin/setsid', '/bin/setsid'].find(
  (path) => process.platform === 'linux' && existsSync(path),
);

/** How a program is started that is to lead a session of its own. */
export interface SessionLeader {
  program: string;
  args: string[];
  /** Whether whoever starts it makes the session. */
  detached: boolean;
}

/**
 * A program in a session, and so in a process group, of its own, which a signal to this process's group does not reach.
 *
 * Node does nothing else until a program that it starts has replaced the copy of Node that starts it. Where that copy makes the
 * session (`detached`), Linux has it wait for a processor with all that yields to this run (autogroup, sched(7)): beside broadcasts
 * on two processors 50 ms, and up to 0.6 s, in which nothing was relayed. So there `setsid` makes it, once it has been started.
 * Its id is the program's; for a moment the group does not exist, so whoever ends the group ends the process as well.
 *
 * @param path where the program is looked for, if it may be missing: then it is missed by its own name, and not by `setsid`
 */
export function inSessionOfItsOwn(
  { program, args }: Pick<SessionLeader, 'program' | 'args'>,
  path?: string,
): SessionLeader {
  const isMissing = path !== undefined && !isOn(path, program);
  if (isMissing || !SETSID) return { program, args, detached: true };
  return { program: SETSID, args: [program, ...args], detached: false };
}

function isOn(path: string, program: string): boolean {
  return path.split(':').some((folder) => existsSync(join(folder, program)));
}
