import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { messageOf } from '../errors';
import { readComposeFile } from './compose-file';
import type { Variables } from './interpolate';
import { checkPortsFree } from './ports';
import type { Composition, Runtime } from './runtime';

/** When a composition was started and when all its services were healthy; milliseconds since the epoch. */
export interface StartRecord {
  composition: 'media' | 'sts';
  startedAt: number;
  healthyAt: number;
}

/** Starts and stops the two compositions together: STS first, then media; the other way round to stop. */
export class DualComposeManager {
  readonly media: Composition;
  readonly sts: Composition;
  readonly starts: StartRecord[] = [];
  readonly #healthTimeoutMs: number;

  /**
   * Reads and checks both compose files; starts nothing.
   *
   * @param options.projectSuffix makes the project names unique on this host
   * @throws PrerequisiteMissing when a compose file is missing or not valid
   */
  constructor(
    readonly runtime: Runtime,
    options: {
      mediaFile: string;
      stsFile: string;
      variables: Variables;
      projectSuffix: string;
      healthTimeoutMs: number;
    },
  ) {
    const { variables, projectSuffix } = options;
    this.#healthTimeoutMs = options.healthTimeoutMs;
    this.sts = {
      name: 'sts',
      project: `e2e-sts-${projectSuffix}`,
      compose: readComposeFile(options.stsFile, variables),
      variables,
    };
    this.media = {
      name: 'media',
      project: `e2e-media-${projectSuffix}`,
      compose: readComposeFile(options.mediaFile, variables),
      variables,
    };
  }

  /**
   * Starts STS, then media, each until it is healthy. What was started is stopped again when something fails.
   *
   * @param options.logsTo folder for the services' logs when something fails
   * @throws PrerequisiteMissing when a port is taken, before anything is started
   * @throws SuiteError when a service is not healthy in time
   */
  async startAll(options: { signal?: AbortSignal; logsTo?: string } = {}): Promise<void> {
    const { signal, logsTo } = options;
    await checkPortsFree(this.publishedPorts());
    try {
      for (const composition of [this.sts, this.media]) {
        const startedAt = Date.now();
        await this.runtime.up(composition, {
          withinMs: this.#healthTimeoutMs,
          ...(signal ? { signal } : {}),
        });
        this.starts.push({ composition: composition.name, startedAt, healthyAt: Date.now() });
      }
    } catch (error) {
      await this.stopAll(logsTo);
      throw error;
    }
  }

  /**
   * Stops media, then STS, and removes their volumes; both are tried even if one fails.
   *
   * @param logsTo collects the services' logs as `{logsTo}/{project}/{service}.log` first
   */
  async stopAll(logsTo?: string): Promise<void> {
    const failures: unknown[] = [];
    if (logsTo) await this.#collectLogs(logsTo).catch((error: unknown) => failures.push(error));
    for (const composition of [this.media, this.sts]) {
      await this.runtime.down(composition).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) {
      throw new AggregateError(failures, failures.map(messageOf).join('\n'));
    }
  }

  /** The logs of all services, by service name. */
  async logs(): Promise<Map<string, string>> {
    const logs = new Map<string, string>();
    for (const composition of [this.sts, this.media]) {
      for (const { name } of composition.compose.services) {
        logs.set(name, await this.runtime.logs(composition, name));
      }
    }
    return logs;
  }

  async #collectLogs(folder: string): Promise<void> {
    for (const composition of [this.sts, this.media]) {
      const target = join(folder, composition.project);
      mkdirSync(target, { recursive: true });
      for (const { name } of composition.compose.services) {
        writeFileSync(join(target, `${name}.log`), await this.runtime.logs(composition, name));
      }
    }
  }

  /** Every host port the two compositions publish, and for what. */
  publishedPorts(): Map<number, string> {
    return new Map(
      [this.sts, this.media].flatMap((composition) =>
        composition.compose.services.flatMap((service) =>
          service.publishedPorts.map((port): [number, string] => [port, service.name]),
        ),
      ),
    );
  }
}
