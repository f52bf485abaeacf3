import { CannotBeShown } from '../base/errors';
import { describeSeries, familyType, type Labels, matching, type Sample } from '../base/prometheus';
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
import { isNameOf } from '../broadcast/stream-paths';
import { type Finding, unobserved } from './finding';
import { counterRises, type Histogram, histogram, histogramSince } from './metrics';

/** A value of a gauge; `at` is milliseconds since the epoch. */
export interface Polled<T> {
  at: number;
  value: T;
}

/** As a gauge is read: its value is of some time from `askedAt` to `at`. */
interface Gauge<T> extends Polled<T> {
  askedAt: number;
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
  #labelsSeen: LabelsSeen | undefined;

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

  /** The last poll; milliseconds since the epoch. */
  get lastAt(): number {
    return this.polls.at(-1)?.at ?? NaN;
  }

  /**
   * What kind it is by its TYPE line, or by its samples where there is none; `untyped` where these do not tell.
   *
   * @throws CannotBeShown as every reading
   */
  kindOf(key: MetricKey): string {
    const { name } = this.#mapping(key);
    const types = this.#types;
    const said = familyType(types, name);
    if (said !== undefined && !['untyped', 'unknown'].includes(said)) return said;
    const { samples = [] } = this.polls.findLast((poll) => poll.samples.length > 0) ?? {};
    const has = (part: string): boolean => samples.some((one) => one.name === name + part);
    if (has('_bucket')) return 'histogram';
    if (has('_count') && has('_sum')) return 'summary';
    const isThere = said !== undefined || has('_total') || has('');
    return isThere && Object.keys(types).length === 0 ? 'untyped' : (said ?? 'not there');
  }

  /** Whether a poll has it, of this stream as far as its labels tell. */
  isSampled(key: MetricKey): boolean {
    const { name, labels } = this.#found(key, {});
    return this.polls.some(({ samples }) => partsOf(samples, name, labels).length > 0);
  }

