import { request } from 'undici';

import { messageOf } from '../support/errors';
import type { HttpOutcome } from '../support/world';

/** An HTTP answer, or why there was none. */
export async function get(url: string): Promise<HttpOutcome> {
  const started = performance.now();
  const tookMs = (): number => performance.now() - started;
  try {
    const response = await request(url, { headersTimeout: 5000, bodyTimeout: 5000 });
    const body = await response.body.text();
    return { url, status: response.statusCode, body, tookMs: tookMs() };
  } catch (error) {
    return { url, status: undefined, body: messageOf(error), tookMs: tookMs() };
  }
}
