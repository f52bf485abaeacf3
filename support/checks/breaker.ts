/** The circuit breaker: its states by the log and by its metric, against what went over the wire meanwhile. */
import { type BreakerPhase, type BreakerState, shownPhases } from '../analyze/breaker';
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { ResilienceFindings } from '../analyze/resilience-findings';
import type { Fragment } from '../broadcast/fragment';
import {
  type After,
  AT_ONCE_MS,
  type Count,
  mediaServiceLogOf,
  ofBroadcast,
  streamOf,
} from './builders';
import { assessed, type Assessment } from './criterion';

interface Breaker {
  phases: readonly BreakerPhase[];
  fragments: readonly Fragment[];
  /** All phases, for messages. */
  shown: string;
}

const where = (broadcast: BroadcastFindings): string => `circuit breaker of ${streamOf(broadcast)}`;

/** Assesses a breaker by its first change to a state; nothing can be said of one that never was in it. */
function onceIn(
  state: BreakerState,
  broadcast: BroadcastFindings,
  assess: (changed: BreakerPhase, breaker: Breaker) => Assessment,
): Assessment {
  const { breaker: phases, fragments } = new ResilienceFindings(broadcast);
  // The closed one at the start is no change.
  const changed = phases.slice(1).find((one) => one.state === state);
  const shown = shownPhases(phases);
  if (changed) return assess(changed, { phases, fragments, shown });
  return {
    ...assessed(false, shown, state),
    failure: `the breaker was never ${state}`,
    next: mediaServiceLogOf(broadcast),
  };
}

function closedAfter({ phases }: Breaker, { at }: BreakerPhase): BreakerPhase | undefined {
  return phases.find((phase) => phase.state === 'closed' && phase.at > at);
}

/** By the STS's answers, and by the log. */
export const breakerOpensAfterErrors = ofBroadcast<Count & { code: string }>(
  'breaker-opens-after-errors',
  {
    title: 'The breaker opens after that many errors in a row',
    failure: 'the breaker opened after other errors',
    where,
    assess: (broadcast, { count, code }) =>
      onceIn('open', broadcast, ({ failures, failedBefore, trigger }, { shown }) =>
        assessed(
          failures === count && failedBefore === count && trigger.includes(code),
          `the STS had given ${failedBefore} errors in a row; the log says ${failures}, ${trigger}: ${shown}`,
          `${count}, ${code}`,
        ),
      ),
  },
);

/** With no answer at all in the whole broadcast. */
export const breakerOpensAfterTimeouts = ofBroadcast<Count>('breaker-opens-after-timeouts', {
  title: 'The breaker opens after that many timeouts in a row',
  failure: 'the breaker opened after another number of timeouts',
  where,
  assess: (broadcast, { count }) =>
    onceIn('open', broadcast, ({ failures, at }, { fragments, shown }) => {
      const timedOut = fragments.filter(
        ({ end, endedAt = Infinity }) => end === 'timed out' && endedAt <= at + AT_ONCE_MS,
      );
      const answered = fragments.filter(({ end }) => end === 'answered');
      return assessed(
        failures === count && timedOut.length === count && answered.length === 0,
        `${timedOut.length} timed out by then, ${answered.length} answered; the log says ${failures}: ${shown}`,
        `${count} timed out, none answered`,
      );
    }),
});

export const breakerNeverOpens = ofBroadcast('breaker-never-opens', {
  title: 'The breaker stays closed',
  failure: 'the breaker did not stay closed, or its metric was never seen',
  where,
  assess: (broadcast) => {
    const { breaker, breakerByMetric } = new ResilienceFindings(broadcast);
    const { compared, contradictions } = breakerByMetric;
    return assessed(
      breaker.length === 1 && compared > 0 && contradictions.length === 0,
      `${shownPhases(breaker)}; the metric, in ${compared} polls: ${contradictions.join('; ') || 'closed'}`,
      'closed, by the log and by the metric',
    );
  },
});

