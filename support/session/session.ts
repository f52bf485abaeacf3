import { setMaxListeners } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { constants } from 'node:os';
import { basename, join } from 'node:path';

import type { MetricsText } from '../analyze/prometheus';
import { BroadcastFindings } from '../analyze/broadcast-findings';
import { cacheTools } from '../analyze/tool-cache';
import { addToEnvironment, projectRoot, type Config, type Settings } from '../config';
import { DualComposeManager } from '../environment/dual-compose-manager';
import { findRuntime } from '../environment/find-runtime';
import { freePorts } from '../environment/ports';
import { startTimeOf } from '../environment/processes';
import type { Runtime } from '../environment/runtime';
import { SessionState, sweepLeftovers } from '../environment/session-state';
import { goneWaiter, waitersAsText, waitersOf } from '../environment/waiting';
import { PrerequisiteMissing, SuiteError, messageOf } from '../base/errors';
import { beginningOf, readFixture, type Fixture } from '../broadcast/fixture';
import { readEvidence, recordedBroadcasts } from '../broadcast/evidence';
import { MediaMtxApi, type MediaMtxPath } from '../observe/mediamtx-api';
import { readMetrics } from '../observe/metrics';
import { observeBroadcast, type Disturbance } from '../observe/observe-broadcast';
import { sharedPoll, type SharedPoll } from '../observe/shared-poll';
import { SocketIOMonitor } from '../observe/socket-io-monitor';
import { tellEcho, type EchoControl } from '../observe/echo-control';
import type { Fault } from '../broadcast/faults';
import { Tap } from '../observe/tap';
import type { Track } from '../observe/track';
import { Schedule } from './schedule';
import { endProgress, showLine, showProgress, waitingFor } from '../report/progress';

const HEALTH_TIMEOUT_MS = 60_000;
/** Spec 021: the whole pipeline, from publishing to the end of the output. */
const RUN_BUDGET_SECONDS = 300;
/** Broadcasts that run at once take each other's looks at the media server and the metrics when they are no older. */
const PATHS_MS = 100;
const METRICS_MS = 200;

/** A signal to a whole group reaches this process twice, once from whoever waits for it: both are one. */
const ONE_SIGNAL_MS = 500;
/** Stopping takes 1 to 12 s; what has not stopped by then is killed. */
const CLOSE_MS = 60_000;
const WAITERS_EVERY_MS = 500;

/** The two compositions, running, and what listens between them. */
export interface Services {
  manager: DualComposeManager;
  settings: Settings;
  monitor: SocketIOMonitor;
  tap: Tap | undefined;
  /** The media server, and what all broadcasts look at together. */
  api: MediaMtxApi;
  paths: SharedPoll<MediaMtxPath[]>;
  metrics: SharedPoll<MetricsText>;
  /** When each broadcast may begin. */
  turns: Schedule;
}

/** A compose file for each composition, laid over its own. */
export type Overlays = Record<'media' | 'sts', string>;

/** Which broadcast is dubbed, and what goes wrong with it. */
export interface BroadcastOptions {
  name?: string;
  /** Only so much of its beginning is published. */
  seconds?: number;
  /** What goes wrong between media-service and the STS. */
  plan?: Fault[];
  faults?: Disturbance;
  budgetSeconds?: number;
  /** Dubbed by the echo composition, cut into segments of that length. */
  echo?: { segmentSeconds: number };
  /** What the Echo STS is told about the stream before it is published. */
  controls?: EchoControl[];
}

/** Which services a manager is for; the configured ones when nothing is given. */
export interface ServiceSet {
  /** Where media-service finds the STS; its published port when not given. */
  stsUrl?: string;
  /** Ports of a further set of services, which is another project. */
  secondOn?: Record<string, string>;
  /** Laid over the compositions' own files. */
  overlays?: Overlays;
  /** The echo composition in place of the two. */
  echo?: { segmentSeconds: number };
}

