import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { pcmToS16le, readAudio } from '../../support/analyze/audio';
import { findAtOtherTempo } from '../../support/analyze/tempo';
import { mixInto, noise, run, speech, tempFolder } from './make-media';

const folder = tempFolder();
const RATE = 4000;
const MARGIN_SECONDS = 2;
/** Twelve clips: 66 pairs. */
const SAYINGS = [
  'El mariscal de campo toma la bola y busca un jugador abierto',
  'La defensa es fuerte esta noche, paran al corredor otra vez',
  'Qué gran jugada, la multitud está de pie y gritando',
  'Diez segundos en el reloj, lanza la bola a la esquina',
  'El equipo visitante necesita siete yardas para seguir',
  'Nadie esperaba que ganaran este partido en invierno',
  'El árbitro para el reloj y habla con los entrenadores',
  'Una atrapada increíble del receptor más joven',
  'Vuelven al campo después de una pausa muy corta',
  'La patada es larga y pasa entre los dos postes',
  'Hoy celebran en la ciudad hasta la madrugada',
  'Cuatro intentos y ninguna anotación en esta mitad',
];
const clips = SAYINGS.map((text) => speech(text, { voice: 'es', rateHz: RATE }));

/** With silence on both sides, as much as a dub is searched beside its place. */
function around(samples: Float32Array): Float32Array {
  const margin = MARGIN_SECONDS * RATE;
  const heard = noise(samples.length + 2 * margin, 1).map((sample) => sample * 0.0005);
  mixInto(heard, samples, margin);
  return heard;
}

async function stretched(samples: Float32Array, filter: string): Promise<Float32Array> {
  const file = join(folder, 'stretched.m4a');
  const input = ['-f', 's16le', '-ar', String(RATE), '-ac', '1', '-i', '-'];
  const coded = ['-af', `aresample=48000,${filter}`, '-c:a', 'aac', '-b:a', '96k', file];
  run('ffmpeg', ['-v', 'error', '-y', ...input, ...coded], pcmToS16le(samples));
  return readAudio(file, RATE);
}

describe('findAtOtherTempo', () => {
  for (const tempo of [0.91, 0.97, 1.01, 1.03, 1.05, 1.1]) {
    it(`finds speech that is ${tempo} times as fast at the same pitch`, async () => {
      for (const clip of clips.slice(0, 4)) {
        const found = findAtOtherTempo(
          clip,
          around(await stretched(clip, `atempo=${tempo}`)),
          RATE,
        );
        expect(found?.speed).to.be.closeTo(tempo, 0.006);
        expect(found?.offsetSeconds).to.be.closeTo(MARGIN_SECONDS, 0.03);
        expect(found?.score).to.be.at.least(0.6);
        expect(found?.heardShare).to.be.at.least(0.85);
      }
    });
  }

  it('finds none of 66 pairs of clips in one another, by the same voice', () => {
    const found = clips.flatMap((clip, i) =>
      clips.slice(i + 1).filter((other) => findAtOtherTempo(clip, around(other), RATE)),
    );
    expect(found).to.deep.equal([]);
  });

  it('finds nothing in noise, and no other tempo where the tempo is the same', () => {
    const [clip = new Float32Array()] = clips;
    const hiss = noise(clip.length, 2).map((sample) => sample * 0.3);
    expect(findAtOtherTempo(clip, around(hiss), RATE)).to.equal(undefined);
    expect(findAtOtherTempo(clip, around(clip), RATE)).to.equal(undefined);
  });

  it('finds less than all of a dub of which the end is missing', async () => {
    const [clip = new Float32Array()] = clips;
    const heard = await stretched(clip, 'atempo=1.1');
    heard.fill(0, Math.floor(heard.length * 0.7));
    const found = findAtOtherTempo(clip, around(heard), RATE);
    expect(found?.heardShare ?? 0).to.be.lessThan(0.85);
  });
});
