/** Fragments on their way through the STS: how many at once, and how long they are waited for. */
import { inflightAt, inflightDuring, mostInflight } from '../analyze/exchange';
import { ResilienceFindings } from '../analyze/resilience-findings';
import type { Fragment } from '../broadcast/fragment';
import { outcomeText } from '../broadcast/record';
import { metricName } from '../broadcast/service-names';
import { type After, deviationsOf, ofBroadcast, type Within } from './builders';
import { assessed } from './criterion';
import { fallbacksCounted } from './reconnection';

function shownWaits(fragments: readonly Fragment[]): string {
  const start = fragments[0]?.sentAt ?? 0;
  const seconds = (at?: number): string =>
    at === undefined ? '-' : ((at - start) / 1000).toFixed(2);
  const waits = fragments.map(
    ({ sentAt, endedAt, end }) =>
      `${seconds(sentAt)} to ${seconds(endedAt)} s (${end}), ${inflightAt(fragments, sentAt)} in flight`,
  );
  return waits.join('; ');
}

/** A limit that is never reached was not tested. */
export const mostInFlight = ofBroadcast<{ most: number; reached: number }>('most-in-flight', {
  title: 'No more fragments are in flight at once than allowed, and as many are at least once',
  failure: 'another number of fragments was in flight at once',
  assess: (broadcast, { most, reached }) => {
    const { fragments } = new ResilienceFindings(broadcast);
    const seen = mostInflight(fragments);
    return assessed(
      seen <= most && seen === reached,
      `${seen} of ${fragments.length}: ${shownWaits(fragments)}`,
      `at most ${most}, and ${reached} at least once`,
    );
  },
});

/** A fragment that had to wait, as all slots were taken, is sent when one is free. */
export const answerFreesSlot = ofBroadcast<Within>('answer-frees-slot', {
  title: 'A waiting fragment is sent as soon as an answer frees a slot',
  failure: 'no fragment was sent as soon as a slot was free',
  assess: (broadcast, { withinMs }) => {
    const { fragments } = new ResilienceFindings(broadcast);
    const full = mostInflight(fragments);
    const freed = fragments.flatMap(({ sentAt }) => {
      const before = fragments.filter(
        (one) => one.sentAt < sentAt && (one.endedAt ?? Infinity) > sentAt - withinMs,
      );
      const ends = fragments.map(({ endedAt = 0 }) => (endedAt <= sentAt ? endedAt : 0));
      const waitedMs = sentAt - Math.max(...ends);
      return before.length >= full && waitedMs <= withinMs ? [waitedMs] : [];
    });
    const after = freed.length > 0 ? `sent ${freed.join(', ')} ms after an answer; ` : '';
    return assessed(
      freed.length > 0,
      `${after}${shownWaits(fragments)}`,
      `one sent within ${withinMs} ms of the answer to another, when ${full} were in flight`,
    );
  },
});

/** In ms: media-service may set the metric that long after, or before, the tap has seen the whole of a message. */
const SET_WITHIN_MS = 500;

/** A metric that stands still proves nothing: three values, at least, have to be seen. */
export const inFlightMetric = ofBroadcast('in-flight-metric', {
  title: 'The in-flight metric shows the real number throughout',
  failure: 'the metric does not show how many fragments are in flight, or was not seen to move',
  where: ({ stream, names }) => `stream ${stream}, ${metricName(names.metrics, 'inflight')}`,
  assess: (broadcast) => {
    const { fragments } = new ResilienceFindings(broadcast);
    const polls = broadcast.metrics.gauge('inflight').map(({ askedAt, at, value }) => ({
      value,
      possible: inflightDuring(fragments, askedAt - SET_WITHIN_MS, at + SET_WITHIN_MS),
    }));
    const wrong = polls.filter(({ value, possible }) => !possible.includes(value));
    const values = [...new Set(polls.map(({ value }) => value))].sort((a, b) => a - b);
    const shown = wrong
      .map(({ value, possible }) => `${value}, not ${possible.join(' or ')}`)
      .join('; ');
    return assessed(
      wrong.length === 0 && values.length > 2,
      `values ${values.join(', ') || 'none'}; wrong: ${shown || 'none'}`,
      'what was in flight between the services, at most 0.5 s before or after',
    );
  },
});