/** What a session that has been closed leaves to the reports. */
export interface SessionRecord {
  /** What the services ran as, for people. */
  runtime: string;
  /** All broadcasts that were observed to their end. */
  broadcasts: BroadcastFindings[];
  /** Whether they were recorded by an earlier run. */
  isReplay: boolean;
  /** Undefined where there were no broadcasts. */
  settings: Settings | undefined;
  /** What went wrong besides the scenarios. */
  problems: string[];
}

/** What the scenarios share: the services, and the broadcasts that were dubbed. It outlives every scenario. */
export class Session {
  readonly #state: SessionState;
  readonly #broken = new AbortController();
  readonly #broadcasts = new Map<string, Promise<BroadcastFindings>>();
  readonly #secondServices: DualComposeManager[] = [];
  #runtime: Promise<Runtime> | undefined;
  #services: Promise<Services> | undefined;
  /** By the length of their segments in seconds. */
  readonly #echoServices = new Map<number, Promise<Services>>();
  readonly #taps: Tap[] = [];
  /** Folders of recorded broadcasts by what was asked for; undefined where broadcasts are published. */
  readonly #recorded: Map<string, string> | undefined;
  #hasFailures = false;
  #runsAs = 'no services were started';
  #closing: Promise<void> | undefined;
  #streams = 0;

