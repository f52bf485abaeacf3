import type { TapEvent } from '../broadcast/events';
import type { Fragment } from '../broadcast/fragment';
import { metricName, type MetricKey, type MetricNames } from '../broadcast/service-names';
import { CannotBeShown } from '../base/errors';
import { backpressureOf } from './exchange';
import type { MetricFindings } from './metric-findings';

/** A metric's figure beside what the tap saw. */
export interface MetricLine {
  metric: string;
  seen: number | undefined;
  /** What the tap has counted, or another metric. */
  expected: number;
  /** By how much it may exceed that. */
  more: number;
}

/** In ms: media-service cannot have waited less than the tap saw; on a busy machine it notices an answer later. */
const NOTICED_WITHIN_MS = 1000;

/** Every metric of the exchange with the STS, beside what the tap counted; those that the system does not have are left out. */
export function metricsAgainstTap(
  events: readonly TapEvent[],
  fragments: readonly Fragment[],
  names: MetricNames,
  metrics: Pick<MetricFindings, 'counter' | 'rises' | 'gauge' | 'measured' | 'lastAt'>,
): MetricLine[] {
  const ready = events.filter(({ event }) => event === 'stream:ready').length;
  const sent = (): number => fragments.length + sentIntoLosses(events, fragments, metrics);
  const counted = (key: MetricKey, expected: number, label = '', value = ''): MetricLine[] =>
    ofThoseThere(() => {
      const found = metrics.counter(key, label === '' ? {} : { [label]: value });
      const metric = metricName(names, key) + (label === '' ? '' : `{${label}="${value}"}`);
      return [{ metric, seen: found.observed ? found.delta : undefined, expected, more: 0 }];
    });
  return [
    ...ofThoseThere(() => counted('audioFragments', sent(), 'status', 'sent')),
    ...['pause', 'slow_down', 'none'].flatMap((action) => {
      const requests = backpressureOf(events).filter((one) => one.action === action);
      return counted('backpressureEvents', requests.length, 'action', action);
    }),
    ...counted('reconnections', Math.max(0, ready - 1)),
    ...ofThoseThere(() => {
      const last = metrics.gauge('inflight').at(-1);
      // What is gone after the stream has ended was judged while it was there (in-flight-metric).
      if (last && last.at < metrics.lastAt) return [];
      const metric = metricName(names, 'inflight');
      return [{ metric, seen: last?.value, expected: 0, more: 0 }];
    }),
    ...ofThoseThere(() => timesAgainstTap(fragments, names, metrics)),
    ...fallbacksOnce(names, metrics),
  ];
}

/**
 * Fragments that media-service has given to a connection while it was being lost, at most one at each loss: counted as sent, they
 * never arrived. Whatever else it counts at another time has to be on the wire.
 */
function sentIntoLosses(
  events: readonly TapEvent[],
  fragments: readonly Fragment[],
  metrics: Pick<MetricFindings, 'rises'>,
): number {
  const found = metrics.rises('audioFragments', { status: 'sent' });
  if (!found.observed) return 0;
  const attempts = events.filter(({ kind }) => kind === 'open' || kind === 'refused');
  const closes = events.filter(({ kind }) => kind === 'close');
  // Both ends of a connection close.
  const losses = new Map(closes.toReversed().map(({ connection, at }) => [connection, at]));
  return [...losses.values()].filter((at) => {
    if (!attempts.some((attempt) => attempt.at > at)) return false;
    const rises = found.rises.filter(
      ({ after, by }) => after - NOTICED_WITHIN_MS <= at && at <= by + NOTICED_WITHIN_MS,
    );
    const from = Math.min(...rises.map(({ after }) => after)) - NOTICED_WITHIN_MS;
    const until = Math.max(...rises.map(({ by }) => by));
    return rises.length > fragments.filter(({ sentAt: t }) => t >= from && t <= until).length;
  }).length;
}

/** A segment falls back for one reason: those of all reasons together are as many as the fragments that fell back. */
export function fallbacksOnce(
  names: MetricNames,
  metrics: Pick<MetricFindings, 'counter'>,
): MetricLine[] {
  return ofThoseThere(() => {
    const [all, fellBack] = [
      metrics.counter('fallbacks'),
      metrics.counter('audioFragments', { status: 'fallback' }),
    ];
    if (!all.observed || !fellBack.observed) return [];
    const metric = `${metricName(names, 'fallbacks')}, all reasons`;
    return [{ metric, seen: all.delta, expected: fellBack.delta, more: 0 }];
  });
}

/** A gauge has the last time only: how many there were, and how long all took together, it does not say. */
function timesAgainstTap(
  fragments: readonly Fragment[],
  names: MetricNames,
  metrics: Pick<MetricFindings, 'measured'>,
): MetricLine[] {
  const answered = fragments.filter(({ end }) => end === 'answered');
  const latencyMs = answered.reduce(
    (sum, { sentAt, endedAt = sentAt }) => sum + endedAt - sentAt,
    0,
  );
  const times = metrics.measured('stsProcessingTime');
  if (times.observed && times.kind === 'gauge') return [];
  const name = metricName(names, 'stsProcessingTime');
  const { count, sumMs } = times.observed ? times : { count: undefined, sumMs: undefined };
  const more = NOTICED_WITHIN_MS * answered.length;
  return [
    { metric: `${name}_count`, seen: count, expected: answered.length, more: 0 },
    { metric: `${name}_sum`, seen: sumMs, expected: latencyMs, more },
  ];
}

function ofThoseThere(lines: () => MetricLine[]): MetricLine[] {
  try {
    return lines();
  } catch (error) {
    if (error instanceof CannotBeShown) return [];
    throw error;
  }
}

/** The lines whose figures are missing or differ. */
export function disagreeing(lines: readonly MetricLine[]): MetricLine[] {
  return lines.filter(
    ({ seen, expected, more }) =>
      seen === undefined || !(seen >= expected && seen <= expected + more),
  );
}
