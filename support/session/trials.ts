/** Compositions that are started alone with other values of their variables, asked something, and stopped again. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import pLimit from 'p-limit';

import { pcmToS16le, readAudio } from '../analyze/audio';
import { messageOf, seenOf } from '../base/errors';
import { eventually } from '../base/eventually';
import { busyShareFromNow } from '../base/processors';
import type { Track } from '../base/track';
import type { Fixture } from '../broadcast/fixture';
import { maySoonBeHealthy, saysWhyNot, type Trial } from '../checks/variables';
import { pathOf } from '../broadcast/stream-paths';
import type { Login, Settings } from '../config';
import type { DualComposeManager } from '../environment/dual-compose-manager';
import type { Composition } from '../environment/runtime';
import { get, type HttpOutcome } from '../observe/http-outcome';
import { publish } from '../observe/publisher';
import { askSts, type StsConversation } from '../observe/sts-client';
import { BegunAhead } from './begun-ahead';
import { plannedTrials } from './plan';
import type { SecondServices } from './services';
import { keyOf, type TrialRequest } from './trial-request';

/** As all services have at the start. */
const HEALTHY_MS = 60_000;
const POLL_MS = 100;
/** Whether a service still runs is asked of programs, where it is a container. */
const STATES_EVERY_MS = 1000;
/** So long an STS has to say the same of why it is not healthy, before it is taken to stay so. */
const STAYS_MS = 10_000;
/** What they name may be missing: a model, a key, a device. All other variables have values that every STS has to take. */
const MAY_BE_MISSED = ['ASR_MODEL', 'TRANSLATION_PROVIDER', 'TTS_PROVIDER', 'TTS_MODEL', 'DEVICE'];
const ON_EVERY_MACHINE = 'cpu';
const ANSWER_MS = 60_000;
/**
 * Starting an STS takes most of a processor for seconds: one starts at a time beside broadcasts, two when those are over; a third
 * would only make each of them later. One that says what it cannot have is only watched, and the next one starts beside it.
 */
const AT_ONCE = { sts: 4, media: 3 };
const RATE_HZ = 44_100;
/** As much as speech recognition uses, so that 20 s as Base64 are less than the megabyte that Socket.IO takes in a message. */
const LONG_RATE_HZ = 16_000;
const WORDS = 'hello-world';
/** Of it media-service makes one segment when it ends. */
const BROADCAST_SECONDS = 3;
const LONG_SPEECH = '30s-counting-english';
/** How long media-service may take to write what is left of a broadcast that has ended. */
const WRITTEN_MS = 10_000;
const LOOK_MS = 250;

/** What trials need of a session. */
export interface TrialHost {
  /** Settles when nothing is dubbed any more whose answers could be late, or nothing has begun. */
  quiet: () => Promise<void>;
  /** Settles when there is room for them beside what is on the air. */
  whenRoom: () => Promise<void>;
  /** Whether something is, or is going to be. */
  isOnAir: () => boolean;
  /** Services that are not started yet. */
  withVariables: (suffix: string, variables: TrialRequest['variables']) => Promise<SecondServices>;
  fixture: (name: string) => Fixture;
  /** At the media server. */
  login: Login | undefined;
  track: Track;
  signal: AbortSignal;
}

/** All trials of a run: each is made once, and those that the run is going to need begin together, some at a time. */
export class Trials {
  readonly #atOnce = { sts: pLimit(AT_ONCE.sts), media: pLimit(AT_ONCE.media) };
  readonly #besideBroadcasts = pLimit(1);
  readonly #afterBroadcasts = pLimit(1);
  readonly #made: BegunAhead<TrialRequest, Trial>;

