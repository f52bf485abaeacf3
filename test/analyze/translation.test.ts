import { describe, it } from 'node:test';

import { expect } from 'chai';

import { chrF, matchTranslation } from '../../support/analyze/translation';

const ENGLISH = 'The quarterback takes the ball and looks for an open player';
const SPANISH = 'El mariscal de campo toma la bola y busca un jugador abierto';

describe('chrF', () => {
  it('is 1 for the same text, whatever its case, accents and punctuation', () => {
    expect(chrF(SPANISH, SPANISH)).to.equal(1);
    expect(chrF('¡QUE gran, jugada!', 'qué gran jugada')).to.equal(1);
  });

  it('agrees with a figure worked out by hand', () => {
    // "ab" against "abc": n=1: P 2/2, R 2/3; n=2: P 1/1, R 1/2; n=3: P 0/0 counts 0, R 0/1.
    const [p, r] = [(1 + 1 + 0) / 3, (2 / 3 + 1 / 2 + 0) / 3];
    expect(chrF('ab', 'abc')).to.be.closeTo((5 * p * r) / (4 * p + r), 1e-12);
  });

  it('agrees with the reference implementation', () => {
    // sacreBLEU 2.6.0, CHRF(lowercase=True), nrefs:1|case:lc|eff:yes|nc:6|nw:0|space:no: 67.62860809517395 and 8.694683443898995 %.
    const rough = chrF('el quarterback toma la bola y busca un jugador abierto', SPANISH);
    expect(rough).to.be.closeTo(0.676286080951739, 1e-12);
    const other = chrF('la defensa es fuerte esta noche', SPANISH);
    expect(other).to.be.closeTo(0.08694683443899, 1e-12);
  });

  it('ranks a rough translation above another sentence and above English', () => {
    const rough = chrF('El quarterback toma la bola y busca un jugador abierto', SPANISH);
    const other = chrF('La defensa es fuerte esta noche', SPANISH);
    const english = chrF(ENGLISH, SPANISH);
    expect(rough).to.be.above(0.6);
    expect(other).to.be.below(0.35);
    expect(english).to.be.below(0.25);
  });

  it('is 0 for nothing', () => {
    expect(chrF('', SPANISH)).to.equal(0);
    expect(chrF(SPANISH, '')).to.equal(0);
  });
});

describe('matchTranslation', () => {
  it('compares numbers by value', async () => {
    const wanted = 'Diecinueve, veinte, veintiuno';
    const figures = await matchTranslation(
      'Nineteen, twenty, twenty-one',
      '19, 20, 21',
      wanted,
      'es',
    );
    expect(figures).to.deep.equal({ chrf: 1, leftUntranslated: [] });
    const wrong = await matchTranslation('Nineteen', '90, 12, 1', wanted, 'es');
    expect(wrong.chrf).to.be.below(0.5);
  });

  it('names the words that were left as they were, but not those that the reference has too', async () => {
    const match = await matchTranslation(
      ...(['Touchdown, the quarterback wins', 'Touchdown, el quarterback gana'] as const),
      ...(['Touchdown, el mariscal gana', 'es'] as const),
    );
    expect(match.leftUntranslated).to.deep.equal(['quarterback']);
  });
});
