import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { expect } from 'chai';
import { stringify } from 'yaml';

import { keywordsIn } from '../../support/analyze/keywords';
import { publishedFixture } from '../../support/broadcast/fixture';
import { composeFreshWords, type FreshWords } from '../../support/broadcast/fresh-words';
import { readYamlFile } from '../../support/base/yaml-file';
import { projectRoot } from '../../support/config';

const SEEDS = Array.from({ length: 2000 }, (_, seed) => seed);

/** Of each segment, the keywords that a text lacks. */
function missingIn(
  { keywords }: FreshWords,
  texts: readonly string[],
  side: 'said' | 'translated',
  language: string,
): Promise<string[][]> {
  return Promise.all(
    keywords.map(async (words, segment) => {
      const found = await keywordsIn(segment, texts[segment] ?? '', words, side, language);
      return found.missing;
    }),
  );
}

describe('words that are composed for a run', () => {
  it('are the same for the same seed, and others for each other seed', () => {
    expect(composeFreshWords(0x7fffffff)).to.deep.equal(composeFreshWords(0x7fffffff));
    const sentences = SEEDS.flatMap((seed) => composeFreshWords(seed).script);
    expect(new Set(sentences).size).to.equal(2 * SEEDS.length);
  });

  it('are six in each of two segments, none of them in both', () => {
    for (const { script, translation, keywords } of SEEDS.map(composeFreshWords)) {
      expect([script.length, translation.length]).to.deep.equal([2, 2]);
      expect(keywords.map((words) => words.length)).to.deep.equal([6, 6]);
      const all = keywords.flat().flatMap(({ translated }) => translated);
      expect(new Set(all).size).to.equal(all.length);
    }
  });

  it('are hardly ever guessed: other seeds have less than five of the six', async () => {
    const own = composeFreshWords(1);
    for (const other of SEEDS.slice(2, 300).map(composeFreshWords)) {
      const missing = await missingIn(own, other.translation, 'translated', 'es');
      expect(Math.min(...missing.map((words) => words.length))).to.be.above(1);
    }
  });

  it('are in their own script and translation, and no English is taken for Spanish', async () => {
    for (const words of SEEDS.slice(0, 300).map(composeFreshWords)) {
      const [none, ofOther] = [[[], []], words.script.toReversed()];
      expect(await missingIn(words, words.script, 'said', 'en')).to.deep.equal(none);
      expect(await missingIn(words, words.translation, 'translated', 'es')).to.deep.equal(none);
      for (const [texts, side, language] of [
        [ofOther, 'said', 'en'],
        [words.translation.toReversed(), 'translated', 'es'],
      ] as const) {
        const missing = await missingIn(words, texts, side, language);
        expect(missing.map((all) => all.length)).to.deep.equal([6, 6]);
      }
      const inEnglish = await missingIn(words, words.script, 'translated', 'es');
      expect(inEnglish.map((all) => all.length)).to.deep.equal([6, 6]);
    }
  });
});

describe('a keyword', () => {
  const number = [{ said: ['42'], translated: ['42'] }];
  const colour = [{ said: ['black'], translated: ['negros', 'negras'] }];
  const inSpanish = async (text: string, words = number): Promise<boolean> =>
    (await keywordsIn(0, text, words, 'translated', 'es')).missing.length === 0;
  const inEnglish = async (text: string): Promise<boolean> =>
    (await keywordsIn(0, text, number, 'said', 'en')).missing.length === 0;

  it('that is a number is found by its value', async () => {
    for (const text of ['Vi 42 gatos.', 'Vi cuarenta y dos gatos.', 'CUARENTA Y DOS']) {
      expect(await inSpanish(text), text).to.be.true;
    }
    for (const text of ['We saw 42 cats.', 'We saw forty-two cats.', 'forty two']) {
      expect(await inEnglish(text), text).to.be.true;
    }
  });

  it('that is a number is not found in another one', async () => {
    for (const text of ['142', 'ciento cuarenta y dos', 'cuarenta', '42.000', '2', '420', '']) {
      expect(await inSpanish(text), text).to.be.false;
    }
    for (const text of ['142', 'one hundred forty-two', 'a hundred and forty-two', '42,000']) {
      expect(await inEnglish(text), text).to.be.false;
    }
  });

  it('is a whole word in any of its forms, whatever its accents', async () => {
    expect(await inSpanish('Gatos NEGROS, y', colour)).to.be.true;
    expect(await inSpanish('vacas negras', colour)).to.be.true;
    expect(await inSpanish('ennegros negrosa', colour)).to.be.false;
    const place = [{ said: ['Japan'], translated: ['Japón'] }];
    expect(await inSpanish('en Japon', place)).to.be.true;
  });
});

describe('a broadcast that its run has made', () => {
  const reports = mkdtempSync(join(tmpdir(), 'made-'));
  after(() => rmSync(reports, { recursive: true }));

  it('is found beside its evidence, where both have been moved', () => {
    const short = readYamlFile(join(projectRoot, 'fixtures/12-s-nfl.yaml'), 'fixture').values;
    const made = join(reports, 'fresh-words', '7');
    const record = {
      ...{ fixtureScript: '/gone/fresh-words/7/fresh-words.yaml', durationSeconds: 12 },
      ...{ fixtureFile: '/gone/fresh-words/7/fresh-words.mp4', segmentSeconds: 6 },
    };
    const evidence = join(reports, 'evidence', 'test_fresh-words_1');
    expect(() => publishedFixture(record, evidence)).to.throw(/\/gone\/fresh-words/);
    for (const [name, text] of [
      ['yaml', stringify({ ...(short as object), ...composeFreshWords(7) })],
      ['mp4', ''],
    ] as const) {
      writeMade(made, `fresh-words.${name}`, text);
    }
    const { path, script, keywords } = publishedFixture(record, evidence);
    expect(path).to.equal(join(made, 'fresh-words.mp4'));
    expect([script, keywords]).to.deep.equal([
      composeFreshWords(7).script,
      composeFreshWords(7).keywords,
    ]);
  });
});

function writeMade(folder: string, name: string, text: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, name), text);
}
