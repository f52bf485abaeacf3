import { createServer } from 'node:net';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { freePort, freePorts, localHolderOf } from '../../support/environment/ports';

describe('ports', () => {
  it('that are free are different ones', async () => {
    const ports = await freePorts(50);
    expect(new Set(ports).size).to.equal(50);
  });

  it('names the program that listens on a port', async () => {
    const port = await freePort();
    expect(await localHolderOf(port)).to.be.undefined;
    const holder = createServer();
    await new Promise<void>((done) => holder.listen(port, '127.0.0.1', done));
    const named = await localHolderOf(port);
    await new Promise((done) => holder.close(done));
    expect(named).to.include(`(pid ${process.pid})`);
  });
});
