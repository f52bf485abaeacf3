/**
 * The circuit breaker of media-service, seen from outside: by what goes to the STS and what does not.
 *
 * A segment is due every period, and its fragment is sent at once unless something holds it back. So a breaker is seen at the
 * segments' boundaries only, and each moment is known to lie between two of them:
 *
 *     failures  f f f f f                                  s
 *     sent      | | | | | . . . . . |  |  |                     |: sent, .: due, and not sent
 *                        ^opened    ^probe
 *
 * - It opened with the last failure before the first segment that was due and not sent: an error of the STS when it
 *   arrives, a timeout when the announced time is over, seconds after the fragment was sent.
 * - Half a minute later it is half-open, and the next segment's fragment is the probe. One period before, a segment was still
 *   held back: the time for which it was open is more than from opening to then, and at most from opening to the probe.
 * - It is closed again when the next segment is sent.
 */
import { RETRYABLE_CODES } from '../contract/error-codes';
import type { TapEvent } from '../broadcast/events';
import type { Fixture } from '../broadcast/fixture';
import type { Fragment } from '../broadcast/fragment';
import type { BroadcastRecord } from '../broadcast/record';
import { BREAKER_STATES, type BreakerState } from '../broadcast/service-names';
import { backpressureOf } from './exchange';
import type { Polled } from './metric-findings';
import { textOf } from './log-fields';
import type { LogLine } from './service-log';

/** Fragments held back after failures in a row. All times are milliseconds since the epoch. */
export interface OpenBreaker {
  /** The end of the last failure before. */
  openedAt: number;
  /** The failures in a row by then that count: timeouts and retryable errors. */
  failures: readonly Fragment[];
  /** At least so many have opened it: with one less, a fragment was still sent. */
  least: number;
  /** When the first segment was due that was not sent. */
  dueAt: number;
  /** The first fragment that was sent again. */
  probe: Fragment | undefined;
  /** The fragment after that. */
  next: Fragment | undefined;
}

/** What was seen between media-service and the STS. */
export interface Exchange {
  /** In the order sent. */
  fragments: readonly Fragment[];
  events: readonly TapEvent[];
  /** From one segment to the next, in ms of the wall clock. */
  periodMs: number;
  /** After this, no segment was due; milliseconds since the epoch. */
  endedAt: number;
}

/** What happens at the same time is noted up to this much apart: on the wire, in a log, in a metric that is polled. */
const SLACK_MS = 400;
/** Segments are cut when all of their frames are there: by so many periods the distance of two fragments may vary. */
export const JITTER_PERIODS = 0.5;

/** What was seen of the exchange of a broadcast. */
export function exchangeIn(
  {
    record,
    fixture,
  }: {
    record: Pick<BroadcastRecord, 'times' | 'finishedAt'>;
    fixture: Pick<Fixture, 'segmentSeconds'>;
  },
  fragments: readonly Fragment[],
  events: readonly TapEvent[],
): Exchange {
  return {
    ...{ fragments, events, periodMs: 1000 * fixture.segmentSeconds },
    endedAt: record.times.publisherEnded ?? events.at(-1)?.at ?? record.finishedAt,
  };
}

/** Every time that a breaker was open, in order. */
export function openBreakers(exchange: Exchange): OpenBreaker[] {
  const { fragments, events, periodMs, endedAt } = exchange;
  return fragments.flatMap((last, i): OpenBreaker[] => {
    const [probe, next] = fragments.slice(i + 1);
    const dueAt = last.sentAt + periodMs;
    const isMissed = (probe?.sentAt ?? endedAt) >= dueAt + JITTER_PERIODS * periodMs;
    const row = failuresInARow(fragments, dueAt);
    // Whatever they were: a breaker that opens with others than those that count is open all the same.
    const openedAt = row.at(-1)?.endedAt;
    if (!isMissed || openedAt === undefined || isHeldBack(events, dueAt)) return [];
    const failures = row.filter(counts);
    const least = failuresInARow(fragments, last.sentAt - SLACK_MS).filter(counts).length + 1;
    return [{ openedAt, failures, least, dueAt, probe, next }];
  });
}

/** What is not retryable says nothing about the STS (018-US3-5). */
function counts({ end, errorCode = '' }: Fragment): boolean {
  return end === 'timed out' || RETRYABLE_CODES.has(errorCode);
}

/** The failures before a moment, back to the last success. */
function failuresInARow(fragments: readonly Fragment[], before: number): Fragment[] {
  const ended = fragments
    .filter(({ end, endedAt = Infinity }) => endedAt <= before && end !== 'disconnected')
    .sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
  return ended.slice(ended.findLastIndex(isSuccess) + 1);
}

/** Whether the STS has answered it with a dub. */
export function isSuccess({ end, errorCode }: Fragment): boolean {
  return end === 'answered' && errorCode === undefined;
}

/** Whether a fragment could not be sent then for another reason: there was no connection, or the STS had asked for a pause. */
function isHeldBack(events: readonly TapEvent[], at: number): boolean {
  return (connectionAt(events, at) ?? 'open') !== 'open' || isPausedAt(events, at);
}

/** What was last seen of the connections to the STS by a moment (ms since the epoch); undefined where nothing was. */
export function connectionAt(
  events: readonly TapEvent[],
  at: number,
): 'open' | 'close' | 'refused' | undefined {
  const seen = events.findLast(
    (one) => ['open', 'close', 'refused'].includes(one.kind) && one.at <= at,
  );
  return seen?.kind as 'open' | 'close' | 'refused' | undefined;
}

