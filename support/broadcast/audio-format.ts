/** What the audio of an event is, by its bytes: services declare it in other words, wrongly, or not at all. */

/** `pcm`: signed 16-bit little-endian samples without a header. */
export type AudioFormat = 'pcm' | 'wav' | 'm4a' | 'adts' | 'opus';

/** By which extension players know it. */
export const EXTENSIONS: Record<AudioFormat, string> = {
  ...{ pcm: 'wav', wav: 'wav', m4a: 'm4a', adts: 'aac', opus: 'ogg' },
};

/** The extension of bytes that are none of these. */
export const UNKNOWN_EXTENSION = 'bin';

/** What the contract's field calls PCM (`pcm_s16le`), and what services call it instead. */
const PCM_NAME = /^(raw|pcm|(pcm_)?s16le|linear16)$/i;

/**
 * What the bytes are. PCM has nothing to tell it by: it is what is declared as such, or not at all, and is nothing else.
 *
 * @param declared `format` of the event; undefined where it has none (spec 019)
 * @returns undefined for anything else
 */
export function audioFormatOf(bytes: Buffer, declared: unknown): AudioFormat | undefined {
  const textAt = (at: number, length: number): string => bytes.toString('latin1', at, at + length);
  if (textAt(0, 4) === 'RIFF' && textAt(8, 4) === 'WAVE') return 'wav';
  if (textAt(4, 4) === 'ftyp') return 'm4a';
  if (textAt(0, 4) === 'OggS') {
    return bytes.subarray(0, 200).includes('OpusHead') ? 'opus' : undefined;
  }
  if (isAdts(bytes)) return 'adts';
  const mayBePcm =
    declared === undefined || (typeof declared === 'string' && PCM_NAME.test(declared));
  return mayBePcm && bytes.length % 2 === 0 ? 'pcm' : undefined;
}

const ADTS_HEADER_BYTES = 7;

/** Frame after frame from the first byte to the last (ISO/IEC 14496-3, 1.A.2): two bytes alone are a sample as well. */
function isAdts(bytes: Buffer): boolean {
  let [at, frames] = [0, 0];
  while (at + ADTS_HEADER_BYTES <= bytes.length) {
    if ((bytes.readUInt16BE(at) & 0xfff6) !== 0xfff0) return false;
    const frameBytes = (bytes.readUInt32BE(at + 3) >>> 13) & 0x1fff;
    if (frameBytes < ADTS_HEADER_BYTES) return false;
    at += frameBytes;
    frames += 1;
  }
  // The last frame may be cut off. A single one may be a sample.
  return frames > 1;
}
