/* Compares each frame of an output with its own of the source: by what can be seen in it, not by a number that it carries. */
import type { Span } from './ffmpeg';
import { percentile } from './finding';
import {
  amplification,
  compareEdges,
  edgesAt,
  likeness,
  NO_PRODUCTS,
  type Products,
  strength,
  sumOf,
} from './frame-edges';
import { frameTurn } from './frame-turn';
import { type StillBlocks, StillWatch } from './still-blocks';
import {
  CHROMA_BYTES,
  CHROMA_COLUMNS,
  CHROMA_ROWS,
  DETAIL_AT,
  LUMA_BYTES,
  thumbnailOf,
  type Thumbnails,
  V_AT,
} from './thumbnails';

/** How a frame differs from its own in the source. */
export type ProgrammeKind =
  | 'earlier'
  | 'later'
  | 'exchanged'
  | 'blended'
  | 'turned'
  | 'enlarged'
  | 'even'
  | 'part'
  | 'still'
  | 'other'
  | 'level'
  | 'colourless'
  | 'swapped'
  | 'colour'
  | 'coarse'
  | 'blurred'
  | 'noise';

/** Frames that differ in the same way: one after the other, or a few every now and then. */
export interface ProgrammeDeviation {
  kind: ProgrammeKind;
  /** From the first to the last of them, in the output's timeline. */
  fromSeconds: number;
  seconds: number;
  /** How many differ, of how many that are shown in that time; and how long these are. */
  frames: number;
  ofFrames: number;
  differSeconds: number;
  /** One of them shows nothing of its own: no encoder does that, not even for a frame. */
  isForeign: boolean;
  /** Frames of the source. */
  firstFrame: number;
  lastFrame: number;
  /** The median over these frames of that by which they were told; see {@link LIMITS}. */
  value: number;
  /** Of `level`. */
  tones?: Tones;
}

/** By how much luma differs, of 255, in the darkest third of the blocks of the source, the next, and the brightest. */
export interface Tones {
  dark: number;
  middle: number;
  bright: number;
  /** How far it is, on average, from what another brightness and another contrast make of the source. */
  bend: number;
}

export interface Programme {
  /** Frames that have one of their own in the source. */
  compared: number;
  /** Of luma: 95 % of the frames are at least so much alike, 1 being the same. */
  correlation: number;
  /** Of 95 % of the frames, luma and colours (the mean distance in U and V) differ by at most this, of 255. */
  lumaDifference: number;
  colourDifference: number;
  deviations: ProgrammeDeviation[];
  /** Stretches of which it is not known what of the source they should show. */
  unknown: Span[];
}

/**
 * What is more than an encoder does. Seen in 8 s each of the generated test card (A), of a zoom into a fractal (B), and of
 * noisy, dark and pale pans with cuts (C), re-encoded by x264 to 8 and 1.5 Mb/s at 720p, 300 kb/s at 360p and 240p, and
 * (in brackets) 300 kb/s at 720p by its fastest preset, in which little of B and C can be made out:
 *
 *   correlation of luma      0.99 and more     [A 1.00, B 0.75, C 0.96]
 *   contrast                 0.97 to 1.06      [A 0.99, B 0.79, C 0.94]
 *   mean luma                within 2.3        [A 0.6, B 10, C 3.6]
 *   blocks off by 24         none              [A none, B 38 %, C 3 %]
 *   colours                  within 3.7        [A 2.4, B 34, C 8.2], 0.89 to 1.02 of the saturation [A 0.99, B 0.65, C 0.78]
 *   detail lost in           no block          [A 4 %, B 57 %, C 33 % of the blocks]
 *   detail of a quarter      0.83 and more     [A 0.88, B 0.37, C 0.6]
 *   detail gained in         no block          [A 6 %, B 30 %, C 23 %]; a little in 30 % [38 %]
 *   blocks that stand still  0.2 % [A 1 %, B 40 %, C 43 %]
 *
 * Damaged: mirrored, upside down or another video 0.79 and less; crushed or stretched levels 0.86, 1.16 and more; another
 * gamma, darker, lighter 29 and more; grey 0 of the saturation; U and V swapped 19 and more; half of the saturation 13 to 49;
 * 64 px mosaic loses detail in 61 % and more of the blocks, 32 px in 36 %; half blurred (sigma 12) 0.33 to 0.67 of the detail
 * of a quarter; half green or grey 45 %, a box 6 % of the blocks; a quarter that stands still 11 to 18 %; strong noise gains
 * detail in 38 % and more, or a little in 87 % and more of the blocks.
 */
