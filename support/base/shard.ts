/** The variable by which `npm run acceptance -- --shard 1/2` tells it to the suite's plugin (scripts/cucumber.mjs). */
export const SHARD_VARIABLE = 'LIVE_DUBBING_SHARD';

/** One of so many machines that take a run together; `index` from 1 on. */
export interface Shard {
  index: number;
  count: number;
}

/** @param text `1/2`; undefined where it is none */
export function readShard(text: string | undefined): Shard | undefined {
  const [, index, count] = /^(\d+)\/(\d+)$/.exec(text ?? '') ?? [];
  return index && count ? { index: Number(index), count: Number(count) } : undefined;
}
