import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import {
  avDeltas,
  type AvDeltaInput,
  type AvDeltas,
  type DubbedSegment,
} from '../../support/analyze/av-delta';
import { percentile, withinMs } from '../../support/analyze/finding';
import { ffmpeg, mixInto, noise, observed, speech, stripMovie, tempFolder } from './make-media';

const folder = tempFolder();
const path = (name: string): string => join(folder, name);
const RATE = 8000;
const SEGMENT_SECONDS = 3;
const FPS = 25;
const DURATION_SECONDS = 12;

/** Each dub is 3 s long, with 0.3 s of silence before the speech and silence after it. */
const segments: DubbedSegment[] = [
  'El mariscal de campo lanza el balón',
  'La defensa está muy cansada',
  'Qué buena atrapada del receptor',
  'El árbitro para el reloj ahora',
].map((text, index) => {
  const dubbedPcm = new Float32Array(SEGMENT_SECONDS * RATE);
  const words = speech(text, { voice: 'es', rateHz: RATE, wordsPerMinute: 170 });
  mixInto(dubbedPcm, words, 0.3 * RATE);
  return { index, startSeconds: index * SEGMENT_SECONDS, dubbedPcm };
});

/** The dubs at 8 kHz, each later by its number of ms (earlier when negative) than its picture. */
function track(deltasMs: readonly number[]): Float32Array {
  const samples = noise(DURATION_SECONDS * RATE, 1).map((sample) => sample * 0.001);
  segments.forEach(({ startSeconds, dubbedPcm }, i) => {
    mixInto(samples, dubbedPcm, (startSeconds + (deltasMs[i] ?? 0) / 1000) * RATE);
  });
  return samples;
}

function output(name: string, deltasMs: readonly number[], ...options: string[]): string {
  return stripMovie(path(name), {
    fps: FPS,
    width: 160,
    height: 90,
    durationSeconds: DURATION_SECONDS,
    audio: { samples: track(deltasMs), rateHz: RATE },
    output: ['-ar', '48000', ...options],
  });
}

const measure = (outputFile: string, more: Partial<AvDeltaInput> = {}) =>
  avDeltas({ outputFile, segments, fps: FPS, rateHz: RATE, ...more });

