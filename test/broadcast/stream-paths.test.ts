import { describe, it } from 'node:test';

import { expect } from 'chai';

import { pathOf, streamIn } from '../../support/broadcast/stream-paths';

describe('the path of a stream', () => {
  for (const [pattern, path] of [
    ['live/{stream}/in', 'live/test_1/in'],
    ['{stream}', 'test_1'],
    ['{stream}-es', 'test_1-es'],
    ['dubbed/{stream}', 'dubbed/test_1'],
  ] as const) {
    it(`by ${pattern} is ${path}, and leads back to the stream`, () => {
      expect(pathOf(pattern, 'test_1')).to.equal(path);
      expect(streamIn(pattern, path)).to.equal('test_1');
    });
  }

  for (const path of ['live/test_1/out', 'other/test_1/in', 'live//in', 'live/in', '']) {
    it(`"${path}" is of no stream by live/{stream}/in`, () => {
      expect(streamIn('live/{stream}/in', path)).to.be.undefined;
    });
  }
});
