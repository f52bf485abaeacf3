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
} as const;

/** A broadcast by its name; undefined is the one-minute broadcast, which is the configured one. */
defineParameterType({
  name: 'broadcast',
  regexp: /one-minute broadcast|short broadcast|counting broadcast/,
  transformer: (words: string) => (fixtureNames as Record<string, string | undefined>)[words],
  useForSnippets: false,
});

defineParameterType({
  name: 'service',
  regexp: /media server|media-service|STS/,
  transformer: (words: string) => words,
  useForSnippets: false,
});
