/** Dubs that are made softer or of another length: decoded, changed, and encoded again as they were. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { execa } from 'execa';
import { z } from 'zod';

import { messageOf } from '../base/errors';
import { type AudioFormat, audioFormatOf, EXTENSIONS } from '../broadcast/audio-format';
import { fieldsOf } from '../broadcast/events';

/** Interleaved 16-bit samples. */
interface Pcm {
  samples: Int16Array;
  channels: number;
}

/** What is done to the samples of a dub. */
type AudioChange = (pcm: Pcm) => Int16Array;

/** A dub has nothing by which it could be decoded and encoded again. */
export class AudioNotAlterable extends Error {}

export const softer: AudioChange = ({ samples }) => samples.map((one) => Math.round(one / 2));

/** Cut off at its end, or continued by silence. */
export const resizedBy =
  (percent: number): AudioChange =>
  ({ samples, channels }) => {
    const frames = Math.round((samples.length / channels) * (1 + percent / 100));
    const resized = new Int16Array(frames * channels);
    resized.set(samples.subarray(0, resized.length));
    return resized;
  };

const declared = z.looseObject({
  data_base64: z.string(),
  format: z.string().optional(),
  channels: z.int().min(1).default(1),
  duration_ms: z.number().optional().catch(undefined),
});

/**
 * A dub with its samples changed, in the form and the format that it has: an object, whose duration is changed with it, or a
 * bare Base64 string.
 *
 * @param dub `dubbed_audio` of an answer
 * @returns at once for PCM, so that messages keep their order; undefined where there is no audio
 * @throws AudioNotAlterable naming why; rejects with it where the audio is compressed
 */
export function alteredAudio(dub: unknown, change: AudioChange): unknown {
  const isBare = typeof dub === 'string';
  const base64 = isBare ? dub : fieldsOf(dub)['data_base64'];
  if (base64 === undefined || base64 === null || base64 === '') return undefined;
  const { data: audio, error } = declared.safeParse(isBare ? { data_base64: dub } : dub);
  if (!audio) throw new AudioNotAlterable(`fields of the audio: ${error.message}`);
  const bytes = Buffer.from(audio.data_base64, 'base64');
  const format = audioFormatOf(bytes, audio.format);
  if (!format) {
    const first = bytes.subarray(0, 8).toString('hex');
    throw new AudioNotAlterable(
      `${bytes.length} bytes of format ${audio.format ?? 'unknown'} that begin with ${first}: neither PCM, WAV, M4A, ADTS nor Opus`,
    );
  }
  const again = ({ bytes: altered, ratio }: Changed): unknown => {
    const data = altered.toString('base64');
    if (isBare) return data;
    const { duration_ms: ms } = audio;
    const duration = ms === undefined ? {} : { duration_ms: ms * ratio };
    return { ...fieldsOf(dub), ...duration, data_base64: data };
  };
  if (format !== 'pcm') return recoded(bytes, format, change).then(again);
  const { samples, ...changed } = changedSamples(bytes, audio.channels, change);
  return again({ ...changed, bytes: bytesOf(samples) });
}

interface Changed {
  bytes: Buffer;
  /** Its new length by its old one. */
  ratio: number;
}

function changedSamples(
  pcm: Buffer,
  channels: number,
  change: AudioChange,
): { samples: Int16Array; ratio: number } {
  // A copy: samples have to begin at an even address.
  const before = new Int16Array(Uint8Array.from(pcm).buffer);
  const samples = change({ samples: before, channels });
  return { samples, ratio: before.length === 0 ? 1 : samples.length / before.length };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int16Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** Six seconds of audio take ffmpeg some hundredths of a second. */
const PATIENCE_MS = 10_000;

type Compressed = Exclude<AudioFormat, 'pcm'>;

const ENCODERS: Record<Compressed, string[]> = {
  wav: ['-c:a', 'pcm_s16le', '-f', 'wav'],
  m4a: ['-c:a', 'aac', '-movflags', '+faststart', '-f', 'ipod'],
  adts: ['-c:a', 'aac', '-f', 'adts'],
  opus: ['-c:a', 'libopus', '-f', 'ogg'],
};

/**
 * What an AAC encoder puts before the first sample. M4A says how much that is, ADTS does not: there the first frame, which is
 * the first encoder's own, makes room, so that everything is heard when it was.
 */
const PRIMING_FRAMES = 1024;

/** In files: an M4A is read from its end. */
async function recoded(bytes: Buffer, format: Compressed, change: AudioChange): Promise<Changed> {
  const folder = mkdtempSync(join(tmpdir(), 'altered-'));
  const [before, decoded, after] = ['before', 'decoded', 'after'].map((name, i) =>
    join(folder, `${name}.${i === 1 ? 'wav' : EXTENSIONS[format]}`),
  ) as [string, string, string];
  try {
    writeFileSync(before, bytes);
    const plain = ['-map', '0:a:0', '-bitexact', '-c:a', 'pcm_s16le', '-f', 'wav'];
    await runFfmpeg(['-i', before, ...plain, decoded]);
    const { pcm, channels, rateHz } = wavOf(readFileSync(decoded));
    const { samples, ratio } = changedSamples(pcm, channels, change);
    const kept = format === 'adts' ? samples.subarray(PRIMING_FRAMES * channels) : samples;
    const raw = ['-f', 's16le', '-ar', String(rateHz), '-ac', String(channels), '-i', 'pipe:0'];
    await runFfmpeg([...raw, ...ENCODERS[format], after], bytesOf(kept));
    return { bytes: readFileSync(after), ratio };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The samples of a WAV file of 16-bit PCM that ffmpeg has written. */
function wavOf(wav: Buffer): { pcm: Buffer; channels: number; rateHz: number } {
  const data = wav.indexOf('data') + 8;
  return {
    pcm: wav.subarray(data, data + 2 * Math.floor((wav.length - data) / 2)),
    channels: wav.readUInt16LE(22),
    rateHz: wav.readUInt32LE(24),
  };
}

async function runFfmpeg(args: string[], input?: Buffer): Promise<void> {
  const run = await execa('ffmpeg', ['-v', 'error', '-y', ...args], {
    ...(input ? { input } : { stdin: 'ignore' as const }),
    reject: false,
    timeout: PATIENCE_MS,
  });
  if (!run.failed) return;
  throw new AudioNotAlterable(run.stderr.trim().split('\n').at(-1) || messageOf(run));
}
