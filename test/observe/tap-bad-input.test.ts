import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';

import { expect } from 'chai';
import * as fc from 'fast-check';
import { WebSocket, WebSocketServer } from 'ws';

import { eventually } from '../../support/base/eventually';
import type { TapEvent, UndecodableMessage } from '../../support/broadcast/events';
import { readEvidence } from '../../support/broadcast/evidence';
import { EvidenceWriter } from '../../support/broadcast/evidence-writer';
import { readFault } from '../../support/broadcast/fault-words';
import { Tap } from '../../support/observe/tap';
import { aRecord } from '../broadcast/a-record';

const WITHIN = { withinMs: 10_000, everyMs: 5 };
const PATH = '/socket.io/?EIO=4&transport=websocket';
const GOOD = '42["stream:ready",{"stream_id":"good"}]';

/** Nested more deeply than JSON can be written. */
const DEEP = `42["fragment:data",${'['.repeat(100_000)}${']'.repeat(100_000)}]`;
const megabytes = (count: number): string => 'A'.repeat(count * 2 ** 20);

/** Messages one after the other, and what of each is recorded. */
const messages: Record<
  string,
  [data: string | Buffer, kind: 'event' | 'undecodable' | 'nothing'][]
> = {
  'an empty message': [['', 'undecodable']],
  'no Engine.IO packet': [['nonsense', 'undecodable']],
  'a packet type that there is not': [['9{}', 'undecodable']],
  'a message without a packet': [['4', 'undecodable']],
  'a Socket.IO type that there is not': [['47["a"]', 'undecodable']],
  'an event without a name': [['42', 'undecodable']],
  'an event that is no list': [['42{"a":1}', 'undecodable']],
  'an event of an empty list': [['42[]', 'undecodable']],
  'an event whose name is a number': [['42[1,{"a":1}]', 'event']],
  'a reserved event': [['42["connect",{}]', 'undecodable']],
  'a truncated event': [['42["fragment:data",{"fragment_id":"f', 'undecodable']],
  'an event without a payload': [['42["fragment:data"]', 'event']],
  'a payload that is null': [['42["fragment:data",null]', 'event']],
  'a payload that is a list': [['42["fragment:data",[1,[2]]]', 'event']],
  'a payload without fields': [['42["fragment:data",{}]', 'event']],
  'fields of wrong types': [
    ['42["fragment:data",{"fragment_id":7,"sequence_number":"x","audio":[]}]', 'event'],
    ['42["fragment:processed",{"fragment_id":null,"dubbed_audio":7,"stream_id":{}}]', 'event'],
    ['42["fragment:data",{"audio":{"data_base64":{"a":1},"file":"../../x"}}]', 'event'],
  ],
  'formats that no WAV file can have': [
    ...[-1, 0, 1e12, 1.5, '"x"', 'null', '{}'].map((rate): [string, 'event'] => [
      `42["fragment:data",{"sequence_number":1,"audio":{"format":"pcm_s16le","sample_rate_hz":${rate},"data_base64":"AAAA"}}]`,
      'event',
    ]),
    ...[-1, 0, 70_000, '"x"'].map((channels): [string, 'event'] => [
      `42["fragment:data",{"sequence_number":1,"audio":{"format":"pcm_s16le","sample_rate_hz":8000,"channels":${channels},"data_base64":"AAAA"}}]`,
      'event',
    ]),
  ],
  'sequence numbers that are none': [
    ...[-1, 1e300, 0.5].map((sequence): [string, 'event'] => [
      `42["fragment:data",{"sequence_number":${sequence},"audio":{"data_base64":"AAAA"}}]`,
      'event',
    ]),
  ],
  'audio that is not Base64': [['42["fragment:processed",{"dubbed_audio":"%%ü%"}]', 'event']],
  'the same fragment three times': [
    ...[1, 2, 3].map((): [string, 'event'] => [
      '42["fragment:data",{"fragment_id":"f0","sequence_number":0,"audio":{"data_base64":"AAAA"}}]',
      'event',
    ]),
  ],
  'a fragment of another stream': [['42["fragment:data",{"stream_id":"good"}]', 'event']],
  'an answer that goes the wrong way': [['42["fragment:processed",{"fragment_id":"f0"}]', 'event']],
  'a name of Object': [['42["__proto__",{"__proto__":{"a":1},"constructor":1}]', 'event']],
  'bytes that belong to nothing': [[Buffer.from([0, 1, 2]), 'undecodable']],
  'a packet of malformed Base64': [['b!!!', 'undecodable']],
  'attachments that do not come': [
    ['451-["fragment:data",{"_placeholder":true,"num":0}]', 'nothing'],
    [GOOD, 'undecodable'],
  ],
  'an attachment too few': [
    ['451-["fragment:data",{"_placeholder":true,"num":7}]', 'nothing'],
    [Buffer.from([1]), 'undecodable'],
  ],
  'more attachments than anybody has': [['45999999999-["a"]', 'undecodable']],
  'audio as an attachment': [
    ['451-["fragment:data",{"audio":{"data_base64":{"_placeholder":true,"num":0}}}]', 'nothing'],
    [Buffer.from([1, 2, 3]), 'event'],
  ],
  'control characters': [
    ['42["\\u0000\\u001b[31m",{"a":"\\u0000"}]', 'event'],
    ['\0\0', 'undecodable'],
  ],
  'half a character': [['42["a",{"b":"\\ud800"}]', 'event']],
  'JSON that is nested 100 000 times': [[DEEP, 'event']],
  'an event of 60 MB': [
    [`42["fragment:data",{"audio":{"data_base64":"${megabytes(60)}"}}]`, 'event'],
  ],
  'an unknown event of 60 MB': [[`42["anything",{"text":"${megabytes(60)}"}]`, 'event']],
  '60 MB of nothing': [[megabytes(60), 'undecodable']],
  '60 MB of bytes': [[Buffer.alloc(60 * 2 ** 20, 1), 'undecodable']],
};

