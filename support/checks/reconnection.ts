/** How media-service deals with a connection to the STS that is lost, or says nothing any more. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { Reconnection } from '../analyze/exchange';
import type { Rise } from '../analyze/metric-findings';
import { ResilienceFindings } from '../analyze/resilience-findings';
import { faultDoneAt } from '../broadcast/events';
import { CannotBeShown } from '../base/errors';
import { outcomeText } from '../broadcast/record';
import { mappingOf, metricName } from '../broadcast/service-names';
import { deviationsOf, inTime, observed, ofBroadcast, type Within } from './builders';
import { assessed, type Assessment } from './criterion';
import { mediaTimeOf } from './media-time';

const seenAtTap = ({ stream }: BroadcastFindings): string => `stream ${stream}, seen at the tap`;

const outcomeOf = ({ isRefused }: Reconnection): string => (isRefused ? 'refused' : 'accepted');

const isNear = (ms: number, wantedMs: number, percent: number): boolean =>
  Math.abs(ms - wantedMs) <= (wantedMs * percent) / 100;

/** Seconds from the loss to the first attempt, and from each attempt to the next; no further attempt. */
export const backsOff = ofBroadcast<{ seconds: readonly number[]; percent: number }>(
  'reconnection-backoff',
  {
    title: 'media-service attempts to reconnect with that backoff, and no more often',
    failure: 'it attempted to reconnect at other times, or another number of times',
    where: seenAtTap,
    assess: (broadcast, { seconds, percent }) => {
      const attempts = new ResilienceFindings(broadcast).reconnections;
      const shown = attempts.map(
        (one, i) =>
          `${(one.afterMs / 1000).toFixed(2)} s (${seconds[i] ?? 'none'}), ${outcomeOf(one)}`,
      );
      const isFine = attempts.every((one, i) =>
        isNear(one.afterMs / 1000, seconds[i] ?? NaN, percent),
      );
      return assessed(
        attempts.length === seconds.length && isFine,
        shown.join('; ') || 'no attempt',
        `${seconds.join(', ')} s ± ${percent} %, and no further attempt`,
      );
    },
  },
);

/** From the loss to the one attempt, which is accepted. */
export const reconnectsAtFirstAttempt = ofBroadcast<{ afterMs: number; percent: number }>(
  'reconnects-at-first-attempt',
  {
    title: 'media-service is reconnected at its first attempt, after that time',
    failure: 'it was not reconnected at its first attempt',
    where: seenAtTap,
    assess: (broadcast, { afterMs, percent }) => {
      const attempts = new ResilienceFindings(broadcast).reconnections;
      const isFine = attempts.every(
        (one) => isNear(one.afterMs, afterMs, percent) && !one.isRefused,
      );
      return assessed(
        attempts.length === 1 && isFine,
        attempts.map((one) => `${one.afterMs} ms, ${outcomeOf(one)}`).join('; ') || 'no attempt',
        `one attempt after ${afterMs} ms ± ${percent} %`,
      );
    },
  },
);

/**
 * A second stream:init, and the sequence numbers of what is sent on its connection.
 *
 * @throws CannotBeShown where fragments have none: `sequence_number` is optional (docs/contract.md)
 */
export const initialisedAgain = ofBroadcast('initialised-again', {
  title: 'The stream is initialised again, with sequence numbers from 0',
  failure: 'the stream was not initialised again, or sequence numbers go on',
  assess: (broadcast) => {
    const inits = broadcast.events('event', 'stream:init');
    const numbers = broadcast.fragments
      .filter(({ connection }) => connection === inits[1]?.connection)
      .map(({ sequence }) => sequence);
    if (numbers.length > 0 && numbers.every((number) => number === undefined)) {
      throw unnumbered(broadcast.stream);
    }
    return assessed(
      inits.length === 2 && numbers.length > 0 && numbers.every((number, i) => number === i),
      `${inits.length} stream:init; sequence numbers after the second: ${numbers.join(', ') || 'none'}`,
      '2 stream:init, then 0, 1, 2 …',
    );
  },
});

function unnumbered(stream: string): CannotBeShown {
  return new CannotBeShown({
    what: 'fragments have no sequence numbers that could begin again',
    ...{ where: `stream ${stream}`, seen: 'no sequence_number' },
    expected: 'fragment:data with a sequence_number',
  });
}

/** Segments are cut at whole frames and packets. */
const BOUNDARY_WITHIN_MS = 100;

/**
 * By the timestamps: every fragment, before and after the loss, begins where the one before it ended, or whole segments later,
 * and none is sent again: what was in flight at the loss has fallen back to its original audio.
 */
