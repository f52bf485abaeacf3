import { setMaxListeners } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { listenBy } from '../analyze/listening';
import { cacheAnswers } from '../analyze/answer-cache';
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { Track } from '../base/track';
import type { Fixture } from '../broadcast/fixture';
import type { BroadcastRequest, EchoComposition, OwnServices } from '../broadcast/request';
import type { Trial } from '../checks/variables';
import { addToEnvironment, type Config, type Settings } from '../config';
import type { DualComposeManager } from '../environment/dual-compose-manager';
import type { SuiteRun } from '../environment/nested-suite';
import type { Runtime } from '../environment/runtime';
import { SessionState, sweepLeftovers } from '../environment/session-state';
import { isOnAir, setOnAir } from '../platform/priority';
import { type BroadcastHost, Broadcasts, notRecorded } from './broadcasts';
import type { DirectRequest } from './direct-request';
import { type DirectAnswers, DirectRequests } from './direct-sts';
import type { NestedRequest } from './nested-request';
import { isRoomBeside, roomFor } from './loads';
import { MeasuredAhead } from './measured-ahead';
import { NestedRuns } from './nested-run';
import type { PlannedBroadcast } from './plan';
import { Schedule } from './schedule';
import { type Overlays, type SecondServices, type Services, ServiceSets } from './services';
import type { TrialRequest } from './trial-request';
import { Trials } from './trials';

/** What a session that has been closed leaves to the reports. */
export interface SessionRecord {
  /** What the services ran as, for people. */
  runtime: string;
  /** host, docker or external; undefined where no services were needed. */
  runsOn: string | undefined;
  /** By service: the digest of its image, where they are containers. */
  images: Record<string, string>;
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
  readonly #ended = new AbortController();
  readonly #schedule = new Schedule(this.#ended.signal);
  readonly #services: ServiceSets;
  readonly #broadcasts: Broadcasts;
  readonly #trials: Trials;
  readonly #direct: DirectRequests;
  readonly #measured: MeasuredAhead;
  readonly #nested = new NestedRuns(this, () => this.#whenRoom(), this.#ended.signal);
  #hasFailures = false;
  #isRoomBeside = true;
  #closing: Promise<void> | undefined;

  /** @throws NotObserved when EVIDENCE names a folder without evidence, or of another version */
  constructor(readonly config: Config) {
    // Each broadcast, and each service that starts, listens for its end.
    setMaxListeners(0, this.#ended.signal);
    if (config.analysisCache) cacheAnswers(config.analysisCache);
    listenBy(config.listenerModel);
    this.#broadcasts = new Broadcasts(this.#host);
    sweep(config.stateFolder);
    this.#state = new SessionState(config.stateFolder, config.variables);
    addToEnvironment(this.#state.environment);
    this.#services = new ServiceSets(config, this.#state, this.#ended.signal, this.#logsFolder);
    this.#trials = new Trials({
      ...{ quiet: () => this.#allDubbed(), whenRoom: () => this.#whenRoom(), isOnAir },
      withVariables: (suffix, variables) => this.#services.withVariables(suffix, variables),
      fixture: (name) => this.fixture(name),
      login: config.mediaServerLogin,
      ...{ track: this.track, signal: this.#ended.signal },
    });
    this.#direct = new DirectRequests({
      ...{ config, schedule: this.#schedule, services: () => this.services() },
      fixture: (name) => this.fixture(name),
    });
    this.#measured = new MeasuredAhead({
      ...{ signal: this.#ended.signal, quiet: () => this.#allDubbed() },
      dub: (request) => this.dub(request),
    });
    if (this.isReplay) {
      this.#services.runsAs = 'recorded broadcasts: nothing was started';
      setOnAir(false);
    }
  }

