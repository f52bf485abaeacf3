import { SocketIOMonitor } from './socket-io-monitor';

/**
 * Completes the Socket.IO handshake with an STS as a client that it does not know.
 *
 * @param url http://…
 * @returns how long it took, in ms
 * @throws NotObserved when there was no handshake within 5 s
 */
export async function handshake(url: string): Promise<number> {
  const client = new SocketIOMonitor(url);
  const started = performance.now();
  try {
    await client.connect();
    return performance.now() - started;
  } finally {
    client.disconnect();
  }
}
