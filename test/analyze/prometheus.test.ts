import { describe, it } from 'node:test';

import { expect } from 'chai';

import {
  countAbove,
  counterDelta,
  histogram,
  matching,
  parsePrometheus,
  PrometheusTextInvalid,
  sumOf,
} from '../../support/analyze/prometheus';
import { observed } from './make-media';

const samplesOf = (text: string) => parsePrometheus(text).samples;

describe('parsePrometheus', () => {
  it('reads names, types, help, labels with escapes, special values and timestamps', () => {
    const { samples, families } = parsePrometheus(
      [
        '# HELP a_total Slashes \\\\ and\\nlines',
        '# TYPE a_total counter',
        '# just a remark',
        'a_total{path="C:\\\\dir\\n\\"x\\"",brace="}#,{",} 1.5e3 1395066363000',
        '',
        'b NaN',
        'c{x="1"} +Inf',
        'd -Inf',
        'e{} .5\r',
      ].join('\n'),
    );
    expect(families.get('a_total')).to.deep.equal({
      type: 'counter',
      help: 'Slashes \\ and\nlines',
    });
    expect(samples[0]).to.deep.equal({
      name: 'a_total',
      labels: { path: 'C:\\dir\n"x"', brace: '}#,{' },
      value: 1500,
      timestampMs: 1395066363000,
    });
    expect(samples.slice(1).map(({ value }) => value)).to.deep.equal([
      NaN,
      Infinity,
      -Infinity,
      0.5,
    ]);
  });

  it('keeps exemplars apart from the value and reads OpenMetrics times as seconds', () => {
    const [sample] = samplesOf(
      'f_bucket{le="120.0"} 17 1520879607.5 # {trace_id="KOO#5"} 9.8 1520879607.25\n# EOF\n',
    );
    expect(sample).to.deep.equal({
      name: 'f_bucket',
      labels: { le: '120.0' },
      value: 17,
      timestampMs: 1520879607500,
      exemplar: { labels: { trace_id: 'KOO#5' }, value: 9.8, timestampMs: 1520879607250 },
    });
  });

  for (const bad of [
    'x',
    'x{a="1" 2',
    'x{a=1} 2',
    '1x 2',
    'x 1 2 3',
    'x 0x10',
    'x{a="1",a="2"} 3',
  ]) {
    it(`says line and text of ${bad}`, () => {
      expect(() => parsePrometheus(`ok 1\n${bad}\n`, 'http://media/metrics'))
        .to.throw(PrometheusTextInvalid)
        .with.property('message')
        .that.includes('line 2')
        .and.includes(bad)
        .and.includes('http://media/metrics');
    });
  }
});

describe('counters', () => {
  const before = samplesOf('n{s="a",type="audio"} 7\nn{s="a",type="video"} 7\n');

  it('sums the series that have the labels asked for', () => {
    expect(sumOf(before, 'n', { s: 'a' })).to.deep.equal({ observed: true, sum: 14, series: 2 });
    expect(sumOf(before, 'n', { type: 'video' })).to.include({ sum: 7 });
    expect(sumOf(before, 'n', { s: 'b' })).to.deep.equal({
      observed: false,
      reason: 'there is no n{s="b"}',
    });
    expect(matching(before, 'n')).to.have.length(2);
  });

  it('counts a new series from 0', () => {
    const after = samplesOf(
      'n{s="a",type="audio"} 9\nn{s="b",type="audio"} 4\nn{s="a",type="video"} 7',
    );
    expect(observed(counterDelta(before, after, 'n', { type: 'audio' }))).to.include({
      delta: 6,
      resets: 0,
      series: 2,
    });
  });

  it('counts a reset series from 0', () => {
    const after = samplesOf('n{s="a",type="audio"} 3\nn{s="a",type="video"} 8');
    expect(observed(counterDelta(before, after, 'n'))).to.include({ delta: 4, resets: 1 });
  });

  it('does not answer when the metric or one of its series has gone', () => {
    expect(counterDelta(before, [], 'n')).to.have.property('observed', false);
    const after = samplesOf('n{s="a",type="audio"} 9');
    expect(counterDelta(before, after, 'n'))
      .to.have.property('reason')
      .that.includes('n{s="a",type="video"} has gone');
  });
});

describe('histograms', () => {
  const text = (edges: Record<string, number>, count: number): string =>
    Object.entries(edges)
      .map(([le, n]) => `d_bucket{s="a",le="${le}"} ${n}`)
      .concat(`d_count{s="a"} ${count}`, `d_sum{s="a"} 640`)
      .join('\n');

  it('proves observations at the boundary when it is a bucket edge', () => {
    const seen = observed(
      histogram(samplesOf(text({ '50.0': 6, '120.0': 9, '250.0': 9, '+Inf': 10 }, 10)), 'd', {
        s: 'a',
      }),
    );
    expect(seen).to.include({ count: 10, sum: 640 });
    expect(countAbove(seen, 120)).to.deep.equal({
      provenAtMost: 9,
      maybeAbove: 1,
      provenAbove: 1,
      edge: 120,
    });
  });

  it('uses the next lower edge when the boundary is inside a bucket', () => {
    const seen = observed(histogram(samplesOf(text({ 100: 6, 250: 9, '+Inf': 10 }, 10)), 'd'));
    expect(countAbove(seen, 120)).to.deep.equal({
      provenAtMost: 6,
      maybeAbove: 4,
      provenAbove: 1,
      edge: 100,
    });
  });

  it('proves nothing below the lowest edge', () => {
    const seen = observed(histogram(samplesOf(text({ 250: 9, '+Inf': 10 }, 10)), 'd'));
    expect(countAbove(seen, 120)).to.include({ provenAtMost: 0, maybeAbove: 10, edge: null });
  });

  it('adds up series with the same buckets and refuses others', () => {
    const two = text({ 120: 6, '+Inf': 10 }, 10);
    const same = samplesOf(`${two}\n${two.replaceAll('"a"', '"b"')}`);
    expect(observed(histogram(same, 'd'))).to.include({ count: 20, sum: 1280 });
    const other = samplesOf(`${two}\n${two.replaceAll('"a"', '"b"').replaceAll('"120"', '"100"')}`);
    expect(histogram(other, 'd')).to.have.property('reason').that.includes('different buckets');
  });

  it('does not answer without all of its parts', () => {
    const incomplete = samplesOf('d_bucket{le="120"} 3\nd_count 3\nd_sum 1');
    expect(histogram(incomplete, 'd')).to.have.property('reason').that.includes('+Inf');
    expect(histogram(samplesOf('d_bucket{le="+Inf"} 3'), 'd'))
      .to.have.property('reason')
      .that.includes('d_count');
  });
});
