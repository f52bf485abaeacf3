import { setTimeout as delay } from 'node:timers/promises';

import { now } from '../base/clock';
import { CannotBeShown, messageOf } from '../base/errors';
import { evidenceFiles } from '../broadcast/evidence';
import { clientOf } from '../broadcast/events';
import type { EvidenceWriter } from '../broadcast/evidence-writer';
import type { BroadcastRecord, BroadcastTimes } from '../broadcast/record';
import { isNameOf, pathOf, streamIn } from '../broadcast/stream-paths';
import { type InputReader, readInput } from './input-reader';
import type { MediaMtxPath } from './mediamtx-api';
import type { ObserveOptions } from './observe-options';
import { type OutputReader, readOutput } from './output-reader';
import { type Doorway, rtspDoorway } from './rtsp-relay';
import { sample, type Sampler } from './sampler';
import { watch, type Viewer } from './viewer';

const METRICS_EVERY_MS = 1000;
/** Until the worker's metrics are there. */
const FIRST_METRICS_EVERY_MS = 100;
const PATHS_EVERY_MS = 250;
/** Until the output is ready: what is late by less than that is not noticed. */
const FIRST_PATHS_EVERY_MS = 50;
/** It reads the tables of all connections of this machine. */
const NETWORK_EVERY_MS = 500;
/** What MediaMTX calls the connection of the suite's own reader. */
const OWN_READER = { rtmp: /^rtmps?Conn$/, rtsp: /^rtsps?Session$/ };
/** How long a worker that has ended its stream may take to close its connection to the STS. */
const CLOSES_MS = 5000;

/** What is polled while a broadcast is dubbed: the media server's paths, the metrics, the connection to the STS. */
export class BroadcastPolls {
  readonly input: string;
  readonly output: string;
  readonly times: BroadcastTimes = {};
  /** What could not be observed, and why. */
  readonly problems: string[] = [];
  /** Other streams that were there at the same time. */
  readonly alongside = new Set<string>();
  isOutputReady = false;
  outputGrewAt = now();
  apiAnsweredAt = now();
  workerSeenAt = now();
  viewer: Viewer | undefined;
  inputReader: InputReader | undefined;
  /** Who records the output where the media server does not, and why it does not. */
  outputReader: { reader: OutputReader; why: string } | undefined;
  readonly stsConnections: NonNullable<BroadcastRecord['stsConnections']>;
  #outputBytes = 0;
  #samplers: Record<'paths' | 'metrics' | 'network', Sampler> | undefined;
  readonly #stsPort: number;

  constructor(
    private readonly options: ObserveOptions,
    private readonly evidence: EvidenceWriter,
  ) {
    this.input = pathOf(options.streamPaths.input, options.stream);
    this.output = pathOf(options.streamPaths.output, options.stream);
    const { hostname, port, protocol } = new URL(options.stsUrl);
    this.stsConnections = { host: hostname, seen: [] };
    this.#stsPort = Number(port || (protocol === 'https:' ? 443 : 80));
  }

  /** Notes what could not be observed. @param what completes "{what}: {error}" */
  note(what: string): (error: unknown) => void {
    return (error) => void this.problems.push(`${what}: ${messageOf(error)}`);
  }

  /**
   * The counters before the broadcast, and the recording of the output, or its refusal.
   *
   * @throws CannotBeShown where the output is to be refused, and the media server does not take that from the suite
   */
  async prepare(): Promise<void> {
    // What later counters are compared with.
    await this.pollMetrics(true).catch(this.note('metrics before the broadcast'));
    if (this.options.request.refusesOutput) await this.#refuseOutput();
    else await this.#record();
    // What is open before there is anything to dub is no connection of this stream.
    if (this.#isDirect) await this.#pollConnections().catch(this.note('connections to the STS'));
  }

  async #refuseOutput(): Promise<void> {
    const { api } = this.options;
    await api.refusePublishers(this.output).catch((error: unknown) => {
      throw new CannotBeShown(
        {
          what: 'the media server cannot be told to refuse the output',
          ...{
            where: api.url,
            seen: messageOf(error),
            expected: 'a path that is added by its API',
          },
        },
        { cause: error },
      );
    });
  }

