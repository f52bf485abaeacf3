import { statSync } from 'node:fs';
import { join } from 'node:path';

import { BroadcastFindings } from '../analyze/broadcast-findings';
import { PrerequisiteMissing } from '../base/errors';
import type { Track } from '../base/track';
import { readEvidence, recordedBroadcasts } from '../broadcast/evidence';
import { requireFaultsDone } from '../broadcast/faults-done';
import { beginningOf, type Fixture, publishedFixture, readFixture } from '../broadcast/fixture';
import { FRESH_WORDS, FRESH_WORDS_SECONDS } from '../broadcast/fresh-words';
import { type BroadcastRequest, keyOf, segmentSecondsOf } from '../broadcast/request';
import { type Config, projectRoot, serviceNames, type Settings } from '../config';
import { requireAsDescribed } from '../checks/fixture-door';
import { showLine } from '../report/progress';
import { describedClip } from './described-clip';
import { publishSpoken, speakFreshWords, type SpokenWords } from './fresh-words';
import { type PlannedBroadcast, plannedBroadcasts } from './plan';
import { publishBroadcast } from './publish-broadcast';
import { MOST_AT_ONCE } from './schedule';
import type { Services } from './services';

/** In the order of the features, but for those that many scenarios look at: they come first. */
const GROUPS: readonly PlannedBroadcast['group'][] = ['shared', 'short', 'echo'];

/** What broadcasts are dubbed with. */
export interface BroadcastHost {
  config: Config;
  /** The services that dub it, started on first use. */
  servicesFor(request: BroadcastRequest): Promise<Services>;
  settings(): Promise<Settings>;
  track: Track;
  signal: AbortSignal;
  /** Is called when broadcasts of a group begin: those of the one before it are over. */
  begins: (group: PlannedBroadcast['group']) => void;
  /** Does something with a temporary folder, which is removed afterwards, and if this process is killed. */
  withFolder: <T>(name: string, work: (folder: string) => Promise<T>) => Promise<T>;
}

/** The broadcasts of a run: each is published and dubbed once, however many scenarios look at it. */
export class Broadcasts {
  readonly #known = new Map<string, Promise<BroadcastFindings>>();
  readonly #startedGroups = new Set<string>();
  /** By description and file. */
  readonly #described = new Map<string, Promise<Fixture>>();
  /** Evidence folders by the key of what was asked for; undefined where broadcasts are published. */
  readonly #recorded: Map<string, string> | undefined;
  /** What the scenarios of this run are going to ask for; known before its first step. */
  #planned: PlannedBroadcast[] | undefined;
  #freshWords: Promise<SpokenWords> | undefined;
  #streams = 0;
  /** Those of the group that waits for nothing; see {@link quiet}. */
  #onTheAir: Promise<unknown> = Promise.resolve();

  /** @throws NotObserved when EVIDENCE names a folder without evidence, or of another version */
  constructor(private readonly host: BroadcastHost) {
    const { evidenceFolder } = host.config;
    if (evidenceFolder) this.#recorded = recordedBroadcasts(evidenceFolder);
  }

  /** Whether recorded broadcasts are judged: nothing is started or published then. */
  get isReplay(): boolean {
    return this.#recorded !== undefined;
  }

