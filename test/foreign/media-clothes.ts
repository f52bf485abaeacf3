/** What media-services in the field say in another way than the reference, as all of them may. */
import { randomUUID } from 'node:crypto';

import { jsonOf } from '../../support/base/json';
import {
  changing,
  type Clothes,
  type ConnectionChanges,
  except,
  type Fields,
  hearing,
  inTurn,
  pagesInTurn,
} from './clothes';
import { asM4a } from './m4a';
import { lastObserved, renamed, valued, without, withoutLabel } from './metrics-clothes';

/** The events that name a fragment. */
const OF_FRAGMENTS = ['fragment:data', 'fragment:ack', 'fragment:processed', 'error'];

/** Fragments of a connection by other IDs. */
function withIds(nextId: () => string): ConnectionChanges {
  const outside = new Map<unknown, string>();
  const inside = new Map<unknown, string>();
  const by = (ids: ReadonlyMap<unknown, string>) =>
    changing(OF_FRAGMENTS, (payload) => {
      const fragment_id = ids.get(payload['fragment_id']);
      return fragment_id === undefined ? payload : { ...payload, fragment_id };
    });
  const numbering = hearing('fragment:data', ({ fragment_id: id }) => {
    const its = nextId();
    outside.set(id, its);
    inside.set(its, String(id));
  });
  return { toSts: inTurn(numbering, by(outside)), fromSts: by(inside) };
}

/** Only its events say which stream is its. IDs of fragments are numbers, and `Origin` is what client libraries send. */
export function noHeaders(): Clothes {
  let number = 0;
  return {
    headers: (headers, server) => ({
      ...except(headers, 'x-stream-id', 'x-worker-id'),
      origin: server,
    }),
    connection: () => withIds(() => String((number += 1))),
  };
}

/** It sends AAC in MP4. */
export function sendsM4a(): Clothes {
  const toSts = changing('fragment:data', async (payload) => ({
    ...payload,
    audio: await asM4a(payload['audio'] as Fields),
  }));
  return { connection: () => ({ toSts }) };
}

/** The gauge of {@link labelFreeMetrics}. */
export const OFFSET_GAUGE = 'dubber_av_offset_ms';

/** Its metrics have names and kinds of their own, and do not tell streams apart. */
export function labelFreeMetrics(): Clothes {
  return {
    pages: {
      '/metrics': pagesInTurn(
        withoutLabel('stream_id'),
        lastObserved('worker_av_sync_delta_ms', OFFSET_GAUGE),
        without('worker_sts_processing_time_ms'),
        renamed({
          media_service_worker_segments_processed_total: 'dubber_segments_total',
          worker_fallback_total: 'dubber_original_audio_total',
        }),
      ),
    },
  };
}

const BREAKER = 'worker_sts_breaker_state';
/** The metric of {@link ownBreaker}. */
export const OWN_BREAKER = 'dubber_sts_gate';

/** Its breaker has a metric with another name and coding, and other words in the log. */
export function ownBreaker(): Clothes {
  // Closed, open, half-open: 0, 1, 2 of the spec.
  const coding = [0, 2, 1];
  const recoded = valued(BREAKER, (state) => coding[state] ?? NaN);
  return {
    pages: { '/metrics': pagesInTurn(recoded, renamed({ [BREAKER]: OWN_BREAKER })) },
    line: (line) => [withoutBreakerWords(line)],
  };
}

/** Nobody is told of its breaker. */
export function silentBreaker(): Clothes {
  return { pages: { '/metrics': without(BREAKER) }, line: (line) => [withoutBreakerWords(line)] };
}

function withoutBreakerWords(line: string): string {
  const fields = jsonOf(line) as Fields | undefined;
  if (typeof fields?.['failure_count'] !== 'number') return line;
  const rest = except(fields, 'state', 'trigger', 'failure_count');
  return JSON.stringify({ ...rest, message: 'gate moved' });
}

/** Its log is plain text, its health a greeting, IDs of fragments are UUIDs, and it sends nothing that is optional. */
export function plainLogs(): Clothes {
  const init = changing('stream:init', (payload) => except(payload, 'max_inflight', 'timeout_ms'));
  const stamp = changing('fragment:data', (payload) => ({ ...payload, timestamp: Date.now() }));
  return {
    pages: { '/health': () => 'all is well\n' },
    line: (line) => [asText(line)],
    connection: () => {
      const { toSts, fromSts } = withIds(randomUUID);
      return { toSts: inTurn(init, stamp, toSts), fromSts };
    },
  };
}

/** `2026-11-26 21:00:00,123 INFO media-service segment cut segment=3` */
function asText(line: string): string {
  const fields = jsonOf(line) as Fields | undefined;
  if (typeof fields?.['timestamp'] !== 'string') return line;
  const { timestamp, level, service, message, ...rest } = fields;
  const time = timestamp.replace('T', ' ').replace('Z', '').replace('.', ',');
  const shown = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return [time, level, service, message, ...shown].join(' ');
}
