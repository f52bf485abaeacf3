import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { readAudioTrack, readTimeline } from '../../support/analyze/audio-track';
import { samplesIn } from '../../support/analyze/samples';
import { ffmpeg, observed, tempFolder } from './make-media';

const folder = tempFolder();

function wav(name: string, filters: string): string {
  const file = join(folder, name);
  ffmpeg('-f', 'lavfi', '-i', filters, '-c:a', 'pcm_f32le', file);
  return file;
}

describe('readAudioTrack', () => {
  it('measures loudness as EBU Tech 3341 expects it', async () => {
    // Test case 1: a stereo sine of 1 kHz at -23 dBFS for 20 s is -23.0 LUFS, ± 0.1.
    const amplitude = 10 ** (-23 / 20);
    const sine = `${amplitude}*sin(2*PI*1000*t)`;
    const file = wav('tech3341-1.wav', `aevalsrc=${sine}|${sine}:s=48000:d=20`);
    const { integratedLufs, samplePeakDbfs } = observed((await readAudioTrack(file)).loudness);
    expect(integratedLufs).to.be.closeTo(-23, 0.1);
    expect(samplePeakDbfs).to.be.closeTo(-23, 0.2);
  });

  it('has the same audio at the rates at which it is listened to and searched, also after a gap', async () => {
    const file = join(folder, 'gap.mkv');
    const sweep =
      "aevalsrc='0.3*sin(2*PI*(200+300*t)*t)':s=44100:d=3,aselect='not(between(t,1,1.4))'";
    ffmpeg('-f', 'lavfi', '-i', sweep, '-c:a', 'pcm_s16le', file);
    const track = await readAudioTrack(file);
    expect(track.filledGaps).to.have.length(1);
    expect(track.rateHz).to.equal(44_100);
    for (const [timeline, rateHz] of [
      [track.listened, 16_000],
      [track.searched, 4000],
    ] as const) {
      const alone = await readTimeline(file, rateHz);
      expect(timeline).to.deep.include({ rateHz, firstPtsSeconds: track.firstPtsSeconds });
      expect(timeline.samples.length / rateHz).to.be.closeTo(3, 0.001);
      expect(samplesIn(timeline.samples)).to.deep.equal(alone.samples);
    }
  });

  it('lists silences of 0.3 s and more', async () => {
    const tone = '0.2*sin(2*PI*440*t)*(1-between(t,1,1.25))*(1-between(t,2,2.5))*lt(t,3.6)';
    const { silences } = await readAudioTrack(
      wav('silences.wav', `aevalsrc='${tone}':s=48000:d=4`),
    );
    const rounded = silences.map((one) => [one.fromSeconds, one.seconds].map((s) => s.toFixed(2)));
    expect(rounded).to.deep.equal([
      ['2.00', '0.50'],
      ['3.60', '0.40'],
    ]);
  });

  it('counts clipping, and only where samples in a row are at full scale', async () => {
    const clipped = 'clip(2*sin(2*PI*100*t)*between(t,1,1.02)+0.99*sin(2*PI*100*t)*lt(t,1),-1,1)';
    const { clipping } = await readAudioTrack(
      wav('clipped.wav', `aevalsrc='${clipped}':s=48000:d=2`),
    );
    // Two periods of 100 Hz have four crests; a sine of amplitude 2 is above 1 for two thirds of the time.
    expect(observed(clipping).places).to.equal(4);
    expect(observed(clipping).seconds).to.be.closeTo(0.02 * (2 / 3), 0.001);
    const loud = 'aevalsrc=0.99*sin(2*PI*100*t):s=48000:d=1';
    const quiet = await readAudioTrack(wav('loud.wav', loud));
    expect(observed(quiet.clipping).places).to.equal(0);
  });

  it('has no loudness for digital silence but the gate', async () => {
    const { loudness } = await readAudioTrack(wav('nothing.wav', 'anullsrc=r=48000:cl=mono:d=2'));
    expect(observed(loudness).integratedLufs).to.equal(-70);
    expect(observed(loudness).samplePeakDbfs).to.equal(-Infinity);
  });
});
