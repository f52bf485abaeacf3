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
  /** Whether the numbers among them come in the order of the keywords: each belongs to the words after it. */
  areNumbersInOrder: boolean;
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
  const numbersAt: number[] = [];
  for (const { [side]: forms } of keywords) {
    const written = await Promise.all(forms.map((form) => spokenWords(form, language)));
    const found = written
      .map((form) => ({ form, at: placeOf(words, form, numbers) }))
      .find(({ at }) => at >= 0);
    if (!found) missing.push(forms[0] ?? '');
    else if (isNumber(found.form, numbers)) numbersAt.push(found.at);
  }
  const areNumbersInOrder = numbersAt.every((at, i) => at >= (numbersAt[i - 1] ?? 0));
  return { segment, text, of: keywords.length, missing, areNumbersInOrder };
}

/** What a text says beyond a reference that it should mean: words that deny it, and how many words more it has. */
export interface Added {
  denials: string[];
  words: number;
}

/**
 * Compares a translation with what somebody who knows both languages has made of the same.
 *
 * @param denials words that deny; what the reference has of them is no addition
 * @param language ISO 639-1
 * @throws TextTooLong
 */
export async function addedTo(
  reference: string,
  text: string,
  denials: readonly string[],
  language: string,
): Promise<Added> {
  const [wanted, words] = await Promise.all(
    [reference, text].map((one) => spokenWords(one, language)),
  );
  const denying = new Set(await spokenWords(denials.join(' ; '), language));
  const added = (words ?? []).filter((word) => denying.has(word) && !wanted?.includes(word));
  return { denials: added, words: (words?.length ?? 0) - (wanted?.length ?? 0) };
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

function isNumber(form: readonly string[], { parts, joins }: NumberWords): boolean {
  return form.every((word) => parts.has(word) || joins.has(word));
}

/** Where the words of a form stand in a text, those of a number not as a part of another number; -1 where they do not. */
function placeOf(words: readonly string[], form: readonly string[], numbers: NumberWords): number {
  const { parts, joins } = numbers;
  return words.findIndex((_, at) => {
    if (form.length === 0 || form.some((word, i) => words[at + i] !== word)) return false;
    if (!isNumber(form, numbers)) return true;
    const [last = '', before = ''] = [words[at - 1], words[at - 2]];
    const isContinued = parts.has(words[at + form.length] ?? '');
    return !isContinued && !parts.has(joins.has(last) ? before : last);
  });
}
