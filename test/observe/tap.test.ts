import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { expect } from 'chai';
import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { WebSocket, WebSocketServer } from 'ws';

import { freePort } from '../../support/environment/ports';
import { eventually } from '../../support/base/eventually';
import { clientOf, foreignText, type TapEvent, upstreamOf } from '../../support/broadcast/events';
import { readFault } from '../../support/broadcast/fault-words';
import { handshake } from '../../support/observe/handshake';
import { SocketIOMonitor } from '../../support/observe/socket-io-monitor';
import { Tap } from '../../support/observe/tap';

interface Answer {
  fragment_id: string;
  [field: string]: unknown;
}

/** 100 samples of 16 bit, all 1000. */
const PCM = Buffer.from(new Int16Array(100).fill(1000).buffer);
const DUB = {
  ...{ format: 'pcm_s16le', sample_rate_hz: 1000, channels: 1, duration_ms: 100 },
  data_base64: PCM.toString('base64'),
};

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
        const answer = (): unknown =>
          socket.emit('fragment:processed', { ...data, processed: true });
        const { takes_ms: takesMs } = data;
        if (typeof takesMs === 'number') setTimeout(answer, takesMs);
        else answer();
      });
      socket.on('stream:init', (init: object) => socket.emit('stream:ready', init));
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
      const opened = seen.filter(({ kind }) => kind === 'open');
      expect(opened.length).to.be.greaterThan(0);
      for (const one of opened) {
        expect(clientOf(one)?.address).to.equal('127.0.0.1');
        expect(upstreamOf(one)?.port).to.equal(Number(tap.upstream.port));
      }
      expect(seen.filter(({ kind }) => kind === 'undecodable')).to.be.empty;
    });
  }

  it('notes when a message that comes slowly has begun', async () => {
    const apartMs = 300;
    seen = [];
    const worker = new WebSocket(
      `ws://127.0.0.1:${tap.port}/socket.io/?EIO=4&transport=websocket`,
      { headers: { 'X-Stream-ID': 'slow' } },
    );
    const raw = once(worker, 'upgrade') as Promise<[IncomingMessage]>;
    await once(worker, 'open');
    const [{ socket }] = await raw;
    const isAnswered = once(worker, 'message');
    worker.send('40');
    await isAnswered;
    const text = Buffer.from('42["fragment:data",{"fragment_id":"f0"}]');
    // RFC 6455, 5.2: one masked frame of text, whose mask changes nothing.
    const frame = Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]);
    socket.write(frame.subarray(0, 20));
    await delay(apartMs);
    socket.write(frame.subarray(20));
    worker.send('42["fragment:data",{"fragment_id":"f1"}]');
    const sent = (): TapEvent[] => seen.filter(({ event }) => event === 'fragment:data');
    await eventually('both', () => expect(sent()).to.have.length(2), { withinMs: 5000 });
    const [slow, quick] = sent().map(({ at, begunAt = at }) => at - begunAt);
    expect(slow).to.be.at.least(apartMs - 5);
    expect(quick).to.be.below(apartMs / 2);
    worker.close();
  });

  it('notes when a connection was asked for that the STS is slow to accept', async () => {
    const acceptsAfterMs = 300;
    const [behind, sockets] = [createServer(), new WebSocketServer({ noServer: true })];
    behind.on('upgrade', (asked, socket, head) => {
      setTimeout(() => sockets.handleUpgrade(asked, socket, head, () => undefined), acceptsAfterMs);
    });
    await new Promise<void>((done) => behind.listen(0, '127.0.0.1', done));
    const own = await Tap.start(`http://127.0.0.1:${(behind.address() as AddressInfo).port}`);
    const opened: TapEvent[] = [];
    own.listen((event) => opened.push(event));
    const address = `ws://127.0.0.1:${own.port}/socket.io/?EIO=4&transport=websocket`;
    const worker = new WebSocket(address, { headers: { 'X-Stream-ID': 'slow' } });
    try {
      await once(worker, 'open');
      const [{ kind, at, begunAt = at } = expect.fail('nothing was seen')] = opened;
      expect(kind).to.equal('open');
      expect(at - begunAt).to.be.at.least(acceptsAfterMs - 5);
    } finally {
      worker.terminate();
      await own.close();
      sockets.clients.forEach((one) => one.terminate());
      behind.close();
    }
  });

  it('keeps the path at which a proxy has the STS', async () => {
    const paths: (string | undefined)[] = [];
    const behind = createServer();
    const proxied = new Server(behind, { path: '/sts/socket.io' });
    behind.on('request', ({ url: asked }) => paths.push(asked));
    behind.on('upgrade', ({ url: asked }) => paths.push(asked));
    await new Promise<void>((done) => behind.listen(0, '127.0.0.1', done));
    const own = await Tap.start(`http://127.0.0.1:${(behind.address() as AddressInfo).port}/sts`);
    try {
      expect(await handshake(`http://127.0.0.1:${own.port}/sts/`)).to.be.above(0);
      expect(paths.map((path) => path?.split('?')[0])).to.deep.equal(['/sts/socket.io/']);
    } finally {
      await own.close();
      await proxied.close();
    }
  });

  it('names the protocols that it does not read', async () => {
    seen = [];
    const poll = `http://127.0.0.1:${tap.port}/socket.io/?EIO=3&transport=polling`;
    await fetch(poll, { method: 'POST', body: '12:42["a",{}]', headers: { 'X-Stream-ID': 'old' } });
    expect(foreignText(seen)).to.match(/^what is not read was spoken: Engine.IO 3 by long polling/);

    seen = [];
    const { port } = tap;
    const worker = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`, {
      headers: { 'X-Stream-ID': 'packed' },
    });
    await once(worker, 'open');
    // {type: 2, data: ["a"], nsp: "/"}
    worker.send(
      Buffer.from('83a474797065 02a464617461 91a161 a36e7370 a12f'.replaceAll(' ', ''), 'hex'),
    );
    await eventually('a record', () => expect(foreignText(seen)).to.include('MessagePack'), {
      withinMs: 5000,
    });
    worker.close();
  });

  it('calls malformed what is no known protocol', () => {
    const one = { at: 0, connection: 1, stream: 's', direction: 'to-sts' } as const;
    expect(foreignText([{ ...one, kind: 'undecodable', payload: { reason: 'x' } }])).to.equal('');
    expect(foreignText([{ ...one, kind: 'event', payload: { protocol: 'eio3' } }])).to.equal('');
  });

  it('relays binary attachments unchanged', async () => {
    const client = await connect('binary', ['websocket']);
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    const answer = answerOf(client, 'binary');
    client.emit('binary', bytes);
    expect(Buffer.compare((await answer) as Buffer, bytes)).to.equal(0);
    expect(seen.filter(({ event }) => event === 'binary')).to.have.length(2);
  });

  /** Sets the faults of a stream, as a scenario says them. */
  function plan(stream: string, ...rows: [string, string][]): void {
    tap.setPlan(stream, { faults: rows.map(([when, what]) => readFault(when, what)), seed: 1 });
  }

  /** Sends a fragment and waits for its answer. */
  async function ask(
    client: Socket,
    id: string,
    takesMs?: number,
    dub: object = DUB,
  ): Promise<Answer> {
    const answer = answerOf(client);
    client.emit('fragment:data', { fragment_id: id, dubbed_audio: dub, takes_ms: takesMs });
    return (await answer) as Answer;
  }

  it('delays answers of one stream, and of no other', async () => {
    plan('slow', ['every fragment', 'the answer is delayed by 0.4 seconds']);
    const timeOf = async (stream: string): Promise<number> => {
      const client = await connect(stream, ['websocket']);
      const started = performance.now();
      await ask(client, stream);
      return performance.now() - started;
    };
    expect(await timeOf('slow')).to.be.within(400, 1400);
    expect(await timeOf('quick')).to.be.below(400);
  });

  it('keeps answers until so long after their fragments, and not those of an STS that takes longer', async () => {
    plan('as-long', ['every fragment', 'the answer takes 0.6 seconds']);
    const client = await connect('as-long', ['websocket']);
    const timeOf = async (takesMs: number): Promise<number> => {
      const started = performance.now();
      await ask(client, `f${takesMs}`, takesMs);
      return performance.now() - started;
    };
    // Delayed by 0.6 s, they would come after 1.1 and 1.4 s.
    expect(await timeOf(500)).to.be.within(598, 1090);
    expect(await timeOf(800)).to.be.within(798, 1390);
    const held = seen.flatMap(({ kind, payload }) =>
      kind === 'fault' ? [parseInt((payload as { detail: string }).detail)] : [],
    );
    expect(held).to.have.length(2);
    expect(held[0]).to.be.within(0, 105);
    expect(held[1]).to.equal(0);
  });

  it('encodes a dub while its answer is held back', async () => {
    plan(
      'encoded',
      ['every fragment', 'the dub is half as loud'],
      ['every fragment', 'the answer takes 1.5 seconds'],
    );
    // Later by less than ffmpeg takes: encoded after its time, the other would come later.
    plan('plain', ['every fragment', 'the answer takes 1.56 seconds']);
    const tone = ['-v', 'error', '-f', 'lavfi', '-i', 'sine=d=1', '-f', 'adts', '-'];
    const aac = { data_base64: execFileSync('ffmpeg', tone).toString('base64') };
    const connected = [
      await connect('encoded', ['websocket']),
      await connect('plain', ['websocket']),
    ];
    const came: string[] = [];
    const asked = connected.map(async (client, index) => {
      const { fragment_id: id, dubbed_audio: dub } = await ask(client, `${index}`, 0, aac);
      came.push(
        `${id} ${(dub as typeof aac).data_base64 === aac.data_base64 ? 'as it was' : 'altered'}`,
      );
    });
    await Promise.all(asked);
    expect(came).to.deep.equal(['0 altered', '1 as it was']);
  });

  it('draws random delays from the seed, within their limits', async () => {
    const delays = async (stream: string): Promise<unknown[]> => {
      plan(stream, ['every fragment', 'the answer is delayed by 0 to 30 ms']);
      const client = await connect(stream, ['websocket']);
      for (const id of ['a', 'b', 'c', 'd']) await ask(client, id);
      const faults = seen.filter(({ kind }) => kind === 'fault');
      return faults.map(({ payload }) => (payload as { detail: string }).detail);
    };
    const first = await delays('random-1');
    expect(first).to.have.length(4);
    expect(new Set(first).size).to.be.greaterThan(1);
    for (const delay of first) expect(parseInt(String(delay))).to.be.within(0, 30);
    expect(await delays('random-2')).to.deep.equal(first);
  });

  it('cuts a connection after the n-th fragment and refuses the stream from then on', async () => {
    plan('lost', ['when fragment 1 is sent', 'the connection is lost and refused from then on']);
    const client = await connect('lost', ['websocket']);
    await ask(client, 'f0');
    const cut = new Promise((done) => client.once('disconnect', done));
    client.emit('fragment:data', { fragment_id: 'f1' });
    await cut;
    const again = await connect('lost', ['websocket']).catch((error: unknown) => error);
    expect(again).to.be.instanceOf(Error);
    expect(seen.map(({ kind }) => kind)).to.include('refused');
    await connect('another', ['websocket']);
  });

  it('refuses from the start, and for a time only', async () => {
    plan('absent', ['from the start', 'the connection is lost and refused for 0.3 seconds']);
    const early = await connect('absent', ['websocket']).catch((error: unknown) => error);
    expect(early).to.be.instanceOf(Error);
    await eventually('a connection', () => connect('absent', ['websocket']), { withinMs: 3000 });
  });

  it('changes answers, one fault after the other, and records what was done when', async () => {
    plan(
      'changed',
      ['every fragment', 'the dub is half as loud'],
      ['fragment 0', 'the dub is 5 percent longer'],
      ['fragment 1', 'the dub is 15 percent shorter'],
      ['fragment 2', 'the dub is not Base64'],
      ['fragments 3 to 4', 'the answer is the error TIMEOUT'],
      ['fragment 5 and all later ones', 'the answer is the error INVALID_CONFIG'],
    );
    const client = await connect('changed', ['websocket']);
    const answers: Answer[] = [];
    for (const id of ['f0', 'f1', 'f2', 'f3', 'f4', 'f5', 'f6'])
      answers.push(await ask(client, id));
    const dubs = answers.map(({ dubbed_audio: dub }) => dub as typeof DUB | null);
    const pcm = dubs.slice(0, 2).map((dub) => Buffer.from(dub?.data_base64 ?? '', 'base64'));
    expect(pcm.map(({ length }) => length)).to.deep.equal([210, 170]);
    expect(dubs.slice(0, 2).map((dub) => dub?.duration_ms)).to.deep.equal([105, 85]);
    expect([
      pcm[0]?.readInt16LE(0),
      pcm[0]?.readInt16LE(198),
      pcm[0]?.readInt16LE(208),
    ]).to.deep.equal([500, 500, 0]);
    expect(dubs[2]?.data_base64).to.include('!');
    const errors = answers.slice(3).map(({ status, error }) => {
      const { code, retryable } = error as { code: string; retryable: boolean };
      return [status, code, retryable];
    });
    expect(errors).to.deep.equal([
      ...[1, 2].map(() => ['failed', 'TIMEOUT', true]),
      ...[1, 2].map(() => ['failed', 'INVALID_CONFIG', false]),
    ]);
    const faults = seen.filter(({ kind }) => kind === 'fault');
    expect(faults.map(({ payload }) => (payload as { fragment: string }).fragment)).to.deep.equal([
      ...['f0', 'f0', 'f1', 'f1', 'f2', 'f2', 'f3', 'f3', 'f4', 'f4', 'f5', 'f5', 'f6', 'f6'],
    ]);
    // What is recorded is what media-service got.
    const recorded = seen.filter(({ event }) => event === 'fragment:processed');
    expect(recorded.map(({ payload }) => payload)).to.deep.equal(answers);
  });

  it('drops answers, and counts fragments over all connections', async () => {
    plan('silent', ['fragment 1', 'the answer is dropped']);
    const client = await connect('silent', ['websocket']);
    await ask(client, 'f0');
    client.emit('fragment:data', { fragment_id: 'f1' });
    client.disconnect();
    const before = seen;
    const again = await connect('silent', ['websocket']);
    expect((await ask(again, 'f2')).processed).to.equal(true);
    const answers = [...before, ...seen].filter(({ event }) => event === 'fragment:processed');
    expect(answers.map(({ payload }) => (payload as Answer).fragment_id)).to.deep.equal([
      'f0',
      'f2',
    ]);
  });

  it('requests backpressure in the name of the STS, some time after a moment', async () => {
    plan(
      'pressed',
      ['when the STS has accepted the stream', 'the STS requests a pause'],
      ['0.2 seconds after fragment 0 is sent', 'the STS requests 500 ms between fragments'],
      ['when fragment 0 is answered', 'the STS ends the backpressure'],
    );
    const client = await connect('pressed', ['websocket']);
    const asked: unknown[] = [];
    client.on('backpressure', ({ action, recommended_delay_ms: ms, stream_id: stream }: Answer) => {
      asked.push([action, ms, stream]);
    });
    client.emit('stream:init', { stream_id: 'pressed' });
    await eventually('a pause', () => expect(asked).to.have.length(1), { withinMs: 2000 });
    await ask(client, 'f0');
    await eventually('all three', () => expect(asked).to.have.length(3), { withinMs: 2000 });
    expect(asked).to.deep.equal([
      ['pause', 0, 'pressed'],
      ['none', 0, 'pressed'],
      ['slow_down', 500, 'pressed'],
    ]);
  });

  for (const [direction, place] of [
    ['from-sts', 'from the STS'],
    ['to-sts', 'at the STS'],
  ] as const) {
    it(`lets nothing through ${direction} any more, until there is a new connection`, async () => {
      plan(`mute-${direction}`, [
        'when fragment 0 is answered',
        `nothing arrives ${place} any more`,
      ]);
      const client = await connect(`mute-${direction}`, ['websocket']);
      await ask(client, 'f0');
      client.emit('fragment:data', { fragment_id: 'f1' });
      const silence = await Promise.race([
        answerOf(client),
        new Promise((done) => setTimeout(() => done('silence'), 300)),
      ]);
      expect(silence).to.equal('silence');
      // What media-service sends is recorded in both cases.
      expect(seen.filter(({ event }) => event === 'fragment:data')).to.have.length(2);
      // Where nothing comes from the STS, the end of its connection does not, either.
      const heard = Promise.race([
        new Promise((done) => client.once('disconnect', () => done('the end'))),
        new Promise((done) => setTimeout(() => done('silence'), 300)),
      ]);
      server.disconnectSockets(true);
      expect(await heard).to.equal(direction === 'from-sts' ? 'silence' : 'the end');
      expect(seen.filter(({ kind }) => kind === 'close')).not.to.have.length(0);
      client.disconnect();
      const again = await connect(`mute-${direction}`, ['websocket']);
      expect((await ask(again, 'f2')).processed).to.equal(true);
    });
  }

  it('refuses long polling to a stream with faults', async () => {
    plan('polled', ['every fragment', 'the dub is half as loud']);
    const refused = await connect('polled', ['polling']).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Error);
    expect(JSON.stringify(seen.map(({ payload }) => payload))).to.include('WebSocket only');
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
    tap.setPlan('monitored', { faults: [], seed: 0 });
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
