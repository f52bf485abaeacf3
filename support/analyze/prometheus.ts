import { SuiteError } from '../base/errors';
import { type Finding, unobserved } from './finding';

/** A line that is not Prometheus text format. */
export class PrometheusTextInvalid extends SuiteError {}

export type Labels = Readonly<Record<string, string>>;

export interface Exemplar {
  labels: Labels;
  value: number;
  timestampMs?: number;
}

export interface Sample {
  name: string;
  labels: Labels;
  /** May be NaN, Infinity or -Infinity. */
  value: number;
  timestampMs?: number;
  exemplar?: Exemplar;
}

export interface MetricFamily {
  /** `counter`, `gauge`, `histogram`, `summary`, `untyped`, …; absent without a TYPE line. */
  type?: string;
  help?: string;
}

export interface MetricsText {
  samples: Sample[];
  /** By the name in the HELP and TYPE lines. */
  families: Map<string, MetricFamily>;
}

export interface Bucket {
  /** Upper edge, inclusive; Infinity for the last one. */
  le: number;
  /** Observations at or below `le`, all lower buckets included. */
  cumulative: number;
}

export interface Histogram {
  count: number;
  /** In the unit of the metric. */
  sum: number;
  /** By rising edge, the last is +Inf. */
  buckets: Bucket[];
}

/**
 * Reads Prometheus text format 0.0.4 and the OpenMetrics text of the same kind (exemplars, `# EOF`).
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 *
 * @param where names the source in errors, e.g. the URL
 * @throws PrometheusTextInvalid with line number and text
 */
export function parsePrometheus(text: string, where = 'metrics'): MetricsText {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  // OpenMetrics timestamps are seconds, those of the older format milliseconds.
  const timestampUnitMs = lines.some((line) => line === '# EOF') ? 1000 : 1;
  const samples: Sample[] = [];
  const families = new Map<string, MetricFamily>();
  const known = new Set<string>();
  lines.forEach((line, index) => {
    const fail = (expected: string): never => {
      throw new PrometheusTextInvalid({
        what: `line ${index + 1} is not Prometheus text`,
        where,
        seen: line.slice(0, 300),
        expected,
      });
    };
    if (line.trim() === '') return;
    if (line.startsWith('#')) readComment(line, families, fail);
    else {
      const sample = readSample(line, timestampUnitMs, fail);
      // Of a series that is there twice nobody knows which value holds.
      const series = `${sample.name} ${seriesKey(sample.labels)}`;
      if (known.has(series)) fail('each series once');
      known.add(series);
      samples.push(sample);
    }
  });
  return { samples, families };
}

type Fail = (expected: string) => never;

function readComment(line: string, families: Map<string, MetricFamily>, fail: Fail): void {
  const [, keyword, rest = ''] = /^#[ \t]+(HELP|TYPE)(?:[ \t]+(.*))?$/s.exec(line) ?? [];
  if (keyword === undefined) return;
  const found = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]+(.*))?$/s.exec(rest);
  const name = found?.[1] ?? fail(`# ${keyword} <metric name> …`);
  const value = found?.[2] ?? '';
  const family = families.get(name) ?? {};
  if ((keyword === 'TYPE' ? family.type : family.help) !== undefined) {
    fail(`# ${keyword} of ${name} once`);
  }
  if (keyword === 'TYPE') family.type = value.trim();
  else family.help = value.replace(/\\(\\|n)/g, (_, c: string) => (c === 'n' ? '\n' : '\\'));
  families.set(name, family);
}

function readSample(line: string, timestampUnitMs: number, fail: Fail): Sample {
  const name = /^[ \t]*([a-zA-Z_:][a-zA-Z0-9_:]*)[ \t]*/.exec(line);
  if (!name?.[1]) return fail('a line that begins with a metric name');
  const { labels, end } = readLabels(line, name[0].length, fail);
  const [body, exemplarText] = splitOnce(line.slice(end), '#');
  const { value, timestampMs } = readValue(body, timestampUnitMs, fail);
  const sample: Sample = { name: name[1], labels, value };
  if (timestampMs !== undefined) sample.timestampMs = timestampMs;
  if (exemplarText !== undefined) {
    const text = exemplarText.trimStart();
    if (!text.startsWith('{')) fail('an exemplar like # {trace_id="1"} 0.5');
    const exemplar = readLabels(text, 0, fail);
    const numbers = readValue(text.slice(exemplar.end), 1000, fail);
    sample.exemplar = { labels: exemplar.labels, ...numbers };
  }
  return sample;
}