  /**
   * Begins what takes its time before a broadcast can be published, while services start: the words of this run are spoken.
   *
   * @throws SuiteError as plannedBroadcasts
   */
  prepare(): void {
    if (this.isReplay) return;
    this.#planned ??= plannedBroadcasts();
    if (!this.#planned.some(({ request }) => request.fixture === FRESH_WORDS)) return;
    // Whoever needs them gets the error.
    this.#speakOnce().catch(() => undefined);
  }

  /**
   * Publishes a broadcast to a stream of its own and observes it to the end; an equal request is dubbed once. Planned
   * broadcasts of its group begin with it, as many as may be dubbed at a time: most of them only wait. Those of the
   * other groups follow.
   *
   * @throws PrerequisiteMissing when its fixture or its services are missing, or it is not among the recorded ones
   */
  dub(request: BroadcastRequest): Promise<BroadcastFindings> {
    if (!this.isReplay) this.#startGroupOf(request);
    return this.#dubOnce(request);
  }

  /** All broadcasts that were asked for, once they have been dubbed; without those that failed. */
  async all(): Promise<BroadcastFindings[]> {
    const asked = await Promise.allSettled(this.#known.values());
    return asked.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }

  /**
   * Settles when the broadcasts of the Echo STS are over, or none has begun: ten at once take two processors to themselves, and their
   * limits are a second and less. What is not about a broadcast can wait for them, or be one at a time beside them, whatever its
   * priority: two threads of one core take from each other all the same.
   */
  async quiet(): Promise<void> {
    await this.#onTheAir;
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
    const script = name === null ? fixtureScript : join(projectRoot, 'fixtures', `${name}.yaml`);
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

  #startGroupOf(request: BroadcastRequest): void {
    const group = this.#plannedAs(request)?.group;
    if (group === undefined || this.#startedGroups.has(group)) return;
    this.#startGroup(group, request);
  }

  /**
   * Begins the broadcasts of a group, and when they have ended, those of the next one: no scenario has to ask for it.
   *
   * @param awaited the one of them that somebody waits for
   */
  #startGroup(group: PlannedBroadcast['group'], awaited?: BroadcastRequest): void {
    this.#startedGroups.add(group);
    const planned = (this.#planned ?? []).filter((one) => one.group === group);
    if (group !== 'short') {
      planned.sort(
        (a, b) => b.together - a.together || this.#lengthOf(b.request) - this.#lengthOf(a.request),
      );
    }
    const requests = planned.map((one) => one.request);
    // Several scenarios ask for the same one: it takes one place.
    const rest = new Map(requests.map((one) => [keyOf(one), one]));
    if (awaited) rest.delete(keyOf(awaited));
    // Each set of services has its own places; those of the Echo STS, which are on the air all the time, share the places of one.
    const setOf = ({ composition }: BroadcastRequest): string =>
      group === 'echo' ? group : JSON.stringify(composition);
    const sets = new Map<string, BroadcastRequest[]>();
    for (const one of rest.values()) sets.set(setOf(one), [...(sets.get(setOf(one)) ?? []), one]);
    const dubbed = [
      ...(awaited ? [this.#dubOnce(awaited)] : []),
      ...[...sets].map(([set, ofSet]) =>
        this.#dubAhead(ofSet, awaited && set === setOf(awaited) ? 1 : 0),
      ),
    ];
    const ended = Promise.allSettled(dubbed);
    if (group === 'echo') this.#onTheAir = ended;
    this.host.begins(group);
    // Whoever waits for something gets the error.
    void ended
      .then(() => {
        const next = GROUPS.find((one) => !this.#startedGroups.has(one));
        if (next && !this.host.signal.aborted) this.#startGroup(next);
      })
      .catch(() => undefined);
  }

  /**
   * Dubs broadcasts that nobody waits for yet, as long as there are places: what a scenario waits for does not queue up behind
   * all of them. With one place, nothing is dubbed ahead.
   *
   * @param taken places of their services
   */
  async #dubAhead(requests: BroadcastRequest[], taken: number): Promise<void> {
    const { maxStreams } = await this.host.settings();
    if (maxStreams === 1) return;
    const dubNext = async (): Promise<void> => {
      for (let one = requests.shift(); one; one = requests.shift()) {
        await this.#dubOnce(one).catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: maxStreams - taken }, dubNext));
  }

  /** By the scenario that wants the most broadcasts at the same time as it. */
  #plannedAs(request: BroadcastRequest): PlannedBroadcast | undefined {
    const key = keyOf(request);
    this.#planned ??= plannedBroadcasts();
    const all = this.#planned.filter((one) => keyOf(one.request) === key);
    return all.sort((a, b) => b.together - a.together)[0];
  }

  /** For about how many seconds it is going to be dubbed. */
  #lengthOf(request: BroadcastRequest): number {
    const { fixture, seconds, composition, faults } = request;
    if (fixture === FRESH_WORDS) return FRESH_WORDS_SECONDS;
    const length = seconds ?? this.fixture(fixture).durationSeconds;
    if (typeof composition === 'string' || composition.oneAtATime !== true) return length;
    const takenMs = faults.map((fault) => (fault.does === 'take' ? fault.ms : 0));
    const answerSeconds = Math.max(0, ...takenMs) / 1000;
    return Math.max(length, (length / composition.echoSegmentSeconds) * answerSeconds);
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
    return this.#findingsIn(folder, await this.#fixtureOf(request, folder));
  }

  async #publish(request: BroadcastRequest): Promise<BroadcastFindings> {
    const { host } = this;
    const [services, fixture] = await Promise.all([
      host.servicesFor(request),
      this.#fixtureOf(request),
    ]);
    const { group = 'short', together = 1 } = this.#plannedAs(request) ?? {};
    // How many are dubbed at the same time is what some scenarios are about.
    const most = group === 'echo' && together > 1 ? undefined : MOST_AT_ONCE[group];
    return services.schedule.take(async (onIngested) => {
      // Two broadcasts may begin in the same millisecond.
      this.#streams += 1;
      const stream = `test_${fixture.id}_${Date.now()}_${this.#streams}`;
      const { config, track, signal } = host;
      const publish = (published: Fixture, publishedFrom?: string): Promise<string> =>
        publishBroadcast(services, request, {
          ...{ config, fixture: published, stream, track, signal, onIngested },
          ...(publishedFrom === undefined ? {} : { publishedFrom }),
        });
      const folder =
        request.fixture === FRESH_WORDS
          ? await this.#publishWords(publish)
          : await publish(fixture);
      return this.#findingsIn(folder, fixture);
    }, most);
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