/** What a client can do wrong below Engine.IO, after the handshake: bytes of a WebSocket frame (RFC 6455). */
const frames: Record<string, number[]> = {
  'reserved bits': [0xf1, 0x80, 0, 0, 0, 0],
  'a frame that is not masked': [0x81, 0x01, 0x61],
  'an opcode that there is not': [0x83, 0x80, 0, 0, 0, 0],
  'a continuation of nothing': [0x80, 0x80, 0, 0, 0, 0],
  'a ping in parts': [0x09, 0x80, 0, 0, 0, 0],
  'a ping that is too long': [0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0],
  'text that is not UTF-8': [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28],
  'a length of 2^63 bytes': [
    0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
  ],
  'a length of 4 GB': [0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0],
  'a close with half a code': [0x88, 0x81, 0, 0, 0, 0, 0x03],
  'a close with a code that there is not': [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xec],
};

describe('the tap, given what is not right,', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tap-bad-'));
  const http = createServer((incoming, response) => answerHttp(response, incoming.url ?? ''));
  const sts = new WebSocketServer({ server: http, maxPayload: 2 ** 28 });
  let answerHttp: (response: ServerResponse, url: string) => void = (response) => response.end();
  let tap: Tap;
  let seen: TapEvent[] = [];
  let evidence: EvidenceWriter;
  let evidences = 0;
  let bad = '';
  const clients: WebSocket[] = [];

  before(async () => {
    await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
    tap = await Tap.start(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
    tap.listen((event) => {
      seen.push(event);
      if (event.stream === bad) evidence.addTapEvent(event);
    });
  });
  beforeEach(async () => {
    seen = [];
    evidences += 1;
    // Connections of earlier tests may still be ending.
    bad = `bad${evidences}`;
    evidence = new EvidenceWriter(join(folder, String(evidences)));
    tap.setPlan('good', { faults: [], seed: 0 });
    good = await joined('good');
  });
  afterEach(() => {
    for (const client of [...clients.splice(0), ...sts.clients]) client.terminate();
    answerHttp = (response) => void response.end();
    rmSync(evidence.folder, { recursive: true });
  });
  after(async () => {
    await tap.close();
    sts.close();
    http.closeAllConnections();
    http.close();
    rmSync(folder, { recursive: true });
  });

  /** The two ends of a connection through the tap, and what has arrived at each. */
  interface Joined {
    worker: WebSocket;
    server: WebSocket;
    atServer: (string | Buffer)[];
    atWorker: (string | Buffer)[];
  }
  let good: Joined;

  async function joined(stream: string): Promise<Joined> {
    const arrived = new Promise<WebSocket>((done) => sts.once('connection', done));
    const worker = new WebSocket(`ws://127.0.0.1:${tap.port}${PATH}`, {
      headers: { 'X-Stream-ID': stream },
      maxPayload: 0,
    });
    worker.on('error', () => undefined);
    clients.push(worker);
    const atWorker = collected(worker);
    const server = await arrived;
    const atServer = collected(server);
    await eventually('open', () => expect(worker.readyState).to.equal(WebSocket.OPEN), WITHIN);
    return { worker, server, atServer, atWorker };
  }

  function collected(socket: WebSocket): (string | Buffer)[] {
    const all: (string | Buffer)[] = [];
    socket.on('message', (data, isBinary) => {
      all.push(isBinary ? (data as Buffer) : (data as Buffer).toString());
    });
    return all;
  }

  const of = (stream: string, ...kinds: TapEvent['kind'][]): TapEvent[] =>
    seen.filter((event) => event.stream === stream && kinds.includes(event.kind));

  /** Another stream that was there all the time gets its messages, in both directions. */
  async function expectOthersGoOn(): Promise<void> {
    const before = of('good', 'event').length;
    good.worker.send(GOOD);
    good.server.send(GOOD);
    await eventually(
      'messages of the other stream',
      () => {
        expect(good.atServer.at(-1)).to.equal(GOOD);
        expect(good.atWorker.at(-1)).to.equal(GOOD);
        expect(of('good', 'event')).to.have.length(before + 2);
      },
      WITHIN,
    );
    good.atServer.length = 0;
    good.atWorker.length = 0;
  }

  /** Lengths and beginnings: 60 MB would make a failure unreadable. */
  const isSame = (one: string | Buffer | undefined, other: string | Buffer): boolean =>
    one !== undefined && Buffer.compare(Buffer.from(one), Buffer.from(other)) === 0;

  for (const direction of ['to-sts', 'from-sts'] as const) {
    for (const [name, sent] of Object.entries(messages)) {
      it(`relays ${name} (${direction}) as it is, records it as it was seen, and goes on`, async () => {
        const worst = await joined(bad);
        const [from, arrived] =
          direction === 'to-sts' ? [worst.worker, worst.atServer] : [worst.server, worst.atWorker];
        sent.forEach(([data]) => from.send(data));
        from.send(GOOD);
        await eventually('all', () => expect(arrived).to.have.length(sent.length + 1), WITHIN);
        sent.forEach(([data], i) => expect(isSame(arrived[i], data), name).to.be.true);
        const recorded = of(bad, 'event', 'undecodable');
        const kinds = sent.map(([, kind]) => kind).filter((kind) => kind !== 'nothing');
        expect(recorded.map(({ kind }) => kind)).to.deep.equal([...kinds, 'event']);
        const undecodable = recorded.filter(({ kind }) => kind === 'undecodable');
        const expected = sent.filter(([, kind]) => kind === 'undecodable').map(([data]) => data);
        undecodable.forEach(({ payload }, i) => {
          const { message } = payload as UndecodableMessage;
          expect(isSame(message, expected[i] ?? ''), name).to.be.true;
        });
        await expectOthersGoOn();
        // All of it is in the evidence, which can be read again.
        evidence.finish(aRecord({ stream: bad }));
        const read = readEvidence(evidence.folder).tap;
        expect(read.map(({ kind }) => kind)).to.deep.equal(
          of(bad, ...KINDS).map((one) => one.kind),
        );
        for (const { payload } of read.filter(({ kind }) => kind === 'undecodable')) {
          const { file } = payload as { file: string };
          const i = read
            .filter(({ kind }) => kind === 'undecodable')
            .findIndex((one) => one.payload === payload);
          expect(isSame(readFileSync(evidence.path(file)), expected[i] ?? ''), file).to.be.true;
        }
      });
    }
  }

  it('relays any messages unchanged, and records those that are malformed', async () => {
    const worst = await joined(bad);
    const words = fc.constantFrom(
      ...[
        '4',
        '2',
        '5',
        '1',
        '-',
        '0',
        '[',
        ']',
        '"a"',
        ',',
        '{',
        '}',
        '/',
        'b',
        '\0',
        '_placeholder',
      ],
    );
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.array(words).map((all) => all.join('')),
    );
    const bytes = fc.uint8Array().map((all) => Buffer.from(all));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(text, bytes), { minLength: 1 }), async (any) => {
        worst.atServer.length = 0;
        any.forEach((one) => worst.worker.send(one));
        await eventually('all', () => expect(worst.atServer).to.have.length(any.length), WITHIN);
        any.forEach((one, i) => expect(isSame(worst.atServer[i], one)).to.be.true);
      }),
      { numRuns: 300 },
    );
    expect(of(bad, 'undecodable').length).to.be.above(100);
    await expectOthersGoOn();
  });

  for (const place of ['every fragment', 'fragment 0']) {
    const faults = [
      ...['the dub is half as loud', 'the dub is 5 percent longer', 'the dub is not Base64'],
      ...['the answer is the error TIMEOUT', 'the answer is delayed by 0.01 seconds'],
    ];
    for (const [name, answer] of Object.entries({
      'is cut off': '{"fragment_id":"f0","dub',
      'is null': 'null, "\\"fragment_id\\":\\"f0\\""]',
      'has half a sample': '{"fragment_id":"f0","dubbed_audio":{"data_base64":"AAAA"}}]',
      'has an invalid number of channels':
        '{"fragment_id":"f0","dubbed_audio":{"channels":0,"duration_ms":"x","data_base64":"AAAA"}}]',
      'has audio of a wrong type': '{"fragment_id":"f0","dubbed_audio":[7]}]',
      'is a text': '"\\"fragment_id\\":\\"f0\\""]',
    })) {
      it(`passes on an answer that ${name}, whatever its plan says of ${place}`, async () => {
        tap.setPlan(bad, { faults: faults.map((what) => readFault(place, what)), seed: 1 });
        const worst = await joined(bad);
        worst.worker.send('42["fragment:data",{"fragment_id":"f0"}]');
        await eventually('a fragment', () => expect(worst.atServer).to.have.length(1), WITHIN);
        worst.server.send(`42["fragment:processed",${answer}`);
        worst.server.send(GOOD);
        await eventually('both', () => expect(worst.atWorker).to.have.length(2), WITHIN);
        expect(of(bad, 'event', 'undecodable').length).to.equal(3);
        tap.endPlan(bad);
        await expectOthersGoOn();
      });
    }
  }

  /** A TCP connection to the tap on which anything can be said, in the name of the STREAM; what was answered. */
  async function raw(text: string | Buffer): Promise<{ socket: Socket; answer: () => string }> {
    const socket = connectTcp(tap.port, '127.0.0.1');
    let answered = '';
    socket.on('data', (chunk) => (answered += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    await new Promise((connected) => socket.once('connect', connected));
    socket.write(typeof text === 'string' ? text.replace('STREAM', bad) : text);
    return { socket, answer: () => answered };
  }

  const upgrade = (path: string, ...headers: string[]): string =>
    [`GET ${path} HTTP/1.1`, 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket', ...headers]
      .map((line) => `${line}\r\n`)
      .join('') + '\r\n';
  const WS_HEADERS = [
    ...[
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
      'X-Stream-ID: STREAM',
    ],
  ];

  for (const [name, bytes] of Object.entries(frames)) {
    it(`ends a connection with ${name}, says so, and goes on`, async () => {
      const { socket, answer } = await raw(upgrade(PATH, ...WS_HEADERS));
      await eventually('a handshake', () => expect(answer()).to.match(/^HTTP\/1\.1 101/), WITHIN);
      socket.write(Buffer.from(bytes));
      await eventually(
        'the end of it',
        () => {
          expect(of(bad, 'undecodable')).to.have.length(1);
          expect(of(bad, 'close')).to.have.length(2);
        },
        WITHIN,
      );
      expect((of(bad, 'undecodable')[0]?.payload as UndecodableMessage).reason).to.not.equal('');
      socket.destroy();
      await expectOthersGoOn();
    });
  }

  for (const [name, bytes] of Object.entries({
    'in the middle of a message': Buffer.from([0x81, 0xfe, 0x10, 0x00, 0, 0, 0, 0, 0x34]),
    'in the middle of a length': Buffer.from([0x81, 0xfe]),
    'between two messages': Buffer.alloc(0),
  })) {
    it(`notices a connection that breaks off ${name}, and goes on`, async () => {
      const { socket, answer } = await raw(upgrade(PATH, ...WS_HEADERS));
      await eventually('a handshake', () => expect(answer()).to.match(/^HTTP\/1\.1 101/), WITHIN);
      socket.write(bytes);
      socket.resetAndDestroy();
      await eventually('the end', () => expect(of(bad, 'close')).to.have.length(2), WITHIN);
      await expectOthersGoOn();
      await eventually('nothing left', () => expect(sts.clients.size).to.equal(1), WITHIN);
    });
  }

  for (const [name, text] of Object.entries({
    'bytes that are no HTTP': '\0\x01\x02\r\n\r\n',
    'an upgrade to nothing': upgrade('//', ...WS_HEADERS),
    'an upgrade to another host': upgrade('http://192.0.2.1:1/socket.io/?EIO=4', ...WS_HEADERS),
    'an upgrade to a path of two slashes': upgrade('//192.0.2.1:1/socket.io/?EIO=4', ...WS_HEADERS),
    'an upgrade with a fragment': upgrade('/socket.io/#a', ...WS_HEADERS),
    'an upgrade without a key': upgrade(PATH, 'Sec-WebSocket-Version: 13'),
    'an upgrade of an unknown version': upgrade(
      PATH,
      'Sec-WebSocket-Version: 99',
      ...WS_HEADERS.slice(1),
    ),
    'an upgrade by POST': upgrade(PATH, ...WS_HEADERS).replace('GET', 'POST'),
    'a request to nothing': 'GET // HTTP/1.1\r\nHost: a\r\n\r\n',
    'a request to another host': 'GET http://192.0.2.1:1/ HTTP/1.1\r\nHost: a\r\n\r\n',
    'a request with a bad escape': 'GET /%zz?%zz=%&EIO=4 HTTP/1.1\r\nHost: a\r\n\r\n',
    'a session that there is not':
      'GET /socket.io/?EIO=4&sid=__proto__ HTTP/1.1\r\nHost: a\r\n\r\n',
    'a body that is cut off':
      'POST /socket.io/?EIO=4 HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n0{',
    'a malformed posted packet':
      'POST /socket.io/?EIO=4 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n0{}',
    'a posted handshake that is null':
      'POST /socket.io/?EIO=4 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n0null',
  })) {
    it(`is not put off by ${name}`, async () => {
      const { socket, answer } = await raw(text);
      if (name.includes('cut off')) socket.end();
      await eventually(
        'an answer, or an end',
        () => {
          expect(answer() !== '' || socket.destroyed || socket.readableEnded, answer()).to.be.true;
        },
        WITHIN,
      );
      socket.resetAndDestroy();
      await expectOthersGoOn();
      await eventually('nothing left', () => expect(sts.clients.size).to.be.at.most(2), WITHIN);
    });
  }

  for (const [name, answer] of Object.entries<(response: ServerResponse) => void>({
    'a handshake that is no JSON': (response) => response.end('0{"sid":'),
    'a handshake that is null': (response) => response.end('0null'),
    'a handshake without sid': (response) => response.end('0{"sid":7}'),
    'a page of HTML': (response) => response.writeHead(500).end('<html>Oops</html>'),
    'an answer that is cut off': (response) => {
      response.writeHead(200, { 'content-length': 99 }).write('4');
      setTimeout(() => response.destroy(), 20);
    },
    'no answer, but an end': (response) => response.destroy(),
    'a status that there is not': (response) => {
      response.socket?.end('HTTP/1.1 042 What\r\nContent-Length: 0\r\n\r\n');
    },
    'headers that are none': (response) => response.socket?.end('HTTP/1.1 200 OK\r\n: x\r\n\r\n'),
    'no HTTP': (response) => response.socket?.end('\0\0\0'),
    'twenty packets, none of which is one': (response) =>
      response.end(Array(20).fill('x').join('\x1e')),
  })) {
    it(`polling: copes with an STS that gives ${name}`, async () => {
      answerHttp = answer;
      const poll =
        'GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nX-Stream-ID: STREAM\r\n\r\n';
      const { socket, answer: answered } = await raw(poll);
      await eventually(
        'an answer',
        () => expect(answered()).to.match(/^HTTP\/1\.1 (200|500|502)/),
        WITHIN,
      );
      await eventually(
        'a record',
        () => expect(of(bad, 'refused', 'undecodable')).to.not.be.empty,
        WITHIN,
      );
      socket.destroy();
      await expectOthersGoOn();
    });
  }

  it('polling: gives a request up whose client has gone', async () => {
    let [isThere, isGivenUp] = [false, false];
    answerHttp = (response) => {
      isThere = true;
      response.on('close', () => (isGivenUp = true));
    };
    const { socket } = await raw(
      'GET /socket.io/?EIO=4 HTTP/1.1\r\nHost: a\r\nX-Stream-ID: STREAM\r\n\r\n',
    );
    await eventually('a request', () => expect(isThere).to.be.true, WITHIN);
    socket.resetAndDestroy();
    await eventually('given up', () => expect(isGivenUp).to.be.true, WITHIN);
    expect(of(bad, 'refused')).to.be.empty;
    await expectOthersGoOn();
  });
});

const KINDS = ['open', 'refused', 'close', 'event', 'undecodable', 'fault'] as const;
