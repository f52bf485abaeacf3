/*
 * The frame strip: over the full width at the top of the frame, 32/720 of its height, 20 equal cells, each
 * white (luma 235) or black (16). Cell 0 white, 1 black, 2..17 the frame number as 16 bits (most significant
 * first), 18 even parity of these bits (white when the number of ones is odd), 19 white. Frame 0 is the first.
 */
const CELLS = 20;
const FIRST_BIT = 2;
const BITS = 16;
const STRIP_SHARE = 32 / 720;

/** Frames that a strip can number; number 65536 is shown as 0 again. */
export const FRAME_NUMBERS = 2 ** BITS;

export interface FrameStripDrawing {
  /** Label of the video stream to draw on, without brackets. */
  input: string;
  /** Label of the result. */
  output: string;
  /** Of the input frame, in pixels. */
  width: number;
  height: number;
  /** A fraction of integers where it is one: `30000/1001`. */
  framesPerSecond: number | string;
  durationSeconds: number;
}

/** Height in pixels of the strip in a frame of that height; even, as 4:2:0 frames need. */
export function stripHeight(frameHeight: number): number {
  return Math.max(2, 2 * Math.round((frameHeight * STRIP_SHARE) / 2));
}

/**
 * An ffmpeg filter-graph fragment that numbers the frames of a stream. 20 x 1 pixels are computed for each frame and
 * scaled up, so it costs about as much as copying the frame.
 *
 * @returns `color=…[strip];[input][strip]overlay=…[output]`, to be joined to others by `;`. The output ends
 *   with the input or after `durationSeconds`, whichever is first.
 */
export function drawFrameStrip(drawing: FrameStripDrawing): string {
  const { input, output, width, height, framesPerSecond, durationSeconds } = drawing;
  const bit = (n: string): string => `mod(floor(N/pow(2,${n})),2)`;
  const ones = Array.from({ length: BITS }, (_, n) => bit(String(n))).join('+');
  const number = `if(lt(X,${CELLS - 2}),${bit(`${FIRST_BIT + BITS - 1}-X`)},mod(${ones},2))`;
  const white = `if(eq(X,0)+eq(X,${CELLS - 1}),1,if(eq(X,1),0,${number}))`;
  const label = `${output}strip`;
  return (
    `color=c=black:s=${CELLS}x1:r=${framesPerSecond}:d=${durationSeconds},format=gray,` +
    `geq=lum='16+219*${white}',` +
    `scale=${width}:${stripHeight(height)}:flags=neighbor,format=yuv420p[${label}];` +
    `[${input}][${label}]overlay=0:0:shortest=1[${output}]`
  );
}

/**
 * Filters that reduce a frame to the bytes that {@link readStrip} takes, one a cell. The middle half of the strip's
 * height is averaged cell by cell, so scaling and ordinary lossy coding do no harm.
 */
export const STRIP_FILTERS = `crop=iw:max(2\\,ih*${STRIP_SHARE}/2):0:ih*${STRIP_SHARE}/4,scale=${CELLS}:1:flags=area,format=gray`;

/** Bytes that a frame is after {@link STRIP_FILTERS}. */
export const STRIP_BYTES = CELLS;

/** @returns the number in a strip; null when guard cells or parity do not fit: no strip, or damaged beyond reading */
export function readStrip(cells: Uint8Array): number | null {
  // A third of the range around the middle is neither black nor white.
  const bits = [...cells].map((luma) => (luma >= 155 ? 1 : luma <= 96 ? 0 : null));
  if (bits.includes(null) || bits[0] !== 1 || bits[1] !== 0 || bits[CELLS - 1] !== 1) return null;
  const number = bits.slice(FIRST_BIT, FIRST_BIT + BITS);
  const ones = number.filter((bit) => bit === 1).length;
  if (bits[FIRST_BIT + BITS] !== ones % 2) return null;
  return number.reduce<number>((value, bit) => 2 * value + (bit ?? 0), 0);
}
