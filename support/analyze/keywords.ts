/** Which of a segment's keywords a text has: in a transcript, in a translation, in what is heard. */
import type { Keyword } from '../broadcast/fixture';
import { spokenWords } from './spoken-words';

/** What a text of one segment has of its keywords. */
export interface KeywordsFound {
  segment: number;
  text: string;
  /** How many keywords the segment has. */
  of: number;
  /** Those that the text lacks, each in its usual form. */
  missing: string[];
}

/**
 * Looks for the keywords of a segment in a text: each as a word of its own, in any of its forms; numbers by value, so that
 * "142" is not 42. Accents and case are left out.
 *
 * @param side which language of the keywords the text is in
 * @param language the same, ISO 639-1
 * @throws TextTooLong
 */
export async function keywordsIn(
  segment: number,
  text: string,
  keywords: readonly Keyword[],
  side: keyof Keyword,
  language: string,
): Promise<KeywordsFound> {
  const words = await spokenWords(text, language);
  const numbers = await numberWordsOf(language);
  const missing: string[] = [];
  for (const { [side]: forms } of keywords) {
    const written = await Promise.all(forms.map((form) => spokenWords(form, language)));
    const isThere = written.some((form) => isWithin(words, form, numbers));
    if (!isThere) missing.push(forms[0] ?? '');
  }
  return { segment, text, of: keywords.length, missing };
}

/** What numbers are made of: their words, and those between them ("y", "and"). */
interface NumberWords {
  parts: ReadonlySet<string>;
  joins: ReadonlySet<string>;
}

async function numberWordsOf(language: string): Promise<NumberWords> {
  const upTo30 = Array.from({ length: 31 }, (_, i) => i);
  const tens = [40, 50, 60, 70, 80, 90];
  const larger = [100, 101, 200, 300, 400, 500, 600, 700, 800, 900, 1000];
  const wordsOf = (values: readonly number[]): Promise<string[]> =>
    spokenWords(values.join(' ; '), language);
  const parts = new Set(await wordsOf([...upTo30, ...tens, ...larger]));
  const composed = await wordsOf([42, 142]);
  const joins = composed.filter((word) => !parts.has(word));
  // Said, but not written, in American English: a hundred and forty-two.
  return { parts, joins: new Set(['and', ...joins]) };
}

/** Whether the words of a form stand in a text, and those of a number not as a part of another number. */
function isWithin(
  words: readonly string[],
  form: readonly string[],
  { parts, joins }: NumberWords,
): boolean {
  const isNumber = form.every((word) => parts.has(word) || joins.has(word));
  return words.some((_, at) => {
    if (form.length === 0 || form.some((word, i) => words[at + i] !== word)) return false;
    if (!isNumber) return true;
    const [last = '', before = ''] = [words[at - 1], words[at - 2]];
    const isContinued = parts.has(words[at + form.length] ?? '');
    return !isContinued && !parts.has(joins.has(last) ? before : last);
  });
}
