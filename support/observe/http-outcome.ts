import { seenOf } from '../base/errors';
import { askHttp } from '../base/http';

/** An HTTP answer, or why there was none. */
export interface HttpOutcome {
  url: string;
  /** Undefined where there was no answer. */
  status: number | undefined;
  /** The answer, or why there was none. */
  body: string;
  /** From the request to the end of the answer, in ms. */
  tookMs: number;
}

/** By the name of the service that was asked. */
export type HttpOutcomes = ReadonlyMap<string, HttpOutcome>;

/** Asks over HTTP. Never throws for what was or was not answered: the outcome says it. */
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

/** Asks services at once; the address of each by its name. */
export async function getAll(
  addresses: Readonly<Record<string, string>>,
): Promise<Map<string, HttpOutcome>> {
  const asked = Object.entries(addresses).map(
    async ([name, url]) => [name, await get(url)] as const,
  );
  return new Map(await Promise.all(asked));
}
