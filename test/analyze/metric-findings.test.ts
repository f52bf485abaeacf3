import { describe, it } from 'node:test';

import { expect } from 'chai';

import { MetricFindings } from '../../support/analyze/metric-findings';
import { parsePrometheus } from '../../support/base/prometheus';
import { CannotBeShown } from '../../support/base/errors';
import type { MetricMapping, MetricNames } from '../../support/broadcast/service-names';
import { aRecord } from '../broadcast/a-record';
import { NAMES } from '../checks/a-broadcast';
import { observed } from './make-media';

const STREAM = 's';

/** Of texts that are polled a second apart; the output is there from the second poll on. */
function metricsOf(
  texts: readonly string[],
  names: Partial<MetricNames> = {},
  alongside: string[] = [],
): MetricFindings {
  const polls = texts.map((text, i) => {
    const { samples, families } = parsePrometheus(text);
    const types = [...families].flatMap(([name, { type }]) => (type ? [[name, type]] : []));
    return { at: 1000 * i, samples, types: Object.fromEntries(types) as Record<string, string> };
  });
  const times = { inputReady: 0, outputReady: 1000 };
  const record = aRecord({ stream: STREAM, times, alongside });
  return new MetricFindings(polls, { ...NAMES.metrics, ...names }, record);
}

const fallbacks = (mapping: Omit<MetricMapping, 'name'>): Partial<MetricNames> => ({
  fallbacks: { name: 'fell_back', ...mapping },
});

describe('the metrics of media-service', () => {
  it('are found by their own labels and words', () => {
    const names = fallbacks({
      labels: { stream: 'channel', reason: 'why' },
      values: { error: 'sts_failed' },
    });
    const text = (ours: number, others: number): string =>
      `fell_back{channel="s",why="sts_failed"} ${ours}\nfell_back{channel="t",why="sts_failed"} ${others}`;
    const found = metricsOf([text(1, 0), text(4, 9)], names);
    expect(observed(found.counter('fallbacks', { reason: 'error' })).delta).to.equal(3);
    const { rises } = observed(found.rises('fallbacks', { reason: 'error' }));
    expect(rises).to.deep.equal(Array.from({ length: 3 }, () => ({ after: 0, by: 1000 })));
    // It counts that for others, and would for this reason.
    expect(observed(found.counter('fallbacks', { reason: 'timeout' })).delta).to.equal(0);
    const unlabelled = metricsOf([text(1, 0)], fallbacks({ labels: { stream: 'channel' } }));
    expect(unlabelled.counter('fallbacks', { reason: 'error' })).to.have.property(
      'observed',
      false,
    );
  });

  it('without a label for the stream are those of the only stream', () => {
    const texts = ['fell_back 7', 'fell_back 9'];
    for (const names of [fallbacks({}), fallbacks({ labels: { stream: 'none' } })]) {
      expect(observed(metricsOf(texts, names).counter('fallbacks')).delta).to.equal(2);
      const two = metricsOf(texts, names, ['t']);
      expect(() => two.counter('fallbacks')).to.throw(CannotBeShown, 'of which stream');
      expect(two.has('fallbacks')).to.be.false;
    }
  });

  it('may be made with their first count, and go with the stream', () => {
    const declared = '# TYPE fallbacks_total counter';
    const counted = (n: number): string =>
      `${declared}\nfallbacks_total{stream_id="s",reason="error"} ${n}`;
    const error = { reason: 'error' };
    const delta = (...texts: string[]): number =>
      observed(metricsOf(texts).counter('fallbacks', error)).delta;
    expect(delta(declared, counted(1), counted(3))).to.equal(3);
    expect(delta(counted(1), counted(3), declared)).to.equal(2);
    expect(delta(counted(1), counted(3), counted(1))).to.equal(3);
    expect(delta(declared, declared)).to.equal(0);
    expect(metricsOf(['', '']).counter('fallbacks', error)).to.have.property('observed', false);
  });

  it('that were declared, but never exported, are those of the specs while others are dubbed', () => {
    const found = metricsOf(['# TYPE fallbacks_total counter'], {}, ['t']);
    expect(observed(found.counter('fallbacks')).delta).to.equal(0);
    expect([found.has('fallbacks'), found.isSampled('fallbacks')]).to.deep.equal([false, false]);
    const histogram = metricsOf(['# TYPE av_delta histogram']).measured('avSyncDelta');
    expect(observed(histogram)).to.include({ kind: 'histogram', count: 0 });
  });

  it('may name the stream by its path', () => {
    const text = (n: number): string =>
      `inflight{stream_id="live/s/in"} ${n}\ninflight{stream_id="live/t/in"} 9`;
    expect(metricsOf([text(1), text(2)]).gauge('inflight')).to.deep.equal([
      { askedAt: 0, at: 0, value: 1 },
      { askedAt: 1000, at: 1000, value: 2 },
    ]);
  });

  it('of several processes are taken together', () => {
    const text = (name: string, one: number, other: number): string =>
      `${name}{stream_id="s",pid="1"} ${one}\n${name}{stream_id="s",pid="7"} ${other}`;
    expect(metricsOf([text('inflight', 0, 2)]).gauge('inflight')[0]?.value).to.equal(2);
    const states = (...both: [number, number]) =>
      metricsOf([text('breaker', ...both)]).breakerStates()[0]?.value;
    expect([states(0, 1), states(2, 0), states(0, 0)]).to.deep.equal([
      ...['open', 'half-open', 'closed'],
    ]);
    const apart = metricsOf(['', text('av_delta', 0, -253)]).measured('avSyncDelta');
    expect(observed(apart)).to.deep.include({ values: [0, -253] });
  });

  it('that are absent cannot be shown', () => {
    const found = metricsOf(['fell_back 7'], { fallbacks: 'absent' });
    expect(() => found.counter('fallbacks')).to.throw(CannotBeShown, 'no metric');
    expect([found.has('fallbacks'), metricsOf([]).has('fallbacks')]).to.deep.equal([false, false]);
  });

  it('are counters without their suffix, as OpenMetrics names them', () => {
    const names = { fallbacks: 'fell_back' };
    const text = (n: number): string =>
      `# TYPE fell_back counter\nfell_back_total{stream_id="s"} ${n}\nfell_back_created{stream_id="s"} 1e9\n# EOF`;
    const found = metricsOf([text(1), text(3)], names);
    expect(observed(found.counter('fallbacks')).delta).to.equal(2);
    expect(found.kindOf('fallbacks')).to.equal('counter');
  });

  it('of which readings are asked for many times are gathered once', () => {
    let read = 0;
    const polls = [0, 1, 2].map((value) => ({
      at: 1000 * value,
      get samples() {
        read += 1;
        return [{ name: 'fell_back', labels: { stream_id: STREAM }, value }];
      },
    }));
    const names = { ...NAMES.metrics, fallbacks: 'fell_back' };
    const found = new MetricFindings(polls, names, aRecord({ stream: STREAM }));
    const delta = (): number => observed(found.counter('fallbacks')).delta;
    expect(delta()).to.equal(2);
    const once = read;
    expect([delta(), delta()]).to.deep.equal([2, 2]);
    // From then on each poll is read once for a counter: what labels there are is known.
    expect(read - once).to.equal(2 * polls.length);
  });

  it('are first seen in a poll since the broadcast was ready', () => {
    expect(
      metricsOf(['', 'inflight{stream_id="t"} 1', 'inflight{stream_id="s"} 1']).firstAt,
    ).to.equal(2000);
    expect(metricsOf(['', 'inflight 1']).firstAt).to.equal(1000);
    expect(metricsOf(['', 'other 1']).firstAt).to.equal(undefined);
  });
});

