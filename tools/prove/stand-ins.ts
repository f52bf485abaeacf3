/** What prove puts in the place of something else: web servers, relays, tools. */
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';

import { Server as SocketServer, type Socket } from 'socket.io';
import { io } from 'socket.io-client';
import { request } from 'undici';

import { messageOf } from '../../support/base/errors';
import type { Fields } from './altered-evidence';

/** Something that listens, at `url`, until it is closed. */
export interface StandIn {
  url: string;
  close: () => Promise<void>;
}

/** By a name that the suite does not take for the host of the services: it expects no published port there. */
const HOST = 'localhost';

async function listening(server: Server, close: () => void): Promise<StandIn> {
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${HOST}:${port}`,
    close: async () => {
      const closed = once(server, 'close');
      close();
      await closed;
    },
  };
}

/**
 * Says the same to every request.
 *
 * @param upstream address of the service's own answer, by which a service is waited for: that is given until it is 200
 */
export function webServer(
  answer: { status: number; body: string },
  upstream?: string,
): Promise<StandIn> {
  let isReady = upstream === undefined;
  const server = createHttpServer((_request, response) => {
    const said = upstream === undefined || isReady ? Promise.resolve(answer) : ask(upstream);
    void said.then(({ status, body }) => {
      isReady ||= status === 200;
      response.writeHead(status, { 'Content-Type': 'text/plain' }).end(body);
    });
  });
  return listening(server, () => {
    server.close();
    server.closeAllConnections();
  });
}

async function ask(url: string): Promise<{ status: number; body: string }> {
  try {
    const { statusCode, body } = await request(url);
    return { status: statusCode, body: await body.text() };
  } catch (error) {
    return { status: 502, body: messageOf(error) };
  }
}

/** Accepts connections and says nothing, ever. */
export function silentServer(): Promise<StandIn> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  const sockets = new Set<{ destroy: () => void }>();
  server.on('connection', (socket) => sockets.add(socket));
  return listening(server, () => {
    server.close();
    sockets.forEach((socket) => socket.destroy());
  });
}

function socketServer(onConnection: (client: Socket) => void): Promise<StandIn> {
  const http = createHttpServer();
  const server = new SocketServer(http, { transports: ['websocket'], maxHttpBufferSize: 1e8 });
  server.on('connection', onConnection);
  return listening(http, () => void server.close());
}

/**
 * Relays what a client and an STS say to each other; answers to fragments as they are changed.
 *
 * @param upstream address of the STS
 * @param change gives the answers that the client gets in place of one
 * @param again after how many ms an answer is sent once more; undefined for those that are sent once
 */
export async function stsRelay(
  upstream: string,
  change: (answer: Fields) => Fields[],
  again: (answer: Fields) => number | undefined = () => undefined,
): Promise<StandIn> {
  return socketServer((client) => {
    const sts = io(upstream, { transports: ['websocket'], reconnection: false });
    client.onAny((event: string, ...data: unknown[]) => void sts.emit(event, ...data));
    sts.onAny((event: string, payload: Fields) => {
      const answers = event === 'fragment:processed' ? change(payload) : [payload];
      answers.forEach((answer) => client.emit(event, answer));
      const afterMs = event === 'fragment:processed' ? again(payload) : undefined;
      if (afterMs !== undefined) setTimeout(() => client.emit(event, payload), afterMs);
    });
    client.on('disconnect', () => sts.disconnect());
  });
}

/** What a canned STS says of a fragment. */
export interface CannedAnswer {
  transcript: string;
  translation: string;
}

/**
 * An STS that listens to nothing: it answers by sequence number, from a table, with hiss that is gated as speech would be.
 *
 * @param tables by what a stream's name contains; the first that fits
 */
export function cannedSts(
  tables: readonly { stream: string; answers: readonly CannedAnswer[] }[],
): Promise<StandIn> {
  return socketServer((client) => {
    client.on('stream:init', ({ stream_id: stream }: Fields) => {
      const capabilities = { batch_processing: false, async_delivery: true };
      const ready = { stream_id: stream, session_id: client.id, max_inflight: 3, capabilities };
      client.emit('stream:ready', ready);
    });
    client.on('fragment:data', (fragment: Fields) => {
      const { fragment_id, stream_id, sequence_number, audio } = fragment;
      const ids = { fragment_id, stream_id, sequence_number };
      client.emit('fragment:ack', { ...ids, status: 'queued' });
      const table = tables.find(({ stream }) => String(stream_id).includes(stream));
      const line = table?.answers[Number(sequence_number)] ?? { transcript: '', translation: '' };
      setTimeout(() => {
        client.emit('fragment:processed', {
          ...{ ...ids, status: 'success', dubbed_audio: hissFor(audio as Fields) },
          ...{ transcript: line.transcript, translated_text: line.translation },
          ...{ target_language: 'es', processing_time_ms: 300, error: null },
          stage_timings: { asr_ms: 150, translation_ms: 50, tts_ms: 100 },
        });
      }, 300);
    });
    client.on('stream:end', ({ stream_id: stream }: Fields) => {
      client.emit('stream:complete', {
        ...{ stream_id: stream, total_fragments: 0, total_duration_ms: 0 },
        statistics: {
          ...{ success_count: 0, partial_count: 0, failed_count: 0 },
          ...{ avg_processing_time_ms: 0, p95_processing_time_ms: 0 },
        },
      });
    });
  });
}

/** White noise in bursts of 0.3 s, as long as some audio (16-bit PCM), at about -20 dBFS; for each audio its own. */
export function hissFor(audio: Fields): Fields {
  const bytes = Buffer.from(String(audio['data_base64']), 'base64');
  const perBurst = 0.3 * Number(audio['sample_rate_hz']) * Number(audio['channels']);
  let state = bytes.reduce((sum, byte) => (31 * sum + byte) >>> 0, 1);
  for (let at = 0; at + 1 < bytes.length; at += 2) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const isLoud = Math.floor(at / 2 / perBurst) % 3 !== 2;
    bytes.writeInt16LE(isLoud ? Math.round((state / 2 ** 32 - 0.5) * 11_000) : 0, at);
  }
  return { ...audio, data_base64: bytes.toString('base64') };
}

/**
 * A folder for PATH with a program in place of the one that has the name.
 *
 * @param script a shell script
 */
export function toolFolder(folder: string, name: string, script: string): string {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
  return bin;
}
