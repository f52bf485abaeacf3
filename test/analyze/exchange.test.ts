import { describe, it } from 'node:test';

import { expect } from 'chai';

import { breakerChanges, breakerPhases, gaugeAgainstPhases } from '../../support/analyze/breaker';
import {
  inflightAt,
  mostInflight,
  pressuresOf,
  reconnectionsOf,
  waitsOf,
} from '../../support/analyze/exchange';
import { disagreeing, metricsAgainstTap } from '../../support/analyze/metrics-against-tap';
import { linesOf } from '../../support/analyze/service-log';
import type { TapEvent } from '../../support/observe/tap';

/** Events of a stream in the order of time; times in seconds. */
function event(at: number, name: string, payload: object = {}, connection = 1): TapEvent {
  const direction = name === 'fragment:data' ? 'to-sts' : 'from-sts';
  return { at: 1000 * at, connection, stream: 's', direction, kind: 'event', event: name, payload };
}
const sent = (at: number, id: string, connection = 1): TapEvent =>
  event(at, 'fragment:data', { fragment_id: id }, connection);
const answered = (at: number, id: string, code?: string): TapEvent =>
  event(at, 'fragment:processed', {
    fragment_id: id,
    ...(code ? { status: 'failed', error: { code } } : { status: 'success' }),
  });
const connection = (at: number, kind: 'open' | 'close' | 'refused', id = 1): TapEvent => ({
  ...{ at: 1000 * at, connection: id, stream: 's', direction: 'to-sts', kind },
});

describe('what media-service and STS say to each other', () => {
  it('waits end with an answer, a timeout or the connection, whichever is first', () => {
    const events = [
      ...[sent(0, 'a'), sent(1, 'b'), answered(2, 'a'), answered(9.5, 'b'), sent(10, 'c')],
      ...[
        connection(12, 'close'),
        sent(14, 'd', 2),
        event(15, 'error', { fragment_id: 'd', code: 'X' }),
      ],
      ...[sent(16, 'e', 2)],
    ];
    const waits = waitsOf(events, 8000);
    expect(waits.map(({ how, endedAt }) => [how, endedAt])).to.deep.equal([
      ['answered', 2000],
      ['given up', 9000],
      ['connection lost', 12_000],
      ['answered', 15_000],
      ['still waiting', undefined],
    ]);
    expect([0, 1500, 2000, 9000, 17_000].map((at) => inflightAt(waits, at))).to.deep.equal([
      ...[1, 2, 1, 0, 1],
    ]);
    expect(mostInflight(waits)).to.equal(2);
  });

  it('pressure lasts until something else is asked for', () => {
    const events = [
      ...[sent(0, 'a'), event(1, 'backpressure', { action: 'pause' }), sent(2, 'b')],
      event(3, 'backpressure', { action: 'slow_down', recommended_delay_ms: 500 }),
      ...[sent(3.1, 'c'), sent(3.7, 'd')],
    ];
    expect(pressuresOf(events)).to.deep.equal([
      { action: 'pause', delayMs: 0, from: 1000, until: 3000, sentAt: [2000] },
      { action: 'slow_down', delayMs: 500, from: 3000, until: undefined, sentAt: [3100, 3700] },
    ]);
  });

  it('tries to connect again are counted from the loss, each from the one before', () => {
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
  const events = [...failing, sent(67, 'probe'), answered(67.5, 'probe'), sent(73, 'next')];
  const phases = breakerPhases(breakerChanges(linesOf(log, '"s"')), events, 0);

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
    const mixed = [answered(1, 'a', 'TIMEOUT'), answered(2, 'b'), answered(3, 'c', 'TIMEOUT')];
    const changes = breakerChanges(linesOf(log, '"s"')).slice(0, 1);
    expect(breakerPhases(changes, mixed, 0)[1]?.failedBefore).to.equal(1);
  });

  it('the metric contradicts the log, or does not', () => {
    const look = (seconds: number, value: number) => ({
      at: 1000 * seconds,
      samples: [{ name: 'state', labels: { stream_id: 's' }, value }],
    });
    const good = [look(5, 0), look(30.9, 0), look(31.2, 0), look(40, 1), look(65, 2), look(70, 0)];
    const labels = { stream_id: 's' };
    // Near a change a look proves nothing.
    expect(gaugeAgainstPhases(good, phases, 'state', labels)).to.deep.equal({
      compared: 4,
      contradictions: [],
    });
    const { contradictions } = gaugeAgainstPhases([look(40, 0)], phases, 'state', labels);
    expect(contradictions).to.deep.equal(['40.0 s: closed, not open']);
  });

  it('metrics that agree with the wire, and one that does not', () => {
    const names = {
      ...{ audioFragments: 'fragments', backpressureEvents: 'pressure', reconnections: 'again' },
      ...{ inflight: 'inflight', stsProcessingTime: 'time' },
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
    expect(disagreeing(metricsAgainstTap(exchange, names, reader(1), 8000))).to.be.empty;
    const [wrong, ...others] = disagreeing(metricsAgainstTap(exchange, names, reader(2), 8000));
    expect(others).to.be.empty;
    expect(wrong).to.deep.include({ metric: 'fragments{status="sent"}', seen: 2, expected: 1 });
    const quick = {
      ...reader(1),
      histogram: () => ({ observed: true as const, count: 1, sum: 480 }),
    };
    expect(disagreeing(metricsAgainstTap(exchange, names, quick, 8000))).to.have.length(1);
    const missing = {
      ...reader(1),
      histogram: () => ({ observed: false as const, reason: 'gone' }),
    };
    expect(disagreeing(metricsAgainstTap(exchange, names, missing, 8000))).to.have.length(2);
  });
});
