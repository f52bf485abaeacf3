import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { z } from 'zod';

import { signalGroup, startTimeOf } from './processes';

const stateSchema = z.strictObject({
  /** Differs after a reboot, when every process id means something else. */
  bootId: z.string(),
  owner: z.strictObject({ pid: z.number(), startTime: z.string().optional() }),
  groups: z.array(
    z.strictObject({ pid: z.number(), startTime: z.string().optional(), name: z.string() }),
  ),
  /** Projects of Docker Compose, each with what tells the engine that they run on. */
  projects: z.array(
    z.strictObject({ project: z.string(), engine: z.record(z.string(), z.string()) }),
  ),
  folders: z.array(z.string()),
});

type State = z.infer<typeof stateSchema>;
type Group = State['groups'][number];

/**
 * What a session has made and must remove: process groups, Compose projects and temporary folders.
 *
 * It is kept in a file, so that two others can tidy up when this process is killed: a watchdog that waits for the end
 * of this process, and the next session.
 */
export class SessionState {
  readonly #file: string;
  readonly #state: State;
  #watchdog: ChildProcess | undefined;

  constructor(private readonly stateFolder: string) {
    mkdirSync(stateFolder, { recursive: true });
    this.#file = join(stateFolder, `session-${process.pid}.json`);
    this.#state = {
      bootId: bootId(),
      owner: { pid: process.pid, startTime: startTimeOf(process.pid) },
      groups: [],
      projects: [],
      folders: [],
    };
  }

  addGroup(group: Group): void {
    this.#state.groups.push(group);
    this.#save();
  }

  removeGroup(pid: number): void {
    this.#state.groups = this.#state.groups.filter((group) => group.pid !== pid);
    this.#save();
  }

  /** @param engine environment variables that tell which Docker engine the project runs on */
  addProject(project: string, engine: Record<string, string>): void {
    this.#state.projects.push({ project, engine });
    this.#save();
  }

  removeProject(project: string): void {
    this.#state.projects = this.#state.projects.filter((one) => one.project !== project);
    this.#save();
  }

  /** Makes a temporary folder that is removed with the session. */
  makeFolder(name: string): string {
    const folder = mkdtempSync(join(tmpdir(), `lda-${name}-`));
    this.#state.folders.push(folder);
    this.#save();
    return folder;
  }

  removeFolder(folder: string): void {
    rmSync(folder, { recursive: true, force: true });
    this.#state.folders = this.#state.folders.filter((one) => one !== folder);
    this.#save();
  }

  /** Kills and removes at once whatever is left, without waiting: for a second Ctrl-C and for the end of the process. */
  removeAll(): void {
    removeWhatIsLeft(this.#state);
    rmSync(this.#file, { force: true });
    if (this.#watchdog?.pid !== undefined) signalGroup(this.#watchdog.pid, 'SIGKILL');
    this.#watchdog = undefined;
  }

  #save(): void {
    const draft = `${this.#file}.part`;
    // The address of an engine may have a password in it.
    writeFileSync(draft, JSON.stringify(this.#state), { mode: 0o600 });
    renameSync(draft, this.#file);
    this.#watchdog ??= this.#startWatchdog();
  }

  /** Waits, as a bare shell, for the end of its standard input, which ends when this process does. */
  #startWatchdog(): ChildProcess {
    const sweep = join(__dirname, 'sweep.ts');
    const script = 'cat > /dev/null; exec "$0" -r ts-node/register "$1" "$2"';
    const watchdog = spawn('sh', ['-c', script, process.execPath, sweep, this.stateFolder], {
      cwd: join(__dirname, '../..'),
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    watchdog.unref();
    return watchdog;
  }
}

/**
 * Removes what sessions left whose process is gone.
 *
 * @returns what was removed, for the log; empty when there was nothing
 */
export function sweepLeftovers(stateFolder: string): string[] {
  if (!existsSync(stateFolder)) return [];
  const removed: string[] = [];
  for (const name of readdirSync(stateFolder).filter((file) => file.endsWith('.json'))) {
    const file = join(stateFolder, name);
    const state = readState(file);
    if (state && state.bootId === bootId() && isAlive(state.owner)) continue;
    if (state) removed.push(...removeWhatIsLeft(state));
    rmSync(file, { force: true });
  }
  return removed;
}

function removeWhatIsLeft(state: State): string[] {
  const removed: string[] = [];
  for (const group of state.bootId === bootId() ? state.groups : []) {
    // A leader may be gone while its group lives on; an id that now belongs to another process is left alone.
    const startTime = startTimeOf(group.pid);
    if (startTime !== undefined && startTime !== group.startTime) continue;
    signalGroup(group.pid, 'SIGKILL');
    removed.push(`process group ${group.pid} (${group.name})`);
  }
  for (const { project, engine } of state.projects) {
    const down = ['down', '--volumes', '--remove-orphans', '--timeout', '0'];
    const { status } = spawnSync('docker', ['compose', '--project-name', project, ...down], {
      env: engine,
      stdio: 'ignore',
      timeout: 60_000,
    });
    removed.push(`project ${project}${status === 0 ? '' : `, not removed: exit code ${status}`}`);
  }
  for (const folder of state.folders) {
    if (!existsSync(folder)) continue;
    rmSync(folder, { recursive: true, force: true });
    removed.push(folder);
  }
  return removed;
}

function readState(file: string): State | undefined {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // A file that is not a state file names nothing that could be removed.
    return undefined;
  }
}

function isAlive(owner: State['owner']): boolean {
  return startTimeOf(owner.pid) !== undefined && startTimeOf(owner.pid) === owner.startTime;
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
