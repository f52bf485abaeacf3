import type { MetricsRecord } from '../broadcast/evidence';
import type { TapEvent } from '../observe/tap';
import { answersOf } from './exchange';
import { type Labels, matching } from './prometheus';
import { type LogLine, textOf } from './service-log';

/** By the value of the metric (spec 018). */
const STATES = ['closed', 'open', 'half-open'] as const;
export type BreakerState = (typeof STATES)[number];

/** A change of the circuit breaker, as media-service logs it. */
export interface BreakerChange {
  at: number;
  state: BreakerState;
  trigger: string;
  /** Failures in a row by then. */
  failures: number | undefined;
}

/** One state of the breaker and what media-service did in it; times are milliseconds since the epoch. */
export interface BreakerPhase extends BreakerChange {
  /** Until the next change; undefined for the last phase. */
  until: number | undefined;
  /** Fragments that were sent to the STS in it. */
  sent: number;
  /** Failed answers in a row that the STS had given when it began, as seen between the services. */
  failedBefore: number;
}

/** Log, wire and metric are told by different clocks of one machine, and the metric is read some time after it was set. */
const SLACK_MS = 400;

/** The changes that a log tells of: lines that speak of the circuit breaker and name a state. */
export function breakerChanges(lines: readonly LogLine[]): BreakerChange[] {
  return lines.flatMap(({ at, message, fields }) => {
    const state = STATES.find((one) => one === textOf(fields['state']).replace('_', '-'));
    if (!/circuit breaker/i.test(message) || state === undefined || at === undefined) return [];
    const failures = fields['failure_count'];
    return [
      {
        ...{ at, state, trigger: textOf(fields['trigger']) },
        failures: typeof failures === 'number' ? failures : undefined,
      },
    ];
  });
}

/**
 * The life of a breaker that was closed at first.
 *
 * @param events of the stream, as the tap saw them
 */
export function breakerPhases(
  changes: readonly BreakerChange[],
  events: readonly TapEvent[],
  startedAt: number,
): BreakerPhase[] {
  const first: BreakerChange = { at: startedAt, state: 'closed', trigger: 'start', failures: 0 };
  const all = [first, ...changes];
  const sends = events.filter(({ event }) => event === 'fragment:data');
  return all.map((change, i) => {
    const until = all[i + 1]?.at;
    const sent = sends.filter(({ at }) => at >= change.at && at < (until ?? Infinity)).length;
    return { ...change, until, sent, failedBefore: failuresInARow(events, change.at) };
  });
}

/** How many of the last answers before a moment were failures, without a success between them. */
function failuresInARow(events: readonly TapEvent[], before: number): number {
  const answers = answersOf(events).filter(({ at }) => at <= before + SLACK_MS);
  const lastSuccess = answers.findLastIndex(({ code }) => code === undefined);
  return answers.length - 1 - lastSuccess;
}

/** Looks at the metric that contradict the phases, in words; looks within 0.4 s of a change prove nothing. */
export function gaugeAgainstPhases(
  looks: readonly MetricsRecord[],
  phases: readonly BreakerPhase[],
  name: string,
  labels: Labels,
): { compared: number; contradictions: string[] } {
  const contradictions: string[] = [];
  let compared = 0;
  for (const { at, samples } of looks) {
    const [seen] = matching(samples, name, labels);
    const phase = phases.findLast((one) => one.at + SLACK_MS <= at);
    if (!seen || !phase || at >= (phase.until ?? Infinity) - SLACK_MS) continue;
    compared += 1;
    const state = STATES[seen.value];
    if (state !== phase.state) {
      contradictions.push(`${secondsFrom(phases, at)}: ${state ?? seen.value}, not ${phase.state}`);
    }
  }
  return { compared, contradictions };
}

/** A time line for people. */
export function shownPhases(phases: readonly BreakerPhase[]): string {
  return phases
    .map(
      ({ at, state, trigger, failures, sent }) =>
        `${secondsFrom(phases, at)}: ${state} (${trigger}${failures ? `, ${failures} failures` : ''}), ${sent} sent`,
    )
    .join('\n');
}

function secondsFrom(phases: readonly BreakerPhase[], at: number): string {
  return `${((at - (phases[0]?.at ?? at)) / 1000).toFixed(1)} s`;
}
