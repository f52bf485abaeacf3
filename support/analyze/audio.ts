import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SuiteError } from '../base/errors';
import { cached } from './answer-cache';
import { requireFile, runFfmpeg, streamFfmpeg, unreadable } from './ffmpeg';
import { type AudioStream, probeStreams } from './media';
import { fileSink, type SampleSink, sampleSink } from './sample-sink';
import { bytePiecesOf, type Samples } from './samples';

/** A file was asked for audio but has no audio track. */
export class NoAudioTrack extends SuiteError {}

/** PCM that ends inside a sample. */
export class PcmInvalid extends SuiteError {}

/** One or two channels are averaged: ffmpeg's own mix of two equal ones would be 3 dB louder. */
const MONO = 'aresample=ochl=mono:osf=flt:rematrix_maxval=1,aformat=channel_layouts=mono';
/** More are mixed to two before, as a player with two loudspeakers does (ITU-R BS.775), at the level that they have. */
const TO_TWO = 'aresample=ochl=stereo:osf=flt:rematrix_maxval=1000';

/** ffmpeg's filter that mixes a track of so many channels. */
export function monoOf(channels: number | null): string {
  return (channels ?? 0) > 2 ? `${TO_TWO},${MONO}` : MONO;
}

/**
 * Interleaved signed 16-bit little-endian PCM as mono samples from -1 to 1; channels are averaged.
 *
 * @throws PcmInvalid when the bytes end inside a sample
 */
