import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { z } from 'zod';

import {
  fragmentAck,
  fragmentData,
  fragmentProcessed,
  type FragmentData,
  type FragmentProcessed,
} from '../contract/events';
import { NotObserved } from '../errors';
import type { Fixture } from '../fixture';
import { evidenceFiles, type Evidence } from '../observe/evidence';
import type { TapEvent } from '../observe/tap';
import { audioLevels, readAudio, type AudioLevels } from './audio';
import { avDeltas, type AvDeltas } from './av-delta';
import { type Finding, percentile, unobserved } from './finding';
import { bitErrorRate, fingerprintFile, type FingerprintMatch } from './fingerprint';
import { detectLanguage, type DetectedLanguage } from './language';
import { decodeWhole, packetSpan, probeStreams } from './media';
import { counterDelta, histogram, type Histogram, type Labels, type Sample } from './prometheus';
import { audioTimeline, makeLocator } from './placement';
import { wordErrorRate, type WordErrors } from './transcript';

/** Sample rate at which dubs are searched in the output; one sample is 0.25 ms, and speech is loudest below 2 kHz. */
const SEARCH_RATE_HZ = 4000;

/** The worker decodes what the fixture holds: the same sound, short of some resampling, correlates above 0.9. */
const LEAST_SOURCE_SCORE = 0.8;

/** An event of the run that fits the contract; `at` is milliseconds since the epoch. */
export interface Seen<T> {
  at: number;
  connection: number;
  data: T;
}

/** One fragment from being sent to being answered. */
export interface FragmentStory {
  sequence: number;
  fragmentId: string;
  sent: Seen<FragmentData>;
  answer: Seen<FragmentProcessed> | undefined;
  /** Time between the two, as seen between the services. */
  roundTripMs: number | undefined;
}

/** What one fragment's transcript and translation are. */
export interface FragmentText {
  sequence: number;
  script: string;
  transcript: string;
  translation: string;
  words: WordErrors;
}

/**
 * What the evidence of one run says. Each finding is worked out when it is first asked for, from the evidence alone;
 * none is judged here.
 */
export class RunFindings {
  readonly #known = new Map<string, unknown>();

  constructor(
    readonly evidence: Evidence,
    readonly fixture: Fixture,
  ) {}

  get stream(): string {
    return this.evidence.run.stream;
  }

  /**
   * Time between two marks of the run, in seconds.
   *
   * @returns unobserved when one of them was never reached
   */
  secondsBetween(
    from: keyof Evidence['run']['times'],
    to: keyof Evidence['run']['times'],
  ): Finding<{ seconds: number }> {
    const { times, outcome, problems, publisher } = this.evidence.run;
    const [start, end] = [times[from], times[to]];
    if (start === undefined || end === undefined) {
      const missing = start === undefined ? from : to;
      const publishing = publisher.stderr ? [`publisher: ${publisher.stderr}`] : [];
      return unobserved(
        [`${missing} was never seen: ${outcome}`, ...publishing, ...problems].join('; '),
      );
    }
    return { observed: true, seconds: (end - start) / 1000 };
  }

  /** Everything seen on the connections of this stream. */
  events(kind: TapEvent['kind'], event?: string): TapEvent[] {
    return this.evidence.tap.filter(
      (seen) => seen.kind === kind && (event === undefined || seen.event === event),
    );
  }

  /**
   * What a service had logged by the end of the run.
   *
   * @throws NotObserved when its log was not collected
   */
  log(service: string): string {
    const file = join(this.evidence.folder, `${service}.log`);
    if (existsSync(file)) return readFileSync(file, 'utf8');
    throw new NotObserved({
      what: `the log of ${service} was not collected`,
      where: this.evidence.folder,
      seen: this.evidence.run.problems.join('; ') || 'no such file',
      expected: `${service}.log`,
    });
  }

  /** `fragment:data` of the worker, in the order sent. */
  get sent(): Seen<FragmentData>[] {
    return this.#fitting('fragment:data', fragmentData);
  }

  /** `fragment:processed` of the STS, in the order received. */
  get answers(): Seen<FragmentProcessed>[] {
    return this.#fitting('fragment:processed', fragmentProcessed);
  }

