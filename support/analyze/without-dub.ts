/** Segments of a broadcast for which the STS has not given a dub in time, and why: by what goes over the wire. */
import { fieldsOf, type TapEvent } from '../broadcast/events';
import type { Fragment } from '../broadcast/fragment';
import { DEFAULT_MAX_INFLIGHT } from '../contract/limits';
import { connectionAt, isPausedAt, JITTER_PERIODS, type OpenBreaker } from './breaker';
import { inflightAt } from './exchange';
import { bySegments } from './finding';

/** Why a segment was not sent. */
export type WhyUnsent =
  | 'the broadcast was cut off'
  | 'the breaker was open'
  | 'no connection to the STS'
  | 'the STS had asked for a pause'
  | 'as many as allowed were in flight'
  | 'media-service had not begun to read'
  | 'nothing that was seen tells why';

/** A segment that was never sent. */
export interface Unsent {
  segment: number;
  why: WhyUnsent;
  /** When it would have been sent; milliseconds since the epoch. */
  dueAt: number;
}

/** What was seen of a broadcast; times are milliseconds since the epoch. */
export interface SeenOfSending {
  /** How many it has, and how long each takes. */
  segments: number;
  periodMs: number;
  fragments: readonly Fragment[];
  events: readonly TapEvent[];
  breakers: readonly OpenBreaker[];
  /** media-service began to read it. */
  ingestedAt: number;
  publisherEndedAt: number;
  mostInflight: number;
}

/** Every segment that was never sent. */
export function unsentSegments(seen: SeenOfSending): Unsent[] {
  const sent = new Set(seen.fragments.map(({ segment }) => segment));
  const all = Array.from({ length: seen.segments }, (_, segment) => segment);
  return all
    .filter((segment) => !sent.has(segment))
    .map((segment) => {
      const dueAt = dueOf(segment, seen);
      return { segment, dueAt, why: whyUnsent(segment, dueAt, seen) };
    });
}

/** By the fragment that is nearest to it, at the speed of the broadcast; where none was sent, by when reading began. */
function dueOf(
  segment: number,
  { fragments, periodMs, ingestedAt }: Pick<SeenOfSending, 'fragments' | 'periodMs' | 'ingestedAt'>,
): number {
  const sent = fragments.map(({ segment: of, sentAt: at }) => ({ segment: of, at }));
  return bySegments(sent, segment, periodMs) ?? ingestedAt + (segment + 1) * periodMs;
}

function whyUnsent(segment: number, dueAt: number, seen: SeenOfSending): WhyUnsent {
  const { fragments, events, breakers, periodMs, publisherEndedAt, mostInflight } = seen;
  const slackMs = JITTER_PERIODS * periodMs;
  const isOpen = breakers.some(
    (one) => dueAt >= one.dueAt - slackMs && dueAt < (one.probe?.sentAt ?? Infinity),
  );
  if (isOpen) return 'the breaker was open';
  if (dueAt > publisherEndedAt + periodMs) return 'the broadcast was cut off';
  if (connectionAt(events, dueAt) !== 'open') return 'no connection to the STS';
  if (isPausedAt(events, dueAt)) return 'the STS had asked for a pause';
  if (inflightAt(fragments, dueAt) >= mostInflight) return 'as many as allowed were in flight';
  const first = Math.min(...fragments.map((one) => one.segment));
  return segment < first
    ? 'media-service had not begun to read'
    : 'nothing that was seen tells why';
}

/** Why the STS has not given a dub of a fragment in time; undefined where it has. */
export function whyWithoutDub(fragment: Fragment): string | undefined {
  const { end, errorCode, answer, sentAt, endedAt } = fragment;
  // What comes after that is no answer any more, whatever it says.
  if (end === 'timed out') {
    const waitedMs = (endedAt ?? NaN) - sentAt;
    return `the answer timed out (limit announced: ${(waitedMs / 1000).toFixed(1)} s)`;
  }
  if (end === 'disconnected') return 'the connection was lost before the answer';
  if (errorCode !== undefined) {
    const stage = answer?.error?.stage;
    return `the STS answered with the error ${errorCode}${stage === undefined ? '' : ` in ${stage}`}`;
  }
  if (!answer) return 'the STS did not answer';
  return answer.audio === undefined ? 'the answer has no dub' : undefined;
}

/** How many fragments may be in flight: as the STS has said, or media-service, or as the spec has it where neither did. */
export function mostInflightOf(events: readonly TapEvent[]): number {
  const saidIn = (name: string): number | undefined => {
    const said = events.findLast(({ event }) => event === name);
    const { max_inflight: most } = fieldsOf(said?.payload);
    return typeof most === 'number' ? most : undefined;
  };
  return saidIn('stream:ready') ?? saidIn('stream:init') ?? DEFAULT_MAX_INFLIGHT;
}
