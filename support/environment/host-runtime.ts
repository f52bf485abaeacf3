import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';

import { messageOf, SuiteError } from '../base/errors';
import type { Variables } from '../base/interpolate';
import { readByCompose, whyNoCompose } from './compose-config';
import {
  besideComposeFile,
  folderOf,
  inOrder,
  shownFiles,
  type ComposeFile,
  type ComposeService,
} from './compose-file';
import { readWithoutCompose } from './compose-reader';
import { START_AGAIN_MS, waitForHealth } from './health';
import { connectionsOfGroup, localHolderOf } from './ports';
import { startGroup, stopGroup, type ProcessGroup } from './process-group';
import { runComesFirst } from '../platform/priority';
import { processesWith, signalGroup } from '../platform/processes';
import type { Action, Composition, Connection, Runtime, ServiceState, UpOptions } from './runtime';
import type { SessionState } from './session-state';

/** Time between SIGTERM and SIGKILL; Docker's own default. */
const STOP_GRACE_MS = 10_000;

/** The variable that tells the project of a service and of all that it starts. */
const PROJECT_VARIABLE = 'LIVE_DUBBING_PROJECT';

interface RunningProject {
  groups: Map<string, ProcessGroup>;
  paused: Set<string>;
  /** Holds the volumes and the services' temporary files. */
  folder: string;
}

/** Runs the services of a compose file as processes of this host, each as its `x-host` says. */
export class HostRuntime implements Runtime {
  readonly name = 'host';
  readonly servicesHost = '127.0.0.1';
  readonly servicesHostForServices = '127.0.0.1';
  readonly testHost = { name: '127.0.0.1', address: '127.0.0.1' };
  readonly variables: Variables = {};
  readonly #running = new Map<string, RunningProject>();
  #whyNoCompose: Promise<string | undefined> | undefined;

  constructor(private readonly state: SessionState) {}

  async read(
    files: readonly string[],
    project: string,
    variables: Variables,
  ): Promise<ComposeFile> {
    const options = { environment: variables, state: this.state };
    this.#whyNoCompose ??= whyNoCompose(options);
    return (await this.#whyNoCompose) === undefined
      ? readByCompose(files, project, options)
      : readWithoutCompose(files, project, variables);
  }

  async up(composition: Composition, options: UpOptions): Promise<void> {
    runComesFirst();
    const { project } = composition;
    const running = this.#running.get(project) ?? {
      groups: new Map<string, ProcessGroup>(),
      paused: new Set<string>(),
      folder: this.state.makeFolder(project),
    };
    this.#running.set(project, running);
    const deadline = performance.now() + options.withinMs;
    for (const service of inOrder(composition.compose, options.services)) {
      if (running.groups.get(service.name)?.ended) running.groups.delete(service.name);
      if (running.groups.has(service.name)) continue;
      for (const other of service.completed) {
        await this.#waitForSuccess(composition, other, deadline, options.signal);
      }
      running.groups.set(
        service.name,
        await this.#start(composition, service, running.folder, options.isAside === true),
      );
      if (options.untilHealthy === false) continue;
      await this.#waitForHealth(composition, service, options);
    }
  }

  async down(composition: Composition): Promise<void> {
    const running = this.#running.get(composition.project);
    if (!running) return;
    for (const [service, group] of [...running.groups].reverse()) {
      await stopGroup(this.state, group, STOP_GRACE_MS);
      running.groups.delete(service);
    }
    this.state.removeFolder(running.folder);
    this.#running.delete(composition.project);
  }

  async ps(composition: Composition): Promise<ServiceState[]> {
    const running = this.#running.get(composition.project);
    return Promise.resolve(
      [...(running?.groups ?? [])].map(([service, { ended, startedAt }]) => ({
        service,
        startedAt,
        state: ended ? 'exited' : running?.paused.has(service) ? 'paused' : 'running',
        ...(ended && ended.code !== null ? { exitCode: ended.code } : {}),
      })),
    );
  }

  async leftovers({ project }: Composition): Promise<string[]> {
    const running = this.#running.get(project);
    const volumes = running ? join(running.folder, 'volumes') : '';
    // With those that have left the process group of their service.
    const processes = processesWith(PROJECT_VARIABLE, (value) => value === project);
    return Promise.resolve([
      ...processes.map(({ pid, command }) => `process ${pid} (${command})`),
      ...(existsSync(volumes) ? readdirSync(volumes).map((name) => `volume ${name}`) : []),
    ]);
  }

  async logs(composition: Composition, service: string): Promise<string> {
    const folder = this.#running.get(composition.project)?.folder ?? '';
    const file = join(folder, `${service}.log`);
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    return Promise.resolve(stripVTControlCharacters(text));
  }

  async control(composition: Composition, service: string, action: Action): Promise<void> {
    if (action === 'start') {
      return this.up(composition, { withinMs: START_AGAIN_MS, services: [service] });
    }
    const running = this.#running.get(composition.project);
    const group = running?.groups.get(service);
    if (!running || !group || group.ended) {
      const there = (await this.ps(composition)).map((one) => `${one.service} (${one.state})`);
      throw new SuiteError({
        what: `the service to ${action} is not running`,
        where: `${composition.project}/${service}`,
        seen: there.join(', ') || 'nothing runs',
        expected: service,
      });
    }
    switch (action) {
      case 'stop':
        await stopGroup(this.state, group, STOP_GRACE_MS);
        break;
      case 'kill':
        await stopGroup(this.state, group, 0);
        break;
      case 'pause':
        signalGroup(group.pid, 'SIGSTOP');
        running.paused.add(service);
        break;
      case 'resume':
        signalGroup(group.pid, 'SIGCONT');
        running.paused.delete(service);
        break;
    }
  }

