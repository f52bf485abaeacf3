import { describe, it } from 'node:test';

import { expect } from 'chai';

import { breakerChanges, breakerPhases, gaugeAgainstPhases } from '../../support/analyze/breaker';
import { backpressureOf, reconnectionsOf } from '../../support/analyze/exchange';
import {
  disagreeing,
  type MetricReader,
  metricsAgainstTap,
} from '../../support/analyze/metrics-against-tap';
import { linesOf } from '../../support/analyze/service-log';
import type { TapEvent } from '../../support/broadcast/events';
import { type Fragment, fragmentsOf } from '../../support/broadcast/fragment';
import { answered, connection, event, sent } from '../broadcast/an-exchange';

const fragmentsIn = (events: readonly TapEvent[]): Fragment[] => fragmentsOf(events).fragments;

describe('what media-service and STS say to each other', () => {
  it('backpressure lasts until the next request', () => {
    const events = [
      ...[sent(0, 'a'), event(1, 'backpressure', { action: 'pause' }), sent(2, 'b')],
      event(3, 'backpressure', { action: 'slow_down', recommended_delay_ms: 500 }),
      ...[sent(3.1, 'c'), sent(3.7, 'd')],
    ];
    expect(backpressureOf(events)).to.deep.equal([
      { action: 'pause', delayMs: 0, from: 1000, until: 3000, sentAt: [2000] },
      { action: 'slow_down', delayMs: 500, from: 3000, until: undefined, sentAt: [3100, 3700] },
    ]);
  });

  it('attempts to reconnect are counted from the loss, each from the one before', () => {
    const events = [
      ...[connection(0, 'open'), connection(10, 'close'), connection(10, 'close')],
      ...[connection(12.1, 'refused', 2), connection(16, 'open', 3)],
    ];
    expect(reconnectionsOf(events)).to.deep.equal([
      { at: 12_100, isRefused: true, afterMs: 2100 },
      { at: 16_000, isRefused: false, afterMs: 3900 },
    ]);
    expect(reconnectionsOf([connection(0, 'open'), connection(1, 'refused')])).to.be.empty;
  });

  const log = [
    'media-service starting, stream s',
    JSON.stringify({
      timestamp: '1970-01-01T00:00:31.000Z',
      message: 'circuit breaker changed',
      stream_id: 's',
      state: 'open',
      trigger: 'TIMEOUT',
      failure_count: 5,
    }),
    JSON.stringify({
      timestamp: '1970-01-01T00:00:40.000Z',
      message: 'circuit breaker changed',
      stream_id: 'other',
      state: 'closed',
    }),
    JSON.stringify({
      timestamp: 61,
      msg: 'circuit breaker half open',
      stream_id: 's',
      state: 'half_open',
    }),
    JSON.stringify({
      timestamp: '1970-01-01T00:01:08.000Z',
      message: 'circuit breaker changed',
      stream_id: 's',
      state: 'closed',
      trigger: 'probe succeeded',
    }),
  ].join('\n');
  const failing = [1, 7, 13, 19, 25].flatMap((at) => [
    sent(at, `f${at}`),
    answered(at + 1, `f${at}`, 'TIMEOUT'),
  ]);
  const fragments = fragmentsIn([
    ...[...failing, sent(67, 'probe'), answered(67.5, 'probe'), sent(73, 'next')],
  ]);
  const phases = breakerPhases(breakerChanges(linesOf(log, '"s"')), fragments, 0);

  it('the breaker: its phases, what was sent in each, and how many errors had come', () => {
    expect(
      phases.map(({ state, at, sent: count, failedBefore }) => [state, at, count, failedBefore]),
    ).to.deep.equal([
      ['closed', 0, 5, 0],
      ['open', 31_000, 0, 5],
      ['half-open', 61_000, 1, 5],
      ['closed', 68_000, 1, 0],
    ]);
  });

  it('a success between errors begins the row anew', () => {
    const mixed = fragmentsIn([
      ...[sent(0, 'a'), answered(1, 'a', 'TIMEOUT'), sent(1, 'b'), answered(2, 'b')],
      ...[sent(2, 'c'), answered(3, 'c', 'TIMEOUT')],
    ]);
    const changes = breakerChanges(linesOf(log, '"s"')).slice(0, 1);
    expect(breakerPhases(changes, mixed, 0)[1]?.failedBefore).to.equal(1);
  });

  it('the metric contradicts the log, or does not', () => {
    const poll = (seconds: number, value: number) => ({
      at: 1000 * seconds,
      samples: [{ name: 'state', labels: { stream_id: 's' }, value }],
    });
    const good = [poll(5, 0), poll(30.9, 0), poll(31.2, 0), poll(40, 1), poll(65, 2), poll(70, 0)];
    const labels = { stream_id: 's' };
    // Near a change a poll proves nothing.
    expect(gaugeAgainstPhases(good, phases, 'state', labels)).to.deep.equal({
      compared: 4,
      contradictions: [],
    });
    const { contradictions } = gaugeAgainstPhases([poll(40, 0)], phases, 'state', labels);
    expect(contradictions).to.deep.equal(['40.0 s: closed, not open']);
  });

  it('metrics that agree with the wire, and one that does not', () => {
    const names = {
      ...{ audioFragments: 'fragments', backpressureEvents: 'requests', reconnections: 'again' },
      ...{ inflight: 'inflight', stsProcessingTime: 'time', segmentsProcessed: 'segments' },
      ...{ avSyncDelta: 'delta', fallbacks: 'fallbacks', breakerState: 'breaker' },
    };
    const exchange = [event(0, 'stream:ready'), sent(1, 'a'), answered(1.5, 'a')];
    const reader = (sentCount: number) => ({
      counter: (name: string) => ({
        observed: true as const,
        delta: name === 'fragments' ? sentCount : 0,
      }),
      gauge: () => ({ observed: true as const, value: 0 }),
      histogram: () => ({ observed: true as const, count: 1, sum: 520 }),
    });
    const compared = (read: MetricReader) =>
      metricsAgainstTap(exchange, fragmentsIn(exchange), names, read);
    expect(disagreeing(compared(reader(1)))).to.be.empty;
    const [wrong, ...others] = disagreeing(compared(reader(2)));
    expect(others).to.be.empty;
    expect(wrong).to.deep.include({ metric: 'fragments{status="sent"}', seen: 2, expected: 1 });
    const quick = {
      ...reader(1),
      histogram: () => ({ observed: true as const, count: 1, sum: 480 }),
    };
    expect(disagreeing(compared(quick))).to.have.length(1);
    const missing = {
      ...reader(1),
      histogram: () => ({ observed: false as const, reason: 'gone' }),
    };
    expect(disagreeing(compared(missing))).to.have.length(2);
  });
});
