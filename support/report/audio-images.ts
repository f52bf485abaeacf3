import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { lastLines, runFfmpeg, unreadable } from '../analyze/ffmpeg';
import { type AudioTimeline, readTimeline } from '../analyze/audio-track';
import type { AudioImages } from './facts';

/** Up to half of that is drawn, in Hz: speech has little above. */
const RATE_HZ = 12_000;
const WIDTH = 1000;
const WAVEFORM_HEIGHT = 80;
/** A power of two: at any other height ffmpeg's showspectrumpic takes fifty times as long. */
const SPECTROGRAM_HEIGHT = 128;
/** Can be seen on white and on black. */
const WAVEFORM_COLOUR = '0x4a86c8';

/** Loudness is drawn by its square root: speech peaks at a quarter of full scale. */
const GRAPH =
  `[0:a]aresample=${RATE_HZ},asplit[a][b];` +
  `[a]showwavespic=s=${WIDTH}x${WAVEFORM_HEIGHT}:colors=${WAVEFORM_COLOUR}:scale=sqrt:draw=full[waveform];` +
  `[b]showspectrumpic=s=${WIDTH}x${SPECTROGRAM_HEIGHT}:legend=0:color=viridis:drange=90:gain=2,split[c][d];` +
  // Few colours, in a palette: half as many bytes.
  '[c]palettegen=max_colors=32:reserve_transparent=0[palette];[d][palette]paletteuse=dither=none[spectrogram]';

/**
 * Draws a stretch of a audio, by one run of ffmpeg; where there is no audio, silence.
 *
 * @param fromSeconds in the audio's own timeline, as `toSeconds`
 * @param folder where files are put until it is drawn; at the end of a run the temporary folder of its session is gone
 * @throws MediaUnreadable when ffmpeg does not draw it
 */
export async function drawAudio(
  audio: AudioTimeline,
  fromSeconds: number,
  toSeconds: number,
  folder: string,
): Promise<AudioImages> {
  const { rateHz, firstPtsSeconds } = audio;
  const samples = new Float32Array(Math.max(1, Math.round((toSeconds - fromSeconds) * rateHz)));
  const from = Math.round((fromSeconds - firstPtsSeconds) * rateHz);
  samples.set(
    audio.samples.subarray(Math.max(0, from), Math.max(0, from + samples.length)),
    Math.min(samples.length, Math.max(0, -from)),
  );
  const files = mkdtempSync(join(folder, 'images-'));
  try {
    const file = (name: string): string => join(files, `${name}.png`);
    const { exitCode, stderr } = await runFfmpeg(
      [
        ...['-v', 'error', '-f', 'f32le', '-ar', String(rateHz), '-ac', '1', '-i', 'pipe:0'],
        ...['-filter_complex', GRAPH],
        ...['-map', '[waveform]', '-frames:v', '1', file('waveform')],
        ...['-map', '[spectrogram]', '-frames:v', '1', file('spectrogram')],
      ],
      Buffer.from(samples.buffer),
    );
    if (exitCode !== 0) throw unreadable('a audio to be drawn', lastLines(stderr), 'ffmpeg');
    const dataUri = (name: string): string =>
      `data:image/png;base64,${readFileSync(file(name)).toString('base64')}`;
    return { waveform: dataUri('waveform'), spectrogram: dataUri('spectrogram') };
  } finally {
    rmSync(files, { recursive: true, force: true });
  }
}

/** Many streams of a run have the same broadcast. */
const broadcasts = new Map<string, Promise<AudioTimeline>>();

/**
 * The audio of a broadcast's file, as it is needed for its images; read once.
 *
 * @throws MediaUnreadable, NoAudioTrack
 */
export function audioOfBroadcast(file: string): Promise<AudioTimeline> {
  const known = broadcasts.get(file) ?? readTimeline(file, RATE_HZ);
  broadcasts.set(file, known);
  return known;
}
