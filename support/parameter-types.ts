import { defineParameterType } from '@cucumber/cucumber';

/** "5 seconds", "120 ms": milliseconds. */
defineParameterType({
  name: 'duration',
  regexp: /(\d+(?:\.\d+)?) (ms|seconds?)/,
  transformer: (value: string, unit: string) => Number(value) * (unit === 'ms' ? 1 : 1000),
  useForSnippets: false,
});

/** The broadcasts by the names that product people use; undefined is the configured one. */
defineParameterType({
  name: 'broadcast',
  regexp: /one-minute broadcast|short broadcast/,
  transformer: (words: string) => (words === 'short broadcast' ? '12-s-nfl' : undefined),
  useForSnippets: false,
});

defineParameterType({
  name: 'service',
  regexp: /media server|media-service|STS/,
  transformer: (words: string) => words,
  useForSnippets: false,
});
