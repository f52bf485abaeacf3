import { requireAudioTrack } from './audio';
import { runFfmpeg, unreadable } from './ffmpeg';
import { type Finding, unobserved } from './finding';

/** Seconds from one chromaprint item to the next: 1365 samples at 11025 Hz. */
export const FINGERPRINT_ITEM_SECONDS = 1365 / 11025;

export interface FingerprintMatch {
  /** Share of differing bits at the best alignment, 0 to about 0.5: unrelated audio is near 0.4. */
  bitErrorRate: number;
  /** How much later the same audio is in `b` than in `a`; a multiple of 0.124 s. */
  offsetSeconds: number;
  /** Items compared there, 32 bits each. */
  items: number;
}

/**
 * The chromaprint fingerprint of a file's first audio track: 32 bits every 0.124 s, each from 2.6 s of audio.
 * 6 s of audio give about 24 items, 60 s about 460. https://acoustid.org/chromaprint
 *
 * @throws MediaUnreadable, NoAudioTrack
 */
export async function fingerprintFile(file: string): Promise<Uint32Array> {
  await requireAudioTrack(file);
  return fingerprint(file, ['-i', file, '-map', '0:a:0']);
}

/**
 * The fingerprint of signed 16-bit little-endian PCM; empty below about 3 s.
 *
 * @throws MediaUnreadable when ffmpeg refuses
 */
export async function fingerprintPcm(
  pcm: Uint8Array,
  format: { sampleRateHz: number; channels: number },
): Promise<Uint32Array> {
  const { sampleRateHz, channels } = format;
  const input = [
    '-f',
    's16le',
    '-ar',
    String(sampleRateHz),
    '-ac',
    String(channels),
    '-i',
    'pipe:0',
  ];
  return fingerprint('PCM in memory', input, pcm);
}

async function fingerprint(
  where: string,
  input: readonly string[],
  bytes?: Uint8Array,
): Promise<Uint32Array> {
  const run = await runFfmpeg(
    ['-v', 'error', ...input, '-ac', '1', '-f', 'chromaprint', '-fp_format', 'raw', 'pipe:1'],
    bytes,
  );
  if (run.exitCode !== 0) throw unreadable(where, run.stderr, 'ffmpeg chromaprint');
  const items = new Uint32Array(Math.floor(run.stdout.length / 4));
  for (let i = 0; i < items.length; i += 1) items[i] = run.stdout.readUInt32LE(4 * i);
  return items;
}

/**
 * The bit error rate of two fingerprints at the alignment where it is least. At least half of the shorter
 * one must overlap, so that a few items that happen to agree do not win.
 *
 * @param maxOffsetSeconds one may be shifted against the other by ± this
 */
export function bitErrorRate(
  a: Uint32Array,
  b: Uint32Array,
  maxOffsetSeconds: number,
): Finding<FingerprintMatch> {
  const shorter = Math.min(a.length, b.length);
  if (shorter === 0) return unobserved('a fingerprint is empty: under 3 s of audio');
  const least = Math.ceil(shorter / 2);
  const most = Math.round(maxOffsetSeconds / FINGERPRINT_ITEM_SECONDS);
  let best: FingerprintMatch | undefined;
  for (let shift = 0 - most; shift <= most; shift += 1) {
    const start = Math.max(0, -shift);
    const items = Math.min(a.length, b.length - shift) - start;
    if (items < least) continue;
    let errors = 0;
    for (let i = start; i < start + items; i += 1) {
      errors += bitsSet((a[i] ?? 0) ^ (b[i + shift] ?? 0));
    }
    const rate = errors / (32 * items);
    if (!best || rate < best.bitErrorRate) {
      best = { bitErrorRate: rate, offsetSeconds: shift * FINGERPRINT_ITEM_SECONDS, items };
    }
  }
  return best
    ? { observed: true, ...best }
    : unobserved('the fingerprints do not overlap by half within the offsets allowed');
}

/** How alike a stretch of `a` and the same stretch of `b` are. */
export interface FingerprintWindow extends FingerprintMatch {
  /** Where the stretch begins in `a`. */
  fromSeconds: number;
}

/**
 * The bit error rate by windows: each of `a` against where it should be in `b`, ± 0.5 s. An item is made of
 * 2.6 s of audio, so a window sees a little of its neighbours.
 *
 * @param laterSeconds how much later the same audio should be in `b`
 */
export function fingerprintWindows(
  a: Uint32Array,
  b: Uint32Array,
  windowSeconds: number,
  laterSeconds: number,
): FingerprintWindow[] {
  const size = Math.round(windowSeconds / FINGERPRINT_ITEM_SECONDS);
  const later = Math.round(laterSeconds / FINGERPRINT_ITEM_SECONDS);
  const windows: FingerprintWindow[] = [];
  for (let from = 0; from + size / 2 <= a.length; from += size) {
    const margin = Math.round(0.5 / FINGERPRINT_ITEM_SECONDS);
    const start = Math.max(0, from + later - margin);
    const match = bitErrorRate(
      a.subarray(from, from + size),
      b.subarray(start, from + size + later + margin),
      2 * margin * FINGERPRINT_ITEM_SECONDS,
    );
    if (match.observed) windows.push({ ...match, fromSeconds: from * FINGERPRINT_ITEM_SECONDS });
  }
  return windows;
}

/**
 * What a bit error rate says. Measured on speech: the same audio re-encoded 0.02 to 0.06, another text,
 * voice or language 0.35 to 0.42. `sameBelow` and `differentAbove` are the caller's thresholds.
 */
export function judgeFingerprint(
  rate: number,
  limits: { sameBelow: number; differentAbove: number },
): 'same' | 'undecided' | 'different' {
  if (rate < limits.sameBelow) return 'same';
  return rate > limits.differentAbove ? 'different' : 'undecided';
}

function bitsSet(word: number): number {
  let rest = word >>> 0;
  let count = 0;
  while (rest !== 0) {
    rest = (rest & (rest - 1)) >>> 0;
    count += 1;
  }
  return count;
}
