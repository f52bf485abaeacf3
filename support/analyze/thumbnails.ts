/*
 * What is kept of each frame of a video, so that frames of two videos can be compared: a few blocks of its luma, its
 * colours, its detail and its edges. Decoding gives a small copy of the whole frame, 160 x 90 pixels in 4:2:0; blocks are
 * averages of 5 x 5 of its pixels. The top of the frame, where a frame strip may be, is left out: it is no part of the programme.
 */

import { blockOf, scratchFile, writeAt } from './scratch-file';

/** The small copy of a frame, in pixels. */
export const SMALL_WIDTH = 160;
const WIDTH = SMALL_WIDTH;
export const SMALL_HEIGHT = 90;
const HEIGHT = SMALL_HEIGHT;
const CHROMA_WIDTH = WIDTH / 2;
const CHROMA_HEIGHT = HEIGHT / 2;
const BLOCK = 5;
/** The strip ends in row 4. */
const FIRST_ROW = 5;
const FIRST_CHROMA_ROW = 5;

/** Bytes of a small copy: luma and two chroma planes. */
const SMALL_FRAME_BYTES = WIDTH * HEIGHT + 2 * CHROMA_WIDTH * CHROMA_HEIGHT;

/** Filters that make small copies, whatever size and format the video has; each pixel is the average of all that it covers. */
export const SMALL_FRAME_FILTERS = `scale=${WIDTH}:${HEIGHT}:flags=area,format=yuv420p`;

/** Blocks of luma: 32 x 17, each 1/32 of the width. */
export const LUMA_COLUMNS = WIDTH / BLOCK;
export const LUMA_ROWS = (HEIGHT - FIRST_ROW) / BLOCK;
/** Blocks of each chroma plane, and of detail: 16 x 8, each twice as large as one of luma. They begin one block of luma lower. */
export const CHROMA_COLUMNS = CHROMA_WIDTH / BLOCK;
export const CHROMA_ROWS = Math.floor((CHROMA_HEIGHT - FIRST_CHROMA_ROW) / BLOCK);

export const LUMA_BYTES = LUMA_COLUMNS * LUMA_ROWS;
export const CHROMA_BYTES = CHROMA_COLUMNS * CHROMA_ROWS;
/** Where in a thumbnail its parts begin: luma at 0, U after it, then V, detail, an edge for each block of luma, and the four borders. */
export const V_AT = LUMA_BYTES + CHROMA_BYTES;
export const DETAIL_AT = V_AT + CHROMA_BYTES;
export const EDGES_AT = DETAIL_AT + CHROMA_BYTES;
export const BORDERS_AT = EDGES_AT + LUMA_BYTES;
export const THUMBNAIL_BYTES = BORDERS_AT + 4;

/** Detail is the mean difference of neighbouring pixels; a level of it is this fraction of one of luma. */
const DETAIL_STEPS = 4;

/**
 * An edge is the difference of a pixel from the mean of its four neighbours, with its sign; a level of it is this fraction of one
 * of luma, and none is in the middle of a byte.
 */
const EDGE_STEPS = 2;
export const NO_EDGE = 128;

/** Luma of a pixel in a black border, at most: 16 is black, codecs ring around it. */
const BLACK_LUMA = 24;

/** What a frame without any contrast shows, by its luma. */
export function evenText(luma: number): string {
  return luma <= BLACK_LUMA ? 'black' : `of one colour (luma ${luma.toFixed(0)} of 255)`;
}

/**
 * Thumbnails of a video, one after the other, {@link THUMBNAIL_BYTES} for each of `count` frames: in memory, or those of a long video,
 * 160 MB an hour, in a scratch file. Plain data, that worker threads are given without a copy.
 */
export type Thumbnails = { count: number; bytes: Uint8Array } | StoredThumbnails;

export interface StoredThumbnails {
  count: number;
  fd: number;
}

/** The same thumbnails, in a scratch file. */
export function storedThumbnails(thumbnails: Thumbnails): Thumbnails {
  if (!('bytes' in thumbnails)) return thumbnails;
  const fd = scratchFile();
  writeAt(fd, thumbnails.bytes, 0);
  return { count: thumbnails.count, fd };
}

/** Of a file so many are read at a time. */
const BLOCK_FRAMES = 64;
const BLOCK_BYTES = BLOCK_FRAMES * THUMBNAIL_BYTES;

/** Bytes in which the thumbnail of a frame is, from {@link startOf} it on: those of a block, or of all frames. */
export function blockWith(thumbnails: Thumbnails, frame: number): Uint8Array {
  if ('bytes' in thumbnails) return thumbnails.bytes;
  return blockOf(thumbnails.fd, Math.floor(frame / BLOCK_FRAMES), BLOCK_BYTES);
}

