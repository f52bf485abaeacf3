/** What a viewer hears who speaks the target language: in the output, and in the dubs as the STS returned them. */
import { join } from 'node:path';

import { type Finding, unobserved } from '../analyze/finding';
import type { Heard, HeardLanguage } from '../analyze/listening';
import type { OutputFindings } from '../analyze/output-findings';
import { type SegmentHeard, type SegmentSpoken, spokenAgainst } from '../analyze/segments-heard';
import { observed } from './builders';
import { assessed, type Assessment, type Deviation, deviationAt } from './criterion';
import type { Explanation } from './criterion';
import { dubs } from './dub';
import { audio } from './output-audio';
import { frames } from './output-frames';
import { original } from './output-original';
import { demandScript, outputCriterion, type OutputSubject, recordingOf } from './output-subject';
import { CannotBeShown } from '../base/errors';
import { isScriptKnown } from '../broadcast/fixture';
import { mean, textsOf } from './texts';

/** `wordErrorRate`: of each segment at most; `meanAtMost`: of all in which somebody speaks. */
export interface SpokenLimit {
  wordErrorRate: number;
  meanAtMost: number;
}

/**
 * This suite's own, calibrated (docs/reading-a-report.md, Listening): of dubs of a neural voice at most 0.22 are wrong, on average
 * 0.03; of what another segment of the broadcast says, at least 0.69.
 */
export const SPOKEN: SpokenLimit = { wordErrorRate: 0.4, meanAtMost: 0.2 };

/**
 * `probability`: the recognizer's own, 0 to 1, of the up to 30 s around a segment, which is what it tells a language by: to
 * "veinticinco, veintiséis" alone it gives 0.02. `other`: the language that may be the most probable one of no segment. Target
 * and source language of the fixture's YAML where they are not named (ISO 639-1).
 */
export interface LanguageLimit {
  probability: number;
  language?: string;
  other?: string;
}

/**
 * This suite's own, calibrated: Spanish shows at least 0.48 where there are only numbers, and 0.9 where there are sentences; numbers
 * in English, Italian and Portuguese at most 0.01.
 */
export const SPOKEN_LANGUAGE: LanguageLimit = { probability: 0.25 };

type Where = 'output' | 'dubs';
type Listened = Finding<{ segments: SegmentHeard[] }>;

async function heardIn(subject: OutputSubject, where: Where): Promise<SegmentHeard[]> {
  const { output }: { output: OutputFindings } = subject;
  const found: Listened =
    where === 'output' ? await output.segmentsHeard() : await output.dubsHeard();
  const what = `what is heard in the ${where}`;
  return observed(recordingOf(subject), what, found).segments;
}

/** Every segment of the source, with what is heard in it. */
async function spokenIn(subject: OutputSubject, where: Where): Promise<SegmentSpoken[]> {
  const { texts } = await textsOf(subject);
  const segments = await heardIn(subject, where);
  const script = await linesOf(subject);
  return spokenAgainst(script, texts, segments, subject.fixture?.targetLanguage ?? '');
}

/** What is said in each segment. Where nobody has written it down, nobody is taken to speak where the STS has heard nobody. */
async function linesOf(subject: OutputSubject): Promise<readonly string[]> {
  const { fixture } = subject;
  if (!fixture || isScriptKnown(fixture)) return fixture?.script ?? [];
  const texts = (await subject.judgedTexts?.()) ?? [];
  const silent = new Set(
    texts.flatMap((one) => (one.transcript + one.translation === '' ? one.sequence : [])),
  );
  return fixture.script.map((line, segment) => (silent.has(segment) ? '' : line));
}

/** What is wrong with what is heard in a segment, in words; undefined where nothing is. */
function wrongSpeech(
  { translation, heard, words }: SegmentSpoken,
  { wordErrorRate }: SpokenLimit,
): string | undefined {
  // Nobody speaks there: what is not in the output cannot be wrong.
  if (translation === '') {
    return heard.observed && (heard.other ?? heard.text) !== ''
      ? `nobody speaks, and ${shownSpeech(heard)}`
      : undefined;
  }
  if (translation === undefined) return 'no translation';
  if (!heard.observed) return heard.reason;
  if (!words) return 'a translation without words';
  if (words.wordErrorRate <= wordErrorRate) return undefined;
  const seen = shownSpeech(heard);
  return `${seen}, word error rate ${words.wordErrorRate.toFixed(2)}, for "${translation}"`;
}

