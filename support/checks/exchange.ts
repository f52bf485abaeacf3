/** What media-service and the STS say to each other of a broadcast: fragments, acknowledgements, answers. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { Fragment } from '../broadcast/fragment';
import { evidenceOf, ofBroadcast, ofSubject, type Within } from './builders';
import { assessed, type Assessment, deviationAt } from './criterion';
import { ofEveryFragment, mayBeSilence } from './every-fragment';
import { errorTextOf } from './quoted-errors';
import { missingAnswers, UPSTREAM, whyNoAnswer } from './upstream';

/**
 * Sequence numbers of the answers, in the order received. An STS that sends none (spec 019) is judged by the fragment that
 * it answers.
 */
function answeredSequences({ answers, fragments }: BroadcastFindings): (number | undefined)[] {
  return answers.map(
    ({ sequence, fragmentId }) =>
      sequence ?? fragments.find((sent) => sent.fragmentId === fragmentId)?.sequence,
  );
}

export const sequenceNumbers = ofBroadcast<{ first: number; last: number }>('sequence-numbers', {
  title: 'The sequence numbers of the answers are consecutive, in order',
  failure: 'fragments are lost, repeated or out of order',
  upstream: UPSTREAM,
  assess: (broadcast, { first, last }) => {
    const numbers = answeredSequences(broadcast);
    const expected = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const missing = missingAnswers(broadcast);
    const gone = new Set(missing.map(({ fragment }) => fragment));
    const there = expected.filter((number) => !gone.has(number));
    const seen = numbers.join(', ') || 'none';
    const isRight = numbers.join() === there.join();
    return {
      deviations: isRight ? missing : [{ text: seen }, ...missing],
      ...{ seen, expected: expected.join(', ') },
    };
  },
});

export const completeAnswers = ofEveryFragment('complete-answers', {
  title: 'Every processed fragment has dubbed audio, a transcript and a translation',
  failure: 'a processed fragment is incomplete',
  expected: () => 'all three, not empty',
  wrongWith: (fragment, _limit, broadcast) => {
    const { answer } = fragment;
    const texts = [
      ...(answer?.transcript.trim() ? [] : ['transcript']),
      ...(answer?.translation.trim() ? [] : ['translated_text']),
    ];
    const missing = [
      ...(answer?.audio?.bytes ? [] : ['dubbed_audio']),
      ...(mayBeSilence(broadcast, fragment) ? [] : texts),
    ];
    return missing.length > 0 ? `no ${missing.join(', no ')}` : undefined;
  },
});

/** By `processing_time_ms`, or its stages together: a single one may take less than a millisecond. */
export const processingTime = ofEveryFragment('processing-time', {
  title: 'Every processed fragment took time to process',
  failure: 'an answer took no time to process',
  expected: () => 'processing_time_ms or stage_timings of more than 0 ms',
  wrongWith: ({ answer }) => {
    const stages = Object.values(answer?.timingsMs ?? {}).reduce((sum, ms) => sum + ms, 0);
    const ms = Math.max(answer?.processingMs ?? 0, stages);
    return ms > 0 ? undefined : `${ms} ms`;
  },
});

/** The limit is an ISO 639-1 code. */
export const targetLanguage = ofEveryFragment<string>('target-language', {
  title: 'Every answer has the target language',
  failure: 'an answer is in another language',
  expected: (code) => `target_language ${code}`,
  wrongWith: ({ answer }, code) =>
    answer?.targetLanguage === code ? undefined : (answer?.targetLanguage ?? 'none'),
});

export const answerTime = ofEveryFragment<Within>('answer-time', {
  title: 'Every fragment is answered in time',
  failure: 'an answer took too long',
  expected: ({ withinMs }) => `at most ${withinMs} ms`,
  wrongWith: ({ roundTripMs: ms }, { withinMs }) => {
    if (ms === undefined) return undefined;
    return ms >= 0 && ms <= withinMs ? undefined : `${ms} ms`;
  },
});

/** As `fragment:data` says it; the last fragment is what is left. */
export const fragmentLength = ofEveryFragment<{ ms: number; toleranceMs: number }>(
  'fragment-length',
  {
    title: 'Every fragment but the last holds as much audio as a segment',
    failure: 'a fragment holds more or less audio',
    judged: 'sent',
    expected: ({ ms, toleranceMs }) => `${ms} ms ± ${toleranceMs} ms`,
    wrongWith: (fragment, { ms: wanted, toleranceMs }, { fragments }) => {
      const ms = fragment.audio?.durationMs ?? NaN;
      const isFine = fragment === fragments.at(-1) || Math.abs(ms - wanted) <= toleranceMs;
      return isFine ? undefined : `${ms} ms`;
    },
  },
);

/** Of all fragments that were sent, none lacks something. */
function assessSent(
  { fragments }: BroadcastFindings,
  lackOf: (fragment: Fragment) => string | undefined,
  event: string,
): Assessment {
  const lacking = fragments.flatMap((one) => {
    const why = lackOf(one);
    return why === undefined ? [] : [deviationAt(one.segment, why)];
  });
  return {
    deviations: fragments.length > 0 ? lacking : [{ text: 'no fragment was sent' }],
    seen: `${fragments.length} sent`,
    expected: `at least one fragment sent, ${event} for each`,
  };
}

export const acknowledged = ofBroadcast('acknowledged', {
  title: 'The STS acknowledges every fragment that media-service sends',
  failure: 'not every fragment was acknowledged',
  ...{ next: evidenceOf, upstream: UPSTREAM },
  assess: (broadcast) =>
    assessSent(
      broadcast,
      ({ isAcknowledged, fragmentId }) =>
        isAcknowledged ? undefined : `${fragmentId} not acknowledged`,
      'fragment:ack',
    ),
});

/** A failed answer says that the fragment was not processed. */
export const answered = ofBroadcast('answered', {
  title: 'The STS answers every fragment that media-service sends',
  failure: 'not every fragment was answered',
  ...{ next: evidenceOf, upstream: UPSTREAM },
  assess: (broadcast) =>
    assessSent(
      broadcast,
      (one) => {
        if (!one.answer) return whyNoAnswer(one);
        const error = errorTextOf(one);
        return error === undefined ? undefined : `failed (${error})`;
      },
      'fragment:processed with success',
    ),
});

/** Broadcasts that are dubbed at the same time do not get each other's answers. */
export const ownAnswers = ofSubject<readonly BroadcastFindings[]>('own-answers', {
  title: 'Each broadcast is a stream of its own, with answers of its own',
  failure: "broadcasts got in each other's way",
  where: (broadcasts) => broadcasts.map(({ stream }) => stream).join(', '),
  assess: (broadcasts) => {
    const found = broadcasts.map((broadcast) => {
      const { stream, answers, fragments, fixture } = broadcast;
      const numbers = answeredSequences(broadcast).join();
      const isOwn = answers.every(
        ({ fragmentId, stream: of = stream }) =>
          of === stream && fragments.some((sent) => sent.fragmentId === fragmentId),
      );
      const isComplete = numbers === fixture.script.map((_, index) => index).join();
      const text = `${stream}: answers to fragments ${numbers || 'none'}`;
      return { isFine: isOwn && isComplete, text };
    });
    const isApart = new Set(broadcasts.map(({ stream }) => stream)).size === broadcasts.length;
    return assessed(
      isApart && found.every(({ isFine }) => isFine),
      found.map(({ text }) => text).join('; '),
      'different streams, each with all its answers in order',
    );
  },
});
