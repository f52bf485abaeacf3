import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import {
  type DubbedFragment,
  type FragmentPlacement,
  locateDubs,
  placeDubs,
  shownDubs,
  startsIn,
  syncOf,
} from '../../support/analyze/dub-placement';
import { percentile, withinMs } from '../../support/analyze/finding';
import { type FrameClock, frameClock } from '../../support/analyze/frame-clock';
import { matchFrames } from '../../support/analyze/matched-clock';
import { readVideo } from '../../support/analyze/video';
import { readTimeline } from '../../support/analyze/audio-track';
import { dubLoudness } from '../../support/analyze/dub-loudness';
import { measureSplices } from '../../support/analyze/splices';
import {
  ffmpeg,
  mixInto,
  noise,
  observed,
  speech,
  stored,
  stripMovie,
  tempFolder,
} from './make-media';

const folder = tempFolder();
const path = (name: string): string => join(folder, name);
const RATE = 8000;
const SEGMENT_SECONDS = 3;
const FPS = 25;
const DURATION_SECONDS = 12;

/** Each dub is 3 s long, with 0.3 s of silence before the speech and silence after it. */
const segments: (DubbedFragment & { dubbed: Float32Array })[] = [
  'El mariscal de campo lanza el balón',
  'La defensa está muy cansada',
  'Qué buena atrapada del receptor',
  'El árbitro para el reloj ahora',
].map((text, sequence) => {
  const dubbed = new Float32Array(SEGMENT_SECONDS * RATE);
  const words = speech(text, { voice: 'es', rateHz: RATE, wordsPerMinute: 170 });
  mixInto(dubbed, words, 0.3 * RATE);
  return { sequence, startSeconds: sequence * SEGMENT_SECONDS, dubbed };
});

