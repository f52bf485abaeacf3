import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';

import { request } from 'undici';

import { messageOf, NotObserved } from './errors';

/** The largest answer; metrics and lists of paths have some 100 KB. */
const MOST_BYTES = 32 * 2 ** 20;

/** A proxy that leads in circles. */
const MOST_REDIRECTS = 5;

/** What servers send that is compressed without having been asked to. */
const DECODERS = {
  ...{ gzip: promisify(gunzip), 'x-gzip': promisify(gunzip), br: promisify(brotliDecompress) },
  deflate: promisify(inflate),
};

export interface HttpAnswer {
  status: number;
  text: string;
  /** Where it leads, as an address; undefined where the answer is no redirect. */
  location: string | undefined;
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
    const { statusCode, headers, body } = await request(withoutLogin(address), {
      ...{ method, signal },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      headers: {
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...loginHeader(address),
      },
    });
    const { location } = headers;
    const leads = statusCode >= 300 && statusCode < 400 && typeof location === 'string';
    return {
      status: statusCode,
      text: await textOf(await bytesOf(body, MOST_BYTES), headers['content-encoding']),
      location: leads ? new URL(location, withoutLogin(address)).href : undefined,
    };
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

async function textOf(body: Buffer, encoding: string | string[] | undefined): Promise<string> {
  const decoder = DECODERS[String(encoding).toLowerCase() as keyof typeof DECODERS] as
    (typeof DECODERS)['gzip'] | undefined;
  const plain = decoder ? await decoder(body, { maxOutputLength: MOST_BYTES }) : body;
  return plain.toString();
}

/**
 * Asks an address, and where it leads to another one, that: `/metrics` to `/metrics/`. A login is for the host that it was
 * given for.
 *
 * @throws NotObserved as {@link askHttp}, and after too many redirects
 */
export async function askFollowing(address: string): Promise<HttpAnswer & { address: string }> {
  let at = address;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const answer = await askHttp(at);
    if (answer.location === undefined) return { ...answer, address: at };
    const next = new URL(answer.location);
    const { origin, username, password } = new URL(address);
    if (next.origin === origin) Object.assign(next, { username, password });
    at = next.href;
  }
  throw new NotObserved({
    ...{ what: 'the address leads to others without end', where: address, seen: at },
    expected: `an answer after at most ${MOST_REDIRECTS} redirects`,
    next: 'check whether this is its address (acceptance.yaml)',
  });
}

/** An address without user and password. */
export function withoutLogin(address: string): string {
  const url = new URL(address);
  if (url.username === '') return address;
  url.username = url.password = '';
  return url.href;
}

/** The path of an address, without a slash at its end; empty where it has none. */
export function pathOf(address: string): string {
  return new URL(address).pathname.replace(/\/+$/, '');
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
