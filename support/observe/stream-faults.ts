import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

import { now } from '../base/clock';
import { RETRYABLE_CODES } from '../contract/events';
import { messageOf } from '../base/errors';
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

/** What a fault can do to a connection. */
export interface Connected {
  /** Sends a message in the name of the other side. */
  send(direction: Direction, text: string): void;
  /** Cuts both ends of the connection. */
  cut(): void;
  /** Records what was done. */
  record(direction: Direction, done: FaultDone): void;
}

/** What can become of a message: it is passed on, or lost. */
export interface Ends {
  pass(text: string): void;
  lose(text: string): void;
}

interface FragmentAnswer {
  fragment_id?: string;
  dubbed_audio?: unknown;
  [key: string]: unknown;
}

/** A Socket.IO event without attachments, as Engine.IO text: `42["name",{…}]`. */
const EVENT = /^42(?:\/[^,]*,)?\d*(?=\[")/;
const FRAGMENT = '["fragment:data"';
const ANSWER = '["fragment:processed"';
const READY = '["stream:ready"';
/** Longer than any event name: not all of a message is searched for it. */
const NAME_LENGTH = 40;

/** Applies the faults of one stream's plan; it lasts over all connections of the stream. */
export class StreamFaults {
  readonly #random;
  readonly #numbers = new Map<string, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #connected: Connected | undefined;
  /** Until when connections are refused; milliseconds since the epoch. */
  #refusingUntil = 0;
  #mute: { direction: Direction; fault: Fault } | undefined;
  #wasReady = false;

  constructor(
    private readonly stream: string,
    private readonly plan: FaultPlan,
  ) {
    this.#random = xoroshiro128plus(plan.seed);
    // Faults that hold from the start need no connection.
    for (const fault of this.#at({ when: 'start', afterSeconds: 0 })) {
      if (fault.does === 'disconnect') this.#refuse(fault.refuseSeconds);
    }
  }

  get isRefusing(): boolean {
    return now() < this.#refusingUntil;
  }

  /** Whether the newest connection is mute in that direction, so that not even its end gets through. */
  isMute(direction: Direction): boolean {
    return this.#mute?.direction === direction;
  }

  /** A new connection of the stream is open. */
  connected(connection: Connected): void {
    this.#connected = connection;
    this.#mute = undefined;
  }

  /** Decides what becomes of a message. */
  relay(direction: Direction, text: string, ends: Ends): void {
    if (this.#mute && this.isMute(direction)) {
      this.#connected?.record(direction, { fault: this.#mute.fault, detail: text.slice(0, 40) });
      ends.lose(text);
      return;
    }
    const prefix = EVENT.exec(text)?.[0];
    const name = prefix === undefined ? '' : text.slice(prefix.length, prefix.length + NAME_LENGTH);
    if (direction === 'to-sts' && name.startsWith(FRAGMENT)) {
      ends.pass(text);
      const id = idOf(text);
      if (!this.#numbers.has(id)) this.#numbers.set(id, this.#numbers.size);
      this.#reach('sent', this.#numbers.get(id));
    } else if (direction === 'from-sts' && prefix !== undefined && name.startsWith(ANSWER)) {
      this.#answer(prefix, text, ends);
    } else {
      ends.pass(text);
      if (direction !== 'from-sts' || !name.startsWith(READY) || this.#wasReady) return;
      this.#wasReady = true;
      this.#reach('ready');
    }
  }

  /** From now on no fault is applied. */
  end(): void {
    this.#timers.forEach((timer) => clearTimeout(timer));
  }

  #answer(prefix: string, text: string, ends: Ends): void {
    const number = this.#numbers.get(idOf(text));
    const faults = this.plan.faults
      .filter(isAnswerFault)
      .filter((fault) => number !== undefined && concerns(fault, number));
    const fragment = { fragment: idOf(text) };
    if (faults.some(({ does }) => does === 'drop')) {
      faults.forEach((fault) => {
        this.#connected?.record('from-sts', { fault, ...fragment });
      });
      ends.lose(text);
      return;
    }
    const connection = this.#connected;
    const delayMs = faults.reduce((sum, fault) => sum + this.#delayOf(fault), 0);
    this.#later(delayMs, () => {
      // The connection that the answer belongs to may be gone by now.
      if (connection !== this.#connected) return;
      let changed = text;
      for (const fault of faults) {
        let detail = fault.does === 'delay' ? `${delayMs} ms` : undefined;
        try {
          if (fault.does !== 'delay') changed = changeAnswer(prefix, changed, fault);
        } catch (error) {
          // A malformed answer is passed on unchanged: coping with it is media-service's task.
          detail = `not done: ${messageOf(error)}`;
        }
        const done = { fault, ...fragment, ...(detail ? { detail } : {}) };
        connection?.record('from-sts', done);
      }
      ends.pass(changed);
      this.#reach('answered', number);
    });
  }

  #delayOf(fault: AnswerFault): number {
    return fault.does === 'delay' ? uniformInt(this.#random, fault.fromMs, fault.toMs) : 0;
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
    this.#connected?.record('from-sts', { fault });
    switch (fault.does) {
      case 'backpressure':
        this.#connected?.send(
          'from-sts',
          `42${JSON.stringify(['backpressure', this.#backpressure(fault.action, fault.delayMs)])}`,
        );
        break;
      case 'disconnect':
        this.#refuse(fault.refuseSeconds);
        this.#connected?.cut();
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
      ...{ stream_id: this.stream, severity, action, recommended_delay_ms: delayMs },
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

/** `fragment_id` of a message, without parsing the audio in it; "" where there is none, or an overlong one. */
function idOf(text: string): string {
  return /"fragment_id":\s{0,9}"((?:[^"\\]|\\.){0,500})"/.exec(text)?.[1] ?? '';
}

function changeAnswer(prefix: string, text: string, fault: AnswerFault): string {
  const [name, answer, ...rest] = JSON.parse(text.slice(prefix.length)) as [
    string,
    FragmentAnswer,
    ...unknown[],
  ];
  return prefix + JSON.stringify([name, changed(answer, fault), ...rest]);
}

function changed(answer: FragmentAnswer, fault: AnswerFault): FragmentAnswer {
  switch (fault.does) {
    case 'error': {
      const { code } = fault;
      const retryable = RETRYABLE_CODES.has(code);
      const error = { code, message: 'made by the scenario', stage: 'asr', retryable };
      return { ...answer, status: 'failed', dubbed_audio: null, error };
    }
    case 'resize':
      return withPcm(answer, (pcm, frameBytes) => {
        const frames = Math.round((pcm.length / frameBytes) * (1 + fault.percent / 100));
        const resized = Buffer.alloc(frames * frameBytes);
        pcm.copy(resized);
        return resized;
      });
    case 'soften':
      return withPcm(answer, (pcm) => {
        const samples = new Int16Array(Math.floor(pcm.length / 2));
        samples.forEach((_, i) => (samples[i] = Math.round(pcm.readInt16LE(2 * i) / 2)));
        return Buffer.from(samples.buffer);
      });
    case 'malform':
      return withAudio(answer, (base64) => `${base64.slice(0, 1000)}!${base64.slice(1000)}`);
    default:
      return answer;
  }
}

/** The two forms of `dubbed_audio` that are in use: an object, and the bare Base64 string. */
function withAudio(answer: FragmentAnswer, change: (base64: string) => string): FragmentAnswer {
  const audio = answer.dubbed_audio;
  if (typeof audio === 'string') return { ...answer, dubbed_audio: change(audio) };
  if (audio === null || typeof audio !== 'object' || !('data_base64' in audio)) return answer;
  return { ...answer, dubbed_audio: { ...audio, data_base64: change(String(audio.data_base64)) } };
}

/** Changes 16 bit PCM, and the duration in the answer with it. */
function withPcm(
  answer: FragmentAnswer,
  change: (pcm: Buffer, frameBytes: number) => Buffer,
): FragmentAnswer {
  const audio = answer.dubbed_audio as { channels?: number; duration_ms?: number } | string | null;
  const { channels = 1, duration_ms: ms } = typeof audio === 'object' && audio ? audio : {};
  let ratio = 1;
  const louder = withAudio(answer, (base64) => {
    const pcm = Buffer.from(base64, 'base64');
    const result = change(pcm, 2 * channels);
    ratio = pcm.length === 0 ? 1 : result.length / pcm.length;
    return result.toString('base64');
  });
  const changedAudio = louder.dubbed_audio;
  if (ms === undefined || typeof changedAudio !== 'object' || changedAudio === null) return louder;
  return { ...louder, dubbed_audio: { ...changedAudio, duration_ms: ms * ratio } };
}
