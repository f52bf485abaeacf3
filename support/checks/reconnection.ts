/** How media-service deals with a connection to the STS that is lost, or says nothing any more. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { Reconnection } from '../analyze/exchange';
import { ResilienceFindings } from '../analyze/resilience-findings';
import { faultDoneAt } from '../broadcast/events';
import { outcomeText } from '../broadcast/record';
import { deviationsOf, inTime, observed, ofBroadcast, streamOf, type Within } from './builders';
import { assessed, type Assessment } from './criterion';

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

/** A second stream:init, and the sequence numbers of what is sent on its connection. */
export const initialisedAgain = ofBroadcast('initialised-again', {
  title: 'The stream is initialised again, with sequence numbers from 0',
  failure: 'the stream was not initialised again, or sequence numbers go on',
  assess: (broadcast) => {
    const inits = broadcast.events('event', 'stream:init');
    const numbers = broadcast.fragments
      .filter(({ connection }) => connection === inits[1]?.connection)
      .map(({ sequence }) => sequence);
    return assessed(
      inits.length === 2 && numbers.length > 0 && numbers.every((number, i) => number === i),
      `${inits.length} stream:init; sequence numbers after the second: ${numbers.join(', ') || 'none'}`,
      '2 stream:init, then 0, 1, 2 …',
    );
  },
});

/** The timestamp of every fragment, before and after the loss, is a multiple of the segments' length. */
export const numberingAtBoundary = ofBroadcast('numbering-at-boundary', {
  title: 'Numbering restarts at the next segment boundary',
  failure: 'a fragment does not begin at a segment boundary',
  assess: ({ fragments, fixture }) => {
    const segmentMs = 1000 * fixture.segmentSeconds;
    return {
      deviations: deviationsOf(fragments, ({ timestampMs: ms = NaN }) =>
        ms % segmentMs === 0 ? undefined : `${ms} ms`,
      ),
      seen: fragments.map(({ timestampMs }) => `${timestampMs} ms`).join(', '),
      expected: `multiples of ${segmentMs} ms`,
    };
  },
});

/** When media-service logs that it goes on without the answer, against when the connection was lost. */
export const fallsBackAtLoss = ofBroadcast<Within>('falls-back-at-loss', {
  title: 'The fragment in flight falls back when the connection is lost',
  failure: 'the fragment in flight did not fall back at once',
  assess: (broadcast, { withinMs }) => {
    const found = new ResilienceFindings(broadcast);
    const times = found.fragments
      .filter(({ end }) => end === 'disconnected')
      .map(({ fragmentId, endedAt = NaN }) => found.gaveUpAt(fragmentId) - endedAt);
    const nothing = 'no fragment was in flight when the connection was lost';
    return assessed(
      times.length === 1 && times.every((ms) => Math.abs(ms) <= withinMs),
      times.map((ms) => `${ms} ms`).join(', ') || nothing,
      `one, within ${withinMs} ms`,
    );
  },
});

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

/** Whether a worker says that it has failed. */
export function assessExit(exitCode: number): Assessment {
  return assessed(exitCode !== 0, `exit code ${exitCode}`, 'another exit code than 0');
}

/** The exit code of the worker, as media-service logs it. */
export const workerFails = ofBroadcast('worker-fails', {
  title: 'The worker exits with a code other than 0',
  failure: 'the worker ended as if all was well',
  where: ({ stream, names }) => `${names.mediaService}.log, stream ${stream}`,
  assess: (broadcast) => {
    const { exitCode: found } = new ResilienceFindings(broadcast);
    return assessExit(observed(streamOf(broadcast), 'an exit code', found).exitCode);
  },
});
