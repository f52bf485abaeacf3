import { EventEmitter, once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
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
import type { Refusal, TapEvent, TcpEnd, UndecodableMessage } from '../broadcast/events';
import type { Direction, FaultPlan } from '../broadcast/fault';
import { EVENT, fieldIn } from './event-text';
import { forwardedHeaders } from './forwarded-headers';
import type { Connected } from './stream-faults';
import { TapStreams } from './tap-streams';

interface Connection {
  id: number;
  stream: string | undefined;
  /** When the first bytes came of the message that comes from media-service, or is being recorded; at first, when it was asked for. */
  begunAt?: number;
  /** What was seen before it was known of which stream it is. */
  held: Omit<TapEvent, 'stream'>[];
  /** What faults can do to it; not before both its ends are there, and never to long polling. */
  joined?: Connected;
  /** Says that the stream has lost it. */
  ended?: () => void;
  /** It was cut because its stream is refused, which was known too late not to open it. */
  isRefused?: true;
  /** The name and port that the client has asked for (Host header). */
  host: string | undefined;
  /** The other ends of its TCP connections, to media-service and to the STS. */
  client: TcpEnd | undefined;
  upstream?: TcpEnd;
  /** The version of Engine.IO that the client asks for; undefined where it asks for none. */
  engine: string | undefined;
  decoders: Record<Direction, Decoder>;
}

const ENGINE_BINARY: BinaryType = 'nodebuffer';
/** Of a refusal's body. */
const MOST_REFUSAL_BYTES = 2 ** 16;
const SHOWN_CHARACTERS = 300;
/** Not of an answer whose body has been read to its end. */
const LENGTH_HEADERS = new Set(['connection', 'keep-alive', 'content-length', 'transfer-encoding']);
/** The longest message; a text of twice that does not fit into one string. */
const MOST_BYTES = 256 * 2 ** 20;

const MADE_UNREACHABLE = 'made unreachable by the scenario';
const POLLING_REFUSED = 'the faults of this stream can be applied to a WebSocket only';

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
  readonly #streams = new TapStreams();
  /** The newest connection of each stream. */
  readonly #newest = new Map<string, Connected>();
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

  /** Starts a relay to the STS at `upstreamUrl` (http://…), on a port of `host`; a free one where none is given. */
  static async start(upstreamUrl: string, host = '127.0.0.1', port = 0): Promise<Tap> {
    const tap = new Tap(new URL(upstreamUrl));
    tap.#server.listen(port, host);
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

  /** Announces a stream and what goes wrong for it, if anything; before the stream is published. */
  setPlan(stream: string, plan: FaultPlan): void {
    this.#streams.plan(stream, plan);
  }

  /** Says something to the STS on the connection of a stream, as media-service would; false where there is none. */
  tell(stream: string, event: string, payload: object): boolean {
    const connected = this.#newest.get(stream);
    if (!connected?.isOpen()) return false;
    connected.send('to-sts', `42${JSON.stringify([event, payload])}`);
    return true;
  }

  /** The stream is over: a connection that does not say which stream it is of is not taken to be of this one. */
  endPlan(stream: string): void {
    this.#streams.over(stream);
  }

  async close(): Promise<void> {
    this.#streams.end();
    this.#webSockets.clients.forEach((client) => client.terminate());
    this.#sockets.forEach((socket) => socket.destroy());
    this.#server.close();
    await once(this.#server, 'close');
  }

  #relayUpgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const connection = this.#connectionOf(incoming);
    connection.begunAt = now();
    // Until the two are joined nothing else handles errors of the client's socket: a broken one is no error of the suite.
    socket.on('error', () => undefined);
    const refuse = (by: Refusal['by'], reason: string): void => {
      this.#refused(connection, by, reason);
      socket.end('HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    };
    const stream = connection.stream ?? this.#streams.onlyWaiting;
    if (this.#streams.faultsOf(stream)?.isRefusing(this.#recorderOf(connection))) {
      refuse('scenario', MADE_UNREACHABLE);
      return;
    }
    const upstream = this.#openUpstream(incoming);
    let isSettled = false;
    socket.on('close', () => {
      if (!isSettled) upstream.terminate();
    });
    const early: [RawData, boolean][] = [];
    const keep = (data: RawData, isBinary: boolean): void => void early.push([data, isBinary]);
    upstream.on('message', keep);
    upstream.on('error', (error) => {
      if (!isSettled) refuse('nobody', socket.destroyed ? 'the client has gone' : messageOf(error));
      isSettled = true;
    });
    upstream.once('unexpected-response', (asked, answer) => {
      isSettled = true;
      void this.#relayRefusal(connection, socket, answer)
        .catch((error: unknown) => refuse('nobody', messageOf(error)))
        .finally(() => asked.destroy());
    });
    upstream.once('upgrade', ({ socket: { remoteAddress, remotePort } }: IncomingMessage) => {
      Object.assign(connection, withEnd('upstream', remoteAddress, remotePort));
    });
    upstream.once('open', () => {
      this.#webSockets.handleUpgrade(incoming, socket, head, (client) => {
        isSettled = true;
        // Before the WebSocket reads them.
        socket.prependListener('data', () => (connection.begunAt ??= now()));
        this.#joined(connection, client, upstream);
        const headers = {
          'x-stream-id': incoming.headers['x-stream-id'],
          'x-worker-id': incoming.headers['x-worker-id'],
        };
        this.#recordOpening(connection, { transport: 'websocket', headers });
        delete connection.begunAt;
        upstream.off('message', keep);
        early.forEach(([data, isBinary]) => {
          this.#relayMessage(connection, 'from-sts', client, data, isBinary);
        });
        this.#join(connection, 'from-sts', upstream, client);
        this.#join(connection, 'to-sts', client, upstream);
      });
    });
  }

  #openUpstream(incoming: IncomingMessage): WebSocket {
    const url = this.#urlOf(incoming);
    url.protocol = this.upstream.protocol === 'https:' ? 'wss:' : 'ws:';
    const isOfClient = (name: string): boolean => name.startsWith('sec-websocket-');
    return new WebSocket(url, {
      headers: forwardedHeaders(incoming, this.upstream, isOfClient),
      perMessageDeflate: false,
      maxPayload: MOST_BYTES,
    });
  }

  /** Passes on why the STS does not take the connection, in its own words. */
  async #relayRefusal(
    connection: Connection,
    socket: Duplex,
    answer: IncomingMessage,
  ): Promise<void> {
    const body = await bytesOf(answer, MOST_REFUSAL_BYTES);
    this.#refused(connection, 'STS', refusalOf(answer, body));
    const { statusCode = 502, statusMessage = '' } = answer;
    const headers = Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
      LENGTH_HEADERS.has(name) ? [] : values.map((value) => `${name}: ${value}`),
    );
    const head = [
      ...[`HTTP/1.1 ${statusCode} ${statusMessage}`, ...headers],
      ...['connection: close', `content-length: ${body.length}`],
    ];
    socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]));
  }

  #refused(connection: Connection, by: Refusal['by'], reason: string): void {
    const refusal: Refusal = { sts: this.upstream.href, by, reason };
    this.#record(connection, 'from-sts', 'refused', refusal);
  }

  #recorderOf(connection: Connection): Connected['record'] {
    return (direction, what) => this.#record(connection, direction, 'fault', what);
  }

  /** Both ends are there: the faults of its stream can be done to the connection. */
  #joined(connection: Connection, client: WebSocket, upstream: WebSocket): void {
    connection.joined = {
      isOpen: () => [client, upstream].every(({ readyState }) => readyState === WebSocket.OPEN),
      send: (direction, text) => {
        this.#pass(connection, direction, direction === 'from-sts' ? client : upstream, text);
      },
      cut: () => [client, upstream].forEach((side) => side.terminate()),
      record: this.#recorderOf(connection),
    };
    if (connection.stream !== undefined) this.#belongs(connection, connection.stream);
  }

  #belongs(connection: Connection, stream: string): void {
    connection.ended ??= this.#streams.opened(stream);
    if (!connection.joined) return;
    this.#newest.set(stream, connection.joined);
    this.#streams.faultsOf(stream)?.connected(connection.joined);
  }

  /**
   * Finds out of which stream a connection is whose headers do not say it, or by a name that nobody knows: by the stream_id of its first event, else by being
   * the only one that is waited for. What the STS says decides it only where it names a stream that is known.
   */
  #identify(connection: Connection, direction: Direction, said: string | undefined): void {
    const { joined } = connection;
    if (connection.stream !== undefined) return;
    const other = direction === 'to-sts' ? (this.#streams.onlyWaiting ?? said) : undefined;
    const stream = this.#streams.knownBy(said) ?? other;
    if (stream === undefined) return;
    connection.stream = stream;
    const seen = connection.held.splice(0);
    if (joined && this.#streams.faultsOf(stream)?.isRefusing(this.#recorderOf(connection))) {
      connection.isRefused = true;
      this.#refused(connection, 'scenario', MADE_UNREACHABLE);
      joined.cut();
      return;
    }
    connection.held.push(...seen);
    this.#belongs(connection, stream);
  }

  #join(connection: Connection, direction: Direction, from: WebSocket, to: WebSocket): void {
    // Whatever comes next begins then.
    const isOver = (): void => {
      if (direction === 'to-sts') delete connection.begunAt;
    };
    from.on('message', (data, isBinary) => {
      this.#relayMessage(connection, direction, to, data, isBinary);
      isOver();
    });
    from.on('ping', isOver).on('pong', isOver);
    from.on('close', (code, reason) => {
      connection.ended?.();
      delete connection.ended;
      if (connection.isRefused) return;
      this.#record(connection, direction, 'close', { code, reason: reason.toString() });
      // On a mute connection the end of the other side does not get through, either.
      if (this.#streams.faultsOf(connection.stream)?.isMute(direction)) return;
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
    const message = isBinary ? (data as Buffer) : (data as Buffer).toString();
    if (typeof message === 'string' && connection.stream === undefined && EVENT.test(message)) {
      this.#identify(connection, direction, fieldIn(message, 'stream_id'));
    }
    if (connection.isRefused) return;
    const faults = this.#streams.faultsOf(connection.stream);
    if (!faults) {
      this.#pass(connection, direction, to, message);
      return;
    }
    faults.relay(direction, message, {
      pass: (one) => this.#pass(connection, direction, to, one),
      // What media-service has sent is recorded as sent, even when it does not arrive.
      lose: (one) => {
        if (direction === 'to-sts') this.#decode(connection, direction, one, packetsOf(one));
      },
    });
  }

  /** Records a message and passes it on. */
  #pass(
    connection: Connection,
    direction: Direction,
    to: WebSocket,
    message: string | Buffer,
  ): void {
    this.#decode(connection, direction, message, packetsOf(message));
    if (to.readyState === WebSocket.OPEN) to.send(message);
  }

  /** Long polling, and every other HTTP request. */
  async #relayRequest(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const connection = this.#connectionOf(incoming);
    const refuse = (by: Refusal['by'], reason: string): void => {
      // A client that is gone needs no answer, and was not refused.
      if (response.destroyed) return;
      this.#refused(connection, by, reason);
      if (response.headersSent) response.destroy();
      else response.writeHead(502).end();
    };
    try {
      const { searchParams } = this.#urlOf(incoming);
      const isEngine = searchParams.has('EIO');
      const isPoll = isEngine && incoming.method === 'GET';
      const body = await bytesOf(incoming, MOST_BYTES);
      if (isEngine && body.length > 0) this.#decodePolled(connection, 'to-sts', body);
      if (isEngine && this.#hasFaults(connection)) {
        refuse('nobody', POLLING_REFUSED);
        return;
      }
      const answer = await this.#ask(incoming, body, response);
      const { remoteAddress, remotePort } = answer.socket;
      Object.assign(connection, withEnd('upstream', remoteAddress, remotePort));
      const answered = await bytesOf(answer, MOST_BYTES);
      const { statusCode = 502 } = answer;
      if (isPoll && statusCode >= 400 && !searchParams.has('sid')) {
        this.#refused(connection, 'STS', refusalOf(answer, answered));
      } else if (isPoll) {
        // Only a GET is answered with packets; a POST is answered by "ok".
        this.#decodePolled(connection, 'from-sts', answered);
      }
      response.writeHead(statusCode, answer.headers).end(answered);
    } catch (error) {
      refuse('nobody', messageOf(error));
    }
  }

  /** Whether something goes wrong for the stream of a polled connection: that can be done to a WebSocket only. */
  #hasFaults(connection: Connection): boolean {
    const faults = this.#streams.faultsOf(connection.stream ?? this.#streams.onlyWaiting);
    faults?.cannotBeDone(this.#recorderOf(connection), POLLING_REFUSED);
    return faults !== undefined;
  }

  /** Passes a request on; it is given up when the client goes away. */
  #ask(
    incoming: IncomingMessage,
    body: Buffer,
    response: ServerResponse,
  ): Promise<IncomingMessage> {
    return new Promise((answered, failed) => {
      const send = this.upstream.protocol === 'https:' ? httpsRequest : httpRequest;
      const outgoing = send(
        this.#urlOf(incoming),
        { method: incoming.method ?? 'GET', headers: forwardedHeaders(incoming, this.upstream) },
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
    if (connection.engine === '3') {
      const reason = 'a payload of Engine.IO 3';
      this.#identify(connection, 'to-sts', undefined);
      this.#record(connection, direction, 'undecodable', {
        reason,
        message: text,
        protocol: 'eio3',
      });
      return;
    }
    const packets = decodePayload(text, ENGINE_BINARY);
    const open = packets.find((packet) => packet.type === 'open');
    if (open) {
      const handshake = handshakeSchema.safeParse(jsonOf(String(open.data)));
      if (handshake.success) {
        this.#polling.set(handshake.data.sid, connection);
        if (connection.stream !== undefined) this.#belongs(connection, connection.stream);
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
      const protocol = isMessagePack(message) ? ({ protocol: 'msgpack' } as const) : {};
      const seen: UndecodableMessage = { reason, message, ...protocol };
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
        this.#identify(connection, direction, streamIdOf(payload));
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
    this.#connections += 1;
    return {
      id: this.#connections,
      stream: this.#streamBy(incoming.headers['x-stream-id']),
      held: [],
      host: incoming.headers.host,
      engine: this.#urlOf(incoming).searchParams.get('EIO') ?? undefined,
      client: undefined,
      ...withEnd('client', incoming.socket.remoteAddress, incoming.socket.remotePort),
      decoders: { 'to-sts': new Decoder(), 'from-sts': new Decoder() },
    };
  }

  /** A name that is none of a stream that was announced says nothing while one is waited for: the first event may say it. */
  #streamBy(header: string | string[] | undefined): string | undefined {
    if (typeof header !== 'string') return undefined;
    return this.#streams.knownBy(header) ?? (this.#streams.isAnyWaiting ? undefined : header);
  }

  #recordOpening(connection: Connection, further: object): void {
    const { host, client, upstream } = connection;
    const opened = { sts: this.upstream.href, host, client, upstream, ...further };
    this.#record(connection, 'to-sts', 'open', opened);
  }

  /** What is seen before the stream is known is recorded when it is, or when it is clear that it will not be. */
  #record(
    connection: Connection,
    direction: Direction,
    kind: TapEvent['kind'],
    payload: unknown,
    event?: string,
  ): void {
    const { held, id, begunAt } = connection;
    const named = event === undefined ? {} : { event };
    const begun = begunAt === undefined || direction !== 'to-sts' ? {} : { begunAt };
    held.push({ at: now(), ...begun, connection: id, direction, kind, ...named, payload });
    const isEnd = kind === 'refused' || kind === 'close';
    if (isEnd) connection.stream ??= this.#streams.onlyWaiting;
    const { stream } = connection;
    if (stream === undefined && !isEnd && (kind !== 'event' || direction !== 'to-sts')) return;
    held.splice(0).forEach((one) => this.#emitter.emit('event', { ...one, stream }));
  }
}

/** In the words of the STS. */
function refusalOf({ statusCode = 0 }: IncomingMessage, body: Buffer): string {
  const said = body.toString().trim().slice(0, SHOWN_CHARACTERS);
  return `HTTP ${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trim() + (said && `: ${said}`);
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

/** Whether it begins as a map of up to 15 pairs: a Socket.IO packet in MessagePack, {type, data, nsp}. */
function isMessagePack(message: string | Buffer): boolean {
  const [first = 0] = typeof message === 'string' ? [] : message;
  return first >= 0x81 && first <= 0x8f;
}

function packetsOf(message: string | Buffer): EnginePacket[] {
  return [decodePacket(message, ENGINE_BINARY)];
}

function streamIdOf(payload: unknown): string | undefined {
  if (payload === null || typeof payload !== 'object' || !('stream_id' in payload))
    return undefined;
  return typeof payload.stream_id === 'string' ? payload.stream_id : undefined;
}
