import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';

import { expect } from 'chai';
import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';

import { eventually } from '../../support/base/eventually';
import { faultDoneAt, refusalText, type TapEvent } from '../../support/broadcast/events';
import { readFault } from '../../support/broadcast/fault-words';
import { Tap } from '../../support/observe/tap';

interface Message {
  fragment_id?: string | number;
  stream_id?: string;
  [field: string]: unknown;
}

const PCM = Buffer.from(new Int16Array(100).fill(1000).buffer).toString('base64');
const WITHIN = { withinMs: 3000 };

describe('the tap, given a media-service that sends no X-Stream-ID,', () => {
  const http = createServer();
  const server = new Server(http, {
    // As python-socketio does by default: Host and Origin have to be the same.
    allowRequest: ({ headers }, decide) => {
      asked = headers;
      const isOwn = headers.origin === undefined || new URL(headers.origin).host === headers.host;
      decide(isOwn ? null : 'Not an accepted origin.', isOwn);
    },
  });
  let asked: IncomingMessage['headers'] = {};
  let tap: Tap;
  let seen: TapEvent[];
  const clients: Socket[] = [];

  before(async () => {
    server.on('connection', (socket) => {
      socket.on('stream:init', (init: Message) => socket.emit('stream:ready', init));
      socket.on('fragment:data', ({ fragment_id }: Message) => {
        socket.emit('fragment:processed', { fragment_id, dubbed_audio: PCM });
      });
    });
    await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  });
  beforeEach(async () => {
    // Connections of earlier tests may still be ending.
    const own: TapEvent[] = [];
    seen = own;
    tap = await Tap.start(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
    tap.listen((event) => own.push(event));
  });
  afterEach(async () => {
    clients.splice(0).forEach((client) => client.disconnect());
    await tap.close();
  });
  after(() => server.close());

  const plan = (stream: string, ...rows: [string, string][]): void =>
    tap.setPlan(stream, { faults: rows.map((row) => readFault(...row)), seed: 1 });

  async function connect(headers: Record<string, string> = {}): Promise<Socket> {
    const client = io(`http://127.0.0.1:${tap.port}`, {
      ...{ transports: ['websocket'], forceNew: true, reconnection: false },
      extraHeaders: headers,
    });
    clients.push(client);
    await new Promise<void>((connected, failed) => {
      client.once('connect', connected).once('connect_error', failed);
    });
    return client;
  }

  const answerOf = (client: Socket, event = 'fragment:processed'): Promise<Message> =>
    new Promise((answer) => client.once(event, answer));

  function ask(client: Socket, fragment: Message): Promise<Message> {
    const answer = answerOf(client);
    client.emit('fragment:data', fragment);
    return answer;
  }

  const done = (): string[] =>
    seen.flatMap((event) => {
      const fault = faultDoneAt(event);
      return fault ? [`${event.stream} ${fault.fault.does} ${fault.fragment ?? ''}`.trim()] : [];
    });
  const kindsOf = (stream: string | undefined): string[] =>
    seen.filter((one) => one.stream === stream).map(({ kind, event }) => event ?? kind);

  it('knows a stream by the stream_id of its first event, and records its opening as its own', async () => {
    plan('a', ['every fragment', 'the dub is half as loud']);
    plan('b');
    const client = await connect();
    const ready = answerOf(client, 'stream:ready');
    client.emit('stream:init', { stream_id: 'a' });
    await ready;
    const dub = Buffer.from(String((await ask(client, { fragment_id: 7 })).dubbed_audio), 'base64');
    expect(dub.readInt16LE(0)).to.equal(500);
    expect(done()).to.deep.equal(['a soften 7']);
    expect(kindsOf('a').slice(0, 3)).to.deep.equal(['open', 'stream:init', 'stream:ready']);
    expect(kindsOf('b')).to.be.empty;
  });

  it('takes the only one that is waited for where nothing says which it is', async () => {
    plan('over');
    tap.endPlan('over');
    plan('a', ['fragment 0', 'the answer is the error TIMEOUT']);
    const client = await connect();
    expect((await ask(client, { fragment_id: 'f' })).status).to.equal('failed');
    expect(done()).to.deep.equal(['a error f']);
  });

  it('knows a stream by its path, in the header or in its first event', async () => {
    plan('a', ['every fragment', 'the dub is half as loud']);
    plan('b', ['every fragment', 'the answer is the error TIMEOUT']);
    const client = await connect();
    await ask(client, { fragment_id: 'g', stream_id: 'live/b/in' });
    await ask(await connect({ 'X-Stream-ID': 'live/a/in' }), { fragment_id: 'f' });
    expect(done()).to.deep.equal(['b error g', 'a soften f']);
  });

  it('takes no header that is no stream of its own while one is waited for', async () => {
    plan('a', ['every fragment', 'the dub is half as loud']);
    plan('b', ['every fragment', 'the answer is the error TIMEOUT']);
    const headers = { 'X-Stream-ID': 'worker-7' };
    await ask(await connect(headers), { fragment_id: 'f', stream_id: 'a' });
    await ask(await connect(headers), { fragment_id: 'g' });
    // Nothing is waited for any more.
    await ask(await connect(headers), { fragment_id: 'h' });
    expect(done()).to.deep.equal(['a soften f', 'b error g']);
    expect(kindsOf('worker-7')).to.include('fragment:data');
  });

  it('does a fault at the moment of a fragment once, also where that is sent again', async () => {
    plan('a', ['when fragment 0 is sent', 'the connection is lost']);
    const first = await connect();
    const lost = new Promise((ended) => first.once('disconnect', ended));
    first.emit('fragment:data', { fragment_id: 'f' });
    await lost;
    const again = await connect();
    await ask(again, { fragment_id: 'f' });
    await ask(again, { fragment_id: 'g' });
    expect(done()).to.deep.equal(['a disconnect']);
  });

  it('requests a pause of the stream by the name that media-service has for it', async () => {
    plan('a', ['when fragment 0 is sent', 'the STS requests a pause']);
    const client = await connect();
    const asked = answerOf(client, 'backpressure');
    client.emit('fragment:data', { fragment_id: 'f', stream_id: 'live/a/in' });
    expect(await asked).to.include({ stream_id: 'live/a/in', action: 'pause' });
  });

  it('takes none where several are waited for, and records the connection as of none', async () => {
    plan('a', ['every fragment', 'the dub is half as loud']);
    plan('b');
    await ask(await connect(), { fragment_id: 'f' });
    expect(done()).to.be.empty;
    expect(kindsOf(undefined)).to.include('open');
  });

  it('takes the other one where one of two is connected', async () => {
    plan('a', ['every fragment', 'the dub is half as loud']);
    plan('b', ['every fragment', 'the answer is the error TIMEOUT']);
    await ask(await connect({ 'X-Stream-ID': 'a' }), { fragment_id: 'f' });
    await ask(await connect(), { fragment_id: 'g' });
    expect(done()).to.deep.equal(['a soften f', 'b error g']);
  });

  it('refuses the only stream from the start, and says that this was done', async () => {
    plan('a', ['from the start', 'the connection is lost and refused from then on']);
    const refused = await connect().catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Error);
    expect(kindsOf('a')).to.deep.equal(['fault', 'refused']);
    expect(refusalText(seen)).to.equal('');
  });

  it('of several, cuts the refused one at its stream:init, and lets the other go on', async () => {
    plan('a', ['from the start', 'the connection is lost and refused from then on']);
    plan('b');
    const [refused, other] = [await connect(), await connect()];
    const lost = new Promise((end) => refused.once('disconnect', end));
    refused.emit('stream:init', { stream_id: 'a' });
    await lost;
    expect(kindsOf('a')).to.deep.equal(['fault', 'refused']);
    other.emit('stream:init', { stream_id: 'b' });
    expect((await ask(other, { fragment_id: 'f' })).dubbed_audio).to.equal(PCM);
  });

  for (const [place, event, does] of [
    ['every fragment', 'the answer is delayed by 0.05 seconds', 'delay'],
    ['every fragment', 'the answer is dropped', 'drop'],
    ['every fragment', 'the answer is the error TIMEOUT', 'error'],
    ['every fragment', 'the dub is 5 percent longer', 'resize'],
    ['every fragment', 'the dub is half as loud', 'soften'],
    ['every fragment', 'the dub is not Base64', 'malform'],
    ['when fragment 0 is sent', 'the STS requests a pause', 'backpressure'],
    [
      '0.05 seconds after fragment 0 is sent',
      'the STS requests 500 ms between fragments',
      'backpressure',
    ],
    ['when fragment 0 is answered', 'the STS ends the backpressure', 'backpressure'],
    ['when the STS has accepted the stream', 'the connection is lost', 'disconnect'],
    ['when fragment 0 is sent', 'the connection is lost and refused for 10 seconds', 'disconnect'],
    ['when fragment 0 is answered', 'nothing arrives from the STS any more', 'mute'],
    ['from the start', 'nothing arrives at the STS any more', 'mute'],
  ] as const) {
    it(`does it: ${place}: ${event}`, async () => {
      plan('a', [place, event]);
      const client = await connect();
      client.emit('stream:init', { stream_id: 'a' });
      client.emit('fragment:data', { fragment_id: 'f' });
      await eventually('done', () => expect(done()[0]).to.match(new RegExp(`^a ${does}`)), WITHIN);
      expect(seen.some((one) => faultDoneAt(one)?.notDone !== undefined)).to.equal(false);
    });
  }

  it('says that a fault cannot be done where the connection has ended before', async () => {
    plan('a', ['0.2 seconds after fragment 0 is answered', 'the STS requests a pause']);
    const client = await connect();
    await ask(client, { fragment_id: 'f' });
    client.disconnect();
    await eventually('said', () => expect(done()).to.have.length(1), WITHIN);
    expect(seen.flatMap((one) => faultDoneAt(one)?.notDone ?? [])).to.match(/had ended/);
  });

  it('does not pass on, nor record as an answer, what it held back until the connection had ended', async () => {
    plan('a', ['every fragment', 'the answer takes 0.3 seconds']);
    const client = await connect();
    client.emit('fragment:data', { fragment_id: 'f', stream_id: 'a' });
    await eventually('sent', () => expect(kindsOf('a')).to.include('fragment:data'), WITHIN);
    client.disconnect();
    await eventually('held back', () => expect(done()).to.deep.equal(['a take f']), WITHIN);
    expect(kindsOf('a')).to.include('close').and.not.to.include('fragment:processed');
  });

  it('passes Host and Origin on as they are', async () => {
    const origin = `http://127.0.0.1:${tap.port}`;
    await connect({ Origin: origin });
    expect([asked.host, asked.origin]).to.deep.equal([`127.0.0.1:${tap.port}`, origin]);
  });

  it('relays and records the words in which an STS refuses a connection', async () => {
    plan('a', ['every fragment', 'the dub is half as loud']);
    const refused = await connect({ Origin: 'http://elsewhere' }).catch((error: unknown) => error);
    expect(refused).to.be.instanceOf(Error);
    expect(refusalText(seen)).to.match(
      /^1 connection was refused by the STS: HTTP 400 Bad Request: Not an accepted origin\./,
    );
    expect(kindsOf('a')).to.deep.equal(['refused']);
    const answer = await new Promise<string>((answered) => {
      const headers = {
        ...{ connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' },
        ...{ 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==', origin: 'http://elsewhere' },
      };
      const url = `http://127.0.0.1:${tap.port}/socket.io/?EIO=4&transport=websocket`;
      get(url, { headers }, (response) => {
        let text = `${response.statusCode} `;
        response.on('data', (part: Buffer) => (text += part.toString()));
        response.on('end', () => answered(text));
      });
    });
    expect(answer).to.match(/^400 .*Not an accepted origin\./);
  });
});
