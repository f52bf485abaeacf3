/** How long an output is: what is lost in between makes it shorter, and is then the cause. */
import { frameRateOf } from '../analyze/frame-rate';
import { isSameRate } from '../base/frame-rates';
import { assessed, type Figure } from './criterion';
import { lostByReader, mayBeLost } from './lost-by-reader';
import { tracksOf } from './output-file';
import { frames } from './output-frames';
import { ofRecording, outputCriterion } from './output-subject';
import { shorterBySegments } from './upstream';

/**
 * At least so many seconds of video decode, counted in frames: at the source's rate, or at the one to which services may convert
 * it (`outputFramesPerSecond`), where the output has that one.
 */
export const decodedVideo = ofRecording('decoded-video', {
  title: 'Enough of the video decodes',
  failure: 'too few frames decode',
  measure: async ({ output }) => {
    const { frames: all } = await output.video();
    const { framesPerSecond = NaN, outputFramesPerSecond: other } = output.fixture?.video ?? {};
    const own = frameRateOf(all.map(({ ptsSeconds }) => ptsSeconds));
    const isConverted = own !== undefined && other !== undefined && isSameRate(own, other);
    return {
      decoded: all.length,
      framesPerSecond: isConverted ? other : framesPerSecond,
    };
  },
  assess: ({ decoded, framesPerSecond }, { leastSeconds }: { leastSeconds: number }) => {
    const least = Math.floor(leastSeconds * framesPerSecond + 1e-6);
    return assessed(decoded >= least, `${decoded} frames`, `at least ${least} frames`);
  },
  explainedBy: [{ criterion: frames }],
});

/** Between two lengths, or within a tolerance of one: the source's where none is given. All in seconds. */
export type DurationLimit =
  { fromSeconds: number; toSeconds: number } | { seconds?: number; toleranceSeconds: number };

interface Lengths {
  videoSeconds: number;
  audioSeconds: number;
  togetherSeconds: number;
  sourceSeconds: number;
  /** Of its beginning, at most, by the reader that has recorded it. */
  lostSeconds?: number;
}

/** The video lasts as long as wanted, so does the audio, and so do both together; from packets, not from headers. */
export const duration = outputCriterion('duration', {
  title: 'The output is as long as it should be',
  failure: 'the output has another length',
  needs: 'source',
  // This suite's own: shorter than the source, or longer.
  defaultLimit: { toleranceSeconds: 1 },
  measure: async (subject): Promise<Lengths> => {
    const { video, audio } = await tracksOf(subject);
    const starts = [video, audio].map(({ firstPtsSeconds }) => firstPtsSeconds);
    const ends = [video, audio].map((track) => track.firstPtsSeconds + track.durationSeconds);
    return {
      videoSeconds: video.durationSeconds,
      audioSeconds: audio.durationSeconds,
      togetherSeconds: Math.max(...ends) - Math.min(...starts),
      sourceSeconds: subject.output.fixture?.durationSeconds ?? NaN,
      ...(await lostByReader(subject)),
    };
  },
  assess: (
    { videoSeconds, audioSeconds, togetherSeconds, sourceSeconds, lostSeconds = 0 },
    limit: DurationLimit,
    subject,
  ) => {
    const [from, to] = bordersOf(limit, sourceSeconds);
    const seen =
      `video ${videoSeconds.toFixed(3)} s, audio ${audioSeconds.toFixed(3)} s, ` +
      `both together ${togetherSeconds.toFixed(3)} s`;
    const lengths = [videoSeconds, audioSeconds, togetherSeconds];
    const expected = `${from} s to ${to} s`;
    const isRight = lengths.every((seconds) => seconds >= from && seconds <= to);
    const mayBeRight = lengths.every((seconds) => seconds >= from - lostSeconds && seconds <= to);
    if (!isRight && mayBeRight) throw mayBeLost(seen, lostSeconds, expected);
    const deviations = isRight
      ? []
      : shorterBySegments(subject, seen, (from + to) / 2 - togetherSeconds);
    return { deviations, seen, expected, figure: figureOf(lengths, [from, to]) };
  },
  explainedBy: [
    {
      criterion: frames,
      fits: ({ togetherSeconds, sourceSeconds }, limit) =>
        togetherSeconds < bordersOf(limit, sourceSeconds)[0],
    },
  ],
});

/** How far the length that is farthest from the middle of its borders is from it. */
function figureOf(lengths: readonly number[], [from, to]: readonly [number, number]): Figure {
  const middle = (from + to) / 2;
  const value = Math.max(...lengths.map((seconds) => Math.abs(seconds - middle)));
  const name = `difference from a length of ${middle} s`;
  return { name, value, limit: (to - from) / 2, unit: 's', holds: 'at most' };
}

function bordersOf(limit: DurationLimit, sourceSeconds: number): [number, number] {
  if ('fromSeconds' in limit) return [limit.fromSeconds, limit.toSeconds];
  const { seconds = sourceSeconds, toleranceSeconds } = limit;
  return [seconds - toleranceSeconds, seconds + toleranceSeconds];
}
