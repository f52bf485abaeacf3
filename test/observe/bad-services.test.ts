import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, mock } from 'node:test';

import { expect } from 'chai';

import { projectRoot } from '../../support/config';
import { freePort } from '../../support/environment/ports';
import { problemOf } from '../../support/base/errors';
import { readFixture } from '../../support/broadcast/fixture';
import { askHttp } from '../../support/base/http';
import { evidenceFiles, readEvidence } from '../../support/broadcast/evidence';
import { type BroadcastRecord, outcomeText } from '../../support/broadcast/record';
import { requestOf } from '../../support/broadcast/request';
import { MediaMtxApi } from '../../support/observe/mediamtx-api';
import { readMetrics } from '../../support/observe/metrics';
import { observeBroadcast } from '../../support/observe/observe-broadcast';
import type { ServiceStatus } from '../../support/observe/service-exits';
import { sharedPoll } from '../../support/observe/shared-poll';
import { SocketIOMonitor } from '../../support/observe/socket-io-monitor';
import { Tap } from '../../support/observe/tap';
import { rejection } from '../analyze/make-media';

type Answer = (response: ServerResponse) => void;

const path = { name: 'a', ready: true, tracks: [], bytesReceived: 1, source: null, readers: [] };
const list =
  (...items: unknown[]): Answer =>
  (response) => {
    response.end(JSON.stringify({ items }));
  };

/** Answers that no service should give. */
const NO_ANSWERS: Record<string, [Answer, RegExp]> = {
  'nothing, ever': [() => undefined, /no end of it within 5 s/],
  'a status and then nothing': [(response) => response.writeHead(200).write(''), /no end of it/],
  'a letter a second': [
    (response) => {
      const timer = setInterval(() => response.write('#'), 1000);
      response.on('close', () => clearInterval(timer));
    },
    /no end of it within 5 s/,
  ],
  'an end': [(response) => void response.destroy(), /other side closed|ECONNRESET/],
  'half of what it has promised': [
    (response) => {
      response.writeHead(200, { 'content-length': 99 }).write('half');
      setTimeout(() => response.destroy(), 20);
    },
    /other side closed|ECONNRESET|terminated/,
  ],
  'no HTTP': [(response) => void response.socket?.end('\0\0\0'), /Parse|HTTP/],
  'more than 32 MiB': [
    (response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(2 ** 20, '#')));
        response.once('drain', more);
      };
      more();
    },
    /more than 33554432 bytes/,
  ],
  'a refusal': [(response) => void response.writeHead(500).end('Oops'), /500 Oops/],
  'a page of HTML as a refusal': [
    (response) => void response.writeHead(404).end('<html><script>alert(1)</script>'),
    /404 <html>/,
  ],
};

const NO_PATHS: Record<string, [Answer, RegExp]> = {
  'an empty text': [(response) => void response.end(), /is malformed/],
  HTML: [(response) => void response.end('<html>hello</html>'), /is malformed.*<html>/s],
  'JSON that is cut off': [(response) => void response.end('{"items":[{'), /is malformed/],
  null: [(response) => void response.end('null'), /is malformed/],
  'no items': [(response) => void response.end('{}'), /items/],
  'items that are null': [(response) => void response.end('{"items":null}'), /items/],
  'a path that is null': [list(null), /items\.0/],
  'a path without a name': [list({ ...path, name: undefined }), /items\.0\.name/],
  'a path without readers': [list({ ...path, readers: undefined }), /items\.0\.readers/],
  'bytes that are a text': [list({ ...path, bytesReceived: '1' }), /items\.0\.bytesReceived/],
  'a reader that is a text': [list({ ...path, readers: ['a'] }), /items\.0\.readers\.0/],
};

const NO_METRICS: Record<string, [Answer, RegExp]> = {
  HTML: [(response) => void response.end('<html>'), /line 1 is not Prometheus text/],
  JSON: [(response) => void response.end('{"a":1}'), /line 1 is not Prometheus text/],
  'text that is cut off': [(response) => void response.end('a 1\nb{c="d'), /line 2/],
  'a series twice': [
    (response) => void response.end('a{b="c"} 1\na{b="c"} 2\n'),
    /each series once/,
  ],
  'a family twice': [
    (response) => void response.end('# TYPE a counter\na 1\n# TYPE a gauge\n'),
    /TYPE of a once/,
  ],
};

