import { accessSync, constants, readFileSync, writeFileSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** The least that threads and processes can have (nice): what is measured can wait, broadcasts that are dubbed meanwhile cannot. */
const ANALYSIS_PRIORITY = 19;

/** Of decoders, for which all the rest of an analysis waits: before that, and far behind what is live. */
const DECODER_PRIORITY = 15;

/**
 * Of all that measures once nothing is on the air, and the run waits for it: behind the run, which may watch services of a scenario's own, but
 * not as far as before. With the lowest priority, two busy programs of the same session left 7 s of 337 s of two processors to listening.
 */
const AFTERWARDS_PRIORITY = 5;

/** Of runs of the suite inside of it, of services that dub no broadcast, and of heavy programs beside containers: they can wait. */
export const ASIDE_PRIORITY = 10;

/**
 * Of a session of services that dub broadcasts, and of the run that watches them: before publishers, commands to an engine and the
 * engine's own programs, each of which has a session as well. With no more than each of those, or behind each set of services, the
 * run noted up to a second late what it saw.
 */
const LIVE_PRIORITY = -5;

/** The same of a container, beside others with 1024: the weights that Linux gives to these priorities. */
const ANALYSIS_CPU_SHARES = 15;
const AFTERWARDS_CPU_SHARES = 335;
export const ASIDE_CPU_SHARES = 110;

/** How a program is started. */
export interface Command {
  program: string;
  args: string[];
}

/** That of services which this process starts: never before the run where that yields itself. */
export function servicePriority(isAside: boolean): number {
  return isAside ? ASIDE_PRIORITY : getPriority() > 0 ? getPriority() : LIVE_PRIORITY;
}

/** Has a process yield to others (nice); one that has ended already is no error. */
export function yieldToServices(pid: number | undefined, priority: number): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, priority);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_SYSTEM_ERROR') throw error;
  }
}

/** Linux lets others than root set priorities of sessions only so often, in the whole system. */
const SET_EVERY_MS = 100;
const TRIES = 5;

/**
 * Linux may share processors among sessions first (autogroup, sched(7)): then the priorities of processes count within a session
 * only, and one that measures gets as much as one that dubs. Gives the session that a process leads its own priority; soon, where
 * another one has just got its own. Others than root may only lower it; elsewhere there is nothing to do.
 *
 * @param leader a process that was started in a session of its own, or `self` for that of this process
 * @param priority of all its processes together, as nice has it
 */
export function prioritizeSession(
  leader: number | 'self' | undefined,
  priority: number,
  tries = TRIES,
): void {
  if (leader === undefined) return;
  try {
    writeFileSync(`/proc/${leader}/autogroup`, String(priority));
  } catch (error) {
    const isTooSoon = (error as NodeJS.ErrnoException).code === 'EAGAIN';
    if (isTooSoon && tries > 1) {
      setTimeout(() => prioritizeSession(leader, priority, tries - 1), SET_EVERY_MS + 10).unref();
    }
    // Not Linux, not root, a read-only /proc, or it has ended: it has the share that all have.
  }
}

function mayPrioritize(): boolean {
  try {
    accessSync('/proc/self/autogroup', constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

let isFirst = false;

/** From now on services of this run dub broadcasts. Until its end its session comes first, unless the run itself yields. */
export function runComesFirst(): void {
  if (isFirst) return;
  isFirst = true;
  if (getPriority() > 0 || !mayPrioritize()) return;
  const text = readFileSync('/proc/self/autogroup', 'utf8');
  const before = Number(/nice (-?\d+)/.exec(text)?.[1]);
  // Of several runs in one session, the first one gives it back.
  if (before <= LIVE_PRIORITY) return;
  prioritizeSession('self', LIVE_PRIORITY);
  process.once('exit', () => prioritizeSession('self', before, 1));
}

let isAnythingOnAir = true;

/** Whether anything is on the air that could be late, or is going to be: where not, heavy programs need not yield to services. */
export function isOnAir(): boolean {
  return isAnythingOnAir;
}

export function setOnAir(isIt: boolean): void {
  isAnythingOnAir = isIt;
}

/** Of what measures now: never before the run, where that yields itself. */
export function measuringPriority(onAir = ANALYSIS_PRIORITY): number {
  return Math.max(getPriority(), isAnythingOnAir ? onAir : AFTERWARDS_PRIORITY);
}

/** Of decoders now. Where this process has no services, and does not yield to those of another one, nothing can be late. */
export function decoderPriority(): number {
  return isFirst || getPriority() > 0 ? measuringPriority(DECODER_PRIORITY) : getPriority();
}

/** The same of a container. */
export function measuringCpuShares(): number {
  return isAnythingOnAir ? ANALYSIS_CPU_SHARES : AFTERWARDS_CPU_SHARES;
}

/**
 * A heavy program beside services, as Linux shares processors among sessions: in that of this run it would take from the services,
 * and use up what the run itself needs, so it gets one of its own that yields to both. It keeps the id of the process that is
 * started, and ends by the same signals; those of a terminal it does not get. The program as it is where nothing is on the air, and
 * without services or autogroup.
 */
export function besideServices({ program, args }: Command): Command {
  if (!isFirst || !isAnythingOnAir || !mayPrioritize()) return { program, args };
  const set = `{ echo ${ASIDE_PRIORITY} > /proc/self/autogroup; } 2> /dev/null`;
  const wait = `sleep ${(SET_EVERY_MS + 10) / 1000}`;
  const tries = Array.from({ length: TRIES - 1 }, () => `|| { ${wait}; ${set}; }`).join(' ');
  const script = `${set} ${tries}; exec "$0" "$@"`;
  return { program: 'setsid', args: ['sh', '-c', script, program, ...args] };
}
