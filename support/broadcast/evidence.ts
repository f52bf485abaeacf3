import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { z } from 'zod';

import { messageOf, NotObserved, SuiteError } from '../base/errors';
import { jsonOf } from '../base/json';
import { hidingSecrets, safeText, withoutSecrets } from '../base/safe-text';
import type { TapEvent, UndecodableMessage } from '../observe/tap';

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
export type BroadcastRecord = z.infer<typeof runSchema>;
export type BroadcastTimes = z.infer<typeof timesSchema>;

/** Where an audio payload of an event was put: a file beside the event log. */
export interface AudioFile {
  file: string;
  bytes: number;
}

/** JSON has no other numbers than finite ones: the rest are written as words. */
const number = z.union([
  z.number(),
  z.enum(['NaN', 'Infinity', '-Infinity']).transform((word) => Number(word)),
]);
const labels = z.record(z.string(), z.string());

const metricsSchema = z.object({
  at: z.number(),
  samples: z.array(
    z.object({
      name: z.string(),
      labels,
      value: number,
      timestampMs: number.exactOptional(),
      exemplar: z
        .object({ labels, value: number, timestampMs: number.exactOptional() })
        .exactOptional(),
    }),
  ),
  /** By name: counter, gauge, histogram …; in the first and the last look. */
  types: z.record(z.string(), z.string()).exactOptional(),
});

/** One look at /metrics. */
export type MetricsRecord = z.infer<typeof metricsSchema>;

const mediaMtxSchema = z.object({
  at: z.number(),
  paths: z.array(
    z.object({
      name: z.string(),
      ready: z.boolean(),
      tracks: z.array(z.string()),
      bytesReceived: z.number(),
      /** What kind of connection publishes the path (rtspSession, rtmpConn …). */
      source: z.string().exactOptional(),
      /** The kinds of connections that read it. */
      readers: z.array(z.string()),
    }),
  ),
});

/** One look at MediaMTX's paths of the stream. */
export type MediaMtxRecord = z.infer<typeof mediaMtxSchema>;

const tapSchema = z
  .object({
    at: z.number(),
    connection: z.number(),
    stream: z.string().optional(),
    direction: z.enum(['to-sts', 'from-sts']),
    kind: z.enum(['open', 'refused', 'close', 'event', 'undecodable', 'fault']),
    event: z.string().exactOptional(),
    payload: z.unknown().optional(),
  })
  .transform((event): TapEvent => ({ ...event, stream: event.stream }));

/** What was seen of one broadcast; all of it is in `folder`. */
export interface Evidence {
  folder: string;
  run: BroadcastRecord;
  /** What was said between media-service and STS; reading it throws NotObserved where nobody could hear it. */
  readonly tap: TapEvent[];
  readonly metrics: MetricsRecord[];
  readonly mediamtx: MediaMtxRecord[];
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

/** Of a message that is none, the evidence's line shows so many characters; the whole of it is in a file. */
const SHOWN_CHARACTERS = 200;

const pcmSchema = z.looseObject({
  format: z.literal('pcm_s16le'),
  sample_rate_hz: z.int().min(1).max(1_000_000),
  channels: z.int().min(1).max(64).default(1),
});

/**
 * Writes an evidence folder while a broadcast is running; keeps nothing in memory. Secrets are not written.
 *
 * What cannot be written (disk full, no permission) must not disturb the broadcast, which others watch as well: `finish`
 * throws it.
 */
export class EvidenceWriter {
  #failure: SuiteError | undefined;
  #files = 0;

  /** @throws SuiteError when the folder cannot be made */
  constructor(readonly folder: string) {
    this.#write('audio', () => mkdirSync(this.path('audio'), { recursive: true }));
    // A file that is empty says that nothing was seen; one that is missing says nothing.
    for (const name of [evidenceFiles.tap, evidenceFiles.metrics, evidenceFiles.mediamtx]) {
      this.#write(name, () => appendFileSync(this.path(name), ''));
    }
    if (this.#failure) throw this.#failure;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Appends an event; audio goes to a WAV or M4A file of its own, which a person can listen to. */
  addTapEvent(event: TapEvent): void {
    this.#write(evidenceFiles.tap, () => {
      const payload =
        event.kind === 'undecodable'
          ? this.#withoutMessage(event.payload as UndecodableMessage)
          : this.#withoutAudio(event);
      this.#append(evidenceFiles.tap, { ...event, payload });
    });
  }

