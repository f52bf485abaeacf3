import { z } from 'zod';

import type { TapEvent } from '../observe/tap';

/** The end of a fragment's wait, as seen between the services. */
export interface Answer {
  at: number;
  fragmentId: string;
  /** The error's code; undefined for a success. */
  code: string | undefined;
}

const answer = z.looseObject({
  fragment_id: z.string(),
  status: z.string().optional(),
  code: z.string().optional(),
  error: z.looseObject({ code: z.string() }).nullish(),
});

/** Answers to fragments that reached media-service: `fragment:processed`, and errors that name a fragment. */
export function answersOf(events: readonly TapEvent[]): Answer[] {
  return events.flatMap(({ at, direction, event, payload }): Answer[] => {
    if (direction !== 'from-sts') return [];
    const parsed = answer.safeParse(payload);
    if (!parsed.success) return [];
    const { fragment_id: fragmentId, status = 'success', code = 'UNKNOWN', error } = parsed.data;
    if (event === 'error') return [{ at, fragmentId, code }];
    if (event !== 'fragment:processed') return [];
    const isGood = status === 'success' || status === 'partial';
    return [{ at, fragmentId, code: isGood ? undefined : (error?.code ?? 'UNKNOWN') }];
  });
}

/** One fragment's wait for its answer; times are milliseconds since the epoch. */
export interface Wait {
  fragmentId: string;
  sentAt: number;
  /** When it was answered, given up, or its connection lost; undefined when it was waiting to the end. */
  endedAt: number | undefined;
  how: 'answered' | 'given up' | 'connection lost' | 'still waiting';
}

/**
 * What became of every fragment that was sent.
 *
 * @param timeoutMs after which media-service gives a fragment up
 */
export function waitsOf(events: readonly TapEvent[], timeoutMs: number): Wait[] {
  const answers = answersOf(events);
  const lastAt = events.at(-1)?.at ?? 0;
  return events
    .filter(({ event }) => event === 'fragment:data')
    .map(({ at: sentAt, connection, payload }): Wait => {
      const fragmentId = String(fieldsOf(payload)['fragment_id']);
      const ends: [number | undefined, Wait['how']][] = [
        [answers.find((one) => one.fragmentId === fragmentId && one.at >= sentAt)?.at, 'answered'],
        [sentAt + timeoutMs <= lastAt ? sentAt + timeoutMs : undefined, 'given up'],
        [
          events.find(
            (one) => one.kind === 'close' && one.connection === connection && one.at >= sentAt,
          )?.at,
          'connection lost',
        ],
      ];
      const [first] = ends
        .filter((end): end is [number, Wait['how']] => end[0] !== undefined)
        .sort(([a], [b]) => a - b);
      const [endedAt, how]: [number | undefined, Wait['how']] = first ?? [
        undefined,
        'still waiting',
      ];
      return { fragmentId, sentAt, endedAt, how };
    });
}

/** The fields of a payload, which may be anything. */
function fieldsOf(payload: unknown): Record<string, unknown> {
  return typeof payload === 'object' && payload !== null
    ? (payload as Record<string, unknown>)
    : {};
}

/** How many fragments were waiting at a moment. */
export function inflightAt(waits: readonly Wait[], at: number): number {
  return waits.filter(({ sentAt, endedAt }) => sentAt <= at && at < (endedAt ?? Infinity)).length;
}

/** The most that ever waited at once. */
export function mostInflight(waits: readonly Wait[]): number {
  return Math.max(0, ...waits.map(({ sentAt }) => inflightAt(waits, sentAt)));
}

/** A time in which the STS asked for something, and what media-service sent then. */
export interface Pressure {
  action: string;
  delayMs: number;
  from: number;
  /** The next time that it asked for something. */
  until: number | undefined;
  /** When fragments were sent in it. */
  sentAt: number[];
}

/** What the STS asked for by `backpressure`, and what was sent meanwhile. */
export function pressuresOf(events: readonly TapEvent[]): Pressure[] {
  const asked = events.filter(({ event }) => event === 'backpressure');
  const sends = events.filter(({ event }) => event === 'fragment:data').map(({ at }) => at);
  return asked.map(({ at: from, payload }, i): Pressure => {
    const { action, recommended_delay_ms: delay } = fieldsOf(payload);
    const until = asked[i + 1]?.at;
    return {
      ...{ action: String(action), delayMs: Number(delay ?? 0), from, until },
      sentAt: sends.filter((at) => at >= from && at < (until ?? Infinity)),
    };
  });
}

/** A try to connect again after a connection was lost. */
export interface Reconnection {
  at: number;
  isRefused: boolean;
  /** Since the loss, or since the try before. */
  afterMs: number;
}

/** Every try to connect again, in order, since a connection was first lost. */
export function reconnectionsOf(events: readonly TapEvent[]): Reconnection[] {
  const lost = events.find(({ kind }) => kind === 'close');
  if (!lost) return [];
  const tries = events.filter(
    ({ kind, at }) => (kind === 'open' || kind === 'refused') && at >= lost.at,
  );
  return tries.map(({ at, kind }, i) => ({
    ...{ at, isRefused: kind === 'refused' },
    afterMs: at - (tries[i - 1]?.at ?? lost.at),
  }));
}
