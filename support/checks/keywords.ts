/** Whether the keywords of a broadcast come through: as they were said, translated, dubbed, and heard at its output. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { type Added, addedTo, type KeywordsFound, keywordsIn } from '../analyze/keywords';
import type { SegmentHeard } from '../analyze/segments-heard';
import type { Finding } from '../analyze/finding';
import { NotObserved } from '../base/errors';
import type { Keyword } from '../broadcast/fixture';
import { observed, streamOf } from './builders';
import { type Assessment, criterion } from './criterion';
import { errorTextOf } from './quoted-errors';
import { UPSTREAM, whyNoAnswer } from './upstream';

/** Of every segment. */
export interface KeywordsLimit {
  /** So many, or more. */
  least: number;
  /** So many there are. */
  of: number;
}

/** So many more words than the reference make no further statement: an article, a pronoun. */
const MOST_WORDS_MORE = 2;

/** Of one segment; what is missing where there is no text. `added`: where that is judged. */
type OfSegment = (KeywordsFound & { added?: Added }) | { segment: number; why: string };
/** The text of a segment, or why there is none. */
type TextOf = (segment: number) => Finding<{ text: string }>;

interface Definition {
  title: string;
  failure: string;
  /** What has the words, for people: "transcript". */
  kind: string;
  side: keyof Keyword;
  texts: (broadcast: BroadcastFindings) => TextOf | Promise<TextOf>;
  /** What is said besides the words is compared with the fixture's own translation. */
  isTranslation?: true;
}

function ofKeywords(id: string, { kind, side, texts, isTranslation, ...named }: Definition) {
  return criterion({
    ...{ id, ...named, where: streamOf },
    ...{ next: nextOf, upstream: UPSTREAM },
    measure: async (broadcast: BroadcastFindings): Promise<OfSegment[]> => {
      const { keywords, language, targetLanguage, translation, denials = [] } = broadcast.fixture;
      if (!keywords) throw noKeywords(broadcast);
      const textOf = await texts(broadcast);
      const all = keywords.map(async (words, segment): Promise<OfSegment> => {
        const found = textOf(segment);
        if (!found.observed)
          return { segment, why: whyMissing(broadcast, segment) ?? found.reason };
        const code = side === 'said' ? language : targetLanguage;
        const there = await keywordsIn(segment, found.text, words, side, code);
        const reference = isTranslation ? translation?.[segment] : undefined;
        if (reference === undefined) return there;
        return { ...there, added: await addedTo(reference, found.text, denials, code) };
      });
      return Promise.all(all);
    },
    assess: (found, limit: KeywordsLimit) => assessKeywords(found, limit, kind),
  });
}

function assessKeywords(
  found: readonly OfSegment[],
  { least, of }: KeywordsLimit,
  kind: string,
): Assessment {
  const texts = found.map((one) => {
    if ('why' in one) return { segment: one.segment, isRight: false, text: one.why };
    const there = one.of - one.missing.length;
    const missing = one.missing.length > 0 ? `, without ${one.missing.join(', ')}` : '';
    const order = one.areNumbersInOrder ? '' : ', the numbers in another order';
    const more = addedText(one.added);
    const text = `${there} of ${one.of}${missing}${order}${more}: "${one.text}"`;
    const isRight = one.of === of && there >= least && one.areNumbersInOrder && more === '';
    return { segment: one.segment, isRight, text };
  });
  const line = ({ segment, text }: { segment: number; text: string }): string =>
    `${kind} of segment ${segment}: ${text}`;
  return {
    deviations: texts
      .filter(({ isRight }) => !isRight)
      .map((one) => ({ text: line(one), fragment: one.segment })),
    seen: texts.map(line).join('; '),
    expected: `at least ${least} of the ${of} words of every segment, its numbers in their order, nothing denied or added`,
  };
}

/** What a text says besides, in words; empty where that is nothing. */
function addedText({ denials, words }: Added = { denials: [], words: 0 }): string {
  const denied = denials.length > 0 ? `, denied: ${denials.join(', ')}` : '';
  return denied + (words > MOST_WORDS_MORE ? `, ${words} words more than its meaning has` : '');
}

/** Why a segment has no text, where that is the STS's own error, or that it was not sent or not answered. */
function whyMissing({ fragments }: BroadcastFindings, segment: number): string | undefined {
  const fragment = fragments.find((one) => one.segment === segment);
  if (!fragment) return 'not sent';
  return fragment.answer ? errorTextOf(fragment) : whyNoAnswer(fragment);
}

function noKeywords({ fixture }: BroadcastFindings): NotObserved {
  return new NotObserved({
    ...{ what: 'the words of this broadcast were not listed', where: fixture.yamlPath },
    ...{ seen: 'no keywords', expected: 'keywords for each line' },
  });
}

function nextOf({ evidence, fixture }: BroadcastFindings): string {
  return `compare with the script of ${fixture.title}, and listen to audio/, in ${evidence.folder}`;
}

function answered(which: 'transcript' | 'translation'): Definition['texts'] {
  return (broadcast) => (segment) => {
    const found = broadcast.texts.find(({ sequence }) => sequence === segment);
    return found && found[which] !== ''
      ? { observed: true, text: found[which] }
      : { observed: false, reason: found ? `no ${which}` : 'no answer' };
  };
}

async function heard(
  broadcast: BroadcastFindings,
  what: string,
  finding: Promise<Finding<{ segments: SegmentHeard[] }>>,
): Promise<TextOf> {
  const { segments } = observed(streamOf(broadcast), what, await finding);
  return (segment) =>
    segments.find(({ sequence }) => sequence === segment)?.heard ?? {
      ...{ observed: false, reason: 'no such segment' },
    };
}

export const wordsTranscribed = ofKeywords('fresh-words-transcribed', {
  title: "Every transcript has its segment's words",
  failure: 'a transcript lacks words that were said',
  ...{ kind: 'transcript', side: 'said', texts: answered('transcript') },
});

export const wordsTranslated = ofKeywords('fresh-words-translated', {
  title: "Every translation has its segment's words",
  failure: 'a translation lacks words that were said, or says something else',
  ...{ kind: 'translation', side: 'translated', texts: answered('translation') },
  isTranslation: true,
});

export const wordsDubbed = ofKeywords('fresh-words-dubbed', {
  title: "Every dub says its segment's words",
  failure: 'a dub lacks words that were said',
  ...{ kind: 'dub', side: 'translated' },
  texts: (broadcast) => heard(broadcast, 'what the dubs say', broadcast.output.dubsHeard()),
});

export const wordsHeard = ofKeywords('fresh-words-heard', {
  title: 'Every segment of the output says its words',
  failure: 'the output lacks words that were said',
  ...{ kind: 'audio', side: 'translated' },
  texts: (broadcast) => heard(broadcast, 'what the output says', broadcast.output.segmentsHeard()),
});
