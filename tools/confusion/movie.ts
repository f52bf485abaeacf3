/** A source, its dubs and the output of a good dub: what variants are made of. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import { drawFrameStrip } from '../../support/analyze/frame-strip';
import type { DubFiles } from '../../support/analyze/output-findings';
import { messageOf } from '../../support/base/errors';
import { readEvidence } from '../../support/broadcast/evidence';
import {
  beginningOf,
  type Fixture,
  publishedFixture,
  readFixture,
} from '../../support/broadcast/fixture';
import { projectRoot, readConfig, serviceNames } from '../../support/config';

/** Of the frames: a quarter of 720p, so that a hundred variants are judged in minutes. */
export const SIZE = { width: 640, height: 360 };
/** Four segments: of two, a jump and drift cannot be told apart. */
export const SECONDS = 24;
const DUB_RATE_HZ = 24_000;

/** `fixture` has the frame strip; its path is that of the source. */
export interface Movie {
  fixture: Fixture;
  dubs: readonly DubFiles[];
  /** Absolute path of the good output. */
  output: string;
}

/** @throws Error with the command and its last words where a program fails */
export function run(program: string, args: readonly string[]): void {
  const result = spawnSync(program, [...args], { maxBuffer: 2 ** 28 });
  if (result.status === 0) return;
  const words = result.error ? messageOf(result.error) : result.stderr.toString().slice(-2000);
  throw new Error(`${shown([program, ...args])}: exit code ${result.status}\n${words}`);
}

/** A command as a shell takes it. */
export function shown(words: readonly string[]): string {
  const quoted = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
  return words.map((word) => (/^[\w./:=,+-]+$/.test(word) ? word : quoted(word))).join(' ');
}

export function ffmpeg(...args: string[]): void {
  run('ffmpeg', ['-hide_banner', '-v', 'error', '-y', ...args]);
}

const H264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-bf', '0'];
const GOOD = [...H264, '-crf', '20', '-g', '15'];

/** The fixture of a source that has been made of another one's beginning. */
function fixtureOf(whole: Fixture, path: string, framesPerSecond: number): Fixture {
  return {
    ...beginningOf(whole, SECONDS),
    path,
    video: { ...SIZE, framesPerSecond, gopFrames: 15, frameStrip: true },
  };
}

/**
 * A test card beside a fractal, with the commentary of the one-minute broadcast and a dub by espeak-ng.
 *
 * @param rate frames a second; a fraction of integers where it is one: `30000/1001`
 */
export function madeMovie(folder: string, rate: string): Movie {
  mkdirSync(folder, { recursive: true });
  const whole = readFixture(join(projectRoot, 'fixtures', '1-min-nfl.yaml'));
  const [source, output] = [join(folder, 'source.mp4'), join(folder, 'output.mp4')];
  if (!existsSync(output)) {
    const { width, height } = SIZE;
    const drawing = { width, height, framesPerSecond: rate, durationSeconds: SECONDS };
    const half = `s=${width / 2}x${height}:r=${rate}`;
    const graph =
      `testsrc2=${half}[card];mandelbrot=${half}:maxiter=300[fractal];[card][fractal]hstack,` +
      `trim=duration=${SECONDS},format=yuv420p[frames];` +
      drawFrameStrip({ input: 'frames', output: 'out', ...drawing });
    const audio = ['-map', '0:a', '-c:a', 'aac', '-b:a', '128k'];
    const length = ['-t', String(SECONDS)];
    ffmpeg(
      ...['-i', whole.path, '-filter_complex', graph, '-map', '[out]', ...GOOD],
      ...[...audio, ...length, source],
    );
    speak(folder, source, whole);
    const dubs = Array.from({ length: SECONDS / whole.segmentSeconds }, (_, i) => `[${i + 1}:a]`);
    const inputs = dubs.flatMap((_, i) => ['-i', dubOf(folder, i, 'dubbed')]);
    const joined = `${dubs.join('')}concat=n=${dubs.length}:v=0:a=1,aresample=48000,aformat=channel_layouts=stereo[a]`;
    ffmpeg(
      ...['-i', source, ...inputs, '-filter_complex', joined, '-map', '0:v', '-map', '[a]'],
      ...['-c:v', 'copy', '-c:a', 'aac', '-b:a', '128k', output],
    );
  }
  const [over, under = '1'] = rate.split('/');
  const fixture = fixtureOf(whole, source, Number(over) / Number(under));
  const dubs = fixture.script.map((_, sequence): DubFiles => ({
    sequence,
    dubbed: dubOf(folder, sequence, 'dubbed'),
    original: dubOf(folder, sequence, 'original'),
  }));
  return { fixture, dubs, output };
}

function dubOf(folder: string, sequence: number, kind: 'dubbed' | 'original'): string {
  return join(folder, `${sequence}-${kind}.wav`);
}

/** The audio of each fragment, and its dub: as long as a segment, with a little noise as a microphone has it. */
function speak(
  folder: string,
  source: string,
  { segmentSeconds, translation = [] }: Fixture,
): void {
  const pcm = ['-ar', String(DUB_RATE_HZ), '-ac', '1', '-c:a', 'pcm_s16le'];
  for (let i = 0; i < SECONDS / segmentSeconds; i += 1) {
    const from = ['-ss', String(i * segmentSeconds), '-t', String(segmentSeconds)];
    ffmpeg('-i', source, ...from, '-vn', ...pcm, dubOf(folder, i, 'original'));
    const said = join(folder, 'said.wav');
    run('espeak-ng', ['-v', 'es', '-s', '165', '-w', said, translation[i] ?? '']);
    const graph =
      `[0:a]aresample=${DUB_RATE_HZ},adelay=800,apad,atrim=duration=${segmentSeconds}[s];` +
      `anoisesrc=r=${DUB_RATE_HZ}:a=0.0005:s=${i}:d=${segmentSeconds}[n];[s][n]amix=inputs=2:normalize=0[out]`;
    ffmpeg(
      '-i',
      said,
      '-filter_complex',
      graph,
      '-map',
      '[out]',
      ...pcm,
      dubOf(folder, i, 'dubbed'),
    );
  }
}

/** The beginning of a broadcast whose evidence is given: its source, its dubs, its recorded output. */
export function recordedMovie(folder: string, evidenceFolder: string): Movie {
  mkdirSync(folder, { recursive: true });
  const evidence = readEvidence(evidenceFolder);
  const whole = publishedFixture(evidence.record, evidence.folder);
  const names = serviceNames(readConfig().settings('127.0.0.1'));
  const broadcast = new BroadcastFindings(evidence, whole, names);
  const [source, output] = [join(folder, 'source.mp4'), join(folder, 'output.mp4')];
  const scaled = ['-vf', `scale=${SIZE.width}:${SIZE.height}`, ...GOOD];
  const beginning = ['-t', String(SECONDS), '-fps_mode', 'passthrough'];
  for (const [from, to] of [
    [whole.path, source],
    [broadcast.output.file, output],
  ] as const) {
    if (!existsSync(to)) {
      ffmpeg('-i', from, ...scaled, '-c:a', 'aac', '-b:a', '128k', ...beginning, to);
    }
  }
  const fixture = fixtureOf(whole, source, whole.video.framesPerSecond);
  const dubs = broadcast.dubFiles.filter(({ sequence }) => sequence < fixture.script.length);
  return { fixture, dubs, output };
}