export const nothingSentWhileOpen = ofBroadcast('nothing-sent-while-open', {
  title: 'Nothing is sent while the breaker is open',
  failure: 'fragments were sent while the breaker was open',
  where,
  assess: (broadcast) =>
    onceIn('open', broadcast, ({ sent }, { shown }) =>
      assessed(sent === 0, `${sent}: ${shown}`, '0'),
    ),
});

/** From open to half-open, by the log. */
export const breakerHalfOpens = ofBroadcast<After>('breaker-half-opens', {
  title: 'The breaker is half-open after that time',
  failure: 'the breaker was open for another time',
  where,
  assess: (broadcast, { afterMs, toleranceMs }) =>
    onceIn('open', broadcast, (open) =>
      onceIn('half-open', broadcast, (halfOpen, { shown }) => {
        const tookMs = halfOpen.at - open.at;
        const isFine = Math.abs(tookMs - afterMs) <= toleranceMs;
        return assessed(isFine, `${tookMs} ms: ${shown}`, `${afterMs} ms ± ${toleranceMs} ms`);
      }),
    ),
});

export const breakerProbes = ofBroadcast<Count>('breaker-probes', {
  title: 'While the breaker is half-open, that many fragments are sent',
  failure: 'another number of probes was sent',
  where,
  assess: (broadcast, { count }) =>
    onceIn('half-open', broadcast, ({ sent }, { shown }) =>
      assessed(sent === count, `${sent}: ${shown}`, String(count)),
    ),
});

/** Answer on the wire and change in the log, at once. */
export const breakerClosesWithProbe = ofBroadcast('breaker-closes-with-probe', {
  title: 'The breaker closes when its probe is answered',
  failure: 'the breaker did not close with the answer to its probe',
  where,
  assess: (broadcast) =>
    onceIn('half-open', broadcast, (halfOpen, breaker) => {
      const probe = breaker.fragments.find(({ sentAt }) => sentAt >= halfOpen.at);
      const closed = closedAfter(breaker, halfOpen);
      const answeredAt = probe?.end === 'answered' ? probe.endedAt : undefined;
      const tookMs = closed && answeredAt !== undefined ? closed.at - answeredAt : undefined;
      const after =
        tookMs === undefined ? 'not closed by it' : `closed ${tookMs} ms after its answer`;
      return assessed(
        tookMs !== undefined && Math.abs(tookMs) <= AT_ONCE_MS,
        `probe ${probe?.end ?? 'not sent'}; ${after}: ${breaker.shown}`,
        `closed within ${AT_ONCE_MS} ms of the answer`,
      );
    }),
});

export const dubbingResumes = ofBroadcast('dubbing-resumes', {
  title: 'Fragments are sent and answered again after the breaker has closed',
  failure: 'dubbing did not go on after the breaker had closed',
  where,
  assess: (broadcast) =>
    onceIn('half-open', broadcast, (halfOpen, breaker) => {
      const { at: closedAt = Infinity } = closedAfter(breaker, halfOpen) ?? {};
      const { length } = breaker.fragments.filter(
        ({ sentAt, end }) => sentAt >= closedAt && end === 'answered',
      );
      return assessed(length > 0, `${length} fragments answered: ${breaker.shown}`, 'at least 1');
    }),
});

/** Metric against log: in as many polls as there were states, at least. */
export const breakerMetricAgrees = ofBroadcast('breaker-metric', {
  title: 'The breaker metric shows its real state throughout',
  failure: 'the breaker metric contradicts the log, or was not seen often enough',
  assess: (broadcast) => {
    const { breaker, breakerByMetric } = new ResilienceFindings(broadcast);
    const { compared, contradictions } = breakerByMetric;
    return assessed(
      compared >= breaker.length && contradictions.length === 0,
      `${compared} polls; ${contradictions.join('; ') || 'no contradiction'}`,
      `the same in at least ${breaker.length} polls`,
    );
  },
});

export const breakerOpenAtEnd = ofBroadcast('breaker-open-at-end', {
  title: 'The breaker is open at the end',
  failure: 'the breaker was not open at the end',
  where,
  assess: (broadcast) => {
    const { breaker } = new ResilienceFindings(broadcast);
    return assessed(breaker.at(-1)?.state === 'open', shownPhases(breaker), 'open');
  },
});
