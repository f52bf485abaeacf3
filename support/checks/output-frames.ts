import type { Span } from '../analyze/ffmpeg';
import type { FrameClock } from '../analyze/frame-clock';
import type { VideoTrack } from '../analyze/video';
import { allRight, observed } from './builders';
import type { Deviation } from './criterion';
import { EDGE_SECONDS } from './output-file';
import { outputCriterion, recordingOf } from './output-subject';

/**
 * `edgeSeconds`: left out at both ends. `freezeSeconds`: a frame shown for longer is a freeze that a viewer sees; so is a
 * stretch that goes by so much faster than it should.
 */
export interface FramesLimit {
  edgeSeconds: number;
  freezeSeconds: number;
}

interface Frames {
  clock: FrameClock;
  video: VideoTrack;
}

/** Every frame of the source is shown once, in order: by frame numbers where the source has them. */
export const frames = outputCriterion('frames', {
  title: 'Every frame of the source is shown once, in order',
  failure: 'frames are lost, frozen, bunched, black, repeated or out of order',
  needs: 'source',
  defaultLimit: { edgeSeconds: EDGE_SECONDS, freezeSeconds: 0.1 },
  measure: async (subject): Promise<Frames> => {
    const [clock, video] = [await subject.output.clock(), await subject.output.video()];
    return { clock: observed(recordingOf(subject), 'when frames are shown', clock), video };
  },
  assess: (measured, limit: FramesLimit, { fixture }) => {
    const { clock, video } = measured;
    const isInside = insideOf(video, limit);
    const shown = (what: string, spans: readonly Span[]): string[] =>
      spans
        .filter((one) => isInside(one.fromSeconds) || isInside(one.fromSeconds + one.seconds))
        .map((one) => `${what} ${one.seconds.toFixed(2)} s at ${one.fromSeconds.toFixed(2)} s`);
    const long = clock.longPresentations.filter(({ seconds }) => seconds > limit.freezeSeconds);
    const short = clock.bunches.filter(({ seconds }) => seconds > limit.freezeSeconds);
    return allRight(
      [
        ...wrongNumbers(measured, limit, fixture?.segmentSeconds),
        ...shown('one frame for', long),
        ...short
          .filter(({ fromSeconds }) => isInside(fromSeconds))
          .map(
            ({ fromFrame, count, fromSeconds, seconds }) =>
              `${count} frames from ${fromFrame} on bunched at ${fromSeconds.toFixed(2)} s: ` +
              `shown for ${(count / clock.framesPerSecond - seconds).toFixed(3)} s in all`,
          ),
        ...shown('black for', video.black),
        // A frame without a number can only be seen to stand still; sources may do so.
        ...(clock.kind === 'strip' ? shown('frozen for', video.frozen) : []),
      ],
      `${video.frames.length} frames, clock: ${clock.kind}`,
      'none lost, frozen, bunched, black, repeated or out of order',
    );
  },
});

/** What the numbers of the frames say. */
function wrongNumbers(
  { clock, video }: Frames,
  limit: FramesLimit,
  segmentSeconds: number | undefined,
): (string | Deviation)[] {
  const isInside = insideOf(video, limit);
  const lost = clock.lost.filter(
    ({ atSeconds, count }) =>
      isInside(atSeconds) || count / clock.framesPerSecond > limit.edgeSeconds,
  );
  return [
    ...(clock.runs.length === 0 ? ['no frame has a readable frame number'] : []),
    ...(clock.unreadable > 0 ? [`${clock.unreadable} frames without a readable frame number`] : []),
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
