import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { hashesPerMs, speedOf } from '../../support/platform/speed';

describe('the speed of the processors', () => {
  it('is that of those which loads were measured on, or one of few others, no further than what was tried', () => {
    for (const [rate, speed] of [
      [0, 0.5],
      [16.9, 0.5],
      [22, 0.5],
      [22.2, 0.75],
      [30.5, 0.75],
      [30.7, 1],
      [34, 1],
      [50.9, 1],
      [51, 1.5],
      [500, 1.5],
    ] as const) {
      expect(speedOf(rate, 2), String(rate)).to.equal(speed);
    }
  });

  it('is as little as it is of many that others have, but for what one of them does', () => {
    for (const [rate, processors, speed] of [
      [16.9, 1, 0.5],
      [3.4, 4, 0.25],
      [3.4, 8, 0.13],
      [16.9, 64, 0.49],
      [3.4, 64, 0.1],
      [0, 64, 0.02],
      [17, 64, 0.5],
    ] as const) {
      expect(speedOf(rate, processors), `${rate} of ${processors}`).to.equal(speed);
    }
  });

  it('is less while something else takes the processors', async () => {
    const alone = hashesPerMs();
    expect(alone).to.be.greaterThan(0);
    const loops = Array.from({ length: 2 * availableParallelism() }, () =>
      spawn(process.execPath, ['-e', 'process.stdout.write("."); for (;;) {}'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
    try {
      await Promise.all(loops.map((one) => new Promise((done) => one.stdout.once('data', done))));
      expect(hashesPerMs()).to.be.lessThan(0.75 * alone);
    } finally {
      loops.forEach((one) => one.kill('SIGKILL'));
    }
  });
});
