import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';

import { request } from 'undici';

import { messageOf, SuiteError } from '../errors';
import { eventually } from '../eventually';
import { besideComposeFile, type ComposeService } from './compose-file';
import { startGroup, stopGroup, type ProcessGroup } from './process-group';
import type { Composition, Runtime, ServiceState } from './runtime';
import type { SessionState } from './session-state';

/** Time between SIGTERM and SIGKILL; Docker's own default. */
const STOP_GRACE_MS = 10_000;

interface RunningProject {
  groups: Map<string, ProcessGroup>;
  /** Holds the volumes and the services' temporary files. */
  folder: string;
}

/** Runs the services of a compose file as processes of this host, each as its `x-host` says. */
export class HostRuntime implements Runtime {
  readonly name = 'host';
  readonly testHostForServices = '127.0.0.1';
  readonly #running = new Map<string, RunningProject>();

  constructor(private readonly state: SessionState) {}

  async up(
    composition: Composition,
    options: { withinMs: number; services?: string[]; signal?: AbortSignal },
  ): Promise<void> {
    const { project } = composition;
    const running = this.#running.get(project) ?? {
      groups: new Map<string, ProcessGroup>(),
      folder: this.state.makeFolder(project),
    };
    this.#running.set(project, running);
    for (const service of inOrder(composition, options.services)) {
      if (running.groups.get(service.name)?.ended) running.groups.delete(service.name);
      if (running.groups.has(service.name)) continue;
      running.groups.set(service.name, await this.#start(composition, service, running.folder));
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
    const groups = this.#running.get(composition.project)?.groups;
    return [...(groups ?? [])].map(([service, { ended }]) =>
      ended
        ? { service, state: 'exited', ...(ended.code === null ? {} : { exitCode: ended.code }) }
        : { service, state: 'running' },
    );
  }

  async volumes(composition: Composition): Promise<string[]> {
    const volumes = join(this.#running.get(composition.project)?.folder ?? '', 'volumes');
    return isAbsolute(volumes) && existsSync(volumes) ? readdirSync(volumes) : [];
  }

  async logs(composition: Composition, service: string): Promise<string> {
    const folder = this.#running.get(composition.project)?.folder ?? '';
    const file = join(folder, `${service}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  }

  async stop(composition: Composition, service: string): Promise<void> {
    const group = this.#running.get(composition.project)?.groups.get(service);
    if (!group) {
      throw new SuiteError({
        what: 'the service to stop is not running',
        where: `${composition.project}/${service}`,
        seen: (await this.ps(composition)).map((one) => one.service).join(', ') || 'nothing runs',
        expected: service,
      });
    }
    await stopGroup(this.state, group, STOP_GRACE_MS);
    this.#running.get(composition.project)?.groups.delete(service);
  }

  pathInService(composition: Composition, service: string, path: string): string {
    const volumes = composition.compose.services.find((one) => one.name === service)?.volumes ?? {};
    const mountPoint = Object.keys(volumes).find((mount) => path.startsWith(`${mount}/`));
    const folder = this.#running.get(composition.project)?.folder;
    if (mountPoint === undefined || folder === undefined) {
      throw new SuiteError({
        what: 'no volume holds this path, or the service was not started',
        where: `${composition.project}/${service}`,
        seen: path,
        expected: `a path under ${Object.keys(volumes).join(' or ') || 'a named volume'}`,
        next: `give ${service} a named volume for it in ${composition.compose.file}`,
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
  ): Promise<ProcessGroup> {
    const { compose, project } = composition;
    if (!service.host) {
      throw new SuiteError({
        what: 'the service cannot run as a process of this host',
        where: `${compose.file}, service ${service.name}`,
        seen: 'no x-host',
        expected: 'x-host with command and health',
        next: 'start a Docker engine, or add x-host to the service (README, Your own services)',
      });
    }
    for (const volume of Object.values(service.volumes)) {
      mkdirSync(join(folder, 'volumes', volume), { recursive: true });
    }
    const temporary = join(folder, service.name);
    mkdirSync(temporary, { recursive: true });
    const [program = '', ...args] = service.host.command;
    const { PATH, HOME, LANG } = composition.variables;
    try {
      return await startGroup(this.state, {
        name: `${project}/${service.name}`,
        command: [program.includes('/') ? besideComposeFile(compose, program) : program, ...args],
        cwd: dirname(compose.file),
        // Like a container, a service sees the variables of its compose file and no others.
        environment: {
          ...{ PATH, HOME, LANG, TMPDIR: temporary },
          ...service.environment,
          ...service.host.environment,
        },
        logFile: join(folder, `${service.name}.log`),
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

  async #waitForHealth(
    composition: Composition,
    service: ComposeService,
    options: { withinMs: number; signal?: AbortSignal },
  ): Promise<void> {
    const health = service.host?.health ?? '';
    const group = this.#running.get(composition.project)?.groups.get(service.name);
    const exited = new AbortController();
    void group?.end.then(() =>
      exited.abort(new Error(`it exited: ${JSON.stringify(group.ended)}`)),
    );
    try {
      await eventually(
        `${service.name} healthy`,
        async () => {
          const { statusCode, body } = await request(health, {
            bodyTimeout: 2000,
            headersTimeout: 2000,
          });
          const text = await body.text();
          if (statusCode !== 200) throw new Error(`${statusCode} ${text.slice(0, 300)}`);
        },
        {
          withinMs: options.withinMs,
          signal: AbortSignal.any([exited.signal, ...(options.signal ? [options.signal] : [])]),
        },
      );
    } catch (error) {
      const reason: unknown = exited.signal.aborted ? exited.signal.reason : error;
      const lastLines = (await this.logs(composition, service.name)).trim().split('\n').slice(-12);
      throw new SuiteError(
        {
          what: 'the service did not become healthy',
          where: `${composition.project}/${service.name} (${health})`,
          seen: [messageOf(reason), 'its last log lines:', ...lastLines].join('\n    '),
          expected: `200 within ${options.withinMs / 1000} s`,
          next: 'read its whole log in reports/logs',
        },
        { cause: error },
      );
    }
  }
}

/** The services asked for and what they depend on, each after its dependencies. */
function inOrder({ compose }: Composition, wanted?: string[]): ComposeService[] {
  const ordered = new Set<ComposeService>();
  const visit = (name: string, path: string[]): void => {
    const service = compose.services.find((one) => one.name === name);
    if (!service || ordered.has(service)) return;
    if (path.includes(name)) {
      throw new SuiteError({
        what: 'services depend on each other in a circle',
        where: compose.file,
        seen: [...path, name].join(' -> '),
        expected: 'depends_on without a circle',
      });
    }
    service.dependsOn.forEach((dependency) => visit(dependency, [...path, name]));
    ordered.add(service);
  };
  (wanted ?? compose.services.map((one) => one.name)).forEach((name) => visit(name, []));
  return [...ordered];
}
