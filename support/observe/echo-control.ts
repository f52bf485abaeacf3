import { io } from 'socket.io-client';

import { NotObserved } from '../base/errors';

/** Something that the Echo STS can be told about a stream (contract, "Echo STS also takes …"). */
export interface EchoControl {
  event: 'config:error_simulation' | 'simulate:disconnect' | 'config:processing_delay';
  payload: Record<string, unknown>;
}

const WITHIN_MS = 5000;

/**
 * Tells the Echo STS something, as one more client, and waits until it has taken it.
 *
 * @param url of the Echo STS (http://…)
 * @returns what it acknowledged
 * @throws NotObserved when it does not acknowledge, or rejects
 */
export async function tellEcho(
  url: string,
  stream: string,
  { event, payload }: EchoControl,
): Promise<unknown> {
  const socket = io(url, { transports: ['websocket'], reconnection: false, timeout: WITHIN_MS });
  const told = { ...payload, stream_id: stream };
  try {
    return await new Promise((taken, failed) => {
      const refuse = (seen: string): void =>
        failed(
          new NotObserved({
            what: 'the Echo STS did not do as it was told',
            where: `${url}, ${event}`,
            seen,
            expected: `${event}:ack, accepted, within ${WITHIN_MS / 1000} s`,
          }),
        );
      setTimeout(() => refuse('no answer'), WITHIN_MS).unref();
      socket.once('connect_error', (error) => refuse(error.message));
      socket.once('connect', () => socket.emit(event, told));
      socket.once(`${event}:ack`, (ack: { status?: string }) => {
        if (ack.status === 'accepted') taken(ack);
        else refuse(JSON.stringify(ack));
      });
    });
  } finally {
    socket.disconnect();
  }
}
