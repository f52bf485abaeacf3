/** How the frames of an output are to be shown: size, shape, rotation, borders, and what players need to show them. */
import { beyond } from '../analyze/finding';
import { type HeaderFormat, packetSpan, type TrackSpan } from '../analyze/media';
import type { Borders, VideoFormat } from '../analyze/video-format';
import { allRight, observed } from './builders';
import { decoding } from './output-file';
import { outputCriterion, recordingOf } from './output-subject';

/**
 * `aspectShare`: how far the aspect ratio may be from that of the source; sizes are even, so that 426 x 240 is 0.2 % off.
 * `gopSeconds`: between key frames; a viewer who joins sees nothing until the next. `borderShare`: of height or width, black,
 * where the source has no border; the small copies that are measured have 90 lines.
 */
interface FormatLimit {
  aspectShare: number;
  gopSeconds: number;
  borderShare: number;
}

interface Measured extends VideoFormat {
  video: TrackSpan;
  /** The longest interval of key frames of the source; where that of the output is too long. */
  sourceGopSeconds?: number;
}

/**
 * Specs 019 and 021 ask for H.264 and say nothing of its size: a smaller video is conforming as long as it keeps one size and
 * the source's shape. 8 bits in 4:2:0 is what players and browsers decode in hardware, unless the source itself is otherwise.
 */
export const videoFormat = outputCriterion('video-format', {
  title: 'The frames keep one size, and the shape of the source',
  failure:
    'frames change their size, have another shape than the source, or cannot be shown everywhere',
  needs: 'file',
  defaultLimit: { aspectShare: 0.01, gopSeconds: 10, borderShare: 0.03 },
  measure: async (subject): Promise<Measured> => {
    const { output, fixture } = subject;
    const { video } = await output.span();
    const track = observed(recordingOf(subject), 'a video track', video);
    const measured = { ...(await output.format()), video: track };
    if (track.longestWithoutKeySeconds <= LONG_GOP_SECONDS || !fixture) return measured;
    const source = (await packetSpan(fixture.path)).video;
    return source.observed
      ? { ...measured, sourceGopSeconds: source.longestWithoutKeySeconds }
      : measured;
  },
  assess: (measured, limit: FormatLimit) => {
    const { output, source, formats } = measured;
    const { width, height, pixelFormat } = formats[0] ?? output;
    return allRight(
      [
        ...changes(measured),
        ...(source ? unlikeSource(output, source, limit) : []),
        ...turned(output, source),
        ...bordered(measured, limit),
        ...unusualPixels(output, source),
        ...longGop(measured, limit),
      ],
      `${width} x ${height}, ${shapeOf(output)}, ${pixelFormat}`,
      source
        ? `one size throughout, ${shapeOf(source)} as the source, yuv420p, key frames`
        : 'one size throughout, yuv420p, key frames',
    );
  },
  explainedBy: [{ criterion: decoding, fits: ({ formats }: Measured) => formats.length > 1 }],
});

/** Only where that is exceeded, the source is asked as well. */
const LONG_GOP_SECONDS = 10;

function changes({ formats }: Measured): string[] {
  return formats.slice(1).map((format, i) => {
    const [before, after] = [formats[i] ?? format, format].map(
      ({ width, height, sampleAspectRatio: ratio, pixelFormat }) =>
        `${width} x ${height}, pixels ${ratio.toFixed(2)}, ${pixelFormat}`,
    );
    return `from ${format.fromSeconds.toFixed(2)} s on ${after} in place of ${before}`;
  });
}

/** As a player shows it. */
function aspectOf({ width, height, sampleAspectRatio, rotationDegrees }: HeaderFormat): number {
  const aspect = (width * sampleAspectRatio) / height;
  return Math.abs(rotationDegrees) % 180 === 90 ? 1 / aspect : aspect;
}

function shapeOf(format: HeaderFormat): string {
  return `aspect ratio ${aspectOf(format).toFixed(3)}`;
}

function unlikeSource(
  output: HeaderFormat,
  source: HeaderFormat,
  { aspectShare }: FormatLimit,
): string[] {
  const share = aspectOf(output) / aspectOf(source);
  return Math.abs(share - 1) <= aspectShare
    ? []
    : [`${shapeOf(output)}, that of the source ${aspectOf(source).toFixed(3)}`];
}

function turned(
  { rotationDegrees: degrees }: HeaderFormat,
  source: HeaderFormat | undefined,
): string[] {
  const own = source?.rotationDegrees ?? 0;
  return (degrees - own) % 360 === 0
    ? []
    : [`players turn it by ${degrees}°, the source by ${own}°`];
}

function bordered({ borders, sourceBorders }: Measured, { borderShare }: FormatLimit): string[] {
  if (!sourceBorders) return [];
  const sides = Object.keys(borders) as (keyof Borders)[];
  return sides.flatMap((side) => {
    const share = borders[side] - sourceBorders[side];
    return share > borderShare
      ? [`black border, ${beyond(100 * share, 100 * borderShare, 0)} % ${WHERE[side]}`]
      : [];
  });
}

const WHERE: Record<keyof Borders, string> = {
  ...{ top: 'at the top', bottom: 'at the bottom' },
  ...{ left: 'on the left', right: 'on the right' },
};

/** 8 bits a sample, colours at half the resolution, in either range of levels. */
const USUAL_PIXELS = ['yuv420p', 'yuvj420p'];

function unusualPixels({ pixelFormat }: HeaderFormat, source: HeaderFormat | undefined): string[] {
  const isUsual = USUAL_PIXELS.includes(pixelFormat) || pixelFormat === source?.pixelFormat;
  return isUsual ? [] : [`pixels are ${pixelFormat}, which many players cannot show`];
}

function longGop({ video, sourceGopSeconds = 0 }: Measured, { gopSeconds }: FormatLimit): string[] {
  const seconds = video.longestWithoutKeySeconds;
  return seconds <= gopSeconds || seconds <= sourceGopSeconds + 1
    ? []
    : [`${beyond(seconds, gopSeconds, 1)} s without a key frame`];
}
