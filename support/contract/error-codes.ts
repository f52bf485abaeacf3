/** The codes of `error` events and of failed answers. */

interface ErrorCode {
  means: string;
  /** Whether trying again may help; only those count for a worker's breaker. */
  retryable: boolean;
}

export const ERROR_CODES: Readonly<Record<string, ErrorCode>> = {
  TIMEOUT: { means: 'A stage took too long.', retryable: true },
  MODEL_ERROR: { means: 'A model failed.', retryable: true },
  GPU_OOM: { means: 'The memory of the GPU is used up.', retryable: true },
  QUEUE_FULL: { means: 'Too many fragments are waiting.', retryable: true },
  RATE_LIMIT: { means: 'Too much is asked in too short a time.', retryable: true },
  STREAM_NOT_FOUND: { means: 'The stream is not open on this connection.', retryable: false },
  INVALID_CONFIG: { means: 'A message cannot be understood or served.', retryable: false },
  FRAGMENT_TOO_LARGE: { means: 'A fragment is longer than the STS takes.', retryable: false },
  INVALID_SEQUENCE: { means: 'A fragment has an unexpected sequence number.', retryable: false },
};

/** The codes of which an STS says that trying again may help. */
export const RETRYABLE_CODES: ReadonlySet<string> = new Set(
  Object.keys(ERROR_CODES).filter((code) => ERROR_CODES[code]?.retryable),
);
