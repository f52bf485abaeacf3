import {
  type IWorldOptions,
  setDefaultTimeout,
  setWorldConstructor,
  World,
} from '@cucumber/cucumber';
import type { Pickle } from '@cucumber/messages';

import type { BroadcastFindings } from './analyze/broadcast-findings';
import type { EndedWorker } from './analyze/service-log';
import { SuiteError } from './base/errors';
import { safeText } from './base/safe-text';
import type { Fixture } from './broadcast/fixture';
import type { BroadcastRequest, OwnServices } from './broadcast/request';
import { pathOf } from './broadcast/stream-paths';
import { type Watched, watchedBroadcast, withBusyMachine } from './checks/busy-machine';
import { type Criterion, expectPassed, judge } from './checks/criterion';
import type { InspectedFile } from './checks/fixture-file';
import type { Trial } from './checks/variables';
import { addVerdict } from './checks/verdict-log';
import { readConfig, type Settings } from './config';
import type { DualComposeManager } from './environment/dual-compose-manager';
import type { SuiteRun } from './environment/nested-suite';
import type { HttpOutcome } from './observe/http-outcome';
import type { Publication, PublisherResult } from './observe/publication';
import { publish } from './observe/publisher';
import type { SocketIOMonitor } from './observe/socket-io-monitor';
import type { DirectAnswers } from './session/direct-sts';
import type { ServedPorts } from './session/inquiries';
import { openSession } from './session/lifecycle';
import { RequestDraft } from './session/plan';
import type { SecondServices, Services, Overlays } from './session/services';
import type { Session } from './session/session';

// Longer than any limit of the specs: those are judged by the steps, which say what was seen. Nine broadcasts that a step waits for
// may have to be dubbed one after the other (MAX_STREAMS).
setDefaultTimeout(3_600_000);

/** Publishes broadcasts: to be dubbed and observed to their end, or just as a file. */
export interface Publisher {
  /** An equal request is dubbed once in a run, whatever many scenarios ask for it. */
  dub(request: BroadcastRequest): Promise<BroadcastFindings>;
  publish(
    mediaFile: string,
    mediaServer: Settings['services']['mediaServer'],
    stream: string,
  ): Publication;
}

/** What one scenario has set up and seen. Reading what no step has set fails, naming the missing step. */
export class DubbingWorld extends World {
  /** The compositions that this scenario starts, stops or inspects. */
  readonly compose: Slot<DualComposeManager>;
  /** What services and STS say to each other. */
  readonly monitor: Slot<SocketIOMonitor>;
  /** What was found out of the broadcast of this scenario. */
  readonly analyzer: Slot<BroadcastFindings>;
  /** Further broadcasts that were dubbed. */
  readonly broadcasts: Slot<BroadcastFindings[]>;
  /** A broadcast that is being dubbed while others are. */
  readonly inBackground: Slot<Promise<BroadcastFindings>>;
  /** Names and addresses of `compose`, where they are not those of the session. */
  readonly settings: Slot<Settings>;
  /** Answers to HTTP requests, by service. */
  readonly answers: Slot<Map<string, HttpOutcome>>;
  readonly servedPorts: Slot<ServedPorts>;
  /** How long the Socket.IO handshake took. */
  readonly handshakeMs: Slot<number>;
  /** A broadcast whose file is there. */
  readonly lookedUp: Slot<Fixture>;
  readonly inspected: Slot<InspectedFile>;
  readonly stsAnswers: Slot<DirectAnswers>;
  /** Compositions that were started alone, with other values of their variables; the last one is judged. */
  readonly trials: Slot<Trial[]>;
  readonly said: Slot<string>;
  readonly suiteRun: Slot<SuiteRun>;
  readonly publishing: Slot<PublisherResult & { url: string; seconds: number }>;
  readonly stoppedServer: Slot<Settings['services']['mediaServer']>;
  readonly logFolder: Slot<string>;
  /** Of a nested run. */
  readonly temporaryFolder: Slot<string>;
  /** The worker of a broadcast that it could not read. */
  readonly unread: Slot<EndedWorker>;
  /** When somebody attempted to connect; milliseconds since the epoch. */
  readonly attempts: Slot<number[]>;
  /** The names of all streams that were published or sent, in that order. */
  readonly streams = new Set<string>();
  /** What steps have said of the broadcast that is going to be dubbed. */
  readonly draft = new RequestDraft();
  /** What is undone when the scenario has ended, whatever its outcome, the last first. */
  readonly cleanups: (() => Promise<void>)[] = [];
  /** The scenario; set before its first step. */
  pickle: Pickle | undefined;
  readonly #values = new Map<string, unknown>();

  constructor(options: IWorldOptions) {
    super({ ...options, log: (text) => options.log(safeText(text)) });
    this.compose = this.#slot('compose files or services');
    this.monitor = this.#slot('services that are running');
    this.analyzer = this.#slot('a broadcast that was dubbed');
    this.broadcasts = this.#slot('several broadcasts that were dubbed');
    this.inBackground = this.#slot('a broadcast that is being dubbed');
    this.settings = this.#slot('services on ports of their own');
    this.answers = this.#slot('a request to the services');
    this.servedPorts = this.#slot('connections to the ports of the services');
    this.handshakeMs = this.#slot('a client that connected');
    this.lookedUp = this.#slot('a broadcast file that was looked up');
    this.inspected = this.#slot('a broadcast file that was inspected');
    this.trials = this.#slot('a composition that was started with other values');
    this.stsAnswers = this.#slot('something that was sent to the STS');
    this.said = this.#slot('something that was said');
    this.suiteRun = this.#slot('a run of the suite');
    this.publishing = this.#slot('an attempt to publish');
    this.stoppedServer = this.#slot('a media server that was stopped');
    this.logFolder = this.#slot('services that were stopped');
    this.temporaryFolder = this.#slot('a run of the suite with services of its own');
    this.unread = this.#slot('a broadcast that could not be read');
    this.attempts = this.#slot('somebody who counts attempts to connect');
  }

