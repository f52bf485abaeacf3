import { describe, it } from 'node:test';

import { expect } from 'chai';

import { unobserved } from '../../support/analyze/finding';
import type { SegmentHeard } from '../../support/analyze/segments-heard';
import { spokenAgainst } from '../../support/analyze/segments-heard';
import {
  dubLanguage,
  dubSpoken,
  language,
  originalUnderstood,
  SPOKEN,
  spoken,
} from '../../support/checks/speech';
import { directDubSpoken } from '../../support/checks/sts-speech';

/** These criteria compare what was measured with the limit alone. */
const SUBJECT = undefined as never;
const TEN = 'uno dos tres cuatro cinco seis siete ocho nueve diez';
const LIMIT = SPOKEN;

const languages = (own = 'es', around = 0.9, mostAround = 'es') => ({
  language: { probability: own === 'es' ? 0.9 : 0.02, mostProbable: own },
  languageAround: { probability: around, mostProbable: mostAround },
});

const heardAs = (text: string, sequence = 0): SegmentHeard => ({
  sequence,
  heard: {
    ...{ observed: true, fromSeconds: 0, toSeconds: 6, text, isSpoken: text !== '' },
    ...(text === '' ? {} : languages()),
  },
});

/** What deviates where each line is translated to `TEN`, and heard as given. */
async function deviations(heard: SegmentHeard[], limit = LIMIT): Promise<string[]> {
  const script = heard.map(() => 'said');
  const texts = script.map((_, sequence) => ({ sequence, translation: TEN }));
  const segments = await spokenAgainst(script, texts, heard, 'es');
  return spoken.assess(segments, limit, SUBJECT).deviations.map(({ text }) => text);
}

/** With so many words wrong. */
const wrong = (count: number): string =>
  TEN.split(' ')
    .map((word, index) => (index < count ? 'otra' : word))
    .join(' ');

describe('what is heard', () => {
  it('may have four of ten words wrong in a segment, and a fifth on average', async () => {
    const good = [1, 2, 3].map((sequence) => heardAs(TEN, sequence));
    expect(await deviations([heardAs(wrong(4)), ...good])).to.deep.equal([]);
    expect(await deviations([heardAs(wrong(5)), ...good])).to.have.length(1);
    const both = (count: number): SegmentHeard[] =>
      [0, 1].map((sequence) => heardAs(wrong(count), sequence));
    expect(await deviations(both(2))).to.deep.equal([]);
    expect(await deviations(both(3))).to.deep.equal(['mean word error rate 0.30']);
  });

  it('is compared by the value of numbers', async () => {
    expect(await deviations([heardAs('1, 2, 3, 4, 5, 6, 7, 8, 9, 10')])).to.deep.equal([]);
  });

  it('is wrong where no words, or nothing, are heard', async () => {
    expect((await deviations([heardAs('')]))[0]).to.equal(
      `segment 0: no words are heard, word error rate 1.00, for "${TEN}"`,
    );
    const missing = { sequence: 0, heard: unobserved('frames 0 to 180 are not in the output') };
    expect((await deviations([missing]))[0]).to.equal(
      'segment 0: frames 0 to 180 are not in the output',
    );
  });

  it('is wrong in the language of the source, whatever its figures', async () => {
    const numbers = heardAs('');
    const heard = { ...numbers.heard, other: '1, 2, 3', ...languages('en') };
    expect((await deviations([{ ...numbers, heard }]))[0]).to.equal(
      `segment 0: "1, 2, 3" is heard, in en, word error rate 1.00, for "${TEN}"`,
    );
  });

  it('needs a translation of each segment in which somebody speaks', async () => {
    const without = await spokenAgainst(['said'], [], [heardAs('hola')], 'es');
    const empty = await spokenAgainst(
      ['said'],
      [{ sequence: 0, translation: '…' }],
      [heardAs('')],
      'es',
    );
    const texts = [without, empty].map((segments) =>
      spoken.assess(segments, LIMIT, SUBJECT).deviations.map(({ text }) => text),
    );
    expect(texts[0]?.[0]).to.equal('segment 0: no translation');
    expect(texts[1]?.[0]).to.equal('segment 0: a translation without words');
  });

  it('is nothing where nobody speaks', async () => {
    const silent = async (text: string): Promise<string[]> =>
      spoken
        .assess(await spokenAgainst([''], [], [heardAs(text)], 'es'), LIMIT, SUBJECT)
        .deviations.map((one) => one.text);
    expect(await silent('')).to.deep.equal([]);
    expect(await silent('hola')).to.deep.equal(['segment 0: nobody speaks, and "hola" is heard']);
  });

  it('is judged alike in a dub and in the output', async () => {
    const segments = await spokenAgainst(
      ['said'],
      [{ sequence: 0, translation: TEN }],
      [heardAs(wrong(7))],
      'es',
    );
    const { figure: ofDubs, ...inDubs } = dubSpoken.assess(segments, LIMIT, SUBJECT);
    const { figure, ...inOutput } = spoken.assess(segments, LIMIT, SUBJECT);
    expect(inDubs).to.deep.equal(inOutput);
    const names = [ofDubs?.name, figure?.name].map((name) => /in the (\w+)/.exec(name ?? '')?.[1]);
    expect(names).to.deep.equal(['dubs', 'output']);
    expect(spoken.explainedBy?.map(({ criterion }) => criterion.id)).to.include('dub-spoken');
    expect(language.explainedBy?.map(({ criterion }) => criterion.id)).to.include('dub-language');
  });
});

