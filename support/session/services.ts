import { rmSync } from 'node:fs';

import { PrerequisiteMissing, problemOf } from '../base/errors';
import type { MetricsText } from '../base/prometheus';
import type { Config, Settings } from '../config';
import { DualComposeManager } from '../environment/dual-compose-manager';
import { findRuntime } from '../environment/find-runtime';
import { freePorts } from '../environment/ports';
import type { Runtime } from '../environment/runtime';
import type { SessionState } from '../environment/session-state';
import { MediaMtxApi, type MediaMtxPath } from '../observe/mediamtx-api';
import { readMetrics } from '../observe/metrics';
import { sharedPoll, type SharedPoll } from '../observe/shared-poll';
import { SocketIOMonitor } from '../observe/socket-io-monitor';
import { Tap } from '../observe/tap';
import { showLine, waitingFor } from '../report/progress';
import { Schedule } from './schedule';

const HEALTH_TIMEOUT_MS = 60_000;
/** Broadcasts that are dubbed at once share polls of the media server and the metrics that are no older. */
const PATHS_MS = 100;
const METRICS_MS = 200;

/** The two compositions, running, and what listens between them. */
export interface Services {
  manager: DualComposeManager;
  settings: Settings;
  monitor: SocketIOMonitor;
  tap: Tap | undefined;
  /** The media server, and what all broadcasts poll together. */
  api: MediaMtxApi;
  paths: SharedPoll<MediaMtxPath[]>;
  metrics: SharedPoll<MetricsText>;
  /** When each broadcast may begin. */
  schedule: Schedule;
}

/** A compose file for each composition, laid over its own. */
export type Overlays = Record<'media' | 'sts', string>;

/** Which services a manager is for; the configured ones when nothing is given. */
interface ServiceSet {
  /** Where media-service finds the STS; its published port when not given. */
  stsUrl?: string;
  /** Ports of a further set of services, which is another project. */
  secondOn?: Record<string, string>;
  /** Laid over the compositions' own files. */
  overlays?: Overlays;
  /** The echo composition in place of the two. */
  echo?: { segmentSeconds: number };
}

/** A further set of services, not started yet. */
export interface SecondServices {
  manager: DualComposeManager;
  settings: Settings;
}

/** All services of a session: each set is started on first use, and all are stopped together. */
export class ServiceSets {
  #runtime: Promise<Runtime> | undefined;
  #dual: Promise<Services> | undefined;
  /** By the length of their segments in seconds. */
  readonly #echo = new Map<number, Promise<Services>>();
  readonly #second: DualComposeManager[] = [];
  readonly #taps: Tap[] = [];
  /** What the services run as, for people. */
  runsAs = 'no services were started';

  /**
   * @param signal after which nothing is started any more
   * @param logsFolder for the services' logs when one of them does not start
   */
  constructor(
    private readonly config: Config,
    private readonly state: SessionState,
    private readonly signal: AbortSignal,
    private readonly logsFolder: string,
  ) {
    // Logs of an earlier run must not be taken for this one's.
    rmSync(logsFolder, { recursive: true, force: true });
  }

  /**
   * Containers or host processes.
   *
   * @throws PrerequisiteMissing ('services') when RUNTIME asks for an engine that does not answer
   */
  runtime(): Promise<Runtime> {
    this.#runtime ??= this.#findRuntime();
    return this.#runtime;
  }

  /** @throws PrerequisiteMissing ('configuration') */
  async settings(ports: Record<string, string> = {}): Promise<Settings> {
    return this.config.settings((await this.runtime()).servicesHost, ports);
  }

  /**
   * A manager for the compose files; starts nothing.
   *
   * @throws PrerequisiteMissing ('compose-files')
   */
  async manager(set: ServiceSet = {}): Promise<DualComposeManager> {
    const runtime = await this.runtime();
    const settings = await this.#settingsOf(set);
    const suffix = set.echo ? `-${set.echo.segmentSeconds}s` : set.secondOn ? '-second' : '';
    const composition = (which: 'media' | 'sts'): Settings['compositions']['media'] => {
      const { files, project } = settings.compositions[which];
      const overlay = set.overlays ? [set.overlays[which]] : [];
      return { files: [...files, ...overlay], project: `${project}${suffix}` };
    };
    const compositions = { media: composition('media'), sts: composition('sts') };
    return DualComposeManager.read(runtime, {
      settings: { ...settings, compositions: { ...settings.compositions, ...compositions } },
      variables: this.#variablesOf(set, settings, runtime),
      healthTimeoutMs: HEALTH_TIMEOUT_MS,
      signal: this.signal,
    });
  }

