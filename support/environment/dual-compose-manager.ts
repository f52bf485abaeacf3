import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { now } from '../base/clock';
import type { Settings } from '../config';
import { PrerequisiteMissing, SuiteError, throwFailures } from '../base/errors';
import type { Variables } from '../base/interpolate';
import { safeText } from '../base/safe-text';
import { composeFault, inOrder, shownFiles, type ComposeFile } from './compose-file';
import type { Composition, Runtime, ServiceState, UpOptions } from './runtime';

/** When a composition was started, when all its services were healthy, and what ran then; ms since the epoch. */
export interface StartRecord {
  composition: 'media' | 'sts';
  startedAt: number;
  healthyAt: number;
  services: ServiceState[];
}

export interface StartAllOptions {
  /** Folder for the services' logs when something fails. */
  logsTo?: string;
  /** Those that are started of a composition; all where not given. */
  services?: { media?: string[]; sts?: string[] };
  /** Is told each answer of a service that is not yet healthy. */
  onSeen?: (seen: string) => void;
  /** Is called once the ports are free. */
  onStarting?: (() => void) | undefined;
}

/**
 * Starts and stops the two compositions together: STS first, then media; the other way round to stop. Both may be one
 * and the same, which holds all services.
 */
export class DualComposeManager {
  readonly #starts: StartRecord[] = [];
  #starting: Promise<unknown> = Promise.resolve();

  protected constructor(
    readonly runtime: Runtime,
    readonly media: Composition,
    readonly sts: Composition,
    private readonly healthTimeoutMs: number,
    private readonly signal: AbortSignal | undefined,
  ) {}

  /**
   * Reads and checks the compose files of both compositions; starts nothing.
   *
   * @param options.settings name the files, the projects, the services and their addresses
   * @param options.signal aborts every start
   * @throws PrerequisiteMissing ('compose-files') when a file is missing or not valid, lacks services that the
   *   settings name, or does not publish the ports of their addresses
   */
  static async read(
    runtime: Runtime,
    options: {
      settings: Settings;
      variables: Variables;
      healthTimeoutMs: number;
      signal?: AbortSignal;
    },
  ): Promise<DualComposeManager> {
    const { settings, variables } = options;
    const { mediaServer, mediaService, sts } = settings.services;
    const { compositions } = settings;
    const read = async (
      name: 'media' | 'sts',
      services: { name: string; health: string }[],
    ): Promise<Composition> => {
      const { files, project, services: started } = compositions[name];
      const whole = onHostPorts(
        await runtime.read(files, project, variables),
        services,
        runtime.servicesHost,
      );
      return {
        ...{ name, project, variables },
        ...(started ? { started, compose: onlyThese(whole, started) } : { compose: whole }),
        health: new Map(services.map((service) => [service.name, service.health])),
      };
    };
    const isOne = compositions.media.project === compositions.sts.project;
    // One after the other, so that of two faulty files always the same one is named.
    const media = isOne ? await read('media', [mediaServer, mediaService, sts]) : undefined;
    const stsComposition = media ?? (await read('sts', [sts]));
    const mediaComposition = media ?? (await read('media', [mediaServer, mediaService]));
    const addresses: [ComposeFile, string, { name: string; health: string }][] = [
      [stsComposition.compose, 'sts', { name: sts.name, health: sts.health }],
      [mediaComposition.compose, 'mediaServer', mediaServer],
      [mediaComposition.compose, 'mediaService', mediaService],
    ];
    for (const [compose, key, service] of addresses) {
      checkService(compose, key, service, runtime.servicesHost);
    }
    return new DualComposeManager(
      runtime,
      mediaComposition,
      stsComposition,
      options.healthTimeoutMs,
      options.signal,
    );
  }

  /** Each start of a composition, in that order. */
  get starts(): StartRecord[] {
    return this.#starts;
  }

  /**
   * Starts STS, then media, each until it is healthy. What was started is stopped again when something fails.
   *
   * @throws PrerequisiteMissing when a port is taken, before anything is started
   * @throws SuiteError when a service is not healthy in time
   */
  async startAll({
    logsTo,
    services: only = {},
    onSeen,
    onStarting,
  }: StartAllOptions = {}): Promise<void> {
    await this.checkPortsFree();
    onStarting?.();
    try {
      for (const composition of this.#compositions) {
        const startedAt = now();
        const chosen = only[composition.name];
        await this.start(composition, {
          ...(chosen ? { services: chosen } : {}),
          ...(onSeen ? { onSeen } : {}),
        });
        const healthyAt = now();
        const services = await this.runtime.ps(composition);
        this.#starts.push({ composition: composition.name, startedAt, healthyAt, services });
      }
    } catch (error) {
      await this.stopAll(logsTo);
      throw error;
    }
  }

  /**
   * Starts one composition, or some services of it, until all are healthy, or not waiting for that.
   *
   * @throws SuiteError when a service is not healthy in time
   */
  async start(
    composition: Composition,
    options: Pick<UpOptions, 'services' | 'untilHealthy' | 'isAside' | 'onSeen'> = {},
  ): Promise<void> {
    const { signal, healthTimeoutMs: withinMs } = this;
    signal?.throwIfAborted();
    const { started } = composition;
    const up = this.runtime.up(composition, {
      ...{ withinMs, ...(started ? { services: [...started] } : {}), ...options },
      ...(signal ? { signal } : {}),
    });
    this.#starting = up.catch(() => undefined);
    await up;
  }

