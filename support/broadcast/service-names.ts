/** What services and their metrics are called, as far as evidence is read by name: acceptance.yaml has them. */
export interface ServiceNames {
  /** Their logs have these names. */
  mediaService: string;
  sts: string;
  metrics: MetricNames;
}

/** The metrics of media-service (specs 018, 019, 021). */
export interface MetricNames {
  segmentsProcessed: string;
  audioFragments: string;
  avSyncDelta: string;
  stsProcessingTime: string;
  fallbacks: string;
  inflight: string;
  breakerState: string;
  backpressureEvents: string;
  reconnections: string;
}
