/** The circuit breaker, by what goes over the wire; what media-service says of it only confirms that. */
import {
  breakerChanges,
  confirmed,
  type Exchange,
  exchangeIn,
  isSuccess,
  type OpenBreaker,
  openBreakers,
  openTime,
} from '../analyze/breaker';
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { Polled } from '../analyze/metric-findings';
import { ResilienceFindings } from '../analyze/resilience-findings';
import type { Fragment } from '../broadcast/fragment';
import { mappingOf, metricName } from '../broadcast/service-names';
import { NotObserved } from '../base/errors';
import { type After, type Count, mediaServiceLogOf, ofBroadcast, streamOf } from './builders';
import { assessed, type Assessment } from './criterion';

const where = (broadcast: BroadcastFindings): string => `circuit breaker of ${streamOf(broadcast)}`;

/** Everything that was seen of a breaker. */
interface Breaker extends Exchange {
  opened: OpenBreaker[];
  /** What was sent and what became of it, for messages. */
  shown: string;
}

function breakerOf(broadcast: BroadcastFindings): Breaker {
  const { fragments, events } = new ResilienceFindings(broadcast);
  const exchange = exchangeIn(broadcast, fragments, events);
  return { ...exchange, opened: openBreakers(exchange), shown: shownFragments(fragments) };
}

/** In seconds from the first fragment on. When a fragment times out is not seen: it is what media-service has announced. */
function shownFragments(fragments: readonly Fragment[]): string {
  const begin = fragments[0]?.sentAt ?? 0;
  const seconds = (at: number): string => ((at - begin) / 1000).toFixed(1);
  const all = fragments.map(({ sentAt, endedAt, end, errorCode }) => {
    const until = endedAt === undefined ? '' : ` at ${seconds(endedAt)} s`;
    const assumed = end === 'timed out' ? ' (assumed, as announced)' : '';
    return `sent at ${seconds(sentAt)} s: ${errorCode ?? end}${until}${assumed}`;
  });
  return all.join('; ') || 'no fragment was sent';
}

/** Where the metric only tells more closely what the wire tells as well. */
function breakerPolls({ metrics }: BroadcastFindings): Polled<string>[] {
  return metrics.has('breakerState') ? metrics.breakerStates() : [];
}

/**
 * What the metric has said in each poll; nothing where acceptance.yaml says that there is none.
 *
 * @throws NotObserved where it was not exported
 * @throws CannotBeShown where it does not say of which stream it is
 */
function statesSaid({ metrics, names, stream }: BroadcastFindings): Polled<string>[] {
  if (!mappingOf(names.metrics, 'breakerState')) return [];
  const states = metrics.breakerStates();
  if (states.length > 0) return states;
  throw new NotObserved({
    what: 'what media-service says of its breaker was not observed',
    where: `${metricName(names.metrics, 'breakerState')} of stream ${stream}`,
    ...{ seen: 'no value in any poll', expected: 'the metric, or "absent" in acceptance.yaml' },
  });
}

/** Assesses a breaker by the first time that it opens; nothing can be said of one that never does. */
function onceOpen(
  broadcast: BroadcastFindings,
  assess: (opened: OpenBreaker, breaker: Breaker) => Assessment,
): Assessment {
  const breaker = breakerOf(broadcast);
  const [opened] = breaker.opened;
  if (opened) return assess(opened, breaker);
  return never('open', broadcast, breaker.shown);
}

function onceProbed(
  broadcast: BroadcastFindings,
  assess: (probe: Fragment, opened: OpenBreaker, breaker: Breaker) => Assessment,
): Assessment {
  return onceOpen(broadcast, (opened, breaker) =>
    opened.probe
      ? assess(opened.probe, opened, breaker)
      : never('half-open', broadcast, breaker.shown),
  );
}

function never(state: string, broadcast: BroadcastFindings, shown: string): Assessment {
  return {
    ...assessed(false, shown, state),
    failure: `the breaker was never ${state}`,
    next: mediaServiceLogOf(broadcast),
  };
}

/** How many failures opened it: with more than so many, nothing was sent. */
function assessRow(
  { failures, least }: OpenBreaker,
  { shown }: Breaker,
  { count, kind, isKind }: Count & { kind: string; isKind: (failure: Fragment) => boolean },
): Assessment {
  const others = failures.filter((one) => !isKind(one)).length;
  return assessed(
    least <= count && count === failures.length && others === 0,
    `nothing was sent after ${failures.length} failures in a row, and after ${least - 1} still was; ${others} of them are no ${kind}: ${shown}`,
    `${count} in a row, ${kind}`,
  );
}

export const breakerOpensAfterErrors = ofBroadcast<Count & { code: string }>(
  'breaker-opens-after-errors',
  {
    title: 'The breaker opens after that many errors in a row',
    failure: 'the breaker opened after other errors',
    where,
    assess: (broadcast, { count, code }) =>
      onceOpen(broadcast, (opened, breaker) =>
        assessRow(opened, breaker, {
          ...{ count, kind: code },
          isKind: ({ errorCode }) => errorCode === code,
        }),
      ),
  },
);

/** With no answer at all in the whole broadcast. */
export const breakerOpensAfterTimeouts = ofBroadcast<Count>('breaker-opens-after-timeouts', {
  title: 'The breaker opens after that many timeouts in a row',
  failure: 'the breaker opened after another number of timeouts',
  where,
  assess: (broadcast, { count }) =>
    onceOpen(broadcast, (opened, breaker) => {
      const answered = breaker.fragments.filter(({ end }) => end === 'answered');
      if (answered.length > 0) return assessed(false, breaker.shown, 'no answer at all');
      const isKind = ({ end }: Fragment): boolean => end === 'timed out';
      return assessRow(opened, breaker, { count, kind: 'timeout', isKind });
    }),
});

