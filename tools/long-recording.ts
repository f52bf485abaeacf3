/**
 * `npm run recording -- FOLDER [MINUTES] [PPM]`: makes a recording of any length, with its source and its dubs, to try
 * `npm run analyze` on: source.mp4, source.yaml, dubs/NNNN-dubbed.wav and NNNN-original.wav, output.mp4. In every segment of 6 s
 * other digits are said, in English and in Spanish, by espeak-ng; every frame has its number. The audio of the output takes PPM parts
 * in a million longer than its video. An hour takes some minutes to make, and 1 GB.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { readCommandLine, usageError } from '../support/base/command-line';
import { drawFrameStrip } from '../support/analyze/frame-strip';

const USAGE = 'usage: npm run recording -- FOLDER [MINUTES] [PPM]';
const SEGMENT_SECONDS = 6;
/** espeak-ng's own. */
const RATE_HZ = 22_050;
const OUTPUT_HZ = 48_000;
const MARGIN_SECONDS = 0.7;
const DIGITS = 8;
const SIZE = { width: 320, height: 180, framesPerSecond: 30 };
/** From -32768 to 32767; quieter than any speech, and no digital silence. */
const NOISE = 16;

const ENGLISH = 'zero one two three four five six seven eight nine'.split(' ');
const SPANISH = 'cero uno dos tres cuatro cinco seis siete ocho nueve'.split(' ');

function run(program: string, args: readonly string[], input?: Uint8Array): Buffer {
  const options = { maxBuffer: 2 ** 28, ...(input ? { input } : {}) };
  const { status, stdout, stderr } = spawnSync(program, [...args], options);
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')}: exit code ${status}\n${stderr.toString()}`);
}

function ffmpeg(...args: string[]): void {
  run('ffmpeg', ['-hide_banner', '-v', 'error', '-y', ...args]);
}

/** The digits of a segment; those of others are in another order. */
function digitsOf(segment: number): number[] {
  let state = segment + 1;
  return Array.from({ length: DIGITS }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return Math.floor((10 * state) / 2_147_483_647);
  });
}

/** The samples of a WAV file of espeak-ng, without the silence around the word; at most as long as its share of a segment. */
function spoken(word: string, voice: string): Int16Array {
  const wav = run('espeak-ng', ['-v', voice, '-s', '200', '--stdout', word]);
  const samples = new Int16Array(
    new Uint8Array(wav.subarray(44, wav.length - (wav.length % 2))).buffer,
  );
  const isLoud = (sample: number): boolean => Math.abs(sample) > 300;
  const longest = ((SEGMENT_SECONDS - 2 * MARGIN_SECONDS) * RATE_HZ) / DIGITS;
  const from = samples.findIndex(isLoud);
  return samples.slice(from, Math.min(from + longest, samples.findLastIndex(isLoud)));
}

function segmentOf(digits: readonly number[], words: readonly Int16Array[]): Int16Array {
  const samples = new Int16Array(SEGMENT_SECONDS * RATE_HZ).map(
    () => NOISE * 2 * (Math.random() - 0.5),
  );
  const each = ((SEGMENT_SECONDS - 2 * MARGIN_SECONDS) * RATE_HZ) / DIGITS;
  digits.forEach((digit, i) => {
    samples.set(words[digit] ?? [], Math.round(MARGIN_SECONDS * RATE_HZ + i * each));
  });
  return samples;
}

const PCM = ['-f', 's16le', '-ar', String(RATE_HZ), '-ac', '1'];

/** The 44 bytes before the samples of a WAV file: PCM, mono, 16 bits. */
function wavHeader(bytes: number): Buffer {
  const header = Buffer.from('RIFF....WAVEfmt ................data....');
  const whole = Buffer.alloc(44);
  header.copy(whole);
  whole.writeUInt32LE(36 + bytes, 4);
  whole.writeUInt32LE(16, 16);
  whole.writeUInt16LE(1, 20);
  whole.writeUInt16LE(1, 22);
  whole.writeUInt32LE(RATE_HZ, 24);
  whole.writeUInt32LE(2 * RATE_HZ, 28);
  whole.writeUInt16LE(2, 32);
  whole.writeUInt16LE(16, 34);
  whole.write('data', 36);
  whole.writeUInt32LE(bytes, 40);
  return whole;
}

