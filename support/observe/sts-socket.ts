import { io, type Socket } from 'socket.io-client';

import { loginHeader, pathOf } from '../base/http';

/** As who the suite connects to an STS. */
export const WORKER = 'acceptance-suite';

/**
 * Connects to an STS as a worker does: one WebSocket connection for a stream, with the headers of the contract.
 *
 * @param timeoutMs for the handshake; 20 s where not given
 */
export function stsSocket(url: string, stream: string, timeoutMs?: number): Socket {
  // Socket.IO would take a path for a namespace: it is where a proxy has the STS.
  return io(new URL(url).origin, {
    path: `${pathOf(url)}/socket.io`,
    transports: ['websocket'],
    reconnection: false,
    extraHeaders: { 'X-Stream-ID': stream, 'X-Worker-ID': WORKER, ...loginHeader(url) },
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  });
}
