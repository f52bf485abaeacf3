import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { Evidence } from '../../support/broadcast/evidence';
import { requestOf } from '../../support/broadcast/request';
import { isWithin, lineOf } from '../../tools/benchmark/figure';
import { figuresOfRun } from '../../tools/benchmark/run-figures';
import { tapDelay } from '../../tools/benchmark/tap';

type Seen = Parameters<typeof figuresOfRun>[0][number];

describe('the benchmark', () => {
  const seen = (
    request: Parameters<typeof requestOf>[0],
    outputEnded: number,
    trips: number[] = [],
    rest: Partial<Evidence['record']> = {},
  ): Seen => {
    const times = { published: 1000, outputEnded };
    const fragments = trips.map((roundTripMs) => ({ roundTripMs }));
    const one: unknown = {
      record: { request: requestOf(request), monitor: 'tap', segmentSeconds: 6, times, ...rest },
      fragments: { fragments: [...fragments, {}] },
    };
    return one as Seen;
  };
  const valueOf = (figures: ReturnType<typeof figuresOfRun>, name: RegExp): number | undefined =>
    figures.find((one) => name.test(one.name))?.value;

  it('compares a run with its longest broadcast, and answers with fragments', () => {
    const fault = { on: { first: 0, last: null }, does: 'drop' } as const;
    const figures = figuresOfRun(
      [
        seen({}, 76_000, [3000, 1500, 4500], { busyShare: 0.5, alongside: ['a', 'b'] }),
        seen({ faults: [fault] }, 91_000, [30_000], {
          busyShare: 0.9,
          waits: [{ at: 0, ms: 300 }],
        }),
        seen({ composition: { echoSegmentSeconds: 6 } }, 41_000, [10], { busyShare: 0.7 }),
      ],
      180,
    );
    expect(valueOf(figures, /^run/)).to.equal(2);
    expect(valueOf(figures, /^its longest/)).to.equal(90);
    expect(valueOf(figures, /^answer/)).to.equal(0.5);
    expect(valueOf(figures, /beside one another/)).to.equal(3);
    expect(valueOf(figures, /busy/)).to.equal(0.7);
    expect(valueOf(figures, /kept waiting/)).to.equal(300);
  });

  it('asks nothing of broadcasts that were dubbed without a tap', () => {
    const untapped = (
      request: Parameters<typeof requestOf>[0],
      monitor: 'tap' | 'direct',
    ): Seen => ({
      ...seen(request, 13_000, [], { monitor }),
      get fragments(): never {
        throw new Error('nothing was heard');
      },
    });
    const all = [
      untapped({ composition: 'dual without a tap' }, 'tap'),
      untapped({}, 'direct'),
      seen({}, 11_000, [3000]),
    ];
    expect(valueOf(figuresOfRun(all, 60), /^answer/)).to.equal(0.5);
  });

  it('says nothing of a run without an end, or of broadcasts whose output did not end', () => {
    const endless = { times: { published: 0 } };
    const figures = figuresOfRun([seen({}, 11_000), seen({ use: 1 }, 0, [], endless)], undefined);
    expect(valueOf(figures, /^run/)).to.equal(undefined);
    expect(valueOf(figures, /^its longest/)).to.equal(10);
    expect(valueOf(figures, /^answer|busy/)).to.equal(undefined);
    // No figure that JSON has no word for.
    const none = figuresOfRun([seen({}, 0, [], endless)], 60);
    expect(valueOf(none, /longest broadcast/)).to.equal(undefined);
    for (const { value } of none) expect(value).to.satisfy(Number.isFinite);
  });

  it('judges a figure up to its limit', () => {
    const figure = { name: 'memory', value: 400, unit: 'MB', limit: 400 } as const;
    expect(isWithin(figure)).to.equal(true);
    expect(lineOf(figure)).to.match(/^memory +400 MB, at most 400$/);
    expect(isWithin({ ...figure, value: 400.5 })).to.equal(false);
    expect(lineOf({ ...figure, value: 401 })).to.match(/ABOVE$/);
    expect(lineOf({ name: 'ratio', value: 2.345, unit: '' })).to.match(/^ratio +2\.35$/);
  });

  it('measures each message through the tap, both ways, and without it', async () => {
    const figures = await tapDelay(2, 50);
    const [tapped, direct, processors, memory] = figures;
    expect(tapped?.name).to.equal('tap, delay, p99 of 20 messages of 2 streams');
    expect(tapped?.value).to.be.greaterThan(0);
    expect(direct?.value).to.be.greaterThan(0);
    expect(processors?.value).to.be.greaterThan(0);
    expect(memory?.value).to.be.greaterThan(20);
  });
});
