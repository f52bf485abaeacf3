import { describe, it } from 'node:test';

import { expect } from 'chai';

import { backpressureOf, reconnectionsOf } from '../../support/analyze/exchange';
import { disagreeing, metricsAgainstTap } from '../../support/analyze/metrics-against-tap';
import { CannotBeShown } from '../../support/base/errors';
import type { TapEvent } from '../../support/broadcast/events';
import { type Fragment, fragmentsOf } from '../../support/broadcast/fragment';
import { answered, connection, event, sent } from '../broadcast/an-exchange';

type Reader = Parameters<typeof metricsAgainstTap>[3];

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
    const slow = { ...connection(13, 'open', 2), begunAt: 12_200 };
    expect(reconnectionsOf([connection(10, 'close'), slow])).to.deep.equal([
      { at: 13_000, isRefused: false, afterMs: 2200 },
    ]);
    expect(reconnectionsOf([connection(0, 'open'), connection(1, 'refused')])).to.be.empty;
  });

  it('metrics that agree with the wire, and one that does not', () => {
    const names = {
      ...{ audioFragments: 'fragments', backpressureEvents: 'requests', reconnections: 'again' },
      ...{ inflight: 'inflight', stsProcessingTime: 'time', segmentsProcessed: 'segments' },
      ...{ avSyncDelta: 'delta', fallbacks: 'fallbacks', breakerState: 'breaker' },
    };
    const exchange = [event(0, 'stream:ready'), sent(1, 'a'), answered(1.5, 'a')];
    const reader = (sentCount: number, times = 520): Reader => ({
      lastAt: 0,
      counter: (_key, wanted) => ({
        observed: true,
        delta: wanted?.['status'] === 'sent' ? sentCount : 0,
      }),
      rises: () => ({
        observed: true,
        rises: [900, 9900].slice(0, sentCount).map((after) => ({ after, by: after + 1000 })),
      }),
      gauge: () => [{ askedAt: 0, at: 0, value: 0 }],
      measured: () => ({
        observed: true,
        kind: 'summary',
        values: [times],
        count: 1,
        sumMs: times,
      }),
    });
    const compared = (read: Reader) =>
      metricsAgainstTap(exchange, fragmentsIn(exchange), names, read);
    expect(disagreeing(compared(reader(1)))).to.be.empty;
    const [wrong, ...others] = disagreeing(compared(reader(2)));
    expect(others).to.be.empty;
    expect(wrong).to.deep.include({ metric: 'fragments{status="sent"}', seen: 2, expected: 1 });
    expect(disagreeing(compared(reader(1, 480)))).to.have.length(1);
    const lostAt = (at: number) => [
      ...[...exchange, connection(at, 'close'), connection(at + 0.01, 'close')],
      connection(12, 'open', 2),
    ];
    const withLoss = (at: number, count: number) =>
      disagreeing(metricsAgainstTap(lostAt(at), fragmentsIn(lostAt(at)), names, reader(count))).map(
        ({ metric }) => metric,
      );
    // Given to a connection that was being lost, the second fragment never arrived.
    expect(withLoss(10.5, 2)).to.be.empty;
    expect(withLoss(8.9, 2)).to.be.empty;
    expect(withLoss(8.8, 2)).to.deep.equal(['fragments{status="sent"}']);
    expect(withLoss(10.5, 1)).to.be.empty;
    expect(withLoss(10.5, 3)).to.deep.equal(['fragments{status="sent"}']);
    const missing: Reader = {
      ...reader(1),
      measured: () => ({ observed: false, reason: 'gone' }),
    };
    expect(disagreeing(compared(missing))).to.have.length(2);
    const absent: Reader = {
      ...reader(1),
      measured: () => {
        throw new CannotBeShown({ what: 'none', where: 'm', seen: 'absent', expected: 'one' });
      },
    };
    expect(compared(absent)).to.have.length(compared(reader(1)).length - 2);
  });
});