  get #host(): BroadcastHost {
    return {
      ...{ config: this.config, track: this.track, signal: this.#ended.signal },
      settings: () => this.settings(),
      room: async () => {
        const { name } = await this.#services.runtime();
        const room = roomFor(this.config, await this.settings(), name);
        this.#isRoomBeside = isRoomBeside(room);
        return room;
      },
      schedule: this.#schedule,
      // Of what is not about a broadcast: one at a time beside them, or after them.
      begins: () => {
        this.#direct.begin();
        // Before what begins then looks at it.
        void this.#allDubbed().finally(() => setOnAir(false));
        this.#nested.begin();
        this.#trials.begin();
        void this.#measured.begin();
      },
      withFolder: async (name, work) => {
        const folder = this.#state.makeFolder(name);
        return work(folder).finally(() => this.#state.removeFolder(folder));
      },
      servicesFor: ({ composition }) => {
        if (composition === 'dual') return this.services();
        return typeof composition === 'object'
          ? this.echoServices(composition)
          : this.ownServices(composition);
      },
    };
  }

  /** When nothing is dubbed any more whose answers could be late. */
  async #allDubbed(): Promise<void> {
    await this.#broadcasts.quiet();
    await this.#direct.answered();
  }

  /** When what is not about a broadcast may begin: beside those that last where the processors have room for that, or else after them. */
  async #whenRoom(): Promise<void> {
    if (!this.#isRoomBeside) await this.#broadcasts.lastingOver();
  }

  /** Whether recorded broadcasts are judged: nothing is started or published then. */
  get isReplay(): boolean {
    return this.#broadcasts.isReplay;
  }

  /**
   * The fixture whose media file is there.
   *
   * @param name of a YAML file in fixtures/; null: the configured fixture
   * @throws PrerequisiteMissing ('fixture') when the media file is missing
   */
  fixture(name: string | null = null): Fixture {
    return this.#broadcasts.fixture(name);
  }

  /** The same, whose file has been compared with its description. Throws as {@link Broadcasts.describedFixture}. */
  describedFixture(name: string | null = null): Promise<Fixture> {
    return this.#broadcasts.describedFixture(name);
  }

  /**
   * Containers or host processes.
   *
   * @throws PrerequisiteMissing ('services') when RUNTIME asks for an engine that does not answer; ('running-services')
   *   where recorded broadcasts are judged
   */
  runtime(): Promise<Runtime> {
    return this.#notInReplay(() => this.#services.runtime());
  }

  /**
   * Names and addresses of the services.
   *
   * @throws PrerequisiteMissing ('configuration')
   */
  async settings(): Promise<Settings> {
    // Names of metrics and services are needed to judge recorded broadcasts as well; nothing is asked at the addresses.
    return this.isReplay ? this.config.settings('127.0.0.1') : this.#services.settings();
  }

  /** The same of services that listen on these ports. Throws as {@link settings}; as `runtime`. */
  settingsOn(ports: Readonly<Record<string, number>>): Promise<Settings> {
    const texts = Object.entries(ports).map(([name, port]) => [name, String(port)] as const);
    return this.#notInReplay(() => this.#services.settings(Object.fromEntries(texts)));
  }

  /**
   * A manager for the compose files; starts nothing.
   *
   * @throws PrerequisiteMissing ('compose-files'); as `runtime`
   */
  composeManager(): Promise<DualComposeManager> {
    return this.#notInReplay(() => this.#services.manager());
  }