function shownSpeech({ text, other, language }: Heard): string {
  if (other !== undefined) return `"${other}" is heard, in ${language?.mostProbable}`;
  return text === '' ? 'no words are heard' : `"${text}" is heard`;
}

/** What was not heard has every word wrong; a segment that has no translation is judged by what is missing. */
function ratesOf(segments: readonly SegmentSpoken[]): number[] {
  return segments
    .filter(({ translation = '' }) => translation !== '')
    .map(({ words }) => words?.wordErrorRate ?? 1);
}

function assessSpoken(
  segments: readonly SegmentSpoken[],
  limit: SpokenLimit,
  heardIn: string,
): Assessment {
  const rates = ratesOf(segments);
  const average = mean(rates);
  const each = segments.flatMap((one): Deviation[] => {
    const why = wrongSpeech(one, limit);
    return why === undefined ? [] : [deviationAt(one.sequence, why, 'segment')];
  });
  const figures = `mean word error rate ${average.toFixed(2)}`;
  return {
    deviations: [...each, ...(average > limit.meanAtMost ? [{ text: figures }] : [])],
    seen: `${figures}; of each segment ${rates.map((rate) => rate.toFixed(2)).join(', ')}`,
    expected:
      `the translation is heard with a word error rate of at most ${limit.wordErrorRate} in each ` +
      `segment, ${limit.meanAtMost} on average`,
    figure: {
      ...{
        name: `word error rate of what is heard in the ${heardIn}, mean`,
        value: average,
        unit: '',
      },
      ...{ limit: limit.meanAtMost, holds: 'at most' },
    },
  };
}

interface Spoken {
  segments: SegmentHeard[];
  /** By segment; nobody speaks in those with an empty one. */
  script: readonly string[];
  /** ISO 639-1: of the script, and of the dub. */
  source: string;
  target: string;
  /** Known where not given. */
  isScriptKnown?: boolean;
}

async function languagesIn(subject: OutputSubject, where: Where): Promise<Spoken> {
  const segments = await heardIn(subject, where);
  const { fixture } = subject;
  const { language: source = '', targetLanguage: target = '' } = fixture ?? {};
  return {
    ...{ segments, script: await linesOf(subject), source, target },
    isScriptKnown: fixture === undefined || isScriptKnown(fixture),
  };
}

function assessLanguage(spokenIn: Spoken, limit: LanguageLimit): Assessment {
  const { segments, script, source, target, isScriptKnown: isKnown = true } = spokenIn;
  const { language: wanted = target, other = source, probability: least } = limit;
  if (wanted !== target) {
    return assessed(false, `the target language is "${target}"`, `the target language "${wanted}"`);
  }
  const figures: string[] = [];
  const deviations = script.flatMap((line, fragment): Deviation[] => {
    if (line === '') return [];
    const found = segments.find(({ sequence }) => sequence === fragment)?.heard;
    figures.push(shownProbability(found));
    // Where nobody knows what is said, silence is no fault of the dub.
    if (!isKnown && isUnspoken(found)) return [];
    const why = wrongLanguage(found ?? unobserved('no dub'), target, other, least);
    return why === undefined ? [] : [deviationAt(fragment, why, 'segment')];
  });
  if (!isKnown && segments.every(({ heard }) => isUnspoken(heard))) {
    throw new CannotBeShown({
      ...{ what: 'nobody is heard, and whether somebody speaks is not known', where: 'the dub' },
      ...{
        seen: 'no words in any segment',
        expected: `"${target}" in those in which somebody speaks`,
      },
    });
  }
  return {
    deviations,
    seen: `probability of "${target}", of each segment alone and with what is around it: ${figures.join(', ')}`,
    expected:
      `"${target}" is spoken, with a probability of at least ${least} in the 30 s around each segment, ` +
      `and "${other}" in no segment`,
  };
}

function shownProbability(heard: SegmentHeard['heard'] | undefined): string {
  if (!heard?.observed || !heard.language) return '–';
  const { language, languageAround = language } = heard;
  return `${language.probability.toFixed(2)} (${languageAround.probability.toFixed(2)})`;
}

/** Whether nothing can be heard in it of which a language could be told. */
function isUnspoken(heard: SegmentHeard['heard'] | undefined): boolean {
  return heard?.observed === true && heard.language === undefined;
}

