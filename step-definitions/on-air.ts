/** How scenarios declare broadcasts through the Echo STS, read by the step itself and by whoever starts them early. */
import type { EchoControl } from '../support/observe/echo-control';
import { match, readFault } from '../support/broadcast/faults';
import { SuiteError } from '../support/base/errors';
import type { BroadcastOptions } from '../support/session/session';

const BROADCAST =
  '(one minute of tones|\\d+ seconds of tones|tones with a slow sound clock|a broadcast without a sound track)';
const IS_ON_AIR = '(?:is|are) on the air(?: in segments of \\d+ seconds)?';
// Cucumber's HTML report shows a step twice where a bracket of its own is missing or empty.
/** The step's text without a table, and with one. */
export const ON_AIR = new RegExp(
  `^${BROADCAST} (${IS_ON_AIR}(?:, and the media server refuses the output)?)$`,
);
export const ON_AIR_WITH_TABLE = new RegExp(
  `^${BROADCAST} (${IS_ON_AIR}), and (this happens|the Echo STS is told):$`,
);

const FIXTURES: Record<string, string> = {
  'one minute of tones': '1-min-tones',
  'tones with a slow sound clock': '30-s-slow-sound-clock',
  'a broadcast without a sound track': '12-s-no-audio',
};
const TONES = '90-s-tones';
const SEGMENT_SECONDS = 6;

/** What the step's text holds: which broadcast, how it is on the air, and what the table says. */
export type OnAir = readonly string[];

/**
 * The broadcast that a step speaks of.
 *
 * @throws SuiteError for words of the table that nobody knows
 */
export function broadcastOf(
  [what = '', how = '', then]: OnAir,
  rows: readonly (readonly string[])[] = [],
): BroadcastOptions {
  const seconds = /^\d+/.exec(what)?.[0];
  return {
    name: FIXTURES[what] ?? TONES,
    ...(seconds ? { seconds: Number(seconds) } : {}),
    echo: { segmentSeconds: Number(/\d+/.exec(how)?.[0] ?? SEGMENT_SECONDS) },
    ...(then === 'this happens'
      ? { plan: rows.map(([place = '', event = '']) => readFault(place, event)) }
      : {}),
    ...(then === 'the Echo STS is told'
      ? { controls: rows.map(([words = '']) => told(words)) }
      : {}),
    ...(how.includes('refuses') ? { faults: { refuseOutput: true } } : {}),
  };
}

const CONTROLS: [RegExp, (found: string[]) => EchoControl][] = [
  [
    /^answer fragment (\d+) with the error ([A-Z_]+)$/,
    ([number, code]) => ({
      event: 'config:error_simulation',
      payload: {
        enabled: true,
        // The Echo STS counts from 1.
        rules: [{ trigger: 'nth_fragment', value: Number(number) + 1, error_code: code }],
      },
    }),
  ],
  [
    /^take (\d+) ms for each answer$/,
    ([ms]) => ({
      event: 'config:processing_delay',
      payload: { min_ms: Number(ms), max_ms: Number(ms) },
    }),
  ],
  [
    /^disconnect after (\d+) seconds$/,
    ([seconds]) => ({
      event: 'simulate:disconnect',
      payload: { delay_ms: 1000 * Number(seconds), reason: 'asked for by the scenario' },
    }),
  ],
];

function told(words: string): EchoControl {
  const control = match(CONTROLS, words);
  if (control) return control;
  throw new SuiteError({
    what: 'the Echo STS cannot be told that',
    where: `| ${words} |`,
    seen: words,
    expected: CONTROLS.map(([form]) => form.source).join(' or '),
  });
}
