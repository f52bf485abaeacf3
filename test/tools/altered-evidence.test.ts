import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';

import { expect } from 'chai';

import { alterable, type AlteredEvidence } from '../../tools/prove/altered-evidence';

describe('altered evidence', () => {
  const folder = mkdtempSync(join(tmpdir(), 'altered-'));
  const baseline = join(folder, 'baseline');
  after(() => rmSync(folder, { recursive: true }));

  const tap = [1, 2, 3].map((at) => ({ at, event: 'fragment:data', payload: { number: at } }));
  mkdirSync(join(baseline, 'one/audio'), { recursive: true });
  mkdirSync(join(baseline, 'two'));
  writeFileSync(
    join(baseline, 'one/tap.ndjson'),
    tap.map((e) => `${JSON.stringify(e)}\n`).join(''),
  );
  writeFileSync(join(baseline, 'one/run.json'), '{"stream": "one", "times": {"published": 5}}');
  writeFileSync(join(baseline, 'one/audio/a.wav'), 'a');
  writeFileSync(join(baseline, 'one/audio/b.wav'), 'b');
  writeFileSync(join(baseline, 'two/run.json'), '{"stream": "two"}');

  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  let altered: AlteredEvidence;
  let copies = 0;
  beforeEach(() => {
    copies += 1;
    altered = alterable(baseline, 'one', join(folder, `copy-${copies}`));
  });
  const events = (): { at: number; payload: { number: number } }[] =>
    read(`copy-${copies}/one/tap.ndjson`)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as never);

  it('differs in one thing, and the baseline stays as it is', () => {
    altered.payloads('fragment:data', [1], () => undefined);
    expect(events().map(({ at }) => at)).to.deep.equal([1, 3]);
    altered.replace('audio/b.wav', 'audio/a.wav');
    expect(read(`copy-${copies}/one/audio/b.wav`)).to.equal('a');
    expect(read('baseline/one/tap.ndjson').trim().split('\n')).to.have.length(3);
    expect(read('baseline/one/audio/b.wav')).to.equal('b');
    expect(read(`copy-${copies}/two/run.json`)).to.equal('{"stream": "two"}');
  });

  it('has its events in the order of their times', () => {
    altered.later(({ at }) => at === 1, 10);
    expect(events().map(({ payload }) => payload.number)).to.deep.equal([2, 3, 1]);
  });

  it('has times moved', () => {
    altered.time('published', 7);
    expect(read(`copy-${copies}/one/run.json`)).to.include('"published": 12');
  });

  it('has times put after a moment, wherever they were', () => {
    altered.timeAfter('ingested', 'published', 6000);
    expect(read(`copy-${copies}/one/run.json`)).to.include('"ingested": 6005');
    altered.timeAfter('ingested', 100, 6000);
    expect(read(`copy-${copies}/one/run.json`)).to.include('"ingested": 6100');
  });

  const nothing: [string, () => void][] = [
    ['a text', () => altered.log('tap', (line) => line)],
    ['events', () => altered.payloads('fragment:processed', [0], () => undefined)],
    ['a file', () => altered.replace('audio/a.wav', 'audio/a.wav')],
    ['what is not there', () => altered.remove('audio/c.wav')],
  ];
  for (const [what, change] of nothing) {
    it(`is an error when the fault changes nothing: ${what}`, () => {
      if (what === 'a text') writeFileSync(join(altered.folder, 'tap.log'), 'a line\n');
      expect(change).to.throw('the fault changes nothing');
    });
  }
});
