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

/**
 * `--shard 1/2` in arguments, as cucumber-js takes it: of several, the last one holds.
 *
 * @returns its value, undefined where there is none, and the other arguments
 */
export function takeShard(args: readonly string[]): { text: string | undefined; rest: string[] } {
  let text: string | undefined;
  const rest: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--shard') text = args[(at += 1)];
    else if (arg.startsWith('--shard=')) text = arg.slice('--shard='.length);
    else rest.push(arg);
  }
  return { text, rest };
}
