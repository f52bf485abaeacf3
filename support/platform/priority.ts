import { writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** The least that threads and processes can have (nice): what is measured can wait, broadcasts that are dubbed meanwhile cannot. */
export const ANALYSIS_PRIORITY = 19;

/** Of decoders, for which all the rest of an analysis waits: before that, and far behind what is live. */
export const DECODER_PRIORITY = 15;

/** Of runs of the suite inside of it: they have limits of their own, but nobody watches what they dub. */
export const NESTED_PRIORITY = 10;

/** Of services, which dub what is live: before the run that watches them, unless that yields itself. */
const SERVICE_PRIORITY = -10;

/** The same of a container, beside others with 1024: the weight that Linux gives to ANALYSIS_PRIORITY. */
export const ANALYSIS_CPU_SHARES = 15;

/** That of services which this process starts. */
export function servicePriority(): number {
  const own = getPriority();
  return own > 0 ? own : SERVICE_PRIORITY;
}

/** Has a process yield to others (nice); one that has ended already is no error. */
export function yieldToServices(pid: number | undefined, priority = ANALYSIS_PRIORITY): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, priority);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SYSTEM_ERROR') throw error;
  }
}

/**
 * Linux may share processors among sessions first (autogroup, sched(7)): then the priorities of processes count within a session
 * only, and one that measures gets as much as one that dubs. Gives the session that a process leads its own priority. Others than
 * root may only lower it; elsewhere there is nothing to do.
 *
 * @param leader a process that was started in a session of its own
 * @param priority of all its processes together, as nice has it
 */
export function prioritizeSession(leader: number | undefined, priority: number): void {
  if (leader === undefined) return;
  try {
    writeFileSync(`/proc/${leader}/autogroup`, String(priority));
  } catch {
    // Not Linux, not root, a read-only /proc, or it has ended: it has the share that all have.
  }
}
