import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { expect } from 'chai';

import {
  type Heard,
  linesHeard,
  listenBy,
  listenFor,
  listenInEnglish,
  ListenerFailed,
  textsOf,
} from '../../support/analyze/listening';
import { SPEECH_RATE_HZ } from '../../support/analyze/samples';
import { spokenWordErrors } from '../../support/analyze/spoken-words';
import { projectRoot } from '../../support/config';
import { mixInto, noise, observed, rejection, speech, stored } from './make-media';
import { neuralSpeech } from './neural-speech';

const ENGLISH = 'Ten seconds on the clock. He throws the ball to the corner.';
const SPANISH = [
  'Diez segundos en el reloj. Echa la bola a la esquina.',
  'Hay once ovejas y cuatro vacas en las calles de Atenas.',
];
const SECONDS = 8;

/** Spoken from a second on, in 8 s. */
function within(...spoken: [audio: Float32Array, atSeconds: number][]): Float32Array {
  const samples = new Float32Array(SECONDS * SPEECH_RATE_HZ);
  for (const [audio, at] of spoken) mixInto(samples, audio, at * SPEECH_RATE_HZ);
  return samples;
}

const english = (): Float32Array =>
  within([speech(ENGLISH, { voice: 'en', rateHz: SPEECH_RATE_HZ, wordsPerMinute: 150 }), 1]);
const WHOLE = [{ fromSeconds: 0, toSeconds: SECONDS }];

async function heardIn(samples: Float32Array, windows = WHOLE): Promise<Heard[]> {
  return observed(await listenFor('es', samples, windows)).windows;
}

describe('listenInEnglish', () => {
  it('understands English, not Spanish, and invents nothing for silence', async () => {
    const spanish = speech(SPANISH[0] ?? '', { voice: 'es', rateHz: SPEECH_RATE_HZ });
    const heard = [];
    for (const one of [english(), within([spanish, 1]), within()]) {
      heard.push(await listenInEnglish(one));
    }
    const shares = heard.map((text) => linesHeard([ENGLISH], text)[0]?.share);
    expect(shares[0]).to.be.above(0.8);
    expect(shares[1]).to.be.below(0.35);
    expect(heard[2]).to.equal('');
  });
});

