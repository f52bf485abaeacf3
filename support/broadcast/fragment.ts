import { z } from 'zod';

import { violationsOf as violationsOfPayload } from '../contract/contract';
import {
  audioFormat,
  backpressure,
  errorEvent,
  fragmentAck,
  fragmentData,
  fragmentProcessed,
  statusOf,
  streamComplete,
  streamReady,
} from '../contract/events';
import { DEFAULT_TIMEOUT_MS } from '../contract/limits';
import { UNKNOWN_EXTENSION } from './audio-format';
import { fieldsOf, type TapEvent } from './events';
import { mediaTimeIn, placesByTime } from './media-places';

/** The audio of an event: a file of the evidence folder, relative to it. */
export interface FragmentAudio {
  file: string;
  bytes: number;
  /** Whether the bytes are audio of a format that services send (support/broadcast/audio-format.ts). */
  isKnown: boolean;
  /** As the event says them; not there where it says nothing. */
  format: string | undefined;
  durationMs: number | undefined;
}

/** `fragment:processed` as media-service got it. */
export interface FragmentAnswer {
  at: number;
  connection: number;
  /** As the event says it; undefined where the STS sends none (spec 019). */
  sequence: number | undefined;
  /** `success` where the event says neither this nor an error (spec 019). */
  status: string;
  /** Which stream it is of, as the event says it. */
  stream: string | undefined;
  /** Not there where it is missing or null. */
  audio: FragmentAudio | undefined;
  transcript: string;
  translation: string;
  targetLanguage: string | undefined;
  timingsMs: { asr: number; translation: number; tts: number } | undefined;
  processingMs: number | undefined;
  /** What went wrong, as the STS says it, and in which of its stages. */
  error: { code: string; message: string; stage?: string } | undefined;
}

/**
 * How a fragment's wait for its answer ended: `answered`: by the STS, with a dub or an error; `timed out`: not within the
 * time that media-service has announced, or 8 s; `disconnected`: its connection was lost; `open`: not at all.
 */
export type WaitEnd = 'answered' | 'timed out' | 'disconnected' | 'open';

/** The audio of one segment on its way through the STS. Times are milliseconds since the epoch. */
export interface Fragment {
  /** From 0 in the order sent, over all connections: as the faults of a request count. */
  index: number;
  fragmentId: string;
  /**
   * The segment of the broadcast whose audio it is: by its time; where that does not tell, its sequence number, or `index` where
   * those are missing or begin again.
   */
  segment: number;
  /** As media-service counts; it begins again with each connection. */
  sequence: number | undefined;
  connection: number;
  sentAt: number;
  /** When it begins as the event says it, in ms of the stream; undefined where it says nothing, or the time of the clock. */
  timestampMs: number | undefined;
  audio: FragmentAudio | undefined;
  /** Whether the STS has acknowledged it. */
  isAcknowledged: boolean;
  /** The first `fragment:processed` after it was sent. */
  answer: FragmentAnswer | undefined;
  /** Code of the `error` event, or of the failed answer, that ended its wait; undefined for a success. */
  errorCode: string | undefined;
  end: WaitEnd;
  endedAt: number | undefined;
  /** From being sent to `fragment:processed`; undefined without one. */
  roundTripMs: number | undefined;
}

/** All fragments of a broadcast in the order sent, and what of the events does not fit the contract. */
export interface Fragments {
  fragments: Fragment[];
  /** Every `fragment:processed` in the order received; of fragments that were sent or not. */
  answers: (FragmentAnswer & { fragmentId: string })[];
  violations: string[];
}

/** The evidence keeps audio in files: these stand for `data_base64`. */
const stored = z.looseObject({ file: z.string(), bytes: z.int().nonnegative() });
const sentFragment = fragmentData.extend({ audio: audioFormat.extend(stored.shape) });
const processedFragment = fragmentProcessed.extend({
  dubbed_audio: z.union([audioFormat.extend(stored.shape), stored]).nullish(),
});

const initSchema = z.looseObject({ timeout_ms: z.number().positive() });

/** After which time media-service gives a fragment up, as it has told the STS, or as spec 016 says where it has not. */
export function announcedTimeoutMs(events: readonly TapEvent[]): number {
  const init = events.find(({ event }) => event === 'stream:init');
  return initSchema.safeParse(init?.payload).data?.timeout_ms ?? DEFAULT_TIMEOUT_MS;
}

