import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { z } from 'zod';

import { messageOf, SuiteError } from '../base/errors';
import type { Variables } from '../base/interpolate';
import {
  isRunning,
  processesWith,
  signalGroup,
  signalIfThere,
  startTimeOf,
  system,
} from '../platform/processes';

/** The variable with the session's id, in the environment of everything that a session starts. */
export const RUN_VARIABLE = 'LIVE_DUBBING_RUN';

/** The variable with the same id in the environment of a session's watchdog. */
export const WATCHDOG_VARIABLE = 'LIVE_DUBBING_WATCHDOG';

/** Pause between two removals of what is left: a process needs time to end, an engine to finish its work. */
const ROUND = { ms: 100, most: 50 };
const ENGINE_ROUND = { ms: 500, most: 10 };
/** How long another process's sweep is waited for: what it removes may have the names of what is about to be started. */
const OTHER_SWEEP_MS = 120_000;
/** Timeouts for an engine to answer, and to take a project down. */
const DOCKER_MS = { answer: 10_000, down: 60_000 };

const processSchema = z.object({ pid: z.number(), startTime: z.string().optional() });
const stateSchema = z.object({
  /** The session's id, after the id of the session that has started it: `{parent}/{own}`. */
  run: z.string().default('unknown'),
  /** Changes with every boot, after which a process id means another process. */
  bootId: z.string(),
  /** In another namespace, as in a container, a process id means another process. */
  pidNamespace: z.string().default(() => system.pidNamespace()),
  owner: processSchema,
  groups: z.array(processSchema.extend({ name: z.string() })),
  /** Projects of Docker Compose, each with the variables that tell its engine. */
  projects: z.array(z.object({ project: z.string(), engine: z.record(z.string(), z.string()) })),
  folders: z.array(z.string()),
});

/** The recorded state of a session. */
export type State = z.infer<typeof stateSchema>;
type Group = State['groups'][number];

/** The result of a sweep, one line for each thing. */
export interface Swept {
  removed: string[];
  /** What could not be removed, and why. It stays recorded for the next sweep. */
  left: string[];
}

/**
 * What a session has made and must remove: processes, Compose projects and temporary folders.
 *
 * It is kept in a file, so that others can clean up when this process is killed: a watchdog that waits for the end of
 * this process, and the next session. The file is written before anything is made. What was started a moment before the
 * kill is found by the session's id, which is in the environment of all that it starts.
 */
export class SessionState {
  readonly run: string;
  /** Temporary files of this session, removed with it. */
  readonly folder: string;
  readonly #file: string;
  readonly #state: State;
  readonly #watchdog: ChildProcess;
  #isClosing = false;