  /** `fragment:ack` of the STS. */
  get acknowledgements(): Seen<z.infer<typeof fragmentAck>>[] {
    return this.#fitting('fragment:ack', fragmentAck, 'from-sts');
  }

  /** Every fragment that was sent, with its answer. */
  get fragments(): FragmentStory[] {
    const { answers } = this;
    return this.sent.map((sent) => {
      const answer = answers.find(({ data }) => data.fragment_id === sent.data.fragment_id);
      return {
        sequence: sent.data.sequence_number,
        fragmentId: sent.data.fragment_id,
        sent,
        answer,
        roundTripMs: answer && answer.at - sent.at,
      };
    });
  }

  /** Median and 95th percentile of the time an answer took, in ms. */
  get roundTrip(): Finding<{ p50Ms: number; p95Ms: number }> {
    const times = this.fragments.flatMap(({ roundTripMs }) => roundTripMs ?? []);
    const [p50, p95] = [percentile(times, 50), percentile(times, 95)];
    if (!p50.observed || !p95.observed) return unobserved('no fragment was answered');
    return { observed: true, p50Ms: p50.value, p95Ms: p95.value };
  }

  /** What was said in each answered segment against the fixture's script. */
  get texts(): FragmentText[] {
    return this.fragments.flatMap(({ sequence, answer }) => {
      const script = this.fixture.script[sequence];
      if (!answer || script === undefined) return [];
      const transcript = answer.data.transcript ?? '';
      return [
        {
          ...{ sequence, script, transcript },
          translation: answer.data.translated_text ?? '',
          words: wordErrorRate(script, transcript),
        },
      ];
    });
  }

  /** The language of all transcripts, or all translations, taken together. */
  async languageOf(what: 'transcript' | 'translation'): Promise<Finding<DetectedLanguage>> {
    const text = this.texts.map((one) => one[what]).join(' ');
    return this.#once(`language of ${what}`, () => detectLanguage(text));
  }