describe('a service that answers what it should not', () => {
  let answer: Answer = (response) => void response.end();
  const http = createServer((incoming, response) => {
    incoming.resume();
    answer(response);
  });
  let url = '';

  before(async () => {
    await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  });
  after(() => {
    http.closeAllConnections();
    http.close();
  });

  const askers: [string, () => Promise<unknown>, Record<string, [Answer, RegExp]>][] = [
    ['MediaMTX', () => new MediaMtxApi(url).paths(), { ...NO_ANSWERS, ...NO_PATHS }],
    ['the metrics', () => readMetrics(url), NO_METRICS],
  ];
  for (const [who, ask, answers] of askers) {
    for (const [name, [given, message]] of Object.entries(answers)) {
      it(`${who}: ${name} is an error that says so, and where`, async () => {
        answer = given;
        const error = await rejection(ask());
        expect(problemOf(error)).to.not.be.undefined;
        expect(String(error)).to.match(message).and.to.include(url).and.to.include('expected:');
      });
    }
  }

  it('names an address that is malformed, or at which nothing listens', async () => {
    expect(String(await rejection(askHttp('nothing')))).to.match(/GET nothing.*Invalid URL/s);
    const deaf = `http://user:hunter2@127.0.0.1:${await freePort()}/`;
    expect(String(await rejection(askHttp(deaf)))).to.match(/GET http:\/\/\*\*\*@.*ECONNREFUSED/s);
  });

  it('is told user and password of its address', async () => {
    let header: string | undefined;
    answer = (response) => void response.end((header = response.req.headers.authorization));
    await askHttp(url.replace('//', '//us%20er:pa%3Ass@'));
    expect(header).to.equal(`Basic ${Buffer.from('us er:pa:ss').toString('base64')}`);
  });

  for (const [name, given] of Object.entries<Answer>({
    'a refusal': (response) => void response.writeHead(500).end(),
    HTML: (response) => void response.end('<html>'),
    'an end': (response) => void response.destroy(),
  })) {
    it(`an STS that gives ${name} is not listened to, with the reason`, async () => {
      answer = given;
      const error = await rejection(
        new SocketIOMonitor(url.replace('//', '//u:hunter2@')).connect(),
      );
      expect(problemOf(error)).to.not.be.undefined;
      expect(String(error)).to.include('cannot be listened to').and.to.not.include('hunter2');
    });
  }
});

const folder = mkdtempSync(join(tmpdir(), 'bad-services-'));
after(() => rmSync(folder, { recursive: true }));
const fixture = readFixture(join(projectRoot, 'fixtures/12-s-silence.yaml'));
let broadcasts = 0;

/** A broadcast whose services answer like that; nothing accepts the publisher's stream. */
async function broadcastWith(options: {
  answer: Answer;
  rtspUrl?: string;
  logs?: () => Promise<Map<string, string>>;
  states?: () => Promise<ServiceStatus[]>;
  whileOn?: () => void;
}): Promise<{ record: BroadcastRecord; tookMs: number; folder: string }> {
  const http = createServer((incoming, response) => {
    incoming.resume();
    options.answer(response);
  });
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const tap = await Tap.start(url);
  const monitor = new SocketIOMonitor(tap);
  await monitor.connect();
  const api = new MediaMtxApi(url);
  broadcasts += 1;
  const evidence = join(folder, String(broadcasts));
  const started = performance.now();
  setTimeout(() => options.whileOn?.(), 500);
  try {
    const record = await observeBroadcast({
      ...{ fixture, stream: 's', folder: evidence, monitor, api },
      ...{ request: requestOf({ budgetSeconds: 20 }), faultSeed: 0 },
      ...{ runtime: 'host', monitorMode: 'tap' },
      mediaServer: { url: options.rtspUrl ?? `rtsp://127.0.0.1:${await freePort()}` },
      ...{ rtmpUrl: 'rtmp://127.0.0.1:1', publishing: { protocol: 'rtsp', holds: true } },
      streamPaths: { input: 'live/{stream}/in', output: 'live/{stream}/out' },
      paths: sharedPoll(100, () => api.paths()),
      metrics: sharedPoll(200, () => readMetrics(url)),
      recording: { pattern: '', fetch: async () => 1 },
      ...{ stsUrl: url, notOffered: undefined },
      network: { connections: async () => [], addressOf: async () => undefined },
      logs: options.logs ?? (async () => new Map()),
      states: options.states,
      ...{ track: () => () => undefined, withViewer: false, withInputReader: false },
      ...{ onProgress: () => undefined, onIngested: () => undefined },
      onPublished: () => undefined,
      signal: new AbortController().signal,
    });
    return { record, tookMs: performance.now() - started, folder: evidence };
  } finally {
    monitor.disconnect();
    await tap.close();
    http.closeAllConnections();
    http.close();
  }
}

