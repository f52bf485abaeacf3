import { requireComparable, type WordErrors, wordErrors } from './transcript';

/** Of fewer, one that is heard to begin elsewhere makes all wrong: "con la mundo" for "hola mundo". */
const LEAST_WORDS = 4;

/** A letter that is wrong, against a word that is: of the letters of other texts some are the same by chance. */
const LETTERS_COUNT = 2;

/** Nobody says longer numbers. */
const LONGEST_FIGURE = 15;

/** Languages whose numbers are written out by the rules of a region that is not the most populous one (n2words). */
const NUMBERS_OF: Record<string, string> = {
  ...{ ar: 'ar-SA', no: 'nb-NO', pt: 'pt-PT', sw: 'sw-KE', tl: 'fil-PH' },
};

const ORDINAL = /^(primer|segund|tercer|cuart|quint|sext|septim|octav|noven|decim)a?$/;

/** Numbers in words. */
interface NumberWords {
  toCardinal(value: string): string;
  toOrdinal(value: string): string;
}

/**
 * The word error rate of what is heard against what should be said, in any language. Both are brought into the same form:
 * numbers in words, so that they are compared by value ("diez" is heard, and written down as "10"); accents, case and
 * punctuation left out, and the mark by which Apertium shows a word that it does not know ("*quarterback"). Of fewer than four
 * words, the letters are compared. Of more, few letters are wrong where a recognizer has heard the sounds and put the borders of
 * words elsewhere, or spelt a foreign one as it sounds: "quiquer carrera salabola" for "kicker carreras a la bola". Twice their
 * share counts where that is less. (Of that line 0.08 of the letters are wrong; of 1500 pairs of other lines at least 0.33.)
 *
 * @param heard one or several texts of the same audio: the best one counts
 * @param language of both, ISO 639-1
 * @throws ReferenceEmpty, TextTooLong
 */
export async function spokenWordErrors(
  said: string,
  heard: readonly string[],
  language: string,
): Promise<WordErrors> {
  const ref = await spokenWords(said, language);
  const isShort = ref.length < LEAST_WORDS;
  const read = await Promise.all(
    heard.flatMap(readingsOf).map(async (one) => {
      const words = await spokenWords(one, language);
      const byLetters = wordErrors(lettersOf(ref), lettersOf(words), said);
      if (isShort) return byLetters;
      const byWords = wordErrors(ref, words, said);
      const rate = Math.min(byWords.wordErrorRate, LETTERS_COUNT * byLetters.wordErrorRate);
      return { ...byWords, wordErrorRate: rate };
    }),
  );
  return read.reduce((best, one) => (one.wordErrorRate < best.wordErrorRate ? one : best));
}

function lettersOf(words: readonly string[]): string[] {
  return Array.from(words.join(''));
}

/** What is counted is also written down without spaces: "2829" for "28, 29", "123" or "1,2,3" for "1, 2, 3". */
function readingsOf(heard: string): string[] {
  const split = (figures: RegExp, digits: RegExp): string =>
    heard.replace(figures, (figure) => figure.replace(digits, '$& '));
  const readings = [
    heard,
    heard.replace(/(?<=\d)[.,](?=\d)/g, ' '),
    split(/(?<![\d.,])(?:\d\d){2,}(?![\d.,]*\d)/g, /\d\d/g),
    split(/(?<![\d.,])\d{3,}(?![\d.,]*\d)/g, /\d/g),
  ];
  return [...new Set(readings)];
}

/**
 * The words of a text as they are compared; see {@link spokenWordErrors}.
 *
 * @param language ISO 639-1
 * @throws TextTooLong
 */
export async function spokenWords(text: string, language: string): Promise<string[]> {
  requireComparable(text);
  const written = await numbersInWords(text, language);
  const plain = written.normalize('NFKD').replace(/\p{M}/gu, '').normalize('NFC').toLowerCase();
  // Not by spaces: some languages have none.
  const words = [...new Intl.Segmenter(language, { granularity: 'word' }).segment(plain)]
    .filter(({ isWordLike }) => isWordLike)
    .map(({ segment }) => segment);
  return language === 'es' ? words.map(ofOneGender) : words;
}

/** "una yarda" is written down as "1 yarda", "la primera" as "la 1ª": the figure does not tell. */
function ofOneGender(word: string): string {
  return word
    .replace(/^(veinti)?una?$/, '$1uno')
    .replace(/(cient|quinient)as$/, '$1os')
    .replace(ORDINAL, '$1o');
}

/** Figures written out, where the rules of the language are known; otherwise figures are compared with figures. */
export async function numbersInWords(text: string, language: string): Promise<string> {
  const numbers = await numberWords(language);
  if (!numbers) return text;
  return text
    .replace(/(?<![\d.,])\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*(?![\d.,]*\d)/g, (figure) =>
      figure.replace(/[.,]/g, ''),
    )
    .replace(/(\d+)\s?[ºª°]/g, (figure, digits: string) =>
      digits.length > LONGEST_FIGURE || Number(digits) === 0
        ? figure
        : ` ${numbers.toOrdinal(digits)} `,
    )
    .replace(/\d+(?:[.,]\d+)?/g, (figure) =>
      figure.length > LONGEST_FIGURE ? figure : ` ${numbers.toCardinal(figure.replace(',', '.'))} `,
    );
}

const known = new Map<string, Promise<NumberWords | undefined>>();

function numberWords(language: string): Promise<NumberWords | undefined> {
  const found = known.get(language) ?? loadNumberWords(language);
  known.set(language, found);
  return found;
}

async function loadNumberWords(language: string): Promise<NumberWords | undefined> {
  const { script, region } = new Intl.Locale(language).maximize();
  const names = [NUMBERS_OF[language], `${language}-${region}`, `${language}-${script}-${region}`];
  for (const name of names) {
    if (name === undefined) continue;
    try {
      // A real import(): the package has no entry for require.
      return (await import(`n2words/${name}`)) as NumberWords;
    } catch {
      // Not a language of the package, or another name of it.
    }
  }
  return undefined;
}
