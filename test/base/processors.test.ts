import { describe, it } from 'node:test';

import { expect } from 'chai';

import { busyShareFromNow, tooBusy } from '../../support/base/processors';

describe('a machine', () => {
  it('is too busy where 95 % of the time of its processors is taken', () => {
    expect(tooBusy(0.95, 'a was dubbed')).to.equal(
      'the machine was too busy: 95 % of the time of its processors was taken while a was dubbed',
    );
    expect(tooBusy(1, 'it was waited for')).to.match(/100 % .* while it was waited for$/);
    expect(tooBusy(0.949, '')).to.equal(undefined);
    expect(tooBusy(undefined, '')).to.equal(undefined);
  });

  it('tells which part of that time was taken since it was asked first', () => {
    const share = busyShareFromNow();
    const until = performance.now() + 200;
    while (performance.now() < until);
    expect(share()).to.be.greaterThan(0).and.at.most(1);
  });
});
