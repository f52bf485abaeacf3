/** What a scenario lets go wrong between media-service and the STS: typed values, nothing of how a feature says it. */
import { z } from 'zod';

/** Which way a message goes: from media-service, or to it. */
export type Direction = 'to-sts' | 'from-sts';

const count = z.int().nonnegative();
const milliseconds = z.number().nonnegative();

/** Some of a broadcast's fragments. They are counted from 0 as media-service sends them, over all its connections. */
const fragments = z.strictObject({
  first: count,
  /** Included; null: all that follow. */
  last: count.nullable(),
});

/** A moment of a broadcast, and how long after it. */
const moment = z.strictObject({
  /** `ready`: the STS has accepted the stream for the first time. */
  when: z.enum(['start', 'ready', 'sent', 'answered']),
  /** Which fragment was sent or answered. */
  fragment: count.exactOptional(),
  afterSeconds: z.number().nonnegative(),
});

const on = { on: fragments };
const at = { at: moment };

/** What is done to the answers to some fragments. Several faults of one fragment are done one after the other. */
const answerFault = z.discriminatedUnion('does', [
  z.strictObject({ ...on, does: z.literal('delay'), fromMs: milliseconds, toMs: milliseconds }),
  /** It is held back until that long after its fragment was sent: not at all where the STS takes longer. */
  z.strictObject({ ...on, does: z.literal('take'), ms: milliseconds }),
  z.strictObject({ ...on, does: z.literal('drop') }),
  z.strictObject({ ...on, does: z.literal('error'), code: z.string() }),
  z.strictObject({ ...on, does: z.literal('resize'), percent: z.number() }),
  /** The dub is half as loud: it can be told from the original, which viewers get in place of a dub. */
  z.strictObject({ ...on, does: z.literal('soften') }),
  z.strictObject({ ...on, does: z.literal('malform') }),
]);

/** What is done to a stream's connection at one moment. */
const connectionFault = z.discriminatedUnion('does', [
  z.strictObject({
    ...at,
    does: z.literal('backpressure'),
    action: z.enum(['pause', 'slow_down', 'none']),
    delayMs: milliseconds,
  }),
  /** Cut, and every new connection refused for some time; null: from then on. */
  z.strictObject({
    ...at,
    does: z.literal('disconnect'),
    refuseSeconds: z.number().nonnegative().nullable(),
  }),
  /** Nothing gets through in one direction any more, not even a ping, until the connection has ended. */
  z.strictObject({ ...at, does: z.literal('mute'), direction: z.enum(['to-sts', 'from-sts']) }),
]);

export const faultSchema = z.union([answerFault, connectionFault]);

export type Fragments = z.infer<typeof fragments>;
export type Moment = z.infer<typeof moment>;
export type AnswerFault = z.infer<typeof answerFault>;
export type ConnectionFault = z.infer<typeof connectionFault>;
/** One thing that goes wrong between media-service and the STS. */
export type Fault = AnswerFault | ConnectionFault;

/** Everything that goes wrong for one stream. */
export interface FaultPlan {
  faults: readonly Fault[];
  /** Where delays that are drawn at random begin; the same seed gives the same delays. */
  seed: number;
}

/** Whether a fault concerns the answers to fragments. */
export function isAnswerFault(fault: Fault): fault is AnswerFault {
  return 'on' in fault;
}

/** Whether a fault of answers concerns the answer to that fragment. */
export function concerns({ on: { first, last } }: AnswerFault, fragment: number): boolean {
  return fragment >= first && fragment <= (last ?? Infinity);
}

/** Whether the dub of that fragment is half as loud, so that it can be told from the original by its level. */
export function isSoftened(faults: readonly Fault[], fragment: number): boolean {
  return faults.some((fault) => isSoftening(fault) && concerns(fault, fragment));
}

/** Whether it makes the dubs of some fragments half as loud. */
export function isSoftening(fault: Fault): fault is AnswerFault {
  return isAnswerFault(fault) && fault.does === 'soften';
}

/** Whether every dub, whatever its fragment, is half as loud. */
export function softensAll(faults: readonly Fault[]): boolean {
  return faults.some(
    (fault) =>
      fault.does === 'soften' &&
      isAnswerFault(fault) &&
      fault.on.first === 0 &&
      fault.on.last === null,
  );
}

/** Whether a connection is refused for good: a worker gives up then, and ends before its broadcast does. */
export function refusesForGood(faults: readonly Fault[]): boolean {
  return faults.some((fault) => fault.does === 'disconnect' && fault.refuseSeconds === null);
}
