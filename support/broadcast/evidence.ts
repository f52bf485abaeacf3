import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { z } from 'zod';

import { CannotBeShown, messageOf, NotObserved } from '../base/errors';
import { jsonOf } from '../base/json';
import { fieldsOf, type TapEvent } from './events';
import { type Fragments, fragmentsOf } from './fragment';
import { type BroadcastRecord, EVIDENCE_VERSION, recordSchema } from './record';
import { keyOf } from './request';

const known = new Map<string, unknown>();

/** What each poll says again is held once, for all polls of all broadcasts. */
function once<T extends string | Readonly<Record<string, string>>>(value: T): T {
  const key = JSON.stringify(value);
  const held = known.get(key) as T | undefined;
  if (held === undefined) known.set(key, value);
  return held ?? value;
}

/** JSON has no other numbers than finite ones: the rest are written as words. */
const number = z.union([
  z.number(),
  z.enum(['NaN', 'Infinity', '-Infinity']).transform((word) => Number(word)),
]);
const labels = z.record(z.string(), z.string());

const metricsSchema = z.object({
  /** Whoever answers late answers what was true at some time between the two. */
  askedAt: z.number().exactOptional(),
  at: z.number(),
  samples: z.array(
    z.object({
      name: z.string().transform(once),
      labels: labels.transform(once),
      value: number,
      timestampMs: number.exactOptional(),
      exemplar: z
        .object({ labels, value: number, timestampMs: number.exactOptional() })
        .exactOptional(),
    }),
  ),
  /** By name: counter, gauge, histogram …; in the first and the last poll. */
  types: z.record(z.string(), z.string()).exactOptional(),
});

/** One poll of /metrics. */
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

/** One poll of MediaMTX's paths of the stream. */
export type MediaMtxRecord = z.infer<typeof mediaMtxSchema>;

const tapSchema = z
  .object({
    at: z.number(),
    connection: z.number(),
    stream: z.string().optional(),
    direction: z.enum(['to-sts', 'from-sts']),
    begunAt: z.number().exactOptional(),
    kind: z.enum(['open', 'refused', 'close', 'event', 'undecodable', 'fault']),
    event: z.string().exactOptional(),
    payload: z.unknown().optional(),
  })
  .transform((event): TapEvent => ({ ...event, stream: event.stream }));

/** What was seen of one broadcast; all of it is in `folder`. */
export interface Evidence {
  folder: string;
  record: BroadcastRecord;
  /** What was said between media-service and STS; reading it throws CannotBeShown where nobody could hear it. */
  readonly tap: TapEvent[];
  /** Connections that did not say which stream they are of, and may have been of this one; empty without a tap. */
  readonly unmatched: TapEvent[];
  /** The fragments in it, read once; events that do not fit the contract are named in `violations`. */
  readonly fragments: Fragments;
  readonly metrics: MetricsRecord[];
  readonly mediamtx: MediaMtxRecord[];
}

/** The names of the files in an evidence folder. */
export const evidenceFiles = {
  record: 'run.json',
  tap: 'tap.ndjson',
  metrics: 'metrics.ndjson',
  mediamtx: 'mediamtx.ndjson',
  output: 'output.mp4',
  viewer: 'viewer.mkv',
  /** A hash of each packet of the broadcast that a reader got from the media server. */
  inputHashes: 'input.framehash',
  /** A folder: what media-service has written to disk. */
  segments: 'segments',
} as const;

/**
 * Reads an evidence folder.
 *
 * @throws NotObserved when it has no run.json, or one that cannot be read. Reading `tap`, `metrics` and `mediamtx` throws
 *   it as well, naming file and line, when their file is missing or is not what was written
 */
export function readEvidence(folder: string): Evidence {
  const path = resolve(folder);
  if (!existsSync(join(path, evidenceFiles.record))) {
    throw new NotObserved({
      what: 'this is not an evidence folder',
      where: path,
      seen: `no ${evidenceFiles.record}`,
      expected: 'a folder of reports/evidence, of a broadcast that has ended',
    });
  }
  const record = readRecord(path);
  let fragments: Fragments | undefined;
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
    record,
    get tap() {
      const heard = lines(evidenceFiles.tap, tapSchema).filter((event) => !isUnmatched(event));
      if (record.monitor === 'tap' || heard.length > 0) return heard;
      throw new CannotBeShown({
        what: 'what media-service and the STS said to each other was not heard',
        where: `stream ${record.stream}`,
        seen: 'nothing was between them, and this STS speaks to the connection of media-service only',
        expected: 'a run with the tap',
        next: 'unset STS_MONITOR; with RUNTIME=external, set TAP_PORT (docs/your-own-services.md)',
      });
    },
    get unmatched() {
      return lines(evidenceFiles.tap, tapSchema).filter(isUnmatched);
    },
    get fragments() {
      fragments ??= fragmentsOf(this.tap, record.request.timeScale, 1000 * record.segmentSeconds);
      return fragments;
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
 * The broadcasts in a folder of evidence by the key of what was asked for; of several alike, the one published last.
 *
 * @returns the folder of each
 * @throws NotObserved when there are none, or one is of another version
 */
export function recordedBroadcasts(folder: string): Map<string, string> {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const recorded = names
    .map((name) => join(folder, name))
    .filter((path) => existsSync(join(path, evidenceFiles.record)))
    .map((path) => ({ path, record: readRecord(path) }))
    .sort((a, b) => a.record.finishedAt - b.record.finishedAt);
  if (recorded.length > 0) {
    return new Map(recorded.map(({ path, record }) => [keyOf(record.request), path]));
  }
  throw new NotObserved({
    what: 'there is no evidence',
    where: folder,
    seen: names.join(', ') || 'nothing',
    expected: 'folders of broadcasts that have ended',
    next: 'npm run acceptance',
  });
}

/** Connection 0 is the suite's own, which listens to the STS. */
function isUnmatched({ stream, connection }: TapEvent): boolean {
  return stream === undefined && connection !== 0;
}

function readRecord(folder: string): BroadcastRecord {
  const file = join(folder, evidenceFiles.record);
  const text = textOf(file);
  const { version } = fieldsOf(jsonOf(text));
  const isOther = jsonOf(text) !== undefined && version !== EVIDENCE_VERSION;
  if (!isOther) return valueOf(recordSchema, text, file);
  throw new NotObserved({
    what: 'this evidence was recorded by another version of the suite',
    where: file,
    seen: version === undefined ? 'no version' : `version ${JSON.stringify(version)}`,
    expected: `version ${EVIDENCE_VERSION}`,
    next: 'publish the broadcasts again (npm run acceptance), or judge them with the suite that has recorded them',
  });
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