/**
 * The one reader of fragments' events. Events that do not fit the contract are read as far as they go, and named in
 * `violations`.
 *
 * @param events of one broadcast, in the order of time
 * @param timeScale how many seconds each second of it stands for
 * @param segmentMs how long segments are; where not given, fragments are not placed by their time
 */
export function fragmentsOf(
  events: readonly TapEvent[],
  timeScale = 1,
  segmentMs = NaN,
): Fragments {
  const seen = (name: string, direction: TapEvent['direction']): TapEvent[] =>
    events.filter((one) => one.event === name && one.direction === direction);
  const sent = seen('fragment:data', 'to-sts');
  const processed = seen('fragment:processed', 'from-sts');
  const acknowledgements = seen('fragment:ack', 'from-sts');
  const ofSts: [string, z.ZodType][] = [
    ['stream:ready', streamReady],
    ['fragment:processed', processedFragment],
    ['fragment:ack', fragmentAck],
    ['backpressure', backpressure],
    ['error', errorEvent],
    ['stream:complete', streamComplete],
  ];
  const answers = processed.map(({ at, connection, payload }) => ({
    ...{ fragmentId: idIn(payload) ?? '', ...answerIn(payload), at, connection },
  }));
  const wire: Wire = {
    answers,
    errors: seen('error', 'from-sts').flatMap(({ at, payload }) => {
      const fragmentId = idIn(payload);
      return fragmentId === undefined ? [] : [{ at, fragmentId, code: codeIn(payload) }];
    }),
    acknowledged: new Set(acknowledgements.map(({ payload }) => idIn(payload))),
    closes: events.filter(({ kind }) => kind === 'close'),
    timeoutMs: announcedTimeoutMs(events),
    lastAt: events.at(-1)?.at ?? 0,
    timeScale,
  };
  return {
    fragments: numbered(
      sent.flatMap((event) => fragmentIn(event, wire) ?? []),
      segmentMs,
    ),
    answers,
    violations: [
      ...ofSts.flatMap(([name, schema]) =>
        violationsOf(seen(name, 'from-sts'), schema, (one) => namesOf(one, events)),
      ),
      ...violationsOf(sent, sentFragment),
    ],
  };
}

/** What was said besides the sending of fragments. */
interface Wire {
  answers: Fragments['answers'];
  errors: { at: number; fragmentId: string; code: string }[];
  acknowledged: ReadonlySet<string | undefined>;
  closes: TapEvent[];
  timeoutMs: number;
  /** When the last event was. */
  lastAt: number;
  timeScale: number;
}

/** A fragment before it is known which others there are. */
type SentFragment = Omit<Fragment, 'index' | 'segment'>;

function fragmentIn(
  { at: sentAt, connection, payload }: TapEvent,
  { answers, errors, acknowledged, closes, timeoutMs, lastAt, timeScale }: Wire,
): SentFragment | undefined {
  const fragmentId = idIn(payload);
  if (fragmentId === undefined) return undefined;
  const isIts = (one: { fragmentId: string; at: number }): boolean =>
    one.fragmentId === fragmentId && one.at >= sentAt;
  const answer = answers.find(isIts);
  const error = errors.find(isIts);
  const close = closes.find((one) => one.connection === connection && one.at >= sentAt);
  const isErrorFirst = error !== undefined && error.at < (answer?.at ?? Infinity);
  const ends: [number | undefined, WaitEnd][] = [
    [isErrorFirst ? error.at : answer?.at, 'answered'],
    [sentAt + timeoutMs <= lastAt ? sentAt + timeoutMs : undefined, 'timed out'],
    [close?.at, 'disconnected'],
  ];
  const [first] = ends
    .filter((end): end is [number, WaitEnd] => end[0] !== undefined)
    .sort(([a], [b]) => a - b);
  const fields = fieldsOf(payload);
  return {
    ...{ fragmentId, connection, sentAt, answer },
    sequence: numberIn(fields, 'sequence_number'),
    timestampMs: mediaTimeIn(fields['timestamp'], fieldsOf(fields['metadata'])['pts_ns'], sentAt),
    audio: audioIn(fields['audio']),
    isAcknowledged: acknowledged.has(fragmentId),
    errorCode: isErrorFirst ? error.code : answer && errorOf(answer),
    end: first?.[1] ?? 'open',
    endedAt: first?.[0],
    roundTripMs: answer && timeScale * (answer.at - sentAt),
  };
}

