import { SuiteError } from '../base/errors';

/** A word error rate needs reference words to be a rate of. */
export class ReferenceEmpty extends SuiteError {}

/** Texts that are too long to be compared word by word. */
export class TextTooLong extends SuiteError {}

/** Characters: what is said in some hours. */
const MOST_CHARACTERS = 100_000;
/** Pairs of words, one of each text: 200 MB of memory and half a second. */
const MOST_PAIRS = 50_000_000;

export interface WordErrors {
  /** (substitutions + insertions + deletions) / reference words; may exceed 1. */
  wordErrorRate: number;
  substitutions: number;
  /** Words in the hypothesis that are not in the reference. */
  insertions: number;
  /** Words of the reference that the hypothesis lacks. */
  deletions: number;
  referenceWords: number;
  hypothesisWords: number;
  /** Word by word; `mark` is S, I or D where they differ, and the missing side is empty. */
  pairs: AlignedPair[];
  /** Three lines of columns: reference, hypothesis, and S, I or D below each difference. */
  aligned: string;
}

// Contractions and fillers as in Whisper's EnglishTextNormalizer (Radford et al. 2022, appendix C;
// github.com/openai/whisper, whisper/normalizers/english.py). Unlike there, 's is only expanded where it
// cannot be a possessive: recognisers write "player's" and "players" alike.
const FILLERS = /\b(?:hmm+|mm+|mhm|uh+|um+)\b/g;
const CONTRACTIONS: ReadonlyArray<readonly [RegExp, string]> = [
  [/\bwon't\b/g, 'will not'],
  [/\bcan't\b|\bcannot\b/g, 'can not'],
  [/\blet's\b/g, 'let us'],
  [/\bain't\b/g, 'is not'],
  [/n't\b/g, ' not'],
  [/\b(it|he|she|that|there|here|what|who|where|how)'s\b/g, '$1 is'],
  [/'re\b/g, ' are'],
  [/'ll\b/g, ' will'],
  [/'ve\b/g, ' have'],
  [/'m\b/g, ' am'],
  [/'d\b/g, ' would'],
  [/\bgonna\b/g, 'going to'],
  [/\bgotta\b/g, 'got to'],
  [/\bwanna\b/g, 'want to'],
  [/\bmr\b/g, 'mister'],
  [/\bok\b/g, 'okay'],
];

const UNITS =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen';
const TENS = 'twenty thirty forty fifty sixty seventy eighty ninety';
const UNIT_ORDINALS =
  'zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth';
const TEN_ORDINALS =
  'twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth';

interface NumberWord {
  value: number;
  kind: 'unit' | 'ten' | 'hundred' | 'scale';
  ordinal: boolean;
}

const NUMBER_WORDS: ReadonlyMap<string, NumberWord> = new Map([
  ...entries(UNITS, (i) => i, 'unit', false),
  ...entries(UNIT_ORDINALS, (i) => i, 'unit', true),
  ...entries(TENS, (i) => 20 + 10 * i, 'ten', false),
  ...entries(TEN_ORDINALS, (i) => 20 + 10 * i, 'ten', true),
  ...entries('hundred', () => 100, 'hundred', false),
  ...entries('hundredth', () => 100, 'hundred', true),
  ...entries('thousand million', (i) => 1000 ** (i + 1), 'scale', false),
  ...entries('thousandth millionth', (i) => 1000 ** (i + 1), 'scale', true),
]);

function entries(
  words: string,
  value: (index: number) => number,
  kind: NumberWord['kind'],
  ordinal: boolean,
): [string, NumberWord][] {
  return words.split(' ').map((word, i) => [word, { value: value(i), kind, ordinal }]);
}

/**
 * The words of a text in the form in which they are compared: lower case, no accents, punctuation, hyphens,
 * fillers or bracketed remarks, contractions written out, numbers as digits ("forty-two" and "42" are `42`,
 * "third" and "3rd" are `3rd`). After Whisper's EnglishTextNormalizer, see above.
 */
export function normalizeWords(text: string): string[] {
  let plain = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[\u2018\u2019\u02bc`]/g, "'")
    .replace(/\[[^[\]]*\]|\([^()]*\)/g, ' ')
    .replace(FILLERS, ' ');
  for (const [pattern, written] of CONTRACTIONS) plain = plain.replace(pattern, written);
  plain = plain
    .replace(/(\d),(?=\d{3}\b)/g, '$1')
    .replace(/\$\s?(\d+(?:\.\d+)?)/g, '$1 dollars')
    .replace(/(\d)\s?%/g, '$1 percent')
    .replace(/(\d)\.(?=\d)/g, '$1\uE000')
    .replace(/'/g, '')
    .replace(/[^\p{L}\p{N}\uE000]+/gu, ' ')
    .replaceAll('\uE000', '.');
  return numbersAsDigits(plain.split(' ').filter((word) => word !== ''));
}

function numbersAsDigits(words: readonly string[]): string[] {
  const out: string[] = [];
  let at = 0;
  while (at < words.length) {
    const number = readNumber(words, at);
    out.push(number?.text ?? words[at] ?? '');
    at = number?.end ?? at + 1;
  }
  return out;
}

/** The longest number that begins at `start`: "one hundred and five", "twenty first". */
function readNumber(words: readonly string[], start: number): { text: string; end: number } | null {
  let total = 0;
  let group: number | null = null;
  let last: NumberWord['kind'] | null = null;
  let smallestScale = Infinity;
  let at = start;
  for (; at < words.length; at += 1) {
    const joined: boolean = words[at] === 'and' && (last === 'hundred' || last === 'scale');
    const word = NUMBER_WORDS.get(words[joined ? at + 1 : at] ?? '');
    if (!word || (joined && word.kind !== 'unit' && word.kind !== 'ten')) break;
    if (word.kind === 'unit' || word.kind === 'ten') {
      const follows =
        last === null ||
        last === 'hundred' ||
        last === 'scale' ||
        (last === 'ten' && word.kind === 'unit' && word.value > 0 && word.value < 10);
      if (!follows) break;
      group = (group ?? 0) + word.value;
    } else if (word.kind === 'hundred') {
      if (last !== 'unit' || group === null || group === 0 || group > 19) break;
      group *= 100;
    } else {
      if (group === null || group === 0 || word.value >= smallestScale) break;
      total += group * word.value;
      smallestScale = word.value;
      group = 0;
    }
    last = word.kind;
    if (joined) at += 1;
    if (word.ordinal) return { text: withSuffix(total + group), end: at + 1 };
  }
  return last === null ? null : { text: String(total + (group ?? 0)), end: at };
}

function withSuffix(value: number): string {
  const teen = value % 100 >= 11 && value % 100 <= 13;
  return `${value}${(!teen && ['th', 'st', 'nd', 'rd'][value % 10]) || 'th'}`;
}

/**
 * Word error rate: Levenshtein distance over the normalised words, divided by the words of the reference.
 * https://en.wikipedia.org/wiki/Word_error_rate
 *
 * @param reference what was said
 * @param hypothesis what was recognised; may be empty
 * @throws ReferenceEmpty when the reference has no words
 * @throws TextTooLong when the two are thousands of words long
 */
export function wordErrorRate(reference: string, hypothesis: string): WordErrors {
  requireComparable(reference);
  requireComparable(hypothesis);
  return wordErrors(normalizeWords(reference), normalizeWords(hypothesis), reference);
}

/**
 * The same of words that are in one form already.
 *
 * @param text in which the words of the reference stand, for messages
 * @throws ReferenceEmpty, TextTooLong
 */
export function wordErrors(
  ref: readonly string[],
  hyp: readonly string[],
  text = ref.join(' '),
): WordErrors {
  if (ref.length === 0) {
    throw new ReferenceEmpty({
      what: 'a word error rate needs a reference text',
      where: 'reference',
      seen: `no words in "${text}"`,
      expected: 'at least one word',
    });
  }
  if (ref.length * hyp.length > MOST_PAIRS) {
    throw tooLong(hyp.join(' '), `${hyp.length} words beside ${ref.length}`);
  }
  const pairs = align(ref, hyp);
  const count = (mark: string): number => pairs.filter((pair) => pair.mark === mark).length;
  const [substitutions, insertions, deletions] = [count('S'), count('I'), count('D')];
  return {
    wordErrorRate: (substitutions + insertions + deletions) / ref.length,
    substitutions,
    insertions,
    deletions,
    referenceWords: ref.length,
    hypothesisWords: hyp.length,
    pairs,
    aligned: table(pairs),
  };
}

/** @throws TextTooLong */
export function requireComparable(text: string): void {
  if (text.length > MOST_CHARACTERS) throw tooLong(text, `${text.length} characters`);
}

function tooLong(text: string, seen: string): TextTooLong {
  return new TextTooLong({
    ...{ what: 'a text is too long to be compared', where: `"${text.slice(0, 60)}…"`, seen },
    expected: `the text of a broadcast, ${MOST_CHARACTERS} characters at most`,
  });
}

export interface AlignedPair {
  ref: string;
  hyp: string;
  mark: '' | 'S' | 'I' | 'D';
}

function align(ref: readonly string[], hyp: readonly string[]): AlignedPair[] {
  const columns = hyp.length + 1;
  const cost = new Uint32Array((ref.length + 1) * columns);
  const at = (i: number, j: number): number => cost[i * columns + j] ?? 0;
  for (let i = 0; i <= ref.length; i += 1) {
    for (let j = 0; j < columns; j += 1) {
      cost[i * columns + j] =
        i === 0 || j === 0
          ? i + j
          : Math.min(
              at(i - 1, j - 1) + (ref[i - 1] === hyp[j - 1] ? 0 : 1),
              at(i - 1, j) + 1,
              at(i, j - 1) + 1,
            );
    }
  }
  const pairs: AlignedPair[] = [];
  let i = ref.length;
  let j = hyp.length;
  while (i > 0 || j > 0) {
    const [r = '', h = ''] = [ref[i - 1], hyp[j - 1]];
    if (i > 0 && j > 0 && at(i, j) === at(i - 1, j - 1) + (r === h ? 0 : 1)) {
      pairs.push({ ref: r, hyp: h, mark: r === h ? '' : 'S' });
      i -= 1;
      j -= 1;
    } else if (i > 0 && at(i, j) === at(i - 1, j) + 1) {
      pairs.push({ ref: r, hyp: '', mark: 'D' });
      i -= 1;
    } else {
      pairs.push({ ref: '', hyp: h, mark: 'I' });
      j -= 1;
    }
  }
  return pairs.reverse();
}

function table(pairs: readonly AlignedPair[]): string {
  const row = (title: string, cell: (pair: AlignedPair) => string): string =>
    `${title} ${pairs
      .map((pair) => cell(pair).padEnd(Math.max(pair.ref.length, pair.hyp.length, 1)))
      .join(' ')}`.trimEnd();
  return [
    row('said: ', (pair) => pair.ref || '*'.repeat(pair.hyp.length)),
    row('heard:', (pair) => pair.hyp || '*'.repeat(pair.ref.length)),
    row('      ', (pair) => pair.mark),
  ].join('\n');
}