const LIMITS = {
  part: 0.035,
  still: 0.05,
  other: 0.9,
  contrast: [0.9, 1.12],
  level: 8,
  colour: 10,
  saturation: 0.6,
  detail: 0.3,
  quarter: 0.7,
  noise: 0.25,
  grain: 0.6,
} as const;

/** Luma that differs by more than this is something else; less than SAME in the median: the rest of the frame is as it was. */
const BLOCK_OFF = 24;
const BLOCK_SAME = 4;
/** Less contrast (standard deviation of luma), or less saturation, has nothing that could be compared. */
const LEAST_CONTRAST = 4;
const LEAST_SATURATION = 4;
/** Of the output: nothing is in it but one colour. */
const EVEN_CONTRAST = 2;
/** Of the original saturation: no colour. */
const COLOURLESS = 0.2;
/** Detail of a block, in quarters of a level, that can be lost; the mean of a quarter of the frame. */
const LEAST_DETAIL = 12;
const LEAST_QUARTER = 8;

/**
 * How much edges have to be amplified to come nearest to the source's, over so many frames to either side, as a multiple of that
 * of luma. Seen in re-encodes of the source's size: 1.02 and less; of another size 1.10 and less, by bilinear filters 1.18. Of a
 * Gaussian of 1.5 pixels at 720p 1.07 to 1.15, of 2 pixels 1.12 to 1.21, of 2.5 pixels 1.19 to 1.32, of 4 pixels 1.36 and more.
 */
const AMPLIFIED = 1.06;
const AMPLIFIED_SCALED = 1.22;
const BLUR_FRAMES = 7;
/** Of 8 pixels and more so little is left, that what it is like is rounding: 0.25 of the strength; of re-encodes [0.5]. */
const FAINT = 0.3;
/** A frame that has lost detail by a blur has edges of less strength: a small one loses too little. */
const WEAK = 0.75;
/** Root mean square of edges of the source, in halves of a level; fainter ones are like rounding as well. */
const LEAST_EDGES = 3;

/**
 * While a part of the frame stands still, edges in what moves are like the source's, correlation 0.75 to 1 as in re-encodes;
 * where an encoder is so short of bits that it renews little of the frame, [0.2 to 0.6], and [40 %] of the frame is stale.
 */
const MOVING_ALIKE = 0.7;
const STALE = 0.2;
/** Where less of the frame is seen to move, that does not tell. */
const LEAST_MOVING = 0.1;

/** Detail that noise adds to a block, on average over 8 x 8 pixels of 720p, in quarters of a level. */
const GRAIN = 4;
/** Fewer blocks with detail do not tell how much is lost. */
const LEAST_BLOCKS = 6;

/**
 * A frame shows a neighbour of its own where it is so much nearer to that one, by squared differences of the blocks of luma in
 * which the two differ. In the re-encodes above the nearest of the others is 1.2 times as far away as its own and more [0.5]; from
 * what frames show that are held or exchanged, they are at most 0.01 times as far away.
 */
const NEIGHBOUR_FRAMES = 3;
const NEARER = 0.2;
/** Blocks that differ by less do not tell two frames apart; fewer blocks do not either. */
const LEAST_MOVE = 3;
const LEAST_MOVING_BLOCKS = 6;

