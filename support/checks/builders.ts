/** What criteria have in common: how they are put together, their usual limits, and the parts of their messages. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { Finding } from '../analyze/finding';
import { NotObserved } from '../base/errors';
import { metricName, type MetricKey } from '../broadcast/service-names';
import { pathOf } from '../broadcast/stream-paths';
import { assessed, type Assessment, type Criterion, type Deviation } from './criterion';
import { deviationAt } from './criterion';

/** Not later than this; the border is in time. */
export interface Within {
  withinMs: number;
}

/** Exactly so many. */
export interface Count {
  count: number;
}

/** That much later, within a tolerance. */
export interface After {
  afterMs: number;
  toleranceMs: number;
}

/** So many, or more. */
export interface AtLeast {
  least: number;
}

/** The text that has to be there. */
export interface Text {
  text: string;
}

/** What media-service does at once takes it some milliseconds, more on a busy machine. */
export const AT_ONCE_MS = 1000;

type Definition<Subject, Measured, Limit> = Omit<Criterion<Subject, Measured, Limit>, 'id'>;

/** Of a subject that says all that is judged: nothing has to be measured first. */
type OfSubject<Subject, Limit> = Omit<Definition<Subject, Subject, Limit>, 'measure' | 'assess'> & {
  readonly assess: (subject: Subject, limit: Limit) => Assessment;
};

/** Where it was seen is the stream, unless something else is given. */
type OfBroadcast<Limit> = Omit<OfSubject<BroadcastFindings, Limit>, 'where'> & {
  readonly where?: (broadcast: BroadcastFindings) => string;
};

/** A criterion of a subject that needs no measuring. Without a limit it takes `null`. */
export function ofSubject<Subject, Limit = null>(
  id: string,
  definition: OfSubject<Subject, Limit>,
): Criterion<Subject, Subject, Limit> {
  return { id, ...definition, measure: (subject) => subject };
}

/** A criterion of what was seen of a broadcast. */
export function ofBroadcast<Limit = null>(
  id: string,
  definition: OfBroadcast<Limit>,
): Criterion<BroadcastFindings, BroadcastFindings, Limit> {
  return ofSubject(id, { where: streamOf, ...definition });
}

// -- where something was seen, and what to read then

export function streamOf({ stream }: BroadcastFindings): string {
  return `stream ${stream}`;
}

export function inputOf({ stream, names }: BroadcastFindings): string {
  return pathOf(names.paths.input, stream);
}

export function outputOf({ stream, names }: BroadcastFindings): string {
  return pathOf(names.paths.output, stream);
}

export function evidenceOf({ evidence }: BroadcastFindings): string {
  return `read tap.ndjson and sts-service.log, and listen to audio/, in ${evidence.folder}`;
}

export function mediaServiceLogOf({ evidence, names }: BroadcastFindings): string {
  return `read ${names.mediaService}.log in ${evidence.folder}`;
}

// -- measuring

/**
 * The measured value.
 *
 * @param where the file, stream or address that was asked
 * @param what the thing that was looked for: "an audio track"
 * @throws NotObserved when there is none: the criterion that needs it is then not shown
 */
export function observed<T>(
  where: string,
  what: string,
  finding: Finding<T>,
): { observed: true } & T {
  if (finding.observed) return finding;
  throw new NotObserved({
    ...{ what: `${what} was not observed`, where },
    ...{ seen: finding.reason, expected: what },
  });
}

/**
 * By how much a counter of media-service rose.
 *
 * @param labels as the specs have them
 * @throws NotObserved where it is not there
 * @throws CannotBeShown where the system has none
 */
export function riseOf(
  { metrics, names }: BroadcastFindings,
  key: MetricKey,
  labels: Record<string, string> = {},
  what = seriesOf(metricName(names.metrics, key), labels),
): number {
  return observed('metrics of media-service', what, metrics.counter(key, labels)).delta;
}

/** `name{label="value"}` */
export function seriesOf(name: string, labels: Record<string, string>): string {
  const texts = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return texts.length > 0 ? `${name}{${texts.join()}}` : name;
}

// -- assessing

/** Holds where both are the same. */
export function same(seen: string | number, expected: string | number): Assessment {
  return assessed(seen === expected, String(seen), String(expected));
}

/**
 * What is polled is noticed this much late, at most: by so much a moment that is taken from a poll may seem to lie after one
 * that follows from it.
 */
export const POLLED_LATE_MS = 250;

/**
 * Holds from 0 to the limit. What was there before the moment that it is counted from has another cause: that is no time.
 *
 * @param otherwise what was seen where it did not happen at all
 * @param earliestMs the earliest that still counts: less than 0 only where the moment it is counted from was polled
 */
export function inTime(
  tookMs: number | undefined,
  { withinMs }: Within,
  otherwise = 'never',
  earliestMs = 0,
): Assessment {
  const isInTime = tookMs !== undefined && tookMs >= earliestMs && tookMs <= withinMs;
  return assessed(
    isInTime,
    tookMs === undefined ? otherwise : took(tookMs, earliestMs),
    `at most ${withinMs} ms`,
  );
}

function took(ms: number, earliestMs: number): string {
  return ms < earliestMs
    ? `${-ms} ms too early: it was there before what it is counted from, so it does not follow from that`
    : `${ms} ms`;
}

/** Holds where nothing is wrong. */
export function allRight(
  wrong: readonly (string | Deviation)[],
  seen: string,
  expected: string,
): Assessment {
  const deviations = wrong.map((one) => (typeof one === 'string' ? { text: one } : one));
  return { deviations, seen, expected };
}

/** A deviation for each fragment with which something is wrong, and one where none was sent at all. */
export function deviationsOf<One extends { segment: number }>(
  fragments: readonly One[],
  wrongWith: (fragment: One) => string | undefined,
): Deviation[] {
  if (fragments.length === 0) return [{ text: 'no fragment was sent' }];
  return fragments.flatMap((one) => {
    const why = wrongWith(one);
    return why === undefined ? [] : [deviationAt(one.segment, why)];
  });
}
