import { EventEmitter, once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, type Socket } from 'node:net';
import { type Duplex } from 'node:stream';

import {
  decodePacket,
  decodePayload,
  type BinaryType,
  type Packet as EnginePacket,
} from 'engine.io-parser';
import { Decoder, PacketType, type Packet } from 'socket.io-parser';
import { WebSocket, WebSocketServer, type RawData } from 'ws';

import { messageOf } from '../errors';

export type Direction = 'to-sts' | 'from-sts';

/** Something the tap saw. `at` is milliseconds since the epoch, `connection` counts from 1. */
export interface TapEvent {
  at: number;
  connection: number;
  /** X-Stream-ID of the connection, or the stream_id of its first event; undefined before either is known. */
  stream: string | undefined;
  direction: Direction;
  /** `event`: a Socket.IO event; `open`/`refused`/`close`: the connection; `undecodable`: not Socket.IO. */
  kind: 'open' | 'refused' | 'close' | 'event' | 'undecodable';
  /** Name of the Socket.IO event. */
  event?: string;
  /** First argument of the event, or what is known of the opening or closing. */
  payload?: unknown;
}

/** What the tap does to one stream, in place of relaying everything at once. */
export interface TapPlan {
  /** Answers (`fragment:processed`) are held back for this long. */
  delayAnswersMs?: number;
  /** The STS becomes unreachable when this many fragments have been sent: cut, and refused from then on. */
  unreachableAfterFragments?: number;
}

interface Connection {
  id: number;
  stream: string | undefined;
  /** The name and port that the other side has asked for (Host header). */
  host: string | undefined;
  decoders: Record<Direction, Decoder>;
  fragmentsSent: number;
  cut: () => void;
}

