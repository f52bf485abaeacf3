import { randomUUID } from 'node:crypto';

import type { Socket } from 'socket.io-client';

import { messageOf, NotObserved } from '../base/errors';
import { fieldsOf } from '../broadcast/events';
import { foreignIn } from '../broadcast/fragment';
import { violationsOf } from '../contract/contract';
import {
  dubDataOf,
  errorEvent,
  type FragmentAnswer,
  fragmentProcessed,
  streamReady,
} from '../contract/events';
import { DEFAULT_MAX_INFLIGHT, TIMEOUT_RANGE_MS } from '../contract/limits';
import { stsSocket, WORKER } from './sts-socket';

/** An answer, and which fragment it is of by its ID: from 0, in the order sent. */
export type StsAnswer = FragmentAnswer & { index: number };

/** What an STS answered the suite as its client. */
export interface StsAnswers {
  url: string;
  stream: string;
  /**
   * In the order received: `fragment:processed`, and as failed answers the `error` events that name a fragment. What spec 019
   * leaves out is that of the fragment: `sequence_number`, and the format of the audio.
   */
  answers: StsAnswer[];
  /**
   * `error` events that name no fragment, answers that do not fit the contract or are of another stream, and that the STS
   * closed the connection while answers were missing.
   */
  errors: string[];
  /** `error` events of severity `warning` that name no fragment, before or after `stream:ready`: they end nothing. */
  warnings: string[];
  /** How long the connection stayed open after the answer to the last fragment, for answers that nobody asked for. */
  listenedOnMs: number;
}

/** What else an STS did meanwhile. */
export interface StsConversation extends StsAnswers {
  /** Of `stream:ready`: how many fragments it takes at once; undefined where it does not say. */
  maxInflight: number | undefined;
  /** How many fragments were sent. */
  sent: number;
  /** The actions of its `backpressure` events, in the order received. */
  backpressure: string[];
  /** Of each answer: the time since its fragment was sent, in ms. */
  answeredAfterMs: number[];
}

/** What is asked of an STS. */
export interface StsQuestion {
  url: string;
  stream: string;
  /** Mono PCM, signed 16 bit little-endian, at `rateHz`. */
  fragments: Buffer[];
  rateHz: number;
  withinMs: number;
  /** How long answers are listened for after each fragment is answered: they would be repeated ones. */
  listenOnMs: number;
  /** Sends all fragments at once, also where the STS takes fewer. */
  ignoreLimit?: boolean;
}

const PCM = { format: 'pcm_s16le', channels: 1 };
/** Of every spec. */
const SEGMENT_MS = 6000;

const durationOf = (pcm: Buffer, rateHz: number): number =>
  Math.round((pcm.length / 2 / rateHz) * 1000);

const formatOf = (pcm: Buffer | undefined, rateHz: number): typeof PCM & AudioLength => ({
  ...{ ...PCM, sample_rate_hz: rateHz, duration_ms: pcm ? durationOf(pcm, rateHz) : 0 },
});

interface AudioLength {
  sample_rate_hz: number;
  duration_ms: number;
}

/**
 * Uses an STS as a worker does: opens a stream, sends the fragments, never more of them in flight than the STS takes, and
 * waits until each is answered, and for as long after that as the question says.
 *
 * @returns the answers, also when some are missing after `withinMs`, or as the STS closed the connection
 * @throws NotObserved when the STS does not accept the stream in that time
 */
export async function askSts(question: StsQuestion): Promise<StsConversation> {
  const { url, stream, withinMs } = question;
  const socket = stsSocket(url, stream);
  const timeUp = AbortSignal.timeout(withinMs);
  const warnings = warningsOn(socket);
  try {
    const maxInflight = await openStream(socket, question, warnings, timeUp);
    const answers = { ...(await answersTo(socket, question, maxInflight, timeUp)), warnings };
    answers.listenedOnMs = await listenOn(socket, question);
    socket.emit('stream:end', { stream_id: stream, reason: 'done' });
    return answers;
  } finally {
    socket.disconnect();
  }
}

