import { PrerequisiteMissing, SuiteError } from '../base/errors';
import { processorCount } from '../base/processors';
import { readFixture, scriptOf } from '../broadcast/fixture';
import type { Fault } from '../broadcast/fault';
import { FRESH_WORDS, FRESH_WORDS_SECONDS } from '../broadcast/fresh-words';
import { type BroadcastRequest, keyOf, requestOf } from '../broadcast/request';
import { type Config, readConfig, type Settings } from '../config';
import { RUN_VARIABLE } from '../environment/session-state';
import { processorSpeed } from '../platform/speed';
import { duration } from '../report/wording';
import type { ForecastTimes, PlannedBroadcast } from './plan';
import { forecast, type Load, START_EVERY_MS } from './schedule';

/**
 * Processors that a broadcast takes in the mean, with its services, its publisher and what watches it, of two that are the threads of
 * one core. By the STS itself: recognition, a neural voice, and all else. Short ones have two fragments each, which may wait. Their
 * starts are in it, each of more than a second of a processor. A block of nine beside one of the STS itself was on the air in less time, and
 * media-service took 0.3 s to connect.
 */
const PROCESSORS = { shared: 0.8, short: 0.4, echo: 0.14 };
/**
 * Of them, once it is published. Short ones take the same to their end: the last of their two fragments is sent then. With this part
 * of it as well, eight fragments lay at the STS in containers on a slow day, and answers took 30 s.
 */
const TAIL = 0.25;
/** Of one processor: what the analysis of a recording takes for as long as it is, with the listener. */
const ANALYSIS = 0.3;
/**
 * Part of the processors for broadcasts; the rest is for what begins beside them, and for what comes suddenly: when they began up to
 * 1, the suite was kept waiting for 8 s of 80 beside containers, each of which takes commands to the engine as well.
 */
const FOR_BROADCASTS = { host: 0.85, docker: 0.7, external: 0.85 };
/**
 * A start takes commands to the engine as well, where there are containers: of nine that began 2.6 s apart, one was joined 0.6 s late;
 * of nine 3.4 s apart one was as well, in one run of two. Faster processors take less for it, down to what host processes have.
 * No two of ten begin at the same time of a segment of six seconds, either: 0, 3.4, 0.8, 4.2, 1.6, 5.0 … All by two processors: more
 * of them take as many more starts, down to the least. That is reckoned, and was not tried.
 */
const START_EVERY = { host: START_EVERY_MS, docker: 3400, external: START_EVERY_MS };
const LEAST_START_EVERY_MS = START_EVERY_MS / 2;
/** Of the time between two starts that would just do for all of a block to be on the air at the same time: the rest is for services. */
const BLOCK_STARTS = 0.8;
/** How long the output of a broadcast goes on after its publisher, and its evidence is fetched. */
const TAIL_SECONDS = 13;
/** Where the description of its fixture cannot be read: whoever waits for it says so. */
const UNKNOWN_SECONDS = 60;

/** A broadcast of the schedule. */
export interface Scheduled {
  request: BroadcastRequest;
  load: Load;
  /** About how long it is going to be dubbed; the last of it after it is published. */
  seconds: number;
  tailSeconds: number;
}

/** What the schedule goes by. */
export interface Room {
  config: Pick<Config, 'fixtureScript' | 'runtime'>;
  maxStreams: number;
  /** That broadcasts may take. */
  processors: number;
  /** They do not begin closer together, but for those of a block that could not be on the air together so. */
  startEveryMs: number;
}

/** Where services run, by what it takes to start them. */
type Place = keyof typeof FOR_BROADCASTS;

/** What there is for broadcasts on this machine. */
export function roomFor(config: Config, { maxStreams }: Settings, runtime: Place): Room {
  return {
    config,
    maxStreams,
    ...roomOfProcessors(processorCount(), runtime, speedFor(config)),
  };
}

/** Recorded ones take nothing, and a run inside of another one is not to take the processors from its broadcasts. */
function speedFor({ evidenceFolder, variables }: Config): number {
  return evidenceFolder === undefined && !variables[RUN_VARIABLE] ? processorSpeed() : 1;
}

/** What so many processors of a speed have for broadcasts. */
export function roomOfProcessors(
  count: number,
  runtime: Place,
  speed: number,
): Pick<Room, 'processors' | 'startEveryMs'> {
  const byTwo = Math.max(START_EVERY_MS, START_EVERY[runtime] / speed);
  return {
    processors: FOR_BROADCASTS[runtime] * count * speed,
    startEveryMs: Math.max(LEAST_START_EVERY_MS, byTwo / Math.max(1, count / 2)),
  };
}

