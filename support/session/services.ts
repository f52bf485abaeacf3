import { rmSync } from 'node:fs';

import {
  CannotBeShown,
  messageOf,
  PrerequisiteMissing,
  problemOf,
  throwFailures,
} from '../base/errors';
import { pathOf, withoutLogin } from '../base/http';
import type { MetricsText } from '../base/prometheus';
import type { EchoComposition, OwnServices } from '../broadcast/request';
import type { Config, Settings } from '../config';
import { DualComposeManager } from '../environment/dual-compose-manager';
import { ExternalServices, runElsewhere } from '../environment/external-runtime';
import { findRuntime } from '../environment/find-runtime';
import { freePort } from '../environment/ports';
import type { Runtime } from '../environment/runtime';
import type { SessionState } from '../environment/session-state';
import { MediaMtxApi, type MediaMtxPath } from '../observe/mediamtx-api';
import { readMetrics } from '../observe/metrics';
import { sharedPoll, type SharedPoll } from '../observe/shared-poll';
import { SocketIOMonitor } from '../observe/socket-io-monitor';
import { Tap } from '../observe/tap';
import { showLine, waitingFor } from '../report/progress';
import { NO_ECHO, USUAL_SEGMENT_SECONDS } from './capabilities';

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
}

/** A compose file for each composition, laid over its own. */
export type Overlays = Record<'media' | 'sts', string>;

/** Which services a manager is for; the configured ones when nothing is given. */
interface ServiceSet {
  /** Where media-service finds the STS; its published port when not given. */
  stsUrl?: string;
  /** Ports of a further set of services, which is another project. */
  secondOn?: Record<string, string>;
  /** Variables of its compose files that have another value than the environment's. */
  variables?: Readonly<Record<string, string>>;
  /** The end of the names of its projects. */
  suffix?: string;
  /** Laid over the compositions' own files. */
  overlays?: Overlays;
  /** The echo composition in place of the two. */
  echo?: EchoComposition;
  /** The Echo STS, of the echo composition, in place of the STS composition. */
  withEchoSts?: true;
}

interface StartOptions {
  mayBeTapped?: boolean;
  onStarting?: (() => void) | undefined;
}

/** A further set of services, not started yet. */
export interface SecondServices {
  manager: DualComposeManager;
  settings: Settings;
}

/** The end of the names of an echo composition's projects. */
function echoSuffix({ echoSegmentSeconds: seconds, oneAtATime }: EchoComposition): string {
  return `-${String(seconds).replace('.', '-')}s${oneAtATime ? '-one' : ''}`;
}

/**
 * One fragment is in flight, and each waits for its turn, and then for its answer, for up to two minutes. In compressed time an
 * answer takes up to 10 s, within the 30 s that specs allow and media-service announces. Its turn is what takes longer: with
 * ten segments of 2 s, the last is cut after 20 s and sent after 92 s. One that gave up after 30 s would be dubbed in time,
 * with fallbacks, and 021-E3 would not show what too slow an STS comes to.
 */
const ONE_AT_A_TIME = { MAX_INFLIGHT: '1', ECHO_STS_TIMEOUT_MS: '120000' };

