import { z } from 'zod';

import { faultSchema } from './fault';

/** Something that the Echo STS can be told about a stream (contract, "Echo STS also takes …"). */
const echoControl = z.strictObject({
  event: z.enum(['config:error_simulation', 'simulate:disconnect']),
  payload: z.record(z.string(), z.unknown()),
});

export type EchoControl = z.infer<typeof echoControl>;

/** Services of a scenario's own, on ports of their own. */
const ownServices = z.enum(['dual without a tap', 'media with the Echo STS']);

/**
 * Which compositions dub: the two of specs 019 and 021; the two once more, with nothing between them; the media composition
 * with the Echo STS in place of the STS composition; or the one with the Echo STS (018), by its segments' length. With
 * `oneAtATime` one fragment is in flight, and media-service waits long for its answer.
 */
const composition = z.union([
  z.literal('dual'),
  ownServices,
  z.strictObject({
    echoSegmentSeconds: z.number().positive(),
    oneAtATime: z.literal(true).exactOptional(),
  }),
]);

export type OwnServices = z.infer<typeof ownServices>;
export type EchoComposition = Extract<z.infer<typeof composition>, object>;

export const requestSchema = z.strictObject({
  /** Name of a YAML file in fixtures/; null: the configured one-minute broadcast. */
  fixture: z.string().nullable().default(null),
  /** Only so much of its beginning is published; null: all of it. */
  seconds: z.number().positive().nullable().default(null),
  composition: composition.default('dual'),
  /**
   * How it gets to the media server; null: as acceptance.yaml says (services.mediaServer.publishing). `encoder`: by RTMP as an
   * encoder does it, without a lead-in.
   */
  publishedBy: z.enum(['rtsp', 'rtmp', 'encoder']).nullable().default(null),
  /** What goes wrong between media-service and the STS. */
  faults: z.array(faultSchema).default([]),
  /** What the Echo STS is told about the stream before it is published. */
  controls: z.array(echoControl).default([]),
  /** The publisher is killed this long after the media server has the broadcast; null: it ends by itself. */
  cutOffAfterSeconds: z.number().positive().nullable().default(null),
  /** Whether the media server refuses to have the output published. */
  refusesOutput: z.boolean().default(false),
  /** After which it is given up. Spec 021: the whole pipeline, from publishing to the end of the output, in 300 s. */
  budgetSeconds: z.number().positive().default(300),
  /**
   * How many seconds each second of it stands for, where time is compressed: lengths, delays and the budget above are those
   * of the compressed broadcast, what is judged are those that they stand for.
   */
  timeScale: z.number().min(1).default(1),
  /** Tells broadcasts apart that are otherwise the same. */
  use: z.int().default(0),
});

/** Which broadcast a scenario wants dubbed, and what goes wrong with it. Two that are equal are dubbed once. */
export type BroadcastRequest = z.infer<typeof requestSchema>;

/** What of a request is not as usual. */
export type PartialRequest = z.input<typeof requestSchema>;

/** A request with all that is usual filled in. */
export function requestOf(wanted: PartialRequest = {}): BroadcastRequest {
  return requestSchema.parse(wanted);
}

/** The same text for equal requests, whatever the order in which their parts were said. */
export function keyOf(request: BroadcastRequest): string {
  return JSON.stringify(requestSchema.parse(request), (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** Whether the Echo STS dubs it. */
export function isEcho({ composition }: BroadcastRequest): boolean {
  return typeof composition === 'object' || composition === 'media with the Echo STS';
}

/** The length of its segments in seconds; undefined where it is that of its fixture. */
export function segmentSecondsOf({ composition }: BroadcastRequest): number | undefined {
  return typeof composition === 'object' ? composition.echoSegmentSeconds : undefined;
}

/** Whether it has no fault: what is wrong with its output is then the services' own. */
export function isUndisturbed(request: BroadcastRequest): boolean {
  const { faults, controls, cutOffAfterSeconds, refusesOutput } = request;
  return (
    faults.length === 0 && controls.length === 0 && cutOffAfterSeconds === null && !refusesOutput
  );
}
