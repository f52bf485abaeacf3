import { type Finding, unobserved } from './finding';

export interface DetectedLanguage {
  /** ISO 639-1, e.g. `en`, `es`. */
  language: string;
  /** 0 to 1, eld's own scale; comparable between languages of one text, not between texts. */
  score: number;
  /** eld's own judgement; false for very short texts and close calls. */
  reliable: boolean;
  /** The next best language; null when only one scored. */
  runnerUp: { language: string; score: number } | null;
}

/**
 * The language a text is written in, by eld's smallest model (60 languages, n-grams;
 * https://github.com/nitotm/efficient-language-detector-js). Meant for some sentences, as all transcripts of a
 * broadcast are: between near languages (Spanish and Catalan) one short sentence can go either way. The large model
 * decides those as well, but takes 290 MB of memory; this one takes 50 MB less than the next one, and is loaded in half of
 * its time.
 * Asterisks (Apertium's sign for an unknown word) are ignored.
 *
 * @returns unobserved for a text without letters or in no known language
 */
export async function detectLanguage(text: string): Promise<Finding<DetectedLanguage>> {
  const cleaned = text.replaceAll('*', '').trim();
  if (!/\p{L}/u.test(cleaned)) return unobserved('the text has no letters');
  // A real import(): the package has no entry for require.
  const { eld } = await import('eld/extrasmall');
  const result = eld.detect(cleaned);
  const ranked = Object.entries(result.getScores()).sort(([, a], [, b]) => b - a);
  const [best, next] = ranked;
  if (!result.language || !best) return unobserved(`no known language: "${cleaned.slice(0, 80)}"`);
  return {
    observed: true,
    language: result.language,
    score: best[1],
    reliable: result.isReliable(),
    runnerUp: next ? { language: next[0], score: next[1] } : null,
  };
}
