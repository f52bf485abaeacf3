import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';

import { z } from 'zod';

import { NotObserved } from '../errors';
import type { Sample } from '../analyze/prometheus';
import type { TapEvent } from './tap';

const timesSchema = z.object({
  /** The publisher was started. */
  published: z.number().optional(),
  /** MediaMTX listed the input as ready. */
  inputReady: z.number().optional(),
  /** Somebody, the worker, was reading the input. */
  ingested: z.number().optional(),
  /** The worker's metrics of this stream were first seen. */
  metricsSeen: z.number().optional(),
  /** MediaMTX listed the output as ready. */
  outputReady: z.number().optional(),
  /** The publisher ended. */
  publisherEnded: z.number().optional(),
  /** The output ended, or the run gave up waiting for it. */
  outputEnded: z.number().optional(),
});

const runSchema = z.object({
  stream: z.string(),
  /** What the scenario asked for (BroadcastOptions of support/session.ts): by it, recorded broadcasts are found again. */
  asked: z.record(z.string(), z.unknown()),
  startedAt: z.string(),
  /** Everything was over; milliseconds since the epoch, as all times here. */
  finishedAt: z.number(),
  budgetSeconds: z.number(),
  /** What ended the run: the end of the output, or why it was given up. */
  outcome: z.string(),
  runtime: z.string(),
  monitor: z.string(),
  fixtureScript: z.string(),
  fixtureFile: z.string(),
  /** How much of the fixture was published, and the length of the segments that it is cut into. */
  durationSeconds: z.number(),
  segmentSeconds: z.number(),
  /** What went wrong between media-service and the STS, in the words of the scenario; the seed of random delays. */
  plan: z.object({ words: z.array(z.string()), seed: z.number() }),
  times: timesSchema,
  publisher: z.object({ exitCode: z.number().nullable(), stderr: z.string() }),
  viewer: z
    .object({
      url: z.string(),
      exitCode: z.number().nullable(),
      framesDecoded: z.number(),
      stderr: z.string(),
    })
    .optional(),
  /** The first TCP connection of media-service to the port at which it was told to find the STS. */
  stsConnection: z
    .object({
      at: z.number(),
      /** The host name that it was told, and the address that this name had for it then. */
      host: z.string(),
      hostAddress: z.string().optional(),
      localPort: z.number(),
      remoteAddress: z.string(),
      remotePort: z.number(),
    })
    .optional(),
  /** What could not be observed, and why. */
  problems: z.array(z.string()),
});

/** The summary of one run, `run.json`. */
export type RunRecord = z.infer<typeof runSchema>;
export type RunTimes = z.infer<typeof timesSchema>;

/** Where an audio payload of an event was put: a file beside the event log. */
export interface AudioFile {
  file: string;
  bytes: number;
}

/** One look at /metrics. */
export interface MetricsRecord {
  at: number;
  samples: Sample[];
  /** By name: counter, gauge, histogram …; in the first and the last look. */
  types?: Record<string, string>;
}

/** One look at MediaMTX's paths of the stream. */
export interface MediaMtxRecord {
  at: number;
  paths: {
    name: string;
    ready: boolean;
    tracks: string[];
    bytesReceived: number;
    /** What kind of connection publishes the path (rtspSession, rtmpConn …). */
    source?: string;
    /** The kinds of connections that read it. */
    readers: string[];
  }[];
}

/** What was seen of one broadcast; all of it is in `folder`. */
export interface Evidence {
  folder: string;
  run: RunRecord;
  /** What was said between media-service and STS; reading it throws NotObserved where nobody could hear it. */
  readonly tap: TapEvent[];
  metrics: MetricsRecord[];
  mediamtx: MediaMtxRecord[];
}

/** The names of the files in an evidence folder. */
export const evidenceFiles = {
  run: 'run.json',
  tap: 'tap.ndjson',
  metrics: 'metrics.ndjson',
  mediamtx: 'mediamtx.ndjson',
  output: 'output.mp4',
  viewer: 'viewer.mkv',
  /** A folder: what media-service has written to disk. */
  segments: 'segments',
} as const;

