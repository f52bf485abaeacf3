import { once } from 'node:events';
import {
  type AddressInfo,
  connect as connectTcp,
  createServer,
  type Server,
  type Socket,
} from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

import { now } from '../base/clock';
import { messageOf } from '../base/errors';
import { HeldBack } from './held-back';
import { PACKET, PacketTimes } from './packet-times';

/** Where an ffmpeg finds something, and what is done when it has ended. */
export interface Doorway {
  url: string;
  close: () => void;
  /** Settles when what ffmpeg has sent before it ended has got through. */
  passed?: () => Promise<void>;
  /** What it cannot know of why there was no connection. */
  problem?: () => string | undefined;
}

/** An RTSP server, and what it lets the suite in with. */
export interface RtspServer {
  /** rtsp://… or rtsps://…, without path. */
  url: string;
  user?: string;
  password?: string;
}

/** How often a path that is not there yet is asked for; what passes in between is lost to a reader. */
const AGAIN_MS = 50;
/** Of the head of a message. */
const MOST_BYTES = 2 ** 16;
/** How long packets are held back for the reports of the server: it sends them every 5 s or so (RFC 3550, 6.2), MediaMTX every 10 s. */
const REPORTS_WITHIN_MS = 15_000;

interface RelayOptions {
  /** Whether it keeps a reader waiting: until `release`, and from then on until the path is there. */
  waits?: boolean;
  /** Whether it keeps the packets of a publisher back until `begin`. */
  holds?: boolean;
}

/**
 * Stands between one ffmpeg and an RTSP server, and does what ffmpeg cannot: it logs in without a password on a command line,
 * which everybody on the machine can read; it trusts the authorities that Node.js trusts (NODE_EXTRA_CA_CERTS); it has a reader
 * wait for a path that is not there yet, so that the reader loses as little of its beginning as can be, and gets the times of all
 * tracks with the first packet; and it has the content of a publisher wait until somebody reads it.
 */
export class RtspRelay {
  /** When the path was last known not to be there, and when the first packet came; milliseconds since the epoch. */
  notReadyAt: number | undefined;
  firstPacketAt: number | undefined;
  /** Why the server could not be reached; undefined where it could. */
  problem: string | undefined;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();
  readonly #times = new PacketTimes();
  #isWaiting: boolean;
  #isClosed = false;
  #describe: Buffer | undefined;
  #client: Socket | undefined;
  #upstream: Socket | undefined;
  /** From RECORD on, all that a publisher sends; undefined where nothing is kept back. */
  readonly #content: HeldBack<Buffer> | undefined;
  #isRecording = false;
  readonly #passed: Promise<void>;
  #hasPassed = (): void => undefined;
  private readonly waits: boolean;