  addMetrics(record: MetricsRecord): void {
    this.#write(evidenceFiles.metrics, () => this.#append(evidenceFiles.metrics, record));
  }

  addMediaMtx(record: MediaMtxRecord): void {
    this.#write(evidenceFiles.mediamtx, () => this.#append(evidenceFiles.mediamtx, record));
  }

  addLog(service: string, text: string): void {
    this.#write(`${service}.log`, () => {
      writeFileSync(this.path(`${service}.log`), safeText(text));
    });
  }

  /** @throws SuiteError when anything could not be written: what is missing cannot be judged */
  finish(run: BroadcastRecord): void {
    this.#write(evidenceFiles.run, () => {
      writeFileSync(this.path(evidenceFiles.run), JSON.stringify(run, hidingSecrets, 2));
    });
    if (this.#failure) throw this.#failure;
  }

  #write(name: string, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#failure ??= new SuiteError(
        {
          what: 'the evidence cannot be written',
          where: join(this.folder, name),
          seen: messageOf(error),
          expected: 'a folder that can be written to, with space on its disk',
          next: 'free some space, or set REPORTS_DIR to another folder',
        },
        { cause: error },
      );
    }
  }

  #append(file: string, line: unknown): void {
    let text: string;
    try {
      text = JSON.stringify(line, writable);
    } catch (error) {
      // JSON that is nested too deeply to be written can be read: the rest of such an event is kept.
      if (!(error instanceof RangeError)) throw error;
      text = JSON.stringify({ ...(line as object), payload: { unwritable: messageOf(error) } });
    }
    appendFileSync(this.path(file), `${text}\n`);
  }

  /** Writes bytes to a file of its own. Two messages may say the same of themselves: each has its file. */
  #store(name: string, extension: string, bytes: Buffer | string): AudioFile {
    const taken = existsSync(this.path(`${name}.${extension}`));
    if (taken) this.#files += 1;
    const file = `${taken ? `${name}-again-${this.#files}` : name}.${extension}`;
    mkdirSync(dirname(this.path(file)), { recursive: true });
    writeFileSync(this.path(file), bytes);
    return { file, bytes: bytes.length };
  }

  #withoutMessage({ reason, message }: UndecodableMessage): unknown {
    if (message === undefined) return { reason };
    this.#files += 1;
    const name = `undecodable/${this.#files}`;
    if (typeof message !== 'string') return { reason, ...this.#store(name, 'bin', message) };
    const begins = message.slice(0, SHOWN_CHARACTERS);
    return { reason, begins, ...this.#store(name, 'txt', withoutSecrets(message)) };
  }

  #withoutAudio({ event, payload, connection }: TapEvent): unknown {
    const key = event === 'fragment:data' ? 'audio' : 'dubbed_audio';
    // Two forms are in use: an object with data_base64, and the bare Base64 string.
    const audio: unknown = isObject(payload) ? payload[key] : undefined;
    const fields = typeof audio === 'string' ? { data_base64: audio } : audio;
    if (!isObject(payload) || !isObject(fields)) return this.#withoutBytes(payload);
    const kept = this.#withoutBytes({ ...payload, [key]: undefined }) as object;
    const { data_base64: base64, file, bytes, ...format } = fields;
    // These two names are the evidence's own: whoever says them does not choose what is read.
    const said = file === undefined && bytes === undefined ? {} : { said: { file, bytes } };
    if (typeof base64 !== 'string') {
      const rest = this.#withoutBytes({ ...format, data_base64: base64 }) as object;
      return { ...kept, [key]: { ...rest, ...said } };
    }
    const sequence = payload['sequence_number'];
    const shown = typeof sequence === 'number' ? String(sequence) : 'x';
    const name = `audio/${connection}-${shown.padStart(4, '0')}-${key === 'audio' ? 'original' : 'dubbed'}`;
    const decoded = Buffer.from(base64, 'base64');
    const pcm = pcmSchema.safeParse(format);
    const stored = pcm.success
      ? this.#store(
          name,
          'wav',
          Buffer.concat([
            wavHeader(decoded.length, pcm.data.sample_rate_hz, pcm.data.channels),
            decoded,
          ]),
        )
      : this.#store(name, 'bin', decoded);
    // What is not Base64 is decoded as far as it goes; as it was seen it is kept beside that.
    const isBase64 = decoded.toString('base64').length === base64.length;
    const invalid = isBase64 ? {} : { not_base64: this.#store(name, 'txt', base64).file };
    return {
      ...kept,
      [key]: { ...format, ...said, ...stored, bytes: decoded.length, ...invalid },
    };
  }

  /** A value whose binary attachments are in files. */
  #withoutBytes(value: unknown, depth = 0): unknown {
    // Attachments are what Socket.IO puts in place of a mark; deeper than this nobody puts them.
    if (depth > 20) return value;
    if (Buffer.isBuffer(value)) {
      this.#files += 1;
      return this.#store(`attachments/${this.#files}`, 'bin', value);
    }
    if (Array.isArray(value)) return value.map((item) => this.#withoutBytes(item, depth + 1));
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, this.#withoutBytes(item, depth + 1)]),
    );
  }
}

