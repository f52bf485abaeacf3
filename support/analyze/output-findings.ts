import type { Fixture } from '../broadcast/fixture';
import {
  bytesOf,
  partOf,
  type Samples,
  samplesIn,
  SEARCH_RATE_HZ,
  SPEECH_RATE_HZ,
  stored,
} from './samples';
import { inWorkerThread } from './worker-thread';
import { eachAudioFile, readAudioFiles, readAudioFilesAt, sinkOfFiles } from './audio';
import { audioLevels, voiceActivity } from './audio-levels';
import type { HeardDub } from './dub-alignment';
import type { DubConditionAt } from './dub-damage';
import { type DubLoudness, dubLoudness } from './dub-loudness';
import {
  type DubbedFragment,
  type FragmentPlacement,
  likelyPlaces,
  type LocatedDub,
  shownDubs,
  type Sync,
  syncOf,
} from './dub-placement';
import { type Finding, unobserved } from './finding';
import {
  bitErrorRate,
  fingerprintFile,
  type FingerprintMatch,
  type FingerprintWindow,
  fingerprintWindows,
} from './fingerprint';
import { countedOn, type FrameClock, frameClock, presentationsOf } from './frame-clock';
import { orNothing } from './kept-file';
import { type LineHeard, linesHeard, listenInEnglish } from './listening';
import { formatOf, type MediaStream, type PacketSpan, packetSpan, probeStreams } from './media';
import { dubsHeardIn, type SegmentHeard, segmentsHeardIn } from './segments-heard';
import type { MatchedFrames } from './matched-clock';
import type { Programme } from './programme';
import { ofSource } from './source-cache';
import { atConstantRate, readSource, repeatsAtConstantRate } from './source-frames';
import { storedThumbnails, type Thumbnails } from './thumbnails';
import { type VideoTrack, readVideo } from './video';
import { bordersOf, type VideoFormat } from './video-format';
import { FindingCache } from './cache';
import { type LateChannel, lateChannel } from './channels';
import type { MisplayedDub } from './misplayed';
import { type OutputEnd, outputEnd, type OutputStart, outputStart } from './output-start';
import type { Advance } from './pilot';
import type { Splice } from './splices';
import type { ToneHeard } from './tones';
import {
  type AudioTimeline,
  holdTimeline,
  readAudioTrack,
  type AudioTrack,
  stretchOf,
} from './audio-track';

/** So many dubs are compared with what is heard at a time; where audio is in a file, and read without being resampled, fewer. */
const DUBS_AT_ONCE = 20;
const STORED_DUBS_AT_ONCE = 10;

/** Findings with thumbnails or audio in them. */
const FRAMES = 'frames';
const AUDIO = 'audio';
const FEW_FRAGMENTS = 'few fragments';

/** The audio of fragments by file, at two rates. */
interface FewFragments {
  searched: Map<string, Samples>;
  compared: Map<string, Samples>;
}

/** The files of one fragment: its dub, and its audio before dubbing where that is known. */
export interface DubFiles {
  sequence: number;
  dubbed: string | undefined;
  original: string | undefined;
}

/** How much speech there is during a fragment's frames, before and after dubbing, in seconds. */
export interface Isochrony {
  sequence: number;
  originalSpeechSeconds: number;
  dubbedSpeechSeconds: number;
}

/** Where a dub is heard, and where what comes after it begins. */
type HeardFrom = Pick<HeardDub, 'sequence' | 'ptsSeconds' | 'speed'> & { untilSeconds: number };

function withEnds(heard: readonly Omit<HeardFrom, 'untilSeconds'>[]): HeardFrom[] {
  const places = heard.map(({ ptsSeconds }) => ptsSeconds);
  return heard.map(({ sequence, ptsSeconds, speed }) => ({
    ...{ sequence, ptsSeconds, speed },
    untilSeconds: Math.min(...places.filter((at) => at > ptsSeconds)),
  }));
}

function keyOf({ sequence, ptsSeconds, speed, untilSeconds }: HeardFrom): string {
  return [sequence, ptsSeconds, speed, untilSeconds].join();
}

/**
 * A recorded output measured against its source and the dubs of the STS. Each finding is measured when it is first asked
 * for; none is judged here.
 */
export class OutputFindings {
  readonly #cache = new FindingCache();

