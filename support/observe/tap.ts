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
import type { Direction, FaultPlan } from './faults';
import { StreamFaults } from './stream-faults';

/** Something the tap saw. `at` is milliseconds since the epoch, `connection` counts from 1. */
export interface TapEvent {
  at: number;
  connection: number;
  /** X-Stream-ID of the connection, or the stream_id of its first event; undefined before either is known. */
  stream: string | undefined;
  direction: Direction;
  /**
   * `event`: a Socket.IO event; `open`/`refused`/`close`: the connection; `undecodable`: not Socket.IO; `fault`: what the
   * tap has done itself, as its plan says.
   */
  kind: 'open' | 'refused' | 'close' | 'event' | 'undecodable' | 'fault';
  /** Name of the Socket.IO event. */
  event?: string;
  /** First argument of the event, or what is known of the opening or closing. */
  payload?: unknown;
}

interface Connection {
  id: number;
  stream: string | undefined;
  /** The name and port that the other side has asked for (Host header). */
  host: string | undefined;
  decoders: Record<Direction, Decoder>;
}

const ENGINE_BINARY: BinaryType = 'nodebuffer';
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
  readonly #faults = new Map<string, StreamFaults>();
  readonly #polling = new Map<string, Connection>();
  readonly #sockets = new Set<Socket>();
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

  /** Sets what goes wrong for a stream; before the stream is published. */
  setPlan(stream: string, plan: FaultPlan): void {
    this.#faults.set(stream, new StreamFaults(stream, plan));
  }

  async close(): Promise<void> {
    this.#faults.forEach((faults) => faults.end());
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
    const faults = this.#faults.get(connection.stream ?? '');
    if (faults?.isRefusing) {
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
        faults?.connected({
          send: (direction, text) => {
            const to = direction === 'from-sts' ? client : upstream;
            this.#pass(connection, direction, to, text, false);
          },
          cut: () => [client, upstream].forEach((side) => side.terminate()),
          record: (direction, what) => this.#record(connection, direction, 'fault', what),
        });
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
    const faults = this.#faults.get(connection.stream ?? '');
    if (!faults || isBinary) {
      this.#pass(connection, direction, to, data, isBinary);
      return;
    }
    faults.relay(direction, (data as Buffer).toString(), {
      pass: (text) => this.#pass(connection, direction, to, text, false),
      // What media-service has said counts as said, also where it did not arrive.
      lose: (text) => {
        if (direction === 'to-sts') this.#decode(connection, direction, packetsOf(text));
      },
    });
  }

  /** Records a message and hands it on. */
  #pass(
    connection: Connection,
    direction: Direction,
    to: WebSocket,
    data: RawData | string,
    isBinary: boolean,
  ): void {
    const message =
      isBinary || typeof data === 'string'
        ? (data as string | Buffer)
        : (data as Buffer).toString();
    this.#decode(connection, direction, packetsOf(message));
    if (to.readyState === WebSocket.OPEN) to.send(data, { binary: isBinary });
  }

  /** Long polling, and everything else that is asked by HTTP. */
  #relayRequest(incoming: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const connection = this.#connectionOf(incoming);
    if (this.#faults.has(connection.stream ?? '')) {
      const reason = 'what shall go wrong for this stream can be done to a WebSocket only';
      this.#record(connection, 'from-sts', 'refused', { sts: this.upstream.href, reason });
      response.writeHead(502).end();
      return;
    }
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

  /** Records the Socket.IO events among some packets. */
  #decode(connection: Connection, direction: Direction, packets: EnginePacket[]): void {
    const decoder = connection.decoders[direction];
    const onDecoded = (packet: Packet): void => {
      if (packet.type !== PacketType.EVENT && packet.type !== PacketType.BINARY_EVENT) return;
      const [event, payload] = packet.data as [string, unknown];
      connection.stream ??= streamIdOf(payload);
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

function packetsOf(message: string | Buffer): EnginePacket[] {
  return [decodePacket(message, ENGINE_BINARY)];
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