/** Whether the language is another one, in words; undefined where it is not. */
function wrongLanguage(
  heard: SegmentHeard['heard'],
  target: string,
  other: string,
  least: number,
): string | undefined {
  if (!heard.observed) return heard.reason;
  const { language: own, languageAround: around = own, other: inOther, text } = heard;
  if (!own || !around) return 'nobody speaks';
  const told = (where: string, { probability, mostProbable }: HeardLanguage): string =>
    `${target} ${probability.toFixed(2)}${where}, most probable ${mostProbable}: "${inOther ?? text}"`;
  if (own.mostProbable === other && other !== target) return told('', own);
  return around.probability < least ? told(' in the 30 s around', around) : undefined;
}

/** The dubs of a broadcast are what the STS returned: a fault of theirs is not one of the output's file. */
const inDubs = (subject: OutputSubject): string =>
  subject.evidence ? join(subject.evidence.folder, 'audio') : recordingOf(subject);

const ofDubSpoken = outputCriterion('dub-spoken', {
  title: 'What is heard in every dub is its translation',
  failure: 'the STS returned dubs that do not say their translation',
  needs: 'texts',
  defaultLimit: SPOKEN,
  measure: (subject) => spokenIn(subject, 'dubs'),
  assess: (segments, limit) => assessSpoken(segments, limit, 'dubs'),
});

export const dubSpoken = { ...ofDubSpoken, where: inDubs };

const ofDubLanguage = outputCriterion('dub-language', {
  title: 'Every dub is spoken in the target language',
  failure: 'the STS returned dubs that are not in the target language',
  needs: 'dubs',
  defaultLimit: SPOKEN_LANGUAGE,
  measure: (subject) => languagesIn(subject, 'dubs'),
  assess: assessLanguage,
});

export const dubLanguage = { ...ofDubLanguage, where: inDubs };

/** What else is wrong with an output in which no dub can be understood. */
function outputCauses<Measured, Limit>(): Explanation<OutputSubject, Measured, Limit>[] {
  return [audio, frames, original, dubs].map((criterion) => ({ criterion }));
}

export const spoken = outputCriterion('spoken', {
  title: 'What is heard in every segment is the translation of what was said',
  failure: 'what is heard is not the translation of what was said',
  needs: 'texts',
  defaultLimit: SPOKEN,
  measure: (subject) => spokenIn(subject, 'output'),
  assess: (segments, limit) => assessSpoken(segments, limit, 'output'),
  explainedBy: [{ criterion: dubSpoken }, ...outputCauses<SegmentSpoken[], SpokenLimit>()],
});

export const language = outputCriterion('language', {
  title: 'The target language is spoken in every segment',
  failure: 'the target language is not what is spoken',
  needs: 'source with speech',
  defaultLimit: SPOKEN_LANGUAGE,
  measure: (subject) => languagesIn(subject, 'output'),
  assess: assessLanguage,
  explainedBy: [{ criterion: dubLanguage }, ...outputCauses<Spoken, LanguageLimit>()],
});

/** By an English listener: a source in another language is not shown. */
export const originalUnderstood = outputCriterion('original-understood', {
  title: 'No English is spoken in the output',
  failure: 'an English listener understands lines of the script',
  needs: 'script',
  // Of a line's words; this suite's own: a Spanish dub shows at most 0.2, an English one 0.8 and more.
  defaultLimit: { shareBelow: 0.5 },
  measure: async (subject) => {
    demandScript(subject);
    const found = await subject.output.englishHeard();
    return observed(recordingOf(subject), 'what an English listener understands', found);
  },
  assess: ({ lines }, { shareBelow }: { shareBelow: number }): Assessment => {
    const most = Math.max(0, ...lines.map(({ share }) => share));
    return {
      deviations: lines
        .filter(({ share }) => share >= shareBelow)
        .map(({ sequence, share, line }) => ({
          text: `line ${sequence}, ${(100 * share).toFixed(0)} %: "${line}"`,
          fragment: sequence,
        })),
      // Not what else it writes down: of audio that is no English it makes up words.
      seen: `at most ${(100 * most).toFixed(0)} % of a line's words`,
      expected: `an English listener understands less than ${100 * shareBelow} % of each line`,
    };
  },
  explainedBy: [{ criterion: original }, { criterion: dubLanguage }],
});