  readonly #dubs: readonly DubFiles[] | (() => readonly DubFiles[]);

  /**
   * @param dubs by sequence number; what cannot be measured without them is unobserved. A function gives them when they are
   *   needed: what needs none is measured although it throws
   */
  constructor(
    readonly file: string,
    readonly fixture: Fixture | undefined,
    dubs: readonly DubFiles[] | (() => readonly DubFiles[]),
  ) {
    this.#dubs = dubs;
  }

  get dubs(): readonly DubFiles[] {
    return typeof this.#dubs === 'function' ? this.#dubs() : this.#dubs;
  }

  /**
   * Has audio and thumbnails lie in scratch files until they are looked at again: a run looks at many recordings, one after the
   * other, and in memory a minute of each takes 20 MB. Where there is no room for them, they stay in memory.
   */
  async rest(): Promise<void> {
    const video = await this.#cache.measured<VideoTrack>(FRAMES);
    const audio = await this.#cache.measured<AudioTrack>(AUDIO);
    const few = await this.#cache.measured<FewFragments | undefined>(FEW_FRAGMENTS);
    const timelines = audio ? [audio, audio.listened] : [];
    orNothing(() => {
      if (video) video.thumbnails = storedThumbnails(video.thumbnails);
      stored(timelines.map(({ samples }) => samples)).forEach((samples, i) => {
        if (timelines[i]) timelines[i].samples = samples;
      });
      for (const samples of few ? [few.searched, few.compared] : []) {
        const files = [...samples.keys()];
        stored([...samples.values()]).forEach((one, i) => samples.set(files[i] ?? '', one));
      }
    });
  }

  streams(): Promise<MediaStream[]> {
    return this.#cache.once('streams', () => probeStreams(this.file));
  }

  span(): Promise<PacketSpan> {
    return this.#cache.once('span', () => packetSpan(this.file));
  }

  video(): Promise<VideoTrack> {
    return this.#cache.once(FRAMES, () => readVideo(this.file));
  }

  audio(): Promise<AudioTrack> {
    return this.#cache.once(AUDIO, () => readAudioTrack(this.file));
  }

