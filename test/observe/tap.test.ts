import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';

import { expect } from 'chai';
import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';

import { freePort } from '../../support/environment/ports';
import { eventually } from '../../support/eventually';
import { SocketIOMonitor } from '../../support/observe/socket-io-monitor';
import { Tap, type TapEvent } from '../../support/observe/tap';

interface Answer {
  fragment_id: string;
  audio: string;
}

describe('the tap', () => {
  const http = createServer();
  const server = new Server(http, { maxHttpBufferSize: 2e7 });
  let url = '';
  let tap: Tap;
  let seen: TapEvent[];
  const clients: Socket[] = [];

  before(async () => {
    server.on('connection', (socket) => {
      socket.on('fragment:data', (data: Answer) => {
        socket.emit('fragment:processed', { ...data, processed: true });
      });
      socket.on('binary', (data: Buffer) => socket.emit('binary', data));
    });
    await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    tap = await Tap.start(url);
    tap.listen((event) => seen.push(event));
  });
  afterEach(() => clients.splice(0).forEach((client) => client.disconnect()));
  after(async () => {
    await tap.close();
    await server.close();
  });

  async function connect(stream: string, transports: string[]): Promise<Socket> {
    seen = [];
    const client = io(`http://127.0.0.1:${tap.port}`, {
      transports,
      forceNew: true,
      reconnection: false,
      extraHeaders: { 'X-Stream-ID': stream },
    });
    clients.push(client);
    await new Promise<void>((connected, failed) => {
      client.once('connect', connected).once('connect_error', failed);
    });
    return client;
  }

  function answerOf(client: Socket, event = 'fragment:processed'): Promise<unknown> {
    return new Promise((answer) => client.once(event, answer));
  }

  for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
    it(`relays and records both directions by ${transports.join(', then ')}`, async () => {
      const client = await connect('relayed', transports);
      // As large as six seconds of 48 kHz stereo in Base64.
      const sent: Answer = { fragment_id: 'f0', audio: 'A'.repeat(1_536_000) };
      const answer = answerOf(client);
      client.emit('fragment:data', sent);
      expect(await answer).to.deep.equal({ ...sent, processed: true });
      const events = seen.filter(({ kind }) => kind === 'event');
      expect(
        events.map(({ event, direction, stream }) => [event, direction, stream]),
      ).to.deep.equal([
        ['fragment:data', 'to-sts', 'relayed'],
        ['fragment:processed', 'from-sts', 'relayed'],
      ]);
      expect(events[0]?.payload).to.deep.equal(sent);
      expect(seen.filter(({ kind }) => kind === 'open').length).to.be.greaterThan(0);
      expect(seen.filter(({ kind }) => kind === 'undecodable')).to.be.empty;
    });
  }

  it('relays binary attachments unchanged', async () => {
    const client = await connect('binary', ['websocket']);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const answer = answerOf(client, 'binary');
    client.emit('binary', bytes);
    expect(Buffer.compare((await answer) as Buffer, bytes)).to.equal(0);
    expect(seen.filter(({ event }) => event === 'binary')).to.have.length(2);
  });

  it('holds answers of one stream back, and of no other', async () => {
    tap.setPlan('slow', { delayAnswersMs: 400 });
    const timeOf = async (stream: string): Promise<number> => {
      const client = await connect(stream, ['websocket']);
      const answer = answerOf(client);
      const started = performance.now();
      client.emit('fragment:data', { fragment_id: stream });
      await answer;
      return performance.now() - started;
    };
    expect(await timeOf('slow')).to.be.within(400, 1400);
    expect(await timeOf('quick')).to.be.below(400);
  });

  it('cuts a stream after its n-th fragment and refuses it from then on', async () => {
    tap.setPlan('lost', { unreachableAfterFragments: 2 });
    const client = await connect('lost', ['websocket']);
    const first = answerOf(client);
    client.emit('fragment:data', { fragment_id: 'f0' });
    await first;
    const cut = new Promise((done) => client.once('disconnect', done));
    client.emit('fragment:data', { fragment_id: 'f1' });
    await cut;
    const again = await connect('lost', ['websocket']).catch((error: unknown) => error);
    expect(again).to.be.instanceOf(Error);
    expect(seen.map(({ kind }) => kind)).to.include('refused');
    await connect('another', ['websocket']);
  });

  it('refuses at once when the STS does not answer, and says why', async () => {
    const nowhere = await Tap.start(`http://127.0.0.1:${await freePort()}`);
    const events: TapEvent[] = [];
    nowhere.listen((event) => events.push(event));
    const client = io(`http://127.0.0.1:${nowhere.port}`, {
      ...{ transports: ['websocket'], forceNew: true, reconnection: false },
    });
    clients.push(client);
    await new Promise((failed) => client.once('connect_error', failed));
    expect(events.map(({ kind }) => kind)).to.deep.equal(['refused']);
    expect(JSON.stringify(events[0]?.payload)).to.include('ECONNREFUSED');
    await nowhere.close();
  });

  it('is what the monitor listens to; in direct mode the monitor hears only its own connection', async () => {
    const monitor = new SocketIOMonitor(tap);
    const direct = new SocketIOMonitor(url);
    await monitor.connect();
    await direct.connect();
    const client = await connect('monitored', ['websocket']);
    client.emit('fragment:data', { fragment_id: 'f0' });
    const [event] = await monitor.waitForEvents(1, 2000);
    expect(event?.stream).to.equal('monitored');
    const late = await monitor.waitForEvents(2, 100).catch((error: unknown) => String(error));
    expect(late).to.match(/2 events: not within 0.1 s; last seen: 1 events/);
    expect(direct.events).to.be.empty;
    monitor.disconnect();
    direct.disconnect();
    await eventually('all quiet', () => expect(server.engine.clientsCount).to.be.at.most(1), {
      withinMs: 2000,
    });
  });
});
