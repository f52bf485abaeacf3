/* The frames of a source, with which those of its outputs are compared. A source is decoded once, and its thumbnails are kept. */
import { ofSource } from './source-cache';
import { thumbnailOf, type Thumbnails, ThumbnailSink } from './thumbnails';
import { readFrames } from './video';

/** The frames of a video file, with their times in its own timeline, in seconds. */
export interface SourceFrames {
  thumbnails: Thumbnails;
  times: number[];
}

/**
 * The frames of a source; kept as `ofSource` says.
 *
 * @throws MediaUnreadable, NoVideoTrack, FrameClockUnreadable
 */
export function readSource(file: string): Promise<SourceFrames> {
  return ofSource(file, 'frames', readFrames);
}

/**
 * The source at a constant rate, beginning at 0 of its timeline: frame `n` of the result is the one that is shown at
 * `n / framesPerSecond`. Of a source that has such a rate, these are its own frames.
 */
export function atConstantRate(
  { thumbnails, times }: SourceFrames,
  framesPerSecond: number,
): Thumbnails {
  const own = ownFrames(times, framesPerSecond);
  const areAll = own.length === thumbnails.count && own.every((frame, n) => frame === n);
  return areAll ? thumbnails : chosen(thumbnails, own, 'fd' in thumbnails);
}

/** Those of some frames, one after the other. */
function chosen(thumbnails: Thumbnails, frames: readonly number[], isStored: boolean): Thumbnails {
  const sink = new ThumbnailSink(isStored);
  for (const frame of frames) {
    sink.add((bytes, at) => {
      bytes.set(thumbnailOf(thumbnails, frame), at);
    });
  }
  return sink.thumbnails;
}

/** Those of its frames that only repeat the one before: the source has a rate that varies, and shows that one for longer. */
export function repeatsAtConstantRate(
  { times }: SourceFrames,
  framesPerSecond: number,
): ReadonlySet<number> {
  const own = ownFrames(times, framesPerSecond);
  return new Set(own.flatMap((frame, n) => (frame === own[n - 1] ? n : [])));
}

/** By frame at the constant rate, the source's own. */
function ownFrames(times: readonly number[], framesPerSecond: number): number[] {
  const count = Math.max(0, Math.round((times.at(-1) ?? -1) * framesPerSecond) + 1);
  // Half of an interval: times are rounded, to ms in some containers.
  const slack = 0.5 / framesPerSecond;
  let at = 0;
  return Array.from({ length: count }, (_, n) => {
    while ((times[at + 1] ?? Infinity) <= n / framesPerSecond + slack) at += 1;
    return at;
  });
}
