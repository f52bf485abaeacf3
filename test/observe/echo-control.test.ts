import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, it } from 'node:test';

import { expect } from 'chai';
import { Server, type Socket as Client } from 'socket.io';
import { io } from 'socket.io-client';

import { CouldNotBeDone } from '../../support/base/errors';
import type { EchoControl } from '../../support/broadcast/request';
import { tellEcho } from '../../support/observe/echo-control';
import { Tap } from '../../support/observe/tap';

const STREAM = 's';
const EVENT = 'config:error_simulation';
const control: EchoControl = { event: EVENT, payload: { enabled: true, rules: [] } };
const NOT_FOUND = { code: 'STREAM_NOT_FOUND', message: 'no stream is open on this connection' };

/** What an Echo STS answers to a control; `hasStream`: whether a stream is open on the connection. */
type Answer = (client: Client, hasStream: boolean) => void;

const accept: Answer = (client) => void client.emit(`${EVENT}:ack`, { status: 'accepted' });
const perSession: Answer = (client, hasStream) => {
  if (hasStream) accept(client, hasStream);
  else client.emit('error', NOT_FOUND);
};

describe('a control of the Echo STS', () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

  async function start(answer: Answer): Promise<{ url: string; told: unknown[]; tap: Tap }> {
    const http = createServer();
    const server = new Server(http, { transports: ['websocket'] });
    const told: unknown[] = [];
    server.on('connection', (client) => {
      let hasStream = false;
      client.on('stream:init', () => {
        hasStream = true;
        client.emit('stream:ready', { stream_id: STREAM });
      });
      client.on(EVENT, (payload: unknown) => {
        told.push(payload);
        answer(client, hasStream);
      });
    });
    http.listen(0, '127.0.0.1');
    await once(http, 'listening');
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const tap = await Tap.start(url);
    tap.setPlan(STREAM, { faults: [], seed: 0 });
    closing.push(async () => {
      await tap.close();
      await server.close();
    });
    return { url, told, tap };
  }

  /** media-service opens its stream, and hears what follows. */
  async function openStream({ port }: Tap, headers: Record<string, string>): Promise<string[]> {
    const client = io(`http://127.0.0.1:${port}`, {
      ...{ transports: ['websocket'], reconnection: false, forceNew: true, extraHeaders: headers },
    });
    const heard: string[] = [];
    client.onAny((event: string) => heard.push(event));
    client.once('connect', () => client.emit('stream:init', { stream_id: STREAM }));
    await new Promise((done) => client.once('stream:ready', done));
    await new Promise((done) => setTimeout(done, 200));
    client.disconnect();
    return heard;
  }

  it('is told by a client of its own where that is accepted', async () => {
    const { url, told, tap } = await start(accept);
    const check = await tellEcho({ url, stream: STREAM, control }, tap);
    await openStream(tap, { 'X-Stream-ID': STREAM });
    check();
    expect(told).to.deep.equal([{ ...control.payload, stream_id: STREAM }]);
  });

  for (const headers of [{ 'X-Stream-ID': STREAM }, {}]) {
    const name = Object.keys(headers).join() || 'no header';
    it(`is told on the connection of media-service where it is refused (${name})`, async () => {
      const { url, told, tap } = await start(perSession);
      const check = await tellEcho({ url, stream: STREAM, control }, tap);
      expect(told).to.have.length(1);
      expect(await openStream(tap, headers)).to.include(`${EVENT}:ack`);
      check();
      expect(told).to.have.length(2);
    });
  }

  const refusing: Answer = (client) => void client.emit('error', NOT_FOUND);

  it('could not be done where neither is accepted, in the words of the answers', async () => {
    const { url, tap } = await start(refusing);
    const check = await tellEcho({ url, stream: STREAM, control }, tap);
    expect(check).to.throw(CouldNotBeDone, /to media-service: the STS accepted no stream/);
    const again = await tellEcho({ url, stream: STREAM, control }, tap);
    await openStream(tap, { 'X-Stream-ID': STREAM });
    expect(again).to.throw(CouldNotBeDone, /STREAM_NOT_FOUND.*to media-service: error .*no stream/);
  });

  it('could not be done where media-service is connected directly', async () => {
    const { url } = await start(
      (client) => void client.emit(`${EVENT}:ack`, { status: 'rejected' }),
    );
    const failure = await tellEcho({ url, stream: STREAM, control }, undefined).catch(
      (error: unknown) => error,
    );
    expect(failure).to.be.instanceOf(CouldNotBeDone);
    expect(String(failure)).to.include('rejected');
  });
});
