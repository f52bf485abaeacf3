import { describe, it } from 'node:test';

import { expect } from 'chai';

import { readShard, takeShard } from '../../support/base/shard';
import { plan, type PlannedBroadcast } from '../../support/session/plan';
import { inShard } from '../../support/session/shards';
import { scenario } from './a-scenario';

plan('{string} is dubbed', (draft, fixture: string) => draft.complete({ fixture }));
plan('{string} and {string} are dubbed', (draft, ...fixtures: string[]) =>
  fixtures.map((fixture) => draft.complete({ fixture })),
);
plan('the suite is run without a broadcast', (draft) => draft.addNested('no broadcast'));

const LENGTHS: Record<string, number> = { long: 60, middle: 30, short: 12, other: 12 };
/** One after the other, each once. */
function secondsOf(planned: readonly PlannedBroadcast[]): number {
  const fixtures = new Set(planned.map(({ request }) => request.fixture ?? ''));
  return [...fixtures].reduce((sum, fixture) => sum + (LENGTHS[fixture] ?? NaN), 0);
}

const scenarios = [
  scenario('short 1', '"short" is dubbed'),
  scenario('long 1', '"long" is dubbed'),
  scenario('nothing 1', 'it is there'),
  scenario('middle', '"middle" is dubbed'),
  scenario('two', '"short" and "other" are dubbed'),
  scenario('nested', 'the suite is run without a broadcast'),
  scenario('long 2', '"long" is dubbed'),
  scenario('nothing 2', 'it is there'),
  scenario('other', '"other" is dubbed'),
];
const namesIn = (index: number, count: number): string[] =>
  inShard(scenarios, { index, count }, secondsOf).map(({ pickle }) => pickle.name);

describe('the scenarios of a shard', () => {
  it('take about as long as those of another one, and no broadcast is in both', () => {
    expect(namesIn(1, 2)).to.deep.equal(['long 1', 'long 2']);
    expect(namesIn(2, 2)).to.deep.equal([
      ...['short 1', 'nothing 1', 'middle', 'two', 'nested', 'nothing 2', 'other'],
    ]);
  });

  it('are all of them where there is one, in their order, and each is in one of several', () => {
    expect(namesIn(1, 1)).to.deep.equal(scenarios.map(({ pickle }) => pickle.name));
    for (const count of [2, 3, 4, 9]) {
      const all = Array.from({ length: count }, (_, i) => namesIn(i + 1, count)).flat();
      expect(all.toSorted()).to.deep.equal(namesIn(1, 1).sort());
    }
  });

  it('are none where there is nothing left to deal out', () => {
    expect([1, 2, 3, 4, 5, 6, 7].map((index) => namesIn(index, 7).length)).to.deep.equal([
      ...[2, 1, 3, 1, 1, 1, 0],
    ]);
  });
});

describe('a shard', () => {
  it('is taken out of arguments; of several, the last one holds', () => {
    const args = ['--shard', '1/2', '--tags', '@P1', '--shard=2/3', 'features'];
    expect(takeShard(args)).to.deep.equal({ text: '2/3', rest: ['--tags', '@P1', 'features'] });
    expect(takeShard(['--tags', '@P1'])).to.deep.equal({
      text: undefined,
      rest: ['--tags', '@P1'],
    });
  });

  it('is read as cucumber-js takes it', () => {
    expect(readShard('2/3')).to.deep.equal({ index: 2, count: 3 });
    expect([undefined, '', '2', 'a/b', '1/2/3'].map(readShard)).to.deep.equal(
      Array(5).fill(undefined),
    );
  });
});