  /** What all scenarios share. */
  get session(): Session {
    return openSession(readConfig);
  }

  get publisher(): Publisher {
    const { session } = this;
    return {
      dub: async (request) => {
        const broadcast = await session.dub(request);
        this.streams.add(broadcast.stream);
        return broadcast;
      },
      publish: (mediaFile, { rtsp, paths }, stream) => {
        this.streams.add(stream);
        const server = { url: rtsp, ...session.config.mediaServerLogin };
        const to = { server, path: pathOf(paths.input, stream) };
        return publish(mediaFile, to, session.track);
      },
    };
  }

  /** The running services of both compositions; started on first use. */
  async services(): Promise<Services> {
    const services = await this.session.services();
    this.compose.value = services.manager;
    this.monitor.value = services.monitor;
    return services;
  }

  /**
   * A second set of services on free ports, not started yet; stopped when the scenario has ended.
   *
   * @param overlays compose files that are laid over those of the compositions
   */
  async secondServices(overlays?: Overlays): Promise<SecondServices> {
    const second = await this.session.secondServices(overlays);
    this.cleanups.push(() => second.manager.stopAll());
    this.compose.value = second.manager;
    this.settings.value = second.settings;
    return second;
  }

  /**
   * Judges the broadcast of this scenario by a criterion, and records the verdict.
   *
   * @throws NotAsExpected (an AssertionError) unless it holds
   */
  judge<Measured, Limit>(
    criterion: Criterion<BroadcastFindings, Measured, Limit>,
    limit: Limit,
  ): Promise<void> {
    return this.#judge(criterion, this.analyzer.value, limit, this.analyzer.value.stream);
  }

  /** The running services of the scenario's own that dub its broadcast; stopped when it has ended. */
  async ownServices(which: OwnServices): Promise<Services> {
    this.cleanups.push(() => this.session.stopOwnServices(which));
    const services = await this.session.ownServices(which);
    this.compose.value = services.manager;
    this.settings.value = await this.session.settingsOn(services.settings.ports);
    return services;
  }

  /** Judges anything else; as {@link judge}. */
  judgeOf<Subject, Measured, Limit>(
    criterion: Criterion<Subject, Measured, Limit>,
    subject: Subject,
    limit: Limit,
  ): Promise<void> {
    return this.#judge(criterion, subject, limit);
  }

  async #judge<Subject, Measured, Limit>(
    criterion: Criterion<Subject, Measured, Limit>,
    subject: Subject,
    limit: Limit,
    stream?: string,
  ): Promise<void> {
    const verdict = withBusyMachine(await judge(criterion, subject, limit), this.#watched);
    const { name = '', uri = '', location } = this.pickle ?? {};
    addVerdict(this.session.config.reportsFolder, {
      ...(stream === undefined ? {} : { stream }),
      scenario: { name, place: `${uri}:${location?.line ?? ''}` },
      verdict,
    });
    this.log(verdict.seen);
    expectPassed(verdict);
  }

  /** What this scenario was judged by, and how busy the machine was meanwhile. */
  get #watched(): Watched[] {
    const trials = this.trials.isSet ? this.trials.value : [];
    const direct = this.stsAnswers.isSet ? [this.stsAnswers.value] : [];
    const runs = this.suiteRun.isSet ? [this.suiteRun.value] : [];
    return [
      ...this.judgedBroadcasts.map(({ record }) => watchedBroadcast(record)),
      ...trials.map(({ where, busyShare }) => ({ during: `${where} was tried`, busyShare })),
      ...direct.map(({ stream, busyShare }) => ({ during: `${stream} was answered`, busyShare })),
      ...runs.map(({ busyShare }) => ({ during: 'the nested run went', busyShare })),
    ];
  }

  /** All broadcasts that this scenario was judged by, its own first. */
  get judgedBroadcasts(): BroadcastFindings[] {
    const own = this.analyzer.isSet ? [this.analyzer.value] : [];
    const others = this.broadcasts.isSet ? this.broadcasts.value : [];
    return [...new Set([...own, ...others])];
  }

  #slot<T>(what: string): Slot<T> {
    const values = this.#values;
    return {
      get isSet() {
        return values.has(what);
      },
      get value() {
        if (values.has(what)) return values.get(what) as T;
        throw new SuiteError({
          what: `bad step sequence: ${what} is not there yet`,
          where: 'this scenario',
          seen: 'a step that needs it',
          expected: 'an earlier step that provides it',
        });
      },
      set value(value: T) {
        values.set(what, value);
      },
    };
  }
}

/** One thing that a step provides and later steps use. */
export interface Slot<T> {
  readonly isSet: boolean;
  value: T;
}

setWorldConstructor(DubbingWorld);
