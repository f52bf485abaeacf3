import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { readTimeline } from '../../support/analyze/audio-track';
import { type Heard, listenFor } from '../../support/analyze/listening';
import { SPEECH_RATE_HZ } from '../../support/analyze/samples';
import { spokenWordErrors } from '../../support/analyze/spoken-words';
import { SPOKEN, SPOKEN_LANGUAGE } from '../../support/checks/speech';
import { floatBytes, mixInto, noise, observed, run, speech, tempFolder } from './make-media';
import { neuralSpeech } from './neural-speech';

const folder = tempFolder();
const SECONDS = 6;
/** Said, and as Apertium translates it. */
const LINES = [
  [
    'Good evening everyone. The stadium is full and the teams are ready.',
    'Tarde buena todo el mundo. El estadio es lleno y los equipos están a punto.',
  ],
  [
    'Ten seconds on the clock. He throws the ball to the corner.',
    'Diez segundos en el reloj. Echa la bola a la esquina.',
  ],
  [
    'There are eleven sheep and four cows in the streets of Athens.',
    'Hay once ovejas y cuatro vacas en las calles de Atenas.',
  ],
  ['One, two, three, four, five, six', 'Uno, dos, tres, cuatro, cinco, seis'],
  [
    'The old man buys four blue bears at the market in Berlin.',
    'El hombre viejo compra cuatro osos azules en la lonja en Berlín.',
  ],
] as const;
const TRANSLATIONS = LINES.map(([, translation]) => translation);

/** How loud speech is where it is not silent. */
function loudness(samples: Float32Array): number {
  const loud = samples.filter((sample) => Math.abs(sample) > 0.005);
  return Math.sqrt(loud.reduce((sum, sample) => sum + sample ** 2, 0) / Math.max(1, loud.length));
}

/** A segment of 6 s for each of the dubs, as at an output: AAC, 128 kbit/s, 48 kHz. What is heard in each. */
async function heardOf(name: string, dubs: readonly Float32Array[]): Promise<Heard[]> {
  const samples = new Float32Array(dubs.length * SECONDS * SPEECH_RATE_HZ);
  dubs.forEach((dub, index) => mixInto(samples, dub, (index * SECONDS + 0.6) * SPEECH_RATE_HZ));
  const file = join(folder, `${name}.mp4`);
  const input = ['-f', 'f32le', '-ar', String(SPEECH_RATE_HZ), '-ac', '1', '-i', '-'];
  const output = ['-ar', '48000', '-c:a', 'aac', '-b:a', '128k', file];
  run('ffmpeg', ['-v', 'error', '-y', ...input, ...output], floatBytes(samples));
  const audio = await readTimeline(file, SPEECH_RATE_HZ);
  const windows = dubs.map((_, index) => ({
    fromSeconds: index * SECONDS - audio.firstPtsSeconds,
    toSeconds: (index + 1) * SECONDS - audio.firstPtsSeconds,
  }));
  return observed(await listenFor('es', audio.samples, windows, 'en')).windows;
}

/** Word error rates against the translations, each of them that many lines further. */
function ratesOf(heard: readonly Heard[], further = 0): Promise<number[]> {
  return Promise.all(
    heard.map(async ({ text }, index) => {
      const said = TRANSLATIONS[(index + further) % TRANSLATIONS.length] ?? '';
      return (await spokenWordErrors(said, [text], 'es')).wordErrorRate;
    }),
  );
}

/** docs/reading-a-report.md, Listening, has the figures of more lines. */
describe('calibration of what is heard', () => {
  let good: Heard[];
  let rates: number[];
  before(async () => {
    good = await heardOf('good', neuralSpeech(TRANSLATIONS));
    rates = await ratesOf(good);
  });

  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;

  it('good dubs are within the limits', (t) => {
    t.diagnostic(good.map(({ text }, i) => `${rates[i]?.toFixed(2)} ${text}`).join('\n'));
    expect(Math.max(...rates)).to.be.at.most(SPOKEN.wordErrorRate);
    expect(mean(rates)).to.be.at.most(SPOKEN.meanAtMost);
    for (const { language, languageAround } of good) {
      expect(language?.mostProbable).to.not.equal('en');
      expect(languageAround?.probability).to.be.at.least(SPOKEN_LANGUAGE.probability);
    }
  });

  it('a few words, cut in two, are not taken for English', async () => {
    const [dub = new Float32Array()] = neuralSpeech([
      'Juego sumo, la multitud es en sus pies y gritando.',
    ]);
    for (const [from, to] of [
      [0.31, 2.31],
      [0.48, 2.16],
    ] as const) {
      const samples = dub.slice(from * SPEECH_RATE_HZ, to * SPEECH_RATE_HZ);
      const whole = { fromSeconds: 0, toSeconds: samples.length / SPEECH_RATE_HZ };
      const [heard] = observed(await listenFor('es', samples, [whole], 'en')).windows;
      expect(heard?.language?.mostProbable, `${from} to ${to} s`).to.equal('es');
    }
  });

  it('those of other segments are not', async () => {
    for (const further of [1, 2, 3, 4]) {
      const others = await ratesOf(good, further);
      expect(Math.min(...others)).to.be.above(SPOKEN.wordErrorRate);
    }
  });

  it('English is not', async () => {
    const voice = { voice: 'en-us', rateHz: SPEECH_RATE_HZ };
    const heard = await heardOf(
      'english',
      LINES.map(([said]) => speech(said, voice)),
    );
    expect(Math.min(...(await ratesOf(heard)))).to.be.above(SPOKEN.wordErrorRate);
    for (const { language, languageAround } of heard) {
      expect(language?.mostProbable).to.equal('en');
      expect(languageAround?.probability).to.be.below(SPOKEN_LANGUAGE.probability);
    }
  });

  it('noise, noise as loud as speech, and a mumble below it have no words', async () => {
    const spoken = TRANSLATIONS.map((text) =>
      speech(text, { voice: 'es', rateHz: SPEECH_RATE_HZ, wordsPerMinute: 120 }),
    );
    const hiss = (speechDb: number): Float32Array[] =>
      spoken.map((one, seed) => {
        // White noise has an effective value of its peak by the square root of 3.
        const peak = Math.sqrt(3) * loudness(one);
        const gain = 10 ** (speechDb / 20);
        return noise(one.length, seed).map((sample, i) => sample * peak + gain * (one[i] ?? 0));
      });
    for (const [name, dubs] of [
      ['hiss', hiss(-Infinity)] as const,
      ['mumble', hiss(-30)] as const,
    ]) {
      const heard = await heardOf(name, dubs);
      expect(await ratesOf(heard), name).to.deep.equal(TRANSLATIONS.map(() => 1));
    }
  });
});
