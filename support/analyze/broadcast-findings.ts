import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { CannotBeShown, NotObserved, SuiteError } from '../base/errors';
import type { Fixture } from '../broadcast/fixture';
import { evidenceFiles, type Evidence } from '../broadcast/evidence';
import type { Fragment, FragmentAudio, Fragments } from '../broadcast/fragment';
import {
  type BroadcastRecord,
  type BroadcastTimes,
  outcomeText,
  whatWasSeen,
} from '../broadcast/record';
import type { ServiceNames } from '../broadcast/service-names';
import { pathOf } from '../broadcast/stream-paths';
import type { TapEvent } from '../broadcast/events';
import { readPacketHashes } from '../broadcast/packet-hashes';
import { inWorkerThread } from './worker-thread';
import { NoAudioTrack, readAudio } from './audio';
import { audioLevels, type AudioLevels } from './audio-levels';
import { MediaUnreadable } from './ffmpeg';
import { type Finding, percentile, unobserved } from './finding';
import { bitErrorRate, fingerprintFile, type FingerprintMatch } from './fingerprint';
import type { DetectedLanguage } from './language';
import { presentationsOf } from './frame-clock';
import { type DubFiles, OutputFindings } from './output-findings';
import { MetricFindings } from './metric-findings';
import { FindingCache } from './cache';
import { packetHashesOf, type ReceivedTrack, receivedTrack } from './received';
import { wordErrorRate } from './transcript';
import { type FragmentText, type JudgedText, matchTranslation } from './translation';

/** Enough to tell how loud speech is. */
const LEVEL_RATE_HZ = 4000;

/**
 * What the evidence of one broadcast says. Each finding is worked out when it is first asked for, from the evidence alone;
 * none is judged here.
 */
export class BroadcastFindings {
  readonly #cache = new FindingCache();
  #output: OutputFindings | undefined;
  #metrics: MetricFindings | undefined;

  constructor(
    readonly evidence: Evidence,
    readonly fixture: Fixture,
    readonly names: ServiceNames,
  ) {}

  get record(): BroadcastRecord {
    return this.evidence.record;
  }

  get stream(): string {
    return this.record.stream;
  }

  /**
   * Time between two marks of the broadcast, in seconds.
   *
   * @returns unobserved when one of them was never reached
   */
  secondsBetween(
    from: keyof BroadcastTimes,
    to: keyof BroadcastTimes,
  ): Finding<{ seconds: number }> {
    const { times } = this.record;
    // Metrics that do not name the stream were not recognised while it was dubbed.
    const timeOf = (mark: keyof BroadcastTimes): number | undefined =>
      times[mark] ?? (mark === 'metricsSeen' ? this.metrics.firstAt : undefined);
    const [start, end] = [timeOf(from), timeOf(to)];
    if (start === undefined || end === undefined) {
      const missing = start === undefined ? from : to;
      return unobserved(`${missing} was never seen: ${whatWasSeen(this.record)}`);
    }
    return { observed: true, seconds: (end - start) / 1000 };
  }

  /** When its content began, in ms since the epoch; undefined where the media server never had it. */
  get begunAt(): number | undefined {
    const { inputReady, published } = this.record.times;
    const { protocol, leadInSeconds = 0 } = this.record.publishing ?? {};
    if (inputReady === undefined || published === undefined) return inputReady;
    return protocol === 'rtmp' || leadInSeconds > 0 ? published + leadInSeconds * 1000 : inputReady;
  }

  /** Everything seen on the connections of this stream. */
  events(kind: TapEvent['kind'], event?: string): TapEvent[] {
    return this.evidence.tap.filter(
      (seen) => seen.kind === kind && (event === undefined || seen.event === event),
    );
  }

  /**
   * What a service had logged by the end of the broadcast.
   *
   * @throws NotObserved when its log was not collected
   * @throws CannotBeShown where logs are not offered
   */
  log(service: string): string {
    this.demand('logs');
    const file = join(this.evidence.folder, `${service}.log`);
    if (existsSync(file)) return readFileSync(file, 'utf8');
    throw new NotObserved({
      what: `the log of ${service} was not collected`,
      where: this.evidence.folder,
      seen: this.record.problems.join('; ') || 'no such file',
      expected: `${service}.log`,
    });
  }

  /** Whether what a service has logged was collected. */
  hasLog(service: string): boolean {
    return existsSync(join(this.evidence.folder, `${service}.log`));
  }