/** The dubs at 8 kHz, each later by its number of ms (earlier when negative) than its frame. */
function track(deltasMs: readonly number[]): Float32Array {
  const samples = noise(DURATION_SECONDS * RATE, 1).map((sample) => sample * 0.001);
  segments.forEach(({ startSeconds, dubbed }, i) => {
    mixInto(samples, dubbed, (startSeconds + (deltasMs[i] ?? 0) / 1000) * RATE);
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

async function measure(
  file: string,
  given: { fragments?: DubbedFragment[]; clock?: FrameClock } = {},
): Promise<FragmentPlacement[]> {
  const audio = await readTimeline(file, RATE);
  const clock = given.clock ?? frameClock((await readVideo(file)).frames, FPS);
  const located = locateDubs(audio, given.fragments ?? segments);
  return placeDubs(audio, shownDubs(clock, located, RATE));
}

describe('placeDubs', () => {
  const truth = [119, 121, -119, -121];
  let border = '';
  let atBorder: FragmentPlacement[] | undefined;
  before(async () => {
    border = output('border.mp4', truth);
    atBorder = await measure(border);
  });

  it('tells 119 from 121 ms, late and early', () => {
    if (!atBorder) throw new Error('not measured');
    const offsets = atBorder.map(({ avOffset }) => observed(avOffset).offsetMs);
    offsets.forEach((offset, i) => expect(offset).to.be.closeTo(truth[i] ?? NaN, 1));
    expect(offsets.map((offset) => withinMs(offset, 120))).to.deep.equal([
      true,
      false,
      true,
      false,
    ]);
  });

  it('finds in files, where those of many fragments are, what it finds in memory', async () => {
    const audio = await readTimeline(border, RATE);
    const clock = frameClock((await readVideo(border)).frames, FPS);
    const fragments = segments.map((one, i) => ({
      ...one,
      original: segments[(i + 1) % segments.length]?.dubbed ?? one.dubbed,
    }));
    const inFile = { ...audio, samples: stored(audio.samples) };
    const ofFiles = fragments.map(({ dubbed, original, ...one }) => ({
      ...{ ...one, dubbed: stored(dubbed), original: stored(original) },
    }));
    const found = placeDubs(inFile, shownDubs(clock, locateDubs(inFile, ofFiles), RATE));
    expect(found).to.deep.equal(
      placeDubs(audio, shownDubs(clock, locateDubs(audio, fragments), RATE)),
    );
    expect(found.every(({ original }) => original.observed)).to.be.true;
    const dubs = segments.map(({ dubbed }) => dubbed);
    expect(startsIn(inFile, dubs.map(stored))).to.deep.equal(startsIn(audio, dubs));
    expect(dubLoudness(inFile, inFile, found, SEGMENT_SECONDS)).to.deep.equal(
      dubLoudness(audio, audio, found, SEGMENT_SECONDS),
    );
    const splices = segments.map(({ startSeconds }) => startSeconds);
    expect(measureSplices(inFile, splices, SEGMENT_SECONDS)).to.deep.equal(
      measureSplices(audio, splices, SEGMENT_SECONDS),
    );
  });

  it('sums up with sign, percentiles without', async () => {
    const sync = syncOf(await measure(output('spread.mp4', [0, 40, -80, 20])));
    const { worstMs, worstSequence, p50AbsoluteMs, p95AbsoluteMs, measuredFragments } =
      observed(sync);
    expect([worstSequence, measuredFragments]).to.deep.equal([2, 4]);
    expect(worstMs).to.be.closeTo(-80, 1);
    expect(p50AbsoluteMs).to.be.closeTo(20, 1);
    expect(p95AbsoluteMs).to.be.closeTo(80, 1);
  });

  it('does not change with the container, scaling, or where the timeline begins', async () => {
    for (const [name, ...options] of [
      ['border.ts', '-muxdelay', '0', '-output_ts_offset', '33.3'],
      ['border.flv', '-s', '320x180', '-b:v', '300k'],
      // Its first frame is 21 ms too early, the others are right.
      ['fragmented.mp4', '-movflags', '+frag_keyframe+empty_moov'],
      ['border.mkv', '-bf', '2', '-preset', 'veryfast'],
    ] as const) {
      const found = await measure(output(name, truth, ...options));
      // FLV and Matroska round timestamps to 1 ms.
      found.forEach(({ avOffset }, i) =>
        expect(observed(avOffset).offsetMs, name).to.be.closeTo(truth[i] ?? NaN, 1.5),
      );
    }
  });

  it('is not misled by a frozen frame', async () => {
    const frozen = path('frozen.mp4');
    // Frames 80 to 99 show the frame of frame 79.
    ffmpeg(
      ...['-i', border, '-c:a', 'copy', '-map', '0:a', '-c:v', 'libx264', '-preset', 'ultrafast'],
      ...['-filter_complex', '[0:v]split[a][b];[a][b]freezeframes=first=80:last=99:replace=79[v]'],
      ...['-map', '[v]', frozen],
    );
    const found = await measure(frozen);
    found.forEach(({ avOffset }, i) =>
      expect(observed(avOffset).offsetMs).to.be.closeTo(truth[i] ?? NaN, 1),
    );
  });

  it('is not misled by a lead-in of the first frame and silence, nor by a lost start', async () => {
    const led = path('led.mp4');
    ffmpeg(
      ...['-i', border, '-vf', 'tpad=start_duration=2.2:start_mode=clone'],
      ...['-af', 'adelay=2200:all=1', '-c:v', 'libx264', '-preset', 'ultrafast', led],
    );
    const lost = path('lost.mp4');
    ffmpeg('-ss', '0.2', '-i', border, '-c:v', 'libx264', '-preset', 'ultrafast', lost);
    for (const file of [led, lost]) {
      const found = await measure(file);
      found.forEach(({ avOffset }, i) =>
        expect(observed(avOffset).offsetMs, file).to.be.closeTo(truth[i] ?? NaN, 1),
      );
    }
    const first = observed((await measure(lost))[0]?.avOffset ?? { observed: false, reason: '' });
    expect(first.frameDistance).to.equal(5);
  });

  it('sees an offset of the whole track that equal timestamps would hide', async () => {
    const shifted = path('shifted.mp4');
    ffmpeg('-i', border, '-c:v', 'copy', '-af', 'adelay=500:all=1', shifted);
    const [first] = await measure(shifted);
    if (!first) throw new Error('no segment');
    expect(observed(first.avOffset).offsetMs).to.be.closeTo(619, 1);
  });

  it('tells how much of a dub is heard', async () => {
    const half = path('half.mp4');
    // The first dub from 1.2 s on, of 0.3 s to 2.4 s or so.
    const mute = "volume=0:enable='between(t,1.2,3)'";
    ffmpeg('-i', output('whole.mp4', [0, 0, 0, 0]), '-c:v', 'copy', '-af', mute, half);
    const shares = (await measure(half)).map(({ avOffset }) => observed(avOffset).heardShare);
    expect(shares[0]).to.be.within(0.2, 0.7);
    expect(shares.slice(1)).to.deep.equal([1, 1, 1]);
  });

  it('finds every place where a dub is heard', async () => {
    const twice = path('twice.mp4');
    const graph =
      '[0:a]asplit=3[a][b][c];[a]atrim=0:6,asetpts=PTS-STARTPTS[x];' +
      '[b]atrim=3:6,asetpts=PTS-STARTPTS[y];[c]atrim=9:12,asetpts=PTS-STARTPTS[z];' +
      '[x][y][z]concat=n=3:v=0:a=1[o]';
    const map = ['-map', '0:v', '-map', '[o]', '-c:v', 'copy'];
    ffmpeg('-i', output('once.mp4', [0, 0, 0, 0]), '-filter_complex', graph, ...map, twice);
    const found = await measure(twice);
    const places = found.map(({ occurrences }) =>
      observed(occurrences).occurrences.map((one) => one.ptsSeconds),
    );
    expect(places.map((all) => all.map(Math.round))).to.deep.equal([[0], [3, 6], [], [9]]);
    expect(observed(found[1]?.avOffset ?? { observed: false, reason: '' }).offsetMs).to.be.closeTo(
      0,
      1,
    );
    expect(found[2]?.avOffset).to.have.property('reason').that.includes('not found');
  });

  for (const lateMs of [1200, 1800, -1200, -1800]) {
    it(`lists a dub once that is heard ${lateMs} ms beside its video`, async () => {
      const placements = await measure(output(`beside${lateMs}.mp4`, [0, lateMs, 0, 0]));
      const { occurrences } = observed(
        placements[1]?.occurrences ?? { observed: false, reason: 'no placement' },
      );
      expect(occurrences.map(({ ptsSeconds }) => ptsSeconds.toFixed(2))).to.have.length(1);
      expect(occurrences[0]?.ptsSeconds).to.be.closeTo(3 + lateMs / 1000, 0.02);
    });
  }

  it('follows a clock that runs 0.4 % slow, and calls it drift', async () => {
    const slow = path('slow.mp4');
    const stretch = 'asetrate=47808,aresample=48000';
    ffmpeg('-i', output('steady.mp4', [0, 0, 0, 0]), '-c:v', 'copy', '-af', stretch, slow);
    const found = await measure(slow);
    found.forEach(({ startSeconds, avOffset }) => {
      const { offsetMs, speed, heardShare } = observed(avOffset);
      expect(offsetMs).to.be.closeTo(1000 * startSeconds * (48000 / 47808 - 1), 2);
      expect(speed).to.be.closeTo(47808 / 48000, 2e-4);
      expect(heardShare).to.equal(1);
    });
    const { driftMs, worstWithoutDriftMs } = observed(syncOf(found));
    expect(driftMs).to.be.closeTo(36, 2);
    // Of an offset that was 0 in the beginning nothing is left.
    expect(worstWithoutDriftMs).to.be.closeTo(0, 2);
  });

  it('calls a jump a jump, and says from when on', async () => {
    const found = await measure(output('jumped.mp4', [0, 0, -139, -139]));
    const { driftMs, jumps, worstWithoutDriftMs } = observed(syncOf(found));
    expect(driftMs).to.be.closeTo(0, 2);
    expect(worstWithoutDriftMs).to.be.closeTo(-139, 1);
    expect(jumps.map(({ before, after }) => [before, after])).to.deep.equal([[1, 2]]);
    expect(jumps[0]?.byMs).to.be.closeTo(-139, 1);
    expect(jumps[0]?.fromSeconds).to.be.closeTo(6, 0.05);
    expect(jumps[0]?.audioLaterMs).to.be.closeTo(-139, 1);
  });

  describe('the original', () => {
    const originals = [
      'The quarterback throws the ball',
      'Defence is very tired tonight',
      'What a catch by the receiver',
      'And the referee stops the clock',
    ].map((text) => {
      const spoken = new Float32Array(SEGMENT_SECONDS * RATE);
      mixInto(spoken, speech(text, { rateHz: RATE }), 0.2 * RATE);
      return spoken;
    });
    const [original = new Float32Array()] = originals;
    const fragments = segments.map((segment, i) => ({
      ...{ ...segment, original: originals[i] ?? original },
    }));
    /** The first fragment's original at a level, over or in place of its dub. */
    const withOriginal = async (name: string, levelDb: number, dubGain: number) => {
      const samples = track([0, 0, 0, 0]);
      samples.subarray(0, 3 * RATE).forEach((sample, i) => (samples[i] = sample * dubGain));
      mixInto(
        samples,
        original.map((sample) => sample * 10 ** (levelDb / 20)),
        0,
      );
      const audio = { samples, rateHz: RATE };
      const size = { fps: FPS, width: 160, height: 90, durationSeconds: DURATION_SECONDS };
      const file = stripMovie(path(name), { ...size, audio, output: ['-ar', '48000'] });
      return (await measure(file, { fragments })).map((one) => observed(one.original));
    };

    for (const [levelDb, tolerance] of [
      [-6, 0.5],
      [-12, 0.7],
      [-18, 1],
      [-24, 2.5],
    ] as const) {
      it(`is found at ${levelDb} dB under the dub`, async () => {
        const [first, ...others] = await withOriginal(`under${levelDb}.mp4`, levelDb, 1);
        expect(first?.score).to.be.greaterThan(0.4);
        expect(first?.levelDb).to.be.closeTo(levelDb, tolerance);
        others.forEach(({ score }) => expect(score).to.be.lessThan(0.2));
      });
    }

    it('is found in place of the dub', async () => {
      const [first] = await withOriginal('passed.mp4', 0, 0);
      expect(first?.score).to.be.greaterThan(0.9);
      expect(first?.levelDb).to.be.closeTo(0, 0.5);
    });

    for (const [gain, delaySeconds] of [
      [1, 0],
      [0.1, 0],
      [1, 2.4],
      [0.25, 5.5],
    ] as const) {
      it(`is found when the dub is its echo, times ${gain}, ${delaySeconds} s late`, async () => {
        const samples = noise(DURATION_SECONDS * RATE, 1).map((sample) => sample * 0.0005);
        const echoes = fragments.map((one) => {
          const dubbed = one.original.map((sample) => sample * gain);
          mixInto(samples, dubbed, (one.startSeconds + delaySeconds) * RATE);
          return { ...one, dubbed };
        });
        const size = { fps: FPS, width: 160, height: 90, durationSeconds: DURATION_SECONDS };
        const audio = { samples, rateHz: RATE };
        const name = path(`echo-${gain}-${delaySeconds}.mp4`);
        const file = stripMovie(name, { ...size, audio, output: ['-ar', '48000'] });
        const [first] = await measure(file, { fragments: echoes });
        const { score, levelDb } = observed(first?.original ?? { observed: false, reason: 'none' });
        expect(score).to.be.greaterThan(0.9);
        expect(levelDb).to.be.closeTo(20 * Math.log10(gain), 0.5);
      });
    }

    it('is not found where it is not', async () => {
      const all = await withOriginal('none.mp4', -100, 1);
      all.forEach(({ score }) => expect(score).to.be.lessThan(0.25));
    });
  });

  it('does not answer for a dub that is silent, empty, or not in the output', async () => {
    const other = speech('This is something else entirely', { rateHz: RATE });
    const odd = [new Float32Array(24000), new Float32Array(0), other].map((dubbed, sequence) => ({
      sequence,
      startSeconds: 0,
      dubbed,
    }));
    const found = await measure(border, { fragments: odd });
    expect(found.map(({ avOffset }) => (avOffset.observed ? 'found' : avOffset.reason))).to.satisfy(
      ([silent = '', empty = '', absent = '']: string[]) =>
        silent.includes('silent') && empty.includes('empty') && absent.includes('not found'),
    );
    expect(syncOf(found)).to.deep.equal({
      observed: false,
      reason: 'none of 3 fragments could be measured',
    });
  });

  it('does not answer without a frame number, unless frames are compared with those of the source', async () => {
    const plain = path('plain.mp4');
    ffmpeg(
      ...['-i', border, '-vf', 'drawbox=h=10:color=gray:t=fill', '-c:a', 'copy'],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', plain],
    );
    const [strict] = await measure(plain);
    expect(strict?.avOffset)
      .to.have.property('reason')
      .that.includes('no frame of the output has a readable frame number');
    const [{ thumbnails, frames }, source] = [await readVideo(plain), await readVideo(border)];
    const times = frames.map(({ ptsSeconds }) => ptsSeconds);
    const matched = observed(matchFrames(thumbnails, times, source.thumbnails, FPS));
    const numbered = times.map((ptsSeconds, i) => ({
      ...{ ptsSeconds, frame: matched.frames[i] ?? null },
    }));
    const clock = frameClock(numbered, FPS, undefined, { kind: 'matched', untold: [] });
    const compared = await measure(plain, { clock });
    compared.forEach(({ avOffset }, i) =>
      expect(observed(avOffset).offsetMs).to.be.closeTo(truth[i] ?? NaN, 1),
    );
  });

  it('does not answer for a frame that the output ends before', async () => {
    const short = path('short.mp4');
    ffmpeg('-i', border, '-t', '8', '-c:v', 'libx264', '-preset', 'ultrafast', short);
    const last = (await measure(short))[3]?.avOffset;
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