/**
 * Two frames in one, be it by lines in turns or one over the other: so much of the way from its own to a neighbour, of which so
 * little of the difference is left. Seen of lines in turns: 0.47 to 0.54; that much in no more than a frame a second of re-encodes.
 */
const BLENDED = [0.35, 0.65] as const;
const LEFT_OF_BLEND = 0.35;

/**
 * Degrees and share by which all of the video is turned or enlarged, in the median: that of a frame is told no better than to a
 * degree. In re-encodes 0.2 degrees and 0.6 % [0.3 and 2.6 %]; of video that is turned by 1.5 degrees, 1.6 to 1.9.
 */
const TURNED_DEGREES = 0.75;
const ENLARGED = 0.015;
/** Every so many frames tell it; fewer than these do not. */
const TURN_EVERY = 5;
const LEAST_TURNS = 10;

/** So many frames in between may seem right. */
const GAP_FRAMES = 2;
/** A frame or two belong together with others that are no further away: flashes add up. */
const SHORT_FRAMES = 2;
const TOGETHER_SECONDS = 2;
/** Of a frame that an encoder has spoiled, at a cut for instance, more than this is left. */
const FOREIGN_CORRELATION = 0.5;

/**
 * @param frames the frame of the source that each frame of the output shows; null where that is not known
 * @param times PTS of the output's frames in seconds
 * @param isScaled whether the output has another size than the source
 * @param isNumbered whether a number in each frame says which one it should show: otherwise that was told by what it shows
 */
export function compareProgramme(
  output: Thumbnails,
  frames: readonly (number | null)[],
  times: readonly number[],
  source: Thumbnails,
  { isNumbered, isScaled }: { isNumbered: boolean; isScaled: boolean },
): Programme {
  const watch = new StillWatch();
  const each = frames.flatMap((frame, i) => {
    if (frame === null || frame >= source.count) return [];
    const [shown, own] = [thumbnailOf(output, i), thumbnailOf(source, frame)];
    const measured = measure(shown, own, watch.next(shown, own));
    const neighbour =
      (isNumbered ? neighbourShown(shown, source, frame) : undefined) ??
      (measured.found ? undefined : neighbourBlended(shown, source, frame));
    return [{ i, frame, ...measured, ...(neighbour ? { found: neighbour } : {}) }];
  });
  const compared = withBlurs(each, isScaled ? AMPLIFIED_SCALED : AMPLIFIED);
  const seconds = median(times.slice(1).map((time, i) => time - (times[i] ?? time))) || 0;
  const at95 = (values: readonly number[]): number => {
    const found = percentile(values, 95);
    return found.observed ? found.value : NaN;
  };
  return {
    compared: compared.length,
    correlation: 1 - at95(compared.map((one) => 1 - one.correlation)),
    lumaDifference: at95(compared.map((one) => one.lumaDifference)),
    colourDifference: at95(compared.map((one) => one.colourDifference)),
    deviations: [
      ...turnedIn(compared, output, source, times),
      ...deviationsIn(compared, times, seconds),
    ],
    unknown: unknownIn(frames, times, seconds),
  };
}

interface Measured {
  correlation: number;
  lumaDifference: number;
  colourDifference: number;
  /** Edges of each quarter, and luma about its mean. */
  edges: readonly Products[];
  luma: Products;
  /** The first of the kinds that it is. */
  found: { kind: ProgrammeKind; value: number; tones?: Tones } | undefined;
}

function measure(shown: Uint8Array, own: Uint8Array, still: StillBlocks): Measured {
  const luma = compareLuma(shown, own);
  const colour = compareColours(shown, own);
  // A mosaic changes colours as well: what is lost tells more.
  const unlike =
    unlikeLuma(luma) ?? unlikeDetail(compareDetail(shown, own)) ?? unlikeColours(colour);
  const found =
    unlike?.kind === 'even' ? unlike : (unmoved(still, shown, own, unlike !== undefined) ?? unlike);
  if (found?.kind === 'level') found.tones = tonesOf(shown, own, luma);
  const { correlation, meanDifference: lumaDifference, products } = luma;
  return {
    ...{ correlation, lumaDifference, colourDifference: colour.difference, found },
    ...{ edges: compareEdges(shown, own), luma: products },
  };
}

