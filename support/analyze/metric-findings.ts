import { CannotBeShown } from '../base/errors';
import { familyType, type Labels, matching, type Sample } from '../base/prometheus';
import type { MetricsRecord } from '../broadcast/evidence';
import type { BroadcastRecord } from '../broadcast/record';
import {
  BREAKER_STATES,
  mappingOf,
  METRIC_KEYS,
  type MetricKey,
  type MetricMapping,
  type MetricNames,
} from '../broadcast/service-names';
import { type Finding, unobserved } from './finding';
import { counterDelta, type Histogram, histogram, histogramSince } from './metrics';

/** A value of a gauge; `at` is milliseconds since the epoch. */
export interface Polled<T> {
  at: number;
  value: T;
}

/** One more was counted after the one poll and by the other; milliseconds since the epoch. */
export interface Rise {
  after: number;
  by: number;
}

/** Measured times in ms, as far as the kind of the metric tells them. */
export type Measured =
  | { kind: 'histogram'; histogram: Histogram; count: number; sumMs: number }
  /** `values`: the means of what was counted between two polls. */
  | { kind: 'summary'; values: number[]; count: number; sumMs: number }
  /** `values`: those that it had when it was polled. */
  | { kind: 'gauge'; values: number[] };

/** The label of the specs that names the stream. */
const STREAM_LABEL = 'stream_id';
/** What the names of a metric's samples end in, whatever its kind. */
const PARTS = ['', '_bucket', '_count', '_sum'] as const;
const NEVER_READ = 'the metrics of media-service were never read';

/**
 * What the metrics of media-service say of one broadcast, whatever they are called, labelled and coded (acceptance.yaml,
 * `metrics`). Every reading throws CannotBeShown for a metric that the system does not have, and for one without a
 * label for the stream while another stream was dubbed: nobody can tell then whose figures they are.
 */
export class MetricFindings {
  #labelsSeen: ReadonlyMap<string, ReadonlySet<string>> | undefined;

  constructor(
    private readonly polls: readonly MetricsRecord[],
    private readonly names: MetricNames,
    private readonly record: BroadcastRecord,
  ) {}

  /** Whether the broadcast has it and it can be read: what only confirms something is not asked otherwise. */
  has(key: MetricKey): boolean {
    return this.#pollsWith(key).length > 0;
  }

  /** The first poll since the broadcast was ready that has any of them; milliseconds since the epoch. */
  get firstAt(): number | undefined {
    const { inputReady = Infinity } = this.record.times;
    const polls = METRIC_KEYS.flatMap((key) => this.#pollsWith(key));
    return polls
      .map(({ at }) => at)
      .filter((at) => at >= inputReady)
      .sort((a, b) => a - b)[0];
  }

  /**
   * What kind it is by its TYPE line, or by its samples where there is none; `untyped` where these do not tell.
   *
   * @throws CannotBeShown as every reading
   */
  kindOf(key: MetricKey): string {
    const { name } = this.#mapping(key);
    const types = this.polls.at(-1)?.types ?? {};
    const said = familyType(types, name);
    if (said !== undefined && !['untyped', 'unknown'].includes(said)) return said;
    const { samples = [] } = this.polls.findLast((poll) => poll.samples.length > 0) ?? {};
    const has = (part: string): boolean => samples.some((one) => one.name === name + part);
    if (has('_bucket')) return 'histogram';
    if (has('_count') && has('_sum')) return 'summary';
    const isThere = said !== undefined || has('_total') || has('');
    return isThere && Object.keys(types).length === 0 ? 'untyped' : (said ?? 'not there');
  }

  /** By name of a sample, the labels that it has in any poll; gathered once, as every reading asks for them. */
  get #labelsOf(): ReadonlyMap<string, ReadonlySet<string>> {
    this.#labelsSeen ??= labelsIn(this.polls);
    return this.#labelsSeen;
  }

