import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

import { drawFrameStrip } from '../../support/analyze/frame-strip';
import { fileSink } from '../../support/analyze/sample-sink';
import { bytesOf, type StoredSamples } from '../../support/analyze/samples';
import { messageOf } from '../../support/base/errors';

/** A temp folder that is removed after the tests of this file. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'analyze-test-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs a program to its end; throws with its messages when it fails. */
export function run(program: string, args: readonly string[], input?: Uint8Array): Buffer {
  const result = spawnSync(program, [...args], {
    maxBuffer: 2 ** 30,
    ...(input ? { input } : {}),
  });
  if (result.status !== 0) {
    throw new Error(
      `${program} ${args.join(' ')}: ${result.error ? messageOf(result.error) : result.stderr.toString()}`,
    );
  }
  return result.stdout;
}

export function ffmpeg(...args: string[]): Buffer {
  return run('ffmpeg', ['-hide_banner', '-v', 'error', '-y', ...args]);
}

/** Speaks a text by espeak-ng; mono samples from -1 to 1. */
export function speech(
  text: string,
  options: { voice?: string; rateHz: number; wordsPerMinute?: number },
): Float32Array {
  const { voice = 'en', rateHz, wordsPerMinute = 160 } = options;
  const wav = run('espeak-ng', ['-v', voice, '-s', String(wordsPerMinute), '--stdout', text]);
  const raw = run(
    'ffmpeg',
    ['-v', 'error', '-i', 'pipe:0', '-ar', String(rateHz), '-ac', '1', '-f', 'f32le', 'pipe:1'],
    wav,
  );
  return new Float32Array(new Uint8Array(raw).buffer);
}

/** Reproducible noise from -1 to 1 (mulberry32). */
export function noise(samples: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: samples }, () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  });
}

/** Adds `audio` into `track` from a sample on; what sticks out at the end is cut. */
export function mixInto(track: Float32Array, audio: Float32Array, fromSample: number): void {
  for (let i = 0; i < audio.length && fromSample + i < track.length; i += 1) {
    const at = fromSample + i;
    if (at >= 0) track[at] = (track[at] ?? 0) + (audio[i] ?? 0);
  }
}

export function floatBytes(samples: Float32Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
}

/**
 * A copy of an MP4 that players turn clockwise by a quarter: by the matrix in the header of its video track (ISO 14496-12, 8.3.2).
 * ffmpeg has an option for it, another one by version 5 than by 7.
 */
export function turnedByHeader(file: string, copy: string): string {
  const bytes = readFileSync(file);
  const MATRIX = 44;
  const FIXED = 0x10000;
  for (let at = bytes.indexOf('tkhd'); at >= 0; at = bytes.indexOf('tkhd', at + 1)) {
    const [width, height] = [
      bytes.readUInt32BE(at + MATRIX + 36),
      bytes.readUInt32BE(at + MATRIX + 40),
    ];
    // An audio track has no size.
    if (width === 0) continue;
    const matrix = [0, FIXED, 0, -FIXED, 0, 0, height, 0, 2 ** 30];
    matrix.forEach((value, i) => bytes.writeInt32BE(value, at + MATRIX + 4 * i));
  }
  writeFileSync(copy, bytes);
  return copy;
}

export interface StripMovie {
  width?: number;
  height?: number;
  fps: number;
  durationSeconds: number;
  /** Mono. */
  audio?: { samples: Float32Array; rateHz: number };
  /** Added to the audio's timestamps. */
  audioDelaySeconds?: number;
  /** Further options of the output, before its name. */
  output?: string[];
}

/** A frame with frame strip (H.264) and the audio given (AAC), as `file`. */
export function stripMovie(file: string, movie: StripMovie): string {
  const { width = 320, height = 180, fps, durationSeconds, audio } = movie;
  const graph =
    `testsrc2=s=${width}x${height}:r=${fps}:d=${durationSeconds}[card];` +
    drawFrameStrip({
      input: 'card',
      output: 'frame',
      width,
      height,
      framesPerSecond: fps,
      durationSeconds,
    });
  const audioInput = audio
    ? [
        ...['-itsoffset', String(movie.audioDelaySeconds ?? 0)],
        ...['-f', 'f32le', '-ar', String(audio.rateHz), '-ac', '1', '-i', 'pipe:0'],
      ]
    : [];
  run(
    'ffmpeg',
    [
      ...['-v', 'error', '-y', ...audioInput, '-filter_complex', graph, '-map', '[frame]'],
      ...(audio ? ['-map', '0:a', '-c:a', 'aac', '-b:a', '96k'] : []),
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', String(fps), '-pix_fmt', 'yuv420p'],
      ...(movie.output ?? []),
      file,
    ],
    audio ? floatBytes(audio.samples) : undefined,
  );
  return file;
}

/** The same samples, in a file as those of a long recording are. */
export function stored(samples: Float32Array): StoredSamples {
  const sink = fileSink();
  sink.take(bytesOf(samples));
  return sink.samples();
}

/** The promise's error; fails when it has none. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('expected a rejection, but the promise was fulfilled');
}

/** The finding's values; fails with its reason when there are none. */
export function observed<T>(
  finding: ({ observed: true } & T) | { observed: false; reason: string },
): T {
  if (!finding.observed) throw new Error(`not observed: ${finding.reason}`);
  return finding;
}
