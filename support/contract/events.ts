/**
 * The Socket.IO events between worker (client) and STS (server), with every variant that the specs allow. Further fields
 * are allowed everywhere; what an STS need not say, it may also say as null. `docs/contract.md` is made of the descriptions.
 */
import { z } from 'zod';

import { DEFAULT_MAX_INFLIGHT, DEFAULT_TIMEOUT_MS, TIMEOUT_RANGE_MS } from './limits';

const text = (what: string): z.ZodString => z.string().min(1).describe(what);
const ms = (what: string): z.ZodNumber => z.number().nonnegative().describe(`${what}, in ms`);
const count = (what: string): z.ZodInt => z.int().nonnegative().describe(what);

export const fragmentId = z
  .union([z.string().min(1), z.number()])
  .describe('Any text or number; answers repeat it unchanged');
const streamId = text('The stream');
const sequenceNumber = count('From 0 for each connection; without it the order of sending counts');
const retryable = z.boolean().describe('Whether trying again may help');
const inflightLimit = z
  .int()
  .positive()
  .describe(`How many fragments may be in flight; ${DEFAULT_MAX_INFLIGHT} where it is not said`);

/** What is known of audio besides its bytes. */
export const audioFormat = z.looseObject({
  format: text('`pcm_s16le` (interleaved), or `m4a` (AAC in MP4)'),
  sample_rate_hz: z.number().positive().describe('Samples of each channel in a second'),
  channels: z.int().positive().describe('1: mono, 2: stereo'),
  duration_ms: ms('The length of the audio'),
});

const fragmentAudio = audioFormat.extend({ data_base64: text('The audio, as Base64') });
const dubbedAudio = audioFormat.extend({ data_base64: z.string().describe('The dub, as Base64') });

export const streamInit = z.looseObject({
  stream_id: streamId,
  worker_id: text('Who asks'),
  config: z
    .looseObject({
      source_language: text('What is spoken, such as `en`'),
      target_language: text('What it is dubbed into, such as `es`'),
      voice_profile: text('Which voice speaks'),
      chunk_duration_ms: z.number().positive().describe('The length of a fragment, in ms'),
      sample_rate_hz: z.number().positive().describe('That of the audio in both directions'),
      channels: z.int().positive().describe('Those of the audio in both directions'),
      format: text('`pcm_s16le` or `m4a`'),
    })
    .describe('What is sent, and what is asked for'),
  max_inflight: inflightLimit.optional(),
  timeout_ms: z
    .number()
    .min(TIMEOUT_RANGE_MS.least)
    .max(TIMEOUT_RANGE_MS.most)
    .optional()
    .describe(
      `After which time the worker gives up a fragment, in ms; ${DEFAULT_TIMEOUT_MS} where it is not said`,
    ),
});

export const streamReady = z.looseObject({
  stream_id: streamId.nullish(),
  session_id: text('The session on this connection').nullish(),
  max_inflight: inflightLimit.nullish(),
  capabilities: z
    .looseObject({
      batch_processing: z.boolean().describe('Whether fragments are processed together').nullish(),
      async_delivery: z.boolean().describe('Whether answers come as they are ready').nullish(),
    })
    .describe('What the STS can do')
    .nullish(),
});

export const fragmentData = z.looseObject({
  fragment_id: fragmentId,
  stream_id: streamId,
  sequence_number: sequenceNumber.optional(),
  timestamp: z.unknown().describe('Time of the media or of the clock, usually in ms').optional(),
  audio: fragmentAudio.describe('The original audio'),
  metadata: z
    .looseObject({ pts_ns: z.number().describe('When it is presented, in ns').optional() })
    .describe('What else is known of it')
    .optional(),
});

export const fragmentAck = z.looseObject({
  fragment_id: fragmentId,
  status: z
    .enum(['queued', 'processing', 'received', 'applied'])
    .describe('Of the STS `queued`, `processing`; of the worker `received`, `applied`'),
});

/** Why a fragment failed, or a part of it. */
const fragmentError = z.looseObject({
  code: text('One of the [codes](#error-codes)'),
  message: z.string().describe('The same for people'),
  stage: z.string().describe('`asr`, `translation` or `tts`').nullish(),
  retryable: retryable.nullish(),
});

export const fragmentProcessed = z.looseObject({
  fragment_id: fragmentId,
  stream_id: streamId.nullish(),
  sequence_number: sequenceNumber.nullish(),
  status: z
    .enum(['success', 'partial', 'failed'])
    .describe('`success` where it is not said and there is no `error`')
    .nullish(),
  dubbed_audio: z
    .union([dubbedAudio, z.string()])
    .describe('The dub; as a bare Base64 text it has the format of the fragment')
    .nullish(),
  transcript: z.string().describe('What was said').nullish(),
  translated_text: z.string().describe('The same in the target language').nullish(),
  target_language: text('The language of the dub').nullish(),
  processing_time_ms: ms('How long the STS has worked on it').nullish(),
  stage_timings: z
    .looseObject({
      asr_ms: ms('Transcription').nullable(),
      translation_ms: ms('Translation').nullable(),
      tts_ms: ms('Speech synthesis').nullable(),
    })
    .describe('How long each stage took; 0 is allowed')
    .nullish(),
  error: fragmentError.describe('Why it failed').nullish(),
});

/** `fragment:processed` as it arrives. */
export type FragmentAnswer = z.infer<typeof fragmentProcessed>;

/** How a fragment went, also where the answer does not say it in so many words (spec 019). */
export function statusOf({
  status,
  error,
}: {
  status?: string | null | undefined;
  error?: unknown;
}): string {
  return status ?? ((error ?? undefined) === undefined ? 'success' : 'failed');
}

/** The dub as Base64, whichever form the answer has; empty where it has none. */
export function dubDataOf({ dubbed_audio: dub }: Pick<FragmentAnswer, 'dubbed_audio'>): string {
  return (typeof dub === 'string' ? dub : dub?.data_base64) ?? '';
}

export const backpressure = z.looseObject({
  stream_id: streamId.nullish(),
  severity: z.enum(['low', 'medium', 'high']).describe('How much there is to do'),
  action: z
    .enum(['none', 'slow_down', 'pause'])
    .describe('What the worker is to do; `none` ends it'),
  recommended_delay_ms: ms('Between two fragments, for `slow_down`').nullish(),
  current_inflight: count('Fragments that are not answered').nullish(),
  queue_depth: count('Fragments that are not begun').nullish(),
});

export const errorEvent = z.looseObject({
  code: text('One of the [codes](#error-codes)'),
  message: z.string().describe('The same for people').nullish(),
  severity: z.enum(['warning', 'error', 'fatal']).describe('How bad it is').nullish(),
  retryable: retryable.nullish(),
  stream_id: z.string().describe('The stream that it is about').nullish(),
  fragment_id: fragmentId.describe('The fragment that it is about; it is not answered').nullish(),
});

export const streamControl = z.looseObject({
  stream_id: streamId,
  reason: z.string().describe('Why').nullish(),
});

export const streamComplete = z.looseObject({
  stream_id: streamId,
  total_fragments: count('How many were answered'),
  total_duration_ms: ms('The audio that was answered'),
  statistics: z
    .looseObject({
      success_count: count('Fragments with the status `success`'),
      partial_count: count('… `partial`'),
      failed_count: count('… `failed`'),
      avg_processing_time_ms: ms('Their processing time on average'),
      p95_processing_time_ms: ms('Its 95th percentile'),
    })
    .describe('How they went'),
});