  private constructor(
    private readonly server: RtspServer,
    { waits = false, holds = false }: RelayOptions,
  ) {
    this.waits = this.#isWaiting = waits;
    this.#content = holds ? new HeldBack((part) => this.#ask(part)) : undefined;
    this.#passed = new Promise((done) => (this.#hasPassed = done));
    this.#listener = createServer((client) => {
      // For one client: nobody else gets in without a password.
      this.#listener.close();
      this.#serve(client);
    });
  }

  /** Listens on a free port of this host for one client. */
  static async start(server: RtspServer, options: RelayOptions = {}): Promise<RtspRelay> {
    const relay = new RtspRelay(server, options);
    relay.#listener.listen(0, '127.0.0.1');
    await once(relay.#listener, 'listening');
    return relay;
  }

  /** rtsp://…, without path; in the clear. */
  get url(): string {
    return `rtsp://127.0.0.1:${(this.#listener.address() as AddressInfo).port}`;
  }

  /** Whether the server has said how the times of the tracks belong together; before the first packet it has not. */
  get areTimesKnown(): boolean {
    return this.firstPacketAt !== undefined && this.#times.areKnown;
  }

  /** From now on the path may be there at any time. */
  release(): void {
    if (!this.#isWaiting) return;
    this.#isWaiting = false;
    this.notReadyAt = now();
    if (this.#describe) this.#ask(this.#describe);
  }

  /** Lets the content of a publisher begin, where that is kept back. */
  begin(): void {
    this.#content?.begin();
  }

  /** Drops what a publisher has sent and is still kept back, and whatever it sends. */
  drop(): void {
    this.#content?.drop();
  }

  /** When the content of a publisher began, where it was kept back; milliseconds since the epoch. */
  get begunAt(): number | undefined {
    return this.#content?.begunAt;
  }

  /** Settles when its client is gone, and what that has sent is with the server, or cannot be. */
  passed(): Promise<void> {
    return this.#passed;
  }

  /** Ends the reader, when it has read what has come. */
  finish(): void {
    this.#pass(this.#times.release());
    this.#client?.end();
  }

  close(): void {
    this.#isClosed = true;
    this.#listener.close();
    this.#content?.drop();
    this.#sockets.forEach((socket) => socket.destroy());
    this.#hasPassed();
  }

  /** Ends what it has with the server when that has all of what its client has sent. */
  async #closeAfter(): Promise<void> {
    await this.#content?.emptied();
    const upstream = this.#upstream;
    if (this.#content && upstream && !upstream.destroyed) {
      await new Promise<void>((done) => upstream.once('close', () => done()).end(done));
    }
    this.close();
  }

  #serve(client: Socket): void {
    this.#client = this.#kept(client);
    client.on('close', () => void this.#closeAfter());
    const requests = new Parts();
    client.on('data', (data: Buffer) => {
      for (const part of requests.add(data)) this.#request(part);
    });
  }

  #request(part: Buffer): void {
    if (
      this.waits &&
      this.firstPacketAt === undefined &&
      part.toString('latin1', 0, 9) === 'DESCRIBE '
    ) {
      this.#describe = part;
      if (this.#isWaiting) return;
    }
    if (this.#content && this.#isRecording) {
      this.#content.add(part);
      return;
    }
    this.#isRecording = part.toString('latin1', 0, 7) === 'RECORD ';
    this.#ask(part);
  }

  /** Sends a request, or a packet, on; connects first where there is no connection. */
  #ask(part: Buffer): void {
    this.#upstream ??= this.#connect();
    this.#upstream.write(part[0] === PACKET ? part : this.#withLogin(part));
  }

  #connect(): Socket {
    const { hostname, port, protocol } = new URL(this.server.url);
    const upstream =
      protocol === 'rtsps:'
        ? connectTls({ host: hostname, port: Number(port || 322), servername: hostname })
        : connectTcp({ host: hostname, port: Number(port || 554) });
    const answers = new Parts();
    upstream.on('data', (data: Buffer) => {
      for (const part of answers.add(data)) {
        if (upstream === this.#upstream) this.#answer(part);
      }
    });
    upstream.on('error', (error) => (this.problem = messageOf(error)));
    upstream.on('close', () => {
      if (upstream !== this.#upstream) return;
      this.#content?.drop();
      this.finish();
    });
    return this.#kept(upstream);
  }

  #answer(part: Buffer): void {
    if (part[0] === PACKET) {
      this.#packet(part);
      return;
    }
    this.#times.answered(part);
    if (this.#describe && /^RTSP\/1\.0 404/.test(part.toString('latin1', 0, 12))) {
      void this.#again(this.#describe);
      return;
    } else if (this.#describe && part.includes('application/sdp')) this.#describe = undefined;
    this.#client?.write(part);
  }

  #packet(packet: Buffer): void {
    const isFirst = this.firstPacketAt === undefined;
    this.firstPacketAt ??= now();
    if (!this.waits) {
      this.#client?.write(packet);
      return;
    }
    if (isFirst) setTimeout(() => this.#pass(this.#times.release()), REPORTS_WITHIN_MS).unref();
    this.#pass(this.#times.add(packet));
  }

  #pass(packets: readonly Buffer[]): void {
    for (const packet of packets) this.#client?.write(packet);
  }

  /** Some servers close the connection with that answer. */
  async #again(describe: Buffer): Promise<void> {
    this.#upstream?.destroy();
    this.#upstream = undefined;
    await delay(AGAIN_MS);
    if (this.#isClosed) return;
    this.notReadyAt = now();
    this.#ask(describe);
  }

  #withLogin(request: Buffer): Buffer {
    const { user, password = '' } = this.server;
    if (user === undefined) return request;
    const login = Buffer.from(`${user}:${password}`).toString('base64');
    const end = request.indexOf('\r\n') + 2;
    const header = Buffer.from(`Authorization: Basic ${login}\r\n`);
    return Buffer.concat([request.subarray(0, end), header, request.subarray(end)]);
  }

  #kept(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

/** The path of a server: at the server itself, or through a relay where it needs a password or TLS. */
export async function rtspDoorway(server: RtspServer, path: string): Promise<Doorway> {
  const isOpen = server.user === undefined && server.url.startsWith('rtsp://');
  if (isOpen) return { url: `${server.url}/${path}`, close: () => undefined };
  return doorwayOf(await RtspRelay.start(server), path);
}

/** The path of a server, through a relay. */
export function doorwayOf(relay: RtspRelay, path: string): Doorway {
  return {
    url: `${relay.url}/${path}`,
    close: () => relay.close(),
    passed: () => relay.passed(),
    problem: () => relay.problem,
  };
}

/** What comes over a connection, as whole messages and packets. */
class Parts {
  #rest: Buffer = Buffer.alloc(0);

  /** The parts that are complete with this. */
  add(data: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, data]);
    const parts: Buffer[] = [];
    for (;;) {
      const length = lengthOfFirst(this.#rest);
      if (length === undefined || length > this.#rest.length) return parts;
      parts.push(this.#rest.subarray(0, length));
      this.#rest = this.#rest.subarray(length);
    }
  }
}

/** In bytes; undefined where its head is not complete. What is no RTSP is passed on as it came. */
function lengthOfFirst(bytes: Buffer): number | undefined {
  if (bytes[0] === PACKET) return bytes.length < 4 ? undefined : 4 + bytes.readUInt16BE(2);
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return bytes.length > MOST_BYTES ? bytes.length : undefined;
  const head = bytes.toString('latin1', 0, end);
  return end + 4 + Number(/^content-length:\s*(\d+)/im.exec(head)?.[1] ?? 0);
}
