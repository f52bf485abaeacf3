/** How media-service follows the STS's requests to pause and to slow down. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { Backpressure } from '../analyze/exchange';
import { ResilienceFindings } from '../analyze/resilience-findings';
import type { Fragment } from '../broadcast/fragment';
import { metricName } from '../broadcast/service-names';
import { AT_ONCE_MS, type Count, ofBroadcast, riseOf, same, type Within } from './builders';
import { assessed, type Assessment } from './criterion';

/** Assesses the first request of a kind, which has to be there. */
function ofFirst(
  broadcast: BroadcastFindings,
  action: string,
  assess: (request: Backpressure, fragments: readonly Fragment[]) => Assessment,
): Assessment {
  const { backpressure, fragments } = new ResilienceFindings(broadcast);
  const request = backpressure.find((one) => one.action === action);
  const shown = shownRequests(backpressure);
  if (request) {
    const assessment = assess(request, fragments);
    return { ...assessment, seen: `${assessment.seen}\n${shown.join('\n')}` };
  }
  return {
    ...assessed(false, shown.join('; ') || 'it requested nothing', action),
    failure: `the STS did not request ${action}`,
  };
}

function shownRequests(backpressure: readonly Backpressure[]): string[] {
  const start = backpressure[0]?.from ?? 0;
  const seconds = (at: number): string => `${((at - start) / 1000).toFixed(2)} s`;
  return backpressure.map(
    ({ action, from, sentAt }) =>
      `${seconds(from)}: ${action}, then sent at ${sentAt.map(seconds).join(', ') || 'no time'}`,
  );
}

/**
 * Each pause, of which so many have to be seen. One in which nothing is due proves nothing: when it ends, something must have
 * been waiting.
 */
export const nothingSentInPause = ofBroadcast<Count>('nothing-sent-in-pause', {
  title: 'Nothing is sent during a pause',
  failure: 'fragments were sent during the pause, or none was waiting',
  assess: (broadcast, { count }) => {
    const { backpressure, fragments } = new ResilienceFindings(broadcast);
    const pauses = backpressure.filter(({ action }) => action === 'pause');
    const expected = `${counted(count, 'pause')}, none sent in it, at least one as soon as it ended`;
    if (pauses.length !== count) {
      const shown = shownRequests(backpressure).join('; ') || 'it requested nothing';
      const seen = `${counted(pauses.length, 'pause')}: ${shown}`;
      const failure = 'the STS did not request so many pauses';
      return { ...assessed(false, seen, expected), failure };
    }
    const judged = pauses.map((pause, i) => assessPause(pause, `pause ${i + 1}`, fragments));
    const deviations = judged.filter(({ isFine }) => !isFine).map(({ text }) => ({ text }));
    return { deviations, seen: judged.map(({ text }) => text).join('; '), expected };
  },
});

function assessPause(
  { from, until, sentAt }: Backpressure,
  name: string,
  fragments: readonly Fragment[],
): { isFine: boolean; text: string } {
  if (until === undefined) return { isFine: false, text: `${name} never ended` };
  const waiting = fragments.filter(({ sentAt: at }) => at >= until && at <= until + AT_ONCE_MS);
  return {
    isFine: sentAt.length === 0 && waiting.length > 0,
    text: `${name} of ${(until - from) / 1000} s, ${sentAt.length} sent in it, ${waiting.length} as soon as it ended`,
  };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** Fragments that waited are sent when the STS ends its backpressure. */
export const sentAfterPause = ofBroadcast<Count & Within>('sent-after-pause', {
  title: 'The end of a pause resumes sending',
  failure: 'another number of fragments was sent when the STS ended the backpressure',
  assess: (broadcast, { count, withinMs }) =>
    ofFirst(broadcast, 'none', ({ from, sentAt }) => {
      const soon = sentAt.filter((at) => at - from <= withinMs);
      return assessed(soon.length === count, String(soon.length), `${count} within ${withinMs} ms`);
    }),
});

/**
 * Fragments that come when they are cut, a segment apart, say nothing of the delay: one gap has to be shorter than half of
 * a segment.
 */
export const slowDownSpaces = ofBroadcast<{ least: number; apartMs: number }>('slow-down-spaces', {
  title: 'A slow-down spaces the fragments',
  failure: 'fragments were sent closer together than requested, or too few',
  assess: (broadcast, { least, apartMs }) =>
    ofFirst(broadcast, 'slow_down', ({ delayMs, sentAt }) => {
      const gaps = sentAt.slice(1).map((at, i) => at - (sentAt[i] ?? NaN));
      const waitingMs = 500 * broadcast.fixture.segmentSeconds;
      const isTested = gaps.some((gap) => gap < waitingMs);
      const isFine = delayMs === apartMs && gaps.every((gap) => gap >= apartMs);
      const shown = gaps.map((gap) => `${gap} ms`).join(', ') || 'none';
      return assessed(
        sentAt.length >= least && isFine && isTested,
        `requested ${delayMs} ms, ${sentAt.length} sent, gaps: ${shown}`,
        `${least} or more, every gap at least ${apartMs} ms, one of them less than ${waitingMs} ms, as fragments were waiting`,
      );
    }),
});

const ACTIONS = ['pause', 'slow_down', 'none'] as const;

/** How often the STS made each request, as media-service counts. */
export type BackpressureCounts = Record<(typeof ACTIONS)[number], number>;

export const backpressureCounts = ofBroadcast<BackpressureCounts>('backpressure-counts', {
  title: 'Every backpressure request is counted by its action',
  failure: 'the metrics count other backpressure requests',
  where: ({ stream, names }) =>
    `stream ${stream}, ${metricName(names.metrics, 'backpressureEvents')} by action ${ACTIONS.join(', ')}`,
  assess: (broadcast, limit) => {
    const counts = ACTIONS.map((action) => riseOf(broadcast, 'backpressureEvents', { action }));
    return same(counts.join(', '), ACTIONS.map((action) => limit[action]).join(', '));
  },
});