/** What is wrong where a part of the frame stands still while the source moves: that, unless it is something else as well. */
function unmoved(
  { still, stale, moving }: StillBlocks,
  shown: Uint8Array,
  own: Uint8Array,
  isUnlike: boolean,
): Measured['found'] {
  const share = still / LUMA_BYTES;
  if (share <= LIMITS.still) return undefined;
  const isMoving = moving.length >= LEAST_MOVING * LUMA_BYTES;
  const alike = isMoving ? likeness(edgesAt(moving, shown, own)) : 1;
  if (alike >= MOVING_ALIKE) {
    return isUnlike && stale < still / 2 ? undefined : { kind: 'still', value: share };
  }
  const { left } = compareDetail(shown, own);
  return stale > STALE * LUMA_BYTES ? { kind: 'coarse', value: left } : undefined;
}

/** Tells blurs, by the edges that are fainter for them. */
function withBlurs(compared: readonly Compared[], limit: number): Compared[] {
  return compared.map((one, k): Compared => {
    const blurred = one.found ? strongBlur(one) : slightBlur(compared, k, limit);
    return blurred ? { ...one, found: { kind: 'blurred', value: strength(blurred) } } : one;
  });
}

/** Edges of the frames about one, where these are blurred. */
function slightBlur(compared: readonly Compared[], k: number, limit: number): Products | undefined {
  const near = compared
    .slice(Math.max(0, k - BLUR_FRAMES), k + BLUR_FRAMES + 1)
    .filter(({ found }) => !found);
  const edges = sumOf(near.flatMap((one) => one.edges));
  return isBlurred(edges, sumOf(near.map(({ luma }) => luma)), limit) ? edges : undefined;
}

/** Edges of a frame, or of a quarter that is coarse, where these are blurred: then what else it seems to be comes from that. */
function strongBlur({ found, edges, luma }: Compared): Products | undefined {
  const all = sumOf(edges);
  if (found?.kind === 'coarse') {
    return edges.find((one) => isBlurred(one, luma, AMPLIFIED) && strength(one) < WEAK);
  }
  return (found?.kind === 'part' || found?.kind === 'level') && isFaint(all, luma)
    ? all
    : undefined;
}

function isBlurred(edges: Products, luma: Products, limit: number): boolean {
  if (edges.ofOwn < edges.count * LEAST_EDGES ** 2) return false;
  return amplification(edges) > limit * (amplification(luma) || 1) || isFaint(edges, luma);
}

function isFaint(edges: Products, luma: Products): boolean {
  return strength(edges) < FAINT * Math.min(1, strength(luma) || 1);
}

/** Which neighbour of its own in the source a frame shows, by how many frames it is away; nothing where it shows its own. */
function neighbourShown(shown: Uint8Array, source: Thumbnails, frame: number): Measured['found'] {
  const own = thumbnailOf(source, frame);
  let [nearest, at] = [NEARER, 0];
  for (let k = -NEIGHBOUR_FRAMES; k <= NEIGHBOUR_FRAMES; k += 1) {
    if (k === 0 || frame + k < 0 || frame + k >= source.count) continue;
    const distance = distanceBy(shown, own, thumbnailOf(source, frame + k));
    if (distance < nearest) [nearest, at] = [distance, k];
  }
  if (at === 0) return undefined;
  return at < 0 ? { kind: 'earlier', value: -at } : { kind: 'later', value: at };
}

/** How much of a neighbour a frame shows beside its own; nothing where it shows its own alone. */
function neighbourBlended(shown: Uint8Array, source: Thumbnails, frame: number): Measured['found'] {
  const own = thumbnailOf(source, frame);
  for (const next of [frame - 1, frame + 1]) {
    if (next < 0 || next >= source.count) continue;
    const share = blendOf(shown, own, thumbnailOf(source, next));
    if (share !== undefined) return { kind: 'blended', value: share };
  }
  return undefined;
}