/** Whether the STS had asked for a pause, and not ended it, at a moment (ms since the epoch). */
export function isPausedAt(events: readonly TapEvent[], at: number): boolean {
  const pauses = backpressureOf(events).filter(({ action }) => action === 'pause');
  return pauses.some(({ from, until = Infinity }) => from <= at && at < until);
}

/** More than the one and at most the other, in ms. */
export interface Bounds {
  moreThan: number;
  atMost: number;
}

/**
 * For how long it was open, in ms of the wall clock: by the segments, and closer where the metric said half-open before the
 * probe was sent. A breaker that is half-open only from its probe on is known by the segments alone.
 *
 * @returns undefined where it was never probed
 */
export function openTime(
  { openedAt, probe }: OpenBreaker,
  periodMs: number,
  polls: readonly Polled<string>[],
): Bounds | undefined {
  if (!probe) return undefined;
  const atMost = probe.sentAt - openedAt;
  const wire = { moreThan: atMost - periodMs, atMost };
  const first = polls.findIndex(({ at, value }) => at > openedAt && value === 'half-open');
  const [open, halfOpen] = [polls[first - 1], polls[first]];
  if (open?.value !== 'open' || !halfOpen || halfOpen.at > probe.sentAt) return wire;
  const moreThan = Math.max(wire.moreThan, open.at - openedAt);
  const closer = { moreThan, atMost: Math.min(atMost, halfOpen.at - openedAt) };
  return closer.moreThan < closer.atMost ? closer : wire;
}

/** The states that the wire allows from a moment to a moment; milliseconds since the epoch. */
interface Phase {
  from: number;
  until: number;
  states: readonly BreakerState[];
}

/** What the breaker can have been when; nothing is said of the time after a probe that was not answered, or by an error. */
function phasesOf(opened: OpenBreaker | undefined, periodMs: number): Phase[] {
  const begin = -Infinity;
  if (!opened) return [{ from: begin, until: Infinity, states: ['closed'] }];
  const { openedAt, dueAt, probe } = opened;
  const before: Phase[] = [
    { from: begin, until: openedAt, states: ['closed'] },
    { from: openedAt, until: dueAt, states: ['closed', 'open'] },
  ];
  if (!probe) return [...before, { from: dueAt, until: Infinity, states: ['open'] }];
  const { sentAt, endedAt = Infinity } = probe;
  const held = sentAt - periodMs;
  return [
    ...[...before, { from: dueAt, until: held, states: ['open' as const] }],
    { from: held, until: sentAt, states: ['open', 'half-open'] },
    { from: sentAt, until: endedAt, states: ['half-open'] },
    ...(isSuccess(probe) ? [{ from: endedAt, until: Infinity, states: ['closed' as const] }] : []),
  ];
}

/** What media-service itself says of its breaker, and what of that contradicts the wire. */
export interface Confirmation {
  /** Polls of the metric and lines of the log that were compared. */
  compared: number;
  contradictions: string[];
}

/**
 * The metric and the log against the wire. Nothing is compared within 0.4 s of a change, as both are later than what they
 * say; nothing is missed where a system has neither.
 *
 * @param begin from which times are shown
 */
export function confirmed(
  opened: OpenBreaker | undefined,
  periodMs: number,
  said: { polls: readonly Polled<string>[]; changes: readonly BreakerChange[] },
  begin: number,
): Confirmation {
  const phases = phasesOf(opened, periodMs);
  const shown = (at: number): string => `${((at - begin) / 1000).toFixed(1)} s`;
  const polls = said.polls.flatMap(({ at, value }): string[] => {
    const phase = phases.find(({ from, until }) => at >= from + SLACK_MS && at < until - SLACK_MS);
    if (!phase) return [];
    const isFine = phase.states.some((state) => state === value);
    return [isFine ? '' : `metric at ${shown(at)}: ${value}, not ${phase.states.join(' or ')}`];
  });
  const lines = said.changes.map(({ at, state, failures }) => {
    const isThen = phases.some(
      ({ from, until, states }) =>
        states.includes(state) && at >= from - SLACK_MS && at <= until + SLACK_MS,
    );
    if (!isThen) return `log at ${shown(at)}: ${state}`;
    const { least = 0, failures: row = [] } = opened ?? {};
    const isCounted = failures === undefined || (failures >= least && failures <= row.length);
    return state !== 'open' || isCounted ? '' : `log: open after ${failures}, not ${row.length}`;
  });
  const all = [...polls, ...lines];
  return { compared: all.length, contradictions: all.filter((text) => text !== '') };
}

/** A change of the circuit breaker's state, as media-service logs it; `at` is milliseconds since the epoch. */
export interface BreakerChange {
  at: number;
  state: BreakerState;
  /** Consecutive failures by then. */
  failures: number | undefined;
}

/** The changes in a log that has the fields of spec 018: `state`, with `trigger` or `failure_count`. */
export function breakerChanges(lines: readonly LogLine[]): BreakerChange[] {
  return lines.flatMap(({ at, fields }) => {
    const said = textOf(fields['state']).toLowerCase().replace('_', '-');
    const state = BREAKER_STATES.find((one) => one === said);
    const isBreaker = 'trigger' in fields || 'failure_count' in fields;
    if (!isBreaker || state === undefined || at === undefined) return [];
    const failures = fields['failure_count'];
    return [{ at, state, failures: typeof failures === 'number' ? failures : undefined }];
  });
}
