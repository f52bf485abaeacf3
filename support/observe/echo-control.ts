import { io } from 'socket.io-client';

import { CouldNotBeDone, messageOf } from '../base/errors';
import type { TapEvent } from '../broadcast/events';
import type { EchoControl } from '../broadcast/request';
import { isAccepted } from '../contract/echo-controls';
import type { Tap } from './tap';

const WITHIN_MS = 5000;

/** Whom to tell what, for which stream. */
interface Told {
  /** Of the Echo STS (http://…). */
  url: string;
  stream: string;
  control: EchoControl;
}

/**
 * Sends the Echo STS a control event, before the stream is published: as one more client, and where that is refused or not
 * acknowledged within 5 s, on the connection of media-service as soon as the STS has accepted the stream.
 *
 * @param tap by which media-service is connected; undefined where it is connected directly
 * @returns what is called when the broadcast is over; it throws CouldNotBeDone where the event was accepted by neither way
 * @throws CouldNotBeDone where there is no tap for the second way
 */
export async function tellEcho(told: Told, tap: Tap | undefined): Promise<() => void> {
  const refusal = await tellAsClient(told);
  if (refusal === undefined) return () => undefined;
  if (tap) return tellAsWorker(told, tap, refusal);
  throw notDone(told, refusal);
}

function notDone({ url, control: { event } }: Told, seen: string): CouldNotBeDone {
  return new CouldNotBeDone({
    what: 'the scenario could not be done: the Echo STS did not accept a control event',
    ...{ where: `${url}, ${event}`, seen, expected: `${event}:ack` },
    next: 'see docs/contract.md for the controls of an Echo STS',
  });
}

/** Resolves with why it was not accepted; undefined where it was. */
async function tellAsClient({ url, stream, control }: Told): Promise<string | undefined> {
  const { event, payload } = control;
  const socket = io(url, { transports: ['websocket'], reconnection: false, timeout: WITHIN_MS });
  const timeUp = AbortSignal.timeout(WITHIN_MS);
  try {
    return await new Promise((done) => {
      timeUp.addEventListener('abort', () => done(`no answer within ${WITHIN_MS / 1000} s`));
      socket.once('connect_error', (error) => done(messageOf(error)));
      socket.once('error', (error: unknown) => done(`error ${JSON.stringify(error)}`));
      socket.once('connect', () => socket.emit(event, { ...payload, stream_id: stream }));
      socket.once(`${event}:ack`, (ack: unknown) =>
        done(isAccepted(ack) ? undefined : JSON.stringify(ack)),
      );
    });
  } finally {
    socket.disconnect();
  }
}

function tellAsWorker(told: Told, tap: Tap, refusal: string): () => void {
  const { stream, control } = told;
  const { event, payload } = control;
  let said: { seen: string; isDone: boolean } | undefined;
  let isTold = false;
  const asClient = `to a client of its own: ${refusal}`;
  const hear = ({ stream: of, direction, event: name = '', payload: answer }: TapEvent): void => {
    if (of !== stream || direction !== 'from-sts' || said) return;
    if (name === 'stream:ready' && !isTold) {
      isTold = tap.tell(stream, event, { ...payload, stream_id: stream });
    } else if (isTold && (name === `${event}:ack` || name === 'error')) {
      const isDone = name !== 'error' && isAccepted(answer);
      said = { isDone, seen: `${name} ${JSON.stringify(answer)}` };
    }
  };
  const endListening = tap.listen(hear);
  return () => {
    endListening();
    if (said?.isDone) return;
    const nothing = isTold ? 'no answer' : 'the STS accepted no stream';
    throw notDone(told, `${asClient}; to media-service: ${said?.seen ?? nothing}`);
  };
}