  #pollsWith(key: MetricKey): MetricsRecord[] {
    try {
      const { name, labels } = this.#series(key, {});
      return this.polls.filter(({ samples }) => partsOf(samples, name, labels).length > 0);
    } catch (error) {
      if (error instanceof CannotBeShown) return [];
      throw error;
    }
  }

  /** By how much a counter rose during the broadcast. @param wanted labels and values as the specs have them */
  counter(key: MetricKey, wanted: Labels = {}): Finding<{ delta: number }> {
    const { name, labels } = this.#series(key, wanted);
    const [first, last] = [this.polls[0], this.polls.at(-1)];
    if (!first || !last) return unobserved(NEVER_READ);
    return counterDelta(first.samples, last.samples, name, labels);
  }

  /** When a counter rose, once for each that was counted. */
  rises(key: MetricKey, wanted: Labels = {}): Rise[] {
    const { name, labels } = this.#series(key, wanted);
    return this.polls.slice(1).flatMap((poll, i): Rise[] => {
      const before = this.polls[i];
      const rise = before && counterDelta(before.samples, poll.samples, name, labels);
      if (!rise?.observed) return [];
      return Array.from({ length: rise.delta }, () => ({ after: before?.at ?? NaN, by: poll.at }));
    });
  }

  /** A gauge in every poll that has it. */
  gauge(key: MetricKey): Polled<number>[] {
    const { name, labels } = this.#series(key, {});
    return this.polls.flatMap(({ at, samples }) => {
      const [found] = matching(samples, name, labels);
      return found ? [{ at, value: found.value }] : [];
    });
  }

  /** The breaker's state in every poll that has it; a value that stands for none as text. */
  breakerStates(): Polled<string>[] {
    const { labels: theirs = {}, values = {} } = this.#mapping('breakerState');
    const coded = BREAKER_STATES.map((state, usual) => [state, values[state] ?? usual] as const);
    const inLabel = theirs['state'];
    if (inLabel === undefined) {
      return this.gauge('breakerState').map(({ at, value }) => {
        const [state] = coded.find(([, code]) => Number(code) === value) ?? [String(value)];
        return { at, value: state };
      });
    }
    const { name, labels } = this.#series('breakerState', {});
    return this.polls.flatMap(({ at, samples }) => {
      const said = matching(samples, name, labels).find(({ value }) => value === 1);
      const word = said?.labels[inLabel];
      if (word === undefined) return [];
      const state = BREAKER_STATES.find((one) => String(values[one] ?? one) === word);
      return [{ at, value: state ?? word }];
    });
  }

  /**
   * Measured times during the broadcast, in ms: by the buckets of a histogram; by the values that a gauge had since the
   * output was there, as before it may still hold that of the stream before; by what a summary summed up between two polls.
   */
  measured(key: MetricKey): Finding<Measured> {
    const { name, labels } = this.#series(key, {});
    const [first, last] = [this.polls[0], this.polls.at(-1)];
    if (!first || !last) return unobserved(NEVER_READ);
    const scale = this.#mapping(key).unit === 's' ? 1000 : 1;
    const suffixes = ['_bucket', '_count', ''] as const;
    const part = suffixes.find((one) => matching(last.samples, name + one, labels).length > 0);
    if (part === '_bucket' || part === undefined) {
      const found = histogram(last.samples, name, labels);
      if (!found.observed) return found;
      const before = histogram(first.samples, name, labels);
      const seen = histogramSince(found, before, scale);
      return { ...{ observed: true, kind: 'histogram' }, histogram: seen, ...totalsOf(seen) };
    }
    if (part === '_count') return this.#summary(name, labels, scale);
    const { outputReady = Infinity } = this.record.times;
    const shown = this.gauge(key).filter(({ at, value }) => at >= outputReady && isFinite(value));
    if (shown.length === 0) return unobserved(`${name} had no value while there was an output`);
    return { observed: true, kind: 'gauge', values: shown.map(({ value }) => scale * value) };
  }

  /** By the mean of what it has counted from each poll to the next: of one observation, that observation. */
  #summary(name: string, labels: Labels, scale: number): Finding<Measured> {
    const read = (samples: readonly Sample[] = [], part: string): number =>
      matching(samples, name + part, labels).reduce((sum, { value }) => sum + value, 0);
    const rises = this.polls.slice(1).map(({ samples }, i) => {
      const before = this.polls[i]?.samples;
      const count = read(samples, '_count') - read(before, '_count');
      return { count, sumMs: scale * (read(samples, '_sum') - read(before, '_sum')) };
    });
    const counted = rises.filter(({ count }) => count > 0);
    const count = counted.reduce((sum, one) => sum + one.count, 0);
    const sumMs = counted.reduce((sum, one) => sum + one.sumMs, 0);
    const values = counted.map((one) => one.sumMs / one.count);
    return { observed: true, kind: 'summary', values, count, sumMs };
  }

  #mapping(key: MetricKey): MetricMapping {
    const mapping = mappingOf(this.names, key);
    if (mapping) return mapping;
    throw new CannotBeShown({
      ...{ what: 'media-service has no metric that says so', where: `metrics.${key}` },
      ...{ seen: 'absent (acceptance.yaml)', expected: 'the metric of the specs, or one like it' },
      next: 'where it has one, say in acceptance.yaml what it is called (docs/your-own-services.md, Metrics and logs)',
    });
  }

  /** The series of this stream by its name and labels in the samples; with `wanted`, as the specs have them. */
  #series(key: MetricKey, wanted: Labels): { name: string; labels: Labels } {
    const { name: said, labels: theirs = {}, values = {} } = this.#mapping(key);
    // In OpenMetrics the name of a counter has no suffix, and its sample has.
    const name = this.#labelsOf.has(`${said}_total`) ? `${said}_total` : said;
    const labels = Object.fromEntries(
      Object.entries(wanted)
        .filter(([label]) => theirs[label] !== 'none')
        .map(([label, value]) => [theirs[label] ?? label, String(values[value] ?? value)]),
    );
    const isUsual = PARTS.some((part) => this.#labelsOf.get(name + part)?.has(STREAM_LABEL));
    const stream = theirs['stream'] ?? (isUsual ? STREAM_LABEL : 'none');
    if (stream !== 'none') return { name, labels: { ...labels, [stream]: this.record.stream } };
    const { alongside = [] } = this.record;
    if (alongside.length === 0) return { name, labels };
    throw new CannotBeShown({
      what: 'the metric does not say of which stream it is, and another one was dubbed at the same time',
      ...{ where: `${name}, stream ${this.record.stream}`, seen: alongside.join(', ') },
      ...{ expected: 'a label that names the stream, or one stream at a time' },
      next: 'MAX_STREAMS=1, or the name of the label in acceptance.yaml (docs/your-own-services.md, Metrics and logs)',
    });
  }
}

function labelsIn(polls: readonly MetricsRecord[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { samples } of polls) {
    for (const { name, labels } of samples) {
      const known = found.get(name) ?? new Set();
      found.set(name, known);
      for (const label of Object.keys(labels)) known.add(label);
    }
  }
  return found;
}

function totalsOf({ count, sum }: Histogram): { count: number; sumMs: number } {
  return { count, sumMs: sum };
}

/** Every sample of a metric, of whatever kind it is. */
function partsOf(samples: readonly Sample[], name: string, labels: Labels): Sample[] {
  return PARTS.flatMap((part) => matching(samples, name + part, labels));
}
