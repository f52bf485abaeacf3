/**
 * The Socket.IO events between worker (client) and STS (server), as far as the suite reads them.
 * Unknown fields are allowed: services may say more than the contract asks.
 */
import { z } from 'zod';

const audioFormat = z.looseObject({
  format: z.string(),
  sample_rate_hz: z.number().positive(),
  channels: z.number().int().positive(),
  duration_ms: z.number().nonnegative(),
  /** The evidence keeps audio in files; these two stand for data_base64. */
  file: z.string(),
  bytes: z.number().int().nonnegative(),
});

/** The bare Base64 string of spec 019, put in a file. */
const bareAudio = z.looseObject({ file: z.string(), bytes: z.number().int().nonnegative() });

export const fragmentData = z.looseObject({
  fragment_id: z.string(),
  stream_id: z.string(),
  sequence_number: z.number().int().nonnegative(),
  timestamp: z.number(),
  audio: audioFormat,
});

export const streamReady = z
  .looseObject({ max_inflight: z.number().optional().catch(undefined) })
  .catch({ max_inflight: undefined });

export const fragmentAck = z.looseObject({ fragment_id: z.string(), status: z.string() });

export const stageTimings = z.looseObject({
  asr_ms: z.number(),
  translation_ms: z.number(),
  tts_ms: z.number(),
});

export const fragmentProcessed = z.looseObject({
  fragment_id: z.string(),
  stream_id: z.string().optional(),
  sequence_number: z.number().int().nonnegative().optional(),
  status: z.enum(['success', 'partial', 'failed']).optional(),
  dubbed_audio: z.union([audioFormat, bareAudio]).nullish(),
  transcript: z.string().nullish(),
  translated_text: z.string().nullish(),
  target_language: z.string().optional(),
  processing_time_ms: z.number().optional(),
  stage_timings: stageTimings.optional(),
  error: z
    .looseObject({ code: z.string(), message: z.string(), retryable: z.boolean().optional() })
    .nullish(),
});

/** `fragment:processed` as it arrives, with its audio (Base64). */
export const fragmentAnswer = fragmentProcessed.extend({
  dubbed_audio: z
    .union([
      z.looseObject({
        format: z.string(),
        sample_rate_hz: z.number().positive(),
        channels: z.number().int().positive(),
        data_base64: z.string(),
      }),
      z.string(),
    ])
    .nullish(),
});

export type FragmentAnswer = z.infer<typeof fragmentAnswer>;

/** The errors of which an STS says that trying again may help; the others of the contract are not retryable. */
export const RETRYABLE_CODES: ReadonlySet<string> = new Set([
  ...['TIMEOUT', 'MODEL_ERROR', 'GPU_OOM', 'QUEUE_FULL', 'RATE_LIMIT'],
]);
