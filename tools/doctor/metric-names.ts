/** Which of a service's metrics may be meant by a name of the specs that it does not have. */

/** From this likeness on, a metric is named as a near one. */
export const NEAR = 0.3;

/** Words that all names have in common say nothing. */
const COMMON = new Set(['total', 'worker', 'media', 'service', 'count', 'current', 'the', 'of']);

/** What different words of the field stand for. */
const SYNONYMS: Readonly<Record<string, string>> = {
  av: 'sync',
  avsync: 'sync',
  offset: 'delta',
  skew: 'delta',
  latency: 'time',
  duration: 'time',
  seconds: 'ms',
  milliseconds: 'ms',
  circuit: 'breaker',
  status: 'state',
  chunks: 'fragments',
  chunk: 'fragments',
  fragment: 'fragments',
  segment: 'segments',
  reconnects: 'reconnection',
  reconnections: 'reconnection',
  reconnect: 'reconnection',
  fallbacks: 'fallback',
  bypass: 'fallback',
  pressure: 'backpressure',
  outstanding: 'inflight',
};

function wordsOf(name: string): Set<string> {
  const parts = name
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll('in_flight', 'inflight')
    .replaceAll('back_pressure', 'backpressure')
    .split(/[_:.]+/);
  return new Set(parts.map((word) => SYNONYMS[word] ?? word).filter((word) => !COMMON.has(word)));
}

/** The share of words that two names have in common (Jaccard index, |A ∩ B| / |A ∪ B|): 0 to 1. */
export function likeness(one: string, other: string): number {
  const [words, others] = [wordsOf(one), wordsOf(other)];
  const common = [...words].filter((word) => others.has(word)).length;
  return common / (words.size + others.size - common || 1);
}
