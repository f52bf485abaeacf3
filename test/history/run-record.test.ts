import { describe, it } from 'node:test';

import { expect } from 'chai';

import type { Figure } from '../../support/checks/criterion';
import { marginOf } from '../../support/history/run-record';

const figure = (value: number, limit: number, more: Partial<Figure> = {}): Figure => ({
  ...{ name: 'a figure', unit: 'ms', holds: 'at most', value, limit, ...more },
});

describe('the margin of a figure', () => {
  const share = { unit: '%', holds: 'at least' } as const;

  it('is a part of its limit', () => {
    expect(marginOf(figure(30, 120))).to.equal(0.75);
    expect(marginOf(figure(121, 120))).to.be.closeTo(-1 / 120, 1e-9);
    expect(marginOf(figure(0.9, 0.6, { unit: '', holds: 'at least' }))).to.be.closeTo(0.5, 1e-9);
  });

  it('is all of it at 100 %, where no more can be', () => {
    expect(marginOf(figure(100, 85, share))).to.equal(1);
    expect(marginOf(figure(94, 85, share))).to.be.closeTo(0.6, 1e-9);
    expect(marginOf(figure(70, 85, share))).to.equal(-1);
  });

  it('is a number where there is no room', () => {
    expect(marginOf(figure(0, 0))).to.equal(1);
    expect(marginOf(figure(1, 0))).to.equal(-1);
    expect(marginOf(figure(100, 100, share))).to.equal(1);
    expect(marginOf(figure(99, 100, share))).to.equal(-1);
  });
});
