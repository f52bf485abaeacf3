import { io } from 'socket.io-client';

import { fragmentAnswer, type FragmentAnswer } from '../contract/events';
import { messageOf, NotObserved } from '../base/errors';

/** What an STS said to a client of its own. */
export interface StsAnswers {
  url: string;
  stream: string;
  /** `fragment:processed`, in the order received. */
  answers: FragmentAnswer[];
  /** `error` events and answers that do not fit the contract. */
  errors: string[];
}

/**
 * Talks to an STS as a worker does: opens a stream, sends all fragments at once, and listens until each is answered.
 *
 * @param options.fragments mono PCM, signed 16 bit little-endian, at `rateHz`
 * @returns what was said, also when answers are missing after `withinMs`
 * @throws NotObserved when the STS does not accept the stream in that time
 */
export async function askSts(options: {
  url: string;
  stream: string;
  fragments: Buffer[];
  rateHz: number;
  withinMs: number;
}): Promise<StsAnswers> {
  const { url, stream, fragments, rateHz, withinMs } = options;
  const said: StsAnswers = { url, stream, answers: [], errors: [] };
  const worker = 'acceptance-suite';
  const socket = io(url, {
    transports: ['websocket'],
    reconnection: false,
    extraHeaders: { 'X-Stream-ID': stream, 'X-Worker-ID': worker },
  });
  const timeUp = AbortSignal.timeout(withinMs);
  try {
    await new Promise<void>((ready, failed) => {
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
        const format = { sample_rate_hz: rateHz, channels: 1, format: 'pcm_s16le' };
        const languages = { source_language: 'en', target_language: 'es' };
        const config = {
          ...languages,
          ...format,
          voice_profile: 'default',
          chunk_duration_ms: 6000,
        };
        const stream_ = { stream_id: stream, worker_id: worker, config };
        socket.emit('stream:init', { ...stream_, max_inflight: 3, timeout_ms: withinMs });
      });
    });
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
        const audio = { format: 'pcm_s16le', sample_rate_hz: rateHz, channels: 1 };
        const durationMs = Math.round((pcm.length / 2 / rateHz) * 1000);
        socket.emit('fragment:data', {
          ...{ fragment_id: `${stream}_${index}`, stream_id: stream, sequence_number: index },
          ...{ timestamp: Date.now(), metadata: { pts_ns: index * durationMs * 1e6 } },
          audio: { ...audio, duration_ms: durationMs, data_base64: pcm.toString('base64') },
        });
      });
    });
    socket.emit('stream:end', { stream_id: stream, reason: 'done' });
    return said;
  } finally {
    socket.disconnect();
  }
}
