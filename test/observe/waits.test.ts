import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { expect } from 'chai';

import { now } from '../../support/base/clock';
import { watchWaits } from '../../support/observe/waits';

/** Keeps this process from doing anything else. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('the watch over waits of the suite', () => {
  it('notes when and for how long it could do nothing', async () => {
    const end = watchWaits();
    await delay(60);
    const from = now();
    block(600);
    await delay(120);
    const [wait] = end()
      .sort((a, b) => b.ms - a.ms)
      .slice(0, 1);
    expect(wait?.ms).to.be.within(540, 1200);
    expect(wait?.at).to.be.within(from - 60, from + 200);
  });

  it('notes one that lasts to its end', () => {
    const end = watchWaits();
    block(400);
    expect(end()).to.have.length(1);
  });

  it('notes nothing shorter than a quarter of a second', () => {
    const end = watchWaits();
    block(150);
    expect(end()).to.deep.equal([]);
  });
});
