import { io, type Socket } from 'socket.io-client';

import { fieldsOf } from '../broadcast/events';
import { fragmentAnswer, type FragmentAnswer, streamReady } from '../contract/events';
import { messageOf, NotObserved } from '../base/errors';

/** What an STS answered the suite as its client. */
export interface StsAnswers {
  url: string;
  stream: string;
  /** `fragment:processed`, in the order received. */
  answers: FragmentAnswer[];
  /** `error` events and answers that do not fit the contract. */
  errors: string[];
  /** How long the connection stayed open after the answer to the last fragment, for answers that nobody asked for. */
  listenedOnMs: number;
}

/** What else an STS did meanwhile. */
export interface StsConversation extends StsAnswers {
  /** Of `stream:ready`: how many fragments it takes at once; undefined where it does not say. */
  maxInflight: number | undefined;
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
    extraHeaders: { 'X-Stream-ID': stream, 'X-Worker-ID': WORKER },
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
      ready(streamReady.parse(payload).max_inflight),
    );
    socket.once('connect', () => {
      socket.emit('stream:init', {
        ...{ stream_id: stream, worker_id: WORKER, max_inflight: 3, timeout_ms: withinMs },
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
  { url, stream, fragments, rateHz }: StsQuestion,
  timeUp: AbortSignal,
): Promise<Omit<StsConversation, 'maxInflight'>> {
  const said = {
    ...{ url, stream, answers: [] as FragmentAnswer[], errors: [] as string[], listenedOnMs: 0 },
    ...{ backpressure: [] as string[], answeredAfterMs: [] as number[] },
  };
  let sentAt = 0;
  await new Promise<void>((done) => {
    timeUp.addEventListener('abort', () => done());
    socket.on('error', (error) => void said.errors.push(JSON.stringify(error)));
    socket.on('backpressure', (payload: unknown) => {
      said.backpressure.push(String(fieldsOf(payload)['action']));
    });
    socket.on('fragment:processed', (payload: unknown) => {
      said.answeredAfterMs.push(Math.round(performance.now() - sentAt));
      const parsed = fragmentAnswer.safeParse(payload);
      socket.emit('fragment:ack', {
        fragment_id: fieldsOf(payload)['fragment_id'],
        status: 'applied',
      });
      if (parsed.success) said.answers.push(parsed.data);
      else said.errors.push(`fragment:processed: ${parsed.error.issues[0]?.message ?? ''}`);
      if (said.answers.length + said.errors.length >= fragments.length) done();
    });
    fragments.forEach((pcm, index) => {
      const durationMs = durationOf(pcm, rateHz);
      socket.emit('fragment:data', {
        ...{ fragment_id: `${stream}_${index}`, stream_id: stream, sequence_number: index },
        ...{ timestamp: Date.now(), metadata: { pts_ns: index * durationMs * 1e6 } },
        audio: {
          ...{ ...PCM, sample_rate_hz: rateHz, duration_ms: durationMs },
          data_base64: pcm.toString('base64'),
        },
      });
    });
    sentAt = performance.now();
  });
  return said;
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
