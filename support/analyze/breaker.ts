import type { MetricsRecord } from '../broadcast/evidence';
import type { Fragment } from '../broadcast/fragment';
import { type Labels, matching } from '../base/prometheus';
import { type LogLine, textOf } from './service-log';

/** The breaker's states, by the value of the metric (spec 018). */
const STATES = ['closed', 'open', 'half-open'] as const;
export type BreakerState = (typeof STATES)[number];

/** A change of the circuit breaker's state, as media-service logs it; `at` is milliseconds since the epoch. */
export interface BreakerChange {
  at: number;
  state: BreakerState;
  trigger: string;
  /** Consecutive failures by then. */
  failures: number | undefined;
}

/** One state of the breaker and what media-service did in it; times are milliseconds since the epoch. */
export interface BreakerPhase extends BreakerChange {
  /** Until the next change; undefined for the last phase. */
  until: number | undefined;
  /** Fragments that were sent to the STS in it. */
  sent: number;
  /** Consecutive failed answers of the STS when it began, as the tap saw them. */
  failedBefore: number;
}

/** Log, tap and metric take their times at different moments, and the metric is read some time after it was set. */
const SLACK_MS = 400;

/** The changes in a log: lines about the circuit breaker that name a state. */
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
 * The states of a breaker that was closed at first, one after the other.
 *
 * @param fragments of the stream, as the tap saw them
 */
export function breakerPhases(
  changes: readonly BreakerChange[],
  fragments: readonly Fragment[],
  startedAt: number,
): BreakerPhase[] {
  const first: BreakerChange = { at: startedAt, state: 'closed', trigger: 'start', failures: 0 };
  const all = [first, ...changes];
  return all.map((change, i) => {
    const until = all[i + 1]?.at;
    const sent = fragments.filter(
      ({ sentAt }) => sentAt >= change.at && sentAt < (until ?? Infinity),
    ).length;
    return { ...change, until, sent, failedBefore: failuresInARow(fragments, change.at) };
  });
}

/** How many answers before a moment were failures, back to the last success. */
function failuresInARow(fragments: readonly Fragment[], before: number): number {
  const answered = fragments
    .filter(({ end, endedAt = Infinity }) => end === 'answered' && endedAt <= before + SLACK_MS)
    .sort((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
  const lastSuccess = answered.findLastIndex(({ errorCode }) => errorCode === undefined);
  return answered.length - 1 - lastSuccess;
}

/** Polls of the metric that contradict the phases, as text; polls within 0.4 s of a change are not compared. */
export function gaugeAgainstPhases(
  polls: readonly MetricsRecord[],
  phases: readonly BreakerPhase[],
  name: string,
  labels: Labels,
): { compared: number; contradictions: string[] } {
  const contradictions: string[] = [];
  let compared = 0;
  for (const { at, samples } of polls) {
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

/** The phases as text, one a line. */
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