/** By least squares. */
function blendOf(shown: Uint8Array, own: Uint8Array, other: Uint8Array): number | undefined {
  let [blocks, ofShown, ofOther, both] = [0, 0, 0, 0];
  for (let k = 0; k < LUMA_BYTES; k += 1) {
    const a = (shown[k] ?? 0) - (own[k] ?? 0);
    const b = (other[k] ?? 0) - (own[k] ?? 0);
    if (Math.abs(b) < LEAST_MOVE) continue;
    blocks += 1;
    ofShown += a * a;
    ofOther += b * b;
    both += a * b;
  }
  if (blocks < LEAST_MOVING_BLOCKS || ofShown <= blocks) return undefined;
  const share = both / ofOther;
  const left = ofShown - 2 * share * both + share ** 2 * ofOther;
  const [least, most] = BLENDED;
  return share > least && share < most && left < LEFT_OF_BLEND * ofShown ? share : undefined;
}

/** How far a frame is from another one, as a multiple of how far it is from its own; infinite where these are much the same. */
function distanceBy(shown: Uint8Array, own: Uint8Array, other: Uint8Array): number {
  let [blocks, toOwn, toOther] = [0, 0, 0];
  for (let k = 0; k < LUMA_BYTES; k += 1) {
    const a = shown[k] ?? 0;
    const b = own[k] ?? 0;
    const c = other[k] ?? 0;
    if (Math.abs(b - c) < LEAST_MOVE) continue;
    blocks += 1;
    toOwn += (a - b) ** 2;
    toOther += (a - c) ** 2;
  }
  // What is as near as rounding is the same.
  return blocks < LEAST_MOVING_BLOCKS || toOwn <= blocks ? Infinity : toOther / toOwn;
}

interface Luma {
  /** 1 where there is no contrast to compare. */
  correlation: number;
  /** How much of the source's contrast there is. */
  contrast: number;
  /** Mean of the output, and how much more that is than the mean of the source. */
  mean: number;
  level: number;
  isEven: boolean;
  meanDifference: number;
  medianDifference: number;
  /** Share of the blocks that are something else. */
  off: number;
  /** About the mean; none where there is no contrast. */
  products: Products;
}

function compareLuma(shown: Uint8Array, own: Uint8Array): Luma {
  let [meanShown, meanOwn] = [0, 0];
  for (let k = 0; k < LUMA_BYTES; k += 1) {
    meanShown += (shown[k] ?? 0) / LUMA_BYTES;
    meanOwn += (own[k] ?? 0) / LUMA_BYTES;
  }
  let [both, ofShown, ofOwn, sum, off] = [0, 0, 0, 0, 0];
  const differences = new Uint8Array(LUMA_BYTES);
  for (let k = 0; k < LUMA_BYTES; k += 1) {
    const a = (shown[k] ?? 0) - meanShown;
    const b = (own[k] ?? 0) - meanOwn;
    both += a * b;
    ofShown += a * a;
    ofOwn += b * b;
    const difference = Math.abs((shown[k] ?? 0) - (own[k] ?? 0));
    differences[k] = difference;
    sum += difference;
    if (difference > BLOCK_OFF) off += 1;
  }
  const isFlat = ofOwn < LUMA_BYTES * LEAST_CONTRAST ** 2;
  return {
    correlation: isFlat ? 1 : both / Math.sqrt(Math.max(1, ofShown) * ofOwn),
    contrast: isFlat ? 1 : both / ofOwn,
    ...{ mean: meanShown, level: meanShown - meanOwn },
    isEven: !isFlat && ofShown < LUMA_BYTES * EVEN_CONTRAST ** 2,
    meanDifference: sum / LUMA_BYTES,
    medianDifference: differences.sort()[LUMA_BYTES >> 1] ?? 0,
    off: off / LUMA_BYTES,
    products: isFlat ? NO_PRODUCTS : { count: LUMA_BYTES, ofShown, ofOwn, both },
  };
}

