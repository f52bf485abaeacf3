import { describe, it } from 'node:test';

import { expect } from 'chai';

import { matching, parsePrometheus, PrometheusTextInvalid } from '../../support/base/prometheus';

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

  it('reads quoted names of any characters, with labels and beside others', () => {
    const { samples, families } = parsePrometheus(
      [
        '# TYPE "dub.seconds" counter',
        '# HELP "dub.seconds" a "quoted" one',
        '{"dub.seconds"} 1',
        '{ "dub.seconds" , "a b"="c" , d="e\\n" } 2 # {"trace.id"="1"} 0.5',
        'plain{"a b"="c"} 3',
        '{"say \\"ö\\""} 4',
      ].join('\n'),
    );
    expect(samples.map(({ name, labels, value }) => [name, labels, value])).to.deep.equal([
      ['dub.seconds', {}, 1],
      ['dub.seconds', { 'a b': 'c', d: 'e\n' }, 2],
      ['plain', { 'a b': 'c' }, 3],
      ['say "ö"', {}, 4],
    ]);
    expect(samples[1]?.exemplar?.labels).to.deep.equal({ 'trace.id': '1' });
    expect(families.get('dub.seconds')).to.deep.equal({
      ...{ type: 'counter', help: 'a "quoted" one' },
    });
  });

  for (const bad of [
    '{} 1',
    '{a="b"} 1',
    '{a} 1',
    '{"x","y"} 1',
    '{a="b","x"} 1',
    'x{"y"} 1',
    '{"x} 1',
    '# TYPE "x"counter',
    '# TYPE "x counter',
    'x 1 # {"y"} 1',
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

describe('matching', () => {
  it('finds the series of a name that have the labels asked for', () => {
    const samples = samplesOf('n{s="a",type="audio"} 7\nn{s="a",type="video"} 8\nother{s="a"} 9');
    const values = (labels?: Record<string, string>): number[] =>
      matching(samples, 'n', labels).map(({ value }) => value);
    expect(values()).to.deep.equal([7, 8]);
    expect(values({ s: 'a', type: 'video' })).to.deep.equal([8]);
    expect(values({ s: 'b' })).to.deep.equal([]);
  });
});