/** Whether an `error` event only warns, of no fragment. */
function isWarning(payload: unknown): boolean {
  const { data } = errorEvent.safeParse(payload);
  return data?.severity === 'warning' && (data.fragment_id ?? undefined) === undefined;
}

/** All warnings from now on, as they were said. */
function warningsOn(socket: Socket): string[] {
  const warnings: string[] = [];
  socket.on('error', (payload: unknown) => {
    if (isWarning(payload)) warnings.push(JSON.stringify(payload));
  });
  return warnings;
}

/**
 * Resolves when the STS has accepted the stream, with the number of fragments that it takes at once.
 *
 * @param warnings what it has warned of by then
 */
function openStream(
  socket: Socket,
  { url, stream, fragments, rateHz, withinMs }: StsQuestion,
  warnings: readonly string[],
  timeUp: AbortSignal,
): Promise<number | undefined> {
  const longest = Math.max(SEGMENT_MS, ...fragments.map((pcm) => durationOf(pcm, rateHz)));
  return new Promise((ready, failed) => {
    const fail = (reason: unknown): void =>
      failed(
        new NotObserved({
          what: 'the STS did not accept a stream',
          where: url,
          seen: [messageOf(reason), ...warnings].join('; '),
          expected: `stream:ready within ${withinMs / 1000} s`,
        }),
      );
    timeUp.addEventListener('abort', () => fail('no stream:ready'));
    socket.once('connect_error', fail);
    socket.once('disconnect', (reason) => fail(`it closed the connection (${reason})`));
    socket.on('error', (error: unknown) => {
      if (!isWarning(error)) fail(JSON.stringify(error));
    });
    socket.once('stream:ready', (payload: unknown = {}) => {
      const wrong = wrongWith('stream:ready', streamReady, payload, stream);
      if (wrong === undefined) ready(streamReady.parse(payload).max_inflight ?? undefined);
      else fail(wrong);
    });
    socket.once('connect', () => {
      socket.emit('stream:init', {
        ...{ stream_id: stream, worker_id: WORKER, max_inflight: DEFAULT_MAX_INFLIGHT },
        timeout_ms: TIMEOUT_RANGE_MS.most,
        config: {
          ...{ source_language: 'en', target_language: 'es', voice_profile: 'default' },
          ...{ ...PCM, sample_rate_hz: rateHz, chunk_duration_ms: longest },
        },
      });
    });
  });
}

/** What does not fit the contract, or is of another stream; undefined where nothing is. */
function wrongWith(
  event: string,
  schema: typeof streamReady | typeof fragmentProcessed,
  payload: unknown,
  stream: string,
): string | undefined {
  const all = [...violationsOf(schema, payload), foreignIn(payload, [stream]) ?? []].flat();
  return all.length > 0 ? `${event}: ${all.join('; ')}` : undefined;
}

type Said = Omit<StsConversation, 'warnings'>;

function nothingSaid({ url, stream }: StsQuestion, maxInflight: number | undefined): Said {
  return {
    ...{ url, stream, answers: [], errors: [], listenedOnMs: 0 },
    ...{ sent: 0, backpressure: [], answeredAfterMs: [], maxInflight },
  };
}

