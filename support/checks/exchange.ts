/** What media-service and the STS say to each other of a broadcast: fragments, acknowledgements, answers. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { Fragment } from '../broadcast/fragment';
import { outcomeText } from '../broadcast/record';
import { evidenceOf, ofBroadcast, ofEveryFragment, ofSubject, type Within } from './builders';
import { assessed, type Assessment } from './criterion';

export const answerCount = ofBroadcast<number>('answer-count', {
  title: 'So many processed fragments are received',
  failure: 'another number of processed fragments is received',
  assess: ({ answers, fragments, record }, count) => {
    const counted = `${answers.length} fragment:processed for ${fragments.length} fragment:data`;
    const seen = `${counted} (${outcomeText(record.outcome)})`;
    return assessed(answers.length === count, seen, String(count));
  },
});

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
  assess: (broadcast, { first, last }) => {
    const numbers = answeredSequences(broadcast);
    const expected = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    const isRight = numbers.join() === expected.join();
    return assessed(isRight, numbers.join(', ') || 'none', expected.join(', '));
  },
});

export const completeAnswers = ofEveryFragment('complete-answers', {
  title: 'Every processed fragment has dubbed audio, a transcript and a translation',
  failure: 'a processed fragment is incomplete',
  expected: () => 'all three, not empty',
  wrongWith: ({ answer }) => {
    const missing = [
      ...(answer?.audio?.bytes ? [] : ['dubbed_audio']),
      ...(answer?.transcript.trim() ? [] : ['transcript']),
      ...(answer?.translation.trim() ? [] : ['translated_text']),
    ];
    return missing.length > 0 ? `no ${missing.join(', no ')}` : undefined;
  },
});

export const stageTimings = ofEveryFragment('stage-timings', {
  title: 'Every processed fragment took time in transcription, translation and speech synthesis',
  failure: 'a stage took no time',
  expected: () => 'more than 0 ms in each stage',
  wrongWith: ({ answer }) => {
    const timings = answer?.timingsMs;
    const isReal = timings && Object.values(timings).every((ms) => ms > 0);
    return isReal ? undefined : JSON.stringify(timings ?? 'no stage_timings');
  },
});

export const success = ofEveryFragment('success', {
  title: 'Every processed fragment reports success and no error',
  failure: 'a fragment failed',
  expected: () => 'status success, no error',
  wrongWith: ({ answer }) =>
    answer?.status === 'success' && !answer.error
      ? undefined
      : `${answer ? (answer.status ?? 'no status') : 'no answer'} ${JSON.stringify(answer?.error ?? '')}`,
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
    if (ms === undefined) return 'no answer';
    return ms >= 0 && ms <= withinMs ? undefined : `${ms} ms`;
  },
});

/** As `fragment:data` says it; the last fragment is what is left. */
export const fragmentLength = ofEveryFragment<{ ms: number; toleranceMs: number }>(
  'fragment-length',
  {
    title: 'Every fragment but the last holds as much audio as a segment',
    failure: 'a fragment holds more or less audio',
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
  has: (fragment: Fragment) => boolean,
  lacking: string,
  event: string,
): Assessment {
  const missing = fragments.filter((fragment) => !has(fragment));
  const names = missing.map(({ fragmentId }) => fragmentId).join(', ') || 'none';
  return assessed(
    fragments.length > 0 && missing.length === 0,
    `${fragments.length} sent, ${lacking}: ${names}`,
    `at least one fragment sent, ${event} for each`,
  );
}

export const acknowledged = ofBroadcast('acknowledged', {
  title: 'The STS acknowledges every fragment that media-service sends',
  failure: 'not every fragment was acknowledged',
  next: evidenceOf,
  assess: (broadcast) =>
    assessSent(broadcast, (one) => one.isAcknowledged, 'not acknowledged', 'fragment:ack'),
});

export const answered = ofBroadcast('answered', {
  title: 'The STS answers every fragment that media-service sends',
  failure: 'not every fragment was answered',
  next: evidenceOf,
  assess: (broadcast) =>
    assessSent(broadcast, ({ answer }) => !!answer, 'without an answer', 'fragment:processed'),
});

/** Broadcasts that are dubbed at the same time do not get each other's answers. */
export const ownAnswers = ofSubject<readonly BroadcastFindings[]>('own-answers', {
  title: 'Each broadcast is a stream of its own, with answers of its own',
  failure: "broadcasts got in each other's way",
  where: (broadcasts) => broadcasts.map(({ stream }) => stream).join(', '),
  assess: (broadcasts) => {
    const found = broadcasts.map((broadcast) => {
      const { stream, answers, fixture } = broadcast;
      const numbers = answeredSequences(broadcast).join();
      const isOwn = answers.every(({ fragmentId }) => fragmentId.includes(stream));
      const isComplete = numbers === fixture.script.map((_, index) => index).join();
      const text = `${stream}: answers ${numbers || 'none'}`;
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