/**
 * Whether what is not about a broadcast, each with services of its own, may begin beside those that last. On processors of half the speed,
 * in containers, answers took 16 s beside it, of 15 s.
 */
export function isRoomBeside({ processors }: Pick<Room, 'processors'>): boolean {
  return processors >= PROCESSORS.shared + PROCESSORS.short;
}

function roomIn(config: Config): Room | undefined {
  try {
    return roomFor(config, config.settings('127.0.0.1'), placeIn(config));
  } catch (error) {
    if (error instanceof PrerequisiteMissing) return undefined;
    throw error;
  }
}

function placeIn({ runtime }: Config): Place {
  return runtime === 'auto' ? 'host' : runtime;
}

/**
 * Broadcasts in the order in which they are to begin, each once: those that many scenarios look at, as the STS takes one after the
 * other; those of the Echo STS; of them those that one scenario wants at the same time, which are a block; the longest of each first.
 * Short ones follow. Of those that many scenarios look at, the shortest is second.
 */
export function scheduled(
  planned: readonly PlannedBroadcast[],
  { config, maxStreams, processors }: Omit<Room, 'startEveryMs'>,
): Scheduled[] {
  const once = new Map<string, PlannedBroadcast>();
  for (const one of planned) {
    const known = once.get(keyOf(one.request));
    // By the scenario that wants the most broadcasts at the same time as it.
    if (!known || one.together > known.together) once.set(keyOf(one.request), one);
  }
  const all = [...once.values()].map((one) => ({ ...one, seconds: lengthOf(one.request, config) }));
  const together = all.filter(isBlock);
  // Where services take fewer at the same time, each takes what it takes.
  const block = together.length <= maxStreams ? longestFirst(together) : [];
  const [shared = [], ...ranks] = [
    all.filter(({ group }) => group === 'shared'),
    all.filter((one) => one.group === 'echo' && !block.includes(one)),
    block,
    all.filter(({ group }) => group === 'short'),
  ].map(longestFirst);
  const nextWithinMs = startsOfBlock(block);
  return [...shortestSecond(shared), ...ranks.flat()].map((one) => {
    const { request, group, seconds } = one;
    const isInBlock = block.includes(one);
    // The longest of a block comes first and takes for all of it: they begin together or not at all.
    const count = isInBlock ? (one === block[0] ? block.length : 0) : 1;
    const taken = Math.min(processors, count * PROCESSORS[group]);
    const streams = count / maxStreams;
    const shares = {
      processors: taken,
      share: Math.max(streams, sharesOf(group, processors)),
    };
    const tail = { processors: isInBlock ? taken : taken * TAIL, share: streams };
    return {
      ...{ request, seconds: seconds + TAIL_SECONDS, tailSeconds: TAIL_SECONDS },
      load: {
        ...{ ...shares, set: setOf(request, config) },
        tail: group === 'short' ? shares : tail,
        ...(isInBlock && one !== block.at(-1) ? { nextWithinMs } : {}),
      },
    };
  });
}

function longestFirst<One extends { seconds: number }>(all: readonly One[]): readonly One[] {
  return [...all].sort((a, b) => b.seconds - a.seconds);
}

/**
 * Those of the Echo STS begin beside the longest and end beside the second. That a broadcast is short which has the fewest processors
 * keeps the STS's queue short: of two of a minute after each other, the answers of the second took up to 29.5 s of 30 in containers.
 */
function shortestSecond<One>(sorted: readonly One[]): readonly One[] {
  const [longest, others] = [sorted.slice(0, 1), sorted.slice(1)];
  return [...longest, ...others.slice(-1), ...others.slice(0, -1)];
}

/** So far apart, at most, that all of them are on the air when the last one begins, the longest having begun first. */
function startsOfBlock(block: readonly { seconds: number }[]): number {
  // Of the last one, after which none of them begins: Infinity.
  const apart = block.map(({ seconds }, at) => seconds / (block.length - 1 - at));
  return BLOCK_STARTS * Math.min(...apart) * 1000;
}

/**
 * About how many seconds broadcasts take on two processors: until the last one is dubbed, and until their recordings are looked at.
 * The same on every machine.
 */
export function secondsFor(
  planned: readonly PlannedBroadcast[],
  { fixtureScript }: Pick<Config, 'fixtureScript'>,
): number {
  const config = { fixtureScript, runtime: 'host' } as const;
  const processors = 2 * FOR_BROADCASTS.host;
  const all = scheduled(planned, { config, maxStreams: Infinity, processors });
  const ends = forecast(all, processors).map((one) => one.ends);
  const recorded = all.reduce((sum, { seconds }) => sum + seconds, 0);
  return Math.max(0, ...ends) + (ANALYSIS * recorded) / 2;
}