describe('a broadcast', { concurrency: 4 }, () => {
  for (const [name, answer, reason] of [
    ['refuse', (response) => void response.writeHead(500).end('Oops'), /500 Oops/],
    ['answer HTML', (response) => void response.end('<html>'), /is malformed|not Prometheus/],
    ['do not answer', () => undefined, /no end of it within 5 s/],
    ['break off', (response) => void response.destroy(), /other side closed|ECONNRESET/],
  ] as [string, Answer, RegExp][]) {
    it(`whose services ${name} ends with its evidence, which says so`, async () => {
      const { record, folder: evidence } = await broadcastWith({ answer });
      expect(record.outcome.kind).to.be.oneOf(['input never ready', 'media server silent']);
      expect(record.problems.join('\n'))
        .to.match(reason)
        .and.to.match(/polls of MediaMTX failed/);
      expect(readEvidence(evidence).record).to.deep.equal(record);
    });
  }

  it('that the media server refuses to record is recorded by a reader, and the record says why', async () => {
    const { record } = await broadcastWith({
      answer: (response) => void response.writeHead(403).end('not for you'),
    });
    expect(record.reader?.why).to.match(/refused a request.*403 not for you/s);
  });

  it('whose logs cannot be read ends with its evidence all the same', async () => {
    const { record } = await broadcastWith({
      answer: (response) => void response.end(),
      logs: () => Promise.reject(new Error('no logs')),
    });
    expect(record.problems).to.include('logs of the services: no logs');
  });

  it('during which services end has their exit codes', async () => {
    const running = { service: 'media-service', state: 'running' };
    const exited = { service: 'migrations', state: 'exited', exitCode: 0 };
    let looks = 0;
    const { record } = await broadcastWith({
      answer: (response) => void response.end(),
      states: async () => {
        looks += 1;
        return looks === 1
          ? [running, exited]
          : [{ ...running, state: 'exited', exitCode: 3 }, exited];
      },
    });
    expect(record.serviceExits).to.deep.equal({ 'media-service': 3 });
  });

  it('whose services cannot be looked at ends with its evidence, which says so', async () => {
    const { record } = await broadcastWith({
      answer: (response) => void response.end(),
      states: () => Promise.reject(new Error('no engine')),
    });
    expect(record.serviceExits).to.equal(undefined);
    expect(record.problems).to.include('the services that run: no engine');
  });
});

describe('the clock', () => {
  for (const hours of [-1, 1]) {
    it(`may be set by ${hours} h during a broadcast, which ends as it should and says so`, async () => {
      const silent = createTcpServer(() => undefined);
      await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
      const realNow = Date.now.bind(Date);
      const step = (): void => void mock.method(Date, 'now', () => realNow() + hours * 3_600_000);
      try {
        // Nothing answers the publisher: the broadcast is given up when MediaMTX has been silent for 10 s, not an hour later.
        const {
          record,
          tookMs,
          folder: evidence,
        } = await broadcastWith({
          answer: () => undefined,
          rtspUrl: `rtsp://127.0.0.1:${(silent.address() as AddressInfo).port}`,
          whileOn: step,
        });
        expect(outcomeText(record.outcome)).to.match(/has not answered for 10 s/);
        expect(tookMs).to.be.within(10_000, 40_000);
        const { published = 0, outputEnded = 0 } = record.times;
        expect(outputEnded - published).to.be.within(4000, 40_000);
        expect(record.problems.join('\n')).to.match(
          new RegExp(`clock .* set by ${hours * 3600}\\.\\d s`),
        );
        expect(readFileSync(join(evidence, evidenceFiles.record), 'utf8')).to.include('clock');
      } finally {
        mock.restoreAll();
        silent.close();
      }
    });
  }
});
