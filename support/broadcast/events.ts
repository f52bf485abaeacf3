import { z } from 'zod';

import { type Direction, faultSchema } from './fault';

/** Something the tap saw. `at` is milliseconds since the epoch, `connection` counts from 1. */
export interface TapEvent {
  at: number;
  /**
   * When its first bytes came, where it came from media-service by WebSocket: a fragment is a MB, which a busy machine takes a while for. Of
   * an `open`: when media-service asked for it, before the STS was reached.
   */
  begunAt?: number;
  connection: number;
  /**
   * X-Stream-ID of the connection, where that is a stream or its path, else the stream_id of its first event, else the only stream that is being dubbed and
   * without a connection; undefined where none of them says it.
   */
  stream: string | undefined;
  direction: Direction;
  /**
   * `event`: a Socket.IO event; `open`/`refused`/`close`: the connection; `undecodable`: not WebSocket, Engine.IO or
   * Socket.IO, `payload` is an UndecodableMessage; `fault`: what the tap has done itself, `payload` is a FaultDone.
   */
  kind: 'open' | 'refused' | 'close' | 'event' | 'undecodable' | 'fault';
  /** Name of the Socket.IO event. */
  event?: string;
  /** First argument of the event, or what is known of the opening or closing. */
  payload?: unknown;
}

/** A malformed message, as it was seen. */
export interface UndecodableMessage {
  reason: string;
  /** Not there where the WebSocket itself was broken. */
  message?: string | Buffer;
  /** Where it is well-formed in a protocol that the contract does not have. */
  protocol?: ForeignProtocol;
}

/** Protocols that are not read, in words for people. */
const FOREIGN_PROTOCOLS = {
  eio3: 'Engine.IO 3 by long polling, which clients of Socket.IO 2 speak',
  msgpack: 'Socket.IO packets in MessagePack (socket.io-msgpack-parser)',
} as const;

type ForeignProtocol = keyof typeof FOREIGN_PROTOCOLS;

/** Which foreign protocols were spoken, in words for people; empty where none was. */
export function foreignText(events: readonly TapEvent[]): string {
  const spoken = new Set(
    events
      .filter(({ kind }) => kind === 'undecodable')
      .map(({ payload }) => fieldsOf(payload)['protocol']),
  );
  return Object.entries(FOREIGN_PROTOCOLS)
    .filter(([name]) => spoken.has(name))
    .map(
      ([, words]) =>
        `what is not read was spoken: ${words}; the contract is Socket.IO 5 with its own parser`,
    )
    .join('; ');
}

const faultDone = z.looseObject({
  /** What the plan says. */
  fault: faultSchema,
  /** The fragment whose answer it concerned. */
  fragment: z.string().exactOptional(),
  /** The delay that was drawn, what was lost, or that the answer has no dub to alter. */
  detail: z.string().exactOptional(),
  /** Why it could not be done, though its moment had come. */
  notDone: z.string().exactOptional(),
});

/** A fault of the plan that the tap has done, or could not do. */
export type FaultDone = z.infer<typeof faultDone>;

/** What the tap has done at that event; undefined for all other events. */
export function faultDoneAt({ kind, payload }: TapEvent): FaultDone | undefined {
  return kind === 'fault' ? faultDone.safeParse(payload).data : undefined;
}

/** Whether a connection ended without being closed (code 1000; RFC 6455, 7.4.1). */
export function isLoss({ kind, payload }: TapEvent): boolean {
  return kind === 'close' && fieldsOf(payload)['code'] !== 1000;
}

/** The fields of a payload, which may be anything. */
export function fieldsOf(payload: unknown): Record<string, unknown> {
  return typeof payload === 'object' && payload !== null
    ? (payload as Record<string, unknown>)
    : {};
}

const refusal = z.looseObject({
  /** The STS that was asked. */
  sts: z.string(),
  /** Who has refused: the STS by its answer; the scenario by a fault; `nobody`: the STS could not be reached, or asked. */
  by: z.enum(['STS', 'scenario', 'nobody']),
  /** Why, in words for people; of the STS its own: status and body of its answer. */
  reason: z.string(),
});

/** Why a connection did not come about. */
export type Refusal = z.infer<typeof refusal>;

/** Why connections did not come about, in the order of time; not those that a fault has refused. */
function refusalsOf(events: readonly TapEvent[]): Refusal[] {
  return events.flatMap(({ kind, payload }) => {
    const { data } = refusal.safeParse(kind === 'refused' ? payload : undefined);
    return data && data.by !== 'scenario' ? [data] : [];
  });
}

/** The same for people, each reason once: `3 connections were refused by the STS: HTTP 400: …`; empty where there are none. */
export function refusalText(events: readonly TapEvent[]): string {
  const counts = new Map<string, number>();
  for (const { by, sts, reason } of refusalsOf(events)) {
    const how = by === 'STS' ? `refused by the STS: ${reason}` : `not relayed to ${sts}: ${reason}`;
    counts.set(how, (counts.get(how) ?? 0) + 1);
  }
  return [...counts]
    .map(([how, count]) => `${count} connection${count === 1 ? ' was' : 's were'} ${how}`)
    .join('; ');
}

/** One end of a TCP connection, as the tap sees it. */
const endSchema = z.object({ address: z.string(), port: z.number() });

export type TcpEnd = z.infer<typeof endSchema>;

/** The client's end of a connection to the tap, at its opening; undefined where it is not known. */
export function clientOf({ payload }: TapEvent): TcpEnd | undefined {
  return endSchema.safeParse(fieldsOf(payload)['client']).data;
}

/** The STS's end of the connection to which the tap relays it. */
export function upstreamOf({ payload }: TapEvent): TcpEnd | undefined {
  return endSchema.safeParse(fieldsOf(payload)['upstream']).data;
}