/** All services of a session: each set is started on first use, and all are stopped together. */
export class ServiceSets {
  #runtime: Promise<Runtime> | undefined;
  #dual: Promise<Services> | undefined;
  /** By what is different about them. */
  readonly #echo = new Map<string, Promise<Services>>();
  readonly #own = new Map<OwnServices, Promise<Services>>();
  readonly #second: DualComposeManager[] = [];
  readonly #taps: Tap[] = [];
  readonly #givenPorts = new Set<number>();
  /** What was said once. */
  readonly #shown = new Set<string>();
  /** What the services run as, for people. */
  runsAs = 'no services were started';
  /** host, docker or external; undefined where no services were needed. */
  runsOn: string | undefined;

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
   * @throws CannotBeShown where services are not started by the suite
   */
  async manager(set: ServiceSet = {}): Promise<DualComposeManager> {
    const runtime = await this.runtime();
    if (runtime.name === 'external') throw runElsewhere('the compose files are read');
    const settings = await this.#settingsOf(set);
    const second = set.suffix ?? (set.secondOn ? '-second' : '');
    const suffix = set.echo ? echoSuffix(set.echo) : second;
    const composition = (which: 'media' | 'sts'): Settings['compositions']['media'] => {
      const { files, project, ...rest } = settings.compositions[which];
      const overlay = set.overlays ? [set.overlays[which]] : [];
      return { ...rest, files: [...files, ...overlay], project: `${project}${suffix}` };
    };
    const compositions = { media: composition('media'), sts: composition('sts') };
    const manager = await DualComposeManager.read(runtime, {
      settings: { ...settings, compositions: { ...settings.compositions, ...compositions } },
      variables: this.#variablesOf(set, settings, runtime),
      healthTimeoutMs: HEALTH_TIMEOUT_MS,
      signal: this.signal,
    });
    for (const { compose } of [manager.sts, manager.media]) {
      compose.warnings.forEach((warning) => this.#showOnce(`Docker Compose: ${warning}`));
    }
    return manager;
  }

  #showOnce(line: string): void {
    if (this.#shown.has(line)) return;
    this.#shown.add(line);
    showLine(line);
  }

  #variablesOf(
    { echo, stsUrl, variables }: ServiceSet,
    { ports, services }: Settings,
    runtime: Runtime,
  ): Record<string, string | undefined> {
    // Seen from a service, the ports of this composition's host have another name than seen from here.
    const published = services.sts.url.replace(
      `//${runtime.servicesHost}:`,
      `//${runtime.servicesHostForServices}:`,
    );
    return {
      ...{ ...runtime.variables, ...this.config.variables, ...variables },
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
      ...(echo ? { ECHO_SEGMENT_DURATION_MS: String(1000 * echo.echoSegmentSeconds) } : {}),
      ...(echo?.oneAtATime ? ONE_AT_A_TIME : {}),
      [services.mediaService.stsUrlVariable]: stsUrl ?? published,
    };
  }

  /**
   * The running services of both compositions; started on first use.
   *
   * @param onStarting is called once nothing speaks against it: its files can be read, its ports are free
   * @throws PrerequisiteMissing ('compose-files' or 'services'), the same each time
   */
  dual(onStarting?: () => void): Promise<Services> {
    this.#dual ??= this.#start({}, { onStarting });
    return this.#dual;
  }

  /** Those of the dual compositions as far as they were started; undefined where they were not, or failed. */
  async dualIfStarted(): Promise<Services | undefined> {
    return this.#dual?.catch(() => undefined);
  }

  /**
   * The running echo composition, on free ports; started on first use.
   *
   * @throws PrerequisiteMissing ('compose-files' or 'services'), the same each time
   */
  echo(echo: EchoComposition): Promise<Services> {
    const known = this.#echo.get(echoSuffix(echo));
    if (known) return known;
    const started = this.#startEcho(echo);
    this.#echo.set(echoSuffix(echo), started);
    return started;
  }