  /** @param variables of this process; they tell the session that has started this one, which removes it with its own things */
  constructor(
    private readonly stateFolder: string,
    variables: Variables,
  ) {
    mkdirSync(stateFolder, { recursive: true });
    const id = `${runPrefix(stateFolder)}${randomBytes(4).toString('hex')}`;
    const parentRun = variables[RUN_VARIABLE];
    this.run = parentRun ? `${parentRun}/${id}` : id;
    this.#file = join(stateFolder, `session-${process.pid}-${id}.json`);
    this.folder = newFolderName('run');
    this.#state = {
      run: this.run,
      bootId: system.bootId(),
      pidNamespace: system.pidNamespace(),
      owner: { pid: process.pid, startTime: startTimeOf(process.pid) },
      groups: [],
      projects: [],
      folders: [this.folder],
    };
    this.#save();
    this.#watchdog = this.#startWatchdog(variables);
    mkdirSync(this.folder, { mode: 0o700 });
  }

  /** The environment of everything that is started: the id that it is found by, and the folder of its temporary files. */
  get environment(): Record<string, string> {
    return { [RUN_VARIABLE]: this.run, TMPDIR: this.folder };
  }

  /** @param pid of a process that was started this very moment, as the leader of a group */
  addGroup(pid: number, name: string): void {
    this.#state.groups.push({ pid, startTime: system.startTimeOfNew(pid), name });
    this.#save();
  }

  removeGroup(pid: number): void {
    this.#state.groups = this.#state.groups.filter((group) => group.pid !== pid);
    this.#save();
  }

  /**
   * @param engine environment variables that tell which Docker engine the project runs on
   * @throws SuiteError when the session is being closed
   */
  addProject(project: string, engine: Record<string, string>): void {
    this.#refuseWhenClosing(`project ${project}`);
    this.#state.projects.push({ project, engine });
    this.#save();
  }

  removeProject(project: string): void {
    this.#state.projects = this.#state.projects.filter((one) => one.project !== project);
    this.#save();
  }

  /**
   * Makes a temporary folder that is removed with the session.
   *
   * @throws SuiteError when the session is being closed
   */
  makeFolder(name: string): string {
    this.#refuseWhenClosing(`folder ${name}`);
    const folder = newFolderName(name);
    this.#state.folders.push(folder);
    this.#save();
    mkdirSync(folder, { mode: 0o700 });
    return folder;
  }

  removeFolder(folder: string): void {
    rmSync(folder, { recursive: true, force: true });
    this.#state.folders = this.#state.folders.filter((one) => one !== folder);
    this.#save();
  }

  /** From now on nothing can be made that would have to be removed. */
  startClosing(): void {
    this.#isClosing = true;
  }

  /**
   * Kills and removes at once whatever is left, without a graceful end.
   *
   * @returns what could not be removed; it stays recorded
   */
  removeAll(): string[] {
    this.#isClosing = true;
    const { left } = removeWhatIsLeft(this.#state);
    if (left.length === 0) rmSync(this.#file, { force: true });
    else this.#save();
    const { pid, exitCode, signalCode } = this.#watchdog;
    // After its end its id may be another process's.
    if (pid !== undefined && exitCode === null && signalCode === null) signalGroup(pid, 'SIGKILL');
    return left;
  }

  #refuseWhenClosing(where: string): void {
    if (!this.#isClosing) return;
    throw new SuiteError({
      what: 'nothing is started any more',
      where,
      seen: 'the session is being closed',
      expected: 'a session that goes on',
    });
  }

  #save(): void {
    save(this.#file, this.#state);
  }

  /** A bare shell that waits for the end of its standard input, which ends when this process does, and then sweeps. */
  #startWatchdog({ PATH, HOME }: Variables): ChildProcess {
    const sweep = join(__dirname, 'sweep.ts');
    const script = 'cat > /dev/null; exec "$0" -r ./support/base/typescript.cjs "$1" "$2"';
    const watchdog = spawn('sh', ['-c', script, process.execPath, sweep, this.stateFolder], {
      cwd: join(__dirname, '../..'),
      // Without a session's id: it must outlive this session, and any that has started this one.
      env: { PATH, HOME, [WATCHDOG_VARIABLE]: this.run },
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    watchdog.unref();
    return watchdog;
  }
}

/** What the ids of all sessions that are recorded in a folder begin with. */
export function runPrefix(stateFolder: string): string {
  return `${createHash('sha256').update(resolve(stateFolder)).digest('hex').slice(0, 6)}-`;
}

/** The sessions recorded in a folder whose process still runs. */
export function liveSessions(stateFolder: string): State[] {
  return filesIn(stateFolder).flatMap(({ state }) => {
    const isHere = state?.bootId === system.bootId() && !isElsewhere(state);
    return isHere && isRunning(state.owner) ? state : [];
  });
}

/**
 * Removes what sessions left whose process is gone, until twice nothing is found. Sessions that go on are left alone.
 *
 * Of several processes that sweep at once, one removes a session's things and the others wait for it: the one that
 * renames the session's file has it, and a file whose sweeper is gone can be renamed again.
 */
export function sweepLeftovers(stateFolder: string): Swept {
  const swept: Swept = { removed: [], left: [] };
  const done = new Set<string>();
  const deadline = performance.now() + OTHER_SWEEP_MS;
  for (;;) {
    const todo = filesIn(stateFolder).filter(({ session }) => !done.has(session));
    const unreadable = todo.find(({ problem }) => problem !== undefined);
    if (unreadable) {
      done.add(unreadable.session);
      swept.left.push(`${join(stateFolder, unreadable.name)}: ${unreadable.problem ?? ''}`);
      continue;
    }
    const foreign = todo.find(({ state }) => state && isElsewhere(state));
    if (foreign) {
      done.add(foreign.session);
      swept.left.push(
        `${join(stateFolder, foreign.name)}: written in another container or on its host, only where it is known ` +
          'whether that run goes on; when it does not, remove the file',
      );
      continue;
    }
    const dead = todo.find(({ responsible, state }) => {
      return state && (state.bootId !== system.bootId() || !isRunning(responsible));
    });
    if (dead?.state) {
      const claimed = join(stateFolder, `${dead.session}.json.sweeper-${ownIdentity()}`);
      if (!renamed(join(stateFolder, dead.name), claimed)) continue;
      done.add(dead.session);
      const { removed, left } = removeWhatIsLeft(dead.state);
      swept.removed.push(...removed);
      swept.left.push(...left);
      if (left.length === 0) {
        rmSync(claimed, { force: true });
      } else {
        save(claimed, dead.state);
        renamed(claimed, join(stateFolder, `${dead.session}.json`));
      }
      continue;
    }
    const busy = todo.find(({ isBeingSwept }) => isBeingSwept);
    if (!busy) return swept;
    if (performance.now() > deadline) {
      const { pid } = busy.responsible;
      swept.left.push(
        `${busy.session}: process ${pid} has been sweeping it for ${OTHER_SWEEP_MS / 1000} s`,
      );
      return swept;
    }
    pause(ROUND.ms / 2);
  }
}

/** A session's file, and the process that is responsible for removing its things. */
interface StateFile {
  name: string;
  session: string;
  isBeingSwept: boolean;
  responsible: { pid: number; startTime?: string | undefined };
  /** Undefined when the file cannot be read, with the reason. */
  state: State | undefined;
  problem?: string;
}

function filesIn(stateFolder: string): StateFile[] {
  if (!existsSync(stateFolder)) return [];
  return readdirSync(stateFolder).flatMap((name): StateFile[] => {
    const file = join(stateFolder, name);
    const match = /^(session-(\d+).*?)\.json(?:\.sweeper-(\d+)-(\d+))?(\.part)?$/.exec(name);
    if (!match) return [];
    const [, session = '', owner, sweeper, startTime, part] = match;
    if (part !== undefined) {
      // Incomplete, as its process was killed; the file that it was to replace is still there.
      if (startTimeOf(Number(sweeper ?? owner)) === undefined) rmSync(file, { force: true });
      return [];
    }
    const isBeingSwept = sweeper !== undefined;
    const sweeping = { pid: Number(sweeper ?? owner), startTime };
    try {
      const state = stateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
      const responsible = isBeingSwept ? sweeping : state.owner;
      return [{ name, session, isBeingSwept, responsible, state }];
    } catch (error) {
      // Another process has renamed or removed it.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      const problem = `cannot be read: make sure that nothing of that run goes on, and remove it (${messageOf(error)})`;
      return [{ name, session, isBeingSwept, responsible: sweeping, state: undefined, problem }];
    }
  });
}

/** Removes until twice nothing is found; afterwards the state holds what could not be removed, and nothing else. */
function removeWhatIsLeft(state: State): Swept {
  const removed = new Set<string>();
  const left = new Map<string, string>();
  /** What was found in this round. */
  const found = new Set<string>();
  const note = (what: string, problem?: string): void => {
    found.add(what);
    if (problem === undefined) removed.add(what);
    else left.set(what, problem);
  };
  const { ms, most } = state.projects.length > 0 ? ENGINE_ROUND : ROUND;
  let quiet = 0;
  for (let round = 0; quiet < 2 && round < most; round += 1) {
    if (round > 0) pause(ms);
    const reasons = left.size;
    left.clear();
    found.clear();
    if (state.bootId === system.bootId()) killProcesses(state, note);
    state.projects.forEach((project) => removeProject(project, note));
    state.folders.forEach((folder) => removeFolder(folder, note));
    // What cannot be removed, and could not in the round before, is not waited for.
    quiet = found.size === 0 || (reasons > 0 && found.size === left.size) ? quiet + 1 : 0;
  }
  if (quiet < 2) {
    const still = `still there after ${most} removals`;
    found.forEach((what) => left.set(what, left.get(what) ?? still));
  }
  state.groups = state.groups.filter((group) => left.has(groupAsText(group)));
  state.projects = state.projects.filter(({ project }) => left.has(`project ${project}`));
  state.folders = state.folders.filter((folder) => left.has(folder));
  return {
    removed: [...removed].filter((what) => !left.has(what)),
    left: [...left].map(([what, problem]) => `${what}: ${problem}`),
  };
}

type Note = (what: string, problem?: string) => void;

function groupAsText({ pid, name }: Group): string {
  return `process group ${pid} (${name})`;
}

/** Kills what carries the session's id, and the groups whose leader is still the one that was started. */
function killProcesses(state: State, note: Note): void {
  const groups = new Map(state.groups.map((group) => [group.pid, group]));
  const tagged = processesWith(
    RUN_VARIABLE,
    (run) => run === state.run || run.startsWith(`${state.run}/`),
  );
  state.groups.filter(isRunning).forEach((group) => {
    signalGroup(group.pid, 'SIGKILL');
    note(groupAsText(group));
  });
  tagged.forEach(({ pid, group, command }) => {
    signalIfThere(pid, 'SIGKILL');
    const known = groups.get(group);
    note(known ? groupAsText(known) : `process ${pid} (${command})`);
  });
}

/** Takes a project down, if anything of it exists. */
function removeProject({ project, engine }: State['projects'][number], note: Note): void {
  const docker = (timeout: number, args: string[]): { stdout: string; failure?: string } => {
    const options = { env: engine, encoding: 'utf8', timeout } as const;
    const { status, stdout, stderr, error } = spawnSync('docker', args, options);
    if (status === 0) return { stdout };
    const said = stderr ? stderr.trim().split('\n').at(-1) : '';
    return { stdout: '', failure: error?.message ?? (said || `exit code ${status ?? 'none'}`) };
  };
  const label = ['--filter', `label=com.docker.compose.project=${project}`];
  let isThere = false;
  for (const list of [
    ['ps', '--all'],
    ['network', 'ls'],
    ['volume', 'ls'],
  ]) {
    const { stdout, failure } = docker(DOCKER_MS.answer, [...list, '--quiet', ...label]);
    if (failure !== undefined) {
      note(`project ${project}`, failure);
      return;
    }
    isThere ||= stdout.trim() !== '';
  }
  if (!isThere) return;
  const down = ['down', '--volumes', '--remove-orphans', '--timeout', '0'];
  const args = ['compose', '--project-name', project, ...down];
  note(`project ${project}`, docker(DOCKER_MS.down, args).failure);
}

function removeFolder(folder: string, note: Note): void {
  if (!existsSync(folder)) return;
  try {
    rmSync(folder, { recursive: true, force: true });
    note(folder);
  } catch (error) {
    note(folder, messageOf(error));
  }
}

function newFolderName(name: string): string {
  return join(tmpdir(), `lda-${name}-${randomBytes(6).toString('hex')}`);
}

function save(file: string, state: State): void {
  const draft = `${file}.part`;
  // The address of an engine may contain a password.
  writeFileSync(draft, JSON.stringify(state), { mode: 0o600 });
  renameSync(draft, file);
}

/** Renames a file; returns whether there was one. */
function renamed(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  }
}

function ownIdentity(): string {
  return `${process.pid}-${startTimeOf(process.pid) ?? 0}`;
}

/** Blocks the thread: a process that ends has no event loop any more. */
function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function isElsewhere(state: State): boolean {
  return state.bootId === system.bootId() && state.pidNamespace !== system.pidNamespace();
}
