import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { freePort, freePorts, localHolderOf } from '../../support/environment/ports';

describe('ports', () => {
  it('that are free are different ones, and none that connections are given', async () => {
    const ports = await freePorts(50);
    expect(new Set(ports).size).to.equal(50);
    expect(Math.max(...ports)).to.be.below(32_768);
    expect(Math.min(...ports)).to.be.above(1023);
  });

  // macOS has one loopback address.
  const skip = process.platform === 'linux' ? false : 'this system has no 127.0.0.2';
  const title = 'that are free are so at every address: containers are reached at all of them';
  it(title, { skip }, async () => {
    const range = { from: 14_000, to: 14_040 };
    const taken = new Set(Array.from({ length: 20 }, (_, i) => range.from + 2 * i));
    const others = [...taken].map((port) => createServer().listen(port, '127.0.0.2'));
    await Promise.all(others.map((server) => once(server, 'listening')));
    const ports = await freePorts(20, range);
    const tooMany = await freePorts(21, range).catch((error: unknown) => error);
    await Promise.all(others.map((server) => new Promise((done) => server.close(done))));
    expect(ports.toSorted()).to.deep.equal(
      Array.from({ length: 20 }, (_, i) => range.from + 2 * i + 1),
    );
    expect(tooMany)
      .to.be.an('error')
      .with.property('message')
      .that.matches(/20 that nothing/);
    expect(await freePorts(40, range)).to.have.length(40);
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
