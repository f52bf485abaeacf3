import { audioLevels } from './audio';
import { type Finding, percentile, unobserved } from './finding';
import { FRAME_NUMBERS, type NumberedFrame, readFrameNumbers } from './frame-strip';
import { packetSpan } from './media';
import { audioTimeline, makeLocator } from './placement';

export interface DubbedSegment {
  index: number;
  /** Where the segment begins in the source, in seconds. */
  startSeconds: number;
  /** The dubbed audio that the segment was given, mono at `rateHz`; silence around the speech is fine. */
  dubbedPcm: Float32Array;
}

/** Which clock tells when a source picture is shown: its number in the strip, or only the first packet. */
export type VideoClock = 'frame-strip' | 'first-packet';

export interface AvDeltaInput {
  outputFile: string;
  segments: readonly DubbedSegment[];
  /** Of the source. */
  fps: number;
  /** Of `dubbedPcm`; 8000 Hz tells 0.125 ms. */
  rateHz: number;
  /** Default `frame-strip`. `first-packet` takes the first video PTS for source time 0: a weaker proof. */
  videoClock?: VideoClock;
  /** Correlation below which the dub counts as not found; default 0.5. */
  minScore?: number;
  /** By how much the place found must beat every other one; default 0.1. */
  minLead?: number;
  /** How far from the wanted frame the nearest readable one may be; default 0.5 s. */
  maxFrameDistanceSeconds?: number;
  /** 20 ms windows below this are trimmed from both ends of the dub; default -50 dBFS. */
  silenceBelowDbfs?: number;
}

export interface SegmentDelta {
  /** Audio minus video, signed: positive when the audio is late. */
  deltaMs: number;
  audioPtsSeconds: number;
  /** When the picture of the segment's start is shown, by the pictures of its first 0.4 s. */
  videoPtsSeconds: number;
  score: number;
  runnerUpScore: number;
  /** Frame numbers between the wanted frame and the one read; 0 when that very frame is there. */
  frameDistance: number;
}

export interface AvDeltas {
  videoClock: VideoClock;
  segments: { index: number; delta: Finding<SegmentDelta> }[];
  summary: Finding<AvDeltaSummary>;
}

export interface AvDeltaSummary {
  measuredSegments: number;
  /** The delta that is farthest from 0, with its sign. */
  worstMs: number;
  worstIndex: number;
  /** Percentiles (nearest rank) of the deltas without sign. */
  p50AbsoluteMs: number;
  p95AbsoluteMs: number;
}

/** When the picture of a source time is shown in the output. */
type ShowTime = (sourceSeconds: number) => Finding<{ ptsSeconds: number; frameDistance: number }>;

/**
 * How far the dubbed sound of each segment is from the picture it belongs to, in a recorded output: where the
 * dub really plays (correlation) against where the frame of that source time is really shown (frame strip).
 * No timestamp of the pipeline is believed but those of the file.
 *
 * @throws MediaUnreadable, NoAudioTrack, NoVideoTrack, FrameClockUnreadable
 */
export async function avDeltas(input: AvDeltaInput): Promise<AvDeltas> {
  const videoClock = input.videoClock ?? 'frame-strip';
  const { minScore = 0.5, minLead = 0.1 } = input;
  const [timeline, showTime] = await Promise.all([
    audioTimeline(input.outputFile, input.rateHz),
    videoClock === 'frame-strip' ? stripClock(input) : firstPacketClock(input),
  ]);
  const locate = makeLocator(timeline.samples, input.rateHz);

  const measure = (segment: DubbedSegment): Finding<SegmentDelta> => {
    const needle = trimSilence(segment.dubbedPcm, input.rateHz, input.silenceBelowDbfs);
    if (!needle.observed) return unobserved(`the dubbed audio is no use: ${needle.reason}`);
    const place = locate(needle.samples);
    if (!place.observed) return place;
    const { score, runnerUpScore } = place;
    if (score < minScore) {
      return unobserved(
        `the dubbed audio was not found in the output: best correlation ${score.toFixed(2)}, ` +
          `needed ${minScore}`,
      );
    }
    if (score - runnerUpScore < minLead) {
      return unobserved(
        `the dubbed audio fits two places: correlation ${score.toFixed(2)} and ` +
          `${runnerUpScore.toFixed(2)}, needed ${minLead} apart`,
      );
    }
    const shown = showTime(segment.startSeconds);
    if (!shown.observed) return shown;
    const audioPtsSeconds =
      timeline.firstPtsSeconds + place.offsetSeconds - needle.trimmedStartSeconds;
    return {
      observed: true,
      deltaMs: (audioPtsSeconds - shown.ptsSeconds) * 1000,
      audioPtsSeconds,
      videoPtsSeconds: shown.ptsSeconds,
      score,
      runnerUpScore,
      frameDistance: shown.frameDistance,
    };
  };

  const segments = input.segments.map((segment) => ({
    index: segment.index,
    delta: measure(segment),
  }));
  return { videoClock, segments, summary: summarize(segments) };
}

