/* Which parts of the frames stand still while those of the source move. */
import { LUMA_BYTES } from './thumbnails';

/** Luma of a block that stands still is changed by no more, of 255, when it is encoded again. */
const STANDS = 2;
/** What of the source moves changes luma of a block by as much: an encoder that does not renew a block is nearer. */
const MOVES = 12;
/** Luma that differs by no more was the source's. */
const WAS_RIGHT = 8;
/** A block that has changed in as many frames is seen to move. */
const FRESH_FRAMES = 4;

/** Blocks of luma of one frame. */
export interface StillBlocks {
  /** Those that stand still while the source moves; of these, those that show what the source has shown there before. */
  still: number;
  stale: number;
  /** Which ones are seen to move. */
  moving: number[];
}

/**
 * Takes frames one after the other. A block stands still from where the source has moved on while it is as it was, until it
 * changes, or the source is as it is.
 */
export class StillWatch {
  /** Luma of each block since it is as it is; that of the source then; for how many frames; whether the source has moved since. */
  readonly #shown = new Uint8Array(LUMA_BYTES);
  readonly #own = new Uint8Array(LUMA_BYTES);
  readonly #age = new Uint32Array(LUMA_BYTES);
  readonly #isStill = new Uint8Array(LUMA_BYTES);
  #isFirst = true;

  next(shown: Uint8Array, own: Uint8Array): StillBlocks {
    const blocks: StillBlocks = { still: 0, stale: 0, moving: [] };
    for (let k = 0; k < LUMA_BYTES; k += 1) {
      this.#take(k, shown[k] ?? 0, own[k] ?? 0);
      if (this.#isStill[k] === 0) {
        if ((this.#age[k] ?? 0) < FRESH_FRAMES) blocks.moving.push(k);
        continue;
      }
      blocks.still += 1;
      if (Math.abs((this.#shown[k] ?? 0) - (this.#own[k] ?? 0)) <= WAS_RIGHT) blocks.stale += 1;
    }
    this.#isFirst = false;
    return blocks;
  }

  #take(k: number, shown: number, own: number): void {
    this.#age[k] = (this.#age[k] ?? 0) + 1;
    if (this.#isFirst || Math.abs(shown - (this.#shown[k] ?? 0)) > STANDS) {
      this.#shown[k] = shown;
      this.#own[k] = own;
      this.#age[k] = 0;
      this.#isStill[k] = 0;
    }
    if (Math.abs(shown - own) <= STANDS) {
      this.#own[k] = own;
      this.#isStill[k] = 0;
    }
    if (Math.abs(own - (this.#own[k] ?? 0)) >= MOVES) this.#isStill[k] = 1;
  }
}
