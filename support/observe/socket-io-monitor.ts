import type { Socket } from 'socket.io-client';

import { now } from '../base/clock';
import { messageOf, NotObserved } from '../base/errors';
import { NotInTime } from '../base/eventually';
import type { TapEvent } from '../broadcast/events';
import { stsSocket } from './sts-socket';
import type { Tap } from './tap';

const HANDSHAKE_MS = 5000;

/** Receives the events of an STS: through the tap, or as one more client of the STS, with a stream of its own. */
export class SocketIOMonitor {
  /** Every event; without the payloads of fragments, which hold seconds of audio each, and of malformed messages. */
  readonly events: TapEvent[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #listeners = new Set<(event: TapEvent) => void>();
  #socket: Socket | undefined;
  #endListening: (() => void) | undefined;

  /** @param source the tap, or the address of the STS (http://…) for direct mode */
  constructor(private readonly source: Tap | string) {}

  /**
   * Starts listening; call it before anything is published.
   *
   * @throws NotObserved when the STS of direct mode does not complete the Socket.IO handshake within 5 s
   */
  async connect(): Promise<void> {
    const { source } = this;
    if (typeof source !== 'string') {
      this.#endListening = source.listen((event) => this.#add(event));
      return;
    }
    const socket = stsSocket(source, `test_listener_${Date.now()}`, HANDSHAKE_MS);
    this.#socket = socket;
    socket.onAny((event: string, payload: unknown) => {
      this.#add({
        ...{ at: now(), connection: 0, stream: undefined, direction: 'from-sts' },
        ...{ kind: 'event', event, payload },
      });
    });
    await new Promise<void>((connected, failed) => {
      socket.once('connect', connected).once('connect_error', failed);
    }).catch((error: unknown) => {
      socket.disconnect();
      throw new NotObserved({
        what: 'the STS cannot be listened to',
        where: source,
        seen: messageOf(error),
        expected: 'a Socket.IO handshake within 5 s',
        next: 'check whether services.sts.url of acceptance.yaml (STS_SERVICE_URL) is its address',
      });
    });
  }

  /**
   * Resolves with the first `count` events that fit, received since `connect`.
   *
   * @throws NotInTime with how many came instead
   */
  async waitForEvents(
    count: number,
    withinMs: number,
    fits: (event: TapEvent) => boolean = (event) => event.event === 'fragment:processed',
  ): Promise<TapEvent[]> {
    const fitting = (): TapEvent[] => this.events.filter(fits);
    await new Promise<void>((enough, failed) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        failed(new NotInTime(`${count} events`, withinMs, `${fitting().length} events`));
      }, withinMs);
      const check = (): void => {
        if (fitting().length < count) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        enough();
      };
      this.#waiting.add(check);
      check();
    });
    return fitting().slice(0, count);
  }

  /** Calls `listener` for every further event; returns the function that ends it. */
  onEvent(listener: (event: TapEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  disconnect(): void {
    this.#endListening?.();
    this.#socket?.disconnect();
  }

  #add(event: TapEvent): void {
    const isLong =
      event.event === 'fragment:data' ||
      event.event === 'fragment:processed' ||
      event.kind === 'undecodable';
    this.events.push(isLong ? { ...event, payload: undefined } : event);
    this.#listeners.forEach((listener) => listener(event));
    this.#waiting.forEach((check) => check());
  }
}
