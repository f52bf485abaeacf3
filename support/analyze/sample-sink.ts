import type { Samples, StoredSamples } from './samples';
import { scratchFile, writeAt } from './scratch-file';

/** Takes the bytes of 32-bit float little-endian samples as a program writes them, in pieces of any size. */
export interface SampleSink<Held extends Samples = Samples> {
  take: (piece: Uint8Array) => void;
  /** What was taken so far, without its last bytes where they end inside a sample. */
  samples: () => Held;
}

/** Of memory that is asked for and not yet written to, the system gives none. */
const SPARE = 1.02;
const LEAST_SAMPLES = 2 ** 20;

/**
 * A sink whose samples are in memory that threads share. All of them are held once: in a block of the expected size, and only where
 * they are more than that, in a larger one.
 *
 * @param expected about how many samples will come
 */
export function sampleSink(expected: number): SampleSink<Float32Array> {
  const blockOf = (samples: number): Uint8Array =>
    new Uint8Array(new SharedArrayBuffer(4 * Math.ceil(samples)));
  let block = blockOf(Math.max(LEAST_SAMPLES, expected * SPARE));
  let bytes = 0;
  return {
    take: (piece) => {
      if (bytes + piece.length > block.length) {
        const larger = blockOf(Math.max(block.length / 2, (bytes + piece.length) / 4));
        larger.set(block.subarray(0, bytes));
        block = larger;
      }
      block.set(piece, bytes);
      bytes += piece.length;
    },
    samples: () => new Float32Array(block.buffer, 0, Math.floor(bytes / 4)),
  };
}

/** A sink whose samples are in a file: those of long recordings. */
export function fileSink(): SampleSink<StoredSamples> {
  const fd = scratchFile();
  let bytes = 0;
  return {
    take: (piece) => {
      writeAt(fd, piece, bytes);
      bytes += piece.length;
    },
    samples: () => ({ fd, first: 0, length: Math.floor(bytes / 4) }),
  };
}
