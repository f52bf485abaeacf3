import type { Fixture } from '../fixture';
import { aside } from './aside';
import { audioLevels, readAudioFiles, voiceActivity } from './audio';
import { type DubbedFragment, type FragmentPlacement, type Sync, syncOf } from './dub-placement';
import { type Finding, unobserved } from './finding';
import {
  bitErrorRate,
  fingerprintFile,
  type FingerprintMatch,
  type FingerprintWindow,
  fingerprintWindows,
} from './fingerprint';
import { firstPacketClock, type FrameClock, frameClock, showings } from './frame-clock';
import { type LineHeard, linesHeard, listen } from './listening';
import { type MediaStream, type PacketSpan, packetSpan, probeStreams } from './media';
import { type Pictures, readPictures } from './pictures';
import { Remembered } from './remember';
import type { Seam } from './seams';
import type { ToneHeard } from './tones';
import { type AudioTimeline, readSound, readTimeline, type Sound, soundAt } from './sound';

/** Sample rate at which dubs are searched in the output; one sample is 0.25 ms, and speech is loudest below 2 kHz. */
const SEARCH_RATE_HZ = 4000;

/** The files of one fragment: its dub, and its sound before dubbing where that is known. */
export interface DubFiles {
  sequence: number;
  dubbed: string | undefined;
  original: string | undefined;
}

/** When somebody speaks in a fragment's pictures, before and after dubbing, in seconds. */
export interface Isochrony {
  sequence: number;
  originalSpeechSeconds: number;
  dubbedSpeechSeconds: number;
}

/**
 * What a recorded output says, against the source it was made of and the dubs it was given. Each finding is worked out
 * when it is first asked for; none is judged here.
 */
export class OutputFindings {
  readonly #remembered = new Remembered();

  /** @param dubs by sequence number; what cannot be told without them is unobserved */
  constructor(
    readonly file: string,
    readonly fixture: Fixture | undefined,
    readonly dubs: readonly DubFiles[],
  ) {}

  streams(): Promise<MediaStream[]> {
    return this.#remembered.once('streams', () => probeStreams(this.file));
  }

  span(): Promise<PacketSpan> {
    return this.#remembered.once('span', () => packetSpan(this.file));
  }

  pictures(): Promise<Pictures> {
    return this.#remembered.once('pictures', () => readPictures(this.file));
  }

  sound(): Promise<Sound> {
    return this.#remembered.once('sound', () => readSound(this.file));
  }

