/** What a failure says of a machine that was too busy: then a time that was seen may be the machine's own. */
import { TOO_BUSY, tooBusy } from '../base/processors';
import type { BroadcastRecord } from '../broadcast/record';
import type { Verdict } from './criterion';

/** How busy the machine was while something was seen. */
export interface Watched {
  /** Completes "while …": "test_a was dubbed". */
  during: string;
  /** Of the time of all processors; undefined where the system does not tell. */
  busyShare: number | undefined;
  /** Of broadcasts, of which fewer may be dubbed at a time: when the suite itself was kept waiting. */
  waits?: BroadcastRecord['waits'];
  publishedAt?: number | undefined;
}

export function watchedBroadcast({ stream, waits, times, busyShare }: BroadcastRecord): Watched {
  return { during: `${stream} was dubbed`, busyShare, waits, publishedAt: times.published };
}

/**
 * A verdict that does not hold, with what else to do where the suite itself was kept waiting meanwhile, or where no processor was free
 * for the services; what explains it says so too.
 *
 * @param all that it was judged by
 */
export function withBusyMachine(verdict: Verdict, all: readonly Watched[]): Verdict {
  const texts = all.flatMap((one) => waitsText(one) ?? tooBusy(one.busyShare, one.during) ?? []);
  if (verdict.state === 'passed' || texts.length === 0) return verdict;
  const fewer = all.some(({ waits }) => waits) ? ', or with a lower MAX_STREAMS' : '';
  const again = `where a time is wrong, run it again without other programs${fewer}, as ${texts.join('; ')}`;
  const { because } = verdict;
  return {
    ...withNext(verdict, again),
    // What explains it is what the report of the run names.
    ...(because ? { because: withNext(because, again) } : {}),
  };
}

function withNext<Told extends { next?: string }>(told: Told, more: string): Told {
  return { ...told, next: told.next === undefined ? more : `${told.next}; ${more}` };
}

function waitsText({ during, waits = [], publishedAt: published }: Watched): string | undefined {
  const [longest] = [...waits].sort((a, b) => b.ms - a.ms);
  if (!longest) return undefined;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  const count = `${waits.length} ${waits.length === 1 ? 'time' : 'times'}`;
  const when =
    published === undefined ? '' : ` (${seconds(longest.at - published)} after it was published)`;
  return `${TOO_BUSY}: the suite was kept waiting ${count} while ${during}, ${seconds(longest.ms)} at most${when}`;
}
