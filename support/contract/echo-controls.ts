/** The events by which a client decides how an Echo STS misbehaves. */
import { z } from 'zod';

import { fragmentId } from './events';

const streamId = z.string().describe('Only this stream; without it, those of the sender or all');

export const errorSimulation = z.looseObject({
  enabled: z.boolean().describe('Whether errors are simulated from now on'),
  stream_id: streamId.optional(),
  rules: z
    .array(
      z.looseObject({
        trigger: z
          .enum(['sequence_number', 'fragment_id', 'nth_fragment'])
          .describe('By what a fragment is chosen'),
        value: fragmentId.describe('Which; `nth_fragment` counts from 1'),
        error_code: z.string().min(1).describe('The code of its error'),
        error_message: z.string().describe('The message of its error').optional(),
        retryable: z.boolean().describe('As the code says where it is not said').optional(),
        stage: z.string().describe('The stage that fails').optional(),
      }),
    )
    .describe('Which fragments fail, and how')
    .optional(),
});

export const simulatedDisconnect = z.looseObject({
  delay_ms: z.number().nonnegative().describe('After which time it closes the connection, in ms'),
  reason: z.string().describe('Why').optional(),
  stream_id: streamId.optional(),
});

export const controlAck = z.looseObject({
  status: z.string().describe('`accepted` or `rejected`; accepted where it is not said').optional(),
});

const REFUSALS = ['rejected', 'failed', 'error'];

/** Whether the Echo STS does what it was told. */
export function isAccepted(ack: unknown): boolean {
  const { success, data } = controlAck.safeParse(ack ?? {});
  return success && !REFUSALS.includes(data.status ?? '');
}
