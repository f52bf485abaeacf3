/** Events of a stream between media-service and STS, for tests; times are in seconds. */
import type { TapEvent } from '../../support/broadcast/events';

export const STREAM = 's';

export function event(at: number, name: string, payload: object = {}, id = 1): TapEvent {
  const direction = ['fragment:data', 'stream:init'].includes(name) ? 'to-sts' : 'from-sts';
  return {
    ...{ at: 1000 * at, connection: id, stream: STREAM, direction },
    ...{ kind: 'event', event: name, payload },
  };
}

/** media-service announces its timeout. */
export const init = (timeoutMs: number, at = 0): TapEvent =>
  event(at, 'stream:init', { timeout_ms: timeoutMs });

/** `isWhole`: with all that the contract asks for. `timestamp` in ms. */
export function sent(
  at: number,
  id: string | number,
  options: { connection?: number; sequence?: number; timestamp?: number; isWhole?: boolean } = {},
): TapEvent {
  const { connection: on = 1, sequence, timestamp, isWhole = false } = options;
  const format = { format: 'pcm_s16le', sample_rate_hz: 44_100, channels: 1, duration_ms: 6000 };
  return event(
    at,
    'fragment:data',
    {
      fragment_id: id,
      ...(sequence === undefined ? {} : { sequence_number: sequence }),
      ...(timestamp === undefined ? {} : { timestamp }),
      ...(isWhole ? { stream_id: STREAM, audio: { ...format, file: 'f.wav', bytes: 1 } } : {}),
    },
    on,
  );
}

/** @param code of a failure; a success where not given */
export const answered = (at: number, id: string, code?: string): TapEvent =>
  event(at, 'fragment:processed', {
    fragment_id: id,
    ...(code ? { status: 'failed', error: { code, message: '' } } : { status: 'success' }),
  });

/** With the six fields of spec 019 alone; its audio is a bare text. */
export const answered019 = (at: number, id: string | number): TapEvent =>
  event(at, 'fragment:processed', {
    ...{ fragment_id: id, transcript: 'one', translated_text: 'uno', target_language: 'es' },
    ...{ processing_time_ms: 1, dubbed_audio: { file: 'd.bin', bytes: 1 } },
  });

export const error = (at: number, id: string, code: string): TapEvent =>
  event(at, 'error', { fragment_id: id, code });

export const connection = (at: number, kind: 'open' | 'close' | 'refused', id = 1): TapEvent => ({
  ...{ at: 1000 * at, connection: id, stream: STREAM, direction: 'to-sts', kind },
});