describe('listenFor', () => {
  it('hears in a long recording, whose samples are in a file, what it hears in one in memory', async () => {
    const samples = within([speech(SPANISH[0] ?? '', { voice: 'es', rateHz: SPEECH_RATE_HZ }), 1]);
    const windows = [
      { fromSeconds: 0.5, toSeconds: 4 },
      { fromSeconds: 4, toSeconds: SECONDS },
    ];
    const inFile = observed(await listenFor('es', stored(samples), windows)).windows;
    expect(inFile).to.deep.equal(await heardIn(samples, windows));
    expect(inFile[0]?.isSpoken).to.be.true;
    expect(await listenInEnglish(stored(english()))).to.equal(await listenInEnglish(english()));
  });

  let spoken: Float32Array[];
  before(() => {
    spoken = neuralSpeech(SPANISH);
  });

  it('understands Spanish, and says how probable the language is', async () => {
    const [heard] = await heardIn(within([spoken[0] ?? new Float32Array(), 1]));
    const errors = await spokenWordErrors(SPANISH[0] ?? '', [heard?.text ?? ''], 'es');
    expect(errors.wordErrorRate).to.be.below(0.2);
    expect(heard?.isSpoken).to.equal(true);
    expect(heard?.language?.mostProbable).to.equal('es');
    expect(heard?.language?.probability).to.be.above(0.8);
  });

  it('writes numbers in words as well, where it writes figures', async () => {
    const said = 'Veinticinco, veintiséis, veintisiete, veintiocho, veintinueve, treinta.';
    const [count = new Float32Array()] = neuralSpeech([said]);
    const [heard] = await heardIn(within([count, 0.5]));
    expect(heard?.text).to.match(/\d/);
    expect(heard?.spelled)
      .to.match(/veinti/i)
      .and.not.match(/\d/);
    const errors = await spokenWordErrors(said, heard ? textsOf(heard) : [], 'es');
    expect(errors.wordErrorRate).to.be.at.most(0.2);
  });

  it('hears what is there of a window that begins before the audio', async () => {
    const window = { fromSeconds: -0.1, toSeconds: SECONDS };
    const [heard] = await heardIn(within([spoken[0] ?? new Float32Array(), 1]), [window]);
    expect(heard).to.include({ ...window, isSpoken: true });
  });

  it('does not take English for Spanish', async () => {
    const [heard] = observed(await listenFor('es', english(), WHOLE, 'en')).windows;
    expect(heard?.language?.mostProbable).to.equal('en');
    expect(heard?.language?.probability).to.be.below(0.2);
    // Told to expect Spanish, Whisper writes down a translation.
    expect(heard).to.include({ text: '', isSpoken: true });
    expect(heard?.other).to.not.equal('');
  });

  it('invents nothing for silence and noise', async () => {
    const hiss = noise(SECONDS * SPEECH_RATE_HZ, 1).map((sample) => 0.1 * sample);
    const nothing = { ...WHOLE[0], text: '', isSpoken: false };
    expect(await heardIn(within())).to.deep.equal([nothing]);
    expect(await heardIn(hiss)).to.deep.equal([nothing]);
  });

  it('hears in each window what belongs to it, also where speech is a little late', async () => {
    const [first = new Float32Array(), second = new Float32Array()] = spoken;
    const samples = new Float32Array(12 * SPEECH_RATE_HZ);
    const length = first.length / SPEECH_RATE_HZ;
    // The first ends 0.1 s after the border, the second follows it soon.
    mixInto(samples, first, Math.round((6.1 - length) * SPEECH_RATE_HZ));
    mixInto(samples, second, Math.round(6.3 * SPEECH_RATE_HZ));
    const windows = [0, 6].map((from) => ({ fromSeconds: from, toSeconds: from + 6 }));
    const heard = await heardIn(samples, windows);
    for (const [index, text] of SPANISH.entries()) {
      const errors = await spokenWordErrors(text, [heard[index]?.text ?? ''], 'es');
      expect(errors.wordErrorRate, errors.aligned).to.be.below(0.2);
    }
  });

  it('tells the language of half a minute at once, also where that is a little longer', async () => {
    const arounds = async (segmentSeconds: number): Promise<unknown[]> => {
      const samples = new Float32Array(Math.ceil(5 * segmentSeconds * SPEECH_RATE_HZ));
      const windows = Array.from({ length: 5 }, (_, n) => {
        const from = n * segmentSeconds;
        mixInto(
          samples,
          spoken[n % 2] ?? new Float32Array(),
          Math.round((from + 0.6) * SPEECH_RATE_HZ),
        );
        return { fromSeconds: from, toSeconds: from + segmentSeconds };
      });
      return (await heardIn(samples, windows)).map(({ languageAround }) => languageAround);
    };
    const [first, ...others] = await arounds(6.05);
    expect(first).to.have.property('mostProbable', 'es');
    for (const one of others) expect(one).to.deep.equal(first);
    const longer = await arounds(6.7);
    expect(longer[4]).to.not.deep.equal(longer[0]);
  });

  it('says the same of the same audio', async () => {
    const samples = within([spoken[1] ?? new Float32Array(), 1]);
    expect(await heardIn(samples)).to.deep.equal(await heardIn(samples));
  });

  it('shows nothing of a language that it does not know', async () => {
    const found = await listenFor('ie', within(), WHOLE);
    expect(found).to.deep.equal({
      observed: false,
      reason: 'the speech recognizer does not know the language "ie"',
    });
  });

  describe('without its model', () => {
    const own = join(projectRoot, '.tools/models/whisper-base');
    after(() => listenBy(own));

    it('names the folder', async () => {
      listenBy('/nowhere');
      const error = await rejection(listenFor('es', within(), WHOLE));
      expect(error).to.be.instanceOf(ListenerFailed);
      expect(String(error)).to.include('/nowhere').and.to.include('LISTENER_MODEL');
    });
  });
});

describe('linesHeard', () => {
  it('tells which line was understood', () => {
    const script = ['One, two, three', '', 'The ball flies', 'He runs home'];
    const shares = linesHeard(script, '1 2 3 he walks home').map(({ share }) => share);
    expect(shares[0]).to.equal(1);
    expect(shares.slice(1, 3)).to.deep.equal([0, 0]);
    expect(shares[3]).to.be.closeTo(2 / 3, 1e-9);
  });

  it('has no lines without a script', () => {
    expect(linesHeard([], 'hello')).to.deep.equal([]);
    expect(linesHeard(['', ''], 'hello')).to.deep.equal([]);
  });
});
