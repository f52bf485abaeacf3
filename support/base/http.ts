import type { Readable } from 'node:stream';

import { request } from 'undici';

import { messageOf, NotObserved } from './errors';

/** The largest answer; metrics and lists of paths have some 100 KB. */
const MOST_BYTES = 32 * 2 ** 20;

export interface HttpAnswer {
  status: number;
  text: string;
}

/**
 * Sends an HTTP request and reads the whole answer, whatever its status.
 *
 * @param options.json sent as the body
 * @param options.withinMs from the request to the end of the answer, 5 s when not given
 * @throws NotObserved when there is no whole answer in that time, or more than 32 MiB
 */
export async function askHttp(
  address: string,
  options: { method?: 'GET' | 'POST' | 'DELETE'; json?: unknown; withinMs?: number } = {},
): Promise<HttpAnswer> {
  const { method = 'GET', json, withinMs = 5000 } = options;
  const signal = AbortSignal.timeout(withinMs);
  try {
    const { statusCode, body } = await request(withoutLogin(address), {
      ...{ method, signal },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      headers: {
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...loginHeader(address),
      },
    });
    return { status: statusCode, text: (await bytesOf(body, MOST_BYTES)).toString() };
  } catch (error) {
    throw new NotObserved(
      {
        what: 'there was no readable answer',
        where: `${method} ${address}`,
        seen: signal.aborted ? `no end of it within ${withinMs / 1000} s` : messageOf(error),
        expected: `an answer within ${withinMs / 1000} s`,
        next: 'check whether the service runs, and whether this is its address (acceptance.yaml)',
      },
      { cause: error },
    );
  }
}

/** An address without user and password. */
export function withoutLogin(address: string): string {
  const url = new URL(address);
  if (url.username === '') return address;
  url.username = url.password = '';
  return url.href;
}

/** The header by which the user and the password of an address are sent; none where it has none. */
export function loginHeader(address: string): { authorization?: string } {
  const { username, password } = new URL(address);
  if (username === '') return {};
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
  return { authorization: `Basic ${login.toString('base64')}` };
}

/** @throws Error when the sender aborts, or sends more than `most` bytes */
export async function bytesOf(stream: Readable, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    if (bytes > most) throw new Error(`more than ${most} bytes`);
  }
  return Buffer.concat(parts);
}