function tonesOf(shown: Uint8Array, own: Uint8Array, { mean, level, contrast }: Luma): Tones {
  const blocks = Array.from({ length: LUMA_BYTES }, (_, k) => k);
  blocks.sort((a, b) => (own[a] ?? 0) - (own[b] ?? 0));
  const third = Math.ceil(LUMA_BYTES / 3);
  const [dark = NaN, middle = NaN, bright = NaN] = [0, third, 2 * third].map((from) => {
    const some = blocks.slice(from, from + third);
    return some.reduce((sum, k) => sum + (shown[k] ?? 0) - (own[k] ?? 0), 0) / some.length;
  });
  const bends = blocks.map((k) =>
    Math.abs((shown[k] ?? 0) - mean - contrast * ((own[k] ?? 0) - (mean - level))),
  );
  return { dark, middle, bright, bend: bends.reduce((sum, one) => sum + one, 0) / LUMA_BYTES };
}

function unlikeLuma(luma: Luma): Measured['found'] {
  const { correlation, contrast, level, medianDifference, off } = luma;
  const [least, most] = LIMITS.contrast;
  if (luma.isEven) return { kind: 'even', value: luma.mean };
  if (off > LIMITS.part && medianDifference < BLOCK_SAME) return { kind: 'part', value: off };
  if (correlation < LIMITS.other) return { kind: 'other', value: correlation };
  if (Math.abs(level) > LIMITS.level || contrast > most) return { kind: 'level', value: contrast };
  // A mosaic has less contrast as well: it is told by its detail.
  if (contrast < least && correlation > 0.985) return { kind: 'level', value: contrast };
  return undefined;
}

interface Colours {
  /** Mean distance in U and V, and what it would be if these were exchanged. */
  difference: number;
  swapped: number;
  /** Of the source: root mean square of U and V about grey. */
  saturation: number;
  /** Of the output, as a share of it: all, and what is the same colour. */
  share: number;
  sameShare: number;
}

function compareColours(shown: Uint8Array, own: Uint8Array): Colours {
  let [distance, swapped, ofOwn, ofShown, both] = [0, 0, 0, 0, 0];
  for (let k = 0; k < CHROMA_BYTES; k += 1) {
    const u = (shown[LUMA_BYTES + k] ?? 0) - 128;
    const v = (shown[V_AT + k] ?? 0) - 128;
    const ownU = (own[LUMA_BYTES + k] ?? 0) - 128;
    const ownV = (own[V_AT + k] ?? 0) - 128;
    distance += Math.sqrt((u - ownU) ** 2 + (v - ownV) ** 2);
    swapped += Math.sqrt((v - ownU) ** 2 + (u - ownV) ** 2);
    ofOwn += ownU ** 2 + ownV ** 2;
    ofShown += u ** 2 + v ** 2;
    both += u * ownU + v * ownV;
  }
  return {
    difference: distance / CHROMA_BYTES,
    swapped: swapped / CHROMA_BYTES,
    saturation: Math.sqrt(ofOwn / CHROMA_BYTES / 2),
    share: Math.sqrt(ofShown / Math.max(1, ofOwn)),
    sameShare: both / Math.max(1, ofOwn),
  };
}

function unlikeColours(colours: Colours): Measured['found'] {
  const { difference, swapped, saturation, share, sameShare } = colours;
  const isFaint = saturation < LEAST_SATURATION;
  const isOther = difference > LIMITS.colour;
  if (!isOther && (isFaint || sameShare >= LIMITS.saturation)) return undefined;
  if (!isFaint && share < COLOURLESS) return { kind: 'colourless', value: share };
  if (swapped < 0.5 * difference) return { kind: 'swapped', value: difference };
  return { kind: 'colour', value: difference };
}

