import { cpSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { RunFindings } from './analyze/run-findings';
import { endpointsOf, portNames, projectRoot, type Config, type Ports } from './config';
import { DualComposeManager } from './environment/dual-compose-manager';
import { HostRuntime } from './environment/host-runtime';
import { freePort } from './environment/ports';
import { startTimeOf } from './environment/processes';
import type { Runtime } from './environment/runtime';
import { SessionState, sweepLeftovers } from './environment/session-state';
import { PrerequisiteMissing, SuiteError, messageOf } from './errors';
import { readFixture, type Fixture } from './fixture';
import { readEvidence } from './observe/evidence';
import { MediaMtxApi } from './observe/mediamtx-api';
import { runPipeline } from './observe/pipeline-run';
import { SocketIOMonitor } from './observe/socket-io-monitor';
import { Tap, type TapPlan } from './observe/tap';
import type { Track } from './observe/track';
import { showProgress } from './report/progress';

/** Where MediaMTX keeps recordings; a named volume of its service. */
const RECORDINGS = '/recordings';
const HEALTH_TIMEOUT_MS = 60_000;
/** Spec 021: the whole pipeline, from publishing to the end of the output. */
const RUN_BUDGET_SECONDS = 300;

/** The two compositions, running, and what listens between them. */
export interface Services {
  manager: DualComposeManager;
  monitor: SocketIOMonitor;
  tap: Tap | undefined;
}

/** What the scenarios share: the services, and the broadcasts that were dubbed. It outlives every scenario. */
export class Session {
  readonly endpoints;
  readonly #state: SessionState;
  readonly #runtime: Runtime;
  readonly #broken = new AbortController();
  readonly #broadcasts = new Map<string, Promise<RunFindings>>();
  readonly #secondServices: DualComposeManager[] = [];
  #services: Promise<Services> | undefined;
  #tap: Tap | undefined;
  #hasFailures = false;

  constructor(readonly config: Config) {
    this.endpoints = endpointsOf(config.ports);
    for (const what of sweepLeftovers(config.stateFolder)) {
      console.error(`removed what an earlier run left: ${what}`);
    }
    this.#state = new SessionState(config.stateFolder);
    this.#runtime = new HostRuntime(this.#state);
  }

  /**
   * The fixture whose media file is there.
   *
   * @param name of a YAML file in fixtures/; the configured fixture when not given
   * @throws PrerequisiteMissing ('fixture') when the media file is missing
   */
  fixture(name?: string): Fixture {
    const fixture = name
      ? readFixture(join(projectRoot, 'fixtures', `${name}.yaml`))
      : readFixture(this.config.fixtureScript, this.config.fixtureFile);
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

  /**
   * A manager for the configured compose files; starts nothing.
   *
   * @throws PrerequisiteMissing ('compose-files')
   */
  composeManager(
    options: { ports?: Ports; stsUrlForServices?: string; suffix?: string } = {},
  ): DualComposeManager {
    if (this.config.runtime === 'docker') {
      throw new PrerequisiteMissing(
        {
          what: 'this version runs the services as host processes only',
          where: 'RUNTIME',
          seen: 'docker',
          expected: 'auto or host',
          next: 'unset RUNTIME',
        },
        'services',
      );
    }
    const { ports = this.config.ports, stsUrlForServices, suffix = '' } = options;
    return new DualComposeManager(this.#runtime, {
      mediaFile: this.config.mediaComposeFile,
      stsFile: this.config.stsComposeFile,
      variables: {
        ...this.config.environment,
        ...Object.fromEntries(portNames.map((name) => [name, String(ports[name])])),
        ...(stsUrlForServices ? { STS_SERVICE_URL: stsUrlForServices } : {}),
      },
      projectSuffix: `${this.config.projectSuffix}${suffix}`,
      healthTimeoutMs: HEALTH_TIMEOUT_MS,
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

  /** A second set of services on free ports, which the scenario starts and stops; stopped with the session at the latest. */
  async secondServices(): Promise<{ manager: DualComposeManager; ports: Ports }> {
    const numbers = await Promise.all(portNames.map(() => freePort()));
    const ports = Object.fromEntries(
      portNames.map((name, index) => [name, numbers[index]]),
    ) as Ports;
    const manager = this.composeManager({
      ports,
      stsUrlForServices: `http://${this.#runtime.testHostForServices}:${ports.STS_PORT}`,
      suffix: `-${ports.STS_PORT}`,
    });
    this.#secondServices.push(manager);
    return { manager, ports };
  }

  /**
   * Publishes a fixture to a stream of its own and observes it to the end; a broadcast of the same fixture under the
   * same plan is dubbed once.
   *
   * @param options.name of a YAML file in fixtures/; the configured fixture when not given
   * @param options.plan what the tap does to the stream
   */
  broadcast(
    options: { name?: string; plan?: TapPlan; budgetSeconds?: number } = {},
  ): Promise<RunFindings> {
    const key = JSON.stringify(options);
    const known = this.#broadcasts.get(key);
    if (known) return known;
    const broadcast = this.#dub(options);
    this.#broadcasts.set(key, broadcast);
    return broadcast;
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

  /** Stops everything that was started. */
  async close(): Promise<void> {
    this.#broken.abort(new Error('the session is being closed'));
    const logsTo = this.#hasFailures ? join(this.config.reportsFolder, 'logs') : undefined;
    try {
      await Promise.allSettled(this.#broadcasts.values());
      const services = await this.#services?.catch(() => undefined);
      services?.monitor.disconnect();
      await Promise.all(
        [...(services ? [services.manager] : []), ...this.#secondServices].map((manager) =>
          manager.stopAll(logsTo),
        ),
      );
      await this.#tap?.close();
    } finally {
      this.#state.removeAll();
    }
  }

  /** Kills everything at once, without waiting. */
  kill(): void {
    this.#state.removeAll();
  }

  async #startServices(): Promise<Services> {
    const { config } = this;
    // Read first, so that a faulty file is named before anything is started.
    this.composeManager();
    try {
      const tap = config.monitor === 'tap' ? await Tap.start(config.stsUrl) : undefined;
      this.#tap = tap;
      const host = this.#runtime.testHostForServices;
      const manager = this.composeManager(
        tap ? { stsUrlForServices: `http://${host}:${tap.port}` } : {},
      );
      await manager.startAll({
        signal: this.#broken.signal,
        logsTo: join(config.reportsFolder, 'logs'),
      });
      const monitor = new SocketIOMonitor(tap ?? config.stsUrl);
      await monitor.connect();
      return { manager, monitor, tap };
    } catch (error) {
      if (!(error instanceof SuiteError)) throw error;
      throw new PrerequisiteMissing(error.problem, 'services', { cause: error });
    }
  }

  async #dub(options: {
    name?: string;
    plan?: TapPlan;
    budgetSeconds?: number;
  }): Promise<RunFindings> {
    const fixture = this.fixture(options.name);
    const { manager, monitor, tap } = await this.services();
    const stream = `test_${fixture.id}_${Date.now()}_${this.#broadcasts.size}`;
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
      tap.setPlan(stream, options.plan);
    }
    const { runtime, media } = manager;
    const recordings = `${RECORDINGS}/live/${stream}/out`;
    await runPipeline({
      fixture,
      stream,
      folder,
      monitor,
      api: new MediaMtxApi(this.endpoints.mediamtxApi),
      rtspUrl: this.endpoints.rtsp,
      rtmpUrl: this.endpoints.rtmp,
      metricsUrl: this.endpoints.mediaMetrics,
      recording: {
        pattern: runtime.pathInService(media, 'mediamtx', `${RECORDINGS}/%path/%s-%f`),
        fetch: async (file) => {
          const copies = `${file}.pieces`;
          await runtime.copyOut(media, 'mediamtx', recordings, copies);
          const pieces = readdirSync(copies).sort(
            (a, b) => statSync(join(copies, b)).size - statSync(join(copies, a)).size,
          );
          if (pieces[0] === undefined) throw new Error(`MediaMTX made no file in ${recordings}`);
          cpSync(join(copies, pieces[0]), file);
          if (pieces.length === 1) rmSync(copies, { recursive: true });
          return pieces.length;
        },
      },
      logs: () => manager.logs(),
      budgetSeconds: options.budgetSeconds ?? RUN_BUDGET_SECONDS,
      runtime: runtime.name,
      monitorMode: this.config.monitor,
      track: this.track,
      onProgress: showProgress,
      signal: this.#broken.signal,
    });
    return new RunFindings(readEvidence(folder), fixture);
  }
}

let session: Session | undefined;

/** The session of this process; made on first use. */
export function openSession(config: () => Config): Session {
  if (session) return session;
  const opened = new Session(config());
  session = opened;
  mkdirSync(opened.config.reportsFolder, { recursive: true });
  closeOnSignals(opened);
  return opened;
}

export async function closeSession(): Promise<void> {
  await session?.close();
  session = undefined;
}

/** cucumber-js handles no signal: the first one stops the services in order, the second kills them. */
function closeOnSignals(opened: Session): void {
  let isClosing = false;
  const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
    const exitCode = signal === 'SIGINT' ? 130 : 143;
    if (isClosing) {
      opened.kill();
      process.exit(exitCode);
    }
    isClosing = true;
    console.error(`\n${signal}: stopping the services …`);
    opened.close().then(
      () => process.exit(exitCode),
      (error: unknown) => {
        console.error(messageOf(error));
        opened.kill();
        process.exit(exitCode);
      },
    );
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('exit', () => opened.kill());
}
