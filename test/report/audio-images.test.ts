import { describe, it } from 'node:test';

import { expect } from 'chai';

import { drawAudio } from '../../support/report/audio-images';

const RATE = 8000;

describe('what is drawn of audio', () => {
  it('is its loudest samples over time, silence where there is none, and a spectrogram', async () => {
    // From 1 s on, for 2 s: silence, then a tone at a quarter of full scale with one click below.
    const samples = Float32Array.from({ length: 2 * RATE }, (_, index) =>
      index < RATE ? 0 : 0.25 * Math.sin((2 * Math.PI * 500 * index) / RATE),
    );
    samples[RATE + RATE / 2] = -0.75;
    const audio = { samples, rateHz: RATE, firstPtsSeconds: 1 };
    const { levels, spectrogram } = await drawAudio(audio, 0, 4);
    expect(levels).to.have.lengthOf(500);
    // 125 levels a second.
    expect(Math.max(...levels.slice(0, 250))).to.equal(0);
    expect([levels[260], levels[300], levels[370]]).to.deep.equal([0.25, 0.25, 0.25]);
    expect(levels.findIndex((level) => level > 0.3)).to.be.closeTo(312, 1);
    expect(Math.max(...levels)).to.equal(0.75);
    expect(Math.max(...levels.slice(375))).to.equal(0);

    const png = Buffer.from(spectrogram.split(',')[1] ?? '', 'base64');
    expect(spectrogram.split(',')[0]).to.equal('data:image/png;base64');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).to.deep.equal([1000, 128]);
  });

  it('has a level for each sample where there are few, and none above full scale', async () => {
    const audio = { samples: Float32Array.of(0.5, -3), rateHz: RATE, firstPtsSeconds: 0 };
    const { levels } = await drawAudio(audio, 0, 2 / RATE);
    expect(levels).to.deep.equal([0.5, 1]);
  });
});
