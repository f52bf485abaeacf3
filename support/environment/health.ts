import { messageOf, seenOf, SuiteError } from '../base/errors';
import { eventually } from '../base/eventually';
import { askHttp } from '../base/http';
import type { Composition } from './runtime';

/** A service that is started again must be healthy in the time that all have at the start. */
export const START_AGAIN_MS = 60_000;
const LAST_LOG_LINES = 12;
const ANSWER_MS = 2000;

/**
 * Waits until the health address of a service answers 200, as this host sees it. A service without an address counts
 * as healthy.
 *
 * @param options.signals end the waiting at once, with their reason
 * @param options.logs reads the log of the service, for the message
 * @throws SuiteError naming the service, its address, what it answered and what it logged last
 */
export async function waitForHealth(
  composition: Composition,
  service: string,
  options: { withinMs: number; signals: AbortSignal[]; logs: () => Promise<string> },
): Promise<void> {
  const url = composition.health.get(service);
  if (url === undefined) return;
  const signal = AbortSignal.any(options.signals);
  try {
    await eventually(
      `${service} healthy`,
      async () => {
        const { status, text } = await askHttp(url, { withinMs: ANSWER_MS }).catch(
          (error: unknown) => {
            throw new Error(seenOf(error));
          },
        );
        if (status !== 200) throw new Error(`${status} ${text.slice(0, 300)}`);
      },
      { withinMs: options.withinMs, signal },
    );
  } catch (error) {
    throw notHealthy(`${composition.project}/${service} (${url})`, {
      seen: messageOf(signal.aborted ? signal.reason : error),
      withinMs: options.withinMs,
      log: await options.logs(),
      cause: error,
    });
  }
}

/** The error of a service that is not healthy, with the end of its log. */
export function notHealthy(
  where: string,
  options: { seen: string; withinMs: number; log: string; cause?: unknown },
): SuiteError {
  const lastLines = options.log.trim().split('\n').slice(-LAST_LOG_LINES);
  const hasLog = options.log !== '';
  return new SuiteError(
    {
      what: 'the service did not become healthy',
      where,
      seen: [options.seen, ...(hasLog ? ['its last log lines:', ...lastLines] : [])].join('\n    '),
      expected: `healthy within ${options.withinMs / 1000} s`,
      next: hasLog
        ? 'read its whole log in reports/logs'
        : 'check whether it runs, and whether this is its address (acceptance.yaml)',
    },
    { cause: options.cause },
  );
}
