/**
 * Both ends of the tap, in a process of their own: workers that send fragments to an address, and an STS that answers each at once. Takes
 * `listen` and then `send` by IPC; tells the port it listens on, and how long each message was under way, in ms of one clock.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import { WebSocket, WebSocketServer } from 'ws';

/** What is sent to where: to the tap, and past it. */
export interface Sending {
  urls: string[];
  streams: number;
  fragments: number;
  everyMs: number;
  bytes: number;
}

export type Told = { port: number } | { delays: number[][] };

const SENT_AT = /"sent_at":([\d.]+)/;

function message(event: string, stream: string, audio: string): string {
  const payload = `"stream_id":"${stream}","fragment_id":"${Math.random()}","sequence_number":0`;
  return `42["${event}",{${payload},"sent_at":${performance.now()},"audio":{"data_base64":"${audio}"}}]`;
}

function underWay(text: string): number {
  return performance.now() - Number(SENT_AT.exec(text)?.[1]);
}

const delays: number[] = [];

/** Answers each fragment, with as much audio. */
async function listen(): Promise<number> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 2 ** 26 });
  server.on('connection', (socket, { headers }) => {
    const stream = String(headers['x-stream-id']);
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      delays.push(underWay(text));
      const audio = /"data_base64":"([^"]*)"/.exec(text)?.[1] ?? '';
      socket.send(message('fragment:processed', stream, audio));
    });
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** One worker: its fragments are sent at a steady pace, and all are answered when it ends. */
async function work(url: string, index: number, sending: Sending): Promise<void> {
  const { streams, fragments, everyMs, bytes } = sending;
  const stream = `benchmark_${index}`;
  const audio = Buffer.alloc(bytes, index).toString('base64');
  const socket = new WebSocket(`${url}/socket.io/?EIO=4&transport=websocket`, {
    ...{ headers: { 'x-stream-id': stream }, maxPayload: 2 ** 26 },
  });
  await once(socket, 'open');
  let answers = 0;
  socket.on('message', (data: Buffer) => {
    delays.push(underWay(data.toString()));
    answers += 1;
  });
  await delay((index / streams) * everyMs);
  for (let sent = 0; sent < fragments; sent += 1) {
    socket.send(message('fragment:data', stream, audio));
    await delay(everyMs);
  }
  while (answers < fragments) await once(socket, 'message');
  socket.close();
}

async function send(sending: Sending): Promise<number[][]> {
  const found: number[][] = [];
  for (const url of sending.urls) {
    delays.length = 0;
    const workers = Array.from({ length: sending.streams }, (_, index) =>
      work(url, index, sending),
    );
    await Promise.all(workers);
    found.push([...delays]);
  }
  return found;
}

process.on('message', (asked: 'listen' | Sending) => {
  const answer: Promise<Told> =
    asked === 'listen'
      ? listen().then((port) => ({ port }))
      : send(asked).then((all) => ({ delays: all }));
  void answer.then((told) => process.send?.(told));
});
