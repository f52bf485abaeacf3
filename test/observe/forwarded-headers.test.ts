import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { forwardedHeaders } from '../../support/observe/forwarded-headers';

type Headers = IncomingMessage['headers'];
const asked = (headers: Headers): { headers: Headers } => ({ headers });
const OWN = { host: 'test:4000', origin: 'http://test:4000', 'x-worker-id': 'w' };

describe('headers that are passed on', () => {
  for (const upstream of ['http://127.0.0.1:3000', 'http://localhost:3000', 'http://[::1]:3000']) {
    it(`are as they are for ${upstream}`, () => {
      expect(forwardedHeaders(asked(OWN), new URL(upstream))).to.deep.equal(OWN);
    });
  }

  for (const upstream of ['https://10.0.0.1', 'http://sts.example:3000']) {
    it(`name ${upstream}, in Host and Origin`, () => {
      const { host, origin } = new URL(upstream);
      const sent = forwardedHeaders(asked(OWN), new URL(upstream));
      expect(sent).to.deep.equal({ ...OWN, host, origin });
    });
  }

  it('keep an Origin that is not that of the Host', () => {
    const other = { ...OWN, origin: 'http://elsewhere' };
    expect(forwardedHeaders(asked(other), new URL('https://sts.example')).origin).to.equal(
      'http://elsewhere',
    );
  });

  it('leave out those of one hop', () => {
    const all = { ...OWN, connection: 'Upgrade', upgrade: 'websocket', 'accept-encoding': 'gzip' };
    const isDropped = (name: string): boolean => name === 'x-worker-id';
    const { host, origin } = OWN;
    expect(forwardedHeaders(asked(all), new URL('http://127.0.0.1'), isDropped)).to.deep.equal({
      ...{ host, origin },
    });
  });
});