/** The audio of a language as a raw file, and each of its segments as a WAV file. */
function speak(
  folder: string,
  kind: string,
  segments: number,
  words: readonly Int16Array[],
): string {
  const raw = join(folder, `${kind}.raw`);
  rmSync(raw, { force: true });
  for (let segment = 0; segment < segments; segment += 1) {
    const bytes = Buffer.from(segmentOf(digitsOf(segment), words).buffer);
    appendFileSync(raw, bytes);
    const wav = join(folder, 'dubs', `${String(segment).padStart(4, '0')}-${kind}.wav`);
    writeFileSync(wav, Buffer.concat([wavHeader(bytes.length), bytes]));
  }
  return raw;
}

function makeVideo(file: string, seconds: number): void {
  const { width, height, framesPerSecond } = SIZE;
  const drawing = { input: 'card', output: 'frame', ...SIZE, durationSeconds: seconds };
  const graph =
    `testsrc2=s=${width}x${height}:r=${framesPerSecond}:d=${seconds}[card];` +
    drawFrameStrip(drawing);
  const h264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30', '-pix_fmt', 'yuv420p'];
  ffmpeg('-filter_complex', graph, '-map', '[frame]', ...h264, '-b:v', '300k', file);
}

function main(): void {
  const [folder, minutes = '60', ppm = '0'] = readCommandLine(USAGE, {}, 3).positionals;
  const segments = Math.round((Number(minutes) * 60) / SEGMENT_SECONDS);
  if (folder === undefined || !(segments > 0) || !Number.isFinite(Number(ppm))) {
    usageError(USAGE, 'FOLDER is needed; MINUTES and PPM are numbers');
  }
  mkdirSync(join(folder, 'dubs'), { recursive: true });
  const [inEnglish, inSpanish] = [
    ENGLISH.map((word) => spoken(word, 'en')),
    SPANISH.map((word) => spoken(word, 'es')),
  ];
  const script = Array.from({ length: segments }, (_, segment) =>
    digitsOf(segment)
      .map((digit) => ENGLISH[digit])
      .join(' '),
  );
  const video = join(folder, 'video.mp4');
  makeVideo(video, segments * SEGMENT_SECONDS);
  const mux = (raw: string, filter: string, name: string): void => {
    const aac = ['-af', filter, '-c:a', 'aac', '-b:a', '64k', '-c:v', 'copy'];
    const tracks = ['-map', '0:v', '-map', '1:a', ...aac];
    ffmpeg('-i', video, ...PCM, '-i', raw, ...tracks, join(folder, name));
    rmSync(raw);
  };
  const originals = speak(folder, 'original', segments, inEnglish);
  mux(originals, `aresample=${OUTPUT_HZ}`, 'source.mp4');
  const slow = Math.round(OUTPUT_HZ / (1 + Number(ppm) / 1e6));
  const clock = `aresample=${OUTPUT_HZ},asetrate=${slow},aresample=${OUTPUT_HZ}`;
  mux(speak(folder, 'dubbed', segments, inSpanish), clock, 'output.mp4');
  rmSync(video);
  const yaml = {
    ...{ id: 'long', title: `${minutes} minutes`, file: 'source.mp4', language: 'en' },
    ...{ durationSeconds: segments * SEGMENT_SECONDS, segmentSeconds: SEGMENT_SECONDS },
    ...{ targetLanguage: 'es', script, video: { ...SIZE, frameStrip: true } },
    audio: { sampleRateHz: OUTPUT_HZ, channels: 1 },
  };
  writeFileSync(join(folder, 'source.yaml'), stringify(yaml));
}

main();
