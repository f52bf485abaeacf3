import { seenOf } from '../support/base/errors';
import { askHttp } from '../support/base/http';
import type { HttpOutcome } from '../support/world';

/** An HTTP answer, or why there was none. */
export async function get(url: string): Promise<HttpOutcome> {
  const started = performance.now();
  const tookMs = (): number => performance.now() - started;
  try {
    const { status, text } = await askHttp(url);
    return { url, status, body: text, tookMs: tookMs() };
  } catch (error) {
    return { url, status: undefined, body: seenOf(error), tookMs: tookMs() };
  }
}
