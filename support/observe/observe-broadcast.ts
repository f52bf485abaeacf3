import { setTimeout as delay } from 'node:timers/promises';

import type { MetricsText } from '../analyze/prometheus';
import { clockOffsetMs, now } from '../base/clock';
import { messageOf } from '../base/errors';
import type { Fixture } from '../broadcast/fixture';
import {
  EvidenceWriter,
  evidenceFiles,
  type BroadcastRecord,
  type BroadcastTimes,
} from '../broadcast/evidence';
import type { MediaMtxApi, MediaMtxPath } from './mediamtx-api';
import { publish } from './publisher';
import { sample } from './sampler';
import type { SharedPoll } from './shared-poll';
import type { SocketIOMonitor } from './socket-io-monitor';
import type { TapEvent } from './tap';
import type { Track } from './track';
import { watch, type Viewer } from './viewer';

/** A run is given up when the output has not grown for this long after the end of the broadcast. */
const OUTPUT_PATIENCE_MS = 60_000;
/** … or when MediaMTX has not answered for this long. */
const API_PATIENCE_MS = 10_000;
/** … or when for this long nobody has read the broadcast or been connected to the STS for it, and there is no output. */
const WORKER_PATIENCE_MS = 5_000;
const METRICS_EVERY_MS = 1000;
/** Clocks that are kept right are moved by less in the time of a run. */
const CLOCK_STEP_SECONDS = 1;

/** Both ends of a TCP connection, as the service sees them. */
interface TcpConnection {
  localPort: number;
  remoteAddress: string;
  remotePort: number;
}

/** How far a run has come; times in seconds since publishing began. */
export interface Progress {
  stream: string;
  elapsedSeconds: number;
  durationSeconds: number;
  fragmentsProcessed: number;
}

/** What is done to a run in place of letting it go on to its end. */
export interface Disturbance {
  /** The publisher is killed this long after the media server has the broadcast. */
  breakOffAfterSeconds?: number;
  /** The media server refuses to have the output published. */
  refuseOutput?: boolean;
}

export interface ObserveOptions {
  fixture: Fixture;
  /** What the scenario asked for, for the record. */
  asked: BroadcastRecord['asked'];
  faults: Disturbance;
  /** What goes wrong between media-service and the STS, for the record. */
  plan: { words: string[]; seed: number };
  /** Unique among all streams of the media server. */
  stream: string;
  folder: string;
  api: MediaMtxApi;
  /** Addresses seen from this host, without path. */
  rtspUrl: string;
  rtmpUrl: string;
  /** Looks at all paths of the media server, and at the metrics of media-service. */
  paths: SharedPoll<MediaMtxPath[]>;
  metrics: SharedPoll<MetricsText>;
  monitor: SocketIOMonitor;
  /** How the complete recording is made and fetched. */
  recording: {
    /** File name pattern as MediaMTX sees it. */
    pattern: string;
    /** Puts the recording of the stream's output in `file`; says how many pieces there were. */
    fetch: (file: string) => Promise<number>;
  };
  /** Puts the segments that media-service has written to disk in a folder; not given where they are not looked at. */
  fetchSegments?: (folder: string) => Promise<void>;
  /** What media-service was told of the STS, its TCP connections, and the addresses that names have for it. */
  network: {
    stsUrl: string;
    connections: () => Promise<TcpConnection[]>;
    addressOf: (name: string) => Promise<string | undefined>;
  };
  logs: () => Promise<Map<string, string>>;
  budgetSeconds: number;
  runtime: string;
  monitorMode: string;
  track: Track;
  /** Whether somebody watches the output live, besides the recording. */
  withViewer: boolean;
  onProgress: (progress: Progress) => void;
  /** The worker has begun to read the broadcast, or the run is over. */
  onIngested: () => void;
  signal: AbortSignal;
}

/**
 * Publishes one fixture once and observes everything until the output has ended. What goes wrong is written to the
 * evidence, never thrown: the Then steps judge it.
 *
 * @throws SuiteError when the evidence could not be written
 */
