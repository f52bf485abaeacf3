/** The recording of an output as a file: its tracks, its packets, and whether it decodes. */
import { isTimecode, type TrackSpan } from '../analyze/media';
import { allRight, observed } from './builders';
import { assessed } from './criterion';
import { outputCriterion, type OutputSubject, recordingOf } from './output-subject';

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

/** Both tracks by their packets. */
export async function tracksOf(
  subject: OutputSubject,
): Promise<{ video: TrackSpan; audio: TrackSpan }> {
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
