import {
  setDefaultTimeout,
  setWorldConstructor,
  World,
  type IWorldOptions,
} from '@cucumber/cucumber';

import type { BroadcastFindings } from './analyze/broadcast-findings';
import type { LogLine } from './analyze/service-log';
import { readConfig, type Settings } from './config';
import type { DualComposeManager } from './environment/dual-compose-manager';
import type { SuiteRun } from './environment/nested-suite';
import { SuiteError } from './base/errors';
import type { Fixture } from './broadcast/fixture';
import type { PublisherResult } from './observe/publisher';
import type { StsAnswers } from './observe/sts-client';
import type { Fault } from './broadcast/faults';
import { safeText } from './base/safe-text';
import { openSession, type Overlays, type Session } from './session/session';
import type { MediaStream } from './analyze/media';

// Longer than any limit of the specs: those are judged by the steps, which say what was seen.
setDefaultTimeout(400_000);

/** An HTTP answer, or why there was none. */
export interface HttpOutcome {
  url: string;
  status: number | undefined;
  body: string;
  tookMs: number;
}

/** What one scenario has set up and seen. Reading what no step has set fails, naming the missing step. */
export class DubbingWorld extends World {
  /** Faults that the next broadcast is dubbed under. */
  plan: Fault[] | undefined;
  /** What is undone when the scenario has ended, whatever its outcome, the last first. */
  readonly cleanups: (() => Promise<void>)[] = [];
  readonly #values = new Map<string, unknown>();

  constructor(options: IWorldOptions) {
    super({ ...options, log: (text) => options.log(safeText(text)) });
    this.broadcast = this.#slot<BroadcastFindings>('a broadcast that was dubbed');
    this.manager = this.#slot<DualComposeManager>('compose files or services');
    this.broadcasts = this.#slot<BroadcastFindings[]>('several broadcasts that were dubbed');
    this.onAir = this.#slot<Promise<BroadcastFindings>>('a broadcast on the air');
    this.settings = this.#slot<Settings>('services on ports of their own');
    this.answers = this.#slot<Map<string, HttpOutcome>>('a request to the services');
    this.handshakeMs = this.#slot<number>('a client that connected');
    this.inspected = this.#slot<{ fixture: Fixture; streams: MediaStream[]; seconds: number }>(
      'a broadcast file that was inspected',
    );
    this.stsAnswers = this.#slot<StsAnswers>('something that was sent to the STS');
    this.said = this.#slot<string>('something that was said');
    this.suiteRun = this.#slot<SuiteRun>('a run of the suite');
    this.publishing = this.#slot<PublisherResult & { url: string; seconds: number }>(
      'an attempt to publish',
    );
    this.unread = this.#slot<LogLine[]>('a broadcast that could not be read');
    this.tries = this.#slot<number[]>('somebody who counts tries to connect');
    this.stoppedServer = this.#slot<string>('a media server that was stopped');
    this.logFolder = this.#slot<string>('services that were stopped');
  }

  readonly broadcast: Slot<BroadcastFindings>;
  readonly broadcasts: Slot<BroadcastFindings[]>;
  readonly manager: Slot<DualComposeManager>;
  /** Whether broadcasts are dubbed by the echo composition, and how long its segments are. */
  echo: { segmentSeconds: number } | undefined;
  /** A broadcast that goes on while others are dubbed. */
  readonly onAir: Slot<Promise<BroadcastFindings>>;
  /** Names and addresses of `manager`, where they are not those of the session. */
  readonly settings: Slot<Settings>;
  readonly answers: Slot<Map<string, HttpOutcome>>;
  /** How long the Socket.IO handshake took. */
  readonly handshakeMs: Slot<number>;
  readonly inspected: Slot<{ fixture: Fixture; streams: MediaStream[]; seconds: number }>;
  readonly stsAnswers: Slot<StsAnswers>;
  readonly said: Slot<string>;
  readonly suiteRun: Slot<SuiteRun>;
  readonly publishing: Slot<PublisherResult & { url: string; seconds: number }>;
  /** Its address (rtsp://…). */
  readonly stoppedServer: Slot<string>;
  readonly logFolder: Slot<string>;
  /** What media-service logged about it. */
  readonly unread: Slot<LogLine[]>;
  /** When somebody tried to connect; milliseconds since the epoch. */
  readonly tries: Slot<number[]>;

  /** What all scenarios share. */
  get session(): Session {
    return openSession(readConfig);
  }

  /**
   * A second set of services on free ports, not started yet; stopped when the scenario has ended.
   *
   * @param overlays compose files that are laid over those of the compositions
   */
  async secondServices(
    overlays?: Overlays,
  ): Promise<{ manager: DualComposeManager; settings: Settings }> {
    const second = await this.session.secondServices(overlays);
    this.cleanups.push(() => second.manager.stopAll());
    this.manager.value = second.manager;
    this.settings.value = second.settings;
    return second;
  }

  /** The broadcast of this scenario, if there is one; for the attachments of a failure. */
  get broadcastIfAny(): BroadcastFindings | undefined {
    return this.broadcast.isSet ? this.broadcast.value : undefined;
  }

  /** All broadcasts that this scenario has looked at. */
  get broadcastsIfAny(): BroadcastFindings[] {
    const several = this.broadcasts.isSet ? this.broadcasts.value : [];
    return [...new Set([this.broadcastIfAny ?? [], several].flat())];
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
