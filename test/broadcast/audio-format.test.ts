import { describe, it } from 'node:test';

import { expect } from 'chai';

import { audioFormatOf } from '../../support/broadcast/audio-format';

describe('the format of audio', () => {
  const samples = Buffer.from([1, 2, 3, 4]);

  it('is PCM by each name that services have for it, or by none', () => {
    for (const name of [
      ...['pcm_s16le', 'PCM_S16LE', 's16le', 'pcm', 'PCM', 'raw', 'linear16', 'LINEAR16'],
      undefined,
    ]) {
      expect(audioFormatOf(samples, name), String(name)).to.equal('pcm');
    }
  });

  it('is not PCM by any other name, or of half a sample', () => {
    for (const name of ['mp3', 'pcm_s24le', 'pcm_f32le', 'rawer', '', null, 16]) {
      expect(audioFormatOf(samples, name), String(name)).to.equal(undefined);
    }
    expect(audioFormatOf(samples.subarray(1), 'raw')).to.equal(undefined);
  });
});
