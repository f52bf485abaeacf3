import { describe, it } from 'node:test';

import { expect } from 'chai';

import { CannotBeShown } from '../../support/base/errors';
import { measuredOffset } from '../../support/checks/av-sync';
import { fallbacksBecauseOf, metricTypes, processedSegments } from '../../support/checks/metrics';
import { answered, connection, event, init, sent } from '../broadcast/an-exchange';
import { aBroadcast, NAMES, type Poll, stateOf } from './a-broadcast';

/** Of 15 segments. */
const SEGMENTS = 15;
const limit = { limitMs: 120, ifAvailable: false };
/** media-service is connected to the STS: otherwise all that it counts follows from that. */
const events = [connection(0, 'open'), init(8000), event(0, 'stream:ready')];
const record = { times: { published: 0, inputReady: 0, outputReady: 1000 } };

describe('the A/V delta that media-service measures', () => {
  const state = (polls: Poll[], more: Parameters<typeof aBroadcast>[0] = {}) =>
    stateOf(measuredOffset, aBroadcast({ polls, record, events, ...more }), limit);
  const gauge = (...values: number[]) => state(values.map((value, i) => [i, { av_delta: value }]));

  it('as a gauge: every value while there was an output, either way', async () => {
    expect(await gauge(0, 119.9)).to.equal('passed');
    expect(await gauge(0, 20, 120, 20)).to.equal('failed');
    expect(await gauge(0, -253)).to.equal('failed');
    expect(await gauge(253, 0)).to.equal('passed');
    expect(await gauge(0)).to.equal('not shown');
  });

  it('as a gauge of seconds, without a label', async () => {
    const more = {
      metrics: { avSyncDelta: { name: 'apart', unit: 's' as const } },
      streamLabel: null,
    };
    expect(await state([[1, { apart: 0.119 }]], more)).to.equal('passed');
    expect(await state([[1, { apart: 0.253 }]], more)).to.equal('failed');
  });

  it('as a summary or a histogram: of every segment', async () => {
    const summary = (count: number, sum: number) =>
      state([
        [0, {}],
        [2, { av_delta_count: count, av_delta_sum: sum }],
      ]);
    expect(await summary(SEGMENTS, 100 * SEGMENTS)).to.equal('passed');
    expect(await summary(SEGMENTS, 120 * SEGMENTS)).to.equal('failed');
    expect(await summary(SEGMENTS - 1, 0)).to.equal('failed');
    const buckets = (low: number, all: number, sum = 9) =>
      state([
        [0, {}],
        [
          2,
          {
            'av_delta_bucket{le="120"}': low,
            'av_delta_bucket{le="+Inf"}': all,
            av_delta_count: all,
            av_delta_sum: sum,
          },
        ],
      ]);
    expect(await buckets(SEGMENTS, SEGMENTS)).to.equal('passed');
    expect(await buckets(SEGMENTS - 1, SEGMENTS)).to.equal('failed');
    expect(await buckets(SEGMENTS - 1, SEGMENTS - 1)).to.equal('failed');
    // The lowest bucket has no lower edge: only the mean tells that they are far below 0.
    expect(await buckets(SEGMENTS, SEGMENTS, -500 * SEGMENTS)).to.equal('failed');
  });

  it('may be missing only where the spec says so, or where it is absent', async () => {
    const missing = aBroadcast({ polls: [[1, { other: 1 }]], record });
    expect(await stateOf(measuredOffset, missing, limit)).to.equal('not shown');
    const ifAvailable = stateOf(measuredOffset, missing, { ...limit, ifAvailable: true });
    expect(await ifAvailable.catch((error: unknown) => error)).to.be.instanceOf(CannotBeShown);
    const absent = state([[1, { av_delta: 1 }]], { metrics: { avSyncDelta: 'absent' } });
    expect(await absent.catch((error: unknown) => error)).to.be.instanceOf(CannotBeShown);
  });
});

describe('fallbacks by their reason', () => {
  const state = (fellBack: number, byReason: Record<string, number>) => {
    const series = Object.fromEntries(
      Object.entries(byReason).map(([reason, n]) => [`fallbacks_total{reason="${reason}"}`, n]),
    );
    const last = { ...series, 'fragments_total{status="fallback"}': fellBack };
    const polls: Poll[] = [
      [0, {}],
      [9, last],
    ];
    return stateOf(fallbacksBecauseOf, aBroadcast({ polls, record, events }), {
      ...{ reason: 'error', count: 5 },
    });
  };

  it('are as many, and each is counted for one reason only', async () => {
    expect(await state(5, { error: 5 })).to.equal('passed');
    expect(await state(10, { error: 5, circuit_open: 5 })).to.equal('passed');
    expect(await state(5, { error: 4 })).to.equal('failed');
    expect(await state(5, { error: 5, timeout: 5 })).to.equal('failed');
    expect(await state(6, { error: 5 })).to.equal('failed');
  });
});

