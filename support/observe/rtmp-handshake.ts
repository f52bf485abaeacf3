import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { messageOf } from '../base/errors';

/** The version byte of RTMP in the clear, and the length of C1, C2, S1 and S2 (Adobe's RTMP 1.0, 5.2). */
const VERSION = 3;
const CHUNK_BYTES = 1536;
/** Time and version, or time and time: what follows is at random, and comes back as it was. */
const HEAD_BYTES = 8;
const WITHIN_MS = 5000;

/** What a server has answered to the beginning of an RTMP handshake (C0 and C1). */
export interface RtmpHandshake {
  /** rtmp://… or rtmps://… */
  url: string;
  /** S0; undefined where nothing came. */
  version: number | undefined;
  /** Of S0, S1 and S2, which are 3073. */
  bytes: number;
  /** Whether S2 is an echo of what was sent at random in C1. */
  isEcho: boolean;
  /** Why there is no more; empty where all was answered. */
  problem: string;
}

/** Begins an RTMP handshake, and reads the answer. Never throws for what was or was not answered. */
export async function rtmpHandshake(url: string): Promise<RtmpHandshake> {
  const { hostname, port, protocol } = new URL(url);
  const isSecure = protocol === 'rtmps:';
  const sent = Buffer.concat([Buffer.alloc(HEAD_BYTES), randomBytes(CHUNK_BYTES - HEAD_BYTES)]);
  const whole = 1 + 2 * CHUNK_BYTES;
  let answer = Buffer.alloc(0);
  const socket = isSecure
    ? connectTls({ host: hostname, port: Number(port || 443), servername: hostname })
    : connect({ host: hostname, port: Number(port || 1935) });
  const problem = await new Promise<string>((end) => {
    const timer = setTimeout(() => end(`no whole answer within ${WITHIN_MS / 1000} s`), WITHIN_MS);
    const ended = (why: string): void => {
      clearTimeout(timer);
      end(why);
    };
    socket
      .once(isSecure ? 'secureConnect' : 'connect', () =>
        socket.write(Buffer.concat([Buffer.from([VERSION]), sent])),
      )
      .on('data', (data: Buffer) => {
        answer = Buffer.concat([answer, data]);
        if (answer.length >= whole) ended('');
      })
      .once('error', (error) => ended(messageOf(error)))
      .once('close', () => ended('the server has closed the connection'));
  });
  socket.destroy();
  const echo = answer.subarray(1 + CHUNK_BYTES + HEAD_BYTES, whole);
  return {
    ...{ url, version: answer[0], bytes: Math.min(answer.length, whole), problem },
    isEcho: echo.length > 0 && echo.equals(sent.subarray(HEAD_BYTES)),
  };
}