/** Reads `{a="b",…}` at `start`; without a brace there the labels are empty. */
function readLabels(line: string, start: number, fail: Fail): { labels: Labels; end: number } {
  if (line[start] !== '{') return { labels: {}, end: start };
  const labels = new Map<string, string>();
  let at = start + 1;
  for (;;) {
    const close = matchAt(/[ \t]*\}/y, line, at);
    // From a map, as any name may come: __proto__ as well.
    if (close) return { labels: Object.fromEntries(labels), end: at + close[0].length };
    const pair = matchAt(/[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"([^"\\]*)/y, line, at);
    if (pair?.[1] === undefined) return fail('labels like {name="value"}');
    if (labels.has(pair[1])) fail(`label ${pair[1]} once`);
    const { text, end } = restOfValue(line, at + pair[0].length, fail);
    labels.set(pair[1], (pair[2] ?? '') + text);
    at = end + (matchAt(/[ \t]*(?:,|(?=\}))/y, line, end) ?? fail('a comma or }'))[0].length;
  }
}

/** What is left of a label's value up to its quote, piece by piece: one expression for all of it would overflow. */
function restOfValue(line: string, start: number, fail: Fail): { text: string; end: number } {
  const pieces: string[] = [];
  let at = start;
  while (line[at] !== '"') {
    const piece = matchAt(/\\(.)([^"\\]*)/suy, line, at) ?? fail('a quote after the value');
    const [whole, escaped = '', plain = ''] = piece;
    const known =
      escaped === 'n' ? '\n' : escaped === '"' || escaped === '\\' ? escaped : undefined;
    pieces.push(known ?? `\\${escaped}`, plain);
    at += whole.length;
  }
  return { text: pieces.join(''), end: at + 1 };
}

/** @param pattern sticky */
function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

function readValue(
  text: string,
  timestampUnitMs: number,
  fail: Fail,
): { value: number; timestampMs?: number } {
  const [valueText = '', timestampText, ...more] = text.trim().split(/[ \t]+/);
  const value = readNumber(valueText) ?? fail('a number after the metric name');
  if (more.length > 0) fail('a value and at most a timestamp');
  if (timestampText === undefined) return { value };
  const timestamp = readNumber(timestampText) ?? fail('a number as timestamp');
  return { value, timestampMs: timestamp * timestampUnitMs };
}

function readNumber(text: string): number | undefined {
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return NaN;
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** The samples of that exact name whose labels include all of `labels`. */
export function matching(samples: readonly Sample[], name: string, labels: Labels = {}): Sample[] {
  return samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
}

/** The sum over all series of that name whose labels include `labels`. */
export function sumOf(
  samples: readonly Sample[],
  name: string,
  labels: Labels = {},
): Finding<{ sum: number; series: number }> {
  const found = matching(samples, name, labels);
  if (found.length === 0) return unobserved(`there is no ${describeSeries(name, labels)}`);
  return { observed: true, sum: total(found), series: found.length };
}

/**
 * By how much a counter rose between two samplings, summed over the series that match. A series that is new
 * counts from 0. A series that fell was reset and counts from 0 as well, as Prometheus' `increase` does.
 * A series that has gone, or is no finite number, makes the answer unobserved.
 */
export function counterDelta(
  before: readonly Sample[],
  after: readonly Sample[],
  name: string,
  labels: Labels = {},
): Finding<{ delta: number; resets: number; series: number }> {
  const then = new Map(matching(before, name, labels).map((s) => [seriesKey(s.labels), s]));
  const now = new Map(matching(after, name, labels).map((s) => [seriesKey(s.labels), s]));
  if (now.size === 0) return unobserved(`there is no ${describeSeries(name, labels)} afterwards`);
  for (const [key, series] of then) {
    if (!now.has(key)) return unobserved(`${describeSeries(name, series.labels)} has gone`);
  }
  let delta = 0;
  let resets = 0;
  for (const [key, { value }] of now) {
    const from = then.get(key)?.value ?? 0;
    if (!Number.isFinite(value) || !Number.isFinite(from)) {
      return unobserved(`${describeSeries(name, labels)} is ${value}, was ${from}`);
    }
    const reset = value < from;
    delta += reset ? value : value - from;
    if (reset) resets += 1;
  }
  return { observed: true, delta, resets, series: now.size };
}

/** The histogram of that base name (without `_bucket`), summed over the series whose labels include `labels`. */
export function histogram(
  samples: readonly Sample[],
  name: string,
  labels: Labels = {},
): Finding<Histogram> {
  const counts = matching(samples, `${name}_count`, labels);
  const sums = matching(samples, `${name}_sum`, labels);
  const buckets = matching(samples, `${name}_bucket`, labels);
  const missing = Object.entries({ _count: counts, _sum: sums, _bucket: buckets })
    .filter(([, found]) => found.length === 0)
    .map(([suffix]) => describeSeries(name + suffix, labels));
  if (missing.length > 0) return unobserved(`there is no ${missing.join(', no ')}`);

  const byEdge = new Map<number, Sample[]>();
  for (const sample of buckets) {
    const le = readNumber(sample.labels['le'] ?? '');
    if (le === undefined) {
      return unobserved(`${describeSeries(sample.name, sample.labels)} has no usable le`);
    }
    byEdge.set(le, [...(byEdge.get(le) ?? []), sample]);
  }
  if (!byEdge.has(Infinity)) return unobserved(`${name} has no +Inf bucket`);
  if ([...byEdge.values()].some((series) => series.length !== counts.length)) {
    return unobserved(`the series of ${describeSeries(name, labels)} have different buckets`);
  }
  const [count, sum] = [total(counts), total(sums)];
  const edges = [...byEdge]
    .map(([le, series]) => ({ le, cumulative: total(series) }))
    .sort((a, b) => a.le - b.le);
  const rises = edges.every(({ cumulative }, i) => cumulative >= (edges[i - 1]?.cumulative ?? 0));
  if (!rises || edges.at(-1)?.cumulative !== count || !Number.isFinite(count + sum)) {
    const said = edges.map(({ le, cumulative }) => `${cumulative} up to ${le}`).join(', ');
    return unobserved(`${name} contradicts itself: count ${count}, sum ${sum}, ${said}`);
  }
  return { observed: true, count, sum, buckets: edges };
}

/**
 * What a histogram proves about a boundary. Buckets tell nothing about where inside of them an observation
 * lies, so a boundary between two edges is judged by the next lower edge.
 *
 * @param boundary in the unit of the metric, inclusive as `le` is
 * @returns `provenAtMost`: observations surely <= boundary; `maybeAbove`: all others; `provenAbove`: those
 *   of the others that are surely above; `edge`: the edge used, null when all edges are above the boundary
 */
export function countAbove(
  seen: Histogram,
  boundary: number,
): { provenAtMost: number; maybeAbove: number; provenAbove: number; edge: number | null } {
  const below = seen.buckets.filter(({ le }) => le <= boundary).at(-1);
  const above = seen.buckets.find(({ le }) => le >= boundary);
  const provenAtMost = below?.cumulative ?? 0;
  return {
    provenAtMost,
    maybeAbove: seen.count - provenAtMost,
    provenAbove: seen.count - (above?.cumulative ?? seen.count),
    edge: below?.le ?? null,
  };
}

function total(samples: readonly Sample[]): number {
  return samples.reduce((sum, { value }) => sum + value, 0);
}

function seriesKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function describeSeries(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return pairs.length > 0 ? `${name}{${pairs.join(',')}}` : name;
}
