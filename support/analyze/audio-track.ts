import { MONO, requireAudioTrack, resample, samplesFromF32le } from './audio';
import {
  errorLinesOf,
  lastLines,
  runFfmpeg,
  type Span,
  type ToolOutput,
  unreadable,
} from './ffmpeg';
import { type ChannelWindow, channelWindows } from './channels';
import { type Finding, unobserved } from './finding';

export interface AudioTimeline {
  /** Mono, -1 to 1, without gaps: sample `i` is heard at `firstPtsSeconds + i / rateHz`. */
  samples: Float32Array;
  rateHz: number;
  /** In the file's own timeline. */
  firstPtsSeconds: number;
}

/** Loudness after EBU R 128, https://tech.ebu.ch/docs/r/r128.pdf */
export interface Loudness {
  /** Integrated loudness; -70 LUFS when everything is below the gate. */
  integratedLufs: number;
  rangeLu: number;
  /** The loudest sample, in dB relative to full scale. (Measuring peaks between samples would double the cost of the pass.) */
  samplePeakDbfs: number;
}

/** Everything that one pass of the decoder tells of an audio track. */
export interface AudioTrack extends AudioTimeline {
  /** Silence that was put in where the file's timestamps leave a gap. */
  filledGaps: Span[];
  /** Quieter than -50 dBFS for 0.3 s or more. */
  silences: Span[];
  /** Places where at least 3 samples in a row are at full scale (0.999 or more), and how long they are together. */
  clipping: { places: number; seconds: number };
  loudness: Finding<Loudness>;
  /** The channels of a track that has two or more of them, second by second. */
  channels: ChannelWindow[];
  /** Decoded samples a channel, gaps not counted. */
  decodedSamples: number;
  /** Every error that demuxer and decoder reported, in order. Empty for an intact file. */
  errorLines: string[];
  /** 0 unless ffmpeg gave up. */
  exitCode: number;
}

// Containers with ms timestamps (FLV) let them jitter by 1 ms a frame; that is no gap.
const JITTER_SECONDS = 0.003;

interface AudioFrame {
  ptsSamples: number;
  samples: number;
}

/**
 * The first audio track of a file on the file's own clock. Each decoded frame lies where its PTS says: gaps of more
 * than 3 ms are filled with silence, overlaps of more than 3 ms overwrite. (ffmpeg's own `aresample=async=1` closes
 * gaps of up to 100 ms, which would shift everything after them.)
 *
 * @param rateHz sample rate of the result; the track's own when not given
 * @throws MediaUnreadable, NoAudioTrack
 */
export async function readTimeline(
  file: string,
  rateHz?: number,
): Promise<AudioTimeline & { filledGaps: Span[] }> {
  return timelineOf(file, await decode(file, '[0:a:0]', rateHz), rateHz);
}

/**
 * Decodes the first audio track of a file once, to its end, and measures it.
 *
 * @throws MediaUnreadable, NoAudioTrack
 */
export async function readAudioTrack(file: string): Promise<AudioTrack> {
  const measures = 'silencedetect=n=-50dB:d=0.3,ebur128=peak=sample:framelog=verbose,anullsink';
  // Frames of one second, each with the power of every channel.
  const channels =
    'asetnsamples=n=48000,astats=metadata=1:reset=1:measure_perchannel=RMS_level:measure_overall=none,' +
    'ametadata=print,anullsink';
  const run = await decode(file, `[0:a:0]asplit=3[a][b][c];[b]${measures};[c]${channels};[a]`);
  const timeline = timelineOf(file, run);
  return {
    ...timeline,
    silences: silences(run.stderr),
    clipping: clipping(timeline.samples, timeline.rateHz),
    loudness: loudness(run.stderr),
    channels: channelWindows(run.stderr, timeline),
    decodedSamples: run.stdout.length / 4,
    errorLines: errorLinesOf(run.stderr),
    exitCode: run.exitCode,
  };
}

async function decode(file: string, source: string, rateHz?: number): Promise<ToolOutput> {
  await requireAudioTrack(file);
  const atRate = rateHz === undefined ? '' : `,aresample=${rateHz}`;
  const graph = `${source}${MONO},ashowinfo${atRate}[mono]`;
  return runFfmpeg([
    ...['-v', 'repeat+level+info', '-copyts', '-i', file, '-filter_complex', graph],
    ...['-map', '[mono]', '-f', 'f32le', 'pipe:1'],
  ]);
}

