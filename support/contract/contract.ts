/** All events of the contract. */
import type { z } from 'zod';

import { controlAck, errorSimulation, simulatedDisconnect } from './echo-controls';
import {
  backpressure,
  errorEvent,
  fragmentAck,
  fragmentData,
  fragmentProcessed,
  streamComplete,
  streamControl,
  streamInit,
  streamReady,
} from './events';

export interface ContractEvent {
  name: string;
  from: 'worker' | 'STS' | 'both' | 'any client' | 'Echo STS';
  /** What it says. */
  says: string;
  payload: z.ZodObject;
}

export const EVENTS: readonly ContractEvent[] = [
  { name: 'stream:init', from: 'worker', says: 'Opens a stream.', payload: streamInit },
  { name: 'stream:ready', from: 'STS', says: 'The stream is accepted.', payload: streamReady },
  { name: 'fragment:data', from: 'worker', says: 'Audio to dub.', payload: fragmentData },
  { name: 'fragment:ack', from: 'both', says: 'How far a fragment is.', payload: fragmentAck },
  {
    name: 'fragment:processed',
    from: 'STS',
    says: 'The answer to a fragment; in the order of sequence numbers.',
    payload: fragmentProcessed,
  },
  {
    name: 'backpressure',
    from: 'STS',
    says: 'The STS asks for less.',
    payload: backpressure,
  },
  { name: 'error', from: 'STS', says: 'Something was refused or failed.', payload: errorEvent },
  {
    name: 'stream:pause',
    from: 'worker',
    says: 'Nothing is begun until it is resumed.',
    payload: streamControl,
  },
  { name: 'stream:resume', from: 'worker', says: 'It goes on.', payload: streamControl },
  { name: 'stream:end', from: 'worker', says: 'Nothing more is sent.', payload: streamControl },
  {
    name: 'stream:complete',
    from: 'STS',
    says: 'Everything is answered.',
    payload: streamComplete,
  },
  {
    name: 'config:error_simulation',
    from: 'any client',
    says: 'Tells the Echo STS which fragments fail.',
    payload: errorSimulation,
  },
  {
    name: 'config:error_simulation:ack',
    from: 'Echo STS',
    says: 'Its answer.',
    payload: controlAck,
  },
  {
    name: 'simulate:disconnect',
    from: 'any client',
    says: 'Tells the Echo STS to close connections.',
    payload: simulatedDisconnect,
  },
  { name: 'simulate:disconnect:ack', from: 'Echo STS', says: 'Its answer.', payload: controlAck },
];

/** What of a payload does not fit the contract: each field with the reason; none where all fits. */
export function violationsOf(schema: z.ZodType, payload: unknown): string[] {
  const issues = schema.safeParse(payload).error?.issues ?? [];
  return issues
    .flatMap(leavesOf)
    .map(({ path, message }) => `${path.join('.') || 'payload'}: ${message}`);
}

/** Of a field that may have several forms: what is wrong with the one that it resembles. */
function leavesOf(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string }[] {
  if (issue.code !== 'invalid_union') return [issue];
  const [resembled] = issue.errors.filter((form) => form.every(({ path }) => path.length > 0));
  return (
    resembled?.map(({ path, message }) => ({ path: [...issue.path, ...path], message })) ?? [issue]
  );
}