describe('avDeltas', () => {
  const truth = [119, 121, -119, -121];
  let border = '';
  let atBorder: AvDeltas | undefined;
  before(async () => {
    border = output('border.mp4', truth);
    atBorder = await measure(border);
  });

  it('tells 119 from 121 ms, late and early', () => {
    if (!atBorder) throw new Error('not measured');
    const deltas = atBorder.segments.map(({ delta }) => observed(delta).deltaMs);
    deltas.forEach((delta, i) => expect(delta).to.be.closeTo(truth[i] ?? NaN, 1));
    expect(deltas.map((delta) => withinMs(delta, 120))).to.deep.equal([true, false, true, false]);
    expect(atBorder.videoClock).to.equal('frame-strip');
  });

  it('sums up with sign, percentiles without', async () => {
    const { summary } = await measure(output('spread.mp4', [0, 40, -80, 20]));
    const { worstMs, worstIndex, p50AbsoluteMs, p95AbsoluteMs, measuredSegments } =
      observed(summary);
    expect([worstIndex, measuredSegments]).to.deep.equal([2, 4]);
    expect(worstMs).to.be.closeTo(-80, 1);
    expect(p50AbsoluteMs).to.be.closeTo(20, 1);
    expect(p95AbsoluteMs).to.be.closeTo(80, 1);
  });

  it('does not change with the container, scaling, or where the timeline begins', async () => {
    for (const [name, ...options] of [
      ['border.ts', '-muxdelay', '0', '-output_ts_offset', '33.3'],
      ['border.flv', '-s', '320x180', '-b:v', '300k'],
      // Its first picture is 21 ms too early, the others are right.
      ['fragmented.mp4', '-movflags', '+frag_keyframe+empty_moov'],
      ['border.mkv', '-bf', '2', '-preset', 'veryfast'],
    ] as const) {
      const found = await measure(output(name, truth, ...options));
      // FLV and Matroska round timestamps to 1 ms.
      found.segments.forEach(({ delta }, i) =>
        expect(observed(delta).deltaMs, name).to.be.closeTo(truth[i] ?? NaN, 1.5),
      );
    }
  });

  it('is not misled by a frozen picture', async () => {
    const frozen = path('frozen.mp4');
    // Frames 80 to 99 show the picture of frame 79.
    ffmpeg(
      ...['-i', border, '-c:a', 'copy', '-map', '0:a', '-c:v', 'libx264', '-preset', 'ultrafast'],
      ...['-filter_complex', '[0:v]split[a][b];[a][b]freezeframes=first=80:last=99:replace=79[v]'],
      ...['-map', '[v]', frozen],
    );
    const found = await measure(frozen);
    found.segments.forEach(({ delta }, i) =>
      expect(observed(delta).deltaMs).to.be.closeTo(truth[i] ?? NaN, 1),
    );
  });

  it('is not misled by a lead-in of the first picture and silence, nor by a lost start', async () => {
    const led = path('led.mp4');
    ffmpeg(
      ...['-i', border, '-vf', 'tpad=start_duration=2.2:start_mode=clone'],
      ...['-af', 'adelay=2200:all=1', '-c:v', 'libx264', '-preset', 'ultrafast', led],
    );
    const lost = path('lost.mp4');
    ffmpeg('-ss', '0.2', '-i', border, '-c:v', 'libx264', '-preset', 'ultrafast', lost);
    for (const file of [led, lost]) {
      const found = await measure(file);
      found.segments.forEach(({ delta }, i) =>
        expect(observed(delta).deltaMs, file).to.be.closeTo(truth[i] ?? NaN, 1),
      );
    }
    const first = observed(
      (await measure(lost)).segments[0]?.delta ?? { observed: false, reason: '' },
    );
    expect(first.frameDistance).to.equal(5);
  });

  it('sees an offset of the whole track that equal timestamps would hide', async () => {
    const shifted = path('shifted.mp4');
    ffmpeg('-i', border, '-c:v', 'copy', '-af', 'adelay=500:all=1', shifted);
    const [first] = (await measure(shifted)).segments;
    if (!first) throw new Error('no segment');
    expect(observed(first.delta).deltaMs).to.be.closeTo(619, 1);
  });

  it('does not answer for a dub that is silent, empty, or not in the output', async () => {
    const other = speech('This is something else entirely', { rateHz: RATE });
    const odd = [new Float32Array(24000), new Float32Array(0), other].map((dubbedPcm, index) => ({
      index,
      startSeconds: 0,
      dubbedPcm,
    }));
    const found = await measure(border, { segments: odd });
    expect(found.segments.map(({ delta }) => (delta.observed ? 'found' : delta.reason))).to.satisfy(
      ([silent = '', empty = '', absent = '']: string[]) =>
        silent.includes('silent') && empty.includes('empty') && absent.includes('not found'),
    );
    expect(found.summary).to.deep.equal({
      observed: false,
      reason: 'none of 3 segments could be measured',
    });
  });

  it('does not answer without a frame number unless told to use the first packet', async () => {
    const plain = path('plain.mp4');
    ffmpeg(
      ...['-i', border, '-vf', 'drawbox=h=10:color=gray:t=fill', '-c:a', 'copy'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', plain],
    );
    const strict = await measure(plain);
    expect(strict.segments[0]?.delta)
      .to.have.property('reason')
      .that.includes('no picture of the output has a readable frame number');
    const loose = await measure(plain, { videoClock: 'first-packet' });
    expect(loose.videoClock).to.equal('first-packet');
    loose.segments.forEach(({ delta }, i) =>
      expect(observed(delta).deltaMs).to.be.closeTo(truth[i] ?? NaN, 1),
    );
  });

  it('does not answer for a picture that the output ends before', async () => {
    const short = path('short.mp4');
    ffmpeg('-i', border, '-t', '8', '-c:v', 'libx264', '-preset', 'ultrafast', short);
    const last = (await measure(short, { minScore: 0 })).segments[3]?.delta;
    expect(last).to.have.property('observed', false);
  });
});

describe('percentile', () => {
  it('takes the nearest rank', () => {
    const values = Array.from({ length: 20 }, (_, i) => 20 - i);
    expect([5, 50, 95, 96].map((p) => observed(percentile(values, p)).value)).to.deep.equal([
      1, 10, 19, 20,
    ]);
    expect(percentile([], 50)).to.have.property('observed', false);
  });
});
