import { MONO, requireAudioTrack, resample } from './audio';
import { errorLinesOf, lastLines, runFfprobe, type Span, streamFfmpeg, unreadable } from './ffmpeg';
import { type ChannelWindow, channelWindows } from './channels';
import { type Finding, unobserved } from './finding';
import { sampleSink } from './sample-sink';

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
  /**
   * Places where at least 3 samples in a row are at full scale (0.999 or more), and how long they are together; unobserved of a
   * long track, whose samples at its own rate are not held.
   */
  clipping: Finding<{ places: number; seconds: number }>;
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

/** Of tracks longer than this the samples are held at a lower rate: an hour takes 115 MB, and at 48 kHz it would take 690 MB. */
const LONG_SECONDS = 600;
const LONG_RATE_HZ = 8000;
const COMMON_RATE_HZ = 48000;

interface Decoded {
  samples: Float32Array;
  stderr: string;
  exitCode: number;
}

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
  await requireAudioTrack(file);
  const run = await decode(file, '[0:a:0]', await lengthOf(file), rateHz);
  return timelineOf(file, run, rateHz);
}

/**
 * Decodes the first audio track of a file once, to its end, and measures it. The samples of a track of more than ten minutes
 * are at 8 kHz.
 *
 * @throws MediaUnreadable, NoAudioTrack
 */
export async function readAudioTrack(file: string): Promise<AudioTrack> {
  const measures = 'silencedetect=n=-50dB:d=0.3,ebur128=peak=sample:framelog=verbose,anullsink';
  // Frames of one second, each with the power of every channel.
  const channels =
    'asetnsamples=n=48000,astats=metadata=1:reset=1:measure_perchannel=RMS_level:measure_overall=none,' +
    'ametadata=print,anullsink';
  const graph = `[0:a:0]asplit=3[a][b][c];[b]${measures};[c]${channels};[a]`;
  await requireAudioTrack(file);
  const seconds = await lengthOf(file);
  const isLong = seconds > LONG_SECONDS;
  const rateHz = isLong ? LONG_RATE_HZ : undefined;
  const run = await decode(file, graph, seconds, rateHz);
  const timeline = timelineOf(file, run, rateHz);
  return {
    ...timeline,
    silences: silences(run.stderr),
    clipping: isLong
      ? unobserved('it is not counted in more than ten minutes')
      : { observed: true, ...clipping(timeline.samples, timeline.rateHz) },
    loudness: loudness(run.stderr),
    channels: channelWindows(run.stderr, timeline),
    decodedSamples: run.samples.length,
    errorLines: errorLinesOf(run.stderr),
    exitCode: run.exitCode,
  };
}

/** In seconds, as the file says it; 0 where it does not. */
async function lengthOf(file: string): Promise<number> {
  const said = await runFfprobe(file, ['-show_entries', 'format=duration'], 'compact');
  return Number(/duration=([\d.]+)/.exec(said)?.[1] ?? 0);
}

async function decode(
  file: string,
  source: string,
  seconds: number,
  rateHz?: number,
): Promise<Decoded> {
  const atRate = rateHz === undefined ? '' : `,aresample=${rateHz}`;
  const graph = `${source}${MONO},ashowinfo${atRate}[mono]`;
  const sink = sampleSink((rateHz ?? COMMON_RATE_HZ) * seconds);
  const run = await streamFfmpeg(
    [
      ...['-v', 'repeat+level+info', '-copyts', '-i', file, '-filter_complex', graph],
      ...['-map', '[mono]', '-f', 'f32le', 'pipe:1'],
    ],
    sink.take,
  );
  return { ...run, samples: sink.samples() };
}

function timelineOf(
  file: string,
  { samples: decoded, stderr }: Decoded,
  wantedHz?: number,
): AudioTimeline & { filledGaps: Span[] } {
  const { frames, rateHz: sourceHz } = audioFrames(stderr);
  const first = frames[0];
  if (!first || sourceHz === undefined) {
    throw unreadable(file, lastLines(stderr), 'ffmpeg (audio)');
  }
  // Frames are counted in samples of the track; what was decoded may be at another rate.
  const rateHz = wantedHz ?? sourceHz;
  const at = (sourceSamples: number): number => Math.round((sourceSamples * rateHz) / sourceHz);
  const { runs, length } = continuousRuns(frames, JITTER_SECONDS * sourceHz);
  const firstPtsSeconds = first.ptsSamples / sourceHz;
  const [whole] = runs;
  if (runs.length === 1 && whole?.at === 0 && decoded.length >= at(length)) {
    return { samples: decoded.subarray(0, at(length)), rateHz, firstPtsSeconds, filledGaps: [] };
  }
  const samples = new Float32Array(new SharedArrayBuffer(4 * at(length)));
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
  return { samples, rateHz, firstPtsSeconds, filledGaps };
}

/** The same audio at another sample rate. */
export async function audioAt(audio: AudioTimeline, rateHz: number): Promise<AudioTimeline> {
  const samples = await resample(audio.samples, audio.rateHz, rateHz);
  return { samples, rateHz, firstPtsSeconds: audio.firstPtsSeconds };
}

/** A part of it, as far as there is one; the samples are not copied. */
export function stretchOf(
  { samples, rateHz, firstPtsSeconds }: AudioTimeline,
  fromSeconds: number,
  toSeconds: number,
): AudioTimeline {
  const [from = 0, to = 0] = [fromSeconds, toSeconds].map((at) =>
    Math.max(0, Math.round((at - firstPtsSeconds) * rateHz)),
  );
  const first = Math.min(from, samples.length);
  return {
    samples: samples.subarray(first, to),
    rateHz,
    firstPtsSeconds: firstPtsSeconds + first / rateHz,
  };
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

function clipping(samples: Float32Array, rateHz: number): { places: number; seconds: number } {
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
