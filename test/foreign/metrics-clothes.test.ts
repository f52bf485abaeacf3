import { describe, it } from 'node:test';

import { expect } from 'chai';

import { lastObserved, renamed, valued, without, withoutLabel } from './metrics-clothes';

describe('metrics in other clothes', () => {
  it('add up what only a label told apart', () => {
    const text = [
      '# TYPE a_total counter',
      'a_total{stream_id="x",type="audio"} 2.0',
      'a_total{type="video",stream_id="x"} 3.0',
      'a_total{stream_id="y",type="audio"} 4.0',
      'b{stream_id="x"} 1.5',
      'c 7.0',
    ].join('\n');
    expect(withoutLabel('stream_id')(text).split('\n')).to.deep.equal([
      '# TYPE a_total counter',
      'a_total{type="audio"} 6',
      'a_total{type="video"} 3',
      'b 1.5',
      'c 7',
      '',
    ]);
  });

  const HISTOGRAM = '# TYPE d histogram\nd_bucket{le="5"} 1\nd_sum 12\nd_count 2\ndd 1\n';

  it('have other names, and none of those that are left out', () => {
    expect(renamed({ d: 'e' })(HISTOGRAM)).to.equal(
      '# TYPE e histogram\ne_bucket{le="5"} 1\ne_sum 12\ne_count 2\ndd 1\n',
    );
    expect(without('d')(HISTOGRAM)).to.equal('dd 1\n');
  });

  it('have other values', () => {
    const doubled = valued('d', (value) => 2 * value);
    expect(doubled('d{a="b"} 2\nd 3\ndd 4\n')).to.equal('d{a="b"} 4\nd 6\ndd 4\n');
  });

  it('are a gauge of what was observed since the last time, which then stays', () => {
    const gauge = lastObserved('d', 'g');
    const of = (text: string): string | undefined => gauge(text).split('\n').at(-2);
    expect(gauge('dd 1\n'), 'before anything was observed').to.equal('dd 1\n');
    expect(gauge(HISTOGRAM)).to.equal('dd 1\n# TYPE g gauge\ng 6\n');
    expect(of(HISTOGRAM.replace('12', '32').replace('_count 2', '_count 3'))).to.equal('g 20');
    expect(of(HISTOGRAM.replace('12', '32').replace('_count 2', '_count 3'))).to.equal('g 20');
  });
});
