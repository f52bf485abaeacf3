import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';

import { z } from 'zod';

import { PrerequisiteMissing, SuiteError } from '../base/errors';
import type { Variables } from '../base/interpolate';
import { composeArgs, readByCompose } from './compose-config';
import { shownFiles, type ComposeFile } from './compose-file';
import { claim, release } from '../platform/claim';
import { DockerApi } from './docker-api';
import { docker, type DockerOptions, type DockerOutput } from './docker-command';
import type { Engine } from './docker-engine';
import { notHealthy, START_AGAIN_MS, waitForHealth } from './health';
import { acceptsConnections, localHolderOf } from './ports';
import type { Action, Composition, Connection, Runtime, ServiceState, UpOptions } from './runtime';
import type { ServiceNetworks } from './runtime';
import { ASIDE_CPU_SHARES, runComesFirst } from '../platform/priority';
import type { SessionState } from './session-state';
import { parseTcpTable } from '../platform/tcp-table';

/** To pull and build images; not part of the time in which services must be healthy. */
const CREATE_MS = 15 * 60_000;
const STOP_GRACE_S = 10;
const STOP_MS = 120_000;
const POLL_EVERY_MS = 1000;
const MOST_DOWNS = 5;

const PROJECT_LABEL = 'com.docker.compose.project';
const SERVICE_LABEL = 'com.docker.compose.service';

const containerSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  /** The digest of its image. */
  Image: z.string(),
  Config: z.object({ Labels: z.record(z.string(), z.string()).nullable() }),
  NetworkSettings: z.object({
    Networks: z.record(z.string(), z.object({ NetworkID: z.string() })),
  }),
  State: z.object({
    Status: z.string(),
    ExitCode: z.number(),
    Error: z.string(),
    StartedAt: z.string(),
    Health: z
      .object({
        Status: z.string(),
        Log: z.array(z.object({ ExitCode: z.number(), Output: z.string() })).nullable(),
      })
      .optional(),
  }),
});

const namesSchema = z.array(z.object({ Name: z.string() }));
const volumesSchema = z.object({ Volumes: namesSchema.nullable() });
const listSchema = z.array(
  z.object({
    Id: z.string(),
    /** None of one that is being removed. */
    Names: z.array(z.string()).nullable(),
    Image: z.string(),
    Status: z.string(),
  }),
);

/** A container of a project, as `docker inspect` tells it. */
type Container = z.infer<typeof containerSchema> & { service: string };

const STATES: Record<string, ServiceState['state'] | undefined> = {
  running: 'running',
  paused: 'paused',
  created: 'created',
};

type CommandOptions = Omit<DockerOptions, 'environment' | 'state'>;

/** Runs compositions as containers, by Docker Compose v2. */
export class DockerRuntime implements Runtime {
  readonly name = 'docker';
  readonly servicesHost: string;
  readonly servicesHostForServices = 'host.docker.internal';
  readonly testHost: { name: string; address: string };
  readonly variables: Variables;
  readonly #api: DockerApi;
  readonly #started = new Set<string>();
  /** Of containers, by project and service. */
  readonly #ids = new Map<string, Map<string, string>>();

  constructor(
    private readonly engine: Engine,
    private readonly state: SessionState,
  ) {
    this.#api = new DockerApi(engine.environment, state);
    this.servicesHost = engine.servicesHost;
    this.testHost = engine.testHost;
    this.variables = {
      PUBLISH_ADDRESS: engine.publishAddress,
      GATEWAY_ADDRESS: engine.gatewayAddress,
      // The suite asks the health addresses itself, and each check of a container's own takes 0.17 s of a processor.
      HEALTH_CHECK_EVERY: '1m',
    };
  }

  async read(
    files: readonly string[],
    project: string,
    variables: Variables,
  ): Promise<ComposeFile> {
    return readByCompose(files, project, { environment: variables, state: this.state });
  }