describe('the language', () => {
  type Limit = Parameters<(typeof language)['assess']>[1];
  const deviate = (segments: SegmentHeard[], limit: Limit, script?: string[]): string[] => {
    const measured = {
      ...{ segments, script: script ?? segments.map(() => 'said') },
      ...{ source: 'en', target: 'es' },
    };
    const [first = [], second] = [language, dubLanguage].map(({ assess }) =>
      assess(measured, limit, SUBJECT).deviations.map(({ text }) => text),
    );
    expect(second).to.deep.equal(first);
    return first;
  };
  const spokenIn = (...told: Parameters<typeof languages>): SegmentHeard => ({
    sequence: 0,
    heard: {
      ...{ observed: true, fromSeconds: 0, toSeconds: 6, text: 'hola', isSpoken: true },
      ...languages(...told),
    },
  });

  it('has to be as probable as the limit says in the 30 s around', () => {
    expect(deviate([spokenIn('es', 0.5)], { probability: 0.5 })).to.deep.equal([]);
    expect(deviate([spokenIn('es', 0.49, 'vi')], { probability: 0.5 })).to.deep.equal([
      'segment 0: es 0.49 in the 30 s around, most probable vi: "hola"',
    ]);
  });

  it('of a segment alone may be any but the other one', () => {
    expect(deviate([spokenIn('it')], { probability: 0.5 })).to.deep.equal([]);
    expect(deviate([spokenIn('en')], { probability: 0.5 })).to.deep.equal([
      'segment 0: es 0.02, most probable en: "hola"',
    ]);
    expect(deviate([spokenIn('it')], { probability: 0.5, other: 'it' })).to.have.length(1);
  });

  it('has to be that of the sentence', () => {
    expect(deviate([spokenIn()], { probability: 0.5, language: 'es' })).to.deep.equal([]);
    expect(deviate([spokenIn()], { probability: 0.5, language: 'fr' })).to.deep.equal([
      'the target language is "es"',
    ]);
  });

  it('is not shown by silence, nor by what is missing', () => {
    const limit = { probability: 0 };
    expect(deviate([heardAs('')], limit)).to.deep.equal(['segment 0: nobody speaks']);
    expect(deviate([], limit, ['said'])).to.deep.equal(['segment 0: no dub']);
    const missing = { sequence: 0, heard: unobserved('not there') };
    expect(deviate([missing], limit)).to.deep.equal(['segment 0: not there']);
  });

  it('does not matter where nobody speaks', () => {
    expect(deviate([heardAs('')], { probability: 0.9 }, [''])).to.deep.equal([]);
  });
});

describe('what an English listener understands', () => {
  it('is told by its share, not by what a recognizer makes up', () => {
    const lines = [
      { sequence: 0, line: 'one two', share: 0.5 },
      { sequence: 1, line: 'three four', share: 0.49 },
    ];
    const measured = { observed: true as const, lines, text: 'Thank you for watching' };
    const { seen, deviations } = originalUnderstood.assess(measured, { shareBelow: 0.5 }, SUBJECT);
    expect(seen).to.equal("at most 50 % of a line's words");
    expect(deviations.map(({ text }) => text)).to.deep.equal(['line 0, 50 %: "one two"']);
  });
});

describe('the dub of audio that was sent directly', () => {
  it('is judged by its words', async () => {
    const [segment] = await spokenAgainst(
      ['said'],
      [{ sequence: 0, translation: TEN }],
      [heardAs(wrong(5))],
      'es',
    );
    if (!segment?.heard.observed) throw new Error('it is heard');
    const measured = { translation: TEN, heard: segment.heard, words: segment.words };
    const holds = (wordErrorRate: number): boolean =>
      directDubSpoken.assess(measured, { wordErrorRate }, SUBJECT).deviations.length === 0;
    expect([0.5, 0.49].map(holds)).to.deep.equal([true, false]);
    const silent = { translation: '', heard: segment.heard, words: undefined };
    expect(directDubSpoken.assess(silent, { wordErrorRate: 9 }, SUBJECT).deviations).to.have.length(
      1,
    );
  });
});