  /**
   * The running services; started on first use.
   *
   * @throws PrerequisiteMissing ('compose-files' or 'services'), the same each time; as `runtime`
   */
  services(): Promise<Services> {
    return this.#notInReplay(() => {
      this.#broadcasts.begin();
      return this.#services.dual(() => this.#broadcasts.prepare());
    });
  }

  /**
   * The running echo composition, on free ports; started on first use.
   *
   * @throws PrerequisiteMissing ('compose-files' or 'services'), the same each time; as `runtime`
   */
  echoServices(echo: EchoComposition): Promise<Services> {
    return this.#notInReplay(() => this.#services.echo(echo));
  }

  /**
   * The running services of a scenario's own, on free ports; started on first use.
   *
   * @throws PrerequisiteMissing ('compose-files' or 'services'); as `runtime`
   */
  ownServices(which: OwnServices): Promise<Services> {
    return this.#notInReplay(() => {
      this.#broadcasts.begin();
      return this.#services.own(which);
    });
  }

  /** Stops services of a scenario's own, if they run. */
  stopOwnServices(which: OwnServices): Promise<void> {
    return this.#services.stopOwn(which);
  }

  /** A second set of services on free ports, which the scenario starts and stops; stopped with the session at the latest. */
  secondServices(overlays?: Overlays): Promise<SecondServices> {
    return this.#notInReplay(() => {
      this.#broadcasts.begin();
      return this.#services.second(overlays);
    });
  }

  /** Starts services for somebody else, on their usual ports. As {@link ServiceSets.forOthers}. */
  servicesForOthers(echo: boolean): ReturnType<ServiceSets['forOthers']> {
    return this.#notInReplay(() => this.#services.forOthers(echo));
  }

  /**
   * What a composition did that was started alone; an equal request is one trial.
   *
   * @throws PrerequisiteMissing ('compose-files' or 'services'); as `runtime`
   */
  trial(request: TrialRequest): Promise<Trial> {
    return this.#notInReplay(() => this.#trials.of(request));
  }

  /** What the STS answers to fragments that are sent to it directly; an equal request is sent once. Throws as {@link DirectRequests.of}. */
  sendToSts(request: DirectRequest): Promise<DirectAnswers> {
    return this.#notInReplay(() => this.#direct.of(request));
  }

  /** A run of the suite with something wrong in its settings; an equal request is one run. Throws as {@link NestedRuns.of}. */
  nestedRun(request: NestedRequest): Promise<SuiteRun> {
    return this.#nested.of(request);
  }

  /** Begins these broadcasts, or all that the scenarios of this run are going to need. */
  begin(planned?: readonly PlannedBroadcast[]): void {
    this.#broadcasts.begin(planned);
  }

  /** Publishes a broadcast and observes it to its end; an equal request is dubbed once. Throws as {@link Broadcasts.dub}. */
  dub(request: BroadcastRequest): Promise<BroadcastFindings> {
    return this.#broadcasts.dub(request);
  }

  /** The logs of the services as far as they have been written; of those that did not start, what was collected. */
  async serviceLogs(): Promise<Map<string, string>> {
    const services = await this.#services.dualIfStarted();
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

  /** Notes a process that was started, so that it is removed whatever happens. */
  get track(): Track {
    return (name, pid) => {
      if (pid === undefined) return () => undefined;
      this.#state.addGroup(pid, name);
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
    this.#ended.abort(new Error('the session is being closed'));
    try {
      await this.#broadcasts.ended();
      await this.#services.stop(this.#hasFailures ? this.#logsFolder : undefined);
    } finally {
      this.kill();
    }
  }

  /** What the reports say of it, once it is closed. */
  async record(problems: string[]): Promise<SessionRecord> {
    const broadcasts = await this.#broadcasts.all();
    return {
      ...{ runtime: this.#services.runsAs, runsOn: this.#services.runsOn },
      ...{ images: await this.#services.images(), broadcasts, isReplay: this.isReplay, problems },
      settings: broadcasts.length > 0 ? await this.settings() : undefined,
    };
  }

  /** Kills everything at once, without waiting for it to end well. */
  kill(): void {
    this.#state.removeAll().forEach((what) => console.error(`not removed: ${what}`));
    // What a nested run has left, which has been killed with the rest.
    sweep(this.config.stateFolder);
  }

  #notInReplay<T>(ask: () => Promise<T>): Promise<T> {
    return this.isReplay ? Promise.reject(notRecorded('services', this.config)) : ask();
  }

  get #logsFolder(): string {
    return join(this.config.reportsFolder, 'logs');
  }
}

function sweep(stateFolder: string): void {
  const { removed, left } = sweepLeftovers(stateFolder);
  removed.forEach((what) => console.error(`removed what an earlier run left: ${what}`));
  left.forEach((what) => console.error(`an earlier run left something that stays: ${what}`));
}
