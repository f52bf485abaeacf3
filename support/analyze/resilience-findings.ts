import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { NotObserved } from '../base/errors';
import { evidenceFiles } from '../broadcast/evidence';
import type { TapEvent } from '../observe/tap';
import { breakerChanges, type BreakerPhase, breakerPhases, gaugeAgainstPhases } from './breaker';
import {
  type Pressure,
  pressuresOf,
  type Reconnection,
  reconnectionsOf,
  type Wait,
  waitsOf,
} from './exchange';
import { type Finding, unobserved } from './finding';
import type { FrameClock } from './frame-clock';
import { packetSpan, probeStreams } from './media';
import { type MetricLine, type MetricNames, metricsAgainstTap } from './metrics-against-tap';
import { matching } from './prometheus';
import type { BroadcastFindings } from './broadcast-findings';
import { type LogLine, linesOf } from './service-log';
import { segmentOfTone, type ToneHeard, tonesInside } from './tones';

/** What is heard in a segment: the echo, which is half as loud as the original, or the original itself. */
export type SegmentAudio = 'echo' | 'original' | 'both' | 'nothing';

/** Levels, against the broadcast's own, of the echo and of the original; AAC changes them by some percent. */
const LEVELS = { echo: [0.4, 0.62], original: [0.8, 1.25] } as const;

/** A file of a segment on disk. */
export interface SegmentFile {
  file: string;
  kind: string;
  seconds: number;
}

const streamInit = z.looseObject({ timeout_ms: z.number().positive() });

/** What the evidence of a broadcast of tones says of how media-service deals with an STS that misbehaves. */
export class ResilienceFindings {
  constructor(
    readonly run: BroadcastFindings,
    /** What media-service is called: its log has that name. */
    private readonly service: string,
    private readonly names: MetricNames & { breakerState: string },
  ) {}

  /** Everything between media-service and the STS, in the order of time. */
  get events(): readonly TapEvent[] {
    return this.run.evidence.tap;
  }

  /** After which time media-service gives a fragment up, as it has told the STS. */
  get timeoutMs(): number {
    const [init] = this.run.events('event', 'stream:init');
    const parsed = streamInit.safeParse(init?.payload);
    if (parsed.success) return parsed.data.timeout_ms;
    throw new NotObserved({
      what: 'media-service has not told its timeout',
      where: `${this.run.evidence.folder}/${evidenceFiles.tap}`,
      seen: init ? JSON.stringify(init.payload) : 'no stream:init',
      expected: 'stream:init with timeout_ms',
    });
  }

  get waits(): Wait[] {
    return waitsOf(this.events, this.timeoutMs);
  }

  get pressures(): Pressure[] {
    return pressuresOf(this.events);
  }

  get reconnections(): Reconnection[] {
    return reconnectionsOf(this.events);
  }

  /** What media-service has logged about this stream. */
  get logLines(): LogLine[] {
    return linesOf(this.run.log(this.service), this.run.stream);
  }

  /** When media-service logged that it goes on without an answer to that fragment; NaN where it did not. */
  gaveUpAt(fragmentId: string): number {
    const line = this.logLines.find(
      ({ message, fields }) => message.includes('fallback') && fields['fragment_id'] === fragmentId,
    );
    return line?.at ?? NaN;
  }

  get breaker(): BreakerPhase[] {
    const startedAt = this.run.evidence.run.times.published ?? this.run.evidence.run.finishedAt;
    return breakerPhases(breakerChanges(this.logLines), this.events, startedAt);
  }

  get breakerByMetric(): { compared: number; contradictions: string[] } {
    const labels = { stream_id: this.run.stream };
    const { metrics } = this.run.evidence;
    return gaugeAgainstPhases(metrics, this.breaker, this.names.breakerState, labels);
  }

  /** The exit code of the worker, as the service tells it. */
  get exitCode(): Finding<{ exitCode: number; at: number | undefined }> {
    const found = this.logLines.findLast(({ fields }) => typeof fields['exit_code'] === 'number');
    if (!found)
      return unobserved('media-service has logged no exit_code of a worker of this stream');
    return { observed: true, exitCode: Number(found.fields['exit_code']), at: found.at };
  }

  /** Every tone against its frame. */
  tones(): Promise<Finding<{ tones: ToneHeard[] }>> {
    return this.run.output.tones();
  }

  /** What is heard in each segment, by the level of its tones. */
  async segmentAudio(): Promise<Finding<{ segments: SegmentAudio[] }>> {
    const [heard, clock] = [await this.tones(), await this.run.output.clock()];
    if (!heard.observed) return heard;
    if (!clock.observed) return clock;
    const { segmentSeconds, script } = this.run.fixture;
    const { audio } = await this.run.output.span();
    if (!audio.observed) return audio;
    const whole = tonesInside(heard.tones, clock, audio);
    const joinedSeconds = await this.#joinedSeconds(clock);
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
   * Where in the source media-service began to count segments: by the audio of the first fragment that it has sent.
   * Where it has sent none, by its first frame, which is right to within some tenths of a second.
   */
  async #joinedSeconds({ runs, framesPerSecond }: FrameClock): Promise<number> {
    const [first] = this.run.fragments;
    if (first) {
      const { audio, timestamp } = first.sent.data;
      const start = await this.run.output.sourceStart(join(this.run.evidence.folder, audio.file));
      if (start.observed) return start.seconds - timestamp / 1000;
    }
    const { video, audio } = await this.run.output.span();
    const soundFirst =
      video.observed && audio.observed
        ? Math.max(0, video.firstPtsSeconds - audio.firstPtsSeconds)
        : 0;
    return (runs[0]?.firstFrame ?? 0) / framesPerSecond - soundFirst;
  }

  /** The segments that media-service has written to disk. */
  async segmentFiles(): Promise<Finding<{ files: SegmentFile[] }>> {
    const folder = join(this.run.evidence.folder, evidenceFiles.segments);
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      return unobserved(this.run.evidence.run.problems.join('; ') || 'they were not fetched');
    }
    const files: SegmentFile[] = [];
    for (const name of readdirSync(folder).sort()) {
      const path = join(folder, name);
      const [stream] = await probeStreams(path);
      const span = await packetSpan(path);
      const track = stream?.kind === 'video' ? span.video : span.audio;
      const seconds = track.observed ? track.durationSeconds : 0;
      files.push({ file: name, kind: stream?.kind ?? 'nothing', seconds });
    }
    return { observed: true, files };
  }

  /** A gauge at the end of the run. */
  gauge(name: string): Finding<{ value: number }> {
    const samples = this.run.evidence.metrics.at(-1)?.samples ?? [];
    const [found] = matching(samples, name, { stream_id: this.run.stream });
    return found ? { observed: true, value: found.value } : unobserved(`there is no ${name}`);
  }

  /** Every metric beside what the tap has counted. */
  get metricLines(): MetricLine[] {
    const { run } = this;
    return metricsAgainstTap(
      this.events,
      this.names,
      {
        counter: (name, labels) => run.counter(name, labels),
        gauge: (name) => this.gauge(name),
        histogram: (name) => run.histogram(name),
      },
      this.timeoutMs,
    );
  }
}

function audioOf({ level }: ToneHeard): SegmentAudio {
  const isIn = ([from, to]: readonly [number, number]): boolean => level >= from && level <= to;
  return isIn(LEVELS.echo) ? 'echo' : isIn(LEVELS.original) ? 'original' : 'nothing';
}