interface Detail {
  /** Share of the blocks in which most of it is lost, and in which it has more than doubled. */
  lost: number;
  gained: number;
  /** Share of those that have more by {@link GRAIN}. */
  grained: number;
  /** What is left of it where most is lost: of the whole frame, and of one of its quarters. */
  left: number;
  quarter: number;
}

function compareDetail(shown: Uint8Array, own: Uint8Array): Detail {
  let [blocks, lost, gained, grained, allShown, allOwn] = [0, 0, 0, 0, 0, 0];
  const quarters = [0, 1, 2, 3].map(() => ({ shown: 0, own: 0 }));
  for (let k = 0; k < CHROMA_BYTES; k += 1) {
    const a = shown[DETAIL_AT + k] ?? 0;
    const b = own[DETAIL_AT + k] ?? 0;
    if (b >= LEAST_DETAIL) blocks += 1;
    if (b >= LEAST_DETAIL && a < b / 2) lost += 1;
    if (a > 2 * b + LEAST_DETAIL) gained += 1;
    if (a > b + GRAIN) grained += 1;
    allShown += a;
    allOwn += b;
    const [row, column] = [Math.floor(k / CHROMA_COLUMNS), k % CHROMA_COLUMNS];
    const quarter =
      quarters[2 * Math.floor((2 * row) / CHROMA_ROWS) + Math.floor((2 * column) / CHROMA_COLUMNS)];
    if (quarter) {
      quarter.shown += a;
      quarter.own += b;
    }
  }
  const least = (LEAST_QUARTER * CHROMA_BYTES) / quarters.length;
  return {
    lost: blocks >= LEAST_BLOCKS ? lost / blocks : 0,
    ...{ gained: gained / CHROMA_BYTES, grained: grained / CHROMA_BYTES },
    left: allShown / Math.max(1, allOwn),
    quarter: Math.min(
      ...quarters.map((one) => (one.own >= least ? one.shown / one.own : Infinity)),
    ),
  };
}

function unlikeDetail({ lost, gained, grained, left, quarter }: Detail): Measured['found'] {
  if (lost > LIMITS.detail || quarter < LIMITS.quarter) {
    return { kind: 'coarse', value: Math.min(left, quarter) };
  }
  const isNoisy = gained > LIMITS.noise || grained > LIMITS.grain;
  return isNoisy ? { kind: 'noise', value: left } : undefined;
}

interface Compared extends Measured {
  i: number;
  frame: number;
}

function deviationsIn(
  compared: readonly Compared[],
  times: readonly number[],
  intervalSeconds: number,
): ProgrammeDeviation[] {
  const runs: Deviating[][] = [];
  for (const { i, frame, found } of compared) {
    if (!found) continue;
    const last = runs.at(-1);
    const isNext = i - (last?.at(-1)?.i ?? -Infinity) <= GAP_FRAMES + 1;
    if (last && isNext) last.push({ i, frame, ...found });
    else runs.push([{ i, frame, ...found }]);
  }
  return together(runs, times).flatMap((run): ProgrammeDeviation[] => {
    const [first, last] = [run[0], run.at(-1)];
    if (!first || !last) return [];
    const fromSeconds = times[first.i] ?? NaN;
    const ofFrames = last.i - first.i + 1;
    const { kind, values } = mostFrequent(run);
    const isWhole = ofFrames <= (GAP_FRAMES + 1) * run.length;
    const seconds = (times[last.i] ?? NaN) - fromSeconds + intervalSeconds;
    return [
      {
        ...{ kind, value: median(values), fromSeconds, seconds },
        ...{ firstFrame: first.frame, lastFrame: last.frame, frames: run.length, ofFrames },
        differSeconds: isWhole ? seconds : run.length * intervalSeconds,
        isForeign: run.some(isForeign),
        ...(kind === 'level' ? { tones: medianTones(run) } : {}),
      },
    ];
  });
}

function isForeign({ kind, value }: Deviating): boolean {
  return kind === 'even' || (kind === 'other' && value < FOREIGN_CORRELATION);
}