function timelineOf(
  file: string,
  run: ToolOutput,
  wantedHz?: number,
): AudioTimeline & { filledGaps: Span[] } {
  const decoded = samplesFromF32le(run.stdout);
  const { frames, rateHz: sourceHz } = audioFrames(run.stderr);
  const first = frames[0];
  if (!first || sourceHz === undefined) {
    throw unreadable(file, lastLines(run.stderr), 'ffmpeg (audio)');
  }
  // Frames are counted in samples of the track; what was decoded may be at another rate.
  const rateHz = wantedHz ?? sourceHz;
  const at = (sourceSamples: number): number => Math.round((sourceSamples * rateHz) / sourceHz);
  const { runs, length } = continuousRuns(frames, JITTER_SECONDS * sourceHz);
  const samples = new Float32Array(at(length));
  const filledGaps: Span[] = [];
  let filledTo = 0;
  for (const run of runs) {
    if (run.at > filledTo) {
      filledGaps.push({
        fromSeconds: (first.ptsSamples + filledTo) / sourceHz,
        seconds: (run.at - filledTo) / sourceHz,
      });
    }
    const piece = decoded.subarray(at(run.from), at(run.from + run.count));
    samples.set(piece.subarray(0, samples.length - at(run.at)), at(run.at));
    filledTo = Math.max(filledTo, run.at + run.count);
  }
  return { samples, rateHz, firstPtsSeconds: first.ptsSamples / sourceHz, filledGaps };
}

/** The same audio at another sample rate. */
export async function audioAt(audio: AudioTimeline, rateHz: number): Promise<AudioTimeline> {
  const samples = await resample(audio.samples, audio.rateHz, rateHz);
  return { samples, rateHz, firstPtsSeconds: audio.firstPtsSeconds };
}

/** The frames in ashowinfo's lines; their timestamps count samples. */
function audioFrames(log: string): { frames: AudioFrame[]; rateHz: number | undefined } {
  const lines = [
    ...log.matchAll(
      /ashowinfo[^\]]*\] \[info\] n:\d+ pts:(-?\d+) .*? rate:(\d+) nb_samples:(\d+)/g,
    ),
  ];
  return {
    frames: lines.map(([, pts, , samples]) => ({
      ptsSamples: Number(pts),
      samples: Number(samples),
    })),
    rateHz: lines[0]?.[2] === undefined ? undefined : Number(lines[0][2]),
  };
}

/** Frames that follow each other without a gap; `from`: index in the decoded samples, `at`: on the timeline. */
function continuousRuns(
  frames: readonly AudioFrame[],
  toleranceSamples: number,
): { runs: { from: number; count: number; at: number }[]; length: number } {
  const origin = frames[0]?.ptsSamples ?? 0;
  const runs: { from: number; count: number; at: number }[] = [];
  let from = 0;
  let length = 0;
  for (const frame of frames) {
    const at = frame.ptsSamples - origin;
    const current = runs.at(-1);
    const follows =
      current !== undefined && Math.abs(at - (current.at + current.count)) <= toleranceSamples;
    if (follows) current.count += frame.samples;
    else runs.push({ from, count: frame.samples, at: Math.max(0, at) });
    const end = runs.at(-1);
    if (end) length = Math.max(length, end.at + end.count);
    from += frame.samples;
  }
  return { runs, length };
}

/** silencedetect ends the last silence itself when the track ends. */
function silences(log: string): Span[] {
  const starts = [...log.matchAll(/silence_start: (\S+)/g)];
  const lengths = [...log.matchAll(/silence_duration: (\S+)/g)];
  return starts.map(([, from], i) => ({
    fromSeconds: Number(from),
    seconds: Number(lengths[i]?.[1]),
  }));
}

const FULL_SCALE = 0.999;
const CLIPPED_SAMPLES = 3;

function clipping(samples: Float32Array, rateHz: number): AudioTrack['clipping'] {
  let [places, clipped, inARow] = [0, 0, 0];
  for (const sample of samples) {
    inARow = Math.abs(sample) >= FULL_SCALE ? inARow + 1 : 0;
    if (inARow === CLIPPED_SAMPLES) places += 1;
    if (inARow >= CLIPPED_SAMPLES) clipped += inARow === CLIPPED_SAMPLES ? CLIPPED_SAMPLES : 1;
  }
  return { places, seconds: clipped / rateHz };
}

function loudness(log: string): Finding<Loudness> {
  const summary = log.slice(log.lastIndexOf('Summary:'));
  const [i, range, peak] = [/I: +(\S+) LUFS/, /LRA: +(\S+) LU/, /Peak: +(\S+) dBFS/].map(
    (pattern) => pattern.exec(summary)?.[1],
  );
  if (i === undefined || range === undefined || peak === undefined) {
    return unobserved(`ffmpeg's ebur128 gave no summary: ${lastLines(log)}`);
  }
  // It writes "-inf" for digital silence.
  const samplePeakDbfs = peak === '-inf' ? -Infinity : Number(peak);
  return { observed: true, integratedLufs: Number(i), rangeLu: Number(range), samplePeakDbfs };
}
