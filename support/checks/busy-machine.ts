/** What a failure says of a machine that was too busy: then a time that was seen may be the machine's own. */
import type { BroadcastRecord } from '../broadcast/record';
import type { Verdict } from './criterion';

type Watched = Pick<BroadcastRecord, 'stream' | 'waits' | 'times'>;

/**
 * A verdict that does not hold, with what to do first where the suite itself was kept waiting while its broadcasts were dubbed.
 *
 * @param records of the broadcasts that it was judged by
 */
export function withWaits(verdict: Verdict, records: readonly Watched[]): Verdict {
  const texts = records.flatMap((record) => waitsText(record) ?? []);
  if (verdict.state === 'passed' || texts.length === 0) return verdict;
  const { next } = verdict;
  const first = `${texts.join('; ')}: what it noted may be late by so much, and the services as well. Where a time is wrong, stop other programs or lower MAX_STREAMS, and run it again`;
  return { ...verdict, next: next === undefined ? first : `${next}\n${first}` };
}

function waitsText({ stream, waits = [], times: { published } }: Watched): string | undefined {
  const [longest] = [...waits].sort((a, b) => b.ms - a.ms);
  if (!longest) return undefined;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  const count = `${waits.length} ${waits.length === 1 ? 'time' : 'times'}`;
  const when =
    published === undefined
      ? ''
      : `, ${seconds(longest.at - published)} after its publisher was started`;
  return `this machine was too busy: while ${stream} was dubbed, the suite was kept waiting ${count}, for ${seconds(longest.ms)} at most${when}`;
}
