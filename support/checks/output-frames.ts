import type { Span } from '../analyze/ffmpeg';
import type { FrameClock } from '../analyze/frame-clock';
import type { VideoTrack } from '../analyze/video';
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
  assess: (measured, given: FramesLimit, subject) => {
    const { fixture } = subject;
    const limit = { ...given, edgeGapSeconds: edgeGapFor(subject, given.edgeGapSeconds) };
    const { clock, video, black } = measured;
    const isInside = insideOf(video, limit);
    const counts = ({ fromSeconds, seconds }: Span): boolean =>
      seconds > limit.edgeGapSeconds || isInside(fromSeconds) || isInside(fromSeconds + seconds);
    const shown = (what: string, spans: readonly Span[]): string[] =>
      spans
        .filter(counts)
        .map((one) => `${what} ${one.seconds.toFixed(2)} s at ${one.fromSeconds.toFixed(2)} s`);
    const long = clock.longPresentations.filter(({ seconds }) => seconds > limit.freezeSeconds);
    const short = clock.bunches.filter(({ seconds }) => seconds > limit.freezeSeconds);
    return allRight(
      [
        ...wrongNumbers(measured, limit, fixture?.segmentSeconds),
        ...shown('one frame for', long),
        ...short
          .filter(counts)
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

/** How much of the source is shown, each frame of it counted once. */
function distinctSeconds({ runs, framesPerSecond }: FrameClock): number {
  return (
    new Set(runs.flatMap(({ frames: all }) => all.map(({ frame }) => frame))).size / framesPerSecond
  );
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
  { clock, video }: Frames,
  limit: FramesLimit,
  segmentSeconds: number | undefined,
): (string | Deviation)[] {
  const isInside = insideOf(video, limit);
  const lost = clock.lost.filter(
    ({ atSeconds, count }) =>
      isInside(atSeconds) || count / clock.framesPerSecond > limit.edgeGapSeconds,
  );
  const what =
    clock.kind === 'strip' ? 'without a readable frame number' : 'that are none of the source';
  return [
    ...(clock.runs.length === 0 ? [`all frames are ones ${what}`] : []),
    ...(clock.unreadable > 0 ? [`${clock.unreadable} frames ${what}`] : []),
    ...clock.backward.map(
      ({ fromFrame, toFrame, atSeconds }) =>
        `frame ${toFrame} after ${fromFrame} at ${atSeconds.toFixed(2)} s`,
    ),
    ...lost.map(({ fromFrame, count, atSeconds }): Deviation => {
      const text = `${count} frames from ${fromFrame} on lost at ${atSeconds.toFixed(2)} s`;
      const [from, seconds] = [fromFrame, count].map((frames) => frames / clock.framesPerSecond);
      const fragment = lostSegment(from, seconds, segmentSeconds);
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

function insideOf(
  { frames: shown }: VideoTrack,
  { edgeSeconds }: FramesLimit,
): (seconds: number) => boolean {
  const [first, last] = [shown[0]?.ptsSeconds ?? 0, shown.at(-1)?.ptsSeconds ?? 0];
  return (seconds) => seconds > first + edgeSeconds && seconds < last - edgeSeconds;
}
