/** What a failure says of a machine that was too busy: then a time that was seen may be the machine's own. */
import { TOO_BUSY, tooBusy } from '../base/processors';
import type { BroadcastRecord } from '../broadcast/record';
import type { Verdict } from './criterion';

type Watched = Pick<BroadcastRecord, 'stream' | 'waits' | 'times' | 'busyShare'>;

/**
 * A verdict that does not hold, with what else to do where the suite itself was kept waiting while its broadcasts were dubbed, or
 * where no processor was free for the services.
 *
 * @param records of the broadcasts that it was judged by
 */
export function withBusyMachine(verdict: Verdict, records: readonly Watched[]): Verdict {
  const texts = records.flatMap(
    (record) => waitsText(record) ?? tooBusy(record.busyShare, `${record.stream} was dubbed`) ?? [],
  );
  if (verdict.state === 'passed' || texts.length === 0) return verdict;
  const again = `where a time is wrong, run it again without other programs, or with a lower MAX_STREAMS, as ${texts.join('; ')}`;
  return { ...verdict, next: verdict.next === undefined ? again : `${verdict.next}; ${again}` };
}

function waitsText({ stream, waits = [], times: { published } }: Watched): string | undefined {
  const [longest] = [...waits].sort((a, b) => b.ms - a.ms);
  if (!longest) return undefined;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  const count = `${waits.length} ${waits.length === 1 ? 'time' : 'times'}`;
  const when =
    published === undefined ? '' : ` (${seconds(longest.at - published)} after it was published)`;
  return `${TOO_BUSY}: the suite was kept waiting ${count} while ${stream} was dubbed, ${seconds(longest.ms)} at most${when}`;
}
