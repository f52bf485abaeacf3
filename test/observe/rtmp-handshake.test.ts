import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, describe, it } from 'node:test';

import { expect } from 'chai';

import { rtmpHandshakes } from '../../support/checks/services';
import { rtmpHandshake } from '../../support/observe/rtmp-handshake';
import { stateOf } from '../checks/a-broadcast';

describe('the handshake of RTMP', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  /** @param answer to C0 and C1; undefined: the connection is closed */
  async function served(answer: (sent: Buffer) => Buffer | undefined): Promise<string> {
    server = createServer((socket) => {
      let sent = Buffer.alloc(0);
      socket.on('error', () => undefined);
      socket.on('data', (data: Buffer) => {
        sent = Buffer.concat([sent, data]);
        if (sent.length < 1537) return;
        const said = answer(sent);
        if (said) socket.write(said);
        else socket.end();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `rtmp://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  const stateAt = async (url: string): Promise<string> =>
    stateOf(rtmpHandshakes, await rtmpHandshake(url), null);
  const own = Buffer.alloc(1536, 7);

  it('is complete with the version and an echo of what was sent', async () => {
    const url = await served((sent) => Buffer.concat([Buffer.from([3]), own, sent.subarray(1)]));
    expect(await rtmpHandshake(url)).to.include({ version: 3, bytes: 3073, isEcho: true });
    expect(await stateAt(url)).to.equal('passed');
  });

  it('is not what answers something else', async () => {
    expect(await stateAt(await served(() => Buffer.concat([Buffer.from([3]), own, own])))).to.equal(
      'failed',
    );
    server?.close();
    const other = await served((sent) => Buffer.concat([Buffer.from([6]), own, sent.subarray(1)]));
    expect(await stateAt(other)).to.equal('failed');
  });

  it('is not a connection that is closed, or that nobody accepts', async () => {
    const url = await served(() => undefined);
    const closed = await rtmpHandshake(url);
    expect(closed).to.include({
      version: undefined,
      problem: 'the server has closed the connection',
    });
    server?.close();
    const refused = await rtmpHandshake(url);
    expect(refused.problem).to.include('ECONNREFUSED');
    expect(await stateOf(rtmpHandshakes, refused, null)).to.equal('failed');
  });
});
