import { relative, resolve, sep } from 'node:path';

import { z } from 'zod';

import { requestSchema } from './request';

/** Of the files of an evidence folder. Evidence of another version is refused: the broadcast is published again. */
export const EVIDENCE_VERSION = 2;

/** When things happened; milliseconds since the epoch. What was never seen is not there. */
const times = z.object({
  /** The publisher was started. */
  published: z.number().exactOptional(),
  /** MediaMTX listed the input as ready. */
  inputReady: z.number().exactOptional(),
  /** Somebody, the worker, was reading the input. */
  ingested: z.number().exactOptional(),
  /** The worker's metrics of this stream were first seen. */
  metricsSeen: z.number().exactOptional(),
  /** MediaMTX listed the output as ready. */
  outputReady: z.number().exactOptional(),
  /** The publisher ended. */
  publisherEnded: z.number().exactOptional(),
  /** The output ended, or it was no longer waited for. */
  outputEnded: z.number().exactOptional(),
});

/** What ended the observation of a broadcast. `detail`: what the system said, for people. */
const outcome = z.strictObject({
  kind: z.enum([
    /** The only one of a broadcast that was dubbed to its end. */
    'output ended',
    'suite ended',
    'budget used up',
    'media server silent',
    'worker gone',
    'input never ready',
    'output stalled',
  ]),
  /** How long was waited for what did not come. */
  afterSeconds: z.number().exactOptional(),
  detail: z.string().exactOptional(),
});

/** The ends of a TCP connection, as the service sees them. */
const tcpConnection = z.object({
  localPort: z.number(),
  remoteAddress: z.string(),
  remotePort: z.number(),
});

const PROJECT = resolve(__dirname, '../..');

/** In its file, one of the project is told from the project's folder on: evidence is looked at in other places than its run was. */
const path = z.string().transform((text) => resolve(PROJECT, text));

export const recordSchema = z.object({
  version: z.literal(EVIDENCE_VERSION),
  stream: z.string(),
  /** What the scenario asked for: by it, recorded broadcasts are found again. */
  request: requestSchema,
  /** Where delays that are drawn at random begin. */
  faultSeed: z.number(),
  startedAt: z.string(),
  /** Everything was over; milliseconds since the epoch, as all times here. */
  finishedAt: z.number(),
  outcome,
  runtime: z.string(),
  /** `tap`: what services say to each other was relayed and recorded; `direct`: one more client of the STS listened. */
  monitor: z.enum(['tap', 'direct']),
  fixtureScript: path,
  fixtureFile: path,
  /** How much of the fixture was published, and the length of the segments that it is cut into. */
  durationSeconds: z.number(),
  segmentSeconds: z.number(),
  times,
  /** Other streams of the media server that were published or dubbed at the same time. */
  alongside: z.array(z.string()).exactOptional(),
  /** How it got to the media server; its content, kept back until it was read, began `leadInSeconds` after it was published. */
  publishing: z
    .object({ protocol: z.enum(['rtsp', 'rtmp']), leadInSeconds: z.number() })
    .exactOptional(),
  publisher: z.object({ exitCode: z.number().nullable(), stderr: z.string() }),
  viewer: z
    .object({
      url: z.string(),
      exitCode: z.number().nullable(),
      framesDecoded: z.number(),
      stderr: z.string(),
    })
    .exactOptional(),
  /** Who has recorded the output in place of the media server. */
  reader: z
    .object({
      why: z.string(),
      /** How much of its beginning had passed at most. */
      mayLackSeconds: z.number(),
      /** Whether the media server has told how the times of video and audio belong together; earlier evidence does not say. */
      areTimesKnown: z.boolean().exactOptional(),
    })
    .exactOptional(),
  /** By service: the exit code of a process or container of the media composition that has ended meanwhile. */
  serviceExits: z.record(z.string(), z.number()).exactOptional(),
  /** What this system or configuration does not offer, and why: what needs it is not shown. */
  notOffered: z.partialRecord(z.enum(['logs', 'segments']), z.string()).exactOptional(),
  /** Where media-service was told to find the STS, and its TCP connections to that port. */
  stsConnections: z
    .object({
      /** The host name that it was told, and the address that this name has for it. */
      host: z.string(),
      hostAddress: z.string().exactOptional(),
      /** All that were open at a time; an entry for each change. With the tap, until that of this stream was seen. */
      seen: z.array(z.object({ at: z.number(), open: z.array(tcpConnection) })),
    })
    .exactOptional(),
  /** When the suite itself was kept waiting, as the machine was busy: what was seen then was noted late. */
  waits: z.array(z.object({ at: z.number(), ms: z.number() })).exactOptional(),
  /** Which part of the time of all processors of the suite's machine was used meanwhile, 0 to 1. */
  busyShare: z.number().exactOptional(),
  /** What could not be observed, and why. */
  problems: z.array(z.string()),
});

/** The record of one broadcast, `run.json`. */
export type BroadcastRecord = z.infer<typeof recordSchema>;
export type BroadcastTimes = z.infer<typeof times>;
export type TcpConnection = z.infer<typeof tcpConnection>;
export type Outcome = z.infer<typeof outcome>;

/** Whether it was dubbed to the end of its output. */
export function isComplete({ outcome: { kind } }: Pick<BroadcastRecord, 'outcome'>): boolean {
  return kind === 'output ended';
}

/** What ended it, for people. */
export function outcomeText({ kind, afterSeconds, detail }: Outcome): string {
  const after = `${afterSeconds ?? '?'} s`;
  const text = {
    'output ended': 'the output ended',
    'suite ended': 'the suite was ended',
    'budget used up': `the budget of ${after} was used up`,
    'media server silent': `the media server has not answered for ${after}`,
    'worker gone': `the worker is gone: for ${after} nobody has read the broadcast or been connected to the STS for it, and there is no output`,
    'input never ready': 'the broadcast never reached the media server',
    'output stalled': `the output did not grow for ${after} after the end of the broadcast`,
  }[kind];
  return detail === undefined ? text : `${text}: ${detail}`;
}

/** Why something of a broadcast was not seen: what ended it, what the publisher said, and what could not be observed. */
export function whatWasSeen({ outcome, publisher, problems }: BroadcastRecord): string {
  const said = publisher.stderr ? [`publisher: ${publisher.stderr}`] : [];
  return [outcomeText(outcome), ...said, ...problems].join('; ');
}

/** A record as its file has it. */
export function inItsFile(record: BroadcastRecord): z.input<typeof recordSchema> {
  const { fixtureScript, fixtureFile } = record;
  return {
    ...record,
    fixtureScript: fromProject(fixtureScript),
    fixtureFile: fromProject(fixtureFile),
  };
}

function fromProject(file: string): string {
  const within = relative(PROJECT, file);
  return within.split(sep)[0] === '..' ? file : within;
}
