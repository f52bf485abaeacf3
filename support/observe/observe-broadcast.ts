import { setTimeout as delay } from 'node:timers/promises';

import { clockOffsetMs, now } from '../base/clock';
import { messageOf } from '../base/errors';
import { evidenceFiles } from '../broadcast/evidence';
import { EvidenceWriter } from '../broadcast/evidence-writer';
import type { TapEvent } from '../broadcast/events';
import {
  type BroadcastRecord,
  type BroadcastTimes,
  EVIDENCE_VERSION,
  type Outcome,
} from '../broadcast/record';
import { BroadcastPolls } from './broadcast-polls';
import { watchMachine } from './machine';
import type { ObserveOptions } from './observe-options';
import type { Publication } from './publication';
import { publish, type PublishedTo } from './publisher';
import { type ServiceExits, watchExits } from './service-exits';

/** A broadcast is given up when its output has not grown for this long after its end. */
const OUTPUT_PATIENCE_MS = 60_000;
/** … or when MediaMTX has not answered for this long. */
const API_PATIENCE_MS = 10_000;
/** … or when for this long nobody has read it or been connected to the STS for it, and there is no output. */
const WORKER_PATIENCE_MS = 5_000;
/** Content that is kept back begins so long after somebody was first seen to read it: a reader is listed before it can be sent a packet. */
const JOINS_MS = 500;
/** … or so long after publishing, where nobody reads it. A media server gives up who sends nothing for 10 s. */
const UNREAD_MS = 8000;
const PROGRESS_EVERY_SECONDS = 5;
/** Clocks that are kept right are moved by less in the time of a broadcast. */
const CLOCK_STEP_SECONDS = 1;

/**
 * Publishes one fixture once and observes everything until the output has ended. What goes wrong is written to the
 * evidence, never thrown: the Then steps judge it.
 *
 * @throws CannotBeShown where the media server cannot be told to refuse the output
 * @throws SuiteError when the evidence could not be written
 */
export async function observeBroadcast(options: ObserveOptions): Promise<BroadcastRecord> {
  const evidence = new EvidenceWriter(options.folder);
  const polls = new BroadcastPolls(options, evidence);
  const startedAt = new Date().toISOString();
  const endRecording = recordExchange(options, evidence);
  await polls.prepare().catch((error: unknown) => {
    endRecording();
    throw error;
  });
  const exits = await exitsSeen(options, polls);

  const to = publishedTo(options, polls.input);
  const machineSeen = watchMachine();
  polls.times.published = now();
  const publication = publish(
    options.publishedFrom ?? options.fixture.path,
    to,
    options.track,
    options.fixture.durationSeconds,
  );
  const publisherEnd = publication.result.then((result) => {
    polls.times.publisherEnded = now();
    options.onPublished();
    return result;
  });
  polls.start();
  const outcome = await endOf(options, polls, publication);
  polls.times.outputEnded = now();
  options.onIngested();

  publication.stop();
  const publisher = await publisherEnd;
  await polls.stop();
  const reader = await endOfReader(polls);
  await collect(options, polls, evidence);
  endRecording();
  await collectLogs(options, polls, evidence);
  const serviceExits = await exits();
  noteClock(polls);
  const { stream, fixture, request, faultSeed, runtime, monitorMode } = options;
  const { times, problems, viewer, stsConnections } = polls;
  const { waits, busyShare } = machineSeen();
  const record: BroadcastRecord = {
    version: EVIDENCE_VERSION,
    ...{ stream, request, faultSeed, startedAt, finishedAt: now(), outcome, runtime },
    ...{ monitor: monitorMode, fixtureScript: fixture.yamlPath, fixtureFile: fixture.path },
    ...{ durationSeconds: fixture.durationSeconds, segmentSeconds: fixture.segmentSeconds },
    publishing: publishingOf(to, publication, polls),
    ...{ times, publisher, problems, alongside: [...polls.alongside].sort() },
    ...(viewer ? { viewer: await viewer.result } : {}),
    ...(reader ? { reader } : {}),
    ...(Object.keys(serviceExits).length > 0 ? { serviceExits } : {}),
    ...(options.notOffered ? { notOffered: options.notOffered } : {}),
    ...(stsConnections.seen.length > 0 ? { stsConnections } : {}),
    ...(waits.length > 0 ? { waits } : {}),
    ...(busyShare === undefined ? {} : { busyShare }),
  };
  evidence.finish(record);
  return record;
}

