import { statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

import { BroadcastFindings } from '../analyze/broadcast-findings';
import { PrerequisiteMissing } from '../base/errors';
import type { Track } from '../base/track';
import { readEvidence, recordedBroadcasts } from '../broadcast/evidence';
import { requireFaultsDone } from '../broadcast/faults-done';
import {
  beginningOf,
  type Fixture,
  publishedFixture,
  readFixture,
  scriptOf,
} from '../broadcast/fixture';
import { FRESH_WORDS } from '../broadcast/fresh-words';
import { type BroadcastRequest, keyOf, segmentSecondsOf } from '../broadcast/request';
import { type Config, serviceNames, type Settings } from '../config';
import { requireAsDescribed, requirePublished } from '../checks/fixture-door';
import { showLine } from '../report/progress';
import { describedClip } from './described-clip';
import { loadOf, type Room, scheduled } from './loads';
import { publishSpoken, speakFreshWords, type SpokenWords } from './fresh-words';
import { type PlannedBroadcast, plannedBroadcasts } from './plan';
import { publishBroadcast } from './publish-broadcast';
import type { Load, Schedule } from './schedule';
import type { Services } from './services';

/** What broadcasts are dubbed with. */
export interface BroadcastHost {
  config: Config;
  /** The services that dub it, started on first use. */
  servicesFor(request: BroadcastRequest): Promise<Services>;
  settings(): Promise<Settings>;
  /** What the schedule goes by. */
  room(): Promise<Room>;
  track: Track;
  signal: AbortSignal;
  /** When each begins. */
  schedule: Schedule;
  /** Is called when one begins. */
  begins: () => void;
  /** Does something with a temporary folder, which is removed afterwards, and if this process is killed. */
  withFolder: <T>(name: string, work: (folder: string) => Promise<T>) => Promise<T>;
}

/** How long after it has begun the first one of a run may be read at the latest. */
const FIRST_READ_MS = 10_000;

/**
 * The broadcast of a run that begins first. Services that others need are started once it is being read, and none of these begins before
 * all of them run: services that start would make those later for which most are waiting, and keep their workers from joining.
 */
interface First {
  key: string;
  /** Settles when it is being read, is not after some time, or is over. */
  read: Promise<void>;
  begins: (signal: AbortSignal) => void;
  onRead: () => void;
}

function firstOf(request: BroadcastRequest): First {
  let onRead = (): void => undefined;
  const read = new Promise<void>((done) => (onRead = done));
  const begins = (signal: AbortSignal): void => {
    void delay(FIRST_READ_MS, undefined, { ref: false, signal })
      .catch(() => undefined)
      .then(onRead);
  };
  return { key: keyOf(request), read, begins, onRead };
}

/** The broadcasts of a run: each is published and dubbed once, however many scenarios look at it. */
export class Broadcasts {
  readonly #known = new Map<string, Promise<BroadcastFindings>>();
  /** What the planned ones take, by keyOf. */
  readonly #loads = new Map<string, Load>();
  /** By description and file. */
  readonly #described = new Map<string, Promise<Fixture>>();
  /** Evidence folders by the key of what was asked for; undefined where broadcasts are published. */
  readonly #recorded: Map<string, string> | undefined;
  /** What the scenarios of this run are going to ask for; known once they have begun. */
  #planned: readonly PlannedBroadcast[] | undefined;
  #freshWords: Promise<SpokenWords> | undefined;
  #streams = 0;
  #first: First | undefined;
  /** Settles when all services that the planned ones need run, or cannot be started. */
  #services: Promise<unknown> | undefined;
  /** The planned ones, once their loads are known. */
  #begun: Promise<unknown> | undefined;
  /** When all planned ones are over; see {@link quiet}. */
  #over: Promise<unknown> = Promise.resolve();
  /** When those of them are that last; see {@link lastingOver}. */
  #lastingOver: Promise<unknown> = Promise.resolve();

  /** @throws NotObserved when EVIDENCE names a folder without evidence, or of another version */
  constructor(private readonly host: BroadcastHost) {
    const { evidenceFolder } = host.config;
    if (evidenceFolder) this.#recorded = recordedBroadcasts(evidenceFolder);
  }

  /** Whether recorded broadcasts are judged: nothing is started or published then. */
  get isReplay(): boolean {
    return this.#recorded !== undefined;
  }

  /** Begins what takes its time before a broadcast can be published, while services start: the words of this run are spoken. */
  prepare(): void {
    const isSpoken = this.#planned?.some(({ request }) => request.fixture === FRESH_WORDS);
    // Whoever needs them gets the error.
    if (isSpoken) this.#speakOnce().catch(() => undefined);
  }

  /** Begins all that the run is going to need, each as soon as there is room for it; once. */
  begin(planned?: readonly PlannedBroadcast[]): void {
    if (this.isReplay || this.#planned) return;
    this.#planned = planned ?? plannedBroadcasts();
    if (this.#planned.length === 0) return;
    const begun = this.#beginAll(this.#planned);
    this.#begun = begun;
    // Whoever waits for one gets its error.
    this.#over = begun.then((all) => Promise.allSettled(all)).catch(() => undefined);
    const lasting = this.#planned.filter(({ group }) => group === 'shared');
    this.#lastingOver = begun
      .then(() => Promise.allSettled(lasting.map(({ request }) => this.#dubOnce(request))))
      .catch(() => undefined);
  }

  async #beginAll(
    planned: readonly PlannedBroadcast[],
  ): Promise<readonly Promise<BroadcastFindings>[]> {
    const room = await this.host.room();
    this.host.schedule.fit(room);
    const all = scheduled(planned, room);
    for (const { request, load } of all) this.#loads.set(keyOf(request), load);
    if (all[0]) this.#first = firstOf(all[0].request);
    return all.map(({ request }) => this.#dubOnce(request));
  }

  /**
   * Publishes a broadcast to a stream of its own and observes it to the end; an equal request is dubbed once. All that are
   * planned begin with it at the latest.
   *
   * @throws PrerequisiteMissing when its fixture or its services are missing, or it is not among the recorded ones
   */
  async dub(request: BroadcastRequest): Promise<BroadcastFindings> {
    this.begin();
    // Before that nothing is known of what it takes.
    await this.#begun;
    return this.#dubOnce(request);
  }

  /** All broadcasts that were asked for, once they have been dubbed; without those that failed. */
  async all(): Promise<BroadcastFindings[]> {
    const asked = await Promise.allSettled(this.#known.values());
    return asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  /**
   * Settles when all planned broadcasts are over, or none has begun. What is not about a broadcast can wait for them, or be one at a
   * time beside them, whatever its priority: two threads of one core take from each other all the same.
   */
  async quiet(): Promise<void> {
    await this.#over;
  }

  /** Settles when those planned ones are over that many scenarios look at, or none has begun: they take what the STS can do. */
  async lastingOver(): Promise<void> {
    await this.#lastingOver;
  }

  /** When none is being dubbed any more. */
  async ended(): Promise<void> {
    await Promise.allSettled([...this.#known.values(), this.#freshWords]);
  }

  /**
   * The fixture whose media file is there.
   *
   * @param name of a YAML file in fixtures/; null: the configured fixture
   * @throws PrerequisiteMissing ('fixture') when the media file is missing
   */
  fixture(name: string | null): Fixture {
    const { fixtureScript, fixtureFile } = this.host.config;
    const script = scriptOf(name, fixtureScript);
    const fixture = readFixture(script, script === fixtureScript ? fixtureFile : undefined);
    if (statSync(fixture.path, { throwIfNoEntry: false })?.isFile()) return fixture;
    throw new PrerequisiteMissing(
      {
        ...{ what: 'the file of the broadcast is missing', where: fixture.path },
        ...{ seen: 'no such file', expected: `${fixture.title}, ${fixture.durationSeconds} s` },
        next: 'npm run fixtures, or set FIXTURE_FILE to a file that is there',
      },
      'fixture',
    );
  }

  /**
   * The same, once its file has been compared with its description: nothing is published that is not what is said of it. A clip
   * that nobody has described is described by what it is.
   *
   * @throws PrerequisiteMissing ('fixture') also when the file is not what its description says, or cannot be read
   */
  async describedFixture(name: string | null): Promise<Fixture> {
    const { isClipAlone, reportsFolder } = this.host.config;
    const fixture = this.fixture(name);
    const key = `${fixture.yamlPath} ${fixture.path}`;
    const known = this.#described.get(key);
    if (known) return known;
    const described = (async () => {
      const isOwn = fixture.yamlPath === this.host.config.fixtureScript && isClipAlone;
      const own = isOwn ? await describedClip(fixture, reportsFolder) : fixture;
      await requireAsDescribed(own);
      return own;
    })();
    this.#described.set(key, described);
    return described;
  }

  #dubOnce(request: BroadcastRequest): Promise<BroadcastFindings> {
    const key = keyOf(request);
    const known = this.#known.get(key);
    if (known) return known;
    const dubbed = this.#recorded ? this.#replay(request, key) : this.#publish(request);
    // One that fails before anybody waits for it must not end the suite: whoever waits gets the error.
    dubbed.catch(() => undefined);
    this.#known.set(key, dubbed);
    return dubbed;
  }

  async #replay(request: BroadcastRequest, key: string): Promise<BroadcastFindings> {
    const folder = this.#recorded?.get(key);
    if (folder === undefined) throw notRecorded(`broadcast ${key}`, this.host.config);
    const fixture = await this.#fixtureOf(request, folder);
    requirePublished(readEvidence(folder).record, fixture, folder);
    return this.#findingsIn(folder, fixture);
  }

  #publish(request: BroadcastRequest): Promise<BroadcastFindings> {
    const { host } = this;
    const planned = this.#loads.get(keyOf(request));
    const load = planned ?? loadOf(request, host.config);
    const first = this.#first?.key === keyOf(request) ? this.#first : undefined;
    const dubbed = host.schedule.take(
      load,
      this.#readyFor(request),
      async ([services, fixture], schedule) => {
        host.begins();
        first?.begins(host.signal);
        const onIngested = (): void => {
          schedule.onIngested();
          first?.onRead();
        };
        const on = { ...schedule, onIngested };
        // Two broadcasts may begin in the same millisecond.
        this.#streams += 1;
        const stream = `test_${fixture.id}_${Date.now()}_${this.#streams}`;
        const { config, track, signal } = host;
        const publish = (published: Fixture, publishedFrom?: string): Promise<string> =>
          publishBroadcast(services, request, {
            ...{ config, fixture: published, stream, track, signal, on },
            ...(publishedFrom === undefined ? {} : { publishedFrom }),
          });
        const folder =
          request.fixture === FRESH_WORDS
            ? await this.#publishWords(publish)
            : await publish(fixture);
        return this.#findingsIn(folder, fixture);
      },
      planned === undefined,
    );
    return dubbed.finally(() => first?.onRead());
  }

  async #readyFor(request: BroadcastRequest): Promise<[Services, Fixture]> {
    const { host } = this;
    if (this.#first && this.#first.key !== keyOf(request)) {
      await this.#first.read;
      this.#services ??= Promise.allSettled(
        this.#planned?.map((one) => host.servicesFor(one.request)) ?? [],
      );
      await this.#services;
    }
    if (request.fixture !== FRESH_WORDS) {
      return Promise.all([host.servicesFor(request), this.#fixtureOf(request)]);
    }
    // Nobody speaks for services that cannot be started.
    const services = await host.servicesFor(request);
    return [services, await this.#fixtureOf(request)];
  }

  async #findingsIn(folder: string, fixture: Fixture): Promise<BroadcastFindings> {
    const names = serviceNames(await this.host.settings());
    const evidence = readEvidence(folder);
    requireFaultsDone(evidence);
    return new BroadcastFindings(evidence, fixture, names);
  }

  /** @param recorded the evidence folder of a broadcast that an earlier run has published */
  async #fixtureOf(request: BroadcastRequest, recorded?: string): Promise<Fixture> {
    const { fixture: name, seconds } = request;
    if (name === FRESH_WORDS && recorded !== undefined) {
      return publishedFixture(readEvidence(recorded).record, recorded);
    }
    const fixture =
      name === FRESH_WORDS ? (await this.#speakOnce()).fixture : await this.describedFixture(name);
    return beginningOf(fixture, seconds ?? undefined, segmentSecondsOf(request));
  }

  async #publishWords(
    publish: (fixture: Fixture, publishedFrom: string) => Promise<string>,
  ): Promise<string> {
    const words = await this.#speakOnce();
    const folder = await this.host.withFolder('words', (privateFolder) =>
      publishSpoken(words, privateFolder, publish),
    );
    showLine(`words composed for this run: FRESH_WORDS_SEED=${words.seed} says them again`);
    return folder;
  }

  #speakOnce(): Promise<SpokenWords> {
    const { config, track, signal, withFolder } = this.host;
    const { freshWordsSeed: seed, reportsFolder } = config;
    this.#freshWords ??= withFolder('words', (temporary) =>
      speakFreshWords(seed, reportsFolder, { track, signal, temporary }),
    );
    return this.#freshWords;
  }
}

/** What cannot be had from recorded broadcasts. */
export function notRecorded(what: string, { evidenceFolder = '' }: Config): PrerequisiteMissing {
  return new PrerequisiteMissing(
    {
      what: 'this is not in the evidence: recorded broadcasts are judged, nothing is started or published',
      ...{ where: evidenceFolder, seen: 'EVIDENCE is set', expected: what, next: 'unset EVIDENCE' },
    },
    'running-services',
  );
}