function summarize(segments: AvDeltas['segments']): Finding<AvDeltaSummary> {
  const measured = segments.flatMap(({ index, delta }) =>
    delta.observed ? [{ index, deltaMs: delta.deltaMs }] : [],
  );
  const worst = [...measured].sort((a, b) => Math.abs(b.deltaMs) - Math.abs(a.deltaMs))[0];
  const absolute = measured.map(({ deltaMs }) => Math.abs(deltaMs));
  const [p50, p95] = [percentile(absolute, 50), percentile(absolute, 95)];
  if (!worst || !p50.observed || !p95.observed) {
    return unobserved(`none of ${segments.length} segments could be measured`);
  }
  return {
    observed: true,
    measuredSegments: measured.length,
    worstMs: worst.deltaMs,
    worstIndex: worst.index,
    p50AbsoluteMs: p50.value,
    p95AbsoluteMs: p95.value,
  };
}

type ReadFrame = NumberedFrame & { frame: number };

async function stripClock(input: AvDeltaInput): Promise<ShowTime> {
  const pictures = await readFrameNumbers(input.outputFile);
  const frames = firstShowings(
    pictures.filter((picture): picture is ReadFrame => picture.frame !== null),
  );
  const { fps, maxFrameDistanceSeconds = 0.5 } = input;
  return (sourceSeconds) => {
    const exact = sourceSeconds * fps;
    if (exact > FRAME_NUMBERS - 1) {
      return unobserved(`frame ${Math.round(exact)} is beyond the ${FRAME_NUMBERS} of a strip`);
    }
    const nearest = nearestFrame(frames, exact);
    if (!nearest) return unobserved('no picture of the output has a readable frame number');
    const distance = Math.abs(exact - nearest.frame);
    if (distance / fps > maxFrameDistanceSeconds) {
      return unobserved(
        `frame ${Math.round(exact)} is not in the output; the nearest readable one is ${nearest.frame}`,
      );
    }
    // The median over the next pictures: a single displaced one says nothing about the segment, be it the
    // first of ffmpeg's fragmented MP4 (21 ms early), the lead-in that a worker sends because media servers
    // drop an RTMP publisher's first 2 s, or the jitter of ms timestamps.
    const shownAt = frames
      .filter(({ frame }) => frame >= nearest.frame && frame - nearest.frame <= CLOCK_SECONDS * fps)
      .map(({ ptsSeconds, frame }) => ptsSeconds + (exact - frame) / fps);
    const median = percentile(shownAt, 50);
    if (!median.observed) return median;
    return { observed: true, ptsSeconds: median.value, frameDistance: Math.round(distance) };
  };
}

/** Pictures this long after the wanted one tell its time as well. */
const CLOCK_SECONDS = 0.4;

/** Each picture once, when it is first shown; a frozen picture or a repeated lead-in adds nothing. */
function firstShowings(frames: readonly ReadFrame[]): readonly ReadFrame[] {
  return frames.filter(({ frame }, i) => frame !== frames[i - 1]?.frame);
}

function nearestFrame(frames: readonly ReadFrame[], exact: number): ReadFrame | undefined {
  let best: ReadFrame | undefined;
  for (const candidate of frames) {
    if (!best || Math.abs(candidate.frame - exact) < Math.abs(best.frame - exact)) best = candidate;
  }
  return best;
}

async function firstPacketClock(input: AvDeltaInput): Promise<ShowTime> {
  const { video } = await packetSpan(input.outputFile);
  return (sourceSeconds) =>
    video.observed
      ? { observed: true, ptsSeconds: video.firstPtsSeconds + sourceSeconds, frameDistance: 0 }
      : video;
}

/** The part of the samples between the first and the last 20 ms window that is not silent. */
function trimSilence(
  samples: Float32Array,
  rateHz: number,
  silenceBelowDbfs?: number,
): Finding<{ samples: Float32Array; trimmedStartSeconds: number }> {
  const window = Math.max(1, Math.round(0.02 * rateHz));
  let first: number | undefined;
  let end = 0;
  for (let at = 0; at < samples.length; at += window) {
    const piece = audioLevels(samples.subarray(at, at + window), rateHz, silenceBelowDbfs);
    if (!piece.observed || piece.nonSilentSeconds === 0) continue;
    first ??= at;
    end = Math.min(samples.length, at + window);
  }
  if (first === undefined) return unobserved(samples.length === 0 ? 'it is empty' : 'it is silent');
  return {
    observed: true,
    samples: samples.subarray(first, end),
    trimmedStartSeconds: first / rateHz,
  };
}
