import { join } from 'node:path';
import { before, describe, it } from 'node:test';

import { expect } from 'chai';

import { fingerprintFile, bitErrorRate } from '../../support/analyze/fingerprint';
import { packetSpan } from '../../support/analyze/media';
import { OutputFindings } from '../../support/analyze/output-findings';
import { dubbedMovie, type DubbedMovie } from './dubbed-movie';
import { ffmpeg, observed, tempFolder } from './make-media';

const folder = tempFolder();
const TRUE_OFFSETS_MS = [0, 60, -60, 119, -119, 121, -121, 300, -300];
/** Spec 019, 021: less than this. */
const LIMIT_MS = 120;

interface Row {
  how: 'samples' | 'timestamps';
  trueMs: number;
  ptsMs: number;
  placementMs: number[];
  fingerprintMs: number;
}

/**
 * What each way to measure the offset of audio and video says of a known one. The audio is moved in two ways: by its
 * samples, with every timestamp as it was (a label that lies), and by its timestamps.
 */
describe('calibration', () => {
  let movie: DubbedMovie;
  let reference: Uint32Array;
  const rows: Row[] = [];
  before(async () => {
    movie = dubbedMovie(join(folder, 'movie'));
    reference = await fingerprintFile(movie.output);
    for (const trueMs of TRUE_OFFSETS_MS) {
      for (const how of ['samples', 'timestamps'] as const) rows.push(await measure(how, trueMs));
    }
  });

  async function measure(how: Row['how'], trueMs: number): Promise<Row> {
    const file = join(folder, `${how}${trueMs}.mkv`);
    const seconds = trueMs / 1000;
    const late = trueMs >= 0 ? `adelay=${trueMs}:all=1` : `atrim=${-seconds},asetpts=PTS-STARTPTS`;
    const input = ['-i', movie.output];
    if (how === 'samples') {
      // A lossless copy of the audio: nothing but the offset is new.
      const moved = ['-af', `${late},apad=whole_dur=24,atrim=0:24`, '-c:v', 'copy', '-c:a', 'flac'];
      ffmpeg(...input, ...moved, file);
    } else {
      const shifted = ['-itsoffset', String(seconds), ...input, '-map', '0:v', '-map', '1:a'];
      ffmpeg(...input, ...shifted, '-c', 'copy', file);
    }
    const { video, audio } = await packetSpan(file);
    const placements = await new OutputFindings(file, movie.fixture, movie.dubs).placements();
    const match = observed(bitErrorRate(reference, await fingerprintFile(file), 1));
    return {
      how,
      trueMs,
      ptsMs: 1000 * (observed(audio).firstPtsSeconds - observed(video).firstPtsSeconds),
      placementMs: placements.map(({ avOffset }) => observed(avOffset).offsetMs),
      fingerprintMs: 1000 * match.offsetSeconds,
    };
  }

  const worst = (row: Row): number =>
    row.placementMs.reduce((a, b) => (Math.abs(b - row.trueMs) > Math.abs(a - row.trueMs) ? b : a));

  it('prints its table', (t) => {
    const cell = (value: string | number): string => String(value).padStart(11);
    const head = [
      'moved by',
      'true ms',
      'PTS',
      'error',
      'placement',
      'error',
      'fingerprint',
      'error',
    ];
    const lines = rows.map((row) => {
      const figures = [row.ptsMs, worst(row), row.fingerprintMs];
      const cells = figures.flatMap((ms) => [ms.toFixed(2), (ms - row.trueMs).toFixed(2)]);
      return [row.how, row.trueMs, ...cells].map(cell).join(' ');
    });
    t.diagnostic(`\n${[head.map(cell).join(' '), ...lines].join('\n')}`);
    expect(rows).to.have.length(2 * TRUE_OFFSETS_MS.length);
  });

  it('placement is right to 1 ms, however the audio was moved', () => {
    for (const row of rows) {
      expect(row.placementMs).to.have.length(4);
      row.placementMs.forEach((ms) => expect(ms).to.be.closeTo(row.trueMs, 1));
    }
  });

  it('119 ms passes and 121 ms fails, by content alone', () => {
    for (const row of rows) {
      const passes = row.placementMs.every((ms) => Math.abs(ms) < LIMIT_MS);
      expect(passes, `${row.how} ${row.trueMs}`).to.equal(Math.abs(row.trueMs) <= 119);
    }
  });

  it('timestamps do not see samples that were moved', () => {
    const moved = rows.filter(({ how }) => how === 'samples');
    moved.forEach(({ ptsMs }) => expect(Math.abs(ptsMs)).to.be.below(25));
    const labelled = rows.filter(({ how }) => how === 'timestamps');
    // AAC's priming is a frame of 21 ms; Matroska has no negative times.
    labelled.forEach(({ ptsMs, trueMs }) => expect(ptsMs).to.be.closeTo(trueMs, 25));
  });

  it('fingerprints see moved samples to within an item of 124 ms', () => {
    for (const { how, trueMs, fingerprintMs } of rows) {
      if (how === 'samples') expect(fingerprintMs).to.be.closeTo(trueMs, 124);
    }
  });
});