  /** By the media server itself, or else by a reader. */
  async #record(): Promise<void> {
    const { api, recording, mediaServer, track } = this.options;
    const why =
      'whyNot' in recording
        ? recording.whyNot
        : await api.record(this.output, recording.pattern).then(() => undefined, messageOf);
    if (why === undefined) return;
    const file = this.evidence.path(evidenceFiles.output);
    this.outputReader = { reader: await readOutput(mediaServer, this.output, file, track), why };
  }

  /** Where a reader finds a path: by RTMP, or where that needs a password or TLS, by RTSP. */
  #doorway(path: string): { address: string; at: Doorway | Promise<Doorway> } {
    const { rtmpUrl, mediaServer } = this.options;
    if (!this.#readsByRtmp) {
      return { address: `${mediaServer.url}/${path}`, at: rtspDoorway(mediaServer, path) };
    }
    const address = `${rtmpUrl}/${path}`;
    return { address, at: { url: address, close: () => undefined } };
  }

  get #readsByRtmp(): boolean {
    const { rtmpUrl, mediaServer } = this.options;
    return mediaServer.user === undefined && rtmpUrl.startsWith('rtmp://');
  }

  get #isDirect(): boolean {
    return this.options.monitorMode === 'direct';
  }

  start(): void {
    const { times } = this;
    // The preparation may have taken long: nothing is overdue because of it.
    this.outputGrewAt = this.apiAnsweredAt = this.workerSeenAt = now();
    this.#samplers = {
      network: sample(
        () => NETWORK_EVERY_MS,
        () => this.#pollConnections(),
      ),
      paths: sample(
        () => (times.outputReady ? PATHS_EVERY_MS : FIRST_PATHS_EVERY_MS),
        () => this.#pollPaths(),
      ),
      metrics: sample(
        () =>
          (times.metricsSeen ?? times.outputReady) ? METRICS_EVERY_MS : FIRST_METRICS_EVERY_MS,
        () => this.pollMetrics(),
      ),
    };
  }

  /** Why the last poll of the media server failed; undefined where it did not. */
  apiError(): string | undefined {
    return this.#samplers?.paths.lastError();
  }

  async stop(): Promise<void> {
    if (!this.#samplers) return;
    const { paths, metrics, network } = this.#samplers;
    await Promise.all([paths.stop(), metrics.stop(), network.stop()]);
    for (const [what, { failures }] of [
      ['MediaMTX', paths],
      ['the metrics', metrics],
    ] as const) {
      const { polls, failed, lastReason } = failures;
      if (failed > 0) {
        this.problems.push(`${failed} of ${polls} polls of ${what} failed: ${lastReason}`);
      }
    }
    if (this.#isDirect) await this.#seeConnectionsClosed();
    if (this.stsConnections.seen.some(({ open }) => open.length > 0)) return;
    if (!this.options.network) return;
    const why = network.lastError();
    this.problems.push(
      `no TCP connection of media-service to port ${this.#stsPort} was seen${why === undefined ? '' : `: ${why}`}`,
    );
  }

  async #seeConnectionsClosed(): Promise<void> {
    const deadline = now() + CLOSES_MS;
    while (now() < deadline && this.stsConnections.seen.at(-1)?.open.length !== 0) {
      await delay(NETWORK_EVERY_MS);
      await this.#pollConnections().catch(this.note('connections to the STS'));
    }
  }

  /** @param fresh not shared with other broadcasts; the types of all metrics are noted as well */
  async pollMetrics(fresh = false): Promise<void> {
    const { stream, metrics } = this.options;
    const { askedAt, at, value } = await metrics({ fresh });
    // Other streams have evidence of their own.
    const samples = value.samples.filter(
      ({ labels: { stream_id: of } }) => of === undefined || isNameOf(stream, of),
    );
    const types = [...value.families].flatMap(([name, { type }]): [string, string][] =>
      type ? [[name, type]] : [],
    );
    const kinds = fresh ? { types: Object.fromEntries(types) } : {};
    this.evidence.addMetrics({ askedAt, at, samples, ...kinds });
    // Whatever the label is called.
    const isOurs = ({ labels }: (typeof samples)[number]): boolean =>
      Object.values(labels).some((value) => isNameOf(stream, value));
    if (samples.some(isOurs)) this.times.metricsSeen ??= at;
  }

  async #pollPaths(): Promise<void> {
    const { at, value } = await this.options.paths();
    const paths = value
      .filter(({ name }) => name === this.input || name === this.output)
      .map((path) => (path.name === this.input ? this.#withoutOwnReader(path) : path));
    this.apiAnsweredAt = at;
    for (const { name, ready } of value) {
      const { input, output } = this.options.streamPaths;
      const stream = streamIn(input, name) ?? streamIn(output, name);
      if (ready && stream !== undefined && stream !== this.options.stream)
        this.alongside.add(stream);
    }
    this.evidence.addMediaMtx({
      at,
      paths: paths.map(({ name, ready, tracks, bytesReceived, readers, source }) => ({
        ...{ name, ready, tracks, bytesReceived, readers: readers.map(({ type }) => type) },
        ...(source ? { source: source.type } : {}),
      })),
    });
    this.#seenInput(
      at,
      paths.find(({ name }) => name === this.input),
    );
    this.#seenOutput(
      at,
      paths.find(({ name }) => name === this.output),
    );
  }

  #seenInput(at: number, input: MediaMtxPath | undefined): void {
    if (input?.ready) this.times.inputReady ??= at;
    if (!input?.readers.length) return;
    this.times.ingested ??= at;
    this.workerSeenAt = at;
    this.options.onIngested();
    this.outputReader?.reader.begin();
    // Not before: whoever reads it first is media-service.
    const { withInputReader, track } = this.options;
    if (!withInputReader || this.inputReader) return;
    const hashes = this.evidence.path(evidenceFiles.inputHashes);
    this.inputReader = readInput(this.#doorway(this.input).at, hashes, track);
  }

  /** The suite's own reader is no worker. */
  #withoutOwnReader(path: MediaMtxPath): MediaMtxPath {
    if (!this.inputReader) return path;
    const ownType = OWN_READER[this.#readsByRtmp ? 'rtmp' : 'rtsp'];
    const own = path.readers.findLastIndex(({ type }) => ownType.test(type));
    return { ...path, readers: path.readers.filter((_, i) => i !== own) };
  }

  #seenOutput(at: number, output: MediaMtxPath | undefined): void {
    this.isOutputReady = output?.ready ?? false;
    if (this.isOutputReady) this.times.outputReady ??= at;
    const { withViewer, track } = this.options;
    if (this.isOutputReady && withViewer && !this.viewer) {
      const { address, at: doorway } = this.#doorway(this.output);
      this.viewer = watch(address, doorway, this.evidence.path(evidenceFiles.viewer), track);
    }
    if (output && output.bytesReceived > this.#outputBytes) {
      this.#outputBytes = output.bytesReceived;
      this.outputGrewAt = at;
    }
  }

  async #pollConnections(): Promise<void> {
    if (!this.#isDirect && !this.#awaitsOwnConnection()) return;
    const { network } = this.options;
    if (!network) return;
    const { stsConnections } = this;
    const { seen } = stsConnections;
    const open = (await network.connections())
      .filter(({ remotePort }) => remotePort === this.#stsPort)
      .map(({ localPort, remoteAddress, remotePort }) => ({ localPort, remoteAddress, remotePort }))
      .sort((a, b) => a.localPort - b.localPort);
    const last = seen.at(-1)?.open;
    if (last && JSON.stringify(last) === JSON.stringify(open)) return;
    seen.push({ at: now(), open });
    if (open.length === 0 || stsConnections.hostAddress !== undefined) return;
    const hostAddress = await network.addressOf(stsConnections.host);
    if (hostAddress !== undefined) stsConnections.hostAddress = hostAddress;
  }

  /** Whether the stream has connected to the tap, and the other end of that connection was not seen yet. */
  #awaitsOwnConnection(): boolean {
    const { monitor, stream } = this.options;
    const opened = monitor.events.find((one) => one.stream === stream && one.kind === 'open');
    const port = opened && clientOf(opened)?.port;
    if (port === undefined) return false;
    return !this.stsConnections.seen.some(({ open }) => open.some((c) => c.localPort === port));
  }
}