/** Sends the fragments; resolves when each is answered, the connection is closed, or the time is up. */
async function answersTo(
  socket: Socket,
  question: StsQuestion,
  maxInflight: number | undefined,
  timeUp: AbortSignal,
): Promise<Said> {
  const { stream, fragments, ignoreLimit = false } = question;
  const said = nothingSaid(question, maxInflight);
  const ids = fragments.map((): string => randomUUID());
  const isWaited = new Set(ids.keys());
  const sentAt: number[] = [];
  const limit = ignoreLimit ? Infinity : (maxInflight ?? DEFAULT_MAX_INFLIGHT);
  const send = (): void => {
    // What names no fragment may have been the answer to any.
    const ended = ids.length - isWaited.size + said.errors.length;
    while (said.sent < ids.length && said.sent - ended < limit) {
      const index = said.sent;
      sentAt[index] = performance.now();
      socket.emit('fragment:data', fragmentOf(question, ids[index] ?? '', index));
      said.sent += 1;
    }
  };
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('disconnect', closed);
      resolve();
    };
    timeUp.addEventListener('abort', done);
    const take = (outcome: FragmentAnswer | string): void => {
      if (typeof outcome === 'string') said.errors.push(outcome);
      else {
        const index = ids.indexOf(String(outcome.fragment_id));
        said.answeredAfterMs.push(Math.round(performance.now() - (sentAt[index] ?? NaN)));
        said.answers.push(completed(outcome, question, index));
        isWaited.delete(index);
      }
      if (isWaited.size <= said.errors.length) done();
      else send();
    };
    const closed = (reason: string): void => {
      const missing = `${isWaited.size} of ${ids.length} answers missing`;
      said.errors.push(`the STS closed the connection (${reason}), ${missing}`);
      done();
    };
    socket.on('error', (error) => {
      if (!isWarning(error)) take(failureIn(error, ids));
    });
    socket.on('backpressure', (payload: unknown) => {
      said.backpressure.push(String(fieldsOf(payload)['action']));
    });
    socket.on('fragment:processed', (payload: unknown) => {
      const id = fieldsOf(payload)['fragment_id'];
      socket.emit('fragment:ack', { fragment_id: id, status: 'applied' });
      take(answerIn(payload, ids, stream));
    });
    socket.once('disconnect', closed);
    if (socket.connected) send();
    else closed('after stream:ready');
  });
  return said;
}

/** `fragment:data` of one of the fragments. */
function fragmentOf(
  { stream, fragments, rateHz }: StsQuestion,
  id: string,
  index: number,
): Record<string, unknown> {
  const pcm = fragments[index] ?? Buffer.alloc(0);
  const format = formatOf(pcm, rateHz);
  return {
    ...{ fragment_id: id, stream_id: stream, sequence_number: index },
    ...{ timestamp: Date.now(), metadata: { pts_ns: index * format.duration_ms * 1e6 } },
    audio: { ...format, data_base64: pcm.toString('base64') },
  };
}

/** An answer to one of the fragments, or what is wrong with it. */
function answerIn(
  payload: unknown,
  ids: readonly string[],
  stream: string,
): FragmentAnswer | string {
  const wrong = wrongWith('fragment:processed', fragmentProcessed, payload, stream);
  if (wrong !== undefined) return wrong;
  const answer = fragmentProcessed.parse(payload);
  if (ids.includes(String(answer.fragment_id))) return answer;
  return `fragment:processed: fragment_id: ${answer.fragment_id} was not sent`;
}

function completed(
  answer: FragmentAnswer,
  { fragments, rateHz }: StsQuestion,
  index: number,
): StsAnswer {
  const numbered = { ...answer, sequence_number: answer.sequence_number ?? index, index };
  if (typeof answer.dubbed_audio !== 'string') return numbered;
  const format = formatOf(fragments[index], rateHz);
  return { ...numbered, dubbed_audio: { ...format, data_base64: dubDataOf(answer) } };
}

/** An `error` event as the failed answer to the fragment that it names, or as it was said. */
function failureIn(payload: unknown, ids: readonly string[]): FragmentAnswer | string {
  const { data } = errorEvent.safeParse(payload);
  if (!data || !ids.includes(String(data.fragment_id))) return JSON.stringify(payload);
  const { fragment_id: id, code, message, retryable } = data;
  return {
    ...{ fragment_id: id ?? '', status: 'failed' },
    error: { code, message: message ?? '', retryable },
  };
}

/** Leaves the handlers of the answers at work for some time; resolves with how long the connection was open, in ms. */
function listenOn(socket: Socket, { listenOnMs }: StsQuestion): Promise<number> {
  const since = performance.now();
  if (!socket.connected) return Promise.resolve(0);
  return new Promise((done) => {
    // The time that was asked for, whatever a timer makes of it.
    const timer = setTimeout(() => done(listenOnMs), listenOnMs);
    socket.once('disconnect', () => {
      clearTimeout(timer);
      done(Math.min(listenOnMs, Math.round(performance.now() - since)));
    });
  });
}