function numbered(sent: readonly SentFragment[], segmentMs: number): Fragment[] {
  const places = placesByTime(sent, segmentMs);
  const ids = [...new Set(sent.map(({ fragmentId }) => fragmentId))];
  const numbers = sent.map(({ sequence }) => sequence);
  const isCounted = new Set(numbers).size === numbers.length && !numbers.includes(undefined);
  return sent.map((one) => {
    const index = ids.indexOf(one.fragmentId);
    const counted = isCounted ? (one.sequence ?? index) : index;
    return { ...one, index, segment: places?.get(one.fragmentId) ?? counted };
  });
}

/** What the stream of an event is called: by the headers of its connection, and by the worker on it. */
function namesOf({ connection, stream }: TapEvent, events: readonly TapEvent[]): unknown[] {
  const said = events.flatMap((one) =>
    one.connection === connection && one.direction === 'to-sts'
      ? (fieldsOf(one.payload)['stream_id'] ?? [])
      : [],
  );
  return [stream, ...said];
}

/** @param names of an event's stream: what names another one does not fit either; not judged where not given */
function violationsOf(
  events: readonly TapEvent[],
  schema: z.ZodType,
  names?: (event: TapEvent) => readonly unknown[],
): string[] {
  return events.flatMap((one) => {
    const { event, payload } = one;
    const foreign = names && foreignIn(payload, names(one));
    // An event without an argument says as much as an empty one.
    const [violation = foreign] = violationsOfPayload(schema, payload ?? {});
    if (violation === undefined) return [];
    const shown = (JSON.stringify(payload) as string | undefined)?.slice(0, 300) ?? 'nothing';
    return [`${event}: ${violation} in ${shown}`];
  });
}

/** That an event names another stream than one with these names, as a violation; undefined where it does not. */
export function foreignIn(payload: unknown, names: readonly unknown[]): string | undefined {
  const { stream_id: of = null } = fieldsOf(payload);
  if (of === null || names.includes(of)) return undefined;
  return `stream_id: ${JSON.stringify(of)} is another stream`;
}

function errorOf({ status, error }: FragmentAnswer): string | undefined {
  const isGood = status === 'success' || status === 'partial';
  return isGood ? undefined : (error?.code ?? 'UNKNOWN');
}

function answerIn(payload: unknown): Omit<FragmentAnswer, 'at' | 'connection'> {
  const fields = fieldsOf(payload);
  const timings = fieldsOf(fields['stage_timings']);
  // A stage that is null took no time.
  const [asr, translation, tts] = ['asr_ms', 'translation_ms', 'tts_ms'].map((name) =>
    timings[name] === null ? 0 : numberIn(timings, name),
  );
  const error = fields['error'];
  return {
    sequence: numberIn(fields, 'sequence_number'),
    status: statusOf({ status: textIn(fields, 'status'), error }),
    stream: textIn(fields, 'stream_id'),
    audio: audioIn(fields['dubbed_audio']),
    transcript: textIn(fields, 'transcript') ?? '',
    translation: textIn(fields, 'translated_text') ?? '',
    targetLanguage: textIn(fields, 'target_language'),
    timingsMs:
      asr === undefined || translation === undefined || tts === undefined
        ? undefined
        : { asr, translation, tts },
    processingMs: numberIn(fields, 'processing_time_ms'),
    error: error === null || error === undefined ? undefined : errorIn(fieldsOf(error)),
  };
}

function errorIn(fields: Record<string, unknown>): NonNullable<FragmentAnswer['error']> {
  const [message = '', stage] = [textIn(fields, 'message'), textIn(fields, 'stage')];
  return { code: codeIn(fields), message, ...(stage === undefined ? {} : { stage }) };
}

function audioIn(payload: unknown): FragmentAudio | undefined {
  const fields = fieldsOf(payload);
  const file = textIn(fields, 'file');
  if (file === undefined) return undefined;
  return {
    file,
    bytes: numberIn(fields, 'bytes') ?? 0,
    isKnown: !file.endsWith(`.${UNKNOWN_EXTENSION}`),
    format: textIn(fields, 'format'),
    durationMs: numberIn(fields, 'duration_ms'),
  };
}

function idIn(payload: unknown): string | undefined {
  const id = fieldsOf(payload)['fragment_id'];
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
}

function codeIn(payload: unknown): string {
  return textIn(fieldsOf(payload), 'code') ?? 'UNKNOWN';
}

function textIn(fields: Record<string, unknown>, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' ? value : undefined;
}

function numberIn(fields: Record<string, unknown>, name: string): number | undefined {
  const value = fields[name];
  return typeof value === 'number' ? value : undefined;
}
