import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

import { now } from '../base/clock';
import type { FaultDone } from '../broadcast/events';
import {
  concerns,
  isAnswerFault,
  type AnswerFault,
  type Direction,
  type FaultPlan,
  type Moment,
  type ConnectionFault,
  type Fault,
} from '../broadcast/fault';
import { type Altered, alteredAnswer } from './altered-answer';
import { EVENT, fieldIn } from './event-text';

/** What a fault can do to a connection. */
export interface Connected {
  /** Whether both its ends are still there. */
  isOpen(): boolean;
  /** Sends a message in the name of the other side. */
  send(direction: Direction, text: string): void;
  /** Cuts both ends of the connection. */
  cut(): void;
  /** Records what was done. */
  record(direction: Direction, done: FaultDone): void;
}

/** What can become of a message: it is passed on, or lost. */
export interface Ends {
  pass(message: Message): void;
  lose(message: Message): void;
}

/** Of a WebSocket: text, or an attachment. */
type Message = string | Buffer;

const FRAGMENT = '["fragment:data"';
const ANSWER = '["fragment:processed"';
const READY = '["stream:ready"';
/** Longer than any event name: not all of a message is searched for it. */
const NAME_LENGTH = 40;

/** Applies the faults of one stream's plan; it lasts over all connections of the stream. */
export class StreamFaults {
  readonly #random;
  /** By their ids; when each was sent last is in milliseconds since the epoch. */
  readonly #fragments = new Map<string, { number: number; sentAt: number }>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #connected: Connected | undefined;
  /** What media-service calls the stream, where it has said that. */
  #called: string | undefined;
  /** Until when connections are refused; milliseconds since the epoch. */
  #refusingUntil = 0;
  /** Faults that hold from the start, until they are done: with the first connection. */
  #fromStart: ConnectionFault[];
  #mute: { direction: Direction; fault: Fault } | undefined;
  #wasReady = false;
  #canBeDone = true;
  /** The last message from the STS that waits for a dub before it to be encoded; undefined where none waits. */
  #waiting: Promise<void> | undefined;

  constructor(
    private readonly stream: string,
    private readonly plan: FaultPlan,
  ) {
    this.#random = xoroshiro128plus(plan.seed);
    this.#fromStart = this.#at({ when: 'start', afterSeconds: 0 });
    for (const fault of this.#fromStart) {
      if (fault.does === 'disconnect') this.#refuse(fault.refuseSeconds);
    }
  }

  /** Whether a new connection is refused. */
  isRefusing(record: Connected['record']): boolean {
    if (now() >= this.#refusingUntil) return false;
    this.#fromStart
      .filter(({ does }) => does === 'disconnect')
      .forEach((fault) => record('from-sts', { fault }));
    this.#fromStart = this.#fromStart.filter(({ does }) => does !== 'disconnect');
    return true;
  }

  /** Whether the newest connection is mute in that direction, so that not even its end gets through. */
  isMute(direction: Direction): boolean {
    return this.#mute?.direction === direction;
  }

  /** A new connection is known to be the stream's. */
  connected(connection: Connected): void {
    this.#connected = connection;
    this.#mute = undefined;
    this.#waiting = undefined;
    for (const fault of this.#fromStart.splice(0)) {
      if (fault.does === 'mute') this.#do(fault);
      else connection.record('from-sts', { fault, notDone: 'it needs a stream that is accepted' });
    }
  }

  /** Says once of every fault that it cannot be done. */
  cannotBeDone(record: Connected['record'], notDone: string): void {
    if (!this.#canBeDone) return;
    this.#canBeDone = false;
    this.plan.faults.forEach((fault) => record('from-sts', { fault, notDone }));
  }

  /** Decides what becomes of a message. */
  relay(direction: Direction, message: Message, ends: Ends): void {
    const text = typeof message === 'string' ? message : '';
    if (this.#mute && this.isMute(direction)) {
      this.#connected?.record(direction, { fault: this.#mute.fault, detail: text.slice(0, 40) });
      ends.lose(message);
      return;
    }
    const prefix = EVENT.exec(text)?.[0];
    const name = prefix === undefined ? '' : text.slice(prefix.length, prefix.length + NAME_LENGTH);
    if (direction === 'to-sts') {
      if (prefix !== undefined) this.#called ??= fieldIn(text, 'stream_id');
      ends.pass(message);
      if (name.startsWith(FRAGMENT)) this.#sent(fieldIn(text, 'fragment_id') ?? '');
    } else if (prefix !== undefined && name.startsWith(ANSWER)) {
      this.#answer(prefix, text, ends);
    } else {
      this.#inOrder(() => {
        ends.pass(message);
        if (!name.startsWith(READY) || this.#wasReady) return;
        this.#wasReady = true;
        this.#reach('ready');
      });
    }
  }

  /** From now on no fault is applied. */
  end(): void {
    this.#timers.forEach((timer) => clearTimeout(timer));
  }

  #sent(id: string): void {
    const known = this.#fragments.get(id);
    const number = known?.number ?? this.#fragments.size;
    this.#fragments.set(id, { number, sentAt: now() });
    // Sent again, it is the same fragment: its moment is over.
    if (!known) this.#reach('sent', number);
  }