  /**
   * Stops media, then STS, and removes their volumes; both are tried even if one fails.
   *
   * @param logsTo collects the services' logs as `{logsTo}/{project}/{service}.log` first
   */
  async stopAll(logsTo?: string): Promise<void> {
    const failures: unknown[] = [];
    // What is removed while it is being started would be started again.
    await this.#starting;
    if (logsTo) await this.#collectLogs(logsTo).catch((error: unknown) => failures.push(error));
    for (const composition of this.#compositions.reverse()) {
      await this.runtime.down(composition).catch((error: unknown) => failures.push(error));
    }
    throwFailures(failures);
  }

  /** The logs of all services, by service name. */
  async logs(): Promise<Map<string, string>> {
    const logs = new Map<string, string>();
    for (const composition of this.#compositions) {
      for (const { name } of composition.compose.services) {
        logs.set(name, await this.runtime.logs(composition, name));
      }
    }
    return logs;
  }

  /** Every TCP port of the host that the two compositions publish, with its service. */
  publishedPorts(): Map<number, string> {
    return new Map(
      this.#compositions.flatMap((composition) =>
        composition.compose.services.flatMap((service) =>
          service.publishedPorts.map((port): [number, string] => [port, service.name]),
        ),
      ),
    );
  }

  /** The published ports that another program listens on, with its name. */
  async takenPorts(): Promise<string[]> {
    const taken: string[] = [];
    for (const [port, purpose] of this.publishedPorts()) {
      const holder = await this.runtime.holderOf(port);
      if (holder !== undefined) taken.push(`port ${port} (${purpose}) is taken by ${holder}`);
    }
    return taken;
  }

  /**
   * Refuses to start on ports that another program listens on.
   *
   * @throws PrerequisiteMissing naming each taken port and the process or container that holds it
   */
  async checkPortsFree(): Promise<void> {
    const taken = await this.takenPorts();
    if (taken.length === 0) return;
    throw new PrerequisiteMissing(
      {
        what: 'the services cannot be started: a port they publish is taken',
        where: this.runtime.servicesHost,
        seen: taken.join('; '),
        expected: `ports ${[...this.publishedPorts().keys()].join(', ')} free`,
        next: 'stop that program, or choose other ports (docs/your-own-services.md, Configuration)',
      },
      'services',
    );
  }

  /** In the order in which they are started. */
  get #compositions(): Composition[] {
    return [...new Set([this.sts, this.media])];
  }

  async #collectLogs(folder: string): Promise<void> {
    for (const composition of this.#compositions) {
      const target = join(folder, composition.project);
      mkdirSync(target, { recursive: true });
      for (const { name } of composition.compose.services) {
        const log = await this.runtime.logs(composition, name);
        // A composition that was stopped before has no log any more, but it may have been collected then.
        if (log !== '') writeFileSync(join(target, `${name}.log`), safeText(log));
      }
    }
  }
}

/**
 * A composition with no other services than those that are started, and those that they depend on.
 *
 * @throws PrerequisiteMissing ('compose-files') when it has no such service
 */
function onlyThese(compose: ComposeFile, started: readonly string[]): ComposeFile {
  const names = compose.services.map(({ name }) => name);
  const unknown = started.filter((name) => !names.includes(name));
  if (unknown.length === 0) return { ...compose, services: inOrder(compose, started) };
  throw composeFault(
    new SuiteError({
      ...{ what: 'the composition has no such service', where: shownFiles(compose) },
      ...{ seen: names.join(', '), expected: unknown.join(', ') },
      next: 'name services of this file in acceptance.yaml, compositions, services',
    }),
  );
}

/**
 * Checks that a composition has a service and publishes the ports of its addresses.
 *
 * @param key of the service in acceptance.yaml
 * @param settings its name and addresses; those on other hosts are not checked
 */
function checkService(
  compose: ComposeFile,
  key: string,
  settings: { name: string },
  servicesHost: string,
): void {
  const names = compose.services.map((service) => service.name);
  const { name, ...others } = settings;
  if (!names.includes(name)) {
    throw composeFault(
      new SuiteError({
        what: 'the composition has no such service',
        where: shownFiles(compose),
        seen: names.join(', '),
        expected: `${name}, as services.${key}.name says`,
        next: `name the service in acceptance.yaml, services.${key}.name`,
      }),
    );
  }
  const published = compose.services.flatMap((service) => service.publishedPorts);
  for (const { what, address, port } of addressesOf(others, servicesHost)) {
    if (published.includes(port)) continue;
    throw composeFault(
      new SuiteError({
        what: `the port of ${name} in acceptance.yaml is not published`,
        where: `${shownFiles(compose)}, service ${name}`,
        seen: `published: ${published.join(', ') || 'no port'}`,
        expected: `port ${port}, for ${address} (services.${key}.${what})`,
        next: `publish it in ports of ${name}, or correct services.${key}.${what} in acceptance.yaml`,
      }),
    );
  }
}

/** The addresses among a service's settings that are on the host of the services, with their ports. */
function addressesOf(
  settings: object,
  servicesHost: string,
): { what: string; address: string; port: number }[] {
  return Object.entries<unknown>({ ...settings }).flatMap(([what, address]) => {
    if (typeof address !== 'string' || !URL.canParse(address)) return [];
    const { hostname, port } = new URL(address);
    return hostname === servicesHost && port !== '' ? [{ what, address, port: Number(port) }] : [];
  });
}

/** Services on the network of the host publish nothing: they listen there, on the ports of their addresses. */
function onHostPorts(
  compose: ComposeFile,
  settings: readonly { name: string }[],
  servicesHost: string,
): ComposeFile {
  const services = compose.services.map((service) => {
    if (!service.onHostNetwork) return service;
    const own = settings.find(({ name }) => name === service.name) ?? {};
    const ports = addressesOf(own, servicesHost).map(({ port }) => port);
    return { ...service, publishedPorts: [...new Set(ports)] };
  });
  return { ...compose, services };
}