  async up(composition: Composition, options: UpOptions): Promise<void> {
    runComesFirst();
    const { project } = composition;
    this.#ids.delete(project);
    if (!this.#started.has(project)) {
      await this.#claim(composition);
      this.state.addProject(project, this.engine.environment);
      this.#started.add(project);
    }
    const { withinMs, services = [] } = options;
    const signal = options.signal ? { signal: options.signal } : {};
    // Images are pulled and built first, however long that takes.
    await this.#compose(composition, ['create', ...services], { withinMs: CREATE_MS, ...signal });
    if (options.isAside) await this.#putAside(composition);
    const deadline = performance.now() + withinMs;
    // Without `--wait`: a service is healthy when its health address says so, seen from here and at once. Compose knows
    // only the container's own check, which costs CPU each time and is therefore rarely made.
    const failure = await this.#compose(
      composition,
      ['up', '--detach', '--no-build', ...services],
      { withinMs: withinMs + STOP_MS, ...signal },
    ).then(
      () => undefined,
      (error: unknown) => error,
    );
    options.signal?.throwIfAborted();
    if (options.untilHealthy === false) {
      if (failure instanceof Error) throw failure;
      return;
    }
    const ill = new AbortController();
    const wanted = services.length ? services : composition.compose.services.map((s) => s.name);
    const addresses = Promise.all(
      wanted.map((service) =>
        waitForHealth(composition, service, {
          withinMs: Math.max(0, deadline - performance.now()),
          signals: [ill.signal, ...(options.signal ? [options.signal] : [])],
          logs: () => this.logs(composition, service),
          onSeen: options.onSeen,
        }),
      ),
    );
    const answered = Promise.allSettled([addresses]);
    // Whatever Compose said: the containers themselves are polled until every address is healthy.
    const containers = this.#waitForContainers(composition, {
      ...{ ...options, services, deadline, failure },
      until: answered,
    });
    try {
      await containers;
    } catch (error) {
      ill.abort(error);
      await answered;
      throw error;
    }
    await addresses;
  }

  async down(composition: Composition): Promise<void> {
    const { project } = composition;
    if (!this.#started.has(project)) return;
    // When a start was aborted, the engine may still be working on it.
    for (let times = 0, left = [project]; left.length > 0; times += 1) {
      if (times === MOST_DOWNS) {
        throw new SuiteError({
          what: 'the project could not be removed',
          where: `project ${project}`,
          seen: left.join(', '),
          expected: 'nothing',
          next: `docker compose --project-name ${project} down --volumes --remove-orphans`,
        });
      }
      const down = ['compose', '--project-name', project, 'down', '--volumes', '--remove-orphans'];
      const args = [...down, '--timeout', String(STOP_GRACE_S)];
      await this.#docker(composition, args, { withinMs: STOP_MS });
      left = await this.leftovers(composition);
    }
    this.state.removeProject(project);
    this.#started.delete(project);
    this.#ids.delete(project);
    await release(this.#claimName(project));
  }

  async ps(composition: Composition): Promise<ServiceState[]> {
    return (await this.#containers(composition)).map(({ service, State, Image: image }) => {
      const state = STATES[State.Status] ?? 'exited';
      return {
        ...{ service, state, image, startedAt: Date.parse(State.StartedAt) },
        ...(state === 'exited' ? { exitCode: State.ExitCode } : {}),
      };
    });
  }

  async leftovers({ project }: Pick<Composition, 'project'>): Promise<string[]> {
    const filters = ofProject(project);
    const [containers, networks, volumes] = await Promise.all([
      this.#list({ filters, all: true }),
      this.#api.get('/networks', { filters }),
      this.#api.get('/volumes', { filters }),
    ]);
    return [
      ...containers.map((one) => `container ${nameOf(one)}`),
      ...namesSchema.parse(networks).map(({ Name }) => `network ${Name}`),
      ...(volumesSchema.parse(volumes).Volumes ?? []).map(({ Name }) => `volume ${Name}`),
    ];
  }

  async logs(composition: Composition, service: string): Promise<string> {
    const id = await this.#idOf(composition, service);
    if (id === undefined) return '';
    const args = ['logs', '--timestamps', id];
    const { stdout, stderr } = await this.#docker(composition, args);
    // Two streams, each in order; they are merged by the timestamps at the start of the lines, all of one length.
    const lines = [...linesOf(stdout), ...linesOf(stderr)].map(stripVTControlCharacters);
    return lines.length === 0 ? '' : `${lines.sort(byTimestamp).join('\n')}\n`;
  }

  async control(composition: Composition, service: string, action: Action): Promise<void> {
    const states = await this.ps(composition);
    const wanted: ServiceState['state'][] =
      action === 'start' ? ['exited', 'created'] : action === 'resume' ? ['paused'] : ['running'];
    if (!states.some((one) => one.service === service && wanted.includes(one.state))) {
      throw new SuiteError({
        what: `the service to ${action} is not ${wanted.join(' or ')}`,
        where: `${composition.project}/${service}`,
        seen: states.map((one) => `${one.service} (${one.state})`).join(', ') || 'nothing runs',
        expected: service,
      });
    }
    const command = action === 'resume' ? 'unpause' : action;
    await this.#compose(composition, [command, service], { withinMs: STOP_MS });
    if (action !== 'start') return;
    await waitForHealth(composition, service, {
      withinMs: START_AGAIN_MS,
      signals: [],
      logs: () => this.logs(composition, service),
    });
  }

  pathInService(_composition: Composition, _service: string, path: string): string {
    return path;
  }

  async copyOut(
    composition: Composition,
    service: string,
    path: string,
    destination: string,
  ): Promise<void> {
    const container = await this.#container(composition, service);
    const args = ['cp', `${container.Id}:${path}`, destination];
    await this.#docker(composition, args, { withinMs: STOP_MS });
  }

  async addressOf(
    composition: Composition,
    service: string,
    name: string,
  ): Promise<string | undefined> {
    if (isIP(name)) return name;
    // Where Docker writes extra_hosts.
    const hosts = await this.#read(composition, service, '/etc/hosts');
    return linesOf(hosts)
      .map((line) => line.split('#')[0]?.trim().split(/\s+/) ?? [])
      .find(([address, ...names]) => names.includes(name) && isIP(address ?? '') === 4)?.[0];
  }

  async connections(composition: Composition, service: string): Promise<Connection[]> {
    const table = await this.#read(composition, service, '/proc/net/tcp', '/proc/net/tcp6');
    return parseTcpTable(table).filter(({ state }) => state === 'established');
  }

  async networks(composition: Composition): Promise<ServiceNetworks[]> {
    return (await this.#containers(composition)).map(({ service, NetworkSettings }) => ({
      service,
      networks: Object.entries(NetworkSettings.Networks).map(([name, { NetworkID: id }]) => ({
        name,
        id,
      })),
    }));
  }

  async holderOf(port: number): Promise<string | undefined> {
    const [container] = await this.#list({ filters: { publish: [`${port}/tcp`] } });
    if (container) {
      return `container ${nameOf(container)} (${container.Image}, ${container.Status})`;
    }
    if (!this.engine.isRemote) return localHolderOf(port);
    // Of programs on another host it is only known that they answer.
    return (await acceptsConnections(this.servicesHost, port))
      ? 'a program of that host'
      : undefined;
  }

  #claimName(project: string): string {
    return `project ${project} ${this.engine.endpoint}`;
  }

  /** A project belongs to one run; of two that start at the same time, one is refused. */
  async #claim(composition: Composition): Promise<void> {
    const { project } = composition;
    if (await claim(this.#claimName(project))) {
      return this.#refuseWhatIsThere(composition).catch(async (error: unknown) => {
        await release(this.#claimName(project));
        throw error;
      });
    }
    throw new PrerequisiteMissing(
      {
        what: 'another run is starting this project',
        where: `project ${project}`,
        seen: 'a process that has claimed it and is running',
        expected: 'no other process',
        next: 'wait for the other run, or choose another project name (docs/your-own-services.md, Configuration)',
      },
      'services',
    );
  }

  /** What exists under this project's name belongs to a run that goes on, or to one that was not cleaned up. */
  async #refuseWhatIsThere(composition: Composition): Promise<void> {
    const found = await this.leftovers(composition);
    if (found.length === 0) return;
    throw new PrerequisiteMissing(
      {
        what: 'the project exists already: another run of this checkout, or one that was not cleaned up',
        where: `project ${composition.project}`,
        seen: found.join(', '),
        expected: 'nothing',
        next: `wait for the other run, or: docker compose --project-name ${composition.project} down --volumes --remove-orphans`,
      },
      'services',
    );
  }

  /**
   * Polls the containers until the waiting for all health addresses has ended and the containers without an address are
   * healthy by their own check, if they have one.
   */
  async #waitForContainers(
    composition: Composition,
    options: {
      withinMs: number;
      services: string[];
      deadline: number;
      failure: unknown;
      until: Promise<unknown>;
      signal?: AbortSignal;
    },
  ): Promise<void> {
    const { services, deadline, failure } = options;
    const answered = options.until.then(() => true);
    const nextPoll = (): Promise<boolean> => Promise.race([answered, delay(POLL_EVERY_MS, false)]);
    // The containers are polled once more after the last answer.
    for (let isLast = false; ; isLast = await nextPoll()) {
      options.signal?.throwIfAborted();
      const containers = await this.#containers(composition);
      const ill = composition.compose.services
        .map(({ name }) => ({ name, container: containers.find((c) => c.service === name) }))
        .filter(({ name, container }) => {
          // Where only some were asked for, others may be missing.
          return container !== undefined || services.length === 0 || services.includes(name);
        })
        .map(({ name, container }) => ({
          name,
          illness: container
            ? illnessOf(container, composition.health.has(name))
            : { says: 'it has no container', mayPass: false },
        }))
        .find(({ illness }) => illness !== undefined);
      if (!ill?.illness && isLast) return;
      if (ill?.illness && (!ill.illness.mayPass || performance.now() > deadline)) {
        const { name, illness } = ill;
        const said = failure instanceof SuiteError ? lastLineOf(failure.problem.seen) : '';
        throw notHealthy(`${composition.project}/${name}`, {
          seen: said ? `${illness.says}; Compose: ${said}` : illness.says,
          withinMs: options.withinMs,
          log: await this.logs(composition, name),
          cause: failure,
        });
      }
    }
  }

  async #container(composition: Composition, service: string): Promise<Container> {
    const containers = await this.#containers(composition);
    const container = containers.find((one) => one.service === service);
    if (container) return container;
    throw new SuiteError({
      what: 'the service has no container',
      where: `${composition.project}/${service}`,
      seen: containers.map((one) => one.service).join(', ') || 'no containers',
      expected: service,
    });
  }

  /** Files as the service sees them, one after the other; its image must have `cat`. */
  async #read(composition: Composition, service: string, ...files: string[]): Promise<string> {
    const id =
      (await this.#idOf(composition, service)) ?? (await this.#container(composition, service)).Id;
    return (await this.#docker(composition, ['exec', id, 'cat', ...files])).stdout;
  }

  async #putAside(composition: Composition): Promise<void> {
    const ids = (await this.#containers(composition)).map(({ Id }) => Id);
    const shares = ['--cpu-shares', String(ASIDE_CPU_SHARES)];
    if (ids.length > 0) await this.#docker(composition, ['update', ...shares, ...ids]);
  }

  /** Asked once: as long as the project is not started or removed, its containers are the same. */
  async #idOf(composition: Composition, service: string): Promise<string | undefined> {
    const { project } = composition;
    let ids = this.#ids.get(project);
    if (!ids?.has(service)) {
      const containers = await this.#containers(composition);
      ids = new Map(containers.map((one) => [one.service, one.Id]));
      this.#ids.set(project, ids);
    }
    return ids.get(service);
  }

  async #containers({ project }: Pick<Composition, 'project'>): Promise<Container[]> {
    const list = await this.#list({ filters: ofProject(project), all: true });
    const inspected = await Promise.all(
      list.map(({ Id }) => this.#api.get(`/containers/${Id}/json`)),
    );
    // One that has been removed since then is none.
    const there = inspected.filter((one) => one !== undefined);
    return z
      .array(containerSchema)
      .parse(there)
      .map((container) => ({
        ...container,
        service: container.Config.Labels?.[SERVICE_LABEL] ?? container.Name,
      }));
  }

  async #list(which: Parameters<DockerApi['get']>[1]): Promise<z.infer<typeof listSchema>> {
    return listSchema.parse(await this.#api.get('/containers/json', which));
  }

  #docker(
    { variables: environment }: Pick<Composition, 'variables'>,
    args: readonly string[],
    options: CommandOptions = {},
  ): Promise<DockerOutput> {
    return docker(args, { ...options, environment, state: this.state });
  }

  #compose(
    composition: Composition,
    args: readonly string[],
    options: CommandOptions,
  ): Promise<DockerOutput> {
    const { project, compose } = composition;
    const all = [...composeArgs(project, compose.files), ...args];
    return this.#docker(composition, all, options).catch((error: unknown) => {
      if (!(error instanceof SuiteError)) throw error;
      const where = `${shownFiles(compose)}: ${error.problem.where}`;
      throw new SuiteError({ ...error.problem, where }, { cause: error });
    });
  }
}