  /** By their names, the types that the metrics said last. */
  get #types(): Readonly<Record<string, string>> {
    return this.polls.findLast(({ types = {} }) => Object.keys(types).length > 0)?.types ?? {};
  }

  /** Gathered once, as every reading asks for them. */
  get #labels(): LabelsSeen {
    this.#labelsSeen ??= labelsIn(this.polls, this.record.stream);
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

  /**
   * By how much a counter rose during the broadcast; by 0 where it has no such series, but is there.
   *
   * @param wanted labels and values as the specs have them
   */
  counter(key: MetricKey, wanted: Labels = {}): Finding<{ delta: number }> {
    const found = this.#risesOf(key, wanted);
    if (!found.observed) return found;
    return { observed: true, delta: found.rises.reduce((sum, rise) => sum + rise, 0) };
  }

  /** By how much a counter rose for each value of a label of the specs, in the words of the service; what did not rise is left out. */
  countedBy(key: MetricKey, label: string): { value: string; delta: number }[] {
    const { name, labels } = this.#series(key, {});
    const theirs = this.#mapping(key).labels?.[label] ?? label;
    const looks = this.polls.map(({ samples }) => samples);
    const values = looks.flatMap((samples) =>
      matching(samples, name, labels).flatMap(({ labels: own }) => own[theirs] ?? []),
    );
    return [...new Set(values)].sort().flatMap((value) => {
      const found = counterRises(looks, name, { ...labels, [theirs]: value });
      const delta = found.observed ? found.rises.reduce((sum, rise) => sum + rise, 0) : 0;
      return delta > 0 ? [{ value, delta }] : [];
    });
  }

  /** When a counter rose, once for each that was counted. */
  rises(key: MetricKey, wanted: Labels = {}): Finding<{ rises: Rise[] }> {
    const found = this.#risesOf(key, wanted);
    if (!found.observed) return found;
    const rises = found.rises.flatMap((length, i): Rise[] => {
      const [after = NaN, by = NaN] = this.polls.slice(i, i + 2).map(({ at }) => at);
      return Array.from({ length }, () => ({ after, by }));
    });
    return { observed: true, rises };
  }

  #risesOf(key: MetricKey, wanted: Labels): Finding<{ rises: number[] }> {
    const { name, labels } = this.#series(key, wanted);
    if (this.polls.length === 0) return unobserved(NEVER_READ);
    const looks = this.polls.map(({ samples }) => samples);
    const isThere = looks.some((samples) => matching(samples, name, labels).length > 0);
    if (!isThere && !this.#couldCount(name, labels)) {
      return unobserved(`there is no ${describeSeries(name, labels)}`);
    }
    return counterRises(looks, name, labels);
  }

  /** Whether a series is missing only as it has counted nothing yet: others have its labels, or a TYPE line declares the metric. */
  #couldCount(name: string, labels: Labels): boolean {
    const there = this.#labels.of.get(name);
    if (!there) return familyType(this.#types, name) !== undefined;
    return Object.keys(labels).every((label) => there.has(label));
  }

  /** A gauge in every poll that has it; of several processes, all together. */
  gauge(key: MetricKey): Gauge<number>[] {
    return this.#gauges(key).map(({ askedAt, at, value }) => ({
      ...{ askedAt, at },
      value: value.reduce((sum, one) => sum + one, 0),
    }));
  }

  /** What each series of a gauge says, in every poll that has any. */
  #gauges(key: MetricKey): Gauge<number[]>[] {
    const { name, labels } = this.#series(key, {});
    return this.polls.flatMap(({ askedAt, at, samples }) => {
      const value = matching(samples, name, labels).map((one) => one.value);
      return value.length > 0 ? [{ askedAt: askedAt ?? at, at, value }] : [];
    });
  }

  /**
   * The breaker's state in every poll that has it; a value that stands for none as text. Of several processes, that of one which
   * is not closed.
   */
  breakerStates(): Polled<string>[] {
    const { labels: theirs = {}, values = {} } = this.#mapping('breakerState');
    const { name, labels } = this.#series('breakerState', {});
    const inLabel = theirs['state'];
    const ofCode = (code: number): string =>
      BREAKER_STATES.find((one, usual) => Number(values[one] ?? usual) === code) ?? String(code);
    const ofWord = (word: string): string =>
      BREAKER_STATES.find((one) => String(values[one] ?? one) === word) ?? word;
    return this.polls.flatMap(({ at, samples }) => {
      const states = matching(samples, name, labels).flatMap(({ value, labels: own }) => {
        if (inLabel === undefined) return ofCode(value);
        return value === 1 ? ofWord(own[inLabel] ?? '') : [];
      });
      const [first] = states;
      if (first === undefined) return [];
      return [{ at, value: states.find((state) => state !== 'closed') ?? first }];
    });
  }

  /**
   * Measured times during the broadcast, in ms: by the buckets of a histogram; by the values that a gauge had since the
   * output was there, as before it may still hold that of the stream before; by what a summary summed up between two polls.
   * A series that goes with its stream is read in the last poll that has it.
   */
  measured(key: MetricKey): Finding<Measured> {
    const { name, labels } = this.#series(key, {});
    const has = ({ samples }: MetricsRecord): boolean => partsOf(samples, name, labels).length > 0;
    const [first, last] = [this.polls[0], this.polls.findLast(has) ?? this.polls.at(-1)];
    if (!first || !last) return unobserved(NEVER_READ);
    if (!has(last) && DISTRIBUTIONS.includes(this.kindOf(key))) return NONE_MEASURED;
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
    const shown = this.#gauges(key).filter(({ at }) => at >= outputReady);
    const values = shown.flatMap(({ value }) => value).filter((value) => isFinite(value));
    if (values.length === 0) return unobserved(`${name} had no value while there was an output`);
    return { observed: true, kind: 'gauge', values: values.map((value) => scale * value) };
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

  /**
   * The series of this stream by its name and labels in the samples; with `wanted`, as the specs have them.
   *
   * @throws CannotBeShown where its labels do not name the stream, and another one was dubbed
   */
  #series(key: MetricKey, wanted: Labels): Series {
    const series = this.#found(key, wanted);
    const { alongside = [] } = this.record;
    if (series.namesStream || alongside.length === 0) return series;
    throw new CannotBeShown({
      what: 'the metric does not say of which stream it is, and another one was dubbed at the same time',
      ...{ where: `${series.name}, stream ${this.record.stream}`, seen: alongside.join(', ') },
      ...{ expected: 'a label that names the stream, or one stream at a time' },
      next: 'MAX_STREAMS=1, or the name of the label in acceptance.yaml (docs/your-own-services.md, Metrics and logs)',
    });
  }

  #found(key: MetricKey, wanted: Labels): Series {
    const { name: said, labels: theirs = {}, values = {} } = this.#mapping(key);
    // In OpenMetrics the name of a counter has no suffix, and its sample has.
    const name = this.#labels.of.has(`${said}_total`) ? `${said}_total` : said;
    const labels = Object.fromEntries(
      Object.entries(wanted)
        .filter(([label]) => theirs[label] !== 'none')
        .map(([label, value]) => [theirs[label] ?? label, String(values[value] ?? value)]),
    );
    const there = PARTS.flatMap((part) => this.#labels.of.get(name + part) ?? []);
    // One that was never exported has the label of the specs, as far as anybody knows.
    const isUsual = there.length === 0 || there.some((known) => known.has(STREAM_LABEL));
    const stream = theirs['stream'] ?? (isUsual ? STREAM_LABEL : 'none');
    if (stream === 'none') return { name, labels, namesStream: false };
    const called = this.#labels.streamIn.get(stream) ?? this.record.stream;
    return { name, labels: { ...labels, [stream]: called }, namesStream: true };
  }
}

/** Where a metric of the stream is found among samples. */
interface Series {
  name: string;
  labels: Labels;
  /** Whether one of the labels says of which stream it is. */
  namesStream: boolean;
}

/** The labels of all polls. */
interface LabelsSeen {
  /** By name of a sample, those that it has. */
  of: ReadonlyMap<string, ReadonlySet<string>>;
  /** By label, what the stream is called in it. */
  streamIn: ReadonlyMap<string, string>;
}

const DISTRIBUTIONS = ['histogram', 'summary'];

/** What a histogram or a summary has measured that is there, but has no series: that is made with its first value. */
const NONE_MEASURED: Finding<Measured> = {
  ...{ observed: true, kind: 'histogram', count: 0, sumMs: 0 },
  histogram: { count: 0, sum: 0, buckets: [] },
};

function labelsIn(polls: readonly MetricsRecord[], stream: string): LabelsSeen {
  const of = new Map<string, Set<string>>();
  const streamIn = new Map<string, string>();
  for (const { samples } of polls) {
    for (const { name, labels } of samples) {
      const known = of.get(name) ?? new Set();
      of.set(name, known);
      for (const [label, value] of Object.entries(labels)) {
        known.add(label);
        if (isNameOf(stream, value)) streamIn.set(label, value);
      }
    }
  }
  return { of, streamIn };
}

function totalsOf({ count, sum }: Histogram): { count: number; sumMs: number } {
  return { count, sumMs: sum };
}

/** Every sample of a metric, of whatever kind it is. */
function partsOf(samples: readonly Sample[], name: string, labels: Labels): Sample[] {
  return PARTS.flatMap((part) => matching(samples, name + part, labels));
}
