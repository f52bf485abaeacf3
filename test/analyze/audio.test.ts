import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import {
  NoAudioTrack,
  PcmInvalid,
  pcmFromS16le,
  pcmToS16le,
  readAudio,
  readAudioFiles,
  resample,
} from '../../support/analyze/audio';
import { audioLevels, voiceActivity } from '../../support/analyze/audio-levels';
import { readAudioTrack } from '../../support/analyze/audio-track';
import { samplesIn } from '../../support/analyze/samples';
import { ffmpeg, mixInto, noise, observed, rejection, speech, tempFolder } from './make-media';

const folder = tempFolder();
const sine = (amplitude: number, samples = 8000): Float32Array =>
  Float32Array.from({ length: samples }, (_, i) => amplitude * Math.sin((2 * Math.PI * i) / 80));

describe('PCM', () => {
  it('averages channels and keeps full scale', () => {
    const stereo = Buffer.alloc(8);
    [-32768, -32768, 16384, 0].forEach((sample, i) => stereo.writeInt16LE(sample, 2 * i));
    expect([...pcmFromS16le(stereo, 2)]).to.deep.equal([-1, 0.25]);
  });

  it('comes back from bytes at an odd place', () => {
    const bytes = Buffer.concat([Buffer.alloc(1), pcmToS16le(Float32Array.of(0.5, -0.25, 2))]);
    const back = pcmFromS16le(bytes.subarray(1));
    expect([...back]).to.deep.equal([0.5, -0.25, 32767 / 32768]);
  });

  it('refuses half a sample', () => {
    expect(() => pcmFromS16le(Buffer.alloc(3))).to.throw(PcmInvalid, '3 bytes');
  });

  it('keeps length and loudness when resampled', async () => {
    const slow = await resample(sine(0.5, 48000), 48000, 8000);
    expect(slow.length).to.be.closeTo(8000, 2);
    expect(observed(audioLevels(slow, 8000)).rmsDbfs).to.be.closeTo(-9.03, 0.1);
  });
});

describe('audioLevels', () => {
  it('measures a full-scale and a half-scale sine', () => {
    const full = observed(audioLevels(sine(1), 8000));
    expect(full.rmsDbfs).to.be.closeTo(-3.01, 0.01);
    expect(full.peakDbfs).to.be.closeTo(0, 0.01);
    expect(observed(audioLevels(sine(0.5), 8000)).rmsDbfs).to.be.closeTo(-9.03, 0.01);
  });

  it('tells the share of silence', () => {
    const samples = new Float32Array(8000);
    samples.set(sine(0.5, 2000), 3200);
    expect(observed(audioLevels(samples, 8000))).to.include({
      durationSeconds: 1,
      silentShare: 0.74,
      nonSilentSeconds: 0.26,
    });
  });

  it('takes the threshold from the caller', () => {
    const quiet = sine(0.005);
    expect(observed(audioLevels(quiet, 8000, -50)).silentShare).to.equal(0);
    expect(observed(audioLevels(quiet, 8000, -40)).silentShare).to.equal(1);
  });

  it('calls digital silence silent and no samples unobserved', () => {
    const silence = observed(audioLevels(new Float32Array(800), 8000));
    expect(silence).to.include({ rmsDbfs: -Infinity, peakDbfs: -Infinity, nonSilentSeconds: 0 });
    expect(audioLevels(new Float32Array(0), 8000)).to.have.property('observed', false);
  });
});

describe('voiceActivity', () => {
  it('counts speech, in silence and in noise, within a stretch', () => {
    const said = speech('Ten seconds on the clock, he throws the ball', { rateHz: 8000 });
    const track = new Float32Array(10 * 8000);
    mixInto(track, said, 2 * 8000);
    const clean = voiceActivity(track, 8000);
    const spoken = said.length / 8000;
    expect(clean(0, 10)).to.be.within(0.6 * spoken, spoken);
    expect([clean(0, 2), clean(8, 10)]).to.deep.equal([0, 0]);
    expect(clean(0, 3) + clean(3, 10)).to.be.closeTo(clean(0, 10), 0.021);
    mixInto(
      track,
      noise(track.length, 1).map((sample) => sample * 0.01),
      0,
    );
    const noisy = voiceActivity(track, 8000);
    expect(noisy(0, 2)).to.be.below(0.1);
    expect(noisy(0, 10)).to.be.within(0.5 * spoken, spoken);
  });
});

describe('readAudio', () => {
  it('finds a silent AAC track silent and a speaking one not', async () => {
    const [silent, loud] = [join(folder, 'silent.mp4'), join(folder, 'loud.mp4')];
    ffmpeg('-f', 'lavfi', '-i', 'anullsrc=r=44100:cl=stereo:d=2', '-c:a', 'aac', silent);
    ffmpeg('-f', 'lavfi', '-i', 'sine=f=300:r=44100:d=2', '-c:a', 'aac', loud);
    const silence = observed(audioLevels(await readAudio(silent, 16000), 16000));
    expect(silence.nonSilentSeconds).to.equal(0);
    expect(silence.durationSeconds).to.be.closeTo(2, 0.03);
    const audio = observed(audioLevels(await readAudio(loud, 16000), 16000));
    expect(audio.nonSilentSeconds).to.be.closeTo(2, 0.05);
    expect(audio.rmsDbfs).to.be.closeTo(-21, 1);
  });

  it('is as loud and long from two channels as from one', async () => {
    const mono = join(folder, 'mono.wav');
    ffmpeg('-f', 'lavfi', '-i', 'sine=f=440:d=1:r=8000', '-ac', '1', mono);
    const stereo = join(folder, 'stereo.wav');
    ffmpeg('-i', mono, '-af', 'pan=stereo|c0=c0|c1=c0', stereo);
    const [one, both] = [await readAudio(mono, 8000), await readAudio(stereo, 8000)];
    const [first, second] = await readAudioFiles([mono, stereo], 8000);
    for (const samples of [both, first, second]) {
      expect(samples).to.have.length(one.length);
      const { peakDbfs } = observed(audioLevels(samples ?? one, 8000));
      expect(peakDbfs).to.be.closeTo(observed(audioLevels(one, 8000)).peakDbfs, 0.05);
    }
    const audio = await readAudioTrack(stereo);
    expect(audio.samples).to.have.length(8000);
    expect(Math.max(...samplesIn(audio.samples))).to.be.closeTo(Math.max(...one), 0.002);
  });

  it('says that there is no audio track', async () => {
    const mute = join(folder, 'mute.mp4');
    ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=64x36:r=10:d=1', '-c:v', 'libx264', mute);
    const error = await rejection(readAudio(mute, 8000));
    expect(error).to.be.instanceOf(NoAudioTrack);
    expect(String(error)).to.include(mute).and.to.include('video (h264)');
  });
});