  /** Of services that run elsewhere, those that are there: where their STS is an Echo STS. */
  async #startEcho(echo: EchoComposition): Promise<Services> {
    if ((await this.runtime()).name !== 'external') {
      return this.#start({ secondOn: await this.#freePorts(), echo });
    }
    const { sts, echoSts } = (await this.settings()).services;
    const isUsual = echo.echoSegmentSeconds === USUAL_SEGMENT_SECONDS && !echo.oneAtATime;
    if (isUsual && sts.url === echoSts.url) return this.dual();
    throw runElsewhere('one set has an Echo STS, with these segments');
  }

  /**
   * The running services of a scenario's own, on free ports; started on first use, and again after they were stopped.
   *
   * @throws PrerequisiteMissing ('compose-files' or 'services')
   */
  own(which: OwnServices): Promise<Services> {
    const known = this.#own.get(which);
    if (known) return known;
    const isEcho = which === 'media with the Echo STS';
    const set = isEcho ? { withEchoSts: true as const, suffix: '-media' } : { suffix: '-direct' };
    const started = this.#freePorts().then((secondOn) =>
      this.#start({ secondOn, ...set }, { mayBeTapped: isEcho }),
    );
    this.#own.set(which, started);
    return started;
  }

  /** Stops services of a scenario's own, if they run. */
  async stopOwn(which: OwnServices): Promise<void> {
    const services = await this.#own.get(which)?.catch(() => undefined);
    this.#own.delete(which);
    services?.monitor.disconnect();
    await services?.manager.stopAll();
  }

  /** A second set of services on free ports, which the scenario starts and stops; stopped with the session at the latest. */
  async second(overlays?: Overlays): Promise<SecondServices> {
    const secondOn = await this.#freePorts();
    const manager = await this.manager({ secondOn, ...(overlays ? { overlays } : {}) });
    this.#second.push(manager);
    return { manager, settings: await this.settings(secondOn) };
  }

  /**
   * A further set of services on free ports; whoever asks starts and stops it; stopped with the session at the latest.
   *
   * @param suffix of the names of its projects, which no other set has
   * @param variables of its compose files, which have these values
   */
  async withVariables(
    suffix: string,
    variables: Readonly<Record<string, string>>,
  ): Promise<SecondServices> {
    const secondOn = await this.#freePorts();
    const manager = await this.manager({ secondOn, variables, suffix });
    this.#second.push(manager);
    return { manager, settings: await this.settings({ ...variables, ...secondOn }) };
  }

  /**
   * Starts services for somebody else, on their usual ports; stopped with the session.
   *
   * @param echo the echo composition in place of the two
   * @returns where the tap has to listen, so that media-service finds it; undefined where it was pointed at the STS
   */
  async forOthers(echo: boolean): Promise<{ host: string; port: number } | undefined> {
    const { testHost } = await this.runtime();
    const { port } = (await this.settings()).services.sts.tap;
    const manager = await this.manager({
      ...(echo ? { echo: { echoSegmentSeconds: USUAL_SEGMENT_SECONDS } } : {}),
      ...(port === 0 ? {} : { stsUrl: `http://${testHost.name}:${port}` }),
    });
    this.#second.push(manager);
    await waitingFor('the services to start', (onSeen) =>
      manager.startAll({ logsTo: this.logsFolder, onSeen }),
    );
    return port === 0 ? undefined : { host: testHost.address, port };
  }

  /** By service: the digest of its image, of all that were started as containers and answered. */
  async images(): Promise<Record<string, string>> {
    const dual = this.#dual ? [this.#dual] : [];
    const started = await Promise.allSettled([...this.#echo.values(), ...dual]);
    const services = started.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    const states = services.flatMap(({ manager }) => manager.starts.flatMap((one) => one.services));
    return Object.fromEntries(
      states.flatMap(({ service, image }) => (image === undefined ? [] : [[service, image]])),
    );
  }

  /**
   * Stops everything that was started; all is tried even if one of it fails.
   *
   * @param logsTo collects the services' logs first
   */
  async stop(logsTo: string | undefined): Promise<void> {
    const dual = this.#dual ? [this.#dual] : [];
    const all = [...dual, ...this.#echo.values(), ...this.#own.values()];
    const started = await Promise.allSettled(all);
    const services = started.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
    services.forEach(({ monitor }) => monitor.disconnect());
    const managers = [...services.map(({ manager }) => manager), ...this.#second];
    const stopped = await Promise.allSettled(managers.map((manager) => manager.stopAll(logsTo)));
    // Whatever has failed: this process does not end as long as one of them listens.
    await Promise.all(this.#taps.map((tap) => tap.close()));
    throwFailures(
      stopped.flatMap((one): unknown[] => (one.status === 'rejected' ? [one.reason] : [])),
    );
  }

  async #findRuntime(): Promise<Runtime> {
    const { config } = this;
    const { runtime, why } = await findRuntime(config.runtime, config.variables, this.state);
    this.runsAs = why;
    this.runsOn = runtime.name;
    showLine(`services run as ${why}`);
    return runtime;
  }

  /** A free port for each that the settings name. */
  async #freePorts(): Promise<Record<string, string>> {
    const ports: Record<string, string> = {};
    for (const name of Object.keys((await this.settings()).ports)) {
      ports[name] = String(await this.#freePort());
    }
    return ports;
  }

  /** One that nobody else was given: of several sets that are being started, none listens on its ports yet. */
  async #freePort(): Promise<number> {
    for (;;) {
      const port = await freePort();
      if (this.#givenPorts.has(port)) continue;
      this.#givenPorts.add(port);
      return port;
    }
  }

  async #settingsOf(set: ServiceSet): Promise<Settings> {
    const settings = await this.settings({ ...set.variables, ...set.secondOn });
    const { compositions, services } = settings;
    if (!set.echo && !set.withEchoSts) {
      // The environment may say where the configured STS is; that of a further set is on its own port.
      const isOnOwnPort = set.secondOn && !set.variables?.[services.mediaService.stsUrlVariable];
      const url = isOnOwnPort ? `http://${new URL(services.sts.health).host}` : services.sts.url;
      return { ...settings, services: { ...services, sts: { ...services.sts, url } } };
    }
    const { echo } = compositions;
    if (!echo) throw new CannotBeShown(NO_ECHO);
    const media = set.echo ? echo : compositions.media;
    return {
      ...settings,
      compositions: { ...compositions, media, sts: echo },
      services: {
        ...services,
        // Nobody watches by WebRTC what the echo composition dubs: it need not publish that port.
        mediaServer: { ...services.mediaServer, ...(set.echo ? { webrtc: undefined } : {}) },
        sts: { ...services.sts, ...services.echoSts },
      },
    };
  }

  /** With a manager of services that run elsewhere, where they do. */
  async #managerOf(
    set: ServiceSet,
    settings: Settings,
    stsUrl: string | undefined,
  ): Promise<DualComposeManager> {
    const runtime = await this.runtime();
    const isConfigured = Object.keys(set).length === 0;
    if (runtime.name !== 'external' || !isConfigured) {
      return this.manager({ ...set, ...(stsUrl === undefined ? {} : { stsUrl }) });
    }
    return ExternalServices.of(runtime, {
      ...{ settings, stsUrl: stsUrl ?? settings.services.sts.url, signal: this.signal },
      healthTimeoutMs: HEALTH_TIMEOUT_MS,
    });
  }

  /**
   * The tap, and where media-service finds it. Services that run elsewhere have to be told of it by whoever runs them: it listens
   * where acceptance.yaml says, or not at all.
   */
  async #startTap({ services }: Settings): Promise<{ tap?: Tap; stsUrl?: string }> {
    const { name, testHost } = await this.runtime();
    const { url, tap: at } = services.sts;
    const isElsewhere = name === 'external';
    if (isElsewhere && at.port === 0) return {};
    const host = isElsewhere
      ? at
      : { name: testHost.name, host: testHost.address, port: await this.#freePort() };
    const tap = await Tap.start(withoutLogin(url), host.host, host.port).catch((error: unknown) => {
      throw new PrerequisiteMissing(
        {
          ...{
            what: 'the tap cannot listen',
            where: `${host.host}:${host.port} (TAP_HOST, TAP_PORT)`,
          },
          ...{ seen: messageOf(error), expected: 'a free port of this host' },
          next: 'choose another port, and point media-service at it',
        },
        'services',
        { cause: error },
      );
    });
    this.#taps.push(tap);
    const reached = `${'name' in host ? host.name : host.host}:${tap.port}`;
    return { tap, stsUrl: `http://${reached}${pathOf(url)}` };
  }

  async #start(
    set: ServiceSet = {},
    { mayBeTapped = true, onStarting }: StartOptions = {},
  ): Promise<Services> {
    const settings = await this.#settingsOf(set);
    const { url, name } = settings.services.sts;
    const isTapped = mayBeTapped && this.config.monitor === 'tap';
    const { tap, stsUrl } = isTapped ? await this.#startTap(settings) : {};
    // A faulty file is named as such, before any service is started.
    const manager = await this.#managerOf(set, settings, stsUrl);
    try {
      await waitingFor('the services to start', (onSeen) =>
        manager.startAll({
          ...{ logsTo: this.logsFolder, onSeen, onStarting },
          ...(set.withEchoSts ? { services: { sts: [name] } } : {}),
        }),
      );
      const monitor = new SocketIOMonitor(tap ?? url);
      await monitor.connect();
      const { mediaServer, mediaService } = settings.services;
      const api = new MediaMtxApi(mediaServer.api);
      return {
        ...{ manager, settings, monitor, tap, api },
        paths: sharedPoll(PATHS_MS, () => api.paths()),
        metrics: sharedPoll(METRICS_MS, () => readMetrics(mediaService.metrics)),
      };
    } catch (error) {
      const problem = problemOf(error);
      if (!problem) throw error;
      throw new PrerequisiteMissing(problem, 'services', { cause: error });
    }
  }
}