/** Of no broadcast where the configuration cannot be read, which scenarios say. */
export function timesInForecast(planned: readonly PlannedBroadcast[]): ForecastTimes {
  const room = planned.length > 0 ? roomIn(readConfig()) : undefined;
  if (!room) return { ends: new Map(), besideFrom: 0 };
  const all = scheduled(planned, room);
  const times = forecast(all, room.processors, room.startEveryMs);
  const ends = new Map(all.map(({ request }, index) => [keyOf(request), times[index]?.ends ?? 0]));
  const lasting = planned.filter(({ group }) => group === 'shared');
  // When the last one of those has been looked at.
  const afterLasting =
    Math.max(0, ...lasting.map(({ request }) => ends.get(keyOf(request)) ?? 0)) + 1;
  return { ends, besideFrom: isRoomBeside(room) ? Math.min(...ends.values()) : afterLasting };
}

const SHOWN_PROCESSORS = [2, 4, 8];

/** For people: how long the broadcasts of these scenarios take, by the number of processors; undefined where there are none. */
export function forecastInWords(planned: readonly PlannedBroadcast[]): string | undefined {
  const config = readConfig();
  const room = roomIn(config);
  if (!room || planned.length === 0) return undefined;
  const all = SHOWN_PROCESSORS.map((count) => {
    const { processors, startEveryMs } = roomOfProcessors(count, placeIn(config), speedFor(config));
    const broadcasts = scheduled(planned, { ...room, processors });
    const ends = forecast(broadcasts, processors, startEveryMs);
    return `${duration(Math.max(...ends.map((one) => one.ends)))} with ${count} processors`;
  });
  const by = config.runtime === 'auto' ? ', if services are processes of this host' : '';
  return `broadcasts on the air for about ${all.join(', ')}${by}`;
}

/** What a broadcast takes that is not planned, as by services of a scenario's own: that waits only for those that the same services dub, and for its turn to begin. */
export function loadOf(request: BroadcastRequest, config: Room['config']): Load {
  const shares = { processors: 0, share: 1 };
  return { ...shares, set: setOf(request, config), tail: shares };
}

/** What a client takes that sends fragments to the services' STS itself: their answers are late where it dubs a broadcast as well. */
export function loadOfDirect(config: Room['config']): Load {
  const shares = { processors: PROCESSORS.short, share: 1 };
  return { ...shares, set: setOf(requestOf(), config), tail: shares };
}

function isBlock({ group, together }: PlannedBroadcast): boolean {
  return group === 'echo' && together > 1;
}

/** Of broadcasts that last, two on two processors would make the STS slower than they are, and its queue longer to their end. */
function sharesOf(group: PlannedBroadcast['group'], processors: number): number {
  const whole = Math.ceil(processors);
  if (group === 'shared') return 1 / Math.max(1, whole - 1);
  return group === 'short' ? 1 / (2 * whole) : 0;
}

function setOf({ composition }: BroadcastRequest, { runtime }: Room['config']): string {
  // There is one set of them, whatever STS it has.
  return runtime === 'external' ? runtime : JSON.stringify(composition);
}

/** For about how many seconds it is published, and its fragments are answered where that is made to take long. */
function lengthOf(request: BroadcastRequest, { fixtureScript }: Room['config']): number {
  const { fixture, seconds, cutOffAfterSeconds, composition, faults } = request;
  const whole = seconds ?? fixtureLength(fixture, fixtureScript);
  const length = Math.min(whole, cutOffAfterSeconds ?? Infinity);
  // That of the last fragment comes so long after it.
  const answerSeconds = Math.max(0, ...faults.map(lastAnswerMs)) / 1000;
  if (typeof composition === 'string' || composition.oneAtATime !== true) {
    return length + answerSeconds;
  }
  return Math.max(length, (length / composition.echoSegmentSeconds) * answerSeconds);
}

function lastAnswerMs(fault: Fault): number {
  if (fault.does === 'take' && fault.on.last === null) return fault.ms;
  return fault.does === 'delay' && fault.on.last === null ? fault.toMs : 0;
}

/** By YAML file: most broadcasts of a run are of few fixtures. */
const lengths = new Map<string, number>();

function fixtureLength(name: string | null, configured: string): number {
  if (name === FRESH_WORDS) return FRESH_WORDS_SECONDS;
  const script = scriptOf(name, configured);
  const length = lengths.get(script) ?? lengthIn(script);
  lengths.set(script, length);
  return length;
}

function lengthIn(script: string): number {
  try {
    return readFixture(script).durationSeconds;
  } catch (error) {
    if (error instanceof SuiteError) return UNKNOWN_SECONDS;
    throw error;
  }
}