  /** Whether one of its two channels is a delayed copy of the other. */
  lateChannel(): Promise<Finding<LateChannel>> {
    return this.#cache.once('late channel', async () => {
      const hasAudio = (await this.streams()).some(({ kind }) => kind === 'audio');
      if (!hasAudio) return unobserved('there is no audio');
      return lateChannel(this.file, (await this.audio()).channels);
    });
  }

  /** The output's audio at the rate at which dubs are searched. */
  async #searched(): Promise<AudioTimeline<Samples>> {
    return (await this.audio()).searched;
  }

  /** The source's audio at the same rate. */
  #source(fixture: Fixture): Promise<AudioTimeline<Samples>> {
    return this.#cache.once('source', () =>
      ofSource(fixture.path, 'searched audio', (file) => holdTimeline(file, SEARCH_RATE_HZ)),
    );
  }

  /** The audio of each fragment, before (where it is known) and after, at the same rate; by file. That of many is in a file. */
  #fragments(): Promise<Map<string, Samples>> {
    return this.#cache.once('fragments', async () => {
      const few = await this.#fewFragments();
      if (few) return few.searched;
      const files = this.#fragmentFiles();
      const sink = sinkOfFiles(this.dubs.length);
      const ends: number[] = [];
      for await (const samples of eachAudioFile(files, SEARCH_RATE_HZ)) {
        sink.take(bytesOf(samples));
        ends.push((ends.at(-1) ?? 0) + samples.length);
      }
      const all = sink.samples();
      return new Map(files.map((file, i) => [file, partOf(all, ends[i - 1] ?? 0, ends[i] ?? 0)]));
    });
  }

  #fragmentFiles(): string[] {
    return this.dubs.flatMap(({ dubbed, original }) => [dubbed ?? [], original ?? []].flat());
  }

  /** The audio of fragments that are few, decoded once; dubs also at the rate at which they are compared. */
  #fewFragments(): Promise<FewFragments | undefined> {
    return this.#cache.once(FEW_FRAGMENTS, async () => {
      if (this.dubs.length > DUBS_AT_ONCE) return undefined;
      const files = this.#fragmentFiles();
      const dubs = new Set(this.dubs.map(({ dubbed }) => dubbed));
      const wanted = files.map((file) => ({
        ...{ file, ratesHz: dubs.has(file) ? [SEARCH_RATE_HZ, SPEECH_RATE_HZ] : [SEARCH_RATE_HZ] },
      }));
      const audio = await readAudioFilesAt(wanted);
      const none = new Float32Array();
      const at = (rate: number): Map<string, Samples> =>
        new Map(files.map((file, i) => [file, audio[i]?.[rate] ?? none]));
      return { searched: at(0), compared: at(1) };
    });
  }

  /** What can be seen in each frame of the source. */
  #sourceFrames(fixture: Fixture): Promise<Thumbnails> {
    return this.#cache.once('source frames', async () => {
      const source = await readSource(fixture.path);
      const { framesPerSecond, frameStrip } = fixture.video;
      return frameStrip ? source.thumbnails : atConstantRate(source, framesPerSecond);
    });
  }

  /** Which frame of the source each frame shows, by what is seen in it. Unobserved where the source is not shown. */
  matched(): Promise<Finding<MatchedFrames>> {
    return this.#cache.once('matched frames', async () => {
      const { fixture } = this;
      if (!fixture) return unobserved('the source of this output is unknown');
      const [video, source] = await Promise.all([this.video(), this.#sourceFrames(fixture)]);
      const times = video.frames.map(({ ptsSeconds }) => ptsSeconds);
      const { framesPerSecond } = fixture.video;
      return inWorkerThread('matchFrames', video.thumbnails, times, source, framesPerSecond);
    });
  }

  /** When source time is shown. Unobserved without a source, or where its frames cannot be told. */
  clock(): Promise<Finding<FrameClock>> {
    return this.#cache.once('clock', async () => {
      const { fixture } = this;
      if (!fixture) return unobserved('the source of this output is unknown');
      const { framesPerSecond: fps, frameStrip } = fixture.video;
      const lastFrame = Math.round(fixture.durationSeconds * fps) - 1;
      const { frames } = await this.video();
      if (frameStrip) return { observed: true, ...frameClock(frames, fps, lastFrame) };
      const matched = await this.matched();
      if (!matched.observed) return matched;
      if (matched.isStatic) {
        return unobserved('nothing moves in the source, so that its frames cannot be told apart');
      }
      const numbered = frames.map(({ ptsSeconds }, i) => ({
        ptsSeconds,
        frame: matched.frames[i] ?? null,
      }));
      const told = { kind: 'matched', untold: matched.untold } as const;
      const repeats = repeatsAtConstantRate(await readSource(fixture.path), fps);
      return { observed: true, ...frameClock(numbered, fps, lastFrame, told, repeats) };
    });
  }

  /** How each frame differs from its own of the source. */
  programme(): Promise<Finding<Programme>> {
    return this.#cache.once('programme', async () => {
      const { fixture } = this;
      if (!fixture) return unobserved('the source of this output is unknown');
      const matched = fixture.video.frameStrip ? undefined : await this.matched();
      if (matched?.observed === false) return matched;
      const [video, source] = await Promise.all([this.video(), this.#sourceFrames(fixture)]);
      const { framesPerSecond: fps } = fixture.video;
      const lastFrame = Math.round(fixture.durationSeconds * fps) - 1;
      const numbers =
        matched?.frames ?? countedOn(video.frames, fps, lastFrame).map(({ frame }) => frame);
      if (numbers.every((frame) => frame === null)) {
        return unobserved('no frame of the output has a readable frame number');
      }
      const times = video.frames.map(({ ptsSeconds }) => ptsSeconds);
      const { thumbnails, formats } = video;
      const { width, height } = fixture.video;
      const isScaled = formats.some((one) => one.width !== width || one.height !== height);
      const about = { isNumbered: matched === undefined, isScaled };
      const compared = [thumbnails, numbers, times, source, about] as const;
      const found = await inWorkerThread('compareProgramme', ...compared);
      return { observed: true, ...found };
    });
  }

  /**
   * When each fragment begins in the source, in seconds, by sequence number: found by its audio. A worker that joined
   * late counts its timestamps from there, so they are not used. Where the audio of no fragment is known, each is
   * taken to begin at its segment boundary.
   */
  sourceStarts(): Promise<Map<number, number>> {
    return this.#cache.once('source starts', async () => {
      const { fixture, dubs } = this;
      const starts = new Map<number, number>();
      if (!fixture) return starts;
      const known = dubs.flatMap(({ sequence, original }) =>
        original === undefined ? [] : [{ sequence, original }],
      );
      if (known.length === 0) {
        for (const { sequence } of dubs) starts.set(sequence, sequence * fixture.segmentSeconds);
        return starts;
      }
      const [samples, source] = await Promise.all([this.#fragments(), this.#source(fixture)]);
      const audio = known.map(({ original }) => samples.get(original) ?? new Float32Array());
      const expected = known.map(({ sequence }) => sequence * fixture.segmentSeconds);
      const found = await inWorkerThread('startsIn', source, audio, expected);
      known.forEach(({ sequence }, i) => {
        const start = found[i];
        if (start?.observed) starts.set(sequence, start.seconds);
      });
      return starts;
    });
  }

  /** Where the audio of a file begins in the source. */
  sourceStart(file: string): Promise<Finding<{ seconds: number }>> {
    return this.#cache.once(`source start of ${file}`, async () => {
      if (!this.fixture) return unobserved('the source of this output is unknown');
      const [audio, source] = await Promise.all([
        readAudioFiles([file], SEARCH_RATE_HZ),
        this.#source(this.fixture),
      ]);
      const [start] = await inWorkerThread('startsIn', source, audio);
      return start ?? unobserved('there is no such audio');
    });
  }

  /** Where each fragment's dub is heard. A fragment without a dub, or that is not in the source, has no placement. */
  placements(): Promise<FragmentPlacement[]> {
    return this.#cache.once('placements', async () => {
      if (this.dubs.length === 0) return [];
      // Before the frames are known: decoding the video takes longer than this.
      const [audio, located] = await Promise.all([this.#searched(), this.#located()]);
      const clock = await this.clock();
      if (!clock.observed) return [];
      // Not the clock itself: it has an object for each frame.
      return inWorkerThread('placeDubs', audio, shownDubs(clock, located, audio.rateHz));
    });
  }

  /** Where each fragment's dub is found in the audio of the output. */
  #located(): Promise<LocatedDub[]> {
    return this.#cache.once('located', async () => {
      const [starts, audio, samples] = await Promise.all([
        this.sourceStarts(),
        this.#searched(),
        this.#fragments(),
      ]);
      const fragments = this.dubs.flatMap((files): DubbedFragment[] => {
        const [startSeconds, dubbed] = [
          starts.get(files.sequence),
          samples.get(files.dubbed ?? ''),
        ];
        const original = samples.get(files.original ?? '');
        if (startSeconds === undefined || !dubbed) return [];
        const { sequence } = files;
        return [{ sequence, startSeconds, dubbed, ...(original ? { original } : {}) }];
      });
      return inWorkerThread('locateDubs', audio, fragments);
    });
  }

  /**
   * In what condition each dub is heard at its video, compared with what the STS returned; of those that are heard there, at the
   * tempo of the STS.
   */
  dubConditions(): Promise<DubConditionAt[]> {
    return this.#cache.once('dub conditions', async () => {
      // The placements at the same time: they wait for the video.
      const [known, placements, audio] = await Promise.all([
        this.#earlyConditions(),
        this.placements(),
        this.#listened(),
      ]);
      const heard = placements.flatMap(({ sequence, avOffset }) =>
        // Of another tempo its samples are others.
        avOffset.observed && !avOffset.hasOtherTempo ? [{ sequence, ...avOffset }] : [],
      );
      const dubs = withEnds(heard);
      const unknown = dubs.filter((dub) => !known.has(keyOf(dub)));
      const atOnce = audio.samples instanceof Float32Array ? DUBS_AT_ONCE : STORED_DUBS_AT_ONCE;
      for (let i = 0; i < unknown.length; i += atOnce) {
        const some = await this.#compare(unknown.slice(i, i + atOnce));
        for (const [key, condition] of some) known.set(key, condition);
      }
      return dubs.flatMap((dub) => known.get(keyOf(dub)) ?? []);
    });
  }

  /**
   * The conditions of few dubs where they are found, measured while the video is decoded: those that turn out to be heard elsewhere, or
   * at another speed, are measured again.
   */
  async #earlyConditions(): Promise<Map<string, DubConditionAt>> {
    if (this.dubs.length === 0 || this.dubs.length > DUBS_AT_ONCE) return new Map();
    const [audio, located] = await Promise.all([
      this.#searched(),
      this.#located(),
      this.#listened(),
    ]);
    return this.#compare(withEnds(likelyPlaces(audio, located)));
  }

  /** By the place at which each dub is heard. */
  async #compare(some: readonly HeardFrom[]): Promise<Map<string, DubConditionAt>> {
    if (some.length === 0) return new Map();
    const audio = await this.#listened();
    const samples = await this.#comparedDubs(
      some.map(({ sequence }) => this.dubs.find((dub) => dub.sequence === sequence)?.dubbed ?? ''),
    );
    const known = some.map((dub, k) => ({ ...dub, dubbed: samples[k] ?? new Float32Array() }));
    const lengths = known.map((dub) => dub.dubbed.length / SPEECH_RATE_HZ / dub.speed);
    const ends = known.map(({ ptsSeconds }, k) => ptsSeconds + (lengths[k] ?? 0));
    const from = Math.min(...known.map(({ ptsSeconds }) => ptsSeconds));
    const part = stretchOf(audio, from - 1, Math.max(...ends) + 1);
    const conditions = await inWorkerThread('measureDubs', part, known);
    const keys = some.map(keyOf);
    return new Map(conditions.map((one, k) => [keys[k] ?? '', one]));
  }

  /** Dubs at the rate at which they are compared. */
  async #comparedDubs(files: readonly string[]): Promise<(Float32Array | undefined)[]> {
    const few = await this.#fewFragments();
    if (few) {
      return files.map((file) => {
        const samples = few.compared.get(file);
        return samples && samplesIn(samples);
      });
    }
    return readAudioFiles(files, SPEECH_RATE_HZ);
  }

  /** How loud the dubs are that are heard at their video, against the speech of the source there. */
  dubLoudness(): Promise<DubLoudness[]> {
    return this.#cache.once('dub loudness', async () => {
      const { fixture } = this;
      if (!fixture) return [];
      const [placements, output] = [await this.placements(), await this.#searched()];
      return dubLoudness(output, await this.#source(fixture), placements, fixture.segmentSeconds);
    });
  }

  /** Dubs that are heard nowhere as they are, and too fast or too slow as at another sample rate. */
  misplayedDubs(): Promise<MisplayedDub[]> {
    return this.#cache.once('misplayed dubs', async () => {
      const [placements, samples] = [await this.placements(), await this.#fragments()];
      const unheard = placements.flatMap(({ sequence, startSeconds, occurrences }) => {
        const file = this.dubs.find((dub) => dub.sequence === sequence)?.dubbed ?? '';
        const dubbed = samples.get(file);
        const isHeard = occurrences.observed && occurrences.occurrences.length > 0;
        return isHeard || !dubbed ? [] : [{ sequence, startSeconds, dubbed }];
      });
      return unheard.length > 0
        ? inWorkerThread('misplayedDubs', await this.#searched(), unheard)
        : [];
    });
  }

  /** Where in the broadcast it begins. */
  start(): Promise<Finding<OutputStart>> {
    return this.#cache.once('start', async () => {
      const { fixture } = this;
      const [clock, { audio }] = [await this.clock(), await this.span()];
      if (!fixture) return unobserved('the source of this output is unknown');
      if (!clock.observed) return clock;
      const tones = await this.tones();
      const [first] = tones.observed ? [] : await this.placements();
      const start = outputStart({
        ...{ clock, audioFromSeconds: audio.observed ? audio.firstPtsSeconds : undefined },
        sourceAudioFromSeconds: fixture.audio?.startsAtSeconds ?? 0,
        firstFragmentSeconds: (await this.sourceStarts()).get(0),
        firstDub: first?.sequence === 0 ? first : undefined,
        tones: tones.observed ? tones.tones : [],
      });
      const isUnknown = start.video === undefined && start.audio === undefined;
      return isUnknown
        ? unobserved('no frame has a number, and no fragment')
        : { observed: true, ...start };
    });
  }

  /** How much of the end of the broadcast it lacks. */
  end(): Promise<Finding<OutputEnd>> {
    return this.#cache.once('end', async () => {
      const { fixture } = this;
      const [clock, { audio }] = [await this.clock(), await this.span()];
      if (!fixture) return unobserved('the source of this output is unknown');
      if (!clock.observed) return clock;
      const source = await ofSource(fixture.path, 'packet span', packetSpan);
      const endOf = (
        track: PacketSpan['audio'],
        most = fixture.durationSeconds,
      ): number | undefined =>
        track.observed ? Math.min(most, track.firstPtsSeconds + track.durationSeconds) : undefined;
      const audioTo = endOf(audio, Infinity);
      const ends = {
        video: endOf(source.video) ?? fixture.durationSeconds,
        audio: endOf(source.audio),
      };
      const end = outputEnd(clock, audioTo, ends);
      return end.video === undefined && end.audio === undefined
        ? unobserved('nothing moves at its end, and there is no audio')
        : { observed: true, ...end };
    });
  }

  /** How the frames of output and source are to be shown, and black borders of each. */
  format(): Promise<VideoFormat> {
    return this.#cache.once('format', async () => {
      const { fixture } = this;
      const [video, output, source] = await Promise.all([
        this.video(),
        formatOf(this.file),
        fixture ? ofSource(fixture.path, 'format', formatOf) : undefined,
      ]);
      const own = fixture ? await this.#sourceFrames(fixture) : undefined;
      return {
        ...{ output, source, formats: video.formats },
        ...{ borders: bordersOf(video.thumbnails), sourceBorders: own && bordersOf(own) },
      };
    });
  }

  /** Where each second's tone is heard; unobserved for a broadcast of speech. */
  tones(): Promise<Finding<{ tones: ToneHeard[] }>> {
    return this.#cache.once('tones', async () => {
      const { fixture } = this;
      if (!fixture?.audio?.tones) return unobserved('the broadcast has speech, no tones');
      const [clock, audio] = [await this.clock(), await this.audio()];
      if (!clock.observed) return clock;
      const tones = await inWorkerThread('tonesHeard', audio, clock, fixture.durationSeconds);
      return { observed: true, tones };
    });
  }

  /** How the audio advances; unobserved for a broadcast without a pilot. */
  advance(): Promise<Finding<Advance>> {
    return this.#cache.once('advance', async () => {
      if (!this.fixture?.audio?.pilot) return unobserved('the broadcast has no pilot');
      return inWorkerThread('audioAdvance', await this.audio());
    });
  }

  async sync(): Promise<Finding<Sync>> {
    return syncOf(await this.placements());
  }

  /** What is heard at the segment boundaries. */
  splices(): Promise<Finding<{ splices: Splice[] }>> {
    return this.#cache.once('splices', async () => {
      const { fixture } = this;
      const clock = await this.clock();
      if (!fixture) return unobserved('the splices are unknown without the source');
      if (!clock.observed) return clock;
      const { segmentSeconds: length, durationSeconds } = fixture;
      const starts = await this.sourceStarts();
      const boundaries = [...starts.values()].filter((at) => at >= length / 2);
      for (let at = length; starts.size === 0 && at < durationSeconds; at += length)
        boundaries.push(at);
      const places = boundaries.flatMap((start) => {
        const shown = presentationsOf(clock, start, Math.min(length, durationSeconds - start));
        return shown.observed ? shown.presentations.map(({ ptsSeconds }) => ptsSeconds) : [];
      });
      const splices = await inWorkerThread('measureSplices', await this.audio(), places, length);
      return { observed: true, splices };
    });
  }

  /** How alike the audio of the whole output and that of the source are. */
  likeOriginal(): Promise<Finding<FingerprintMatch>> {
    return this.#cache.once('like original', async () => {
      const prints = await this.#fingerprints();
      return prints
        ? bitErrorRate(prints.source, prints.output, 5)
        : unobserved('the source is unknown');
    });
  }

  /** The same by segment of the source; only where source and output both have at least a second of audio. */
  likeOriginalBySegment(): Promise<Finding<{ windows: FingerprintWindow[] }>> {
    return this.#cache.once('like original by segment', async () => {
      const { fixture } = this;
      const [prints, clock] = [await this.#fingerprints(), await this.clock()];
      if (!prints || !fixture) return unobserved('the source is unknown');
      if (!clock.observed) return clock;
      const { segmentSeconds } = fixture;
      const shown = presentationsOf(clock, 0, fixture.durationSeconds / 2);
      const audio = await this.audio();
      const later = shown.observed
        ? (shown.presentations[0]?.ptsSeconds ?? 0) - audio.firstPtsSeconds
        : 0;
      const [source, output] = [await this.#source(fixture), await this.#searched()];
      const isLoud = ({ samples }: AudioTimeline<Samples>, from: number): boolean => {
        const piece = samplesIn(
          samples,
          from * SEARCH_RATE_HZ,
          (from + segmentSeconds) * SEARCH_RATE_HZ,
        );
        const levels = audioLevels(piece, SEARCH_RATE_HZ);
        return levels.observed && levels.nonSilentSeconds >= 1;
      };
      const windows = fingerprintWindows(
        prints.source,
        prints.output,
        segmentSeconds,
        later,
      ).filter(
        ({ fromSeconds }) => isLoud(source, fromSeconds) && isLoud(output, fromSeconds + later),
      );
      return { observed: true, windows };
    });
  }

  #fingerprints(): Promise<{ source: Uint32Array; output: Uint32Array } | undefined> {
    return this.#cache.once('fingerprints', async () => {
      if (!this.fixture) return undefined;
      const [source, output] = await Promise.all([
        ofSource(this.fixture.path, 'fingerprint', fingerprintFile),
        fingerprintFile(this.file),
      ]);
      return { source, output };
    });
  }

  /** The output's audio at the rate at which it is listened to, and compared with dubs. */
  async #listened(): Promise<AudioTimeline<Samples>> {
    return (await this.audio()).listened;
  }

  /** What an English speech recognizer understands of the output: its text, and lines of the script. */
  englishHeard(): Promise<Finding<{ lines: LineHeard[] }>> {
    return this.#cache.once('heard in English', async () => {
      const { language = 'en', script = [] } = this.fixture ?? {};
      if (language !== 'en') return unobserved(`the source is in "${language}", not in English`);
      const text = await listenInEnglish((await this.#listened()).samples);
      return { observed: true, lines: linesHeard(script, text) };
    });
  }

  /** What somebody hears in each segment of the output who speaks the target language. */
  segmentsHeard(): Promise<Finding<{ segments: SegmentHeard[] }>> {
    return this.#cache.once('segments heard', async () => {
      const { fixture } = this;
      if (!fixture) return unobserved('the source of this output is unknown');
      const [clock, starts] = [await this.clock(), await this.sourceStarts()];
      return segmentsHeardIn(await this.#listened(), clock, starts, fixture);
    });
  }

  /** The same in each dub, as the STS returned it. */
  dubsHeard(): Promise<Finding<{ segments: SegmentHeard[] }>> {
    return this.#cache.once('dubs heard', async () =>
      this.fixture
        ? dubsHeardIn(this.dubs, this.fixture)
        : unobserved('the source of these dubs is unknown'),
    );
  }

  /** How much speech there is in each segment, before and after dubbing. */
  async isochrony(): Promise<Finding<{ segments: Isochrony[] }>> {
    const [clock, { fixture }] = [await this.clock(), this];
    if (!fixture) return unobserved('the source is unknown');
    if (!clock.observed) return clock;
    const [source, output] = [await this.#source(fixture), await this.#searched()];
    const [before, after] = [source, output].map((one) => voiceActivity(one.samples, one.rateHz));
    const segments = fixture.script.flatMap((_, sequence): Isochrony[] => {
      const start = sequence * fixture.segmentSeconds;
      const shown = presentationsOf(clock, start, fixture.segmentSeconds);
      const [presentation] = shown.observed ? shown.presentations : [];
      if (!presentation || !before || !after) return [];
      const speech = (
        secondsIn: typeof before,
        { firstPtsSeconds }: AudioTimeline<Samples>,
        from: number,
      ): number =>
        secondsIn(from - firstPtsSeconds, from - firstPtsSeconds + fixture.segmentSeconds);
      return [
        {
          sequence,
          originalSpeechSeconds: speech(before, source, start),
          dubbedSpeechSeconds: speech(after, output, presentation.ptsSeconds),
        },
      ];
    });
    return { observed: true, segments };
  }
}
