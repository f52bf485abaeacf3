/** What the suite's client and the reference services really say, against the contract. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { expect } from 'chai';
import { Server, type Socket as Client } from 'socket.io';
import { io } from 'socket.io-client';

import { eventually } from '../../support/base/eventually';
import { EVENTS, violationsOf } from '../../support/contract/contract';
import { projectRoot } from '../../support/config';
import { freePort } from '../../support/environment/ports';
import { tellEcho } from '../../support/observe/echo-control';
import { get } from '../../support/observe/http-outcome';
import { askSts } from '../../support/observe/sts-client';

interface Said {
  event: string;
  payload: unknown;
}

const PYTHON = join(projectRoot, '.venv/bin/python');
const skip = existsSync(PYTHON) ? false : 'the reference services are no processes here';
const RATE_HZ = 8000;
/** 100 ms of silence. */
const PCM = Buffer.alloc(2 * 0.1 * RATE_HZ);

/** media-service's own client and its `stream:init`, without a stream to read. */
const WORKER = `
import os, queue, sys
from media_service.config import Config
from media_service.sts_client import StsClient, StsMessage, StsReady
from media_service.worker import stream_init
url, timeout_ms = sys.argv[1:]
config = Config.from_env({**os.environ, "STS_SERVICE_URL": url, "STS_TIMEOUT_MS": timeout_ms})
events = queue.Queue()
client = StsClient(url, "s", "w", stream_init(config, "s", "w"), 0.1, 1, events.put)
client.start()
assert isinstance(events.get(timeout=5), StsReady)
ids = {"fragment_id": "s_0000", "stream_id": "s", "sequence_number": 0, "timestamp": 0}
assert client.send_fragment(ids, bytes(1600), 8000, 0)
assert events.get(timeout=5).name == "fragment:processed"
client.stop()
`;

const processes: ChildProcess[] = [];

