/** What somebody hears in the dub of audio that was sent to the STS directly, who speaks the target language. */
import { resample } from '../analyze/audio';
import { type Heard, listenFor, textsOf } from '../analyze/listening';
import { SPEECH_RATE_HZ } from '../analyze/samples';
import { spokenWordErrors, spokenWords } from '../analyze/spoken-words';
import { NotObserved, SuiteError } from '../base/errors';
import type { StsAnswers } from '../observe/sts-client';
import { observed } from './builders';
import { assessed, criterion } from './criterion';
import { answerOf, dubOf, whereAsked } from './sts-answers';

/** The answers of an STS, the language that it was asked to speak, and that of the original: ISO 639-1. */
export interface DirectDub {
  said: StsAnswers;
  language: string;
  original: string;
}

async function heardIn({ said, language, original }: DirectDub): Promise<Heard> {
  const { samples, rateHz } = await dubOf(said);
  const audio = await resample(samples, rateHz, SPEECH_RATE_HZ);
  const whole = { fromSeconds: 0, toSeconds: audio.length / SPEECH_RATE_HZ };
  const found = await listenFor(language, audio, [whole], original);
  const where = whereAsked(said);
  const [heard] = observed(where, 'what is heard in the dub', found).windows;
  if (heard) return heard;
  const expected = 'what is understood of it';
  throw new NotObserved({ what: 'nothing was listened to', where, seen: 'nothing', expected });
}

/** The limit is the word error rate, 0 to 1, of what is heard against `translated_text`. */
export const directDubSpoken = criterion({
  id: 'direct-dub-spoken',
  title: 'What is heard in the dub is the translation',
  failure: 'what is heard in the dub is not the translation',
  where: ({ said }: DirectDub) => whereAsked(said),
  measure: async (subject) => {
    try {
      const translation = answerOf(subject.said).translated_text ?? '';
      const heard = await heardIn(subject);
      const isText = (await spokenWords(translation, subject.language)).length > 0;
      const words = isText
        ? await spokenWordErrors(translation, textsOf(heard), subject.language)
        : undefined;
      return { translation, heard, words };
    } catch (error) {
      if (error instanceof SuiteError) throw new NotObserved(error.problem, { cause: error });
      throw error;
    }
  },
  assess: ({ translation, heard, words }, { wordErrorRate: most }: { wordErrorRate: number }) => {
    const { probability = 0, mostProbable = 'no language' } = heard.language ?? {};
    const rate = words ? `word error rate ${words.wordErrorRate.toFixed(2)}` : 'no translation';
    return assessed(
      words !== undefined && words.wordErrorRate <= most,
      `"${heard.other ?? heard.text}" is heard (${mostProbable}, ${probability.toFixed(2)}): ${rate}`,
      `"${translation}", word error rate at most ${most}`,
    );
  },
});
