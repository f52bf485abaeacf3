import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { evidenceFiles } from '../broadcast/evidence';
import type { TapEvent } from '../broadcast/events';
import { announcedTimeoutMs, type Fragment } from '../broadcast/fragment';
import { type Backpressure, backpressureOf, type Reconnection, reconnectionsOf } from './exchange';
import { type Finding, unobserved } from './finding';
import { MediaUnreadable } from './ffmpeg';
import type { FrameClock } from './frame-clock';
import { packetSpan, probeStreams } from './media';
import { type MetricLine, metricsAgainstTap } from './metrics-against-tap';
import type { BroadcastFindings } from './broadcast-findings';
import type { Rise } from './metric-findings';
import { exitCodeIn, linesAbout, type LogLine } from './service-log';
import {
  MOST_UNHEARD_FOR_LEVEL,
  partAfterDub,
  segmentOfTone,
  type ToneHeard,
  tonesInside,
} from './tones';

/** What is heard in a segment: the dub, which is half as loud as the original, or the original itself. */
export type SegmentAudio = 'dub' | 'original' | 'both' | 'nothing';

/** Levels, against the broadcast's own, of the dub and of the original; AAC changes them by some percent. */
const LEVELS = { dub: [0.4, 0.62], original: [0.8, 1.25] } as const;

/** A track of a file of a segment on disk: one file may have both. */
export interface SegmentFile {
  file: string;
  /** `video`, `audio`; `no media` of a file that is none. */
  kind: string;
  seconds: number;
}

/** What the evidence of a broadcast of tones says of how media-service deals with an STS that misbehaves. */
export class ResilienceFindings {
  constructor(readonly broadcast: BroadcastFindings) {}

  /** Everything between media-service and the STS, in the order of time. */
  get events(): readonly TapEvent[] {
    return this.broadcast.evidence.tap;
  }

  /** After which time media-service gives a fragment up, in ms. */
  get timeoutMs(): number {
    return announcedTimeoutMs(this.events);
  }

  get fragments(): readonly Fragment[] {
    return this.broadcast.fragments;
  }

  get backpressure(): Backpressure[] {
    return backpressureOf(this.events);
  }

  get reconnections(): Reconnection[] {
    return reconnectionsOf(this.events);
  }

  /** What media-service has logged about this stream. */
  get logLines(): LogLine[] {
    const { record, stream, names } = this.broadcast;
    return linesAbout(this.broadcast.log(names.mediaService), stream, record);
  }

  /**
   * Between which polls each fallback for that reason was counted, in order; unobserved where the metric was not exported.
   *
   * @param reason as `worker_fallback_total` has it (spec 018); all where not given
   * @throws CannotBeShown where the system has no metric that counts them
   */
  fallbacks(reason?: string): Finding<{ rises: Rise[] }> {
    const { metrics } = this.broadcast;
    return metrics.rises('fallbacks', reason === undefined ? {} : { reason });
  }

  /**
   * The exit code of the worker, where the service tells it in a field of its log, or where the worker is the service: then it
   * has ended with the broadcast. While several streams were dubbed, nobody can tell whose worker that was.
   */
  get exitCode(): number | undefined {
    const { record, names } = this.broadcast;
    const { serviceExits = {}, alongside = [] } = record;
    const ofService = alongside.length === 0 ? serviceExits[names.mediaService] : undefined;
    return exitCodeIn(this.logLines) ?? ofService;
  }

  /** Every tone against its frame. */
  tones(): Promise<Finding<{ tones: ToneHeard[] }>> {
    return this.broadcast.output.tones();
  }

  /** What is heard in each segment, by the level of its tones. */
  async segmentAudio(): Promise<Finding<{ segments: SegmentAudio[] }>> {
    const [heard, clock] = [await this.tones(), await this.broadcast.output.clock()];
    if (!heard.observed) return heard;
    if (!clock.observed) return clock;
    const { segmentSeconds, script } = this.broadcast.fixture;
    const { audio } = await this.broadcast.output.span();
    if (!audio.observed) return audio;
    const joinedSeconds = await this.joinedSeconds(clock);
    const whole = tonesInside(heard.tones, clock, audio).filter(
      ({ second }) =>
        partAfterDub(second, this.fragments, joinedSeconds, segmentSeconds) <=
        MOST_UNHEARD_FOR_LEVEL,
    );
    const segments = script.map((_, segment): SegmentAudio => {
      const kinds = new Set(
        whole
          .filter(({ second }) => segmentOfTone(second, joinedSeconds, segmentSeconds) === segment)
          .map(audioOf),
      );
      const [kind] = kinds;
      return kinds.size > 1 ? 'both' : (kind ?? 'nothing');
    });
    return { observed: true, segments };
  }

  /**
   * Where in the source media-service began to count segments: by the audio of the first fragment that it has sent, and the
   * segment that this is of. Where it has sent none, by its first frame, which is right to within some tenths of a second.
   */
  async joinedSeconds({ runs, framesPerSecond }: FrameClock): Promise<number> {
    const [first] = this.broadcast.fragments;
    if (first?.audio) {
      const file = join(this.broadcast.evidence.folder, first.audio.file);
      const start = await this.broadcast.output.sourceStart(file);
      const { segmentSeconds } = this.broadcast.fixture;
      if (start.observed) return start.seconds - first.segment * segmentSeconds;
    }
    const { video, audio } = await this.broadcast.output.span();
    const soundFirst =
      video.observed && audio.observed
        ? Math.max(0, video.firstPtsSeconds - audio.firstPtsSeconds)
        : 0;
    return (runs[0]?.firstFrame ?? 0) / framesPerSecond - soundFirst;
  }

  /** The tracks of the segments that media-service has written to disk, in whatever folders; lists of them are left out. */
  async segmentFiles(): Promise<Finding<{ files: SegmentFile[] }>> {
    this.broadcast.demand('segments');
    const folder = join(this.broadcast.evidence.folder, evidenceFiles.segments);
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      return unobserved(this.broadcast.record.problems.join('; ') || 'they were not fetched');
    }
    const files: SegmentFile[] = [];
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
      const path = join(folder, name);
      if (statSync(path).isFile() && !LISTS.test(name)) files.push(...(await tracksOf(path, name)));
    }
    return { observed: true, files };
  }

  /** Every metric beside what the tap has counted. */
  get metricLines(): MetricLine[] {
    const { broadcast } = this;
    return metricsAgainstTap(
      this.events,
      this.fragments,
      broadcast.names.metrics,
      broadcast.metrics,
    );
  }
}

/** Playlists, which ffprobe reads as what they list. */
const LISTS = /\.(?:m3u8?|mpd)$/i;

async function tracksOf(path: string, file: string): Promise<SegmentFile[]> {
  try {
    const kinds = new Set((await probeStreams(path)).map(({ kind }) => kind));
    const span = await packetSpan(path);
    return (['video', 'audio'] as const).flatMap((kind) => {
      const track = span[kind];
      const seconds = track.observed ? track.durationSeconds : 0;
      return kinds.has(kind) ? [{ file, kind, seconds }] : [];
    });
  } catch (error) {
    if (error instanceof MediaUnreadable) return [{ file, kind: 'no media', seconds: 0 }];
    throw error;
  }
}

function audioOf({ level }: ToneHeard): SegmentAudio {
  const isIn = ([from, to]: readonly [number, number]): boolean => level >= from && level <= to;
  return isIn(LEVELS.dub) ? 'dub' : isIn(LEVELS.original) ? 'original' : 'nothing';
}