describe('measured times', () => {
  const seconds = { avSyncDelta: { name: 'av_delta', unit: 's' } } as const;

  it('of a gauge are what it had while there was an output, in ms', () => {
    const found = metricsOf(
      ['av_delta 9', 'av_delta 0.253', 'av_delta NaN', 'av_delta -0.01'],
      seconds,
    );
    expect(observed(found.measured('avSyncDelta'))).to.deep.include({
      ...{ kind: 'gauge', values: [253, -10] },
    });
    expect(metricsOf(['av_delta 9'], seconds).measured('avSyncDelta')).to.have.property(
      'observed',
      false,
    );
  });

  it('of a summary are the means of what was counted from poll to poll', () => {
    const text = (count: number, sum: number): string =>
      `av_delta_count{stream_id="s"} ${count}\nav_delta_sum{stream_id="s"} ${sum}\nav_delta{stream_id="s",quantile="0.5"} 1`;
    const found = metricsOf([text(2, 100), text(3, 353), text(3, 353), text(5, 373)]);
    expect(observed(found.measured('avSyncDelta'))).to.deep.include({
      ...{ kind: 'summary', values: [253, 10], count: 3, sumMs: 273 },
    });
    expect(found.kindOf('avSyncDelta')).to.equal('summary');
  });

  it('of a histogram are what it has counted since the broadcast began', () => {
    const text = (low: number, all: number): string =>
      `av_delta_bucket{le="0.12"} ${low}\nav_delta_bucket{le="+Inf"} ${all}\nav_delta_count ${all}\nav_delta_sum ${all}`;
    const { kind, ...rest } = observed(
      metricsOf([text(4, 5), text(6, 8)], seconds).measured('avSyncDelta'),
    );
    expect(kind).to.equal('histogram');
    expect(rest).to.deep.include({
      ...{ count: 3, sumMs: 3000 },
      histogram: {
        ...{ count: 3, sum: 3000 },
        buckets: [
          { le: 120, cumulative: 2 },
          { le: Infinity, cumulative: 3 },
        ],
      },
    });
  });
});

describe('the kind of a metric', () => {
  it('is told by its samples where there is no TYPE line', () => {
    const kind = (text: string): string => metricsOf([text]).kindOf('avSyncDelta');
    expect(kind('av_delta_bucket{le="+Inf"} 0\nav_delta_count 0\nav_delta_sum 0')).to.equal(
      'histogram',
    );
    expect(kind('av_delta 3')).to.equal('untyped');
    expect(kind('other 3')).to.equal('not there');
    expect(kind('# TYPE other gauge\nav_delta 3')).to.equal('not there');
    expect(kind('# TYPE av_delta gauge\nav_delta 3')).to.equal('gauge');
  });
});