/**
 * What is wrong with a container; undefined when it runs and its health check, if it has one, does not fail.
 *
 * @param hasAddress whether the suite polls its health address: then it must run, and its own check need not have been
 *   made yet. Other containers may have done their work and ended.
 */
function illnessOf(
  { State }: Container,
  hasAddress: boolean,
): { says: string; mayPass: boolean } | undefined {
  const { Status, ExitCode, Error: error, Health } = State;
  if (Status === 'exited' && ExitCode === 0 && !hasAddress) return undefined;
  if (Status !== 'running') {
    const why = error ? `: ${error}` : '';
    return { says: `it is ${Status}, exit code ${ExitCode}${why}`, mayPass: false };
  }
  // "none": a health check that is switched off.
  if (Health === undefined || ['healthy', 'none'].includes(Health.Status)) return undefined;
  if (Health.Status === 'starting' && hasAddress) return undefined;
  const last = Health.Log?.at(-1);
  const said = last ? `: its check ended with ${last.ExitCode}, ${last.Output.trim()}` : '';
  return {
    says: `its container is ${Health.Status}${said}`,
    mayPass: Health.Status === 'starting',
  };
}

function ofProject(project: string): Record<string, string[]> {
  return { label: [`${PROJECT_LABEL}=${project}`] };
}

/** Without the slash that the API has before it. */
function nameOf({ Id, Names }: z.infer<typeof listSchema>[number]): string {
  return Names?.[0]?.replace(/^\//, '') ?? Id;
}

function byTimestamp(a: string, b: string): number {
  const [left, right] = [a.slice(0, 30), b.slice(0, 30)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function lastLineOf(text: string): string {
  return linesOf(text).at(-1)?.trim() ?? '';
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
