/** What the STS answers to the suite itself: to audio that it is sent directly, and to the question for its health. */
import { audioLevels, pcmFromS16le } from '../analyze/audio';
import { normalizeWords, wordErrorRate } from '../analyze/transcript';
import { NotObserved } from '../base/errors';
import type { Fixture } from '../broadcast/fixture';
import type { FragmentAnswer } from '../contract/events';
import type { StsAnswers } from '../observe/sts-client';
import { allRight, type Count, observed, ofSubject, type Text } from './builders';
import { assessed } from './criterion';

export const whereAsked = ({ url, stream }: StsAnswers): string => `${url}, stream ${stream}`;

/** The only answer; not observed when there are none, more, or errors. */
export function answerOf(said: StsAnswers): FragmentAnswer {
  const { answers, errors } = said;
  const [answer] = answers;
  if (answer && answers.length === 1 && errors.length === 0 && answer.status === 'success') {
    return answer;
  }
  const shown = answers.map(({ status, error }) => `${status} ${JSON.stringify(error)}`);
  throw new NotObserved({
    ...{ what: 'the STS did not answer the fragment', where: whereAsked(said) },
    seen: `${shown.join(', ') || 'no answer'}; errors: ${errors.join('; ') || 'none'}`,
    expected: 'one fragment:processed with status success, no error',
  });
}

const transcriptOf = (said: StsAnswers): string => answerOf(said).transcript ?? '';

export const transcriptIs = ofSubject<StsAnswers, Text>('transcript-is', {
  title: 'The transcript is what was said',
  failure: 'the transcript is not what was said',
  where: whereAsked,
  assess: (said, { text }) => {
    const { wordErrorRate: rate } = wordErrorRate(text, transcriptOf(said));
    return assessed(rate === 0, `"${transcriptOf(said)}"`, `"${text}"`);
  },
});

/** Substituted, inserted and deleted words, per word that was said. */
export const wordErrors = ofSubject<StsAnswers, { said: string; percent: number }>('word-errors', {
  title: 'The word error rate of the transcript is within the limit',
  failure: 'the transcript is not what was said',
  where: whereAsked,
  assess: (answers, { said, percent }) => {
    const { wordErrorRate: rate, aligned } = wordErrorRate(said, transcriptOf(answers));
    const seen = `word error rate ${rate.toFixed(2)}:\n${aligned}`;
    return assessed(rate * 100 <= percent, seen, `at most ${percent / 100}`);
  },
});

export const translationIs = ofSubject<StsAnswers, Text>('translation-is', {
  title: 'The translation is what it means',
  failure: 'the translation is another one',
  where: whereAsked,
  assess: (said, { text }) => {
    const translation = answerOf(said).translated_text ?? '';
    const plain = (one: string): string => normalizeWords(one).join(' ');
    return assessed(plain(translation) === plain(text), `"${translation}"`, `"${text}"`);
  },
});

export const transcriptWords = ofSubject<StsAnswers, { most: number }>('transcript-words', {
  title: 'The transcript has no more words than that',
  failure: 'the STS has heard words that nobody said',
  where: whereAsked,
  assess: (said, { most }) => {
    const transcript = transcriptOf(said);
    const isFine = normalizeWords(transcript).length <= most;
    return assessed(isFine, `"${transcript}"`, `at most ${most} ${most === 1 ? 'word' : 'words'}`);
  },
});

/** The dub of the only answer; not observed where it has none, or in another format than PCM. */
export function dubOf(said: StsAnswers): { samples: Float32Array; rateHz: number } {
  const { dubbed_audio: audio } = answerOf(said);
  if (typeof audio !== 'object' || audio?.format !== 'pcm_s16le') {
    throw new NotObserved({
      ...{ what: 'the answer has no audio that can be measured', where: whereAsked(said) },
      seen: JSON.stringify(audio ?? null).slice(0, 200),
      expected: 'dubbed_audio in format pcm_s16le',
    });
  }
  const samples = pcmFromS16le(Buffer.from(audio.data_base64, 'base64'), audio.channels);
  return { samples, rateHz: audio.sample_rate_hz };
}

/** How long the dub of the only answer is audible: windows of 20 ms louder than -50 dBFS, in seconds. */
function audibleSecondsOf(said: StsAnswers): number {
  const { samples, rateHz } = dubOf(said);
  const levels = audioLevels(samples, rateHz);
  return observed(whereAsked(said), 'the loudness of the dub', levels).nonSilentSeconds;
}

