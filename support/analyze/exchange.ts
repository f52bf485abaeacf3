import { fieldsOf, type TapEvent } from '../broadcast/events';
import type { Fragment } from '../broadcast/fragment';

type Wait = Pick<Fragment, 'sentAt' | 'endedAt'>;

/** How many fragments were in flight at a moment. */
export function inflightAt(waits: readonly Wait[], at: number): number {
  return waits.filter(({ sentAt, endedAt }) => sentAt <= at && at < (endedAt ?? Infinity)).length;
}

/** Every number of fragments that was in flight at some moment of a time, whose borders belong to it; the first as it began. */
export function inflightDuring(waits: readonly Wait[], from: number, until: number): number[] {
  const moments = waits.flatMap(({ sentAt, endedAt = Infinity }) => [sentAt, endedAt]);
  const changes = moments.filter((at) => at > from && at <= until).sort((a, b) => a - b);
  return [...new Set([from, ...changes].map((at) => inflightAt(waits, at)))];
}

/** The most fragments that were in flight at once. */
export function mostInflight(waits: readonly Wait[]): number {
  return Math.max(0, ...waits.map(({ sentAt }) => inflightAt(waits, sentAt)));
}

/** One `backpressure` event of the STS, and what media-service sent until the next one. Times are ms since the epoch. */
export interface Backpressure {
  action: string;
  delayMs: number;
  from: number;
  /** The next `backpressure` event. */
  until: number | undefined;
  /** When fragments were begun to be sent in that time. */
  sentAt: number[];
}

/** What the STS asked for by `backpressure`, and what media-service sent meanwhile. */
export function backpressureOf(events: readonly TapEvent[]): Backpressure[] {
  const asked = events.filter(({ event }) => event === 'backpressure');
  const sends = events
    .filter(({ event }) => event === 'fragment:data')
    .map(({ at, begunAt = at }) => begunAt);
  return asked.map(({ at: from, payload }, i): Backpressure => {
    const { action, recommended_delay_ms: delay } = fieldsOf(payload);
    const until = asked[i + 1]?.at;
    return {
      ...{ action: String(action), delayMs: Number(delay ?? 0), from, until },
      sentAt: sends.filter((at) => at >= from && at < (until ?? Infinity)),
    };
  });
}

/** An attempt to reconnect. */
export interface Reconnection {
  /** Milliseconds since the epoch. */
  at: number;
  isRefused: boolean;
  /** Since the connection was lost, or since the attempt before. */
  afterMs: number;
}

/** Every attempt to reconnect since a connection was first lost, in order. */
export function reconnectionsOf(events: readonly TapEvent[]): Reconnection[] {
  const lost = events.find(({ kind }) => kind === 'close');
  if (!lost) return [];
  const attempts = events.filter(
    ({ kind, at }) => (kind === 'open' || kind === 'refused') && at >= lost.at,
  );
  // How long the STS then takes to accept it is not the attempt's delay.
  return attempts.map(({ at, begunAt = at, kind }, i) => ({
    ...{ at, isRefused: kind === 'refused' },
    afterMs: begunAt - (attempts[i - 1]?.at ?? lost.at),
  }));
}
