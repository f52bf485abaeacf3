import { describe, it } from 'node:test';

import { expect } from 'chai';

import { beyond } from '../../support/analyze/finding';

describe('a figure that breaks a limit', () => {
  it('is never said as if it kept it', () => {
    expect(beyond(0.797, 0.8, 2)).to.equal('0.797');
    expect(beyond(0.5004, 0.5, 2)).to.equal('0.5004');
    expect(beyond(12, 10, 1)).to.equal('12.0');
    expect(beyond(0.79999996, 0.8, 2)).to.equal('0.79999996');
  });
});