function publishedTo(
  { mediaServer: server, rtmpUrl: rtmp, publishing }: ObserveOptions,
  path: string,
): PublishedTo {
  const { protocol, holds } = publishing;
  return { server, path, holds, ...(protocol === 'rtmp' ? { rtmp } : {}) };
}

/** Whether content that is kept back may begin `at` that time, in ms since the epoch. */
export function mayBegin(
  { published = Infinity, ingested = Infinity }: BroadcastTimes,
  at: number,
): boolean {
  return at >= Math.min(ingested + JOINS_MS, published + UNREAD_MS);
}

/** How it was published, and how much later than that its content began: 0 where it was not kept back, or never began. */
function publishingOf(
  { rtmp }: PublishedTo,
  publication: Publication,
  { times }: BroadcastPolls,
): NonNullable<BroadcastRecord['publishing']> {
  const published = times.published ?? NaN;
  return {
    protocol: rtmp === undefined ? 'rtsp' : 'rtmp',
    leadInSeconds: ((publication.begunAt() ?? published) - published) / 1000,
  };
}

/** Writes what the services say to each other; returns what ends it. */
function recordExchange({ monitor, stream }: ObserveOptions, evidence: EvidenceWriter): () => void {
  // A connection that does not say which stream it is of may be of this one.
  const isOurs = (event: TapEvent): boolean =>
    event.stream === stream ||
    event.connection === 0 ||
    (event.stream === undefined && ['open', 'refused', 'close'].includes(event.kind));
  monitor.events.filter(isOurs).forEach((event) => evidence.addTapEvent(event));
  return monitor.onEvent((event) => {
    if (isOurs(event)) evidence.addTapEvent(event);
  });
}

/** Waits until the broadcast is over, tells how far it is, and cuts its publisher off where that was asked for. */
async function endOf(
  options: ObserveOptions,
  polls: BroadcastPolls,
  publication: Publication,
): Promise<Outcome> {
  const { signal, request, monitor, stream, fixture } = options;
  const cutOffMs = (request.cutOffAfterSeconds ?? Infinity) * 1000;
  let saidAt = 0;
  for (;;) {
    const outcome = whyOver(options, polls, now());
    if (outcome) return outcome;
    const elapsedSeconds = (now() - (polls.times.published ?? now())) / 1000;
    if (elapsedSeconds - saidAt >= PROGRESS_EVERY_SECONDS) {
      saidAt = elapsedSeconds;
      const answers = monitor.events.filter(
        (one) => one.stream === stream && one.event === 'fragment:processed',
      );
      const { durationSeconds } = fixture;
      const fragmentsProcessed = answers.length;
      options.onProgress({ stream, elapsedSeconds, durationSeconds, fragmentsProcessed });
    }
    if (mayBegin(polls.times, now())) publication.begin();
    const begunAt = publication.begunAt() ?? polls.times.inputReady;
    if (now() - (begunAt ?? Infinity) >= cutOffMs) publication.breakOff();
    if (mayBeConnected(options, polls)) polls.workerSeenAt = now();
    await delay(50, undefined, { signal }).catch(() => undefined);
  }
}

/** Whether media-service may still be connected to the STS for this stream, or still be trying. */
function mayBeConnected(
  { monitorMode, monitor, stream }: ObserveOptions,
  { times }: BroadcastPolls,
): boolean {
  // Without the tap that is unknown; but a worker that is there reads the broadcast while it lasts.
  if (monitorMode === 'direct') return times.publisherEnded !== undefined;
  const last = monitor.events.findLast(
    (event) => event.stream === stream && ['open', 'close', 'refused'].includes(event.kind),
  );
  return last !== undefined && last.kind !== 'close';
}

