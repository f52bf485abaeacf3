import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { linesHeard, listen, ListenerFailed } from '../../support/analyze/listening';
import { ffmpeg, floatBytes, mixInto, rejection, run, speech, tempFolder } from './make-media';

const folder = tempFolder();
const RATE = 16000;
const ENGLISH = 'Ten seconds on the clock. He throws the ball to the corner.';
const SPANISH = 'Diez segundos en el reloj. Lanza la bola a la esquina.';

/** Spoken from 1 s on, in 8 s. */
function spoken(name: string, text: string, voice: string): string {
  const samples = new Float32Array(8 * RATE);
  mixInto(samples, speech(text, { voice, rateHz: RATE, wordsPerMinute: 150 }), RATE);
  const file = join(folder, name);
  const input = ['-f', 'f32le', '-ar', String(RATE), '-ac', '1', '-i', '-'];
  run('ffmpeg', ['-v', 'error', '-y', ...input, file], floatBytes(samples));
  return file;
}

describe('listen', () => {
  it('understands English, not Spanish, and invents nothing for silence', async () => {
    const silent = join(folder, 'silent.wav');
    ffmpeg('-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono', '-t', '8', silent);
    const files = [spoken('en.wav', ENGLISH, 'en'), spoken('es.wav', SPANISH, 'es'), silent];
    const heard = [];
    for (const file of files) heard.push(await listen(file));
    const [english, spanish, silence] = heard.map((one) => linesHeard([ENGLISH], one)[0]?.share);
    expect(english).to.be.above(0.8);
    expect(spanish).to.be.below(0.35);
    expect(silence).to.equal(0);
    expect(heard[2]).to.deep.equal({ windows: [{ fromSeconds: 0, toSeconds: 8, text: '' }] });
  });

  it('says which file it could not listen to', async () => {
    const error = await rejection(listen(join(folder, 'none.wav')));
    expect(error).to.be.instanceOf(ListenerFailed);
    expect(String(error)).to.include('none.wav');
  });
});

describe('linesHeard', () => {
  const heard = (text: string) => ({
    windows: [{ fromSeconds: 0, toSeconds: 30, text }],
  });

  it('tells which line was understood', () => {
    const script = ['One, two, three', '', 'The ball flies', 'He runs home'];
    const shares = linesHeard(script, heard('1 2 3 he walks home')).map(({ share }) => share);
    expect(shares[0]).to.equal(1);
    expect(shares.slice(1, 3)).to.deep.equal([0, 0]);
    expect(shares[3]).to.be.closeTo(2 / 3, 1e-9);
  });

  it('has no lines without a script', () => {
    expect(linesHeard([], heard('hello'))).to.deep.equal([]);
    expect(linesHeard(['', ''], heard('hello'))).to.deep.equal([]);
  });
});
