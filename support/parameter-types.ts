import { defineParameterType } from '@cucumber/cucumber';

/** "5 seconds", "120 ms": milliseconds. */
defineParameterType({
  name: 'duration',
  regexp: /(\d+(?:\.\d+)?) (ms|seconds?)/,
  transformer: (value: string, unit: string) => Number(value) * (unit === 'ms' ? 1 : 1000),
  useForSnippets: false,
});

/** The fixtures by the names that product people use. */
export const fixtureNames = {
  'short broadcast': '12-s-nfl',
  'counting broadcast': '30s-counting-english',
  'silent broadcast': '12-s-silence',
  'noisy broadcast': '6-s-noise',
  'broadcast whose audio begins late': '12-s-late-audio',
  'broadcast without a audio track': '12-s-no-audio',
} as const;

/** A broadcast by its name; undefined is the one-minute broadcast, which is the configured one. */
defineParameterType({
  name: 'broadcast',
  regexp: new RegExp(['one-minute broadcast', ...Object.keys(fixtureNames)].join('|')),
  transformer: (words: string) => (fixtureNames as Record<string, string | undefined>)[words],
  useForSnippets: false,
});

defineParameterType({
  name: 'service',
  regexp: /media server|media-service|STS/,
  transformer: (words: string) => words,
  useForSnippets: false,
});