/** Why the broadcast is over; undefined while it goes on. */
function whyOver(
  { signal, request }: ObserveOptions,
  polls: BroadcastPolls,
  at: number,
): Outcome | undefined {
  const { times } = polls;
  const given = (kind: Outcome['kind'], ms: number): Outcome => ({ kind, afterSeconds: ms / 1000 });
  if (signal.aborted) return { kind: 'suite ended' };
  if (at - (times.published ?? at) > request.budgetSeconds * 1000) {
    return given('budget used up', request.budgetSeconds * 1000);
  }
  if (at - polls.apiAnsweredAt > API_PATIENCE_MS) {
    const detail = polls.apiError();
    return {
      ...given('media server silent', API_PATIENCE_MS),
      ...(detail === undefined ? {} : { detail }),
    };
  }
  // A worker that has not come yet may be starting.
  const wasThere = times.ingested !== undefined && times.outputReady === undefined;
  if (wasThere && polls.apiAnsweredAt - polls.workerSeenAt > WORKER_PATIENCE_MS) {
    return given('worker gone', WORKER_PATIENCE_MS);
  }
  if (times.publisherEnded === undefined) return undefined;
  if (times.inputReady === undefined) return { kind: 'input never ready' };
  if (times.outputReady !== undefined && !polls.isOutputReady) return { kind: 'output ended' };
  const quietSince = Math.max(polls.outputGrewAt, times.publisherEnded);
  return at - quietSince > OUTPUT_PATIENCE_MS
    ? given('output stalled', OUTPUT_PATIENCE_MS)
    : undefined;
}

/** Who has recorded the output in place of the media server. */
async function endOfReader(polls: BroadcastPolls): Promise<BroadcastRecord['reader']> {
  const { outputReader, times, isOutputReady, problems } = polls;
  if (!outputReader) return undefined;
  const { why } = outputReader;
  const goesOn = isOutputReady || times.outputReady === undefined;
  const { problem, ...told } = await outputReader.reader.end(goesOn);
  if (times.outputReady === undefined) return { why, ...told };
  if (problem !== '') {
    problems.push(`reading the output: ${problem}`);
  }
  problems.push(
    `a reader has recorded the output: it may lack ${told.mayLackSeconds.toFixed(2)} s of its beginning, and the video up to the next key frame. The media server does not record it: ${why}`,
  );
  return { why, ...told };
}

/** What is there when it is over: the last metrics, the recording, the segments on disk. */
async function collect(
  { api, recording, fetchSegments }: ObserveOptions,
  polls: BroadcastPolls,
  evidence: EvidenceWriter,
): Promise<void> {
  // Of all polls, this is the last: counters are read off it.
  await polls.pollMetrics(true).catch(polls.note('metrics after the broadcast'));
  // A viewer of an output that has ended stops by itself; of one that goes on (budget used up), not.
  if (polls.isOutputReady) polls.viewer?.stop();
  await polls.viewer?.result;
  // It has ended with the broadcast, long before the output has.
  polls.inputReader?.stop();
  const notRead = await polls.inputReader?.result;
  if (notRead) polls.problems.push(`reading the broadcast: ${notRead}`);
  if (!polls.outputReader) {
    await api.forget(polls.output).catch(polls.note('configuration of the output'));
  }
  if (polls.times.outputReady === undefined) {
    polls.problems.push(`${polls.output} was never ready in MediaMTX`);
  } else if (!polls.outputReader && 'fetch' in recording) {
    const pieces = await recording
      .fetch(evidence.path(evidenceFiles.output))
      .catch((error: unknown) => {
        polls.note('recording of the output')(error);
        return 1;
      });
    if (pieces > 1) polls.problems.push(`the output was interrupted: ${pieces} recordings`);
  }
  await fetchSegments?.(evidence.path(evidenceFiles.segments)).catch(
    polls.note('segments on disk'),
  );
}

async function collectLogs(
  { logs }: ObserveOptions,
  { problems }: BroadcastPolls,
  evidence: EvidenceWriter,
): Promise<void> {
  const texts = await logs().catch((error: unknown) => {
    problems.push(`logs of the services: ${messageOf(error)}`);
    return new Map<string, string>();
  });
  for (const [service, text] of texts) evidence.addLog(service, text);
}

/** Returns what tells which services have ended since; none where that cannot be known. */
async function exitsSeen(
  { states }: ObserveOptions,
  polls: BroadcastPolls,
): Promise<() => Promise<ServiceExits>> {
  const none = (): Promise<ServiceExits> => Promise.resolve({});
  if (!states) return none;
  const note = polls.note('the services that run');
  const unknown = (error: unknown): typeof none => {
    note(error);
    return none;
  };
  const exits = await watchExits(states).catch(unknown);
  return () => exits().catch((error: unknown) => unknown(error)());
}

function noteClock({ problems }: BroadcastPolls): void {
  const offsetSeconds = clockOffsetMs() / 1000;
  if (Math.abs(offsetSeconds) <= CLOCK_STEP_SECONDS) return;
  problems.push(
    `the clock of this machine was set by ${offsetSeconds.toFixed(1)} s since the suite was started: times in the logs of services are by another clock than those of the suite`,
  );
}
