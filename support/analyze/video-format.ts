/* How the frames of a video are to be shown: their size and shape, how they are turned, and what of them is border. */
import { percentile } from './finding';
import type { HeaderFormat } from './media';
import { BORDERS_AT, SMALL_HEIGHT, SMALL_WIDTH, thumbnailOf, type Thumbnails } from './thumbnails';
import type { FrameFormat } from './video';

/** Black borders, each as a share of the height or the width. */
export interface Borders {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

export interface VideoFormat {
  output: HeaderFormat;
  /** Not there where the source is unknown. */
  source: HeaderFormat | undefined;
  /** Of the output, as it was decoded: more than one where its size changes. */
  formats: FrameFormat[];
  borders: Borders;
  sourceBorders: Borders | undefined;
}

/** Of frames that are black all over, nothing is border; in a tenth of the others, a border may be hidden by dark content. */
const SURE_PERCENT = 10;

/** The black borders that a video has throughout. */
export function bordersOf(thumbnails: Thumbnails): Borders {
  const [top, bottom, left, right]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let frame = 0; frame < thumbnails.count; frame += 1) {
    const lines = thumbnailOf(thumbnails, frame).subarray(BORDERS_AT);
    if ((lines[0] ?? 0) >= SMALL_HEIGHT) continue;
    [top, bottom, left, right].forEach((side, i) => side.push(lines[i] ?? 0));
  }
  const share = (side: readonly number[], lines: number): number => {
    const found = percentile(side, SURE_PERCENT);
    return found.observed ? found.value / lines : 0;
  };
  return {
    ...{ top: share(top, SMALL_HEIGHT), bottom: share(bottom, SMALL_HEIGHT) },
    ...{ left: share(left, SMALL_WIDTH), right: share(right, SMALL_WIDTH) },
  };
}