  async addressOf(_composition: Composition, _service: string, name: string): Promise<string> {
    return (await lookup(name, { family: 4 })).address;
  }

  async connections(composition: Composition, service: string): Promise<Connection[]> {
    const group = this.#running.get(composition.project)?.groups.get(service);
    return Promise.resolve(group ? connectionsOfGroup(group.pid) : []);
  }

  networks(): Promise<undefined> {
    // Processes of this host are all on its one network.
    return Promise.resolve(undefined);
  }

  async holderOf(port: number): Promise<string | undefined> {
    return localHolderOf(port);
  }

  pathInService(composition: Composition, service: string, path: string): string {
    const volumes = composition.compose.services.find((one) => one.name === service)?.volumes ?? {};
    const mountPoint = Object.keys(volumes).find((mount) => `${path}/`.startsWith(`${mount}/`));
    const folder = this.#running.get(composition.project)?.folder;
    if (mountPoint === undefined || folder === undefined) {
      throw new SuiteError({
        what: 'no volume holds this path, or the service was not started',
        where: `${composition.project}/${service}`,
        seen: path,
        expected: `a path under ${Object.keys(volumes).join(' or ') || 'a named volume'}`,
        next: `give ${service} a named volume for it in ${shownFiles(composition.compose)}`,
      });
    }
    return join(folder, 'volumes', volumes[mountPoint] ?? '', path.slice(mountPoint.length));
  }

  async copyOut(
    composition: Composition,
    service: string,
    path: string,
    destination: string,
  ): Promise<void> {
    cpSync(this.pathInService(composition, service, path), destination, { recursive: true });
  }

  async #start(
    composition: Composition,
    service: ComposeService,
    folder: string,
    isAside: boolean,
  ): Promise<ProcessGroup> {
    const { compose, project } = composition;
    if (!service.host) {
      throw new SuiteError({
        what: 'the service cannot run as a process of this host',
        where: `${shownFiles(compose)}, service ${service.name}`,
        seen: 'no x-host',
        expected: 'x-host with command',
        next: 'start a Docker engine, or add x-host to the service (docs/your-own-services.md)',
      });
    }
    for (const volume of Object.values(service.volumes)) {
      mkdirSync(join(folder, 'volumes', volume), { recursive: true });
    }
    const temporary = join(folder, service.name);
    mkdirSync(temporary, { recursive: true });
    const [program = '', ...args] = service.host.command;
    const { PATH, HOME } = composition.variables;
    try {
      return await startGroup(this.state, {
        name: `${project}/${service.name}`,
        command: [program.includes('/') ? besideComposeFile(compose, program) : program, ...args],
        cwd: folderOf(compose),
        // Like a container, a service sees the variables of its compose file and no others; and a locale that is there.
        environment: {
          ...{ PATH, HOME, LANG: 'C.UTF-8', TMPDIR: temporary, [PROJECT_VARIABLE]: project },
          ...this.#withFolders(composition, service),
          ...service.host.environment,
        },
        logFile: join(folder, `${service.name}.log`),
        isAside,
      });
    } catch (error) {
      throw new SuiteError(
        {
          what: 'the service could not be started',
          where: `${project}/${service.name}`,
          seen: messageOf(error),
          expected: `${service.host.command.join(' ')} to run`,
          next: 'npm run setup',
        },
        { cause: error },
      );
    }
  }

  /** The service's variables; a path on one of its volumes is that volume's folder of this host. */
  #withFolders(composition: Composition, service: ComposeService): Record<string, string> {
    const mounts = Object.keys(service.volumes);
    return Object.fromEntries(
      Object.entries(service.environment).map(([name, value]) => {
        const isOnVolume = mounts.some((mount) => `${value}/`.startsWith(`${mount}/`));
        const path = isOnVolume ? this.pathInService(composition, service.name, value) : value;
        return [name, path];
      }),
    );
  }

  /** @throws SuiteError unless the service ends with exit code 0 before the deadline (of `performance.now()`) */
  async #waitForSuccess(
    composition: Composition,
    name: string,
    deadline: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const group = this.#running.get(composition.project)?.groups.get(name);
    const withinMs = Math.max(0, deadline - performance.now());
    const timer = new AbortController();
    const signals = AbortSignal.any([timer.signal, ...(signal ? [signal] : [])]);
    const late = delay(withinMs, undefined, { signal: signals }).catch(() => undefined);
    await Promise.race([group?.end, late]);
    timer.abort();
    signal?.throwIfAborted();
    if (group?.ended?.code === 0) return;
    throw new SuiteError({
      what: 'a service that others wait for did not complete',
      where: `${composition.project}/${name}`,
      seen: `${group?.ended ? JSON.stringify(group.ended) : 'it runs'}; ${(await this.logs(composition, name)).trim()}`,
      expected: 'exit code 0 (service_completed_successfully)',
    });
  }

  async #waitForHealth(
    composition: Composition,
    service: ComposeService,
    options: Pick<UpOptions, 'withinMs' | 'signal' | 'onSeen'>,
  ): Promise<void> {
    const group = this.#running.get(composition.project)?.groups.get(service.name);
    const exited = new AbortController();
    void group?.end.then(() =>
      exited.abort(new Error(`it exited: ${JSON.stringify(group.ended)}`)),
    );
    await waitForHealth(composition, service.name, {
      withinMs: options.withinMs,
      signals: [exited.signal, ...(options.signal ? [options.signal] : [])],
      logs: () => this.logs(composition, service.name),
      onSeen: options.onSeen,
    });
  }
}
