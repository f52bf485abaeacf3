import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { pcmToS16le } from '../../support/analyze/audio';
import {
  bitErrorRate,
  fingerprintFile,
  fingerprintPcm,
  judgeFingerprint,
} from '../../support/analyze/fingerprint';
import { ffmpeg, observed, speech, tempFolder } from './make-media';

const folder = tempFolder();
const limits = { sameBelow: 0.25, differentAbove: 0.3 };
const format = { sampleRateHz: 16000, channels: 1 };

const ENGLISH =
  'The quarterback throws the ball to the end zone and the crowd goes wild tonight. It is third ' +
  'down and they need seven yards. What a catch by the young receiver on the sideline.';
const SPANISH =
  'El mariscal de campo lanza el balón a la zona de anotación y la multitud enloquece esta noche. ' +
  'Es tercera oportunidad y necesitan siete yardas. Qué atrapada del joven receptor.';

function wav(name: string, samples: Float32Array): string {
  const file = join(folder, name);
  writeFileSync(`${file}.raw`, pcmToS16le(samples));
  ffmpeg('-f', 's16le', '-ar', '16000', '-ac', '1', '-i', `${file}.raw`, file);
  return file;
}

describe('fingerprints', () => {
  let original: Float32Array = new Float32Array();
  let originalFile = '';
  before(() => {
    original = speech(ENGLISH, { rateHz: 16000 });
    originalFile = wav('original.wav', original);
  });

  for (const bitrate of ['32k', '64k', '128k']) {
    it(`of the same audio as AAC at ${bitrate} are the same`, async () => {
      const coded = join(folder, `${bitrate}.mp4`);
      ffmpeg('-i', originalFile, '-ar', '44100', '-c:a', 'aac', '-b:a', bitrate, coded);
      const match = observed(
        bitErrorRate(await fingerprintFile(originalFile), await fingerprintFile(coded), 2),
      );
      expect(match.bitErrorRate).to.be.greaterThan(0);
      expect(judgeFingerprint(match.bitErrorRate, limits)).to.equal('same');
      expect(match.offsetSeconds).to.equal(0);
    });
  }

  it('find the same audio 2 s later', async () => {
    const late = join(folder, 'late.mp4');
    ffmpeg('-i', originalFile, '-af', 'adelay=2000:all=1', '-c:a', 'aac', '-b:a', '64k', late);
    const [a, b] = [await fingerprintFile(originalFile), await fingerprintFile(late)];
    const match = observed(bitErrorRate(a, b, 4));
    expect(match.bitErrorRate).to.be.lessThan(0.25);
    expect(match.offsetSeconds).to.be.closeTo(2, 0.13);
    expect(observed(bitErrorRate(b, a, 4)).offsetSeconds).to.be.closeTo(-2, 0.13);
    expect(observed(bitErrorRate(a, b, 0.5)).bitErrorRate).to.be.greaterThan(0.25);
  });

  for (const [what, text, voice] of [
    ['a Spanish dub', SPANISH, 'es'],
    ['another voice', ENGLISH, 'en+f3'],
  ] as const) {
    it(`of ${what} are different`, async () => {
      const other = wav('other.wav', speech(text, { voice, rateHz: 16000, wordsPerMinute: 175 }));
      const match = observed(
        bitErrorRate(await fingerprintFile(originalFile), await fingerprintFile(other), 2),
      );
      expect(judgeFingerprint(match.bitErrorRate, limits)).to.equal('different');
    });
  }

  it('work for fragments of 6 s in memory', async () => {
    const fragment = original.subarray(0, 6 * 16000);
    const dub = speech(SPANISH, { voice: 'es', rateHz: 16000 }).subarray(0, 6 * 16000);
    const [a, b, c] = await Promise.all(
      [fragment, fragment.map((sample) => sample * 0.4), dub].map((samples) =>
        fingerprintPcm(pcmToS16le(samples), format),
      ),
    );
    if (!a || !b || !c) throw new Error('no fingerprints');
    expect(a.length).to.be.within(20, 35);
    expect(observed(bitErrorRate(a, b, 1)).bitErrorRate).to.be.lessThan(0.1);
    expect(observed(bitErrorRate(a, c, 1)).bitErrorRate).to.be.greaterThan(0.3);
  });

  it('do not answer for less than a fingerprint needs', async () => {
    const empty = await fingerprintPcm(pcmToS16le(original.subarray(0, 16000)), format);
    expect(empty).to.have.length(0);
    expect(bitErrorRate(empty, empty, 1)).to.have.property('observed', false);
  });
});

describe('bitErrorRate', () => {
  it('counts differing bits', () => {
    const a = Uint32Array.of(0xffffffff, 0, 0x80000001, 5);
    const b = Uint32Array.of(0xffffffff, 0, 0x80000000, 4);
    expect(bitErrorRate(a, b, 0)).to.deep.equal({
      observed: true,
      bitErrorRate: 2 / 128,
      offsetSeconds: 0,
      items: 4,
    });
  });

  it('compares only where both are, at the best shift', () => {
    const a = Uint32Array.from({ length: 8 }, (_, i) => Math.imul(i + 1, 0x9e3779b1));
    const b = Uint32Array.of(1, 2, ...a.subarray(0, 6));
    const later = observed(bitErrorRate(a, b, 0.3));
    expect(later).to.include({ bitErrorRate: 0, items: 6 });
    expect(later.offsetSeconds).to.be.closeTo(0.248, 0.001);
    const earlier = observed(bitErrorRate(b, a, 0.3));
    expect(earlier).to.include({ bitErrorRate: 0, items: 6 });
    expect(earlier.offsetSeconds).to.be.closeTo(-0.248, 0.001);
    expect(bitErrorRate(a, b, 0)).to.have.property('items', 8);
  });

  it('leaves a band undecided', () => {
    expect([0.249, 0.25, 0.3, 0.301].map((rate) => judgeFingerprint(rate, limits))).to.deep.equal([
      'same',
      'undecided',
      'undecided',
      'different',
    ]);
  });
});