/** No segment was held back after failures, and a metric never said otherwise. */
export const breakerNeverOpens = ofBroadcast('breaker-never-opens', {
  title: 'The breaker stays closed',
  failure: 'the breaker did not stay closed',
  where,
  assess: (broadcast) => {
    const { fragments, opened, shown } = breakerOf(broadcast);
    const others = statesSaid(broadcast).filter(({ value }) => value !== 'closed');
    const said = others.length > 0 ? `the metric said ${others[0]?.value}; ` : '';
    return assessed(
      fragments.length > 0 && opened.length === 0 && others.length === 0,
      `${said}${shown}`,
      'a fragment of every segment after a failure',
    );
  },
});

export const nothingSentWhileOpen = ofBroadcast<{ forMs: number }>('nothing-sent-while-open', {
  title: 'Nothing is sent while the breaker is open',
  failure: 'fragments were sent while the breaker was open',
  where,
  assess: (broadcast, { forMs }) =>
    onceOpen(broadcast, ({ openedAt }, { fragments, shown }) => {
      const untilMs = openedAt + forMs / broadcast.record.request.timeScale;
      const { length } = fragments.filter(({ sentAt }) => sentAt > openedAt && sentAt < untilMs);
      return assessed(length === 0, `${length}: ${shown}`, `0 for ${forMs / 1000} s`);
    }),
});

/** The time for which it can have been open, against the limits: they have to have a moment in common. */
export const breakerHalfOpens = ofBroadcast<After>('breaker-half-opens', {
  title: 'The breaker is half-open after that time',
  failure: 'the breaker was open for another time',
  where,
  assess: (broadcast, { afterMs, toleranceMs }) =>
    onceProbed(broadcast, (_, opened, { periodMs, shown }) => {
      const { timeScale } = broadcast.record.request;
      const bounds = openTime(opened, periodMs, breakerPolls(broadcast));
      const { moreThan = NaN, atMost = NaN } = bounds ?? {};
      const isFine =
        timeScale * moreThan < afterMs + toleranceMs && timeScale * atMost >= afterMs - toleranceMs;
      const ms = (wall: number): string => `${Math.round(timeScale * wall)} ms`;
      return assessed(
        isFine,
        `more than ${ms(moreThan)}, at most ${ms(atMost)}: ${shown}`,
        `${afterMs} ms ± ${toleranceMs} ms, as far as segments and the metric tell it`,
      );
    }),
});

/** From the first fragment after the break to its answer. */
export const breakerProbes = ofBroadcast<Count>('breaker-probes', {
  title: 'While the breaker is half-open, that many fragments are sent',
  failure: 'another number of probes was sent',
  where,
  assess: (broadcast, { count }) =>
    onceProbed(broadcast, (probe, _, { fragments, shown }) => {
      const { sentAt: from, endedAt: until = Infinity } = probe;
      const { length } = fragments.filter(({ sentAt }) => sentAt >= from && sentAt <= until);
      return assessed(length === count, `${length}: ${shown}`, String(count));
    }),
});

/** With its answer, so that the fragment of the next segment is sent again. */
export const breakerClosesWithProbe = ofBroadcast('breaker-closes-with-probe', {
  title: 'The breaker closes when its probe is answered',
  failure: 'the breaker did not close with the answer to its probe',
  where,
  assess: (broadcast) =>
    onceProbed(broadcast, (probe, { next }, { periodMs, shown }) => {
      const tookMs = (next?.sentAt ?? Infinity) - probe.sentAt;
      return assessed(
        isSuccess(probe) && tookMs < 1.5 * periodMs,
        `probe: ${probe.errorCode ?? probe.end}; next fragment ${next ? `${tookMs} ms later` : 'never sent'}: ${shown}`,
        `a success, and the next fragment a segment (${periodMs} ms) later`,
      );
    }),
});

export const dubbingResumes = ofBroadcast('dubbing-resumes', {
  title: 'Fragments are sent and answered again after the breaker has closed',
  failure: 'dubbing did not go on after the breaker had closed',
  where,
  assess: (broadcast) =>
    onceProbed(broadcast, ({ endedAt = Infinity }, _, { fragments, shown }) => {
      const { length } = fragments.filter((one) => one.sentAt > endedAt && isSuccess(one));
      return assessed(length > 0, `${length} fragments answered: ${shown}`, 'at least 1');
    }),
});

export const breakerOpenAtEnd = ofBroadcast('breaker-open-at-end', {
  title: 'The breaker is open at the end',
  failure: 'the breaker was not open at the end',
  where,
  assess: (broadcast) => {
    const { opened, shown } = breakerOf(broadcast);
    const last = opened.at(-1);
    return assessed(last !== undefined && !last.probe, shown, 'nothing sent at the end');
  },
});

/** A system that is known to have neither says nothing that could be wrong: its breaker is judged from the wire alone. */
export const breakerConfirmed = ofBroadcast('breaker-confirmed', {
  title: 'The metric and the log do not contradict what the breaker was seen to do',
  failure: 'the metric or the log of the breaker contradicts what went over the wire',
  where,
  assess: (broadcast) => {
    const { opened, periodMs, fragments } = breakerOf(broadcast);
    const polls = statesSaid(broadcast);
    const hasLog = broadcast.hasLog(broadcast.names.mediaService);
    const changes = hasLog ? breakerChanges(new ResilienceFindings(broadcast).logLines) : [];
    const begin = fragments[0]?.sentAt ?? 0;
    const { compared, contradictions } = confirmed(opened[0], periodMs, { polls, changes }, begin);
    return {
      deviations: contradictions.map((text) => ({ text })),
      seen: `${compared} polls of the metric and lines of the log compared`,
      expected: 'the states that the wire shows',
    };
  },
});