describe('segments that media-service has processed', () => {
  const answers = Array.from({ length: SEGMENTS }, (_, i) => [
    ...[sent(i, `f${i}`, { sequence: i, isWhole: true }), answered(i, `f${i}`)],
  ]).flat();
  const state = (values: Record<string, number>, more: Parameters<typeof aBroadcast>[0] = {}) => {
    const polls: Poll[] = [
      [0, {}],
      [9, values],
    ];
    const broadcast = aBroadcast({ polls, record, events: [...events, ...answers], ...more });
    return stateOf(processedSegments, broadcast, SEGMENTS);
  };
  const [audio, video] = ['segments_total{type="audio"}', 'segments_total{type="video"}'];

  it('are counted with their audio and their video, where these are told apart', async () => {
    expect(await state({ [audio]: SEGMENTS, [video]: SEGMENTS })).to.equal('passed');
    expect(await state({ [audio]: SEGMENTS, [video]: SEGMENTS - 1 })).to.equal('failed');
    expect(await state({ [audio]: SEGMENTS })).to.equal('failed');
    const mapping = { name: 'segments_total', labels: { type: 'none' } };
    const metrics = { segmentsProcessed: mapping };
    expect(await state({ segments_total: SEGMENTS }, { metrics })).to.equal('passed');
  });
});

describe('the kinds of the metrics', () => {
  const { metrics: names } = NAMES;
  const types = {
    ...{ [names.segmentsProcessed]: 'counter', [names.audioFragments]: 'counter' },
    ...{ [names.fallbacks]: 'counter', [names.backpressureEvents]: 'counter' },
    ...{
      [names.reconnections]: 'counter',
      [names.inflight]: 'gauge',
      [names.breakerState]: 'gauge',
    },
    ...{ [names.avSyncDelta]: 'gauge', [names.stsProcessingTime]: 'histogram' },
  };
  const state = (metrics: Parameters<typeof aBroadcast>[0] = {}) =>
    stateOf(metricTypes, [aBroadcast({ polls: [[1, {}]], types, ...metrics })], null);

  it('are those of the specs, unless another one is declared', async () => {
    expect(await state()).to.equal('failed');
    const avSyncDelta = { name: names.avSyncDelta, kind: 'gauge' as const };
    expect(await state({ metrics: { avSyncDelta } })).to.equal('passed');
    expect(await state({ metrics: { avSyncDelta: { ...avSyncDelta, kind: 'summary' } } })).to.equal(
      'failed',
    );
    expect(await state({ metrics: { avSyncDelta: 'absent' } })).to.equal('passed');
  });

  it('are there of each stream that was sent, with a value', async () => {
    const metrics = { avSyncDelta: { name: names.avSyncDelta, kind: 'gauge' as const } };
    const withoutBreaker = {
      ...{ inflight: 0, av_delta: 1 },
      ...{ 'sts_time_bucket{le="+Inf"}': 1, sts_time_count: 1, sts_time_sum: 1 },
    };
    const dubbed = [sent(1, 'a', { isWhole: true }), answered(2, 'a')];
    const seen = (polled: Record<string, number>, some = dubbed) =>
      state({ metrics, events: some, polls: [[1, polled]] });
    expect(await seen({ ...withoutBreaker, breaker: 0 })).to.equal('passed');
    expect(await seen(withoutBreaker)).to.equal('failed');
    // What has measured nothing yet may have no series.
    expect(await seen({ inflight: 1, breaker: 0, av_delta: 1 }, dubbed.slice(0, 1))).to.equal(
      'passed',
    );
  });

  it('may be a set of states where each state has a series', async () => {
    const breakerState = { name: names.breakerState, labels: { state: 'is' } };
    const avSyncDelta = 'absent';
    const sets = { ...types, [names.breakerState]: 'stateset' };
    expect(await state({ metrics: { avSyncDelta, breakerState }, types: sets })).to.equal('passed');
    expect(await state({ metrics: { avSyncDelta }, types: sets })).to.equal('failed');
  });
});