  #answer(prefix: string, text: string, ends: Ends): void {
    const id = fieldIn(text, 'fragment_id') ?? '';
    const { number, sentAt = 0 } = this.#fragments.get(id) ?? {};
    const faults = this.plan.faults
      .filter(isAnswerFault)
      .filter((fault) => number !== undefined && concerns(fault, number));
    if (faults.some(({ does }) => does === 'drop')) {
      faults.forEach((fault) => {
        this.#connected?.record('from-sts', { fault, fragment: id });
      });
      ends.lose(text);
      return;
    }
    const delayMs = faults.reduce((sum, fault) => sum + this.#delayOf(fault, sentAt), 0);
    const connection = this.#connected;
    const pass = ({ text: changed, done }: Altered): void => {
      // The connection that the answer belongs to may be gone by now.
      if (connection !== this.#connected) return;
      done.forEach((one) => connection?.record('from-sts', { ...one, fragment: id }));
      // Held back until nobody takes it any more: it does not arrive.
      if (delayMs > 0 && !connection?.isOpen()) return;
      ends.pass(changed);
      this.#reach('answered', number);
    };
    // While it is held back, not after that: encoding a dub takes none of the time that media-service gives an answer.
    const altered = alteredAnswer(prefix, text, faults, delayMs);
    this.#later(delayMs, () => {
      this.#inOrder(() => (altered instanceof Promise ? altered.then(pass) : pass(altered)));
    });
  }

  /** At once, or after what came before on this connection and still waits: nothing overtakes it. */
  #inOrder(act: () => void | Promise<void>): void {
    const acted = this.#waiting ? this.#waiting.then(act) : act();
    if (!(acted instanceof Promise)) return;
    const waiting: Promise<void> = acted.finally(() => {
      if (this.#waiting === waiting) this.#waiting = undefined;
    });
    this.#waiting = waiting;
  }

  /** For how many ms the answer to a fragment that was sent is held back. */
  #delayOf(fault: AnswerFault, sentAt: number): number {
    if (fault.does === 'delay') return uniformInt(this.#random, fault.fromMs, fault.toMs);
    if (fault.does === 'take') return Math.max(0, sentAt + fault.ms - now());
    return 0;
  }

  #reach(when: Moment['when'], fragment?: number): void {
    for (const fault of this.#at({
      when,
      afterSeconds: 0,
      ...(fragment === undefined ? {} : { fragment }),
    })) {
      this.#later(fault.at.afterSeconds * 1000, () => this.#do(fault));
    }
  }

  #at(moment: Moment): ConnectionFault[] {
    return this.plan.faults.filter(
      (fault): fault is ConnectionFault =>
        !isAnswerFault(fault) &&
        fault.at.when === moment.when &&
        fault.at.fragment === moment.fragment,
    );
  }

  #do(fault: ConnectionFault): void {
    const connection = this.#connected;
    if (!connection?.isOpen()) {
      connection?.record('from-sts', { fault, notDone: 'the connection had ended by then' });
      return;
    }
    connection.record('from-sts', { fault });
    switch (fault.does) {
      case 'backpressure':
        connection.send(
          'from-sts',
          `42${JSON.stringify(['backpressure', this.#backpressure(fault.action, fault.delayMs)])}`,
        );
        break;
      case 'disconnect':
        this.#refuse(fault.refuseSeconds);
        connection.cut();
        break;
      case 'mute':
        this.#mute = { direction: fault.direction, fault };
        break;
    }
  }

  #backpressure(action: string, delayMs: number): Record<string, unknown> {
    const severity = { pause: 'high', slow_down: 'medium', none: 'low' }[action];
    const counts = { current_inflight: 0, queue_depth: 0 };
    return {
      ...{
        stream_id: this.#called ?? this.stream,
        severity,
        action,
        recommended_delay_ms: delayMs,
      },
      ...counts,
    };
  }

  #refuse(seconds: number | null): void {
    this.#refusingUntil = now() + (seconds ?? Infinity) * 1000;
  }

  /** At once when there is no delay, so that messages keep their order. */
  #later(ms: number, act: () => void): void {
    if (ms === 0) {
      act();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }
}