function python(folder: string, args: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const PYTHONPATH = join(projectRoot, 'compose/services', folder);
  const child = spawn(PYTHON, args, {
    env: { ...env, PYTHONPATH },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  processes.push(child);
  return child;
}

/** What does not fit of what was said; an event that the contract does not have does not fit. */
function wrongIn(said: readonly Said[]): string[] {
  return said.flatMap(({ event, payload }) => {
    const known = EVENTS.find(({ name }) => name === event);
    const wrong = known ? violationsOf(known.payload, payload) : ['unknown event'];
    return wrong.map((why) => `${event}: ${why}`);
  });
}

/** An STS that hears everything, and answers as little as spec 019 allows. */
async function listener(said: Said[]): Promise<{ url: string; close: () => Promise<void> }> {
  const http = createServer();
  const server = new Server(http, { transports: ['websocket'] });
  server.on('connection', (client: Client) => {
    client.onAny((event: string, payload: unknown) => said.push({ event, payload }));
    client.on('stream:init', () => client.emit('stream:ready', {}));
    client.on('fragment:data', ({ fragment_id }: { fragment_id: string }) => {
      client.emit('fragment:processed', {
        ...{ fragment_id, transcript: '', translated_text: '', dubbed_audio: 'AAAA' },
        ...{ processing_time_ms: 0, target_language: 'es' },
      });
    });
    ['config:error_simulation', 'simulate:disconnect'].forEach((event) =>
      client.on(event, () => client.emit(`${event}:ack`, {})),
    );
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

const RULES = [{ trigger: 'nth_fragment', value: 2, error_code: 'TIMEOUT' }];
const SIMULATION = {
  event: 'config:error_simulation' as const,
  payload: { enabled: true, rules: RULES },
};

describe('what is said keeps the contract', () => {
  after(() => processes.forEach((child) => child.kill()));

  it('by the client of the suite, and by what it tells an Echo STS', async () => {
    const said: Said[] = [];
    const sts = await listener(said);
    const fragments = [PCM, PCM];
    const question = { url: sts.url, stream: 'a stream', fragments, rateHz: RATE_HZ };
    const { answers, errors } = await askSts({ ...question, withinMs: 60_000, listenOnMs: 100 });
    expect(errors).to.deep.equal([]);
    expect(answers).to.have.length(2);
    for (const control of [
      SIMULATION,
      { event: 'simulate:disconnect' as const, payload: { delay_ms: 1, reason: 'test' } },
    ]) {
      (await tellEcho({ url: sts.url, stream: 's', control }, undefined))();
    }
    await sts.close();
    const events = ['stream:init', 'fragment:data', 'fragment:ack', 'stream:end'];
    expect(said.map(({ event }) => event)).to.include.members(events);
    expect(wrongIn(said)).to.deep.equal([]);
    // Nobody shall find a stream by its fragments.
    expect(
      JSON.stringify(said.map(({ payload }) => (payload as { fragment_id?: string }).fragment_id)),
    ).to.not.include('a stream');
  });

  for (const timeoutMs of [100, 8000, 120_000]) {
    it(`by media-service that waits for ${timeoutMs} ms`, { skip, timeout: 30_000 }, async () => {
      const said: Said[] = [];
      const sts = await listener(said);
      const child = python('media-service', ['-c', WORKER, sts.url, String(timeoutMs)]);
      const [code] = (await once(child, 'exit')) as [number];
      await sts.close();
      expect(code).to.equal(0);
      expect(said.map(({ event }) => event)).to.deep.equal(['stream:init', 'fragment:data']);
      expect(wrongIn(said)).to.deep.equal([]);
    });
  }
});

describe('what the reference STS says keeps the contract', { skip }, () => {
  let url = '';
  before(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const env = {
      ...{ ENGINE: 'echo', HOST: '127.0.0.1', PORT: String(port) },
      ECHO_PROCESSING_DELAY_MS: '50',
    };
    python('sts-service', ['-m', 'sts_service'], env);
    await eventually(
      'the Echo STS',
      async () => {
        const { status } = await get(`${url}/health`);
        if (status !== 200) throw new Error(String(status));
      },
      { withinMs: 20_000, everyMs: 100 },
    );
  });
  after(() => processes.forEach((child) => child.kill()));

  it(
    'of good fragments, failed ones, refused ones, and controls',
    { timeout: 30_000 },
    async () => {
      const said: Said[] = [];
      const socket = io(url, { transports: ['websocket'], reconnection: false });
      socket.onAny((event: string, payload: unknown) => said.push({ event, payload }));
      const config = {
        ...{ source_language: 'en', target_language: 'es', voice_profile: 'default' },
        ...{ chunk_duration_ms: 100, sample_rate_hz: RATE_HZ, channels: 1, format: 'pcm_s16le' },
      };
      socket.emit('stream:init', { stream_id: 's', worker_id: 'w', config });
      socket.emit(SIMULATION.event, { ...SIMULATION.payload, stream_id: 's' });
      const audio = {
        ...{ format: 'pcm_s16le', sample_rate_hz: RATE_HZ, channels: 1, duration_ms: 100 },
        data_base64: PCM.toString('base64'),
      };
      // More than are taken at once, so that it asks to wait; one of them twice, and one without audio.
      for (const number of [0, 1, 2, 3, 4, 5, 6, 6]) {
        const fragment = { fragment_id: number, stream_id: 's', sequence_number: number, audio };
        socket.emit('fragment:data', fragment);
      }
      socket.emit('fragment:data', { fragment_id: 'x', stream_id: 's', sequence_number: 7 });
      socket.emit('stream:end', { stream_id: 's' });
      const completed = new Promise((done) => socket.once('stream:complete', done));
      await completed;
      socket.emit('simulate:disconnect', { delay_ms: 0, reason: 'test' });
      await new Promise((done) => socket.once('simulate:disconnect:ack', done));
      socket.disconnect();
      const fromSts = EVENTS.filter(({ from }) => ['STS', 'both', 'Echo STS'].includes(from));
      expect([...new Set(said.map(({ event }) => event))]).to.have.members(
        fromSts.map(({ name }) => name),
      );
      expect(wrongIn(said)).to.deep.equal([]);
    },
  );

  it('of the suite as its client', { timeout: 30_000 }, async () => {
    const fragments = [PCM, PCM, PCM];
    const question = { url, stream: 'direct', fragments, rateHz: RATE_HZ, listenOnMs: 0 };
    const { answers, errors } = await askSts({ ...question, withinMs: 10_000 });
    expect(errors).to.deep.equal([]);
    expect(answers.map((answer) => answer.sequence_number)).to.deep.equal([0, 1, 2]);
  });
});
