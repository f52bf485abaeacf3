import { lastLines, runFfmpeg, unreadable } from '../analyze/ffmpeg';
import { type AudioTimeline, readTimeline } from '../analyze/audio-track';
import { padded, type Samples, samplesIn } from '../analyze/samples';
import type { AudioImages } from './facts';

/** Up to half of that is drawn, in Hz: speech has little above. */
const RATE_HZ = 12_000;
const WIDTH = 1000;
/** A power of two: at any other height ffmpeg's showspectrumpic takes fifty times as long. */
const SPECTROGRAM_HEIGHT = 128;
/** Of which each is 2 pixels wide on a page. */
const LEVELS = 500;

const SPECTROGRAM =
  `showspectrumpic=s=${WIDTH}x${SPECTROGRAM_HEIGHT}:legend=0:color=viridis:drange=90:gain=2,split[a][b];` +
  // Few colours, in a palette: half as many bytes.
  '[a]palettegen=max_colors=32:reserve_transparent=0[palette];[b][palette]paletteuse=dither=none';

/**
 * Draws a stretch of audio; where there is no audio, silence.
 *
 * @param fromSeconds in the audio's own timeline, as `toSeconds`
 * @throws MediaUnreadable when ffmpeg does not draw it
 */
export async function drawAudio(
  audio: AudioTimeline<Samples>,
  fromSeconds: number,
  toSeconds: number,
): Promise<AudioImages> {
  const { rateHz, firstPtsSeconds } = audio;
  const count = Math.max(1, Math.round((toSeconds - fromSeconds) * rateHz));
  const from = Math.round((fromSeconds - firstPtsSeconds) * rateHz);
  const isThere = from >= 0 && from + count <= audio.samples.length;
  const samples = isThere
    ? samplesIn(audio.samples, from, from + count)
    : padded(audio.samples, from, count);
  const { exitCode, stdout, stderr } = await runFfmpeg(
    [
      ...['-v', 'error', '-f', 'f32le', '-ar', String(rateHz), '-ac', '1', '-i', 'pipe:0'],
      ...['-filter_complex', `[0:a]aresample=${RATE_HZ},${SPECTROGRAM}`],
      ...['-frames:v', '1', '-f', 'image2pipe', '-c:v', 'png', 'pipe:1'],
    ],
    new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength),
  );
  if (exitCode !== 0) throw unreadable('audio to be drawn', lastLines(stderr), 'ffmpeg');
  const spectrogram = `data:image/png;base64,${Buffer.from(stdout).toString('base64')}`;
  return { levels: levelsOf(samples), spectrogram };
}

/** The loudest sample of each of as many equal stretches, 0 to 1. */
function levelsOf(samples: Float32Array): number[] {
  const count = Math.min(LEVELS, samples.length);
  return Array.from({ length: count }, (_, index) => {
    const end = Math.round(((index + 1) * samples.length) / count);
    let most = 0;
    for (let at = Math.round((index * samples.length) / count); at < end; at++) {
      most = Math.max(most, Math.abs(samples[at] ?? 0));
    }
    return Math.min(1, Number(most.toFixed(3)));
  });
}

/** Many broadcasts of a run are of the same fixture, each of its own length: it is decoded once, each length drawn once. */
const decoded = new Map<string, Promise<AudioTimeline>>();
const originals = new Map<string, Promise<AudioImages>>();

/**
 * Draws the beginning of a fixture's audio.
 *
 * @throws MediaUnreadable, NoAudioTrack
 */
export function drawOriginal(file: string, seconds: number): Promise<AudioImages> {
  const audio = made(decoded, file, () => readTimeline(file, RATE_HZ));
  return made(originals, `${seconds} ${file}`, async () => drawAudio(await audio, 0, seconds));
}

function made<T>(all: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const one = all.get(key) ?? make();
  all.set(key, one);
  return one;
}
