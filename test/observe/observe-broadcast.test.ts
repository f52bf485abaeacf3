import { describe, it } from 'node:test';

import { expect } from 'chai';

import { mayBegin } from '../../support/observe/observe-broadcast';

describe('content that is kept back', () => {
  it('begins half a second after somebody was seen to read it', () => {
    const times = { published: 1000, inputReady: 1100, ingested: 2000 };
    expect(mayBegin(times, 2499)).to.be.false;
    expect(mayBegin(times, 2500)).to.be.true;
  });

  it('begins eight seconds after publishing, where nobody reads it or comes later', () => {
    for (const ingested of [undefined, 8600]) {
      const times = { published: 1000, ...(ingested === undefined ? {} : { ingested }) };
      expect(mayBegin(times, 8999)).to.be.false;
      expect(mayBegin(times, 9000)).to.be.true;
    }
  });

  it('does not begin before it is published', () => {
    expect(mayBegin({}, 1e15)).to.be.false;
  });
});
