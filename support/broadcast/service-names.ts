import type { StreamPaths } from './stream-paths';

/** What services and their metrics are called, as far as evidence is read by name: acceptance.yaml has them. */
export interface ServiceNames {
  /** Their logs have these names. */
  mediaService: string;
  sts: string;
  /** Where streams are at the media server. */
  paths: StreamPaths;
  metrics: MetricNames;
}

export type MetricKind = 'counter' | 'gauge' | 'histogram' | 'summary';

/** The metrics of media-service, and the kind of each (specs 018, 019, 021). */
export const SPEC_KINDS = {
  segmentsProcessed: 'counter',
  audioFragments: 'counter',
  fallbacks: 'counter',
  backpressureEvents: 'counter',
  reconnections: 'counter',
  inflight: 'gauge',
  breakerState: 'gauge',
  avSyncDelta: 'histogram',
  stsProcessingTime: 'histogram',
} as const satisfies Record<string, MetricKind>;

export type MetricKey = keyof typeof SPEC_KINDS;
export const METRIC_KEYS = Object.keys(SPEC_KINDS) as MetricKey[];

/** The states of the circuit breaker. */
export const BREAKER_STATES = ['closed', 'open', 'half-open'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

/** A metric that says what the specs ask for in other clothes. */
export interface MetricMapping {
  name: string;
  /** Where it is not the spec's: such a metric is read as what it is. */
  kind?: MetricKind;
  /** Of times; `ms` where not given. */
  unit?: 'ms' | 's';
  /**
   * From the spec's label (`type`, `status`, `reason`, `action`) to theirs. `stream`: the label that names the stream, or
   * `none`. `state`: the label that names the breaker's state, where there is a series for each.
   */
  labels?: Readonly<Record<string, string>>;
  /** From the spec's word for a label's value, or for a state of the breaker, to theirs. */
  values?: Readonly<Record<string, string | number>>;
}

/** A name, where all else is as the specs have it; `absent`; or what is different. */
export type MetricNames = Readonly<Record<MetricKey, string | MetricMapping>>;

/** How a metric is found among the samples; undefined where the system has none. */
export function mappingOf(names: MetricNames, key: MetricKey): MetricMapping | undefined {
  const given = names[key];
  if (given === 'absent') return undefined;
  return typeof given === 'string' ? { name: given } : given;
}

/** What a metric is called, for people: its name, or what the suite calls one that the system does not have. */
export function metricName(names: MetricNames, key: MetricKey): string {
  return mappingOf(names, key)?.name ?? `${key} (absent)`;
}
