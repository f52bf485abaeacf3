import type { Span } from '../analyze/ffmpeg';
import type { FrameClock } from '../analyze/frame-clock';
import type { RateConversion } from '../analyze/frame-rate';
import type { VideoTrack } from '../analyze/video';
import { isSameRate } from '../base/frame-rates';
import type { Fixture } from '../broadcast/fixture';
import { allRight } from './builders';
import type { Deviation } from './criterion';
import { clockOf } from './output-clock';
import { EDGE_GAP_SECONDS, edgeGapFor, EDGE_SECONDS } from './output-file';
import { outputCriterion, type OutputSubject } from './output-subject';
import { videoFormat } from './video-format';

/**
 * `freezeSeconds`: a frame shown for longer is a freeze that a viewer sees; so is a stretch that goes by so much faster than it
 * should. `edgeSeconds`: at both ends, only what is longer than `edgeGapSeconds` counts.
 */
export interface FramesLimit {
  edgeSeconds: number;
  edgeGapSeconds: number;
  freezeSeconds: number;
}

interface Frames {
  clock: FrameClock;
  video: VideoTrack;
  /** Black stretches where the source is not black. */
  black: Span[];
}

/** Every frame of the source is shown once, in order: by frame numbers where the source has them, otherwise by what is seen. */
export const frames = outputCriterion('frames', {
  title: 'Every frame of the source is shown once, in order',
  failure: 'frames are lost, frozen, bunched, black, repeated or out of order',
  needs: 'source',
  defaultLimit: {
    ...{ edgeSeconds: EDGE_SECONDS, edgeGapSeconds: EDGE_GAP_SECONDS },
    freezeSeconds: 0.1,
  },
  measure: async (subject): Promise<Frames> => {
    const [clock, video] = [await clockOf(subject), await subject.output.video()];
    return { clock, video, black: await blackOf(subject, video) };
  },
  assess: (measured, limit: FramesLimit, subject) => {
    const { fixture } = subject;
    const { clock, video, black } = measured;
    const edges = edgesOf(subject, video, limit);
    const shown = (what: string, spans: readonly Span[]): string[] =>
      spans
        .filter(edges.counts)
        .map((one) => `${what} ${one.seconds.toFixed(2)} s at ${one.fromSeconds.toFixed(2)} s`);
    const long = clock.longPresentations.filter(
      ({ seconds }) => seconds > Math.max(limit.freezeSeconds, heldByConversion(clock)),
    );
    const short = clock.bunches.filter(({ seconds }) => seconds > limit.freezeSeconds);
    return allRight(
      [
        ...wrongNumbers(measured, edges, fixture),
        ...shown('one frame for', long),
        ...short
          .filter(edges.counts)
          .map(
            ({ fromFrame, count, fromSeconds, seconds }) =>
              `${count} frames from ${fromFrame} on bunched at ${fromSeconds.toFixed(2)} s: ` +
              `shown for ${(count / clock.framesPerSecond - seconds).toFixed(3)} s in all`,
          ),
        ...shown('black for', black),
        // A frame without a number can only be seen to stand still; sources may do so.
        ...(clock.kind === 'strip' ? shown('frozen for', video.frozen) : []),
      ],
      `${video.frames.length} frames, ${distinctSeconds(clock).toFixed(2)} s of the source, clock: ${clock.kind}` +
        (clock.conversion ? `; ${conversionText(clock, clock.conversion)}` : '') +
        untoldText(clock),
      'none lost, frozen, bunched, black, repeated or out of order',
    );
  },
  explainedBy: [
    {
      criterion: videoFormat,
      fits: ({ clock, video }: Frames) => clock.unreadable > video.frames.length / 2,
    },
  ],
});

/** How much of the source is shown, each frame of it counted once; those that a conversion leaves out as well. */
function distinctSeconds({ runs, framesPerSecond, conversion }: FrameClock): number {
  const shown = new Set(runs.flatMap(({ frames: all }) => all.map(({ frame }) => frame)));
  return (shown.size + (conversion?.leftOut ?? 0)) / framesPerSecond;
}

function conversionText(
  { framesPerSecond: own }: FrameClock,
  { framesPerSecond, leftOut }: RateConversion,
): string {
  const [shown, source] = [framesPerSecond, own].map((rate) => Number(rate.toFixed(2)));
  const frame = leftOut === 1 ? 'frame' : 'frames, at regular intervals,';
  return `shown at ${shown} frames per second in place of ${source}: ${leftOut} ${frame} left out`;
}

/** So much longer than in the source a conversion shows its frames; nothing where there is none. Rounded up to the ms. */
function heldByConversion({ framesPerSecond: own, conversion }: FrameClock): number {
  return conversion ? 1 / conversion.framesPerSecond - 1 / own + 1e-3 : 0;
}

