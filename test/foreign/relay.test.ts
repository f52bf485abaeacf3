import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';

import { expect } from 'chai';
import { Server, type Socket } from 'socket.io';
import { io, type ManagerOptions, type SocketOptions } from 'socket.io-client';

import { askHttp } from '../../support/base/http';
import type { Clothes } from './clothes';
import { type Relay, startRelay } from './relay';

describe('a relay in front of a service', () => {
  const http = createServer((request, response) => {
    response.writeHead(request.url === '/health' ? 200 : 404).end(request.url);
  });
  const service = new Server(http, { transports: ['websocket'] });
  const headers: IncomingMessage['headers'][] = [];
  const relays: Relay[] = [];
  let url = '';

  before(async () => {
    service.on('connection', (socket: Socket) => {
      headers.push(socket.handshake.headers);
      socket.onAny((event: string, payload: object) => socket.emit(`${event}:ack`, payload));
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  });
  after(async () => {
    await Promise.all(relays.map((relay) => relay.close()));
    await service.close();
  });

  async function relayed(clothes: Clothes, upstream = url): Promise<string> {
    const relay = await startRelay(upstream, clothes, { host: '127.0.0.1', port: 0 });
    relays.push(relay);
    return `http://127.0.0.1:${relay.port}`;
  }

  const OPTIONS: Partial<ManagerOptions & SocketOptions> = {
    ...{ transports: ['websocket'], reconnection: false, forceNew: true },
    extraHeaders: { 'x-stream-id': 's', 'x-more': 'm' },
  };

  /** What comes back when some events were sent, until one of the last. */
  async function exchange(address: string, events: string[], until: string): Promise<unknown[][]> {
    const client = io(address, OPTIONS);
    const said: unknown[][] = [];
    client.onAny((...all: unknown[]) => said.push(all));
    await once(client as never, 'connect');
    events.forEach((event) => client.emit(event, { event }));
    while (!said.some(([event]) => event === until)) await once(client as never, until);
    client.disconnect();
    return said;
  }

  it('changes events and headers, in both directions and in their order', async () => {
    const address = await relayed({
      headers: ({ 'x-more': more = '' }) => ({ 'x-more': more }),
      connection: () => ({
        toSts: (message) => {
          if (message.event === 'b') return [];
          if (message.event === 'c') return [{ ...message, event: 'no', isAnswer: true }];
          return [{ ...message, ...(message.event === 'a' ? { afterMs: 50 } : {}) }];
        },
        fromSts: ({ event, payload }) => [{ event: event.toUpperCase(), payload }],
      }),
    });
    const said = await exchange(address, ['a', 'b', 'c', 'd'], 'D:ACK');
    expect(said.filter(([event]) => event !== 'no')).to.deep.equal([
      ['A:ACK', { event: 'a' }],
      ['D:ACK', { event: 'd' }],
    ]);
    expect(said).to.deep.include(['no', { event: 'c' }]);
    expect(headers.at(-1)).to.include({ 'x-more': 'm' }).and.not.have.property('x-stream-id');
  });

  it('refuses connections in its words', async () => {
    const address = await relayed({ refusal: ({ origin }) => (origin ? undefined : 'no origin') });
    const { status, text } = await refusalOf(address);
    expect([status, text]).to.deep.equal([400, 'no origin']);
  });

  it('passes on the refusal of the service, and says where there is none', async () => {
    const refusing = await relayed({ refusal: () => 'not here' });
    expect(await refusalOf(await relayed({}, refusing))).to.deep.equal({
      ...{ status: 400, text: 'not here' },
    });
    const { status, text } = await refusalOf(await relayed({}, 'http://127.0.0.1:1'));
    expect(status).to.equal(502);
    expect(text).to.contain('ECONNREFUSED');
  });

  it('changes pages of status 200, and passes all others on', async () => {
    const address = await relayed({ pages: { '/health': () => 'well', '/other': () => 'never' } });
    expect(await askHttp(`${address}/health`)).to.include({ status: 200, text: 'well' });
    expect(await askHttp(`${address}/other`)).to.include({ status: 404, text: '/other' });
    const nowhere = await relayed({}, 'http://127.0.0.1:1');
    expect((await askHttp(`${nowhere}/health`)).status).to.equal(503);
  });
});

/** How a WebSocket is refused. */
async function refusalOf(address: string): Promise<{ status: number; text: string }> {
  const { WebSocket } = await import('ws');
  const socket = new WebSocket(
    `${address.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`,
  );
  const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  let text = '';
  for await (const part of answer) text += String(part);
  return { status: answer.statusCode ?? 0, text };
}