  /** How loud and long the dubbed audio of an answer is. */
  async dubbedLevels(fragment: FragmentStory): Promise<Finding<AudioLevels>> {
    const file = this.#dubbedFile(fragment);
    if (!file) return unobserved(`fragment ${fragment.sequence} has no dubbed audio`);
    return this.#once(`levels ${file}`, async () =>
      audioLevels(await readAudio(file, SEARCH_RATE_HZ), SEARCH_RATE_HZ),
    );
  }

  /** How alike the dubbed audio of an answer and the original audio that was sent are. */
  async dubbedAgainstOriginal(fragment: FragmentStory): Promise<Finding<FingerprintMatch>> {
    const dubbed = this.#dubbedFile(fragment);
    if (!dubbed) return unobserved(`fragment ${fragment.sequence} has no dubbed audio`);
    const original = join(this.evidence.folder, fragment.sent.data.audio.file);
    return this.#once(`fingerprint ${dubbed}`, async () => {
      const [one, other] = await Promise.all([fingerprintFile(original), fingerprintFile(dubbed)]);
      return bitErrorRate(one, other, 1);
    });
  }

  /**
   * The complete recording of the output; the viewer's copy where the media server could not record.
   *
   * @throws NotObserved when there is neither
   */
  get outputFile(): string {
    const file = [evidenceFiles.output, evidenceFiles.viewer]
      .map((name) => join(this.evidence.folder, name))
      .find((path) => existsSync(path));
    if (file) return file;
    const { outcome, problems, publisher } = this.evidence.run;
    throw new NotObserved({
      what: 'no recording of the output',
      where: `live/${this.stream}/out`,
      seen: [outcome, ...problems, publisher.stderr].filter(Boolean).join('; '),
      expected: 'the dubbed broadcast, published by media-service',
      next: `read the services' logs in ${this.evidence.folder}`,
    });
  }

  outputStreams(): ReturnType<typeof probeStreams> {
    return this.#once('streams', () => probeStreams(this.outputFile));
  }

  outputSpan(): ReturnType<typeof packetSpan> {
    return this.#once('span', () => packetSpan(this.outputFile));
  }

  outputDecoded(): ReturnType<typeof decodeWhole> {
    return this.#once('decoded', () => decodeWhole(this.outputFile));
  }

  /** How alike the sound of the whole output and of the fixture are. */
  outputAgainstOriginal(): Promise<Finding<FingerprintMatch>> {
    return this.#once('output against original', async () =>
      bitErrorRate(
        await fingerprintFile(this.fixture.path),
        await fingerprintFile(this.outputFile),
        5,
      ),
    );
  }

  /**
   * When each sent fragment begins in the fixture, in seconds, by sequence number: found by its sound. A worker that
   * joined late counts its timestamps from there, so they are not believed.
   */
  sourceStarts(): Promise<Map<number, number>> {
    return this.#once('source starts', async () => {
      const source = await audioTimeline(this.fixture.path, SEARCH_RATE_HZ);
      const find = makeLocator(source.samples, SEARCH_RATE_HZ);
      const starts = new Map<number, number>();
      for (const { sequence, sent } of this.fragments) {
        const original = join(this.evidence.folder, sent.data.audio.file);
        const found = find(await readAudio(original, SEARCH_RATE_HZ));
        if (found.observed && found.score >= LEAST_SOURCE_SCORE) {
          starts.set(sequence, source.firstPtsSeconds + found.offsetSeconds);
        }
      }
      return starts;
    });
  }

  /** Where each segment's dub really plays, against where its pictures are shown. */
  avDeltas(): Promise<AvDeltas> {
    return this.#once('av deltas', async () => {
      const starts = await this.sourceStarts();
      const segments = [];
      for (const fragment of this.fragments) {
        const file = this.#dubbedFile(fragment);
        const startSeconds = starts.get(fragment.sequence);
        // A fragment without one of them has no delta; the caller counts the segments.
        if (!file || startSeconds === undefined) continue;
        const dubbedPcm = await readAudio(file, SEARCH_RATE_HZ);
        segments.push({ index: fragment.sequence, startSeconds, dubbedPcm });
      }
      return avDeltas({
        outputFile: this.outputFile,
        segments,
        fps: this.fixture.picture.framesPerSecond,
        rateHz: SEARCH_RATE_HZ,
        videoClock: this.fixture.picture.frameStrip ? 'frame-strip' : 'first-packet',
        // A worker that joined late has no picture of the very start: the first one it has tells the time as well.
        maxFrameDistanceSeconds: 1,
      });
    });
  }

  /** By how much a counter rose during the run. */
  counter(name: string, labels: Labels = {}): Finding<{ delta: number }> {
    const looks = this.evidence.metrics;
    const [first, last] = [looks[0], looks.at(-1)];
    if (!first || !last) return unobserved('the metrics of media-service were never read');
    return counterDelta(first.samples, last.samples, name, this.#ours(last.samples, name, labels));
  }

  /** A histogram at the end of the run. */
  histogram(name: string): Finding<Histogram> {
    const last = this.evidence.metrics.at(-1);
    if (!last) return unobserved('the metrics of media-service were never read');
    return histogram(last.samples, name, this.#ours(last.samples, `${name}_count`, {}));
  }

  /** Services that label a metric by stream are asked for this stream only. */
  #ours(samples: readonly Sample[], name: string, labels: Labels): Labels {
    const isLabelled = samples.some((one) => one.name === name && 'stream_id' in one.labels);
    return isLabelled ? { ...labels, stream_id: this.stream } : labels;
  }

  #fitting<T>(event: string, schema: z.ZodType<T>, direction?: TapEvent['direction']): Seen<T>[] {
    return this.events('event', event)
      .filter((seen) => direction === undefined || seen.direction === direction)
      .map(({ at, connection, payload }) => {
        const parsed = schema.safeParse(payload);
        if (parsed.success) return { at, connection, data: parsed.data };
        const [issue] = parsed.error.issues;
        throw new NotObserved({
          what: `a ${event} event does not fit the contract`,
          where: `${this.evidence.folder}/${evidenceFiles.tap}`,
          seen: `${issue?.path.join('.')}: ${issue?.message} in ${JSON.stringify(payload).slice(0, 300)}`,
          expected: 'the fields of support/contract/events.ts',
        });
      });
  }

  #dubbedFile({ answer }: FragmentStory): string | undefined {
    const file = answer?.data.dubbed_audio?.file;
    return file === undefined ? undefined : join(this.evidence.folder, file);
  }

  #once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const known = this.#known.get(key) as Promise<T> | undefined;
    if (known) return known;
    const result = work();
    this.#known.set(key, result);
    return result;
  }
}