/** Writes an evidence folder while a broadcast is running; keeps nothing in memory. */
export class EvidenceWriter {
  constructor(readonly folder: string) {
    mkdirSync(join(folder, 'audio'), { recursive: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Appends an event; audio goes to a WAV or M4A file of its own, which a person can listen to. */
  addTapEvent(event: TapEvent): void {
    this.#append(evidenceFiles.tap, { ...event, payload: this.#withoutAudio(event) });
  }

  addMetrics(record: MetricsRecord): void {
    this.#append(evidenceFiles.metrics, record);
  }

  addMediaMtx(record: MediaMtxRecord): void {
    this.#append(evidenceFiles.mediamtx, record);
  }

  addLog(service: string, text: string): void {
    writeFileSync(this.path(`${service}.log`), text);
  }

  finish(run: RunRecord): void {
    writeFileSync(this.path(evidenceFiles.run), JSON.stringify(run, null, 2));
  }

  #append(file: string, line: unknown): void {
    appendFileSync(this.path(file), `${JSON.stringify(line)}\n`);
  }

  #withoutAudio({ event, payload, connection }: TapEvent): unknown {
    const key = event === 'fragment:data' ? 'audio' : 'dubbed_audio';
    if (payload === null || typeof payload !== 'object') return payload;
    const audio: unknown = (payload as Record<string, unknown>)[key];
    // Two forms are in use: an object with data_base64, and the bare Base64 string.
    const fields = typeof audio === 'string' ? { data_base64: audio } : audio;
    if (fields === null || typeof fields !== 'object') return payload;
    const { data_base64: base64, ...format } = fields as Record<string, unknown>;
    if (typeof base64 !== 'string') return payload;
    const number = (payload as Record<string, unknown>)['sequence_number'];
    const sequence = typeof number === 'number' ? String(number) : 'x';
    const name = `audio/${connection}-${sequence.padStart(4, '0')}-${key === 'audio' ? 'original' : 'dubbed'}`;
    const bytes = Buffer.from(base64, 'base64');
    const isPcm = format['format'] === 'pcm_s16le' && 'sample_rate_hz' in format;
    const file = isPcm ? `${name}.wav` : `${name}.bin`;
    writeFileSync(
      this.path(file),
      isPcm
        ? Buffer.concat([
            wavHeader(
              bytes.length,
              Number(format['sample_rate_hz']),
              Number(format['channels'] ?? 1),
            ),
            bytes,
          ])
        : bytes,
    );
    const stored: AudioFile = { file, bytes: bytes.length };
    return { ...payload, [key]: { ...format, ...stored } };
  }
}

/**
 * Reads an evidence folder.
 *
 * @throws NotObserved when it has no run.json
 */
export function readEvidence(folder: string): Evidence {
  const path = resolve(folder);
  const runFile = join(path, evidenceFiles.run);
  if (!existsSync(runFile)) {
    throw new NotObserved({
      what: 'this is not an evidence folder',
      where: path,
      seen: `no ${evidenceFiles.run}`,
      expected: 'a folder of reports/evidence, of a run that has ended',
    });
  }
  const lines = <T>(name: string): T[] => {
    const file = join(path, name);
    if (!existsSync(file)) return [];
    const text = readFileSync(file, 'utf8').trim();
    return text === '' ? [] : text.split('\n').map((line) => JSON.parse(line) as T);
  };
  const run = readRun(path);
  const heard = lines<TapEvent>(evidenceFiles.tap);
  return {
    folder: path,
    run,
    get tap() {
      if (run.monitor === 'tap' || heard.length > 0) return heard;
      throw new NotObserved({
        what: 'what media-service and the STS said to each other was not heard',
        where: `stream ${run.stream}`,
        seen: `STS_MONITOR is ${run.monitor}, and this STS speaks to the connection of media-service only`,
        expected: 'a run with the tap',
        next: 'unset STS_MONITOR',
      });
    },
    metrics: lines(evidenceFiles.metrics),
    mediamtx: lines(evidenceFiles.mediamtx),
  };
}

/**
 * The broadcasts in a folder of evidence by what was asked for, as JSON; of several alike, the one published last.
 *
 * @returns the folder of each
 * @throws NotObserved when there are none
 */
export function recordedBroadcasts(folder: string): Map<string, string> {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const runs = names
    .map((name) => join(folder, name))
    .filter((path) => existsSync(join(path, evidenceFiles.run)))
    .map((path) => ({ path, run: readRun(path) }))
    .sort((a, b) => a.run.finishedAt - b.run.finishedAt);
  if (runs.length > 0) {
    return new Map(runs.map(({ path, run }) => [JSON.stringify(run.asked), path]));
  }
  throw new NotObserved({
    what: 'there is no evidence',
    where: folder,
    seen: names.join(', ') || 'nothing',
    expected: 'folders of broadcasts that have ended',
    next: 'npm run acceptance',
  });
}

function readRun(folder: string): RunRecord {
  return runSchema.parse(JSON.parse(readFileSync(join(folder, evidenceFiles.run), 'utf8')));
}

/** RIFF header for 16 bit PCM. */
function wavHeader(dataBytes: number, sampleRateHz: number, channels: number): Buffer {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(36 + dataBytes, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRateHz, 24);
  header.writeUInt32LE(sampleRateHz * channels * 2, 28);
  header.writeUInt16LE(channels * 2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(dataBytes, 40);
  return header;
}
