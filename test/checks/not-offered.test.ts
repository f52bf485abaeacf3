import { test } from 'node:test';

import { expect } from 'chai';

import { CannotBeShown } from '../../support/base/errors';
import { aBroadcast } from './a-broadcast';

test('what services elsewhere do not offer is named in the reason: logs are no segments', () => {
  const notOffered = { logs: 'RUNTIME=external', segments: 'RUNTIME=external' };
  const broadcast = aBroadcast({ record: { notOffered } });
  const ask = (what: 'logs' | 'segments') => (): void => broadcast.demand(what);
  expect(ask('logs')).to.throw(
    CannotBeShown,
    /^stream \S+: no logs can be read \(RUNTIME=external\)\n/,
  );
  expect(ask('segments')).to.throw(/^stream \S+: no segments can be read \(RUNTIME=external\)\n/);
  expect(() => aBroadcast().demand('logs')).not.to.throw();
});
