import { describe, it } from 'node:test';

import { expect } from 'chai';

import { spokenWordErrors, spokenWords } from '../../support/analyze/spoken-words';
import { ReferenceEmpty } from '../../support/analyze/transcript';
import { rejection } from './make-media';

const words = async (text: string, language = 'es'): Promise<string> =>
  (await spokenWords(text, language)).join(' ');
const rate = async (said: string, heard: string, language = 'es'): Promise<number> =>
  (await spokenWordErrors(said, [heard], language)).wordErrorRate;

describe('spokenWords', () => {
  it('leaves out accents, case, punctuation and the marks of unknown words', async () => {
    expect(await words('¡El *Quarterback está «aquí»!')).to.equal('el quarterback esta aqui');
  });

  it('compares numbers by value', async () => {
    expect(await rate('Diez segundos', '10 segundos')).to.equal(0);
    expect(await rate('Uno, dos, tres', '1, 2, 3')).to.equal(0);
    expect(await rate('Treinta y un osos', '31 osos')).to.equal(0);
    expect(await rate('Cuesta mil doscientas yardas', 'Cuesta 1.200 yardas')).to.equal(0);
    expect(await rate('Una yarda', '1 yarda')).to.equal(0);
    expect(await rate('La primera vez', 'La 1ª vez')).to.equal(0);
    expect(await rate('Veintiocho, veintinueve, treinta', '2829-30')).to.equal(0);
    expect(await rate('Uno, dos, tres, cuatro', '1234')).to.equal(0);
    expect(await rate('Uno, dos, tres, cuatro', '1,2,3,4')).to.equal(0);
    expect(await rate('Dos coma cinco metros más', '2,5 metros más')).to.equal(0.2);
    expect(await rate('Mil doscientos osos', '1200 osos')).to.equal(0);
    expect(await rate('Diez segundos en total', '12 segundos en total')).to.equal(0.25);
  });

  it('knows numbers and words of other languages', async () => {
    expect(await words('Zehn Bälle, 21', 'de')).to.equal('zehn balle einundzwanzig');
    expect(await words('dix, 71', 'fr')).to.equal('dix soixante et onze');
    expect(await words('我们10点去', 'zh')).to.equal('我们 壹 拾 点 去');
  });

  it('compares figures where the numbers of a language are not known', async () => {
    expect(await words('Ar 10 pen', 'br')).to.equal('ar 10 pen');
  });

  it('leaves figures that nobody says as they are', async () => {
    expect(await words('1234567890123456 0º')).to.equal('1234567890123456 cero o');
  });
});

describe('spokenWordErrors', () => {
  it('counts wrong, missing and surplus words', async () => {
    const errors = await spokenWordErrors(
      'Lanza el balón hacia allá',
      ['danza el valor hacia'],
      'es',
    );
    expect(errors).to.include({ substitutions: 2, deletions: 1, insertions: 0, referenceWords: 5 });
    expect(errors.wordErrorRate).to.equal(0.6);
  });

  it('forgives borders of words, and foreign ones that are spelt as they sound', async () => {
    const said = 'El kicker carreras a la bola y envía un profundo al cuchillo.';
    const heard = 'El quiquer carrera salabola y envía un profundo al cuchillo.';
    expect(await rate(said, heard)).to.be.within(0.1, 0.2);
    expect(await rate(said, 'El portero no corre a por la pelota y la tira al río.')).to.be.above(
      0.6,
    );
    expect(
      await rate(
        'Los enfermeros encontraron setenta y siete cuchillos y sesenta y tres cerezas en Escocia.',
        'Los bomberos encontraron cincuenta y seis guitarras y sesenta y seis limones en Escocia.',
      ),
    ).to.be.above(0.4);
  });

  it('compares the letters of fewer than four words', async () => {
    expect(await rate('Hola mundo', 'con la mundo')).to.be.closeTo(2 / 9, 1e-9);
    expect(await rate('Hola mundo', '')).to.equal(1);
    expect(await rate('Hola mundo', 'Buenas noches')).to.be.above(0.8);
    const four = await rate('Hola mundo querido mío', 'con la mundo querido mío');
    expect(four).to.be.closeTo((2 * 2) / 19, 1e-9);
  });

  it('counts the best of several texts of the same audio', async () => {
    const said = 'Veintiocho, veintinueve, treinta, treinta y uno';
    const words = 'veintiocho veintinueve treinta treinta y uno';
    const rateOf = async (heard: string[]): Promise<number> =>
      (await spokenWordErrors(said, heard, 'es')).wordErrorRate;
    expect(await rateOf(['2890.31'])).to.be.above(0.4);
    expect(await rateOf(['2890.31', words])).to.equal(0);
    expect(await rateOf([words, '2890.31'])).to.equal(0);
  });

  it('needs a reference', async () => {
    expect(await rejection(spokenWordErrors('…', ['hola'], 'es'))).to.be.instanceOf(ReferenceEmpty);
  });
});
