import { randomUUID } from 'node:crypto';

import { io, type Socket } from 'socket.io-client';

import { messageOf, NotObserved } from '../base/errors';
import { loginHeader } from '../base/http';
import { fieldsOf } from '../broadcast/events';
import { violationsOf } from '../contract/contract';
import {
  errorEvent,
  type FragmentAnswer,
  fragmentProcessed,
  streamReady,
} from '../contract/events';
import { DEFAULT_MAX_INFLIGHT, TIMEOUT_RANGE_MS } from '../contract/limits';

/** What an STS answered the suite as its client. */
export interface StsAnswers {
  url: string;
  stream: string;
  /**
   * In the order received: `fragment:processed`, and as failed answers the `error` events that name a fragment. What spec 019
   * leaves out is that of the fragment: `sequence_number`, and the format of the audio.
   */
  answers: FragmentAnswer[];
  /** `error` events that name no fragment, and answers that do not fit the contract. */
  errors: string[];
  /** How long the connection stayed open after the answer to the last fragment, for answers that nobody asked for. */
  listenedOnMs: number;
}

/** What else an STS did meanwhile. */
export interface StsConversation extends StsAnswers {
  /** Of `stream:ready`: how many fragments it takes at once; undefined where it does not say. */
  maxInflight: number | undefined;
  /** How many fragments were sent, all at once. */
  sent: number;
  /** The actions of its `backpressure` events, in the order received. */
  backpressure: string[];
  /** Of each answer: the time since all fragments were sent, in ms. */
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
}

const WORKER = 'acceptance-suite';
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
 * Uses an STS as a worker does: opens a stream, sends all fragments at once, and waits until each is answered, and for
 * as long after that as the question says.
 *
 * @returns the answers, also when some are missing after `withinMs`
 * @throws NotObserved when the STS does not accept the stream in that time
 */
export async function askSts(question: StsQuestion): Promise<StsConversation> {
  const { url, stream, withinMs } = question;
  const socket = io(url, {
    transports: ['websocket'],
    reconnection: false,
    extraHeaders: { 'X-Stream-ID': stream, 'X-Worker-ID': WORKER, ...loginHeader(url) },
  });
  const timeUp = AbortSignal.timeout(withinMs);
  try {
    const maxInflight = await openStream(socket, question, timeUp);
    const answers = { ...(await answersTo(socket, question, timeUp)), maxInflight };
    answers.listenedOnMs = await listenOn(socket, question);
    socket.emit('stream:end', { stream_id: stream, reason: 'done' });
    return answers;
  } finally {
    socket.disconnect();
  }
}

/** Resolves when the STS has accepted the stream, with the number of fragments that it takes at once. */
function openStream(
  socket: Socket,
  { url, stream, fragments, rateHz, withinMs }: StsQuestion,
  timeUp: AbortSignal,
): Promise<number | undefined> {
  const longest = Math.max(SEGMENT_MS, ...fragments.map((pcm) => durationOf(pcm, rateHz)));
  return new Promise((ready, failed) => {
    const fail = (reason: unknown): void =>
      failed(
        new NotObserved({
          what: 'the STS did not accept a stream',
          where: url,
          seen: messageOf(reason),
          expected: `stream:ready within ${withinMs / 1000} s`,
        }),
      );
    timeUp.addEventListener('abort', () => fail('no stream:ready'));
    socket.once('connect_error', fail).once('error', (error) => fail(JSON.stringify(error)));
    socket.once('stream:ready', (payload: unknown) =>
      ready(streamReady.safeParse(payload).data?.max_inflight),
    );
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

/** Sends all fragments; resolves when each is answered, or the time is up. */
async function answersTo(
  socket: Socket,
  question: StsQuestion,
  timeUp: AbortSignal,
): Promise<Omit<StsConversation, 'maxInflight'>> {
  const { url, stream, fragments } = question;
  const said = {
    ...{ url, stream, answers: [] as FragmentAnswer[], errors: [] as string[], listenedOnMs: 0 },
    ...{ sent: fragments.length, backpressure: [] as string[], answeredAfterMs: [] as number[] },
  };
  const ids = fragments.map((): string => randomUUID());
  const isWaited = new Set(ids.keys());
  let sentAt = 0;
  await new Promise<void>((done) => {
    timeUp.addEventListener('abort', () => done());
    const take = (outcome: FragmentAnswer | string): void => {
      if (typeof outcome === 'string') said.errors.push(outcome);
      else {
        said.answeredAfterMs.push(Math.round(performance.now() - sentAt));
        const index = ids.indexOf(String(outcome.fragment_id));
        said.answers.push(completed(outcome, question, index));
        isWaited.delete(index);
      }
      // What names no fragment may have been the answer to any.
      if (isWaited.size <= said.errors.length) done();
    };
    socket.on('error', (error) => take(failureIn(error, ids)));
    socket.on('backpressure', (payload: unknown) => {
      said.backpressure.push(String(fieldsOf(payload)['action']));
    });
    socket.on('fragment:processed', (payload: unknown) => {
      const id = fieldsOf(payload)['fragment_id'];
      socket.emit('fragment:ack', { fragment_id: id, status: 'applied' });
      take(answerIn(payload, ids));
    });
    ids.forEach((id, index) => socket.emit('fragment:data', fragmentOf(question, id, index)));
    sentAt = performance.now();
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
function answerIn(payload: unknown, ids: readonly string[]): FragmentAnswer | string {
  const { data } = fragmentProcessed.safeParse(payload);
  if (!data) return `fragment:processed: ${violationsOf(fragmentProcessed, payload).join('; ')}`;
  if (ids.includes(String(data.fragment_id))) return data;
  return `fragment:processed: fragment_id: ${data.fragment_id} was not sent`;
}

function completed(
  answer: FragmentAnswer,
  { fragments, rateHz }: StsQuestion,
  index: number,
): FragmentAnswer {
  const { sequence_number = index, dubbed_audio: dub } = answer;
  if (typeof dub !== 'string') return { ...answer, sequence_number };
  const dubbed_audio = { ...formatOf(fragments[index], rateHz), data_base64: dub };
  return { ...answer, sequence_number, dubbed_audio };
}

/** An `error` event as the failed answer to the fragment that it names, or as it was said. */
function failureIn(payload: unknown, ids: readonly string[]): FragmentAnswer | string {
  const { data } = errorEvent.safeParse(payload);
  if (!data || !ids.includes(String(data.fragment_id))) return JSON.stringify(payload);
  const { fragment_id: id, code, message = '', retryable } = data;
  return {
    ...{ fragment_id: id ?? '', status: 'failed' },
    error: { code, message, ...(retryable === undefined ? {} : { retryable }) },
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