const ENGINE_BINARY: BinaryType = 'nodebuffer';
/** An answer to a fragment, as text: Engine.IO message, Socket.IO event, name. */
const ANSWER = /^4[25](?:\d+-)?(?:\/[^,]*,)?\d*\["fragment:processed"/;
const HOP_HEADERS = new Set(['connection', 'upgrade', 'host', 'sec-websocket-key']);

/**
 * A transparent Socket.IO relay between media-service and STS that records a decoded copy.
 *
 * An STS answers the worker's own connection only, so another client that listens hears nothing: one has to sit in
 * between. Messages are forwarded as they are, whatever they hold. WebSocket and long polling are both relayed.
 */
export class Tap {
  readonly #server: Server;
  readonly #webSockets = new WebSocketServer({ noServer: true, maxPayload: 0 });
  readonly #emitter = new EventEmitter<{ event: [TapEvent] }>();
  readonly #plans = new Map<string, TapPlan>();
  readonly #unreachable = new Set<string>();
  readonly #polling = new Map<string, Connection>();
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #connections = 0;

  private constructor(readonly upstream: URL) {
    this.#server = createServer((incoming, response) => {
      const body: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => body.push(chunk));
      incoming.on('end', () => this.#relayRequest(incoming, Buffer.concat(body), response));
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('upgrade', (incoming, socket, head) => {
      this.#relayUpgrade(incoming, socket, head);
    });
  }

  /** Starts a relay on a free port of `host` to the STS at `upstreamUrl` (http://…). */
  static async start(upstreamUrl: string, host = '127.0.0.1'): Promise<Tap> {
    const tap = new Tap(new URL(upstreamUrl));
    tap.#server.listen(0, host);
    await once(tap.#server, 'listening');
    return tap;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Calls `listener` for everything that is seen from now on; returns the function that ends it. */
  listen(listener: (event: TapEvent) => void): () => void {
    this.#emitter.on('event', listener);
    return () => this.#emitter.off('event', listener);
  }

  /** Sets what is done to a stream; before the stream is published. */
  setPlan(stream: string, plan: TapPlan): void {
    this.#plans.set(stream, plan);
    if (plan.unreachableAfterFragments === 0) this.#unreachable.add(stream);
  }

  async close(): Promise<void> {
    this.#timers.forEach((timer) => clearTimeout(timer));
    this.#webSockets.clients.forEach((client) => client.terminate());
    this.#sockets.forEach((socket) => socket.destroy());
    this.#server.close();
    await once(this.#server, 'close');
  }

  #relayUpgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const connection = this.#connectionOf(incoming);
    const refuse = (reason: string): void => {
      this.#record(connection, 'from-sts', 'refused', { sts: this.upstream.href, reason });
      socket.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    };
    if (connection.stream && this.#unreachable.has(connection.stream)) {
      refuse('made unreachable by the scenario');
      return;
    }
    const url = new URL(incoming.url ?? '/', this.upstream);
    url.protocol = this.upstream.protocol === 'https:' ? 'wss:' : 'ws:';
    const upstream = new WebSocket(url, {
      headers: forwardedHeaders(incoming, (name) => name.startsWith('sec-websocket-')),
      perMessageDeflate: false,
      maxPayload: 0,
    });
    const early: [RawData, boolean][] = [];
    const hold = (data: RawData, isBinary: boolean): void => void early.push([data, isBinary]);
    upstream.on('message', hold);
    upstream.once('error', (error) => {
      if (upstream.readyState !== WebSocket.OPEN) refuse(messageOf(error));
    });
    upstream.once('open', () => {
      this.#webSockets.handleUpgrade(incoming, socket, head, (client) => {
        connection.cut = () => [client, upstream].forEach((side) => side.terminate());
        this.#record(connection, 'to-sts', 'open', {
          sts: this.upstream.href,
          transport: 'websocket',
          host: connection.host,
          headers: {
            'x-stream-id': connection.stream,
            'x-worker-id': incoming.headers['x-worker-id'],
          },
        });
        upstream.off('message', hold);
        early.forEach(([data, isBinary]) => {
          this.#relayMessage(connection, 'from-sts', client, data, isBinary);
        });
        this.#join(connection, 'from-sts', upstream, client);
        this.#join(connection, 'to-sts', client, upstream);
      });
    });
  }

  #join(connection: Connection, direction: Direction, from: WebSocket, to: WebSocket): void {
    from.on('message', (data, isBinary) => {
      this.#relayMessage(connection, direction, to, data, isBinary);
    });
    from.on('close', (code, reason) => {
      this.#record(connection, direction, 'close', { code, reason: reason.toString() });
      // 1005 and 1006 stand for "no code" and "broken off"; they may not be sent.
      if (code === 1005) to.close();
      else if (code === 1006) to.terminate();
      else to.close(code, reason);
    });
    from.on('error', () => to.terminate());
  }

  #relayMessage(
    connection: Connection,
    direction: Direction,
    to: WebSocket,
    data: RawData,
    isBinary: boolean,
  ): void {
    const message = isBinary ? (data as Buffer) : (data as Buffer).toString();
    const plan = connection.stream === undefined ? undefined : this.#plans.get(connection.stream);
    const relay = (): void => {
      const events = this.#decode(connection, direction, [decodePacket(message, ENGINE_BINARY)]);
      if (to.readyState === WebSocket.OPEN) to.send(data, { binary: isBinary });
      if (direction === 'from-sts' || !events.includes('fragment:data')) return;
      connection.fragmentsSent += 1;
      if (connection.stream && connection.fragmentsSent === plan?.unreachableAfterFragments) {
        this.#unreachable.add(connection.stream);
        connection.cut();
      }
    };
    if (!plan?.delayAnswersMs || !ANSWER.test(message.toString())) {
      relay();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      relay();
    }, plan.delayAnswersMs);
    this.#timers.add(timer);
  }

  /** Long polling, and everything else that is asked by HTTP. */
  #relayRequest(incoming: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const connection = this.#connectionOf(incoming);
    if (body.length > 0) this.#decodePolled(connection, 'to-sts', body);
    const outgoing = httpRequest(
      new URL(incoming.url ?? '/', this.upstream),
      { method: incoming.method ?? 'GET', headers: forwardedHeaders(incoming, () => false) },
      (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => parts.push(chunk));
        answer.on('end', () => {
          const answered = Buffer.concat(parts);
          this.#decodePolled(connection, 'from-sts', answered);
          response.writeHead(answer.statusCode ?? 502, answer.headers).end(answered);
        });
      },
    );
    outgoing.on('error', (error) => {
      this.#record(connection, 'from-sts', 'refused', {
        sts: this.upstream.href,
        reason: messageOf(error),
      });
      response.writeHead(502).end();
    });
    outgoing.end(body);
  }

  #decodePolled(connection: Connection, direction: Direction, body: Buffer): void {
    const packets = decodePayload(body.toString(), ENGINE_BINARY);
    const open = packets.find((packet) => packet.type === 'open');
    if (open) {
      const { sid } = JSON.parse(String(open.data)) as { sid: string };
      this.#polling.set(sid, connection);
      const { host } = connection;
      this.#record(connection, 'to-sts', 'open', {
        ...{ sts: this.upstream.href, transport: 'polling', host },
      });
    }
    this.#decode(connection, direction, packets);
  }

  /** Records the Socket.IO events among some packets; returns their names. */
  #decode(connection: Connection, direction: Direction, packets: EnginePacket[]): string[] {
    const names: string[] = [];
    const decoder = connection.decoders[direction];
    const onDecoded = (packet: Packet): void => {
      if (packet.type !== PacketType.EVENT && packet.type !== PacketType.BINARY_EVENT) return;
      const [event, payload] = packet.data as [string, unknown];
      connection.stream ??= streamIdOf(payload);
      names.push(event);
      this.#record(connection, direction, 'event', payload, event);
    };
    decoder.on('decoded', onDecoded);
    try {
      for (const packet of packets) {
        if (packet.type === 'message') decoder.add(packet.data);
      }
    } catch (error) {
      this.#record(connection, direction, 'undecodable', { reason: messageOf(error) });
    } finally {
      decoder.off('decoded', onDecoded);
    }
    return names;
  }

  #connectionOf(incoming: IncomingMessage): Connection {
    const sid = new URL(incoming.url ?? '/', this.upstream).searchParams.get('sid');
    const known = sid === null ? undefined : this.#polling.get(sid);
    if (known) return known;
    const header = incoming.headers['x-stream-id'];
    this.#connections += 1;
    return {
      id: this.#connections,
      stream: typeof header === 'string' ? header : undefined,
      host: incoming.headers.host,
      decoders: { 'to-sts': new Decoder(), 'from-sts': new Decoder() },
      fragmentsSent: 0,
      cut: () => undefined,
    };
  }

  #record(
    { id, stream }: Connection,
    direction: Direction,
    kind: TapEvent['kind'],
    payload: unknown,
    event?: string,
  ): void {
    this.#emitter.emit('event', {
      at: Date.now(),
      connection: id,
      stream,
      direction,
      kind,
      ...(event === undefined ? {} : { event }),
      payload,
    });
  }
}

function forwardedHeaders(
  incoming: IncomingMessage,
  isDropped: (name: string) => boolean,
): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(incoming.headers).filter(
      (entry): entry is [string, string | string[]] =>
        entry[1] !== undefined && !HOP_HEADERS.has(entry[0]) && !isDropped(entry[0]),
    ),
  );
}

function streamIdOf(payload: unknown): string | undefined {
  if (payload === null || typeof payload !== 'object' || !('stream_id' in payload))
    return undefined;
  return typeof payload.stream_id === 'string' ? payload.stream_id : undefined;
}
