import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

import { type RawData, WebSocket, WebSocketServer } from 'ws';

import { messageOf } from '../../support/base/errors';
import { jsonOf } from '../../support/base/json';
import type { Change, Clothes, Fields, Headers, Message } from './clothes';

/** Headers that belong to one connection. */
const HOP_HEADERS = new Set(['connection', 'upgrade', 'host', 'content-length']);
/** An event of Socket.IO's main namespace, without an acknowledgement: type, and the array of its name and payload. */
const EVENT = /^42(?=\[)/;

export interface Relay {
  port: number;
  close: () => Promise<void>;
}

/**
 * Relays HTTP and WebSockets to a server, and changes events, headers and pages on the way.
 *
 * @param upstream http://host:port
 * @param listen where it listens; port 0: a free one
 */
export async function startRelay(
  upstream: string,
  clothes: Clothes,
  listen: { host: string; port: number },
): Promise<Relay> {
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const server = createServer((incoming, response) => {
    relayRequest(upstream, clothes, incoming, response);
  });
  server.on('upgrade', (incoming, socket, head) => {
    socket.on('error', () => undefined);
    const refusal = clothes.refusal?.(headersOf(incoming));
    if (refusal !== undefined) {
      refuse(socket, 400, refusal);
      return;
    }
    relayUpgrade(upstream, clothes, webSockets, { incoming, socket, head });
  });
  server.listen(listen.port, listen.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      webSockets.clients.forEach((client) => client.terminate());
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function headersOf({ headers }: IncomingMessage): Headers {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}

function forwarded(incoming: IncomingMessage): Headers {
  return Object.fromEntries(
    Object.entries(headersOf(incoming)).filter(
      ([name]) => !HOP_HEADERS.has(name) && !name.startsWith('sec-websocket-'),
    ),
  );
}

function refuse(socket: Duplex, status: number, text: string): void {
  const head = `HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Type: text/plain\r\n`;
  socket.end(`${head}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

function relayRequest(
  upstream: string,
  clothes: Clothes,
  incoming: IncomingMessage,
  response: ServerResponse,
): void {
  const url = new URL(incoming.url ?? '/', upstream);
  const headers = { ...forwarded(incoming), 'accept-encoding': 'identity' };
  const outgoing = request(url, { method: incoming.method ?? 'GET', headers }, (answer) => {
    const page = clothes.pages?.[url.pathname];
    const status = answer.statusCode ?? 502;
    if (!page || status !== 200) {
      response.writeHead(status, answer.headers);
      answer.pipe(response);
      return;
    }
    const parts: Buffer[] = [];
    answer.on('data', (part: Buffer) => parts.push(part));
    answer.on('end', () => {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' });
      response.end(page(Buffer.concat(parts).toString()));
    });
  });
  outgoing.on('error', (error) => {
    if (response.headersSent) response.destroy();
    else response.writeHead(503).end(messageOf(error));
  });
  incoming.pipe(outgoing);
}

function relayUpgrade(
  upstream: string,
  clothes: Clothes,
  webSockets: WebSocketServer,
  { incoming, socket, head }: { incoming: IncomingMessage; socket: Duplex; head: Buffer },
): void {
  const url = new URL(incoming.url ?? '/', upstream);
  const headers = clothes.headers?.(forwarded(incoming), url.origin) ?? forwarded(incoming);
  url.protocol = 'ws:';
  const server = new WebSocket(url, { headers, perMessageDeflate: false });
  const early: [RawData, boolean][] = [];
  const keep = (data: RawData, isBinary: boolean): void => void early.push([data, isBinary]);
  server.on('message', keep);
  server.on('unexpected-response', (_request, answer) => {
    const parts: Buffer[] = [];
    answer.on('data', (part: Buffer) => parts.push(part));
    answer.on('end', () => {
      refuse(socket, answer.statusCode ?? 502, Buffer.concat(parts).toString());
    });
  });
  server.on('error', (error) => {
    if (server.readyState !== WebSocket.OPEN) refuse(socket, 502, messageOf(error));
  });
  const giveUp = (): void => server.terminate();
  socket.on('close', giveUp);
  server.once('open', () => {
    webSockets.handleUpgrade(incoming, socket, head, (client) => {
      socket.off('close', giveUp);
      const { toSts, fromSts } = clothes.connection?.() ?? {};
      const passFromSts = join(server, client, fromSts);
      server.off('message', keep);
      early.forEach(([data, isBinary]) => passFromSts(data, isBinary));
      join(client, server, toSts);
    });
  });
}

/** Passes on what one side says, in its order, and its end. */
function join(
  from: WebSocket,
  to: WebSocket,
  change: Change | undefined,
): (data: RawData, isBinary: boolean) => void {
  let passed = Promise.resolve();
  const pass = (data: RawData, isBinary: boolean): void => {
    passed = passed.then(async () => {
      const message = isBinary ? undefined : decoded((data as Buffer).toString());
      if (!change || !message) {
        send(to, data, isBinary);
        return;
      }
      for (const one of await change(message)) {
        if (one.afterMs !== undefined) await sleep(one.afterMs);
        send(one.isAnswer ? from : to, encoded(one), false);
      }
    });
  };
  from.on('message', pass);
  from.on('error', () => to.terminate());
  from.on('close', (code, reason) => {
    // 1005 and 1006 stand for "no code" and "abnormal closure"; they may not be sent (RFC 6455, 7.4.1).
    if (code === 1006) to.terminate();
    else void passed.then(() => (code === 1005 ? to.close() : to.close(code, reason)));
  });
  return pass;
}

function send(to: WebSocket, data: RawData | string, isBinary: boolean): void {
  if (to.readyState === WebSocket.OPEN) to.send(data, { binary: isBinary });
}

/** The event of a text; undefined for anything else, such as pings. */
function decoded(text: string): Message | undefined {
  if (!EVENT.test(text)) return undefined;
  const [event, payload] = (jsonOf(text.slice(2)) ?? []) as unknown[];
  const isEvent = typeof event === 'string' && typeof payload === 'object' && payload !== null;
  return isEvent ? { event, payload: payload as Fields } : undefined;
}

function encoded({ event, payload }: Message): string {
  return `42${JSON.stringify([event, payload])}`;
}