/** For JSON.stringify: no secrets, and numbers that JSON does not have as words. */
function writable(key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value)
    ? String(value)
    : hidingSecrets(key, value);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Reads an evidence folder.
 *
 * @throws NotObserved when it has no run.json, or one that cannot be read. Reading `tap`, `metrics` and `mediamtx` throws
 *   it as well, naming file and line, when their file is missing or is not what was written
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
  const run = valueOf(runSchema, textOf(runFile), runFile);
  const known = new Map<string, unknown[]>();
  const lines = <T>(name: string, schema: z.ZodType<T>): T[] => {
    const file = join(path, name);
    const values =
      known.get(name) ??
      textOf(file)
        .split('\n')
        .filter((line) => line !== '')
        .map((line, index) => valueOf(schema, line, `${file}:${index + 1}`));
    known.set(name, values);
    return values as T[];
  };
  return {
    folder: path,
    run,
    get tap() {
      const heard = lines(evidenceFiles.tap, tapSchema);
      if (run.monitor === 'tap' || heard.length > 0) return heard;
      throw new NotObserved({
        what: 'what media-service and the STS said to each other was not heard',
        where: `stream ${run.stream}`,
        seen: `STS_MONITOR is ${run.monitor}, and this STS speaks to the connection of media-service only`,
        expected: 'a run with the tap',
        next: 'unset STS_MONITOR',
      });
    },
    get metrics() {
      return lines(evidenceFiles.metrics, metricsSchema);
    },
    get mediamtx() {
      return lines(evidenceFiles.mediamtx, mediaMtxSchema);
    },
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

function readRun(folder: string): BroadcastRecord {
  const file = join(folder, evidenceFiles.run);
  return valueOf(runSchema, textOf(file), file);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(file, messageOf(error));
  }
}

function valueOf<T>(schema: z.ZodType<T>, text: string, where: string): T {
  const parsed = schema.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const about = `${issue?.path.join('.') || 'not JSON'}: ${issue?.message}`;
  throw unreadable(where, `${about}; it ends in "${text.slice(-100)}"`);
}

function unreadable(where: string, seen: string): NotObserved {
  return new NotObserved({
    ...{ what: 'a file of the evidence cannot be read', where, seen },
    expected: 'the file as the suite has written it, complete',
    next: 'publish the broadcast again',
  });
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
