import { EventEmitter, once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import {
  decodePacket,
  decodePayload,
  type BinaryType,
  type Packet as EnginePacket,
} from 'engine.io-parser';
import { Decoder, PacketType, type Packet } from 'socket.io-parser';
import { WebSocket, WebSocketServer, type RawData } from 'ws';
import { z } from 'zod';

import { now } from '../base/clock';
import { messageOf } from '../base/errors';
import { bytesOf } from '../base/http';
import { jsonOf } from '../base/json';
import type { TapEvent, TcpEnd, UndecodableMessage } from '../broadcast/events';
import type { Direction, FaultPlan } from '../broadcast/fault';
import { StreamFaults } from './stream-faults';

interface Connection {
  id: number;
  stream: string | undefined;
  /** The name and port that the client has asked for (Host header). */
  host: string | undefined;
  /** The other ends of its TCP connections, to media-service and to the STS. */
  client: TcpEnd | undefined;
  upstream?: TcpEnd;
  decoders: Record<Direction, Decoder>;
}

const ENGINE_BINARY: BinaryType = 'nodebuffer';
/** Headers that are not passed on; compressed answers could not be decoded here. */
const HOP_HEADERS = new Set([
  ...['connection', 'upgrade', 'host', 'sec-websocket-key', 'accept-encoding'],
]);
/** The longest message; a text of twice that does not fit into one string. */
const MOST_BYTES = 256 * 2 ** 20;

const handshakeSchema = z.object({ sid: z.string() });

/**
 * A transparent Socket.IO relay between media-service and STS that records a decoded copy.
 *
 * An STS answers the worker's own connection only, so that another client hears nothing: the relay has to be in
 * between. Messages are forwarded unchanged, also malformed ones. WebSocket and long polling are both relayed.
 */
export class Tap {
  readonly #server: Server;
  readonly #webSockets = new WebSocketServer({ noServer: true, maxPayload: MOST_BYTES });
  readonly #emitter = new EventEmitter<{ event: [TapEvent] }>();
  readonly #faults = new Map<string, StreamFaults>();
  readonly #polling = new Map<string, Connection>();
  readonly #sockets = new Set<Socket>();
  #connections = 0;

  private constructor(readonly upstream: URL) {
    this.#server = createServer((incoming, response) => {
      void this.#relayRequest(incoming, response);
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

  /** Calls `listener` for every further event; returns the function that ends it. */
  listen(listener: (event: TapEvent) => void): () => void {
    this.#emitter.on('event', listener);
    return () => this.#emitter.off('event', listener);
  }

  /** Sets the faults of a stream; before the stream is published. */
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
      socket.on('error', () => undefined);
      refuse('made unreachable by the scenario');
      return;
    }
    const url = this.#urlOf(incoming);
    url.protocol = this.upstream.protocol === 'https:' ? 'wss:' : 'ws:';
    const upstream = new WebSocket(url, {
      headers: forwardedHeaders(incoming, (name) => name.startsWith('sec-websocket-')),
      perMessageDeflate: false,
      maxPayload: MOST_BYTES,
    });
    let isJoined = false;
    // Until the two are joined nothing else handles errors of the client's socket: a broken one is no error of the suite.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!isJoined) upstream.terminate();
    });
    const early: [RawData, boolean][] = [];
    const keep = (data: RawData, isBinary: boolean): void => void early.push([data, isBinary]);
    upstream.on('message', keep);
    upstream.on('error', (error) => {
      if (!isJoined) refuse(socket.destroyed ? 'the client has gone' : messageOf(error));
    });
    upstream.once('upgrade', ({ socket: { remoteAddress, remotePort } }: IncomingMessage) => {
      Object.assign(connection, withEnd('upstream', remoteAddress, remotePort));
    });
    upstream.once('open', () => {
      this.#webSockets.handleUpgrade(incoming, socket, head, (client) => {
        isJoined = true;
        faults?.connected({
          send: (direction, text) => {
            const to = direction === 'from-sts' ? client : upstream;
            this.#pass(connection, direction, to, text, false);
          },
          cut: () => [client, upstream].forEach((side) => side.terminate()),
          record: (direction, what) => this.#record(connection, direction, 'fault', what),
        });
        const headers = {
          ...{ 'x-stream-id': connection.stream, 'x-worker-id': incoming.headers['x-worker-id'] },
        };
        this.#recordOpening(connection, { transport: 'websocket', headers });
        upstream.off('message', keep);
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
      // On a mute connection the end of the other side does not get through, either.
      if (this.#faults.get(connection.stream ?? '')?.isMute(direction)) return;
      // 1005 and 1006 stand for "no code" and "abnormal closure"; they may not be sent (RFC 6455, 7.4.1).
      if (code === 1005) to.close();
      else if (code === 1006) to.terminate();
      else to.close(code, reason);
    });
    from.on('error', (error) => {
      this.#record(connection, direction, 'undecodable', { reason: messageOf(error) });
      to.terminate();
    });
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
      // What media-service has sent is recorded as sent, even when it does not arrive.
      lose: (text) => {
        if (direction === 'to-sts') this.#decode(connection, direction, text, packetsOf(text));
      },
    });
  }

  /** Records a message and passes it on. */
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
    this.#decode(connection, direction, message, packetsOf(message));
    if (to.readyState === WebSocket.OPEN) to.send(data, { binary: isBinary });
  }

  /** Long polling, and every other HTTP request. */
  async #relayRequest(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const connection = this.#connectionOf(incoming);
    const refuse = (reason: string): void => {
      // A client that is gone needs no answer, and was not refused.
      if (response.destroyed) return;
      this.#record(connection, 'from-sts', 'refused', { sts: this.upstream.href, reason });
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    };
    if (this.#faults.has(connection.stream ?? '')) {
      refuse('the faults of this stream can be applied to a WebSocket only');
      return;
    }
    try {
      const isEngine = this.#urlOf(incoming).searchParams.has('EIO');
      const isPoll = isEngine && incoming.method === 'GET';
      const body = await bytesOf(incoming, MOST_BYTES);
      if (isEngine && body.length > 0) this.#decodePolled(connection, 'to-sts', body);
      const answer = await this.#ask(incoming, body, response);
      const { remoteAddress, remotePort } = answer.socket;
      Object.assign(connection, withEnd('upstream', remoteAddress, remotePort));
      const answered = await bytesOf(answer, MOST_BYTES);
      // Only a GET is answered with packets; a POST is answered by "ok".
      if (isPoll) this.#decodePolled(connection, 'from-sts', answered);
      response.writeHead(answer.statusCode ?? 502, answer.headers).end(answered);
    } catch (error) {
      refuse(messageOf(error));
    }
  }

  /** Passes a request on; it is given up when the client goes away. */
  #ask(
    incoming: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): Promise<IncomingMessage> {
    return new Promise((answered, failed) => {
      const outgoing = httpRequest(
        this.#urlOf(incoming),
        { method: incoming.method ?? 'GET', headers: forwardedHeaders(incoming, () => false) },
        answered,
      );
      outgoing.on('error', failed);
      response.once('close', () => outgoing.destroy());
      if (response.destroyed) outgoing.destroy();
      outgoing.end(body);
    });
  }

  #decodePolled(connection: Connection, direction: Direction, body: Buffer): void {
    const text = body.toString();
    const packets = decodePayload(text, ENGINE_BINARY);
    const open = packets.find((packet) => packet.type === 'open');
    if (open) {
      const handshake = handshakeSchema.safeParse(jsonOf(String(open.data)));
      if (handshake.success) {
        this.#polling.set(handshake.data.sid, connection);
        this.#recordOpening(connection, { transport: 'polling' });
      } else {
        const reason = 'a handshake without sid';
        this.#record(connection, direction, 'undecodable', { reason, message: text });
      }
    }
    this.#decode(connection, direction, text, packets);
  }

  /**
   * Records the Socket.IO events among some packets.
   *
   * @param message that the packets were read from, to record it when a packet is malformed
   */
  #decode(
    connection: Connection,
    direction: Direction,
    message: string | Buffer,
    packets: EnginePacket[],
  ): void {
    const decoder = connection.decoders[direction];
    const undecodable = (reason: string): void => {
      const seen: UndecodableMessage = { reason, message };
      this.#record(connection, direction, 'undecodable', seen);
    };
    for (const packet of packets) {
      if (packet.type === 'error') undecodable('not an Engine.IO packet');
      if (packet.type !== 'message') continue;
      const decoded: Packet[] = [];
      decoder.on('decoded', (one: Packet) => void decoded.push(one));
      try {
        decoder.add(packet.data);
      } catch (error) {
        // What an incomplete message leaves in the decoder must not spoil those that follow.
        decoder.destroy();
        undecodable(messageOf(error));
      } finally {
        decoder.off('decoded');
      }
      for (const { type, data } of decoded) {
        if (type !== PacketType.EVENT && type !== PacketType.BINARY_EVENT) continue;
        // The parser accepts an event without name and payload.
        if (data === undefined) {
          undecodable('an event without a name');
          continue;
        }
        const [event, payload] = data as [string | number, unknown];
        connection.stream ??= streamIdOf(payload);
        this.#record(connection, direction, 'event', payload, String(event));
      }
    }
  }

  /** The address of a request at the STS. Whatever was asked for, it leads to the STS. */
  #urlOf(incoming: IncomingMessage): URL {
    const [, path = '', query = ''] = /^([^?]*)(.*)$/s.exec(incoming.url ?? '') ?? [];
    const url = new URL(this.upstream);
    url.pathname = path;
    url.search = query;
    url.hash = '';
    return url;
  }

  #connectionOf(incoming: IncomingMessage): Connection {
    const sid = this.#urlOf(incoming).searchParams.get('sid');
    const known = sid === null ? undefined : this.#polling.get(sid);
    if (known) return known;
    const header = incoming.headers['x-stream-id'];
    this.#connections += 1;
    return {
      id: this.#connections,
      stream: typeof header === 'string' ? header : undefined,
      host: incoming.headers.host,
      client: undefined,
      ...withEnd('client', incoming.socket.remoteAddress, incoming.socket.remotePort),
      decoders: { 'to-sts': new Decoder(), 'from-sts': new Decoder() },
    };
  }

  #recordOpening(connection: Connection, further: object): void {
    const { host, client, upstream } = connection;
    const opened = { sts: this.upstream.href, host, client, upstream, ...further };
    this.#record(connection, 'to-sts', 'open', opened);
  }

  #record(
    { id, stream }: Connection,
    direction: Direction,
    kind: TapEvent['kind'],
    payload: unknown,
    event?: string,
  ): void {
    this.#emitter.emit('event', {
      at: now(),
      connection: id,
      stream,
      direction,
      kind,
      ...(event === undefined ? {} : { event }),
      payload,
    });
  }
}

/** An end of a TCP connection by its name; nothing where the connection is closed already. */
function withEnd(
  name: 'client' | 'upstream',
  address: string | undefined,
  port: number | undefined,
): { [end in typeof name]?: TcpEnd } {
  if (address === undefined || port === undefined) return {};
  // IPv4 in IPv6.
  return { [name]: { address: address.replace(/^::ffff:(?=\d+\.)/, ''), port } };
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