/** That the whole video is turned or enlarged, told by the frames in which nothing else is wrong. */
function turnedIn(
  compared: readonly Compared[],
  output: Thumbnails,
  source: Thumbnails,
  times: readonly number[],
): ProgrammeDeviation[] {
  const [first, last] = [compared[0], compared.at(-1)];
  const right = compared.filter(({ found, i }) => !found && i % TURN_EVERY === 0);
  const turns = right.flatMap(
    ({ i, frame }) => frameTurn(thumbnailOf(output, i), thumbnailOf(source, frame)) ?? [],
  );
  if (!first || !last || turns.length < LEAST_TURNS) return [];
  const degrees = median(turns.map((one) => one.degrees));
  const enlarged = median(turns.map((one) => one.enlarged));
  const fromSeconds = times[first.i] ?? NaN;
  const seconds = (times[last.i] ?? NaN) - fromSeconds;
  const all = {
    ...{ fromSeconds, seconds, firstFrame: first.frame, lastFrame: last.frame },
    ...{ frames: compared.length, ofFrames: compared.length },
    ...{ differSeconds: seconds, isForeign: false },
  };
  return [
    ...(degrees > TURNED_DEGREES ? [{ ...all, kind: 'turned' as const, value: degrees }] : []),
    ...(Math.abs(enlarged) > ENLARGED
      ? [{ ...all, kind: 'enlarged' as const, value: enlarged }]
      : []),
  ];
}

/** Runs in the order of their beginnings, with a frame or two every now and then in one. */
function together(runs: readonly Deviating[][], times: readonly number[]): Deviating[][] {
  const found: Deviating[][] = [];
  let flashes: Deviating[] | undefined;
  for (const run of runs) {
    const at = times[run[0]?.i ?? -1] ?? NaN;
    const last = times[flashes?.at(-1)?.i ?? -1] ?? -Infinity;
    if (run.length > SHORT_FRAMES) found.push(run);
    else if (flashes && at - last <= TOGETHER_SECONDS) flashes.push(...run);
    else found.push((flashes = [...run]));
  }
  return found;
}

interface Deviating {
  i: number;
  frame: number;
  kind: ProgrammeKind;
  value: number;
  tones?: Tones;
}

function medianTones(run: readonly Deviating[]): Tones {
  const of = (part: keyof Tones): number => median(run.flatMap(({ tones }) => tones?.[part] ?? []));
  return { dark: of('dark'), middle: of('middle'), bright: of('bright'), bend: of('bend') };
}

/** One kind of damage may look like another in some of its frames. */
function mostFrequent(run: readonly Deviating[]): { kind: ProgrammeKind; values: number[] } {
  const kinds = new Map<ProgrammeKind, number[]>();
  for (const { kind, value } of run) {
    const values = kinds.get(kind) ?? [];
    values.push(value);
    kinds.set(kind, values);
  }
  const [earlier = [], later = []] = [kinds.get('earlier'), kinds.get('later')];
  const displaced = [...earlier, ...later];
  if (earlier.length > 0 && later.length > 0 && displaced.length > run.length / 2) {
    return { kind: 'exchanged', values: displaced };
  }
  const sorted = [...kinds].sort(([, a], [, b]) => b.length - a.length);
  const [kind, values] = sorted[0] ?? ['other', []];
  return { kind, values };
}

function unknownIn(
  frames: readonly (number | null)[],
  times: readonly number[],
  intervalSeconds: number,
): Span[] {
  const found: Span[] = [];
  frames.forEach((frame, i) => {
    if (frame !== null) return;
    const at = times[i] ?? NaN;
    const last = frames[i - 1] === null ? found.at(-1) : undefined;
    if (last) last.seconds = at + intervalSeconds - last.fromSeconds;
    else found.push({ fromSeconds: at, seconds: intervalSeconds });
  });
  return found;
}

function median(values: readonly number[]): number {
  const found = percentile(values, 50);
  return found.observed ? found.value : NaN;
}
