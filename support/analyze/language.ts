import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

import { type Finding, unobserved } from './finding';
import { keepFile, orNothing } from './kept-file';

const PACKAGES = resolve(__dirname, '../../node_modules');
const ELD = join(PACKAGES, 'eld/src');
const FOLDER = join(PACKAGES, '.cache/eld');

/** What is used of eld. */
interface Detector {
  detect: (text: string) => {
    language: string;
    getScores: () => Record<string, number>;
    isReliable: () => boolean;
  };
}

let detector: Promise<Detector> | undefined;

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
  detector ??= loadDetector();
  const eld = await detector;
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

/**
 * eld with its model read as data: the package has that as a program of one object, and to understand it takes 0.3 s and 80 MB, a third
 * of that as JSON.
 */
async function loadDetector(): Promise<Detector> {
  // A real import(): the package is of modules, and has no entry without a model.
  const { createEld } = (await import(pathToFileURL(join(ELD, 'languageDetector.js')).href)) as {
    createEld: () => { instance: Detector; loadData: (model: unknown) => void };
  };
  const { instance, loadData } = createEld();
  loadData(JSON.parse(await readModel()));
  return instance;
}

/** As JSON: written by a program of its own, and kept, once for each version. */
async function readModel(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(ELD, '../package.json'), 'utf8')) as {
    version: string;
  };
  const kept = join(FOLDER, `extrasmall-${version}.json`);
  if (existsSync(kept)) return readFile(kept, 'utf8');
  const model = pathToFileURL(join(ELD, 'ngrams/extrasmall.js')).href;
  const program = `import { ngramsData } from ${JSON.stringify(model)};
    process.stdout.write(JSON.stringify(ngramsData));`;
  const args = ['--input-type=module', '--eval', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 24 });
  orNothing(() => keepFile(kept, stdout));
  return stdout;
}
