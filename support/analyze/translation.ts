import { numbersInWords } from './spoken-words';
import { normalizeWords, requireComparable, type WordErrors } from './transcript';

/** The transcript and the translation of one fragment. */
export interface FragmentText {
  sequence: number;
  script: string;
  transcript: string;
  translation: string;
  words: WordErrors;
}

/** With how well the translation matches the reference; undefined where the fixture has none. */
export type JudgedText = FragmentText & { match: TranslationMatch | undefined };

/** How well a translation matches a reference. */
export interface TranslationMatch {
  /** chrF2, 0 to 1. */
  chrf: number;
  /** Words of the source that stand in the translation although the reference does not have them. */
  leftUntranslated: string[];
}

const LONGEST_GRAM = 6;
/** Recall counts twice as much as precision. */
const BETA = 2;

/**
 * Character n-gram F-score: precision and recall of the n-grams of 1 to 6 letters, averaged, spaces left out, combined
 * with beta 2. M. Popović, "chrF: character n-gram F-score for automatic MT evaluation" (WMT 2015); case, accents and
 * punctuation are ignored here, as speech has none.
 */
export function chrF(hypothesis: string, reference: string): number {
  const [hyp, ref] = [letters(hypothesis), letters(reference)];
  let [precision, recall, orders] = [0, 0, 0];
  for (let n = 1; n <= LONGEST_GRAM; n += 1) {
    const [inHyp, inRef] = [grams(hyp, n), grams(ref, n)];
    const [hypTotal, refTotal] = [Math.max(0, hyp.length - n + 1), Math.max(0, ref.length - n + 1)];
    if (refTotal === 0) break;
    let common = 0;
    for (const [gram, count] of inHyp) common += Math.min(count, inRef.get(gram) ?? 0);
    precision += hypTotal === 0 ? 0 : common / hypTotal;
    recall += common / refTotal;
    orders += 1;
  }
  if (orders === 0 || precision + recall === 0) return 0;
  const [p, r] = [precision / orders, recall / orders];
  return ((1 + BETA ** 2) * p * r) / (BETA ** 2 * p + r);
}

function letters(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '');
}

function grams(text: string, n: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + n <= text.length; i += 1) {
    const gram = text.slice(i, i + n);
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

/**
 * Compares a translation with a reference by someone who knows both languages. Numbers are compared by value: figures
 * are written out on both sides.
 *
 * @param source what was said, in the language translated from
 * @param language of the translation, ISO 639-1
 * @throws TextTooLong
 */
export async function matchTranslation(
  source: string,
  translation: string,
  reference: string,
  language: string,
): Promise<TranslationMatch> {
  requireComparable(translation);
  const [written, wanted] = [
    await numbersInWords(translation, language),
    await numbersInWords(reference, language),
  ];
  const known = new Set(normalizeWords(wanted));
  const spoken = new Set(normalizeWords(source));
  const leftUntranslated = normalizeWords(written).filter(
    (word) => /^\p{L}{3,}$/u.test(word) && spoken.has(word) && !known.has(word),
  );
  return { chrf: chrF(written, wanted), leftUntranslated: [...new Set(leftUntranslated)] };
}