/** The bounds of a time; none where they are not given. */
export interface Bounds {
  leastMs?: number;
  mostMs?: number;
}

export const dubAudible = ofSubject<StsAnswers, Bounds>('direct-dub-audible', {
  title: 'The dub has as much audible audio as it has to',
  failure: 'the dub has more or less audible audio',
  where: whereAsked,
  assess: (said, { leastMs, mostMs }) => {
    const seconds = audibleSecondsOf(said);
    const bounds = [
      ...(leastMs === undefined ? [] : [`at least ${leastMs / 1000} s`]),
      ...(mostMs === undefined ? [] : [`at most ${mostMs / 1000} s`]),
    ];
    return assessed(
      seconds >= (leastMs ?? 0) / 1000 && seconds <= (mostMs ?? Infinity) / 1000,
      `${seconds.toFixed(2)} s of audible audio`,
      bounds.join(', '),
    );
  },
});

/**
 * By their sequence numbers, which begin at 0. An answer may be repeated after the last one, too: so the connection has to
 * have stayed open that long.
 */
export const answersInOrder = ofSubject<StsAnswers, Count & { listenMs: number }>(
  'answers-in-order',
  {
    title: 'All answers come back in order, none lost, none repeated, none later',
    failure: 'answers are lost, repeated or out of order',
    where: whereAsked,
    assess: (said, { count, listenMs }) => {
      const { answers, errors, listenedOnMs } = said;
      const wanted = Array.from({ length: count }, (_, index) => index).join(', ');
      const seen = answers.map(({ sequence_number: number }) => number).join(', ') || 'none';
      const isRight = seen === wanted && errors.length === 0;
      if (isRight && listenedOnMs < listenMs) throw notListenedTo(said, listenMs);
      return assessed(
        isRight,
        `${seen}; errors: ${errors.join('; ') || 'none'}; listened for ${listenedOnMs} ms after the last`,
        `${wanted}, and nothing in the ${listenMs} ms after the last`,
      );
    },
  },
);

function notListenedTo(said: StsAnswers, listenMs: number): NotObserved {
  return new NotObserved({
    what: 'the STS closed the connection, so that repeated answers could not arrive',
    where: whereAsked(said),
    seen: `open for ${said.listenedOnMs} ms after the last answer`,
    expected: `open for ${listenMs} ms after it`,
    next: 'see in the log of the STS why it closed the connection before stream:end',
  });
}

/** What was said in each segment, and the word error rate above which an answer is of another segment. */
export interface OwnWords {
  script: readonly string[];
  wordErrorRate: number;
}

/** Of a script in which every segment has words of its own: the words of another segment are all wrong. */
export const OWN_WORDS_RATE = 0.25;

export const answersHaveOwnWords = ofSubject<StsAnswers, OwnWords>('answers-have-own-words', {
  title: 'Each answer has the words of its own fragment',
  failure: 'an answer has the words of another fragment',
  where: whereAsked,
  assess: ({ answers }, { script, wordErrorRate: limit }) => {
    const wrong = answers.flatMap(({ transcript, sequence_number: number }) => {
      const said = script[number ?? -1] ?? 'no such fragment';
      const isOwn = wordErrorRate(said, transcript ?? '').wordErrorRate <= limit;
      return isOwn ? [] : [`${number}: "${transcript}"`];
    });
    return allRight(
      answers.length > 0 ? wrong : ['no answer'],
      `${answers.length} answers`,
      'what was said in its own six seconds',
    );
  },
});

const described = ({ yamlPath }: Fixture): string => yamlPath;

/** A fixture that a scenario names by its words: they have to be the ones that are said. */
export const fixtureSays = ofSubject<Fixture, Text>('fixture-says', {
  title: 'In the audio that is sent, somebody says that',
  failure: 'nobody says that',
  where: described,
  assess: ({ script }, { text }) => {
    const { wordErrorRate: rate } = wordErrorRate(text, script[0] ?? '');
    return assessed(rate === 0, script.join(' '), text);
  },
});

/** A fixture that a scenario names by its noise. */
export const fixtureNoise = ofSubject<Fixture, { belowDb: number }>('fixture-noise', {
  title: 'The noise in the audio that is sent is that loud',
  failure: 'the noise has another level',
  where: described,
  assess: ({ audio }, { belowDb }) => {
    const seenDb = audio?.noiseBelowSpeechDb;
    const seen = seenDb === undefined ? 'no noise' : `${seenDb} dB below the speech`;
    return assessed(seenDb === belowDb, seen, `${belowDb} dB below the speech`);
  },
});
