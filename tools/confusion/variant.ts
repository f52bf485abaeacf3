/** How variants of a good output are made by ffmpeg. */
import { SECONDS, SIZE } from './movie';

/** Input 0 of `args` is the good output, input 1 its source; `inputs` come after them. */
export interface Variant {
  name: string;
  args: readonly string[];
  inputs?: readonly string[];
  /** Its file name; `variant.mp4` where not given. */
  file?: string;
  /** A second file, made in the same way, that follows the first; both as MPEG-TS. */
  then?: readonly string[];
  /** So much of the file is there, 0 to 1: the rest was never written. */
  share?: number;
  /** What the fixture says of the rate that its outputs may have. */
  outputFramesPerSecond?: number;
  /** Frames a second of its movie; 30 where not given. */
  rate?: string;
}

export interface Damage extends Variant {
  kind: string;
  /** The criteria that say what is wrong; one of them has to be the first that fails. */
  right: readonly string[];
}

export const COPY = ['-map', '0', '-c', 'copy'];
const X264 = ['-c:v', 'libx264', '-preset', 'superfast', '-pix_fmt', 'yuv420p', '-bf', '0'];
const CODED = [...X264, '-crf', '23', '-g', '15'];

/** @param filter of the video; it is encoded again, the audio is copied */
export function video(filter: string, ...options: string[]): string[] {
  return [
    ...['-filter_complex', `[0:v]${filter}[v]`, '-map', '[v]', '-map', '0:a', ...CODED],
    ...[...options, '-c:a', 'copy'],
  ];
}

/** @param filter of the audio; it is encoded again, the video is copied */
export function audio(filter: string, ...codec: string[]): string[] {
  const coded = codec.length > 0 ? codec : ['-b:a', '128k'];
  return [
    ...['-filter_complex', `[0:a]${filter}[a]`, '-map', '0:v', '-map', '[a]', '-c:v', 'copy'],
    ...['-c:a', 'aac', ...coded],
  ];
}

/** @param filters of video and audio, of which both are encoded again */
export function both(ofVideo: string, ofAudio: string, ...options: string[]): string[] {
  return [
    ...['-filter_complex', `[0:v]${ofVideo}[v];[0:a]${ofAudio}[a]`, '-map', '[v]', '-map', '[a]'],
    ...[...CODED, '-c:a', 'aac', '-b:a', '128k', ...options],
  ];
}

/** Of a frame of `SIZE`, the height of its strip, in pixels. */
export const STRIP = 16;

/** A filter for what is below the frame strip, which stays as it is. @param when ffmpeg's expression of t */
export function below(filter: string, when = '1'): string {
  return (
    `split[kept][b];[b]crop=${SIZE.width}:${SIZE.height - STRIP}:0:${STRIP},${filter}[c];` +
    `[kept][c]overlay=0:${STRIP}:enable='${when}'`
  );
}

type Stretch = readonly [from: number, to: number];

/** Stretches of the video in seconds, one after the other. */
export function videoPieces(...all: Stretch[]): string {
  return pieces('split', 'trim', 'setpts', 'v=1:a=0', all);
}

/** The same of the audio. */
export function audioPieces(...all: Stretch[]): string {
  return pieces('asplit', 'atrim', 'asetpts', 'v=0:a=1', all);
}

/** @param kind of tracks, as `concat` has them */
function pieces(split: string, trim: string, pts: string, kind: string, all: Stretch[]): string {
  const label = (of: string): string[] => all.map((_, i) => `[${split}${of}${i}]`);
  const [taken, cut] = [label('p'), label('s')];
  const cuts = all.map(
    ([from, to], i) => `${taken[i]}${trim}=${from}:${to},${pts}=PTS-STARTPTS${cut[i]}`,
  );
  const last = `${cut.join('')}concat=n=${all.length}:${kind}`;
  return [`${split}=${all.length}${taken.join('')}`, ...cuts, last].join(';');
}

/** To the end of the movie. */
export const END = SECONDS;