  constructor(readonly config: Config) {
    // Each broadcast, and each service that starts, listens for its end.
    setMaxListeners(0, this.#broken.signal);
    if (config.analysisCache) cacheTools(config.analysisCache);
    if (config.evidenceFolder) {
      this.#recorded = recordedBroadcasts(config.evidenceFolder);
      this.#runsAs = 'recorded broadcasts: nothing was started';
    }
    sweep(config.stateFolder);
    this.#state = new SessionState(config.stateFolder, config.variables);
    addToEnvironment(this.#state.environment);
    // Logs of an earlier run must not be taken for this one's.
    rmSync(this.#logsFolder, { recursive: true, force: true });
  }

  /**
   * The fixture whose media file is there.
   *
   * @param name of a YAML file in fixtures/; the configured fixture when not given
   * @throws PrerequisiteMissing ('fixture') when the media file is missing
   */
  fixture(name?: string): Fixture {
    const { fixtureScript, fixtureFile } = this.config;
    const script = name ? join(projectRoot, 'fixtures', `${name}.yaml`) : fixtureScript;
    const fixture = readFixture(script, script === fixtureScript ? fixtureFile : undefined);
    if (statSync(fixture.path, { throwIfNoEntry: false })?.isFile()) return fixture;
    throw new PrerequisiteMissing(
      {
        what: 'the file of the broadcast is missing',
        where: fixture.path,
        seen: 'no such file',
        expected: `${fixture.title}, ${fixture.durationSeconds} s`,
        next: 'npm run fixtures, or set FIXTURE_FILE to a file that is there',
      },
      'fixture',
    );
  }

  /** Whether recorded broadcasts are judged: nothing is started or published then. */
  get isReplay(): boolean {
    return this.#recorded !== undefined;
  }

  /**
   * Containers or host processes.
   *
   * @throws PrerequisiteMissing ('services') when RUNTIME asks for an engine that does not answer; ('running-services')
   *   where recorded broadcasts are judged
   */
  runtime(): Promise<Runtime> {
    if (this.#recorded) return Promise.reject(notRecorded('services', this.config));
    this.#runtime ??= this.#findRuntime();
    return this.#runtime;
  }

  /**
   * Names and addresses of the services.
   *
   * @throws PrerequisiteMissing ('configuration')
   */
  async settings(ports: Record<string, string> = {}): Promise<Settings> {
    // Names of metrics and services are needed to judge recorded broadcasts as well; nothing is asked at the addresses.
    const host = this.isReplay ? '127.0.0.1' : (await this.runtime()).servicesHost;
    return this.config.settings(host, ports);
  }

  /**
   * A manager for the compose files; starts nothing.
   *
   * @throws PrerequisiteMissing ('compose-files')
   */
  async composeManager(set: ServiceSet = {}): Promise<DualComposeManager> {
    const runtime = await this.runtime();
    const settings = await this.#settingsOf(set);
    const suffix = set.echo ? `-${set.echo.segmentSeconds}s` : set.secondOn ? '-second' : '';
    const composition = (which: 'media' | 'sts'): Settings['compositions']['media'] => {
      const { files, project } = settings.compositions[which];
      return {
        files: [...files, ...(set.overlays ? [set.overlays[which]] : [])],
        project: `${project}${suffix}`,
      };
    };
    // Seen from a service, the ports of this composition's host have another name than seen from here.
    const published = settings.services.sts.url.replace(
      `//${runtime.servicesHost}:`,
      `//${runtime.servicesHostForServices}:`,
    );
    return DualComposeManager.read(runtime, {
      settings: {
        ...settings,
        compositions: {
          ...settings.compositions,
          ...{ media: composition('media'), sts: composition('sts') },
        },
      },
      variables: {
        ...runtime.variables,
        ...this.config.variables,
        ...Object.fromEntries(
          Object.entries(settings.ports).map(([name, port]) => [name, String(port)]),
        ),
        ...(set.echo ? { ECHO_SEGMENT_DURATION_MS: String(1000 * set.echo.segmentSeconds) } : {}),
        [settings.services.mediaService.stsUrlVariable]: set.stsUrl ?? published,
      },
      healthTimeoutMs: HEALTH_TIMEOUT_MS,
      signal: this.#broken.signal,
    });
  }

  /**
   * The running services; started on first use.
   *
   * @throws PrerequisiteMissing ('compose-files' or 'services'), the same each time
   */
  services(): Promise<Services> {
    this.#services ??= this.#startServices();
    return this.#services;
  }

  /**
   * The running echo composition, on free ports; started on first use.
   *
   * @param segmentSeconds length of the segments that its media-service cuts
   * @throws PrerequisiteMissing ('compose-files' or 'services'), the same each time
   */
  echoServices(segmentSeconds: number): Promise<Services> {
    const known = this.#echoServices.get(segmentSeconds);
    if (known) return known;
    const started = this.#freePorts().then((secondOn) =>
      this.#startServices({ secondOn, echo: { segmentSeconds } }),
    );
    this.#echoServices.set(segmentSeconds, started);
    return started;
  }

  /** A second set of services on free ports, which the scenario starts and stops; stopped with the session at the latest. */
  async secondServices(
    overlays?: Overlays,
  ): Promise<{ manager: DualComposeManager; settings: Settings }> {
    const secondOn = await this.#freePorts();
    const manager = await this.composeManager({ secondOn, ...(overlays ? { overlays } : {}) });
    this.#secondServices.push(manager);
    return { manager, settings: await this.settings(secondOn) };
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

  /**
   * Publishes a fixture to a stream of its own and observes it to the end; a broadcast of the same fixture under the
   * same plan is dubbed once.
   *
   * @param options.name of a YAML file in fixtures/; the configured fixture when not given
   * @param options.plan what the tap does to the stream
   * @param options.faults what is done to its publisher or its output
   * @param options.use tells broadcasts apart that are otherwise the same
   */
  broadcast(options: BroadcastOptions & { use?: number } = {}): Promise<BroadcastFindings> {
    const key = JSON.stringify(options);
    const known = this.#broadcasts.get(key);
    if (known) return known;
    const broadcast = this.#recorded ? this.#replay(key, options) : this.#dub(options);
    // One that fails before anybody waits for it must not end the suite: whoever waits gets the error.
    broadcast.catch(() => undefined);
    this.#broadcasts.set(key, broadcast);
    return broadcast;
  }

  /** Broadcasts that are going to be asked for; why one of them failed is told to whoever asks. */
  startTogether(broadcasts: readonly BroadcastOptions[]): void {
    broadcasts.forEach((options) => void this.broadcast(options));
  }

  /** All broadcasts through the Echo STS that were asked for, once they have been dubbed. */
  async echoBroadcasts(): Promise<BroadcastFindings[]> {
    const asked = [...(this.#recorded ?? this.#broadcasts).keys()].map(
      (key) => JSON.parse(key) as BroadcastOptions,
    );
    return Promise.all(asked.filter(({ echo }) => echo).map((options) => this.broadcast(options)));
  }

  /** The logs of the services as far as they have been written; of those that did not start, what was collected. */
  async serviceLogs(): Promise<Map<string, string>> {
    const services = await this.#services?.catch(() => undefined);
    if (services) return services.manager.logs();
    const folder = this.#logsFolder;
    if (!existsSync(folder)) return new Map();
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    return new Map(
      files
        .filter((name) => name.endsWith('.log'))
        .map((name) => [basename(name, '.log'), readFileSync(join(folder, name), 'utf8')]),
    );
  }

  /** Notes that a scenario failed: logs are kept when the session ends. */
  noteFailure(): void {
    this.#hasFailures = true;
  }

  get track(): Track {
    return (name, pid) => {
      if (pid === undefined) return () => undefined;
      this.#state.addGroup({ pid, startTime: startTimeOf(pid), name });
      return () => this.#state.removeGroup(pid);
    };
  }

  /** Stops everything that was started; asked again, it is the same stop. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#state.startClosing();
    this.#broken.abort(new Error('the session is being closed'));
    const logsTo = this.#hasFailures ? this.#logsFolder : undefined;
    try {
      await Promise.allSettled(this.#broadcasts.values());
      const started = await Promise.allSettled([this.#services, ...this.#echoServices.values()]);
      const services = started.flatMap((one) =>
        one.status === 'fulfilled' ? (one.value ?? []) : [],
      );
      services.forEach(({ monitor }) => monitor.disconnect());
      const managers = [...services.map(({ manager }) => manager), ...this.#secondServices];
      await Promise.all(managers.map((manager) => manager.stopAll(logsTo)));
      await Promise.all(this.#taps.map((tap) => tap.close()));
    } finally {
      this.kill();
    }
  }

  /** What the reports say of it, once it is closed. */
  async record(problems: string[]): Promise<SessionRecord> {
    const asked = await Promise.allSettled(this.#broadcasts.values());
    const broadcasts = asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    return {
      ...{ runtime: this.#runsAs, broadcasts, isReplay: this.isReplay, problems },
      settings: broadcasts.length > 0 ? await this.settings() : undefined,
    };
  }

  /** Kills everything at once, without waiting for it to end well. */
  kill(): void {
    this.#state.removeAll().forEach((what) => console.error(`not removed: ${what}`));
    // What a nested run has left, which has been killed with the rest.
    sweep(this.config.stateFolder);
  }

  async #findRuntime(): Promise<Runtime> {
    const { config } = this;
    const { runtime, why } = await findRuntime(config.runtime, config.variables, this.#state);
    this.#runsAs = why;
    showLine(`services run as ${why}`);
    return runtime;
  }

  get #logsFolder(): string {
    return join(this.config.reportsFolder, 'logs');
  }

  async #startServices(set: ServiceSet = {}): Promise<Services> {
    const { config } = this;
    const settings = await this.#settingsOf(set);
    const { testHost } = await this.runtime();
    const { url } = settings.services.sts;
    const tap = config.monitor === 'tap' ? await Tap.start(url, testHost.address) : undefined;
    if (tap) this.#taps.push(tap);
    // A faulty file is named as such, before any service is started.
    const manager = await this.composeManager({
      ...set,
      ...(tap ? { stsUrl: `http://${testHost.name}:${tap.port}` } : {}),
    });
    try {
      await waitingFor('the services to start', () =>
        manager.startAll({ logsTo: this.#logsFolder }),
      );
      const monitor = new SocketIOMonitor(tap ?? url);
      await monitor.connect();
      const { mediaServer, mediaService } = settings.services;
      const api = new MediaMtxApi(mediaServer.api);
      return {
        ...{ manager, settings, monitor, tap, api },
        paths: sharedPoll(PATHS_MS, () => api.paths()),
        metrics: sharedPoll(METRICS_MS, () => readMetrics(mediaService.metrics)),
        turns: new Schedule(this.#broken.signal),
      };
    } catch (error) {
      if (!(error instanceof SuiteError)) throw error;
      throw new PrerequisiteMissing(error.problem, 'services', { cause: error });
    }
  }

  #fixtureOf({ name, seconds, echo }: BroadcastOptions): Fixture {
    return beginningOf(this.fixture(name), seconds, echo?.segmentSeconds);
  }

  async #replay(key: string, options: BroadcastOptions): Promise<BroadcastFindings> {
    const folder = this.#recorded?.get(key);
    if (!folder) throw notRecorded(`broadcast ${key}`, this.config);
    return Promise.resolve(new BroadcastFindings(readEvidence(folder), this.#fixtureOf(options)));
  }

  async #dub(options: BroadcastOptions): Promise<BroadcastFindings> {
    const { echo } = options;
    const services = await (echo ? this.echoServices(echo.segmentSeconds) : this.services());
    return services.turns.take((onIngested) => this.#publish(services, options, onIngested));
  }

  async #publish(
    services: Services,
    options: BroadcastOptions,
    onIngested: () => void,
  ): Promise<BroadcastFindings> {
    const { manager, settings, monitor, tap, api, paths, metrics } = services;
    const { mediaServer, mediaService } = settings.services;
    const fixture = this.#fixtureOf(options);
    // Two broadcasts may begin in the same millisecond.
    this.#streams += 1;
    const stream = `test_${fixture.id}_${Date.now()}_${this.#streams}`;
    const folder = join(this.config.reportsFolder, 'evidence', stream);
    if (options.plan) {
      if (!tap) {
        throw new SuiteError({
          what: 'faults need the tap',
          where: 'STS_MONITOR',
          seen: this.config.monitor,
          expected: 'tap',
          next: 'unset STS_MONITOR',
        });
      }
      tap.setPlan(stream, { faults: options.plan, seed: this.config.faultSeed });
    }
    for (const control of options.controls ?? []) {
      await tellEcho(settings.services.sts.url, stream, control);
    }
    const { runtime, media } = manager;
    const { name: server, recordings } = mediaServer;
    const ours = `${recordings}/live/${stream}/out`;
    await observeBroadcast({
      ...{ fixture, asked: { ...options } },
      faults: options.faults ?? {},
      stream,
      folder,
      monitor,
      ...{ api, paths, metrics },
      plan: { words: (options.plan ?? []).map(({ words }) => words), seed: this.config.faultSeed },
      rtspUrl: mediaServer.rtsp,
      rtmpUrl: mediaServer.rtmp,
      recording: {
        pattern: runtime.pathInService(media, server, `${recordings}/%path/%s-%f`),
        fetch: async (file) => {
          const copies = `${file}.pieces`;
          await runtime.copyOut(media, server, ours, copies);
          const pieces = readdirSync(copies).sort(
            (a, b) => statSync(join(copies, b)).size - statSync(join(copies, a)).size,
          );
          if (pieces[0] === undefined) throw new Error(`${server} made no file in ${ours}`);
          cpSync(join(copies, pieces[0]), file);
          if (pieces.length === 1) rmSync(copies, { recursive: true });
          return pieces.length;
        },
      },
      ...(options.echo && !options.plan
        ? {
            fetchSegments: (folder) =>
              runtime.copyOut(
                media,
                mediaService.name,
                `${mediaService.segments}/${stream}`,
                folder,
              ),
          }
        : {}),
      network: {
        stsUrl: media.variables[mediaService.stsUrlVariable] ?? '',
        connections: () => runtime.connections(media, mediaService.name),
        addressOf: (name) => runtime.addressOf(media, mediaService.name, name),
      },
      logs: () => manager.logs(),
      budgetSeconds: options.budgetSeconds ?? RUN_BUDGET_SECONDS,
      runtime: runtime.name,
      monitorMode: this.config.monitor,
      track: this.track,
      withViewer: !options.echo,
      onProgress: (progress) => showProgress(progress, fixture.title),
      onIngested,
      signal: this.#broken.signal,
    }).finally(() => endProgress(stream));
    return new BroadcastFindings(readEvidence(folder), fixture);
  }
}

/** What cannot be had from recorded broadcasts. */
function notRecorded(what: string, { evidenceFolder = '' }: Config): PrerequisiteMissing {
  return new PrerequisiteMissing(
    {
      what: 'this is not in the evidence: recorded broadcasts are judged, nothing is started or published',
      where: evidenceFolder,
      seen: 'EVIDENCE is set',
      expected: what,
      next: 'unset EVIDENCE',
    },
    'running-services',
  );
}

let session: Session | undefined;
let record: SessionRecord | undefined;

/** The session of this process; made on first use. */
export function openSession(config: () => Config): Session {
  if (session) return session;
  const opened = new Session(config());
  session = opened;
  mkdirSync(opened.config.reportsFolder, { recursive: true });
  closeOnSignals(opened);
  return opened;
}

/** @throws whatever could not be stopped or removed */
export async function closeSession(): Promise<void> {
  const problems: string[] = [];
  try {
    await waitingFor('the services to stop', async () => session?.close());
  } catch (error) {
    problems.push(messageOf(error));
    throw error;
  } finally {
    record = await session?.record(problems);
    session = undefined;
  }
}

/** What the session left; undefined while it is open, and where no scenario needed one. */
export function closedSession(): SessionRecord | undefined {
  return record;
}

function sweep(stateFolder: string): void {
  const { removed, left } = sweepLeftovers(stateFolder);
  removed.forEach((what) => console.error(`removed what an earlier run left: ${what}`));
  left.forEach((what) => console.error(`an earlier run left something that stays: ${what}`));
}

/**
 * cucumber-js handles no signal: the first one stops the services in order, the second kills them. The same happens when
 * nobody reads any more what is printed, or whoever waits for this process is gone.
 */
function closeOnSignals(opened: Session): void {
  let closingSince: number | undefined;
  const end = (exitCode: number): never => {
    opened.kill();
    process.exit(exitCode);
  };
  const close = (why: string, exitCode: number): void => {
    if (closingSince !== undefined) return;
    closingSince = performance.now();
    console.error(`\n${why}: stopping the services …`);
    setTimeout(() => end(exitCode), CLOSE_MS);
    opened.close().then(
      () => process.exit(exitCode),
      (error: unknown) => {
        console.error(messageOf(error));
        end(exitCode);
      },
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const exitCode = 128 + constants.signals[signal];
    process.on(signal, () => {
      const isSecond =
        closingSince !== undefined && performance.now() - closingSince > ONE_SIGNAL_MS;
      if (isSecond) end(exitCode);
      close(signal, exitCode);
    });
  }
  // The other end of the pipe, or the terminal, is gone. Without a listener the next line printed would be fatal.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => close(messageOf(error), 1));
  }
  const waiters = opened.config.waiters ?? waitersAsText(waitersOf(process.pid));
  setInterval(() => {
    const gone = goneWaiter(waiters);
    if (gone !== undefined) close(`process ${gone}, which waits for this one, is gone`, 1);
  }, WAITERS_EVERY_MS).unref();
  process.on('exit', () => opened.kill());
}