  /**
   * Every fragment that was sent, in that order.
   *
   * @throws NotObserved where the exchange was not heard, or an event in it does not fit the contract
   */
  get fragments(): readonly Fragment[] {
    return this.#exchange.fragments;
  }

  /** Every `fragment:processed` of the STS, in the order received; throws as `fragments`. */
  get answers(): Fragments['answers'] {
    return this.#exchange.answers;
  }

  get #exchange(): Fragments {
    const { fragments, folder } = this.evidence;
    const [violation] = fragments.violations;
    if (violation === undefined) return fragments;
    throw new NotObserved({
      what: 'an event does not fit the contract',
      where: `${folder}/${evidenceFiles.tap}`,
      seen: violation,
      expected: 'what docs/contract.md says of it',
    });
  }

  /** Median, 95th percentile and longest of the time an answer took, in ms. */
  get roundTrip(): Finding<{ p50Ms: number; p95Ms: number; maxMs: number }> {
    const times = this.fragments.flatMap(({ roundTripMs }) => roundTripMs ?? []);
    const [p50, p95] = [percentile(times, 50), percentile(times, 95)];
    if (!p50.observed || !p95.observed) return unobserved('no fragment was answered');
    return { observed: true, p50Ms: p50.value, p95Ms: p95.value, maxMs: Math.max(...times) };
  }

  /**
   * How much later than it is published a frame is shown to viewers, in seconds. The output is taken to begin when
   * the media server lists it, and both streams to run at their own speed: right to within 0.3 s.
   */
  async endToEndLatency(): Promise<Finding<{ seconds: number }>> {
    const { begunAt } = this;
    const { outputReady } = this.record.times;
    if (begunAt === undefined || outputReady === undefined) {
      return unobserved(`no output was ready: ${outcomeText(this.record.outcome)}`);
    }
    const [clock, { video, audio }] = [await this.output.clock(), await this.output.span()];
    if (!clock.observed) return clock;
    const shown = presentationsOf(clock, 0, this.fixture.durationSeconds / 2);
    if (!shown.observed) return shown;
    const begins = [video, audio].flatMap((track) => (track.observed ? track.firstPtsSeconds : []));
    const [first] = shown.presentations;
    const later = (first?.ptsSeconds ?? NaN) - Math.min(...begins);
    return { observed: true, seconds: (outputReady - begunAt) / 1000 + later };
  }

  /** What was said in each answered segment against the fixture's script. */
  get texts(): FragmentText[] {
    return this.fragments.flatMap(({ segment, answer }) => {
      const script = this.fixture.script[segment];
      // Where nobody speaks there is nothing to compare with.
      if (!answer || !script) return [];
      const { transcript, translation } = answer;
      return [
        {
          ...{ sequence: segment, script, transcript, translation },
          words: wordErrorRate(script, transcript),
        },
      ];
    });
  }

  judgedTexts(): Promise<JudgedText[]> {
    const { translation, targetLanguage } = this.fixture;
    return this.#cache.once('judged texts', () =>
      Promise.all(
        this.texts.map(async (text) => {
          const reference = translation?.[text.sequence];
          return {
            ...text,
            match:
              reference === undefined
                ? undefined
                : await matchTranslation(text.script, text.translation, reference, targetLanguage),
          };
        }),
      ),
    );
  }

  /** The language of all transcripts, or all translations, taken together. */
  async languageOf(what: 'transcript' | 'translation'): Promise<Finding<DetectedLanguage>> {
    const text = this.texts.map((one) => one[what]).join(' ');
    return this.#cache.once(`language of ${what}`, () => inWorkerThread('detectLanguage', text));
  }

  /** How loud and long the dubbed audio of an answer is. */
  async dubbedLevels(fragment: Fragment): Promise<Finding<AudioLevels>> {
    return this.#ofDub(fragment, (file) =>
      this.#cache.once(`levels ${file}`, async () =>
        audioLevels(await readAudio(file, LEVEL_RATE_HZ), LEVEL_RATE_HZ),
      ),
    );
  }

  /** How alike the dubbed audio of an answer and the original audio that was sent are. */
  async dubbedAgainstOriginal(fragment: Fragment): Promise<Finding<FingerprintMatch>> {
    const original = this.#file(fragment.audio);
    if (!original) return unobserved(`fragment ${fragment.index} has no audio`);
    return this.#ofDub(fragment, (dubbed) =>
      this.#cache.once(`fingerprint ${dubbed}`, async () => {
        const both = [fingerprintFile(original), fingerprintFile(dubbed)] as const;
        const [one, other] = await Promise.all(both);
        return bitErrorRate(one, other, 1);
      }),
    );
  }

  /** What is measured of a dub; unobserved where there is none, or it does not decode. */
  async #ofDub<T>(
    { index, answer }: Fragment,
    measure: (file: string) => Promise<Finding<T>>,
  ): Promise<Finding<T>> {
    const audio = answer?.audio;
    const file = this.#file(audio);
    if (!audio || !file) return unobserved(`fragment ${index} has no dubbed audio`);
    if (!audio.isKnown) return unobserved(undecodable(audio, file));
    try {
      return await measure(file);
    } catch (error) {
      const isOfDub = error instanceof SuiteError && error.problem.where === file;
      if (isOfDub && isUnreadable(error)) return unobserved(undecodable(audio, file));
      throw error;
    }
  }

  /** What arrived at the media server, against the packets of the broadcast's file. */
  receivedPackets(): Promise<Finding<Record<'video' | 'audio', Finding<ReceivedTrack>>>> {
    return this.#cache.once('received packets', async () => {
      const file = join(this.evidence.folder, evidenceFiles.inputHashes);
      if (!existsSync(file)) {
        return unobserved(`nobody has read it: ${whatWasSeen(this.record)}`);
      }
      const received = readPacketHashes(readFileSync(file, 'utf8'));
      const sent = await packetHashesOf(this.fixture.path);
      return {
        observed: true,
        video: receivedTrack(sent.video, received.video),
        audio: receivedTrack(sent.audio, received.audio),
      };
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
    throw new NotObserved({
      what: 'no recording of the output',
      where: pathOf(this.names.paths.output, this.stream),
      seen: whatWasSeen(this.record),
      expected: 'the dubbed broadcast, published by media-service',
      next: `read the services' logs in ${this.evidence.folder}`,
    });
  }

  /** How much of the output's beginning had passed at most before a reader recorded it, in seconds; undefined where none did. */
  get mayLackSeconds(): number | undefined {
    return this.record.reader?.mayLackSeconds;
  }

  /** False where a reader has recorded the output, and was not told how the times of video and audio belong together. */
  get areTimesKnown(): boolean {
    const { reader } = this.record;
    return reader === undefined || reader.areTimesKnown === true;
  }

  /** @throws CannotBeShown where this system or configuration does not offer it */
  demand(what: keyof NonNullable<BroadcastRecord['notOffered']>): void {
    const why = this.record.notOffered?.[what];
    if (why === undefined) return;
    throw new CannotBeShown({
      ...{ what: `no ${what} can be read (${why})`, where: `stream ${this.stream}` },
      ...{ seen: why, expected: `the ${what} of the services` },
      next: 'docs/your-own-services.md, Services that are running already',
    });
  }

  /**
   * What the recording of the output says. What needs the dubs throws as `fragments` where they were not heard.
   *
   * @throws NotObserved when there is none
   */
  get output(): OutputFindings {
    this.#output ??= new OutputFindings(this.outputFile, this.fixture, () => this.dubFiles);
    return this.#output;
  }

  /** As {@link OutputFindings.rest}. */
  async rest(): Promise<void> {
    await this.#output?.rest();
  }

  /** Where the audio of each sent fragment is, before and after. */
  get dubFiles(): DubFiles[] {
    return this.fragments.map((fragment) => ({
      sequence: fragment.segment,
      dubbed: this.#dubbedFile(fragment),
      original: this.#file(fragment.audio),
    }));
  }

  /** What the metrics of media-service say of it. */
  get metrics(): MetricFindings {
    const { evidence, names, record } = this;
    this.#metrics ??= new MetricFindings(evidence.metrics, names.metrics, record);
    return this.#metrics;
  }

  /** Nothing can be looked for by a dub that does not decode. */
  #dubbedFile({ answer }: Fragment): string | undefined {
    return answer?.audio?.isKnown ? this.#file(answer.audio) : undefined;
  }

  #file(audio: FragmentAudio | undefined): string | undefined {
    return audio && join(this.evidence.folder, audio.file);
  }
}

function isUnreadable(error: SuiteError): boolean {
  return error instanceof MediaUnreadable || error instanceof NoAudioTrack;
}

const SHOWN_BYTES = 8;

/** Of a dub that is no audio: what it is called, and how its bytes begin. */
function undecodable({ format, bytes }: FragmentAudio, file: string): string {
  const begin = readFileSync(file).subarray(0, SHOWN_BYTES).toString('hex');
  return `the dub does not decode: format ${format ?? 'not'} said, ${bytes} bytes that begin with ${begin || 'nothing'}`;
}
