import { io } from 'socket.io-client';

import { NotObserved } from '../base/errors';
import type { EchoControl } from '../broadcast/request';

const WITHIN_MS = 5000;

/**
 * Sends the Echo STS a control event, as one more client, and waits until it is accepted.
 *
 * @param url of the Echo STS (http://…)
 * @returns its acknowledgement
 * @throws NotObserved when it rejects the event, or does not acknowledge it within 5 s
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
            what: 'the Echo STS did not accept a control event',
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
