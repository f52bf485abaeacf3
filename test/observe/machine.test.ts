import { describe, it } from 'node:test';
import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

import { expect } from 'chai';

import { now } from '../../support/base/clock';
import { processorCount } from '../../support/base/processors';
import { watchMachine } from '../../support/observe/machine';

/** Keeps this process from doing anything else. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('the watch over the machine of the suite', () => {
  it('notes when and for how long it could do nothing', async () => {
    const end = watchMachine();
    await delay(60);
    const from = now();
    block(600);
    await delay(120);
    const [wait] = end()
      .waits.sort((a, b) => b.ms - a.ms)
      .slice(0, 1);
    expect(wait?.ms).to.be.within(540, 1200);
    expect(wait?.at).to.be.within(from - 60, from + 200);
  });

  it('notes one that lasts to its end', () => {
    const end = watchMachine();
    block(400);
    expect(end().waits).to.have.length(1);
  });

  it('notes nothing shorter than a quarter of a second', () => {
    const end = watchMachine();
    block(150);
    expect(end().waits).to.deep.equal([]);
  });

  const skip = processorCount() < cpus().length && 'this process may use some processors only';
  it('tells how busy the processors were', { skip }, async () => {
    const whileIdle = watchMachine();
    await delay(1000);
    const idle = whileIdle().busyShare ?? NaN;
    const whileBusy = watchMachine();
    const until = now() + 1000;
    while (now() < until);
    const busy = whileBusy().busyShare ?? NaN;
    expect([idle, busy].every((share) => share >= 0 && share <= 1)).to.equal(true);
    // This process alone takes one of them; what others do meanwhile is not known.
    expect(busy).to.be.at.least(0.8 / cpus().length);
  });
});