export function pcmFromS16le(bytes: Uint8Array, channels = 1): Float32Array {
  const frameBytes = 2 * channels;
  if (bytes.byteLength % frameBytes !== 0) {
    throw new PcmInvalid({
      what: 'the PCM ends inside a sample',
      where: 's16le audio',
      seen: `${bytes.byteLength} bytes`,
      expected: `a multiple of ${frameBytes} bytes (${channels} channels of 2 bytes)`,
    });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const mono = new Float32Array(bytes.byteLength / frameBytes);
  for (let i = 0; i < mono.length; i += 1) {
    let sum = 0;
    for (let c = 0; c < channels; c += 1) sum += view.getInt16((i * channels + c) * 2, true);
    mono[i] = sum / channels / 32768;
  }
  return mono;
}

/** Mono samples from -1 to 1 as signed 16-bit little-endian PCM, clipped. */
export function pcmToS16le(samples: Float32Array): Buffer {
  const bytes = Buffer.alloc(samples.length * 2);
  samples.forEach((sample, i) => {
    bytes.writeInt16LE(Math.max(-32768, Math.min(32767, Math.round(sample * 32768))), i * 2);
  });
  return bytes;
}

/**
 * The first audio track of a media file as mono samples from -1 to 1. Timestamps are ignored: gaps in
 * the track are closed (see `readTimeline` for audio on the file's clock).
 *
 * @param rateHz sample rate of the result
 * @throws MediaUnreadable, NoAudioTrack
 */
export async function readAudio(file: string, rateHz: number): Promise<Float32Array> {
  const { channels } = await requireAudioTrack(file);
  const mono = monoOf(channels);
  const run = await runFfmpeg([
    ...['-v', 'error', '-i', file, '-map', '0:a:0', '-af', mono, '-ar', String(rateHz)],
    ...['-f', 'f32le', 'pipe:1'],
  ]);
  if (run.exitCode !== 0) throw unreadable(file, run.stderr, 'ffmpeg');
  return samplesFromF32le(run.stdout);
}

/**
 * A part of the first two channels of the first audio track, each by itself, from -1 to 1.
 *
 * @throws MediaUnreadable
 */
export async function readChannels(
  file: string,
  rateHz: number,
  fromSeconds: number,
  seconds: number,
): Promise<[left: Float32Array, right: Float32Array]> {
  const run = await runFfmpeg([
    // Before the file: what comes earlier is not decoded.
    ...['-v', 'error', '-ss', String(fromSeconds), '-t', String(seconds), '-i', file],
    ...['-map', '0:a:0', '-ar', String(rateHz), '-f', 'f32le', 'pipe:1'],
  ]);
  if (run.exitCode !== 0) throw unreadable(file, run.stderr, 'ffmpeg');
  const both = samplesFromF32le(run.stdout);
  const channel = (of: number): Float32Array =>
    Float32Array.from({ length: Math.floor(both.length / 2) }, (_, i) => both[2 * i + of] ?? 0);
  return [channel(0), channel(1)];
}

/**
 * As {@link readAudio}, of a file that is in memory.
 *
 * @param extension by which its format is known
 */
export async function readAudioBytes(
  bytes: Uint8Array,
  extension: string,
  rateHz: number,
): Promise<Float32Array> {
  const folder = mkdtempSync(join(tmpdir(), 'audio-'));
  try {
    const file = join(folder, `audio.${extension}`);
    writeFileSync(file, bytes);
    return await readAudio(file, rateHz);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** So many files are read by one ffmpeg process: those of ten minutes, with segments of 6 s. */
const FILES_AT_ONCE = 100;

/**
 * As {@link readAudio}, for many small files; in the order given.
 *
 * @throws MediaUnreadable when one of them is missing, empty, or has no audio
 */
export async function readAudioFiles(
  files: readonly string[],
  rateHz: number,
): Promise<Float32Array[]> {
  const all: Float32Array[] = [];
  for await (const samples of eachAudioFile(files, rateHz)) all.push(samples);
  return all;
}

/**
 * As {@link readAudioFiles}, one after the other: an hour of dubs is too much to be held in memory.
 *
 * @throws MediaUnreadable when one of them is missing, empty, or has no audio
 */
export async function* eachAudioFile(
  files: readonly string[],
  rateHz: number,
): AsyncGenerator<Float32Array> {
  for (let i = 0; i < files.length; i += FILES_AT_ONCE) {
    yield* decodedFiles(files.slice(i, i + FILES_AT_ONCE), rateHz);
  }
}

/** Takes the audio of so many files, one after the other; that of more than are read at once is in a file. */
export function sinkOfFiles(count: number): SampleSink {
  return count > FILES_AT_ONCE ? fileSink() : sampleSink(0);
}

async function* decodedFiles(
  files: readonly string[],
  rateHz: number,
): AsyncGenerator<Float32Array> {
  for await (const [samples] of decodedAt(files.map((file) => ({ file, ratesHz: [rateHz] })))) {
    if (samples) yield samples;
  }
}

/** A file, and the rates at which its audio is wanted. */
interface WantedAudio {
  file: string;
  ratesHz: readonly number[];
}

/**
 * As {@link readAudioFiles}, of few files, each decoded once for all rates at which it is wanted.
 *
 * @throws MediaUnreadable when one of them is missing, empty, or has no audio
 */
export function readAudioFilesAt(wanted: readonly WantedAudio[]): Promise<Float32Array[][]> {
  return cached(['audio of files', wanted], async () => {
    const all: Float32Array[][] = [];
    for await (const samples of decodedAt(wanted)) all.push(samples);
    return all;
  });
}

async function* decodedAt(wanted: readonly WantedAudio[]): AsyncGenerator<Float32Array[]> {
  const files = wanted.map(({ file }) => file);
  await Promise.all(files.map((file) => requireFile(file)));
  const folder = mkdtempSync(join(tmpdir(), 'audio-'));
  try {
    const raw = wanted.map(({ ratesHz }, i) => ratesHz.map((hz) => join(folder, `${i}-${hz}.f32`)));
    const formatAt = (hz: number): string[] => ['-af', MONO, '-ar', String(hz), '-f', 'f32le'];
    const run = await runFfmpeg([
      ...['-v', 'error', '-threads', '1'],
      ...files.flatMap((file) => ['-i', file]),
      ...wanted.flatMap(({ ratesHz }, i) =>
        ratesHz.flatMap((hz, k) => ['-map', `${i}:a:0`, ...formatAt(hz), raw[i]?.[k] ?? '']),
      ),
    ]);
    if (run.exitCode !== 0) throw unreadable(files.join(', '), run.stderr, 'ffmpeg');
    for (const own of raw) yield own.map((file) => samplesFromF32le(readFileSync(file)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * PCM at another sample rate, mono in and out, by ffmpeg's resampler: in memory that threads share, or in a file where it is in one.
 *
 * @throws MediaUnreadable when ffmpeg refuses
 */
export function resample(
  samples: Float32Array,
  fromHz: number,
  toHz: number,
): Promise<Float32Array>;
export function resample(samples: Samples, fromHz: number, toHz: number): Promise<Samples>;
export async function resample(samples: Samples, fromHz: number, toHz: number): Promise<Samples> {
  if (fromHz === toHz || samples.length === 0) return samples;
  const isInMemory = samples instanceof Float32Array;
  const sink = isInMemory ? sampleSink((samples.length * toHz) / fromHz) : fileSink();
  const args = resampling(fromHz, toHz);
  const run = await streamFfmpeg(args, sink.take, () => false, bytePiecesOf(samples));
  if (run.exitCode !== 0) throw unreadable('PCM', run.stderr, 'ffmpeg');
  return sink.samples();
}

/** From standard input to standard output. */
function resampling(fromHz: number, toHz: number): string[] {
  return [
    ...['-v', 'error', '-f', 'f32le', '-ar', String(fromHz), '-ac', '1', '-i', 'pipe:0'],
    ...['-ar', String(toHz), '-f', 'f32le', 'pipe:1'],
  ];
}

/** The first audio track. @throws MediaUnreadable, NoAudioTrack */
export async function requireAudioTrack(file: string): Promise<AudioStream> {
  await requireFile(file);
  const streams = await probeStreams(file);
  const audio = streams.find((stream) => stream.kind === 'audio');
  if (audio) return audio;
  throw new NoAudioTrack({
    what: 'there is no audio track',
    where: file,
    seen: streams.map((stream) => `${stream.kind} (${stream.codec})`).join(', '),
    expected: 'an audio track',
  });
}

/** 32-bit float little-endian bytes as samples; a copy, for alignment. */
export function samplesFromF32le(bytes: Uint8Array): Float32Array {
  const whole = bytes.byteLength - (bytes.byteLength % 4);
  const copy = new ArrayBuffer(whole);
  new Uint8Array(copy).set(bytes.subarray(0, whole));
  return new Float32Array(copy);
}