  #variablesOf(
    { echo, stsUrl }: ServiceSet,
    { ports, services }: Settings,
    runtime: Runtime,
  ): Record<string, string | undefined> {
    // Seen from a service, the ports of this composition's host have another name than seen from here.
    const published = services.sts.url.replace(
      `//${runtime.servicesHost}:`,
      `//${runtime.servicesHostForServices}:`,
    );
    return {
      ...{ ...runtime.variables, ...this.config.variables },
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
      ...(echo ? { ECHO_SEGMENT_DURATION_MS: String(1000 * echo.segmentSeconds) } : {}),
      [services.mediaService.stsUrlVariable]: stsUrl ?? published,
    };
  }

  /**
   * The running services of both compositions; started on first use.
   *
   * @throws PrerequisiteMissing ('compose-files' or 'services'), the same each time
   */
  dual(): Promise<Services> {
    this.#dual ??= this.#start();
    return this.#dual;
  }

  /** Those of the dual compositions as far as they were started; undefined where they were not, or failed. */
  async dualIfStarted(): Promise<Services | undefined> {
    return this.#dual?.catch(() => undefined);
  }

  /**
   * The running echo composition, on free ports; started on first use.
   *
   * @param segmentSeconds length of the segments that its media-service cuts
   * @throws PrerequisiteMissing ('compose-files' or 'services'), the same each time
   */
  echo(segmentSeconds: number): Promise<Services> {
    const known = this.#echo.get(segmentSeconds);
    if (known) return known;
    const started = this.#freePorts().then((secondOn) =>
      this.#start({ secondOn, echo: { segmentSeconds } }),
    );
    this.#echo.set(segmentSeconds, started);
    return started;
  }

  /** A second set of services on free ports, which the scenario starts and stops; stopped with the session at the latest. */
  async second(overlays?: Overlays): Promise<SecondServices> {
    const secondOn = await this.#freePorts();
    const manager = await this.manager({ secondOn, ...(overlays ? { overlays } : {}) });
    this.#second.push(manager);
    return { manager, settings: await this.settings(secondOn) };
  }

  /** Stops everything that was started. @param logsTo collects the services' logs first */
  async stop(logsTo: string | undefined): Promise<void> {
    const started = await Promise.allSettled([this.#dual, ...this.#echo.values()]);
    const services = started.flatMap((one) =>
      one.status === 'fulfilled' ? (one.value ?? []) : [],
    );
    services.forEach(({ monitor }) => monitor.disconnect());
    const managers = [...services.map(({ manager }) => manager), ...this.#second];
    await Promise.all(managers.map((manager) => manager.stopAll(logsTo)));
    await Promise.all(this.#taps.map((tap) => tap.close()));
  }

  async #findRuntime(): Promise<Runtime> {
    const { config } = this;
    const { runtime, why } = await findRuntime(config.runtime, config.variables, this.state);
    this.runsAs = why;
    showLine(`services run as ${why}`);
    return runtime;
  }

  /** A free port for each that the settings name. */
  async #freePorts(): Promise<Record<string, string>> {
    const names = Object.keys((await this.settings()).ports);
    const free = await freePorts(names.length);
    return Object.fromEntries(names.map((name, index) => [name, String(free[index])]));
  }

  async #settingsOf(set: ServiceSet): Promise<Settings> {
    const settings = await this.settings(set.secondOn);
    if (!set.echo) return settings;
    const { compositions, services } = settings;
    return {
      ...settings,
      compositions: { ...compositions, media: compositions.echo, sts: compositions.echo },
      services: { ...services, sts: services.echoSts },
    };
  }

  async #start(set: ServiceSet = {}): Promise<Services> {
    const settings = await this.#settingsOf(set);
    const { testHost } = await this.runtime();
    const { url } = settings.services.sts;
    const isTapped = this.config.monitor === 'tap';
    const tap = isTapped ? await Tap.start(url, testHost.address) : undefined;
    if (tap) this.#taps.push(tap);
    // A faulty file is named as such, before any service is started.
    const manager = await this.manager({
      ...set,
      ...(tap ? { stsUrl: `http://${testHost.name}:${tap.port}` } : {}),
    });
    try {
      await waitingFor('the services to start', () =>
        manager.startAll({ logsTo: this.logsFolder }),
      );
      const monitor = new SocketIOMonitor(tap ?? url);
      await monitor.connect();
      const { mediaServer, mediaService } = settings.services;
      const api = new MediaMtxApi(mediaServer.api);
      return {
        ...{ manager, settings, monitor, tap, api },
        paths: sharedPoll(PATHS_MS, () => api.paths()),
        metrics: sharedPoll(METRICS_MS, () => readMetrics(mediaService.metrics)),
        schedule: new Schedule(this.signal),
      };
    } catch (error) {
      const problem = problemOf(error);
      if (!problem) throw error;
      throw new PrerequisiteMissing(problem, 'services', { cause: error });
    }
  }
}
