/** What media-service and the STS say to each other of a broadcast: fragments, acknowledgements, answers. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { Fragment } from '../broadcast/fragment';
import { evidenceOf, ofBroadcast, ofSubject, type Within } from './builders';
import { assessed, type Assessment, type Deviation, deviationAt } from './criterion';
import { ofEveryFragment, mayBeSilence } from './every-fragment';
import { errorTextOf } from './quoted-errors';
import { missingAnswers, UPSTREAM, whyNoAnswer } from './upstream';

/** One answer, and its fragment by the ID; undefined where none that was sent has it. */
interface Answered {
  answer: BroadcastFindings['answers'][number];
  fragment: Fragment | undefined;
}

/** All answers in the order received. What they say of their sequence number tells nothing of which fragment they are. */
function answeredIn({ answers, fragments }: BroadcastFindings): Answered[] {
  return answers.map((answer) => ({
    answer,
    fragment: fragments.find(({ fragmentId }) => fragmentId === answer.fragmentId),
  }));
}

/** The sequence number of a fragment that was answered; without one, the order of sending counts. */
const numberOf = ({ fragment }: Answered): number | undefined =>
  fragment && (fragment.sequence ?? fragment.index);

/** An answer that says another sequence number than its fragment has, where both say one. */
function misnumbered({ answer, fragment }: Answered): Deviation[] {
  const { sequence } = answer;
  if (!fragment || fragment.sequence === undefined || sequence === undefined) return [];
  if (sequence === fragment.sequence) return [];
  return [deviationAt(fragment.segment, `its answer says sequence_number ${sequence}`)];
}

export const sequenceNumbers = ofBroadcast<{ first: number; last: number }>('sequence-numbers', {
  title: 'The fragments that are answered are consecutive, in order, and each answer says so',
  failure: 'fragments are lost, repeated or out of order',
  upstream: UPSTREAM,
  assess: (broadcast, { first, last }) => {
    const answered = answeredIn(broadcast);
    const numbers = answered.map((one) => numberOf(one) ?? 'unknown');
    const expected = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const missing = missingAnswers(broadcast);
    const gone = new Set(missing.map(({ fragment }) => fragment));
    const there = expected.filter((number) => !gone.has(number));
    const seen = numbers.join(', ') || 'none';
    const isRight = numbers.join() === there.join();
    const wrong = [...(isRight ? [] : [{ text: seen }]), ...answered.flatMap(misnumbered)];
    return {
      deviations: [...wrong, ...missing],
      ...{ seen, expected: expected.join(', ') },
      ...(isRight && wrong.length > 0
        ? { failure: 'an answer says the sequence number of another fragment' }
        : {}),
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

/** Of a BCP 47 tag: `es` of `es-ES`. */
const primaryOf = (tag: string | undefined): string | undefined =>
  tag?.split(/[-_]/)[0]?.toLowerCase();

/** The limit is an ISO 639-1 code; the answer may add a region. */
export const targetLanguage = ofEveryFragment<string>('target-language', {
  title: 'Every answer has the target language',
  failure: 'an answer is in another language',
  expected: (code) => `target_language ${code}`,
  wrongWith: ({ answer }, code) =>
    primaryOf(answer?.targetLanguage) === code ? undefined : (answer?.targetLanguage ?? 'not said'),
});

export const answerTime = ofEveryFragment<Within>('answer-time', {
  title: 'Every fragment is answered in time',
  failure: 'an answer took too long',
  expected: ({ withinMs }) => `at most ${withinMs} ms`,
  wrongWith: ({ roundTripMs: ms }, { withinMs }) => {
    if (ms === undefined) return undefined;
    return ms >= 0 && ms <= withinMs ? undefined : `${ms} ms`;
  },
  figure: (fragments, { withinMs }) => ({
    ...{ name: 'latency of a fragment, the longest', unit: 's', limit: withinMs / 1000 },
    value: Math.max(...fragments.flatMap(({ roundTripMs }) => roundTripMs ?? [])) / 1000,
    holds: 'at most',
  }),
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

/**
 * An STS need not acknowledge: then an answer, or an error, with the ID of a fragment tells that it was received. One that
 * acknowledges does so for every fragment.
 */
export const acknowledged = ofBroadcast('acknowledged', {
  title: 'The STS receives every fragment that media-service sends',
  failure: 'not every fragment was received',
  ...{ next: evidenceOf, upstream: UPSTREAM },
  assess: (broadcast) => {
    const acknowledges = broadcast.fragments.some(({ isAcknowledged }) => isAcknowledged);
    const assessment = assessSent(
      broadcast,
      ({ isAcknowledged, fragmentId, answer, errorCode }) => {
        if (acknowledges) return isAcknowledged ? undefined : `${fragmentId} not acknowledged`;
        const isAnswered = answer !== undefined || errorCode !== undefined;
        return isAnswered ? undefined : `${fragmentId} neither acknowledged nor answered`;
      },
      acknowledges ? 'fragment:ack' : 'fragment:ack or an answer',
    );
    return acknowledges
      ? { ...assessment, failure: 'not every fragment was acknowledged' }
      : assessment;
  },
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
      const numbers = answeredIn(broadcast).map(numberOf).join();
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
