import { io, type Socket } from 'socket.io-client';

import { fragmentAnswer, type FragmentAnswer } from '../contract/events';
import { messageOf, NotObserved } from '../base/errors';

/** What an STS answered the suite as its client. */
export interface StsAnswers {
  url: string;
  stream: string;
  /** `fragment:processed`, in the order received. */
  answers: FragmentAnswer[];
  /** `error` events and answers that do not fit the contract. */
  errors: string[];
}

/** What is asked of an STS. */
interface Question {
  url: string;
  stream: string;
  /** Mono PCM, signed 16 bit little-endian, at `rateHz`. */
  fragments: Buffer[];
  rateHz: number;
  withinMs: number;
}

const WORKER = 'acceptance-suite';
const PCM = { format: 'pcm_s16le', channels: 1 };

/**
 * Uses an STS as a worker does: opens a stream, sends all fragments at once, and waits until each is answered.
 *
 * @returns the answers, also when some are missing after `withinMs`
 * @throws NotObserved when the STS does not accept the stream in that time
 */
export async function askSts(question: Question): Promise<StsAnswers> {
  const { url, stream, withinMs } = question;
  const socket = io(url, {
    transports: ['websocket'],
    reconnection: false,
    extraHeaders: { 'X-Stream-ID': stream, 'X-Worker-ID': WORKER },
  });
  const timeUp = AbortSignal.timeout(withinMs);
  try {
    await openStream(socket, question, timeUp);
    const answers = await answersTo(socket, question, timeUp);
    socket.emit('stream:end', { stream_id: stream, reason: 'done' });
    return answers;
  } finally {
    socket.disconnect();
  }
}

/** Resolves when the STS has accepted the stream. */
function openStream(
  socket: Socket,
  { url, stream, rateHz, withinMs }: Question,
  timeUp: AbortSignal,
): Promise<void> {
  return new Promise<void>((ready, failed) => {
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
    socket.once('stream:ready', () => ready());
    socket.once('connect', () => {
      socket.emit('stream:init', {
        ...{ stream_id: stream, worker_id: WORKER, max_inflight: 3, timeout_ms: withinMs },
        config: {
          ...{ source_language: 'en', target_language: 'es', voice_profile: 'default' },
          ...{ ...PCM, sample_rate_hz: rateHz, chunk_duration_ms: 6000 },
        },
      });
    });
  });
}

/** Sends all fragments; resolves when each is answered, or the time is up. */
async function answersTo(
  socket: Socket,
  { url, stream, fragments, rateHz }: Question,
  timeUp: AbortSignal,
): Promise<StsAnswers> {
  const said: StsAnswers = { url, stream, answers: [], errors: [] };
  await new Promise<void>((done) => {
    timeUp.addEventListener('abort', () => done());
    socket.on('error', (error) => void said.errors.push(JSON.stringify(error)));
    socket.on('fragment:processed', (payload: unknown) => {
      const parsed = fragmentAnswer.safeParse(payload);
      if (parsed.success) said.answers.push(parsed.data);
      else said.errors.push(`fragment:processed: ${parsed.error.issues[0]?.message ?? ''}`);
      if (said.answers.length + said.errors.length >= fragments.length) done();
    });
    fragments.forEach((pcm, index) => {
      const durationMs = Math.round((pcm.length / 2 / rateHz) * 1000);
      socket.emit('fragment:data', {
        ...{ fragment_id: `${stream}_${index}`, stream_id: stream, sequence_number: index },
        ...{ timestamp: Date.now(), metadata: { pts_ns: index * durationMs * 1e6 } },
        audio: {
          ...{ ...PCM, sample_rate_hz: rateHz, duration_ms: durationMs },
          data_base64: pcm.toString('base64'),
        },
      });
    });
  });
  return said;
}
