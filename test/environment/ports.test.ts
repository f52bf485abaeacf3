import { type AddressInfo, createServer } from 'node:net';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { freePort, freePorts, localHolderOf } from '../../support/environment/ports';

describe('ports', () => {
  it('that are free are different ones', async () => {
    const ports = await freePorts(50);
    expect(new Set(ports).size).to.equal(50);
  });

  // macOS has one loopback address.
  const skip = process.platform === 'linux' ? false : 'this system has no 127.0.0.2';
  const title = 'that are free are so at every address: containers are reached at all of them';
  it(title, { skip }, async () => {
    const others = Array.from({ length: 400 }, () => createServer());
    for (const server of others) {
      await new Promise<void>((done, failed) => {
        server.once('error', failed).listen(0, '127.0.0.2', done);
      });
    }
    const taken = new Set(others.map((server) => (server.address() as AddressInfo).port));
    const ports = await freePorts(400);
    await Promise.all(others.map((server) => new Promise((done) => server.close(done))));
    expect(taken.size).to.equal(400);
    expect(ports.filter((port) => taken.has(port))).to.deep.equal([]);
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
