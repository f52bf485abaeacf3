import { cached } from './answer-cache';
import { monoOf, requireAudioTrack } from './audio';
import { errorLinesOf, lastLines, type Span, streamFfmpeg, unreadable } from './ffmpeg';
import { channelNames, type ChannelWindow, channelWindows } from './channels';
import { type Finding, unobserved } from './finding';
import { type AudioStream, isLong, secondsOf } from './media';
import { fileSink, type SampleSink, sampleSink } from './sample-sink';
import {
  partOf,
  putSamples,
  type Samples,
  samplesIn,
  SEARCH_RATE_HZ,
  silenceLike,
  SPEECH_RATE_HZ,
} from './samples';

/** In memory; `AudioTimeline<Samples>` may be that of a long recording, whose samples are in a file. */
export interface AudioTimeline<Held extends Samples = Float32Array> {
  /** Mono, -1 to 1, without gaps: sample `i` is heard at `firstPtsSeconds + i / rateHz`. */
  samples: Held;
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
export interface AudioTrack extends AudioTimeline<Samples> {
  /** The same audio at the rate at which it is listened to, and compared with dubs. */
  listened: AudioTimeline<Samples>;
  /** The same at the rate at which dubs are searched. */
  searched: AudioTimeline<Samples>;
  /** Silence that was put in where the file's timestamps leave a gap. */
  filledGaps: Span[];
  /** Quieter than -50 dBFS for 0.3 s or more. */
  silences: Span[];
  /**
   * Places where at least 3 samples in a row are at full scale (0.999 or more), and how long they are together; unobserved of a
   * long track, whose samples at its own rate are not kept.
   */
  clipping: Finding<{ places: number; seconds: number }>;
  loudness: Finding<Loudness>;
  /** The channels of a track that has two or more of them, second by second. */
  channels: ChannelWindow[];
  /** Of each, what it is for; undefined where the file does not tell. */
  channelNames: readonly string[] | undefined;
  /** Decoded samples a channel, gaps not counted. */
  decodedSamples: number;
  /** Every error that demuxer and decoder reported, in order. Empty for an intact file. */
  errorLines: string[];
  /** 0 unless ffmpeg gave up. */
  exitCode: number;
}

// Containers with ms timestamps (FLV) let them jitter by 1 ms a frame; that is no gap.
const JITTER_SECONDS = 0.003;

const COMMON_RATE_HZ = 48000;

/** What samples are written to, at each of so many rates; 2 is the log. */
const PIPES = ['pipe:1', 'pipe:3', 'pipe:4'];

interface Decoded {
  /** The track's own where undefined. */
  ratesHz: readonly (number | undefined)[];
  /** At each of them. */
  samples: Samples[];
  frames: Pick<FrameRuns, 'runs' | 'length' | 'originSamples' | 'rateHz'>;
  /** Without the lines of single frames. */
  stderr: string;
  exitCode: number;
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
  const track = await requireAudioTrack(file);
  const timeline = timelineOf(file, await decode(file, track, '[0:a:0]', false, [rateHz]), rateHz);
  return { ...timeline, samples: samplesIn(timeline.samples) };
}

/**
 * As {@link readTimeline}, of a file that others are compared with, of which a part is not enough; the samples of a long track are in a
 * file.
 *
 * @throws MediaUnreadable also where ffmpeg gave up, NoAudioTrack
 */
export async function holdTimeline(file: string, rateHz: number): Promise<AudioTimeline<Samples>> {
  const track = await requireAudioTrack(file);
  const decoded = await decode(file, track, '[0:a:0]', await isLong(file), [rateHz]);
  if (decoded.exitCode !== 0) throw unreadable(file, lastLines(decoded.stderr), 'ffmpeg (audio)');
  return timelineOf(file, decoded, rateHz);
}

/**
 * Decodes the first audio track of a file once, to its end, and measures it. The samples of a long track are in a file, at 16 kHz.
 *
 * @throws MediaUnreadable, NoAudioTrack
 */
export async function readAudioTrack(file: string): Promise<AudioTrack> {
  const measures = 'silencedetect=n=-50dB:d=0.3,ebur128=peak=sample:framelog=verbose,anullsink';
  // Frames of one second, each with the power of every channel.
  const channels =
    'asetnsamples=n=48000,astats=metadata=1:reset=1:measure_perchannel=RMS_level:measure_overall=none,' +
    'ametadata=print[levels]';
  const graph = `[0:a:0]asplit=3[a][b][c];[b]${measures};[c]${channels};[a]`;
  const track = await requireAudioTrack(file);
  const isStored = await isLong(file);
  // An hour takes 230 MB, and at 48 kHz it would take 690 MB.
  const rateHz = isStored ? SPEECH_RATE_HZ : undefined;
  const ratesHz = [...new Set([rateHz, SPEECH_RATE_HZ, SEARCH_RATE_HZ])];
  // ffmpeg 7.1 aborts where frames of another length end in the graph itself.
  const levels = ['-map', '[levels]', '-f', 'null', '-'];
  const run = await decode(file, track, graph, isStored, ratesHz, levels);
  const timeline = timelineOf(file, run, rateHz);
  return {
    ...timeline,
    listened: rateHz === SPEECH_RATE_HZ ? timeline : timelineOf(file, run, SPEECH_RATE_HZ),
    searched: timelineOf(file, run, SEARCH_RATE_HZ),
    silences: silences(run.stderr),
    clipping: isStored
      ? unobserved('it is not counted in more than ten minutes')
      : { observed: true, ...clipping(samplesIn(timeline.samples), timeline.rateHz) },
    loudness: loudness(run.stderr),
    channels: channelWindows(run.stderr, timeline),
    channelNames: channelNames(track),
    decodedSamples: run.samples[0]?.length ?? 0,
    errorLines: errorLinesOf(run.stderr),
    exitCode: run.exitCode,
  };
}

async function decode(
  file: string,
  { channels }: AudioStream,
  source: string,
  isStored: boolean,
  ratesHz: Decoded['ratesHz'],
  otherOutputs: readonly string[] = [],
): Promise<Decoded> {
  const each = (what: (hz: number | undefined, k: number) => string): string =>
    ratesHz.map(what).join('');
  const graph =
    `${source}${monoOf(channels)},ashowinfo,asplit=${ratesHz.length}${each((_, k) => `[s${k}]`)}` +
    each((hz, k) => `;[s${k}]${hz === undefined ? 'anull' : `aresample=${hz}`}[mono${k}]`);
  const args = [
    ...['-v', 'repeat+level+info', '-copyts', '-i', file, '-filter_complex', graph],
    ...ratesHz.flatMap((_, k) => ['-map', `[mono${k}]`, '-f', 'f32le', PIPES[k] ?? '']),
    ...otherOutputs,
  ];
  if (isStored) return decodeInto(ratesHz.map(fileSink), args, ratesHz);
  const seconds = await secondsOf(file);
  const sinks = (): SampleSink[] => ratesHz.map((hz = COMMON_RATE_HZ) => sampleSink(hz * seconds));
  return cached(['ffmpeg', 'audio', args], () => decodeInto(sinks(), args, ratesHz));
}

async function decodeInto(
  sinks: readonly SampleSink[],
  args: readonly string[],
  ratesHz: Decoded['ratesHz'],
): Promise<Decoded> {
  const frames = new FrameRuns();
  const takes = sinks.map(({ take }) => take);
  const run = await streamFfmpeg(args, takes, (line) => frames.take(line));
  const { runs, length, originSamples, rateHz } = frames;
  const samples = sinks.map((sink) => sink.samples());
  return { ...run, ratesHz, frames: { runs, length, originSamples, rateHz }, samples };
}

function timelineOf(
  file: string,
  { ratesHz, samples: all, frames, stderr }: Decoded,
  wantedHz: number | undefined,
): AudioTimeline<Samples> & { filledGaps: Span[] } {
  const { runs, length, originSamples, rateHz: sourceHz } = frames;
  const decoded = all[ratesHz.indexOf(wantedHz)];
  if (originSamples === undefined || sourceHz === undefined || !decoded) {
    throw unreadable(file, lastLines(stderr), 'ffmpeg (audio)');
  }
  // Frames are counted in samples of the track; what was decoded may be at another rate.
  const rateHz = wantedHz ?? sourceHz;
  const at = (sourceSamples: number): number => Math.round((sourceSamples * rateHz) / sourceHz);
  const firstPtsSeconds = originSamples / sourceHz;
  const [whole] = runs;
  if (runs.length === 1 && whole?.at === 0 && decoded.length >= at(length)) {
    return { samples: partOf(decoded, 0, at(length)), rateHz, firstPtsSeconds, filledGaps: [] };
  }
  const samples = silenceLike(decoded, at(length));
  const filledGaps: Span[] = [];
  let filledTo = 0;
  for (const run of runs) {
    if (run.at > filledTo) {
      filledGaps.push({
        fromSeconds: (originSamples + filledTo) / sourceHz,
        seconds: (run.at - filledTo) / sourceHz,
      });
    }
    putSamples(samples, at(run.at), partOf(decoded, at(run.from), at(run.from + run.count)));
    filledTo = Math.max(filledTo, run.at + run.count);
  }
  return { samples, rateHz, firstPtsSeconds, filledGaps };
}

/** A part of it in memory, as far as there is one; samples that are there already are not copied. */
export function stretchOf(
  { samples, rateHz, firstPtsSeconds }: AudioTimeline<Samples>,
  fromSeconds: number,
  toSeconds: number,
): AudioTimeline {
  const [from = 0, to = 0] = [fromSeconds, toSeconds].map((at) =>
    Math.max(0, Math.round((at - firstPtsSeconds) * rateHz)),
  );
  const first = Math.min(from, samples.length);
  return {
    samples: samplesIn(samples, first, to),
    rateHz,
    firstPtsSeconds: firstPtsSeconds + first / rateHz,
  };
}

/** A frame in ashowinfo's line of it; its timestamp counts samples. */
const FRAME = /ashowinfo[^\]]*\] \[info\] n:\d+ pts:(-?\d+) .*? rate:(\d+) nb_samples:(\d+)/g;