  /** The output's sound at the rate at which dubs are searched. */
  #searched(): Promise<AudioTimeline> {
    return this.#remembered.once('searched', async () =>
      soundAt(await this.sound(), SEARCH_RATE_HZ),
    );
  }

  /** The source's sound at the same rate. */
  #source(fixture: Fixture): Promise<AudioTimeline> {
    return this.#remembered.once('source', () => readTimeline(fixture.path, SEARCH_RATE_HZ));
  }

  /** The sound of each fragment, before (where it is known) and after, at the same rate; by file. */
  #fragments(): Promise<Map<string, Float32Array>> {
    return this.#remembered.once('fragments', async () => {
      const files = this.dubs.flatMap(({ dubbed, original }) =>
        [dubbed ?? [], original ?? []].flat(),
      );
      const samples = await readAudioFiles(files, SEARCH_RATE_HZ);
      return new Map(files.map((file, i) => [file, samples[i] ?? new Float32Array()]));
    });
  }

  /** When source time is shown. Unobserved without a source, or where the file has no picture. */
  clock(): Promise<Finding<FrameClock>> {
    return this.#remembered.once('clock', async () => {
      const { fixture } = this;
      if (!fixture) return unobserved('it is not known of which source this is the output');
      const { framesPerSecond: fps, frameStrip } = fixture.picture;
      if (frameStrip) {
        const { pictures } = await this.pictures();
        return {
          observed: true,
          ...frameClock(pictures, fps, Math.round(fixture.durationSeconds * fps) - 1),
        };
      }
      const { video } = await this.span();
      if (!video.observed) return video;
      return {
        observed: true,
        ...firstPacketClock(video.firstPtsSeconds, fps, fixture.durationSeconds),
      };
    });
  }

  /**
   * When each fragment begins in the source, in seconds, by sequence number: found by its sound. A worker that joined
   * late counts its timestamps from there, so they are not believed. Where the sound of a fragment is not known, it is
   * taken to begin at its mark.
   */
  sourceStarts(): Promise<Map<number, number>> {
    return this.#remembered.once('source starts', async () => {
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
      const sounds = known.map(({ original }) => samples.get(original) ?? new Float32Array());
      const found = await aside('startsIn', source, sounds);
      known.forEach(({ sequence }, i) => {
        const start = found[i];
        if (start?.observed) starts.set(sequence, start.seconds);
      });
      return starts;
    });
  }

  /** Where the sound of a file begins in the source. */
  sourceStart(file: string): Promise<Finding<{ seconds: number }>> {
    return this.#remembered.once(`source start of ${file}`, async () => {
      if (!this.fixture) return unobserved('it is not known of which source this is the output');
      const [sounds, source] = await Promise.all([
        readAudioFiles([file], SEARCH_RATE_HZ),
        this.#source(this.fixture),
      ]);
      const [start] = await aside('startsIn', source, sounds);
      return start ?? unobserved('there is no such sound');
    });
  }

  /** What became of each fragment. A fragment without a dub, or that is not in the source, has no placement. */
  placements(): Promise<FragmentPlacement[]> {
    return this.#remembered.once('placements', async () => {
      const starts = await this.sourceStarts();
      const [sound, samples] = await Promise.all([this.#searched(), this.#fragments()]);
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
      // Before the pictures are known: they take the decoder longer than this takes.
      const located = await aside('locateDubs', sound, fragments);
      const clock = await this.clock();
      return clock.observed ? aside('placeDubs', sound, clock, located) : [];
    });
  }

  /** Where each second's tone is heard; unobserved for a broadcast of speech. */
  tones(): Promise<Finding<{ tones: ToneHeard[] }>> {
    return this.#remembered.once('tones', async () => {
      const { fixture } = this;
      if (!fixture?.audio?.tones) return unobserved('this is no broadcast of tones');
      const [clock, sound] = [await this.clock(), await this.sound()];
      if (!clock.observed) return clock;
      const tones = await aside('tonesHeard', sound, clock, fixture.durationSeconds);
      return { observed: true, tones };
    });
  }

  async sync(): Promise<Finding<Sync>> {
    return syncOf(await this.placements());
  }

  /** What is heard at the borders of the fragments, where their pictures meet. */
  seams(): Promise<Finding<{ seams: Seam[] }>> {
    return this.#remembered.once('seams', async () => {
      const { fixture } = this;
      const clock = await this.clock();
      if (!fixture || !clock.observed)
        return unobserved('the seams of an unknown source are not known');
      const { segmentSeconds: length, durationSeconds } = fixture;
      const starts = await this.sourceStarts();
      const marks = [...starts.values()].filter((at) => at >= length / 2);
      for (let at = length; starts.size === 0 && at < durationSeconds; at += length) marks.push(at);
      const places = marks.flatMap((start) => {
        const shown = showings(clock, start, Math.min(length, durationSeconds - start));
        return shown.observed ? shown.showings.map(({ ptsSeconds }) => ptsSeconds) : [];
      });
      const seams = await aside('lookAtSeams', await this.sound(), places, length);
      return { observed: true, seams };
    });
  }

  /** How alike the sound of the whole output and of the source are. */
  likeOriginal(): Promise<Finding<FingerprintMatch>> {
    return this.#remembered.once('like original', async () => {
      const prints = await this.#fingerprints();
      return prints
        ? bitErrorRate(prints.source, prints.output, 5)
        : unobserved('the source is not known');
    });
  }

  /** The same by segment of the source; only where source and output both have at least a second of sound. */
  likeOriginalBySegment(): Promise<Finding<{ windows: FingerprintWindow[] }>> {
    return this.#remembered.once('like original by segment', async () => {
      const { fixture } = this;
      const [prints, clock] = [await this.#fingerprints(), await this.clock()];
      if (!prints || !fixture || !clock.observed) return unobserved('the source is not known');
      const { segmentSeconds } = fixture;
      const shown = showings(clock, 0, fixture.durationSeconds / 2);
      const sound = await this.sound();
      const later = shown.observed
        ? (shown.showings[0]?.ptsSeconds ?? 0) - sound.firstPtsSeconds
        : 0;
      const [source, output] = [await this.#source(fixture), await this.#searched()];
      const isLoud = ({ samples }: AudioTimeline, from: number): boolean => {
        const piece = samples.subarray(
          Math.max(0, from * SEARCH_RATE_HZ),
          Math.max(0, (from + segmentSeconds) * SEARCH_RATE_HZ),
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
    return this.#remembered.once('fingerprints', async () => {
      if (!this.fixture) return undefined;
      const [source, output] = await Promise.all([
        fingerprintFile(this.fixture.path),
        fingerprintFile(this.file),
      ]);
      return { source, output };
    });
  }

  /** What an English listener understands of the output: text by window, and lines of the script. */
  async englishHeard(): Promise<{ text: string; lines: LineHeard[] }> {
    const heard = await this.#remembered.once('heard', () => listen(this.file));
    return {
      text: heard.windows
        .map(({ text }) => text)
        .join(' ')
        .trim(),
      lines: linesHeard(this.fixture?.script ?? [], heard),
    };
  }

  /** How long somebody speaks in each segment, before and after dubbing. */
  async isochrony(): Promise<Finding<{ segments: Isochrony[] }>> {
    const [clock, { fixture }] = [await this.clock(), this];
    if (!fixture || !clock.observed) return unobserved('the source is not known');
    const [source, output] = [await this.#source(fixture), await this.#searched()];
    const [before, after] = [source, output].map((one) => voiceActivity(one.samples, one.rateHz));
    const segments = fixture.script.flatMap((_, sequence): Isochrony[] => {
      const start = sequence * fixture.segmentSeconds;
      const shown = showings(clock, start, fixture.segmentSeconds);
      const [showing] = shown.observed ? shown.showings : [];
      if (!showing || !before || !after) return [];
      const speech = (
        secondsIn: typeof before,
        { firstPtsSeconds }: AudioTimeline,
        from: number,
      ): number =>
        secondsIn(from - firstPtsSeconds, from - firstPtsSeconds + fixture.segmentSeconds);
      return [
        {
          sequence,
          originalSpeechSeconds: speech(before, source, start),
          dubbedSpeechSeconds: speech(after, output, showing.ptsSeconds),
        },
      ];
    });
    return { observed: true, segments };
  }
}