export const numberingAtBoundary = ofBroadcast('numbering-at-boundary', {
  title: 'Numbering restarts at the next segment boundary',
  failure: 'a fragment does not begin at a segment boundary',
  assess: ({ fragments, fixture, stream }) => {
    const segmentMs = 1000 * fixture.segmentSeconds;
    if (fragments.length > 0 && fragments.every(({ timestampMs }) => timestampMs === undefined)) {
      throw untimed(stream);
    }
    const begins = fragments.map((fragment, i) => {
      const before = fragments[i - 1];
      const { durationMs = segmentMs } = before?.audio ?? {};
      const lateMs = before && mediaTimeOf(fragment) - mediaTimeOf(before) - durationMs;
      const isAgain = fragments.findIndex((one) => one.fragmentId === fragment.fragmentId) < i;
      return { ...fragment, lateMs, isAgain };
    });
    return {
      deviations: deviationsOf(begins, ({ lateMs = 0, isAgain, ...fragment }) => {
        if (isAgain) return `${mediaTimeOf(fragment)} ms, sent again`;
        const offMs = lateMs - segmentMs * Math.max(0, Math.round(lateMs / segmentMs));
        const isAtBoundary = Math.abs(offMs) <= BOUNDARY_WITHIN_MS;
        return isAtBoundary ? undefined : `${mediaTimeOf(fragment)} ms, ${offMs} ms off`;
      }),
      seen: fragments.map((fragment) => `${mediaTimeOf(fragment)} ms`).join(', '),
      expected: `each where the one before ended, or multiples of ${segmentMs} ms later, ± ${BOUNDARY_WITHIN_MS} ms`,
    };
  },
});

function untimed(stream: string): CannotBeShown {
  return new CannotBeShown({
    what: 'fragments do not say where in the stream they begin',
    ...{ where: `stream ${stream}`, seen: 'no timestamp, or that of the clock' },
    expected: 'fragment:data with the time of the stream in timestamp',
  });
}

/**
 * When its metric counts a fallback, as far as two polls tell, against when the connection was lost. That the segment plays its
 * original audio is heard; when that was decided, neither wire nor audio tell.
 */
export const fallsBackAtLoss = ofBroadcast<Within>('falls-back-at-loss', {
  title: 'The fragment in flight falls back when the connection is lost',
  failure: 'the fragment in flight did not fall back at once',
  assess: (broadcast, { withinMs }) => {
    const found = new ResilienceFindings(broadcast);
    const lost = found.fragments.filter(({ end }) => end === 'disconnected');
    const expected = `one, within ${withinMs} ms`;
    if (lost.length !== 1) {
      return assessed(
        false,
        `${lost.length} fragments in flight when the connection was lost`,
        expected,
      );
    }
    const rises = fallbacksCounted(broadcast);
    const at = lost[0]?.endedAt ?? NaN;
    const next = rises.find(({ by }) => by >= at);
    const seen = next
      ? `counted ${next.after - at} to ${next.by - at} ms after the loss`
      : 'never counted';
    return assessed(next !== undefined && next.after - at <= withinMs, seen, expected);
  },
});

/**
 * When each fallback for that reason was counted; all of them where none is given.
 *
 * @throws CannotBeShown where the system has no metric that counts them
 * @throws NotObserved where it was not exported
 */
export function fallbacksCounted(broadcast: BroadcastFindings, reason?: string): Rise[] {
  const { metrics } = broadcast.names;
  const name = metricName(metrics, 'fallbacks');
  if (!mappingOf(metrics, 'fallbacks')) throw fallbackUntold(name);
  const found = new ResilienceFindings(broadcast).fallbacks(reason);
  return observed('metrics of media-service', name, found).rises;
}

function fallbackUntold(metric: string): CannotBeShown {
  return new CannotBeShown({
    ...{ what: 'nothing tells when a segment falls back to its original audio', where: metric },
    ...{
      seen: 'no metric that counts fallbacks',
      expected: 'worker_fallback_total, or one like it',
    },
  });
}

/** From the moment at which nothing got through any more to the next connection. */
export const reconnectsAfterSilence = ofBroadcast<Within>('reconnects-after-silence', {
  title: 'A silent connection is replaced in time',
  failure: 'the silent connection was not replaced in time',
  assess: ({ evidence, record }, limit) => {
    const muted = evidence.tap.find((event) => faultDoneAt(event)?.fault.does === 'mute');
    const again = muted && evidence.tap.find(({ kind, at }) => kind === 'open' && at > muted.at);
    const tookMs = again && again.at - muted.at;
    return inTime(tookMs, limit, `no further connection: ${outcomeText(record.outcome)}`);
  },
});

/**
 * Whether a worker has failed, by what it returned.
 *
 * @throws CannotBeShown where nobody outside of media-service can know it
 */
export function assessExit(exitCode: number | undefined): Assessment {
  if (exitCode !== undefined) {
    return assessed(exitCode !== 0, `exit code ${exitCode}`, 'another exit code than 0');
  }
  throw new CannotBeShown({
    what: 'the exit code of the worker cannot be seen from outside',
    where: 'media-service',
    seen: 'no line of its log about the stream has a field exit_code, and its process or container did not end with this stream alone, or was started again',
    expected:
      'a field exit_code in the line that says that a worker has ended; or a worker that is the service, and ends with its stream',
  });
}

/** As media-service tells it in a field of its log, or by its own end. */
export const workerFails = ofBroadcast('worker-fails', {
  title: 'The worker exits with a code other than 0',
  failure: 'the worker ended as if all was well',
  where: ({ stream, names }) => `${names.mediaService}.log, stream ${stream}`,
  assess: (broadcast) => assessExit(new ResilienceFindings(broadcast).exitCode),
});
