import { describe, it } from 'node:test';

import { expect } from 'chai';

import { countAbove, counterRises, histogram } from '../../support/analyze/metrics';
import { parsePrometheus, type Sample } from '../../support/base/prometheus';
import { observed } from './make-media';

function samplesOf(text: string): Sample[] {
  return parsePrometheus(text).samples;
}

describe('counters', () => {
  const before = samplesOf('n{s="a",type="audio"} 7\nn{s="a",type="video"} 7\n');
  const rises = (labels: Record<string, string>, ...texts: string[]): number[] =>
    observed(counterRises([before, ...texts.map(samplesOf)], 'n', labels)).rises;

  it('count a new series from 0, and one that was there from its value', () => {
    const [new1, new2] = ['n{s="a",type="audio"} 9', 'n{s="b",type="audio"} 4'];
    expect(rises({ type: 'audio' }, `${new1}\n${new2}`)).to.deep.equal([6]);
    expect(rises({ type: 'other' }, new1)).to.deep.equal([0]);
  });

  it('count a reset series from 0, each time', () => {
    expect(rises({}, 'n{s="a",type="audio"} 3\nn{s="a",type="video"} 8')).to.deep.equal([4]);
    const [three, five] = ['n{s="a",type="audio"} 3', 'n{s="a",type="audio"} 5'];
    expect(rises({}, three, five, three, five)).to.deep.equal([3, 2, 3, 2]);
  });

  it('keep what they had counted when a series is gone, for good or not', () => {
    const nine = 'n{s="a",type="audio"} 9';
    expect(rises({}, nine, '', '')).to.deep.equal([2, 0, 0]);
    expect(rises({}, nine, '', nine)).to.deep.equal([2, 0, 0]);
  });

  it('do not answer for a value that is no number', () => {
    expect(counterRises([before, samplesOf('n{s="a",type="audio"} NaN')], 'n'))
      .to.have.property('reason')
      .that.equals('n{s="a",type="audio"} is NaN');
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
