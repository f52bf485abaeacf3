import { join } from 'node:path';
import { describe, it } from 'node:test';

import { expect } from 'chai';

import { packetSpan } from '../../support/analyze/media';
import { locate, makeLocator } from '../../support/analyze/placement';
import { readTimeline } from '../../support/analyze/audio-track';
import { ffmpeg, mixInto, noise, observed, speech, stripMovie, tempFolder } from './make-media';

const folder = tempFolder();
const RATE = 8000;
const path = (name: string): string => join(folder, name);

describe('locate', () => {
  const sayings = [
    'The quarterback throws the ball to the end zone and the crowd goes wild.',
    'It is third down and they need seven yards to keep this drive alive.',
    'What a catch by the young receiver, right there on the sideline.',
  ].map((text) => speech(text, { rateHz: RATE }));

  it('finds each of several sentences to the sample, with a clear lead', () => {
    const track = noise(30 * RATE, 1).map((sample) => sample * 0.01);
    const starts = [16123, 90001, 170500];
    sayings.forEach((saying, i) => mixInto(track, saying, starts[i] ?? 0));
    const find = makeLocator(track, RATE);
    sayings.forEach((saying, i) => {
      const place = observed(find(saying));
      expect(Math.round(place.offsetSeconds * RATE)).to.equal(starts[i]);
      expect(place.offsetSeconds).to.be.closeTo((starts[i] ?? NaN) / RATE, 1e-9);
      expect(place.score).to.be.greaterThan(0.95);
      expect(place.runnerUpScore).to.be.lessThan(0.5);
      expect(observed(locate(saying, track, RATE))).to.deep.equal(place);
    });
  });

  it('finds needles of any length by the same spectra as by their own', () => {
    const track = noise(9000, 3);
    const find = makeLocator(track, RATE);
    for (const [start, length] of [
      [0, 9000],
      [100, 8000],
      [8488, 512],
      [1023, 513],
      [4000, 2048],
      [4000, 2049],
      [7, 40],
    ] as const) {
      const needle = track.slice(start, start + length);
      const place = observed(find(needle));
      expect(place.offsetSeconds, String(length)).to.equal(start / RATE);
      expect(place.score).to.be.closeTo(1, 1e-6);
      expect(observed(locate(needle, track, RATE))).to.deep.equal(place);
    }
  });

  it('prefers the quiet right place to a loud wrong one', () => {
    const track = noise(20 * RATE, 2).map((sample, i) => sample * (i > 10 * RATE ? 1 : 0.0002));
    const saying = sayings[0] ?? new Float32Array();
    mixInto(
      track,
      saying.map((sample) => sample * 0.02),
      2 * RATE,
    );
    const place = observed(locate(saying, track, RATE));
    expect(place.offsetSeconds).to.equal(2);
    expect(place.score).to.be.greaterThan(0.9);
  });

  it('scores speech low that is not there', () => {
    const track = new Float32Array(20 * RATE);
    mixInto(track, sayings[1] ?? new Float32Array(), 4000);
    mixInto(track, sayings[2] ?? new Float32Array(), 80000);
    expect(observed(locate(sayings[0] ?? new Float32Array(), track, RATE)).score).to.be.lessThan(
      0.5,
    );
  });

  it('has no lead when the same audio occurs twice', () => {
    const track = new Float32Array(20 * RATE);
    mixInto(track, sayings[0] ?? new Float32Array(), 0);
    mixInto(track, sayings[0] ?? new Float32Array(), 80000);
    const place = observed(locate(sayings[0] ?? new Float32Array(), track, RATE));
    expect(place.runnerUpScore).to.be.closeTo(place.score, 1e-6);
  });

  it('finds audio whose beginning or end is cut off', () => {
    const audio = noise(4000, 5);
    const [early, late] = [new Float32Array(20000), new Float32Array(20000)];
    mixInto(early, audio, -1000);
    mixInto(late, audio, 17000);
    expect(observed(locate(audio, early, RATE)).offsetSeconds).to.equal(-0.125);
    const cut = observed(locate(audio, late, RATE));
    expect(cut.offsetSeconds).to.equal(2.125);
    expect(cut.score).to.be.closeTo(Math.sqrt(0.75), 0.02);
  });

  it('does not answer for silence', () => {
    const [silence, audio] = [new Float32Array(8000), noise(8000, 3)];
    expect(locate(silence, audio, RATE)).to.have.property('observed', false);
    expect(locate(audio, silence, RATE)).to.have.property('observed', false);
    expect(locate(new Float32Array(0), audio, RATE)).to.have.property('observed', false);
  });
});

describe('readTimeline', () => {
  const clicks = (): Float32Array => {
    const track = new Float32Array(6 * 48000);
    for (let second = 0; second < 6; second += 1) {
      mixInto(track, noise(4800, second + 7), second * 48000 + 24000);
    }
    return track;
  };
  const placeOf = (timeline: Float32Array, second: number): number =>
    observed(
      locate(
        noise(4800, second + 7).filter((_, i) => i % 3 === 0),
        timeline,
        16000,
      ),
    ).offsetSeconds;

  it('keeps the PTS of a late start', async () => {
    const file = stripMovie(path('late.mp4'), {
      fps: 10,
      durationSeconds: 6,
      audio: { samples: clicks(), rateHz: 48000 },
      audioDelaySeconds: 1.234,
    });
    const timeline = await readTimeline(file, 16000);
    expect(timeline.filledGaps).to.deep.equal([]);
    // Up to one AAC frame of priming may come before it.
    expect(timeline.firstPtsSeconds).to.be.within(1.212, 1.235);
    for (const second of [0, 4]) {
      const pts = timeline.firstPtsSeconds + placeOf(timeline.samples, second);
      expect(pts).to.be.closeTo(1.234 + second + 0.5, 0.001);
    }
  });

  // A gap of 64 ms is one that aresample=async=1 closes.
  for (const [milliseconds, frames] of [
    [64, 3],
    [1493, 70],
  ] as const) {
    it(`fills a gap of ${milliseconds} ms with silence`, async () => {
      const intact = stripMovie(path('whole.mkv'), {
        fps: 10,
        durationSeconds: 6,
        audio: { samples: clicks(), rateHz: 48000 },
      });
      const file = path('gap.mkv');
      // Drops whole AAC packets of 1024 samples from 2.65 s on, between two clicks or over the third.
      ffmpeg(
        ...['-i', intact, '-map', '0', '-c', 'copy'],
        ...['-bsf:a', `noise=drop='between(n,125,${124 + frames})':amount=0`, file],
      );
      const timeline = await readTimeline(file, 16000);
      // Matroska has no times below 0: the muxer moves both tracks by the AAC priming.
      const videoStart = observed((await packetSpan(file)).video).firstPtsSeconds;
      expect(timeline.filledGaps).to.have.length(1);
      expect(timeline.filledGaps[0]?.seconds).to.be.closeTo(milliseconds / 1000, 0.002);
      expect(timeline.samples.length / 16000).to.be.closeTo(6, 0.05);
      for (const second of [0, 1, 4, 5]) {
        const pts = timeline.firstPtsSeconds + placeOf(timeline.samples, second);
        expect(pts - videoStart).to.be.closeTo(second + 0.5, 0.0015);
      }
    });
  }
});