function untoldText({ untold }: FrameClock): string {
  const spans = untold.map(
    ({ fromSeconds, seconds }) =>
      `${fromSeconds.toFixed(1)} s to ${(fromSeconds + seconds).toFixed(1)} s`,
  );
  return spans.length > 0
    ? `; nothing moves from ${spans.join(', ')}: the order of frames there is not shown`
    : '';
}

/** A source may be black as well: only where it is not, its frames are missed. */
async function blackOf({ output }: OutputSubject, { black }: VideoTrack): Promise<Span[]> {
  if (black.length === 0) return [];
  const programme = await output.programme();
  if (!programme.observed) return black;
  return black.filter(({ fromSeconds, seconds }) =>
    [...programme.deviations, ...programme.unknown].some(
      (one) =>
        one.fromSeconds < fromSeconds + seconds && one.fromSeconds + one.seconds > fromSeconds,
    ),
  );
}

/** What the numbers of the frames say. */
function wrongNumbers(
  { clock }: Frames,
  { isLossCounted }: Edges,
  fixture: Fixture | undefined,
): (string | Deviation)[] {
  const { conversion, framesPerSecond } = clock;
  // In whose place others are shown, frames without a number or none of the source, is said of those.
  const lost = clock.lost.filter(
    ({ atSeconds, count, hidden = 0 }) =>
      hidden < count && isLossCounted({ fromSeconds: atSeconds, seconds: count / framesPerSecond }),
  );
  const first = clock.firstUnreadableSeconds?.toFixed(2);
  const allowed = fixture?.video.outputFramesPerSecond;
  const isAllowed = conversion && allowed && isSameRate(conversion.framesPerSecond, allowed);
  const what =
    clock.kind === 'strip' ? 'without a readable frame number' : 'that are none of the source';
  return [
    ...(clock.runs.length === 0 ? [`all frames are ones ${what}`] : []),
    ...(clock.unreadable > 0
      ? [`${clock.unreadable} frames ${what}, the first at ${first} s`]
      : []),
    ...(conversion && !isAllowed ? [conversionText(clock, conversion)] : []),
    ...clock.backward.map(
      ({ fromFrame, toFrame, atSeconds }) =>
        `frame ${toFrame} after ${fromFrame} at ${atSeconds.toFixed(2)} s`,
    ),
    ...lost.map(({ fromFrame, count, atSeconds }): Deviation => {
      const text = `${count} frames from ${fromFrame} on lost at ${atSeconds.toFixed(2)} s`;
      const [from, seconds] = [fromFrame, count].map((frames) => frames / clock.framesPerSecond);
      const fragment = lostSegment(from, seconds, fixture?.segmentSeconds);
      return fragment === undefined ? { text } : { text, fragment };
    }),
  ];
}

/** Segments are cut at key frames: so far beside its boundary, in seconds, a segment may begin. */
const CUT_BESIDE_SECONDS = 1;

/** The segment that was lost as a whole; undefined where it is not one. All in seconds of the source. */
function lostSegment(from = NaN, seconds = NaN, segmentSeconds = NaN): number | undefined {
  const segment = Math.round(from / segmentSeconds);
  const beside = Math.abs(from - segment * segmentSeconds);
  const isOne = Math.abs(seconds - segmentSeconds) <= CUT_BESIDE_SECONDS;
  return isOne && beside <= CUT_BESIDE_SECONDS ? segment : undefined;
}

/** What counts of what is wrong near the ends of an output. */
interface Edges {
  counts: (span: Span) => boolean;
  /** The same of frames that are lost: where they are is when the last one before them is shown. */
  isLossCounted: (span: Span) => boolean;
}

function edgesOf(
  subject: OutputSubject,
  { frames: shown }: VideoTrack,
  { edgeSeconds, edgeGapSeconds }: FramesLimit,
): Edges {
  const [first, last] = [shown[0]?.ptsSeconds ?? 0, shown.at(-1)?.ptsSeconds ?? 0];
  const isInside = (at: number): boolean => at > first + edgeSeconds && at < last - edgeSeconds;
  // A worker that joins waits for a key frame, which in some sources is rare; nothing else does, and nothing does at the end.
  const joining = edgeGapFor(subject, edgeGapSeconds);
  const isJoining = ({ fromSeconds, seconds }: Span): boolean =>
    fromSeconds <= first + EDGE_GAP_SECONDS && seconds <= joining;
  const isLossCounted = (span: Span): boolean =>
    !isJoining(span) && (isInside(span.fromSeconds) || span.seconds > edgeGapSeconds);
  return {
    isLossCounted,
    counts: (span) =>
      isLossCounted(span) || (!isJoining(span) && isInside(span.fromSeconds + span.seconds)),
  };
}
