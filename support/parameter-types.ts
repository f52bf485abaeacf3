/** The values in features' sentences. The patterns are literal: editors that know Cucumber read them from here. */
import { defineParameterType as defineForSteps } from '@cucumber/cucumber';
import { ParameterType } from '@cucumber/cucumber-expressions';

import { fixtureCalled } from './broadcast/fixture';
import { parameterTypes } from './session/plan';

/** For the steps, and for whoever reads them before the run (support/session/plan.ts). */
function defineParameterType(type: {
  name: string;
  regexp: RegExp;
  transformer: (...groups: string[]) => unknown;
}): void {
  const { name, regexp, transformer } = type;
  defineForSteps({ ...type, useForSnippets: false });
  parameterTypes.defineParameterType(
    new ParameterType(name, regexp, null, transformer, false, false),
  );
}

/** "5 seconds", "120 ms": milliseconds. */
defineParameterType({
  name: 'duration',
  regexp: /(\d+(?:\.\d+)?) (ms|seconds?)/,
  transformer: (value: string, unit: string) => Number(value) * (unit === 'ms' ? 1 : 1000),
});

/** "one-minute broadcast": the name of the fixture whose YAML says that it is called so; null is the configured one. */
defineParameterType({
  name: 'broadcast',
  regexp: /(?:[a-z0-9-]+ )+?broadcast/,
  transformer: (words: string) => fixtureCalled(words),
});

/** "media server", "media-service", "STS". */
defineParameterType({
  name: 'service',
  regexp: /media server|media-service|STS/,
  transformer: (words: string) => words,
});

/** "segment 2", "segments 0 to 4": their numbers, counted from 0. */
defineParameterType({
  name: 'segments',
  regexp: /segments? (\d+)(?: to (\d+))?/,
  transformer: (first: string, last?: string) =>
    Array.from({ length: Number(last ?? first) - Number(first) + 1 }, (_, i) => Number(first) + i),
});

/** What a message of a nested run of the suite has to name. */
defineParameterType({
  name: 'culprit',
  regexp: /that file|the file and line|the file|the port and its holder|the port/,
  transformer: (words: string) => words,
});

/** "A/V": editors do not read a slash that a pattern has to escape. */
defineParameterType({
  name: 'av',
  regexp: /A\/V/,
  transformer: (words: string) => words,
});