/** Where the thumbnail of a frame begins in {@link blockWith} it. */
export function startOf(thumbnails: Thumbnails, frame: number): number {
  return ('bytes' in thumbnails ? frame : frame % BLOCK_FRAMES) * THUMBNAIL_BYTES;
}

/** The thumbnail of a frame; a view. */
export function thumbnailOf(thumbnails: Thumbnails, frame: number): Uint8Array {
  const at = startOf(thumbnails, frame);
  return blockWith(thumbnails, frame).subarray(at, at + THUMBNAIL_BYTES);
}

/** Takes thumbnails one after the other. */
export class ThumbnailSink {
  readonly #fd: number | undefined;
  /** In memory that threads share, as thumbnails are compared in a worker thread. Of a file: those that are not written yet. */
  #bytes: Uint8Array;
  #count = 0;
  #written = 0;

  /** @param isStored whether they are kept in a file */
  constructor(isStored: boolean) {
    this.#fd = isStored ? scratchFile() : undefined;
    this.#bytes = new Uint8Array(new SharedArrayBuffer(4 * BLOCK_BYTES));
  }

  /** @param write is given where the next thumbnail belongs: from a byte on */
  add(write: (bytes: Uint8Array, at: number) => void): void {
    const at = (this.#count - this.#written) * THUMBNAIL_BYTES;
    if (at + THUMBNAIL_BYTES <= this.#bytes.length) {
      write(this.#bytes, at);
      this.#count += 1;
      return;
    }
    this.#makeRoom();
    this.add(write);
  }

  get thumbnails(): Thumbnails {
    const count = this.#count;
    if (this.#fd === undefined) {
      return { count, bytes: this.#bytes.subarray(0, count * THUMBNAIL_BYTES) };
    }
    this.#write(this.#fd);
    return { count, fd: this.#fd };
  }

  #makeRoom(): void {
    if (this.#fd !== undefined) {
      this.#write(this.#fd);
      return;
    }
    const larger = new Uint8Array(new SharedArrayBuffer(2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  #write(fd: number): void {
    const fresh = (this.#count - this.#written) * THUMBNAIL_BYTES;
    writeAt(fd, this.#bytes.subarray(0, fresh), this.#written * THUMBNAIL_BYTES);
    this.#written = this.#count;
  }
}

/** The row of a small copy from which a frame strip is read, cell by cell: the second and third of its four. */
const STRIP_ROWS = [1, 2] as const;

/**
 * The cells of a frame strip, one byte each, out of a small copy: the middle half of the strip's height, and of each cell's
 * width, averaged.
 */
export function stripCells(small: Uint8Array, cells: number): Uint8Array {
  const width = WIDTH / cells;
  return Uint8Array.from({ length: cells }, (_, cell) => {
    const [from, to] = [cell * width + width / 4, (cell + 1) * width - width / 4];
    let sum = 0;
    for (const row of STRIP_ROWS) {
      for (let x = from; x < to; x += 1) sum += small[row * WIDTH + x] ?? 0;
    }
    return Math.round(sum / (STRIP_ROWS.length * (to - from)));
  });
}

/** Reduces a small copy to a thumbnail, written into `out` from a byte on. */
function reduceFrame(small: Uint8Array, out: Uint8Array, at: number): void {
  averages(small.subarray(FIRST_ROW * WIDTH), WIDTH, [LUMA_COLUMNS, LUMA_ROWS], out, at);
  const chroma = FIRST_CHROMA_ROW * CHROMA_WIDTH;
  const [u, v] = [WIDTH * HEIGHT, WIDTH * HEIGHT + CHROMA_WIDTH * CHROMA_HEIGHT];
  const size: [number, number] = [CHROMA_COLUMNS, CHROMA_ROWS];
  averages(small.subarray(u + chroma), CHROMA_WIDTH, size, out, at + LUMA_BYTES);
  averages(small.subarray(v + chroma), CHROMA_WIDTH, size, out, at + V_AT);
  detail(small, out, at + DETAIL_AT);
  edges(small, out, at + EDGES_AT);
  out.set(borders(small), at + BORDERS_AT);
}

function averages(
  plane: Uint8Array,
  stride: number,
  [columns, rows]: readonly [number, number],
  out: Uint8Array,
  at: number,
): void {
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      let sum = 0;
      for (let y = row * BLOCK; y < (row + 1) * BLOCK; y += 1) {
        const from = y * stride + column * BLOCK;
        for (let x = from; x < from + BLOCK; x += 1) sum += plane[x] ?? 0;
      }
      out[at + row * columns + column] = Math.round(sum / BLOCK ** 2);
    }
  }
}

/** How much neighbouring pixels differ, across and down, in each block of 10 x 10. */
function detail(small: Uint8Array, out: Uint8Array, at: number): void {
  const block = 2 * BLOCK;
  const firstRow = 2 * FIRST_CHROMA_ROW;
  for (let row = 0; row < CHROMA_ROWS; row += 1) {
    for (let column = 0; column < CHROMA_COLUMNS; column += 1) {
      let sum = 0;
      for (let y = 0; y < block - 1; y += 1) {
        const from = (firstRow + row * block + y) * WIDTH + column * block;
        for (let x = from; x < from + block - 1; x += 1) {
          const here = small[x] ?? 0;
          sum += Math.abs((small[x + 1] ?? 0) - here) + Math.abs((small[x + WIDTH] ?? 0) - here);
        }
      }
      const mean = sum / (2 * (block - 1) ** 2);
      out[at + row * CHROMA_COLUMNS + column] = Math.min(255, Math.round(DETAIL_STEPS * mean));
    }
  }
}

/** The edge at one pixel of each block of luma: each time at another place in it, that no grid of the frame falls on all. */
function edges(small: Uint8Array, out: Uint8Array, at: number): void {
  for (let row = 0; row < LUMA_ROWS; row += 1) {
    for (let column = 0; column < LUMA_COLUMNS; column += 1) {
      const x = column * BLOCK + ((row + 2 * column) % BLOCK);
      const y = FIRST_ROW + row * BLOCK + ((2 * row + column) % BLOCK);
      const pixel = Math.min(y, HEIGHT - 2) * WIDTH + Math.min(Math.max(x, 1), WIDTH - 2);
      const above = small[pixel - WIDTH] ?? 0;
      const below = small[pixel + WIDTH] ?? 0;
      const left = small[pixel - 1] ?? 0;
      const right = small[pixel + 1] ?? 0;
      const edge = (small[pixel] ?? 0) - (above + below + left + right) / 4;
      const level = NO_EDGE + Math.round(EDGE_STEPS * edge);
      out[at + row * LUMA_COLUMNS + column] = Math.min(255, Math.max(1, level));
    }
  }
}

/** How many lines of the small copy are black, one after the other: at the top, at the bottom, left and right. */
function borders(small: Uint8Array): [number, number, number, number] {
  const isBlackRow = (y: number): boolean => {
    for (let x = 0; x < WIDTH; x += 1) if ((small[y * WIDTH + x] ?? 0) > BLACK_LUMA) return false;
    return true;
  };
  const isBlackColumn = (x: number): boolean => {
    for (let y = 0; y < HEIGHT; y += 1) if ((small[y * WIDTH + x] ?? 0) > BLACK_LUMA) return false;
    return true;
  };
  const lines = (count: number, isBlack: (at: number) => boolean): number => {
    for (let line = 0; line < count; line += 1) if (!isBlack(line)) return line;
    return count;
  };
  return [
    lines(HEIGHT, isBlackRow),
    lines(HEIGHT, (y) => isBlackRow(HEIGHT - 1 - y)),
    lines(WIDTH, isBlackColumn),
    lines(WIDTH, (x) => isBlackColumn(WIDTH - 1 - x)),
  ];
}

/** Takes small copies as a decoder writes them, in pieces of any size, and keeps what is wanted of each. */
export class SmallFrames {
  /** What is left of a copy of which only the beginning was there. */
  readonly #pending = new Uint8Array(SMALL_FRAME_BYTES);
  #pendingBytes = 0;
  readonly #thumbnails: ThumbnailSink;

  /**
   * @param isStored whether thumbnails are kept in a file
   * @param onFrame is told of each copy; its bytes are not kept
   */
  constructor(
    isStored: boolean,
    readonly onFrame?: (small: Uint8Array) => void,
  ) {
    this.#thumbnails = new ThumbnailSink(isStored);
  }

  take(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#pendingBytes === 0 && chunk.length - at >= SMALL_FRAME_BYTES) {
        this.#frame(chunk.subarray(at, at + SMALL_FRAME_BYTES));
        at += SMALL_FRAME_BYTES;
        continue;
      }
      const piece = chunk.subarray(at, at + SMALL_FRAME_BYTES - this.#pendingBytes);
      this.#pending.set(piece, this.#pendingBytes);
      this.#pendingBytes += piece.length;
      at += piece.length;
      if (this.#pendingBytes === SMALL_FRAME_BYTES) {
        this.#frame(this.#pending);
        this.#pendingBytes = 0;
      }
    }
  }

  get thumbnails(): Thumbnails {
    return this.#thumbnails.thumbnails;
  }

  #frame(small: Uint8Array): void {
    this.#thumbnails.add((bytes, at) => {
      reduceFrame(small, bytes, at);
    });
    this.onFrame?.(small);
  }
}
