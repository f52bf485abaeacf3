/** The recording of an output as a file: its tracks, its packets, how long it lasts, and whether it decodes. */
import { frameRateOf } from '../analyze/frame-rate';
import { isTimecode, type TrackSpan } from '../analyze/media';
import { isSameRate } from '../base/frame-rates';
import { allRight, observed } from './builders';
import { assessed, type Figure } from './criterion';
import { lostByReader, mayBeLost } from './lost-by-reader';
import { ofRecording, outputCriterion, type OutputSubject, recordingOf } from './output-subject';
import { shorterBySegments } from './upstream';

/** Spec 019 and 021: one H.264 video track, one AAC audio track. */
export const tracks = outputCriterion('tracks', {
  title: 'The output has one video track and one audio track',
  failure: 'the output has other tracks',
  needs: 'file',
  defaultLimit: { video: 'h264', audio: 'aac' },
  measure: async ({ output }) =>
    (await output.streams())
      .filter((stream) => !isTimecode(stream))
      .map(({ kind, codec }) => `${kind} ${codec}`)
      .sort(),
  assess: (codecs, { video, audio }: { video: string; audio: string }) => {
    const expected = `audio ${audio}, video ${video}`;
    const seen = codecs.join(', ');
    return assessed(seen === expected, seen || 'none', expected);
  },
});

/** Errors beyond these are counted in a message, not listed. */
const ERRORS_LISTED = 5;

export const decoding = outputCriterion('decoding', {
  title: 'The output decodes to its end without an error',
  failure: 'the output does not decode',
  needs: 'file',
  defaultLimit: null,
  measure: async ({ output }) => ({ video: await output.video(), audio: await output.audio() }),
  assess: ({ video, audio }) => {
    const errors = [...video.errorLines, ...audio.errorLines];
    const codes = [video, audio].flatMap(({ exitCode }) => (exitCode === 0 ? [] : exitCode));
    const unlisted = errors.length - ERRORS_LISTED;
    const texts = [
      ...codes.map((code) => `exit code ${code}`),
      ...errors.slice(0, ERRORS_LISTED),
      ...(unlisted > 0 ? [`${unlisted} more errors`] : []),
    ];
    const seconds = audio.decodedSamples / audio.rateHz;
    const seen = `${video.frames.length} frames, ${seconds.toFixed(2)} s of audio`;
    return allRight(texts, seen, 'no error');
  },
});

/**
 * At least so many seconds of video decode, counted in frames: at the source's rate, or at the one to which services may convert
 * it (`outputFramesPerSecond`), where the output has that one.
 */
export const decodedVideo = ofRecording('decoded-video', {
  title: 'Enough of the video decodes',
  failure: 'too few frames decode',
  measure: async ({ output }) => {
    const { frames } = await output.video();
    const { framesPerSecond = NaN, outputFramesPerSecond: other } = output.fixture?.video ?? {};
    const own = frameRateOf(frames.map(({ ptsSeconds }) => ptsSeconds));
    const isConverted = own !== undefined && other !== undefined && isSameRate(own, other);
    return {
      frames: frames.length,
      framesPerSecond: isConverted ? other : framesPerSecond,
    };
  },
  assess: ({ frames, framesPerSecond }, { leastSeconds }: { leastSeconds: number }) => {
    const least = Math.floor(leastSeconds * framesPerSecond + 1e-6);
    return assessed(frames >= least, `${frames} frames`, `at least ${least} frames`);
  },
});

/**
 * How much of both ends is left out, in seconds: there, a worker joins and encoders fill up (CTA-WAVE's device tests
 * leave it out as well).
 */
export const EDGE_SECONDS = 1;

/**
 * What is longer than this counts at both ends as well, in seconds: a worker that joins at the next key frame shows its first
 * frame for so long at most. As much as may be missing of the beginning (output-begins).
 */
export const EDGE_GAP_SECONDS = 0.5;

/** A worker takes so long to join, in seconds, before it waits for a key frame; 0.2 to 0.35 s were seen. */
const JOINING_SECONDS = 0.3;

/** The same at the beginning of a source with rare key frames, of which a worker that joins waits for the next. */
export function edgeGapFor({ fixture }: OutputSubject, edgeGapSeconds: number): number {
  const { gopFrames = 0, framesPerSecond = NaN } = fixture?.video ?? {};
  return gopFrames === 0
    ? edgeGapSeconds
    : Math.max(edgeGapSeconds, gopFrames / framesPerSecond + JOINING_SECONDS);
}

async function tracksOf(subject: OutputSubject): Promise<{ video: TrackSpan; audio: TrackSpan }> {
  const { video, audio } = await subject.output.span();
  const file = recordingOf(subject);
  return {
    video: observed(file, 'a video track', video),
    audio: observed(file, 'an audio track', audio),
  };
}

export const timestamps = outputCriterion('timestamps', {
  title: 'The timestamps of the output have no gap',
  failure: 'timestamps have gaps, repeat, or go back',
  needs: 'file',
  defaultLimit: { edgeSeconds: EDGE_SECONDS, edgeGapSeconds: EDGE_GAP_SECONDS },
  measure: tracksOf,
  assess: ({ video, audio }, { edgeSeconds, ...given }: GapLimit, subject) => {
    const limit = { edgeSeconds, edgeGapSeconds: edgeGapFor(subject, given.edgeGapSeconds) };
    const { keyInterval: gop } = video;
    const keyFrames = gop.observed
      ? `GOP ${gop.medianSeconds.toFixed(2)} s, at most ${gop.maxSeconds.toFixed(2)} s`
      : gop.reason;
    return allRight(
      [...wrongIn('video', video, limit), ...wrongIn('audio', audio, limit)],
      `${keyFrames}, video ${video.packets} packets, audio ${audio.packets} packets`,
      'PTS and DTS in order, no gap',
    );
  },
});

/** At the beginning, a gap counts from `edgeGapSeconds` on; the step from one packet to the next is its length. */
interface GapLimit {
  edgeSeconds: number;
  edgeGapSeconds: number;
}

function wrongIn(
  kind: string,
  track: TrackSpan,
  { edgeSeconds, edgeGapSeconds }: GapLimit,
): string[] {
  // A worker joins at the next key frame: before it, there is audio alone.
  const from = track.firstPtsSeconds + edgeSeconds;
  const gaps = track.gaps.filter(
    (gap) =>
      (gap.atSeconds > from || gap.stepSeconds > edgeGapSeconds) &&
      gap.atSeconds < track.completeToPtsSeconds,
  );
  const { backwardDtsSeconds: backward, repeatedPtsSeconds: repeated, packetsWithoutPts } = track;
  const texts = [
    ...gaps.map(
      ({ atSeconds, stepSeconds }) =>
        `${stepSeconds.toFixed(3)} s to the next packet at ${atSeconds.toFixed(3)} s`,
    ),
    ...backward.slice(0, 1).map((seconds) => `DTS goes back at ${seconds.toFixed(3)} s`),
    ...repeated.slice(0, 1).map((seconds) => `two packets at ${seconds.toFixed(3)} s`),
    ...(packetsWithoutPts > 0 ? [`${packetsWithoutPts} packets without PTS`] : []),
  ];
  return texts.map((text) => `${kind}: ${text}`);
}

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
