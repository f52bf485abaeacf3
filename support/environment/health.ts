import { z } from 'zod';

import { messageOf, seenOf, SuiteError } from '../base/errors';
import { eventually } from '../base/eventually';
import { askHttp } from '../base/http';
import { jsonOf } from '../base/json';
import { busyShareFromNow, tooBusy } from '../base/processors';
import type { Composition } from './runtime';

/** A service that is started again must be healthy in the time that all have at the start. */
export const START_AGAIN_MS = 60_000;
const LAST_LOG_LINES = 12;
const ANSWER_MS = 2000;

/** The answer of a service that says itself that waiting does not help; the word is that of the contract's errors. */
const finalAnswer = z.looseObject({ retryable: z.literal(false) });

/**
 * Waits until the health address of a service answers 200, as this host sees it. A service without an address counts
 * as healthy. One whose answer says `"retryable": false` is not waited for.
 *
 * @param options.signals end the waiting at once, with their reason
 * @param options.logs reads the log of the service, for the message
 * @param options.onSeen is told each answer that is not yet the one, with the name of the service
 * @throws SuiteError naming the service, its address, what it answered and what it logged last
 */
export async function waitForHealth(
  composition: Composition,
  service: string,
  options: {
    withinMs: number;
    signals: AbortSignal[];
    logs: () => Promise<string>;
    onSeen?: ((seen: string) => void) | undefined;
  },
): Promise<void> {
  const url = composition.health.get(service);
  if (url === undefined) return;
  const busyShare = busyShareFromNow();
  const final = new AbortController();
  const signal = AbortSignal.any([...options.signals, final.signal]);
  try {
    await eventually(
      `${service} healthy`,
      async () => {
        const { status, text } = await askHttp(url, { withinMs: ANSWER_MS }).catch(
          (error: unknown) => {
            options.onSeen?.(`${service}: ${seenOf(error)}`);
            throw new Error(seenOf(error));
          },
        );
        if (status === 200) return;
        const answer = new Error(`${status} ${text.slice(0, 300)}`);
        options.onSeen?.(`${service}: ${answer.message}`);
        if (finalAnswer.safeParse(jsonOf(text)).success) final.abort(answer);
        throw answer;
      },
      { withinMs: options.withinMs, signal },
    );
  } catch (error) {
    throw notHealthy(`${composition.project}/${service} (${url})`, {
      seen: messageOf(signal.aborted ? signal.reason : error),
      withinMs: options.withinMs,
      log: await options.logs(),
      cause: error,
      // A service that has said why, or has ended, was not kept waiting.
      busy: signal.aborted ? undefined : tooBusy(busyShare(), 'it was waited for'),
    });
  }
}

/** The error of a service that is not healthy, with the end of its log. */
export function notHealthy(
  where: string,
  options: {
    seen: string;
    withinMs: number;
    log: string;
    cause?: unknown;
    /** That the machine was too busy, where it was. */
    busy?: string | undefined;
  },
): SuiteError {
  const lastLines = options.log.trim().split('\n').slice(-LAST_LOG_LINES);
  const hasLog = options.log !== '';
  const next = hasLog
    ? 'read its whole log in reports/logs'
    : 'check whether it runs, and whether this is its address (acceptance.yaml)';
  const { busy } = options;
  return new SuiteError(
    {
      what: 'the service did not become healthy',
      where,
      seen: [options.seen, ...(hasLog ? ['its last log lines:', ...lastLines] : [])].join('\n    '),
      expected: `healthy within ${options.withinMs / 1000} s`,
      next:
        busy === undefined ? next : `run it again without other programs, as ${busy}; or ${next}`,
    },
    { cause: options.cause },
  );
}
