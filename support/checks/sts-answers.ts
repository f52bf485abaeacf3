/** What the STS answers to the suite itself: to audio that it is sent directly, and to the question for its health. */
import { pcmFromS16le, readAudioBytes } from '../analyze/audio';
import { audioLevels } from '../analyze/audio-levels';
import { normalizeWords, wordErrorRate } from '../analyze/transcript';
import { messageOf, NotObserved } from '../base/errors';
import { audioFormatOf, EXTENSIONS } from '../broadcast/audio-format';
import type { Fixture } from '../broadcast/fixture';
import { dubDataOf, type FragmentAnswer, statusOf } from '../contract/events';
import type { StsAnswer, StsAnswers } from '../observe/sts-client';
import { allRight, type Count, observed, ofSubject, type Text } from './builders';
import { assessed, criterion, type Deviation, deviationAt } from './criterion';

export const whereAsked = ({ url, stream }: StsAnswers): string => `${url}, stream ${stream}`;

/** What was said besides answers: `errors: none; warnings: {…}`. */
export function errorsText({ errors, warnings }: StsAnswers): string {
  const warned = warnings.length > 0 ? [`warnings: ${warnings.join('; ')}`] : [];
  return [`errors: ${errors.join('; ') || 'none'}`, ...warned].join('; ');
}

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
    seen: `${shown.join(', ') || 'no answer'}; ${errorsText(said)}`,
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

const plain = (text: string): string => normalizeWords(text).join(' ');

/** What means the same as the translation that spec 019 names, "or equivalent". */
const EQUIVALENTS: readonly (readonly string[])[] = [
  ['Hola mundo', 'Hola al mundo', 'Hola a todo el mundo'],
];

/** Word by word: that text, or one that means the same. */
export const translationIs = ofSubject<StsAnswers, Text>('translation-is', {
  title: 'The translation is what it means',
  failure: 'the translation is another one',
  where: whereAsked,
  assess: (said, { text }) => {
    const translation = answerOf(said).translated_text ?? '';
    const same = EQUIVALENTS.find((all) => all.some((one) => plain(one) === plain(text))) ?? [text];
    const isSame = same.some((one) => plain(one) === plain(translation));
    return assessed(isSame, `"${translation}"`, same.map((one) => `"${one}"`).join(' or '));
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

/** Decoded audio: mono, -1 to 1. */
interface Decoded {
  samples: Float32Array;
  rateHz: number;
}

/**
 * The dub of the only answer, in whatever format.
 *
 * @throws NotObserved where there is none, or it cannot be decoded
 */
export async function dubOf(said: StsAnswers): Promise<Decoded> {
  return decodedDub(answerOf(said), whereAsked(said));
}

/** As {@link dubOf}, of any answer. */
async function decodedDub({ dubbed_audio: dub }: FragmentAnswer, where: string): Promise<Decoded> {
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
        ...{ what: 'the answer has no audio that can be measured', where },
        ...{ seen: `${shown}: ${messageOf(error)}`, expected: 'dubbed_audio that can be decoded' },
      },
      { cause: error },
    );
  }
}

/**
 * How long the dub of an answer is audible: windows of 20 ms louder than -50 dBFS, in seconds; undefined where it has no dub,
 * or none with a sample.
 *
 * @throws NotObserved where the dub cannot be decoded
 */
export async function audibleSecondsOf(
  answer: FragmentAnswer,
  where: string,
): Promise<number | undefined> {
  if (dubDataOf(answer) === '') return undefined;
  const { samples, rateHz } = await decodedDub(answer, where);
  if (samples.length === 0) return undefined;
  const levels = audioLevels(samples, rateHz);
  return observed(where, 'the loudness of the dub', levels).nonSilentSeconds;
}

/** The bounds of a time; none where they are not given. */
export interface Bounds {
  leastMs?: number;
  mostMs?: number;
}

/** Silence need not have a dub: where there only is a most, none is 0 s of it. */
export const dubAudible = criterion<StsAnswers, number | undefined, Bounds>({
  id: 'direct-dub-audible',
  title: 'The dub has as much audible audio as it has to',
  failure: 'the dub has more or less audible audio',
  where: whereAsked,
  measure: (said) => audibleSecondsOf(answerOf(said), whereAsked(said)),
  assess: (seconds, { leastMs, mostMs }) => {
    const bounds = [
      ...(leastMs === undefined ? [] : [`at least ${leastMs / 1000} s`]),
      ...(mostMs === undefined ? [] : [`at most ${mostMs / 1000} s`]),
    ];
    const isEnough = leastMs === undefined || (seconds ?? -1) >= leastMs / 1000;
    return assessed(
      isEnough && (seconds ?? 0) <= (mostMs ?? Infinity) / 1000,
      seconds === undefined ? 'no dub' : `${seconds.toFixed(2)} s of audible audio`,
      bounds.join(', '),
    );
  },
});

/** What is wrong with an answer to a fragment in which somebody speaks, besides its words; undefined where nothing is. */
function flawOf(answer: StsAnswer): string | undefined {
  const { index, sequence_number: number, error } = answer;
  const status = statusOf(answer);
  const isFailed = status === 'failed';
  const flaws = [
    ...(status === 'success' && !error ? [] : [`${status} (${error?.code ?? 'no code'})`]),
    ...(isFailed || dubDataOf(answer) ? [] : ['no dub']),
    ...(number === index ? [] : [`says sequence_number ${number}`]),
  ];
  return flaws.length > 0 ? flaws.join(', ') : undefined;
}

/**
 * By the fragments whose IDs they have, which are numbered from 0: a sequence number that an answer says has to be the same.
 * An answer may be repeated after the last one, too: so the connection has to have stayed open that long.
 */
export const answersInOrder = ofSubject<StsAnswers, Count & { listenMs: number }>(
  'answers-in-order',
  {
    title: 'All answers come back in order, none lost, none failed, none repeated, none later',
    failure: 'answers are lost, repeated or out of order',
    where: whereAsked,
    assess: (said, { count, listenMs }) => {
      const { answers, errors, listenedOnMs } = said;
      const wanted = Array.from({ length: count }, (_, index) => index).join(', ');
      const order = answers.map(({ index }) => index).join(', ') || 'none';
      const seen = `answers to fragments ${order}; ${errorsText(said)}; listened for ${listenedOnMs} ms after the last`;
      const isInOrder = order === wanted && errors.length === 0;
      const flawed = answers.flatMap((answer): Deviation[] => {
        const flaw = flawOf(answer);
        return flaw === undefined ? [] : [deviationAt(answer.index, flaw, 'answer to fragment')];
      });
      if (isInOrder && flawed.length === 0 && listenedOnMs < listenMs) {
        throw notListenedTo(said, listenMs);
      }
      return {
        ...allRight(
          [...(isInOrder ? [] : [seen]), ...flawed],
          seen,
          `${wanted}, each a success with a dub, and nothing in the ${listenMs} ms after the last`,
        ),
        ...(isInOrder ? { failure: 'an answer has failed, or is numbered as another one' } : {}),
      };
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
    const wrong = answers.flatMap(({ transcript, index }) => {
      const said = script[index] ?? 'no such fragment';
      const isOwn = wordErrorRate(said, transcript ?? '').wordErrorRate <= limit;
      return isOwn ? [] : [`${index}: "${transcript}"`];
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
