/** What the STS answers to the suite itself: to audio that it is sent directly, and to the question for its health. */
import { audioLevels, pcmFromS16le, readAudioBytes } from '../analyze/audio';
import { normalizeWords, wordErrorRate } from '../analyze/transcript';
import { messageOf, NotObserved } from '../base/errors';
import { audioFormatOf, EXTENSIONS } from '../broadcast/audio-format';
import type { Fixture } from '../broadcast/fixture';
import { type FragmentAnswer, statusOf } from '../contract/events';
import type { StsAnswers } from '../observe/sts-client';
import { allRight, type Count, observed, ofSubject, type Text } from './builders';
import { assessed, criterion } from './criterion';

export const whereAsked = ({ url, stream }: StsAnswers): string => `${url}, stream ${stream}`;

/** The only answer; not observed when there are none, more, or errors. */
export function answerOf(said: StsAnswers): FragmentAnswer {
  const { answers, errors } = said;
  const [answer] = answers;
  if (answer && answers.length === 1 && errors.length === 0 && statusOf(answer) === 'success') {
    return answer;
  }
  const shown = answers.map((one) => `${statusOf(one)} ${JSON.stringify(one.error)}`);
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

/**
 * The dub of the only answer, in whatever format.
 *
 * @throws NotObserved where there is none, or it cannot be decoded
 */
export async function dubOf(said: StsAnswers): Promise<{ samples: Float32Array; rateHz: number }> {
  const { dubbed_audio: dub } = answerOf(said);
  const audio = typeof dub === 'object' && dub ? dub : undefined;
  const bytes = Buffer.from(audio?.data_base64 ?? '', 'base64');
  const format = audio && audioFormatOf(bytes, audio.format);
  try {
    if (!format) throw new TypeError('no audio, or of an unknown format');
    const { sample_rate_hz: rateHz, channels } = audio;
    const samples =
      format === 'pcm'
        ? pcmFromS16le(bytes, channels)
        : await readAudioBytes(bytes, EXTENSIONS[format], rateHz);
    return { samples, rateHz };
  } catch (error) {
    const shown = JSON.stringify({ ...audio, data_base64: `${bytes.length} bytes` });
    throw new NotObserved(
      {
        ...{ what: 'the answer has no audio that can be measured', where: whereAsked(said) },
        ...{ seen: `${shown}: ${messageOf(error)}`, expected: 'dubbed_audio that can be decoded' },
      },
      { cause: error },
    );
  }
}

/** How long the dub of the only answer is audible: windows of 20 ms louder than -50 dBFS, in seconds. */
async function audibleSecondsOf(said: StsAnswers): Promise<number> {
  const { samples, rateHz } = await dubOf(said);
  const levels = audioLevels(samples, rateHz);
  return observed(whereAsked(said), 'the loudness of the dub', levels).nonSilentSeconds;
}

/** The bounds of a time; none where they are not given. */
export interface Bounds {
  leastMs?: number;
  mostMs?: number;
}

export const dubAudible = criterion<StsAnswers, number, Bounds>({
  id: 'direct-dub-audible',
  title: 'The dub has as much audible audio as it has to',
  failure: 'the dub has more or less audible audio',
  where: whereAsked,
  measure: audibleSecondsOf,
  assess: (seconds, { leastMs, mostMs }) => {
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

const numberOf = (answer: FragmentAnswer): string =>
  statusOf(answer) === 'failed'
    ? `${answer.sequence_number} failed (${answer.error?.code ?? 'no code'})`
    : String(answer.sequence_number);

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
      const seen = answers.map(numberOf).join(', ') || 'none';
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