  /** @param staysMs how long a reason for not being healthy has to stay the same to be the last word */
  constructor(
    private readonly host: TrialHost,
    staysMs = STAYS_MS,
  ) {
    this.#made = new BegunAhead(keyOf, plannedTrials, (request, index) =>
      this.#atOnce[request.composition](() =>
        this.#startedInTurn((isAside, isOnlyWatched) =>
          makeTrial(host, `-trial-${index}`, request, { staysMs, isAside, isOnlyWatched }),
        ),
      ),
    );
  }

  /** Begins those that the run is going to ask for. */
  begin(): void {
    this.#made.begin();
  }

  /** @param make is given whether it yields to broadcasts, and what to call when it leaves the processor to the next one */
  #startedInTurn(
    make: (isAside: boolean, isOnlyWatched: () => void) => Promise<Trial>,
  ): Promise<Trial> {
    return new Promise((done, failed) => {
      let isBegun = false;
      const begin = (): Promise<void> =>
        new Promise((next) => {
          if (isBegun) return next();
          isBegun = true;
          make(this.host.isOnAir(), next).then(done, failed).finally(next);
        });
      void this.host.whenRoom().then(() => this.#besideBroadcasts(begin));
      void this.host.quiet().then(() => this.#afterBroadcasts(begin));
    });
  }

  /**
   * What a composition did that was started alone.
   *
   * @throws PrerequisiteMissing ('compose-files' or 'services')
   */
  async of(request: TrialRequest): Promise<Trial> {
    // One trial may be about several of its values.
    return { ...(await this.#made.of(request)), named: request.values };
  }
}

interface Watching {
  /** How long a reason for not being healthy has to stay the same to be the last word. */
  staysMs: number;
  /** Whether it yields to broadcasts that are dubbed. */
  isAside: boolean;
  /** Is called when it says such a reason, each time that it is asked. */
  isOnlyWatched: () => void;
}

async function makeTrial(
  host: TrialHost,
  suffix: string,
  request: TrialRequest,
  watching: Watching,
): Promise<Trial> {
  host.signal.throwIfAborted();
  const { variables, composition } = request;
  const { manager, settings } = await host.withVariables(suffix, variables);
  const { sts, mediaService } = settings.services;
  const service = composition === 'sts' ? sts : mediaService;
  const own = manager[composition];
  const [began, busyShare] = [performance.now(), busyShareFromNow()];
  try {
    // The STS may well stay unhealthy: what it answers is waited for afterwards.
    const options = { untilHealthy: composition !== 'sts', isAside: watching.isAside };
    const failure = await manager.start(own, options).then(() => undefined, messageOf);
    const { health, hasEnded } = await healthOf(manager, own, service, request, watching);
    const isHealthy = health.status === 200;
    const seen = isHealthy
      ? await askedOf(host, { manager, settings, request })
      : { problem: failure };
    return {
      ...{ where: `${own.project}/${service.name}`, variables, named: request.values },
      ...{
        health,
        hasEnded,
        files: [],
        ...seen,
        log: await manager.runtime.logs(own, service.name),
      },
      ...{ tookMs: Math.round(performance.now() - began), busyShare: busyShare() },
    };
  } finally {
    await manager.stopAll();
  }
}

/**
 * The answer of a service once it is healthy, has said for `staysMs` what it cannot have, or has ended; the last one where it
 * never does.
 */
async function healthOf(
  { runtime }: DualComposeManager,
  composition: Composition,
  { name, health: address }: { name: string; health: string },
  request: TrialRequest,
  { staysMs, isOnlyWatched }: Watching,
): Promise<{ health: HttpOutcome; hasEnded: boolean }> {
  const { asked } = request;
  const withinMs = asked.kind === 'nothing' ? asked.forMs : HEALTHY_MS;
  const missable = missableIn(request);
  const began = performance.now();
  let same = { said: '', since: began };
  let seen = { at: -Infinity, hasEnded: false };
  for (;;) {
    if (performance.now() - seen.at >= STATES_EVERY_MS) {
      const states = await runtime.ps(composition);
      const runs = states.some(({ service, state }) => service === name && state === 'running');
      seen = { at: performance.now(), hasEnded: !runs };
    }
    const { hasEnded } = seen;
    const health = await get(address);
    const said = `${health.status} ${health.body}`;
    const at = performance.now();
    if (said !== same.said) same = { said, since: at };
    const isAnswered =
      asked.kind === 'nothing' ? health.status !== undefined : health.status === 200;
    const isRefusing = saysWhyNot(health, missable) && !maySoonBeHealthy(health);
    if (isRefusing) isOnlyWatched();
    const staysSo = isRefusing && at - same.since >= staysMs;
    const isFinal = isAnswered || hasEnded || staysSo;
    if (isFinal || at - began > withinMs) return { health, hasEnded };
    await new Promise((done) => setTimeout(done, POLL_MS));
  }
}

/** The values that a trial is about, and that may not be at hand. */
function missableIn({ variables, values }: TrialRequest): string[] {
  return MAY_BE_MISSED.flatMap((name) => variables[name] ?? []).filter(
    (value) => values.includes(value) && value !== ON_EVERY_MACHINE,
  );
}

interface Running {
  manager: DualComposeManager;
  settings: Settings;
  request: TrialRequest;
}

/** What a healthy composition does with what it is asked. */
async function askedOf(
  host: TrialHost,
  running: Running,
): Promise<{ conversation?: StsConversation; problem?: string; files?: string[] }> {
  const { asked } = running.request;
  if (asked.kind === 'nothing') return {};
  if (asked.kind === 'broadcast') return { files: await segmentFiles(host, running) };
  const { health } = running.settings.services.sts;
  const rateHz = asked.kind === 'words' ? RATE_HZ : LONG_RATE_HZ;
  const fragments =
    asked.kind === 'words'
      ? Array.from<Buffer>({ length: asked.atOnce }).fill(await speech(host, WORDS, 6, rateHz))
      : [await speech(host, LONG_SPEECH, asked.seconds, rateHz)];
  return askSts({
    ...{ url: `http://${new URL(health).host}`, stream: `test_trial_${Date.now()}` },
    ...{ fragments, rateHz, withinMs: ANSWER_MS, listenOnMs: 0, ignoreLimit: true },
  }).then(
    (conversation) => ({ conversation }),
    (error: unknown) => ({ problem: seenOf(error) }),
  );
}

/** The beginning of a fixture's audio. */
async function speech(
  { fixture }: TrialHost,
  name: string,
  seconds: number,
  rateHz: number,
): Promise<Buffer> {
  const samples = await readAudio(fixture(name).path, rateHz);
  return pcmToS16le(samples.slice(0, seconds * rateHz));
}

/** The files that media-service writes of a broadcast to the folder that SEGMENT_DIR names. */
async function segmentFiles(
  { fixture, login, track, signal }: TrialHost,
  { manager, settings, request }: Running,
): Promise<string[]> {
  const { mediaServer, mediaService } = settings.services;
  const stream = `test_trial_${Date.now()}`;
  const to = {
    server: { url: mediaServer.rtsp, ...login },
    path: pathOf(mediaServer.paths.input, stream),
  };
  await publish(fixture(WORDS).path, to, track, BROADCAST_SECONDS).result;
  const written = request.variables['SEGMENT_DIR'];
  if (written === undefined) return [];
  const { runtime, media } = manager;
  let seen: string[] = [];
  const look = async (): Promise<string[]> => {
    const copy = mkdtempSync(join(tmpdir(), 'segments-'));
    try {
      await runtime.copyOut(media, mediaService.name, written, join(copy, 'segments'));
      const files = filesIn(join(copy, 'segments')).map((file) => join(written, file));
      const before = seen;
      seen = files.filter((file) => file.includes(stream)).sort();
      // Video and audio, in files of their own; a file that is being written has another name.
      const isWritten = seen.length >= 2 && seen.join() === before.join();
      if (!isWritten) throw new Error(seen.join() || 'no file of the broadcast');
      return seen;
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  };
  const options = { withinMs: WRITTEN_MS, everyMs: LOOK_MS, signal };
  return eventually('segments on disk', look, options).catch(() => seen);
}

/** All files below a folder, by their paths from there. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
}
