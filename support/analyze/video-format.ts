/* How the frames of a video are to be shown: their size and shape, how they are turned, and what of them is border. */
import { z } from 'zod';

import { runFfprobe } from './ffmpeg';
import { percentile } from './finding';
import { BORDERS_AT, SMALL_HEIGHT, SMALL_WIDTH, thumbnailOf, type Thumbnails } from './thumbnails';
import type { FrameFormat } from './video';

/** What the header of a file says of its first video track. */
export interface HeaderFormat {
  width: number;
  height: number;
  /** Width of a pixel by its height; 1 where the file does not say. */
  sampleAspectRatio: number;
  /** ffmpeg's name: `yuv420p`, `yuv444p`, `yuv420p10le`. */
  pixelFormat: string;
  /** By which a player turns the frames, counter-clockwise; from -180 to 180. */
  rotationDegrees: number;
}

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

const schema = z.object({
  streams: z.array(
    z.object({
      width: z.number().default(0),
      height: z.number().default(0),
      pix_fmt: z.string().default('unknown'),
      sample_aspect_ratio: z.string().optional(),
      tags: z.object({ rotate: z.string().optional() }).optional(),
      side_data_list: z.array(z.object({ rotation: z.number().optional() })).optional(),
    }),
  ),
});

/**
 * What the header of a media file says of its first video track.
 *
 * @throws MediaUnreadable when the file is missing or empty, or ffprobe cannot open it
 */
export async function probeFormat(file: string): Promise<HeaderFormat> {
  const entries =
    'stream=width,height,pix_fmt,sample_aspect_ratio:stream_tags=rotate:stream_side_data=rotation';
  const json = await runFfprobe(file, ['-select_streams', 'v:0', '-show_entries', entries]);
  const [stream] = schema.parse(JSON.parse(json)).streams;
  const [over, under] = (stream?.sample_aspect_ratio ?? '1:1').split(':').map(Number);
  const sideData = stream?.side_data_list?.find(({ rotation }) => rotation !== undefined);
  return {
    ...{ width: stream?.width ?? 0, height: stream?.height ?? 0 },
    sampleAspectRatio: (over ?? 1) / (under ?? 1) || 1,
    pixelFormat: stream?.pix_fmt ?? 'unknown',
    // The tag of older ffprobes turns clockwise.
    rotationDegrees: sideData?.rotation ?? -Number(stream?.tags?.rotate ?? 0),
  };
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
