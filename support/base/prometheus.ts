import { SuiteError } from './errors';

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

/**
 * Reads Prometheus text format 0.0.4 and the OpenMetrics text of the same kind (exemplars, `# EOF`), with quoted names
 * of any characters, `{"a.name","a label"="value"} 1`, as in text format 1.0.0.
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
      // Which of two values of one series holds is unknown.
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
  const quoted = rest.startsWith('"') ? restOfValue(rest, 1, fail) : undefined;
  const plain = quoted ? undefined : /^[a-zA-Z_:][a-zA-Z0-9_:]*/.exec(rest)?.[0];
  const name = quoted?.text ?? plain ?? fail(`# ${keyword} <metric name> …`);
  const after = rest.slice(quoted?.end ?? name.length);
  if (!/^([ \t]|$)/.test(after)) fail(`# ${keyword} <metric name> …`);
  const value = after.trimStart();
  const family = families.get(name) ?? {};
  if ((keyword === 'TYPE' ? family.type : family.help) !== undefined) {
    fail(`# ${keyword} of ${name} once`);
  }
  if (keyword === 'TYPE') family.type = value.trim();
  else family.help = value.replace(/\\(\\|n)/g, (_, c: string) => (c === 'n' ? '\n' : '\\'));
  families.set(name, family);
}

function readSample(line: string, timestampUnitMs: number, fail: Fail): Sample {
  const begin = /^[ \t]*([a-zA-Z_:][a-zA-Z0-9_:]*)?[ \t]*/.exec(line);
  const { labels, end, quotedName } = readLabels(line, begin?.[0].length ?? 0, fail);
  const name = begin?.[1] ?? quotedName ?? fail('a line that begins with a metric name');
  if (begin?.[1] !== undefined && quotedName !== undefined) fail('one name of the metric');
  const [body, exemplarText] = splitOnce(line.slice(end), '#');
  const { value, timestampMs } = readValue(body, timestampUnitMs, fail);
  const sample: Sample = { name, labels, value };
  if (timestampMs !== undefined) sample.timestampMs = timestampMs;
  if (exemplarText !== undefined) {
    const text = exemplarText.trimStart();
    if (!text.startsWith('{')) fail('an exemplar like # {trace_id="1"} 0.5');
    const exemplar = readLabels(text, 0, fail);
    if (exemplar.quotedName !== undefined) fail('an exemplar without a name');
    const numbers = readValue(text.slice(exemplar.end), 1000, fail);
    sample.exemplar = { labels: exemplar.labels, ...numbers };
  }
  return sample;
}

/** Reads `{a="b",…}` at `start`; without a brace there the labels are empty. A name of the metric may stand before them. */
function readLabels(
  line: string,
  start: number,
  fail: Fail,
): { labels: Labels; end: number; quotedName: string | undefined } {
  let quotedName: string | undefined;
  if (line[start] !== '{') return { labels: {}, end: start, quotedName };
  const labels = new Map<string, string>();
  let at = start + 1;
  for (;;) {
    const close = matchAt(/[ \t]*\}/y, line, at);
    // From a map, as any name may come: __proto__ as well.
    if (close) {
      return { labels: Object.fromEntries(labels), end: at + close[0].length, quotedName };
    }
    const { name, end: afterName } = readLabelName(line, at, fail);
    const value = matchAt(/[ \t]*=[ \t]*"/y, line, afterName);
    if (value) {
      if (labels.has(name)) fail(`label ${name} once`);
      const { text, end } = restOfValue(line, afterName + value[0].length, fail);
      labels.set(name, text);
      at = end;
    } else {
      if (line[afterName - 1] !== '"' || labels.size > 0 || quotedName !== undefined) {
        fail('labels like {name="value"}');
      }
      quotedName = name;
      at = afterName;
    }
    at += (matchAt(/[ \t]*(?:,|(?=\}))/y, line, at) ?? fail('a comma or }'))[0].length;
  }
}

/** A name as it is, or in quotes, where it may have any characters. */
function readLabelName(line: string, start: number, fail: Fail): { name: string; end: number } {
  const found =
    matchAt(/[ \t]*(?:([a-zA-Z_][a-zA-Z0-9_]*)|")/y, line, start) ??
    fail('labels like {name="value"}');
  const end = start + found[0].length;
  if (found[1] !== undefined) return { name: found[1], end };
  const quoted = restOfValue(line, end, fail);
  return { name: quoted.text, end: quoted.end };
}

/** What is left of a quoted text up to its quote, piece by piece: one expression for all of it would overflow. */
function restOfValue(line: string, start: number, fail: Fail): { text: string; end: number } {
  const [first = ''] = matchAt(/[^"\\]*/y, line, start) ?? [];
  const pieces = [first];
  let at = start + first.length;
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

/** A number as Prometheus writes it, `+Inf` and `NaN` too; undefined for any other text. */
export function readNumber(text: string): number | undefined {
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

/** The same text for the same labels, in whatever order. */
export function seriesKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A series as people write it: `name{label="value"}`. */
export function describeSeries(name: string, labels: Labels): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${value}"`);
  return pairs.length > 0 ? `${name}{${pairs.join(',')}}` : name;
}

/** The type of a metric: in the older text format a counter's family has the name of its series, in OpenMetrics not. */
export function familyType(
  types: Readonly<Record<string, string>>,
  name: string,
): string | undefined {
  return types[name] ?? types[name.replace(/_total$/, '')];
}
