import { z } from 'zod';

import { type Direction, faultSchema } from './fault';

/** Something the tap saw. `at` is milliseconds since the epoch, `connection` counts from 1. */
export interface TapEvent {
  at: number;
  connection: number;
  /** X-Stream-ID of the connection, or the stream_id of its first event; undefined before either is known. */
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
}

const faultDone = z.looseObject({
  /** What the plan says. */
  fault: faultSchema,
  /** The fragment whose answer it concerned. */
  fragment: z.string().exactOptional(),
  /** The delay that was drawn, what was lost, or why it could not be done. */
  detail: z.string().exactOptional(),
});

/** A fault of the plan that the tap has done. */
export type FaultDone = z.infer<typeof faultDone>;

/** What the tap has done at that event; undefined for all other events. */
export function faultDoneAt({ kind, payload }: TapEvent): FaultDone | undefined {
  return kind === 'fault' ? faultDone.safeParse(payload).data : undefined;
}

/** The fields of a payload, which may be anything. */
export function fieldsOf(payload: unknown): Record<string, unknown> {
  return typeof payload === 'object' && payload !== null
    ? (payload as Record<string, unknown>)
    : {};
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