/** Frames that follow each other without a gap, as ashowinfo tells of them, line by line: an hour has 170 000. */
class FrameRuns {
  /** `from`: index in the decoded samples, `at`: on the timeline, from the first frame on. */
  readonly runs: { from: number; count: number; at: number }[] = [];
  /** Of the timeline, in samples. */
  length = 0;
  /** The timestamp of the first frame. */
  originSamples: number | undefined;
  /** Of the track. */
  rateHz: number | undefined;
  #decoded = 0;

  /** @returns whether nothing else is in the line */
  take(line: string): boolean {
    if (!line.includes('ashowinfo')) return false;
    // More than one may be in a line, and other messages: ffmpeg writes them into the same stream.
    for (const [, pts, rate, samples] of line.matchAll(FRAME)) {
      this.rateHz ??= Number(rate);
      this.#add(Number(pts), Number(samples), JITTER_SECONDS * this.rateHz);
    }
    return !/\[(error|fatal|panic)\]|silence_|lavfi|frame:|LU|dBFS/.test(line);
  }

  #add(ptsSamples: number, samples: number, toleranceSamples: number): void {
    this.originSamples ??= ptsSamples;
    const at = ptsSamples - this.originSamples;
    const current = this.runs.at(-1);
    const follows =
      current !== undefined && Math.abs(at - (current.at + current.count)) <= toleranceSamples;
    if (follows) current.count += samples;
    else this.runs.push({ from: this.#decoded, count: samples, at: Math.max(0, at) });
    const end = this.runs.at(-1);
    if (end) this.length = Math.max(this.length, end.at + end.count);
    this.#decoded += samples;
  }
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
  for (let i = 0; i < samples.length; i += 1) {
    inARow = Math.abs(samples[i] ?? 0) >= FULL_SCALE ? inARow + 1 : 0;
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
