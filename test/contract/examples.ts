/** An example of every event with all fields of the contract, and of every variant that the specs allow. */

const AUDIO = {
  ...{ format: 'pcm_s16le', sample_rate_hz: 44_100, channels: 1, duration_ms: 6000 },
  data_base64: 'AAAA',
};
const IDS = { fragment_id: 's_0001', stream_id: 's', sequence_number: 1 };
const TEXTS = { transcript: 'one', translated_text: 'uno', target_language: 'es' };
const INIT = {
  ...{ stream_id: 's', worker_id: 'w' },
  config: {
    ...{ source_language: 'en', target_language: 'es', voice_profile: 'default' },
    ...{ chunk_duration_ms: 6000, sample_rate_hz: 44_100, channels: 1, format: 'pcm_s16le' },
  },
};
const COUNTS = { success_count: 1, partial_count: 0, failed_count: 0 };
const DATA = { ...IDS, timestamp: 6000, audio: AUDIO };
const FAILURE = { code: 'TIMEOUT', message: 'too long' };
const PROCESSED = {
  ...{ ...IDS, ...TEXTS, status: 'success', dubbed_audio: AUDIO, processing_time_ms: 900 },
  stage_timings: { asr_ms: 500, translation_ms: 0, tts_ms: 400 },
};

/** By the event's name; the first of each has all fields. */
export const EXAMPLES: Record<string, readonly Record<string, unknown>[]> = {
  'stream:init': [
    { ...INIT, max_inflight: 3, timeout_ms: 8000 },
    ...[INIT, { ...INIT, timeout_ms: 1000 }, { ...INIT, timeout_ms: 30_000 }],
  ],
  'stream:ready': [
    {
      ...{ stream_id: 's', session_id: 'x', max_inflight: 3 },
      capabilities: { batch_processing: false, async_delivery: true },
    },
    {},
    { stream_id: null, session_id: null, max_inflight: null, capabilities: null },
    { capabilities: { batch_processing: null, async_delivery: null } },
  ],
  'fragment:data': [
    { ...DATA, metadata: { pts_ns: 6e9 } },
    ...[1, 0, '8f14e45f-ceea-467f-a0e6-4a5d6f3b2c11'].map((id) => ({ ...DATA, fragment_id: id })),
    ...[1.8e12, '2026-01-01T00:00:00Z', null].map((timestamp) => ({ ...DATA, timestamp })),
    { ...DATA, sequence_number: undefined, timestamp: undefined },
    { ...DATA, audio: { ...AUDIO, format: 'm4a' } },
  ],
  'fragment:ack': [
    ...['queued', 'processing', 'received', 'applied'].map((status) => ({
      ...{ fragment_id: 's_0001', status },
    })),
    { fragment_id: 1, status: 'queued' },
  ],
  'fragment:processed': [
    PROCESSED,
    // The six fields of spec 019.
    { fragment_id: 's_0001', ...TEXTS, dubbed_audio: 'AAAA', processing_time_ms: 900 },
    { ...PROCESSED, fragment_id: 1 },
    { ...PROCESSED, further: { fields: true } },
    { ...PROCESSED, stage_timings: { asr_ms: 0, translation_ms: 0, tts_ms: 0 } },
    { ...IDS, status: 'partial', error: { ...FAILURE, stage: 'tts', retryable: false } },
    { ...IDS, status: 'failed', dubbed_audio: null, transcript: null, error: FAILURE },
    { ...IDS, error: { ...FAILURE, stage: null } },
    { ...PROCESSED, error: null },
    // As services say what they leave out.
    {
      ...{ ...PROCESSED, stream_id: null, sequence_number: null, status: null, error: null },
      ...{ target_language: null, processing_time_ms: null, stage_timings: null },
    },
    { ...PROCESSED, stage_timings: { asr_ms: 1, translation_ms: null, tts_ms: null } },
    { ...IDS, status: 'failed', error: { ...FAILURE, stage: null, retryable: null } },
  ],
  backpressure: [
    {
      ...{ stream_id: 's', severity: 'medium', action: 'slow_down', recommended_delay_ms: 500 },
      ...{ current_inflight: 3, queue_depth: 0 },
    },
    { severity: 'low', action: 'none', recommended_delay_ms: null },
    { severity: 'high', action: 'pause' },
    {
      ...{ stream_id: null, severity: 'low', action: 'none' },
      current_inflight: null,
      queue_depth: null,
    },
  ],
  error: [
    {
      ...{ code: 'INVALID_SEQUENCE', message: 'again', severity: 'error', retryable: false },
      ...{ stream_id: 's', fragment_id: 's_0001' },
    },
    { code: 'GPU_OOM', retryable: true },
    { code: 'OF_ITS_OWN', stream_id: null, fragment_id: null },
    { ...{ code: 'TIMEOUT', message: null, severity: null, retryable: null }, fragment_id: null },
    { code: 'TIMEOUT', severity: 'warning', fragment_id: 1 },
  ],
  'stream:pause': [{ stream_id: 's', reason: 'asked' }, { stream_id: 's' }],
  'stream:resume': [{ stream_id: 's', reason: 'asked' }, { stream_id: 's' }],
  'stream:end': [
    { stream_id: 's', reason: 'done' },
    { stream_id: 's', reason: null },
  ],
  'stream:complete': [
    {
      ...{ stream_id: 's', total_fragments: 1, total_duration_ms: 6000 },
      statistics: { ...COUNTS, avg_processing_time_ms: 900, p95_processing_time_ms: 900 },
    },
  ],
  'config:error_simulation': [
    {
      ...{ enabled: true, stream_id: 's' },
      rules: [
        {
          ...{ trigger: 'nth_fragment', value: 2, error_code: 'TIMEOUT', error_message: 'slow' },
          ...{ retryable: true, stage: 'asr' },
        },
      ],
    },
    {
      enabled: true,
      rules: [{ trigger: 'fragment_id', value: 's_0001', error_code: 'INVALID_CONFIG' }],
    },
    { enabled: false },
  ],
  'config:error_simulation:ack': [{ status: 'accepted' }, {}],
  'simulate:disconnect': [{ delay_ms: 0, reason: 'asked', stream_id: 's' }, { delay_ms: 500 }],
  'simulate:disconnect:ack': [{ status: 'accepted' }, {}],
};
