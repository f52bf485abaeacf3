import { describe, it } from 'node:test';

import { expect } from 'chai';

import { detectLanguage } from '../../support/analyze/language';
import { observed } from './make-media';

const phrases: Record<string, string[]> = {
  en: [
    'The quarterback throws the ball to the end zone',
    'The defense is tired and the crowd is on its feet',
    'It is third down and they need seven yards',
    'What a catch by the young receiver on the sideline',
    'The referee stops the clock with two minutes left',
    'He runs past the line and nobody can stop him',
  ],
  es: [
    'El quarterback echa la bola a la zona final. La multitud está de pie.',
    'El *quarterback echa la bola a la zona final. La multitud está de pie.',
    'La defensa está cansada y la multitud está de pie',
    'Es tercero abajo y necesitan siete yardas',
    'Qué captura por el receptor joven en la línea de banda',
    'El árbitro para el reloj con dos minutos izquierdos',
    'Corre por delante de la línea y nadie le puede parar',
    'Hola mundo, buenas noches y bienvenidos al partido',
  ],
};

describe('detectLanguage', () => {
  for (const [language, texts] of Object.entries(phrases)) {
    for (const text of texts) {
      it(`finds ${language}: ${text}`, async () => {
        const found = observed(await detectLanguage(text));
        expect(found.language).to.equal(language);
        expect(found.score).to.be.greaterThan(found.runnerUp?.score ?? 0);
      });
    }
  }

  for (const text of ['', '  ', '1, 2, 3.', '***']) {
    it(`does not guess for "${text}"`, async () => {
      expect(await detectLanguage(text)).to.have.property('observed', false);
    });
  }
});
