import type { TapEvent } from '../broadcast/events';
import type { Fragment } from '../broadcast/fragment';
import type { MetricNames } from '../broadcast/service-names';
import { backpressureOf } from './exchange';
import type { Finding } from './finding';

/** A metric's figure beside what the tap saw. */
export interface MetricLine {
  metric: string;
  seen: number | undefined;
  /** What the tap has counted. */
  expected: number;
  /** By how much it may exceed that. */
  more: number;
}

/** Reads the metrics: a counter's increase over the broadcast, a gauge at its end, a histogram's increase. */
export interface MetricReader {
  counter(name: string, labels?: Record<string, string>): Finding<{ delta: number }>;
  gauge(name: string): Finding<{ value: number }>;
  histogram(name: string): Finding<{ count: number; sum: number }>;
}

/** In ms: media-service cannot have waited less than the tap saw; on a busy machine it notices an answer later. */
const NOTICED_WITHIN_MS = 1000;

/** Every metric of the exchange with the STS, beside what the tap counted. */
export function metricsAgainstTap(
  events: readonly TapEvent[],
  fragments: readonly Fragment[],
  names: MetricNames,
  read: MetricReader,
): MetricLine[] {
  const answered = fragments.filter(({ end }) => end === 'answered');
  const latencyMs = answered.reduce(
    (sum, { sentAt, endedAt = sentAt }) => sum + endedAt - sentAt,
    0,
  );
  const ready = events.filter(({ event }) => event === 'stream:ready').length;
  const times = read.histogram(names.stsProcessingTime);
  const delta = (name: string, labels?: Record<string, string>): number | undefined => {
    const finding = read.counter(name, labels);
    return finding.observed ? finding.delta : undefined;
  };
  const inflight = read.gauge(names.inflight);
  const exact = (metric: string, seen: number | undefined, expected: number): MetricLine => ({
    ...{ metric, seen, expected, more: 0 },
  });
  return [
    exact(
      `${names.audioFragments}{status="sent"}`,
      delta(names.audioFragments, { status: 'sent' }),
      fragments.length,
    ),
    ...['pause', 'slow_down', 'none'].map((action) =>
      exact(
        `${names.backpressureEvents}{action="${action}"}`,
        delta(names.backpressureEvents, { action }),
        backpressureOf(events).filter((one) => one.action === action).length,
      ),
    ),
    exact(names.reconnections, delta(names.reconnections), Math.max(0, ready - 1)),
    exact(names.inflight, inflight.observed ? inflight.value : undefined, 0),
    exact(
      `${names.stsProcessingTime}_count`,
      times.observed ? times.count : undefined,
      answered.length,
    ),
    {
      metric: `${names.stsProcessingTime}_sum`,
      seen: times.observed ? times.sum : undefined,
      expected: latencyMs,
      more: NOTICED_WITHIN_MS * answered.length,
    },
  ];
}

/** The lines whose figures are missing or differ. */
export function disagreeing(lines: readonly MetricLine[]): MetricLine[] {
  return lines.filter(
    ({ seen, expected, more }) =>
      seen === undefined || !(seen >= expected && seen <= expected + more),
  );
}