export async function observeBroadcast(options: ObserveOptions): Promise<BroadcastRecord> {
  const { fixture, stream, api, monitor, signal } = options;
  const input = `live/${stream}/in`;
  const output = `live/${stream}/out`;
  const evidence = new EvidenceWriter(options.folder);
  const startedAt = new Date().toISOString();
  const times: BroadcastTimes = {};
  const problems: string[] = [];
  const note =
    (what: string) =>
    (error: unknown): void =>
      void problems.push(`${what}: ${messageOf(error)}`);

  const isOurs = (event: TapEvent): boolean => event.stream === stream || event.connection === 0;
  monitor.events.filter(isOurs).forEach((event) => evidence.addTapEvent(event));
  const endListening = monitor.onEvent((event) => {
    if (isOurs(event)) evidence.addTapEvent(event);
  });

  const lookAtMetrics = async (fresh = false): Promise<void> => {
    const { at, value } = await options.metrics({ fresh });
    // Other streams have evidence of their own.
    const samples = value.samples.filter(
      ({ labels }) => !('stream_id' in labels) || labels['stream_id'] === stream,
    );
    const types = [...value.families].flatMap(([name, { type }]): [string, string][] =>
      type ? [[name, type]] : [],
    );
    evidence.addMetrics({ at, samples, ...(fresh ? { types: Object.fromEntries(types) } : {}) });
    if (samples.some(({ labels }) => labels['stream_id'] === stream)) times.metricsSeen ??= at;
  };
  // The counters before the broadcast are what later ones are compared with.
  await lookAtMetrics(true).catch(note('metrics before the broadcast'));
  await (
    options.faults.refuseOutput
      ? api.refusePublishers(output)
      : api.record(output, options.recording.pattern)
  ).catch(note('configuration of the output'));

  const live: { viewer?: Viewer; isReady: boolean } = { isReady: false };
  let outputBytes = 0;
  let outputGrewAt = now();
  let apiAnsweredAt = now();
  let workerSeenAt = now();
  const lookAtPaths = async (): Promise<void> => {
    const { at, value } = await options.paths();
    const paths = value.filter(({ name }) => name === input || name === output);
    apiAnsweredAt = at;
    evidence.addMediaMtx({
      at,
      paths: paths.map(({ name, ready, tracks, bytesReceived, readers, source }) => ({
        ...{ name, ready, tracks, bytesReceived, readers: readers.map(({ type }) => type) },
        ...(source ? { source: source.type } : {}),
      })),
    });
    const out = paths.find(({ name }) => name === output);
    live.isReady = out?.ready ?? false;
    const received = paths.find(({ name }) => name === input);
    if (received?.ready) times.inputReady ??= at;
    if (received?.readers.length) {
      times.ingested ??= at;
      workerSeenAt = at;
      options.onIngested();
    }
    if (live.isReady) {
      times.outputReady ??= at;
      if (options.withViewer) {
        live.viewer ??= watch(
          `${options.rtmpUrl}/${output}`,
          evidence.path(evidenceFiles.viewer),
          options.track,
        );
      }
    }
    if (out && out.bytesReceived > outputBytes) {
      outputBytes = out.bytesReceived;
      outputGrewAt = at;
    }
  };
  const { network } = options;
  const { hostname: stsHost, port, protocol } = new URL(network.stsUrl);
  const stsPort = Number(port || (protocol === 'https:' ? 443 : 80));
  let stsConnection: BroadcastRecord['stsConnection'];
  const lookAtConnections = async (): Promise<void> => {
    if (times.inputReady === undefined || stsConnection) return;
    const open = await network.connections();
    const found = open.find(({ remotePort }) => remotePort === stsPort);
    if (!found) return;
    const { localPort, remoteAddress, remotePort } = found;
    const hostAddress = await network.addressOf(stsHost);
    stsConnection = {
      ...{ at: now(), host: stsHost, localPort, remoteAddress, remotePort },
      ...(hostAddress === undefined ? {} : { hostAddress }),
    };
  };
  const networkSampler = sample(() => 250, lookAtConnections);
  const pathSampler = sample(() => (times.outputReady ? 250 : 50), lookAtPaths);
  const metricsSampler = sample(
    () => (times.metricsSeen ? METRICS_EVERY_MS : 100),
    () => lookAtMetrics(),
  );

  times.published = now();
  const publication = publish(
    fixture.path,
    `${options.rtspUrl}/${input}`,
    options.track,
    fixture.durationSeconds,
  );
  const publisherEnd = publication.result.then((result) => {
    times.publisherEnded = now();
    return result;
  });

  /** Whether media-service may still be connected to the STS for this stream, or still be trying. */
  const mayBeConnected = (): boolean => {
    // Without the tap nobody knows; but a worker that is there reads the broadcast while it lasts.
    if (options.monitorMode === 'direct') return times.publisherEnded !== undefined;
    const last = monitor.events.findLast(
      (event) => event.stream === stream && ['open', 'close', 'refused'].includes(event.kind),
    );
    return last !== undefined && last.kind !== 'close';
  };

  /** Why the run is over; undefined while it goes on. */
  const whyOver = (at: number): string | undefined => {
    const elapsedSeconds = (at - (times.published ?? at)) / 1000;
    if (signal.aborted) return 'the run was broken off';
    if (elapsedSeconds > options.budgetSeconds) {
      return `the budget of ${options.budgetSeconds} s was used up`;
    }
    if (at - apiAnsweredAt > API_PATIENCE_MS) {
      return `MediaMTX has not answered for ${API_PATIENCE_MS / 1000} s: ${pathSampler.lastError()}`;
    }
    // A worker that has not come yet may be starting.
    const wasThere = times.ingested !== undefined && times.outputReady === undefined;
    if (wasThere && apiAnsweredAt - workerSeenAt > WORKER_PATIENCE_MS) {
      return `the worker is gone: for ${WORKER_PATIENCE_MS / 1000} s nobody has read the broadcast or been connected to the STS for it, and there is no output`;
    }
    if (times.publisherEnded === undefined) return undefined;
    if (times.inputReady === undefined) return 'the broadcast never reached the media server';
    if (times.outputReady !== undefined && !live.isReady) return 'the output ended';
    const quietSince = Math.max(outputGrewAt, times.publisherEnded);
    return at - quietSince > OUTPUT_PATIENCE_MS
      ? `the output did not grow for ${OUTPUT_PATIENCE_MS / 1000} s after the end of the broadcast`
      : undefined;
  };
  let saidAt = 0;
  let outcome = whyOver(now());
  while (outcome === undefined) {
    const elapsedSeconds = (now() - times.published) / 1000;
    if (elapsedSeconds - saidAt >= 5) {
      saidAt = elapsedSeconds;
      const answers = monitor.events.filter((e) => isOurs(e) && e.event === 'fragment:processed');
      options.onProgress({
        ...{ stream, elapsedSeconds, durationSeconds: fixture.durationSeconds },
        fragmentsProcessed: answers.length,
      });
    }
    const { breakOffAfterSeconds = Infinity } = options.faults;
    if (now() - (times.inputReady ?? Infinity) >= breakOffAfterSeconds * 1000) {
      publication.breakOff();
    }
    if (mayBeConnected()) workerSeenAt = now();
    await delay(50, undefined, { signal }).catch(() => undefined);
    outcome = whyOver(now());
  }
  times.outputEnded = now();
  options.onIngested();

  publication.stop();
  const publisher = await publisherEnd;
  await Promise.all([pathSampler.stop(), metricsSampler.stop(), networkSampler.stop()]);
  for (const [what, { polls, failed, lastReason }] of [
    ['MediaMTX', pathSampler.failures],
    ['the metrics', metricsSampler.failures],
  ] as const) {
    if (failed > 0) problems.push(`${failed} of ${polls} looks at ${what} failed: ${lastReason}`);
  }
  // Of all that was looked at, this is the last: counters are read off it.
  await lookAtMetrics(true).catch(note('metrics after the broadcast'));
  if (!stsConnection) {
    problems.push(
      `no TCP connection of media-service to port ${stsPort} was seen${because(networkSampler.lastError())}`,
    );
  }
  // A viewer of an output that has ended stops by itself; of one that goes on (budget used up), not.
  if (live.isReady) live.viewer?.stop();
  const watched = await live.viewer?.result;
  await api.forget(output).catch(note('configuration of the output'));
  if (times.outputReady === undefined) {
    problems.push(`${output} was never ready in MediaMTX`);
  } else {
    const pieces = await options.recording
      .fetch(evidence.path(evidenceFiles.output))
      .catch((error: unknown) => {
        note('recording of the output')(error);
        return 1;
      });
    if (pieces > 1) problems.push(`the output was interrupted: ${pieces} recordings`);
  }
  await options
    .fetchSegments?.(evidence.path(evidenceFiles.segments))
    .catch(note('segments on disk'));
  endListening();
  const logs = await options.logs().catch((error: unknown) => {
    note('logs of the services')(error);
    return new Map<string, string>();
  });
  for (const [service, text] of logs) evidence.addLog(service, text);
  const offsetSeconds = clockOffsetMs() / 1000;
  if (Math.abs(offsetSeconds) > CLOCK_STEP_SECONDS) {
    problems.push(
      `the clock of this machine was set by ${offsetSeconds.toFixed(1)} s since the suite was started: times in the logs of services are by another clock than those of the suite`,
    );
  }
  const run: BroadcastRecord = {
    ...{ stream, startedAt, outcome, times, publisher, problems, asked: options.asked },
    finishedAt: now(),
    budgetSeconds: options.budgetSeconds,
    runtime: options.runtime,
    monitor: options.monitorMode,
    fixtureScript: fixture.yamlPath,
    fixtureFile: fixture.path,
    durationSeconds: fixture.durationSeconds,
    segmentSeconds: fixture.segmentSeconds,
    plan: options.plan,
    ...(watched ? { viewer: watched } : {}),
    ...(stsConnection ? { stsConnection } : {}),
  };
  evidence.finish(run);
  return run;
}

function because(error: string | undefined): string {
  return error === undefined ? '' : `: ${error}`;
}