/**
 * On the wire: no fragment is answered, and the timeout that media-service has announced is that time. That it keeps to it only
 * its metric tells: each fallback because of a timeout has to be counted then, as far as two polls tell.
 */
export const timesOut = ofBroadcast<After>('fragments-time-out', {
  title: 'Every fragment that is sent times out, after that time',
  failure: 'fragments timed out at another time, or did not',
  assess: (broadcast, { afterMs, toleranceMs }) => {
    const found = new ResilienceFindings(broadcast);
    const rises = fallbacksCounted(broadcast, 'timeout');
    const [least, most] = [afterMs - toleranceMs, afterMs + toleranceMs];
    const waits = found.fragments.map((fragment, i) => {
      const { after = Infinity, by = Infinity } = rises[i] ?? {};
      const [from, until] = [after - fragment.sentAt, by - fragment.sentAt];
      const isCounted = until >= least && from <= most;
      const counted = rises[i] ? `counted ${from} to ${until} ms after it was sent` : 'not counted';
      const announced = `${found.timeoutMs} ms announced`;
      return {
        ...{ ...fragment, isCounted },
        text: `${fragment.end}, ${announced}, ${counted}`,
      };
    });
    const isAnnounced = Math.abs(found.timeoutMs - afterMs) <= toleranceMs;
    const deviations = deviationsOf(waits, ({ end, isCounted, text }) =>
      end === 'timed out' && isAnnounced && isCounted ? undefined : text,
    );
    const seen = waits.map(({ text }) => text).join('; ');
    const expected = `each times out, after ${afterMs} ms ± ${toleranceMs} ms`;
    return { deviations, seen, expected };
  },
});

/** A publisher that ends by a signal has no exit code. */
export const inFlightAtDisconnect = ofBroadcast('in-flight-at-disconnect', {
  title: 'A fragment is in flight when the publisher disconnects',
  failure: 'no fragment was in flight when the publisher disconnected, or it did not disconnect',
  assess: ({ fragments, record: { publisher, times } }) => {
    const { publisherEnded = 0 } = times;
    const after = (at?: number): string =>
      at === undefined ? 'never' : `${at - publisherEnded} ms`;
    const inFlight = fragments.filter(
      ({ sentAt, answer }) => sentAt < publisherEnded && (answer?.at ?? Infinity) > publisherEnded,
    );
    const trips = fragments.map(
      ({ segment, sentAt, answer }) =>
        `fragment ${segment}: sent ${after(sentAt)}, answered ${after(answer?.at)}`,
    );
    return assessed(
      publisher.exitCode === null && inFlight.length > 0,
      `publisher's exit code ${publisher.exitCode}; from its end on: ${trips.join('; ') || 'no fragment'}`,
      'no exit code, and a fragment that was sent before and answered later',
    );
  },
});

/** Every segment is sent, and none of them is answered so soon. */
export const noAnswerWithin = ofBroadcast<Within>('no-answer-within', {
  title: 'No answer arrives within that time',
  failure: 'an answer arrived earlier, or not every segment was sent',
  assess: ({ fragments, fixture, record }, { withinMs }) => {
    const trips = fragments.map(
      ({ segment, roundTripMs: ms }) =>
        `fragment ${segment}: ${ms === undefined ? 'no answer' : `${ms} ms`}`,
    );
    const quick = fragments.filter(({ roundTripMs: ms = Infinity }) => ms <= withinMs);
    const segments = fixture.script.length;
    return assessed(
      fragments.length === segments && quick.length === 0,
      trips.join('; ') || `no fragment sent: ${outcomeText(record.outcome)}`,
      `${segments} fragments, none answered within ${withinMs} ms`,
    );
  },
});
