/** What happened between media-service and the STS, as the page of a broadcast begins with it. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { OpenBreaker } from '../analyze/breaker';
import {
  mostInflightOf,
  type SeenOfSending,
  type Unsent,
  unsentSegments,
} from '../analyze/without-dub';
import { isLoss, type TapEvent } from '../broadcast/events';
import type { ExchangeFacts } from './facts';

/** Every segment that was never sent; none where nobody has heard what was. */
export function unsentIn(
  broadcast: BroadcastFindings,
  seen: Pick<SeenOfSending, 'fragments' | 'events' | 'breakers'>,
): Unsent[] {
  const { record, fixture } = broadcast;
  if (record.monitor !== 'tap') return [];
  const { published = NaN, inputReady = published, ingested = inputReady } = record.times;
  return unsentSegments({
    ...{ ...seen, ingestedAt: ingested, mostInflight: mostInflightOf(seen.events) },
    ...{ segments: fixture.script.length, periodMs: 1000 * fixture.segmentSeconds },
    publisherEndedAt: record.times.publisherEnded ?? Infinity,
  });
}

/** When the circuit breaker was open, and when connections were lost. */
export function exchangeOf(
  breakers: readonly OpenBreaker[],
  events: readonly TapEvent[],
  secondsAt: (ms: number) => number,
): Omit<ExchangeFacts, 'fallbacks'> {
  return {
    breaker: breakers.map(({ openedAt, probe, failures }) => ({
      ...{ fromSeconds: secondsAt(openedAt), failures: failures.length },
      toSeconds: probe && secondsAt(probe.sentAt),
    })),
    lostAtSeconds: lostAt(events).map(secondsAt),
  };
}

/** As the metrics of media-service count them; none of a system that does not count them, or does not say why. */
export function fallbacksOf({ metrics }: BroadcastFindings): ExchangeFacts['fallbacks'] {
  return metrics.has('fallbacks') ? metrics.countedBy('fallbacks', 'reason') : [];
}

/** When connections ended without being closed (code 1000), each once: both sides see it; ms since the epoch. */
function lostAt(events: readonly TapEvent[]): number[] {
  const ends = new Map<number, TapEvent>();
  for (const event of events) {
    if (event.kind === 'close' && !ends.has(event.connection)) ends.set(event.connection, event);
  }
  return [...ends.values()].filter(isLoss).map(({ at }) => at);
}
