/** What the specs say in different ways, or not at all: each way conforms, and no check fails a service for it. */
export const VARIANTS: readonly { of: string; accepted: string }[] = [
  {
    of: '`fragment:processed`',
    accepted:
      'all fields of spec 016; or the six of spec 019: `fragment_id`, `transcript`, `translated_text`, `dubbed_audio` as bare Base64, `processing_time_ms`, `target_language`; stages of 0 ms',
  },
  { of: '`fragment_id`', accepted: 'any text (a UUID, `stream_0001`) or number' },
  {
    of: '`sequence_number`',
    accepted:
      'said; or not, then the order of sending counts. An answer is of the fragment whose `fragment_id` it has: a `sequence_number` that it says has to be the same',
  },
  { of: '`timestamp` of `fragment:data`', accepted: 'time of the media, time of the clock, none' },
  { of: '`max_inflight`, `timeout_ms`', accepted: 'said; or not, then the defaults below hold' },
  {
    of: '`error`, `fragment:processed` with an error',
    accepted: 'either tells that a fragment failed; codes of other names; `retryable` said or not',
  },
  {
    of: 'Audio',
    accepted:
      '`pcm_s16le`, AAC in MP4 (`m4a`) or ADTS, WAV, Opus in Ogg; what the bytes are counts, whatever they are called. PCM, which bytes alone do not tell: `pcm_s16le`, `s16le`, `pcm`, `raw` or `linear16`, in any case, or nothing',
  },
  {
    of: 'Optional fields of an STS',
    accepted: 'said, left out, or null; stages, too, may be null',
  },
  {
    of: 'Controls of an Echo STS',
    accepted: 'for any client, or only on the connection of the worker',
  },
  { of: 'Further fields', accepted: 'everywhere' },
];
