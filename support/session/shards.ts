/** Which scenarios of a run a machine takes, where several take it together. */
import type { Pickle } from '@cucumber/messages';

import type { Shard } from '../base/shard';
import { keyOf } from '../broadcast/request';
import { broadcastsIn, isMadeBeside, type PlannedBroadcast } from './plan';

/** Besides broadcasts: looking at one, and what is made beside them, a run of the suite or a composition. */
const SCENARIO_SECONDS = 0.25;
const BESIDE_SECONDS = 2.5;

type SecondsOf = (planned: readonly PlannedBroadcast[]) => number;

/**
 * The scenarios of a shard, in their order. All that look at the same broadcast are in the same one, so that none is published twice;
 * what takes longest is dealt out first, to the shard that is then done first.
 *
 * @param secondsOf how long broadcasts take together; the same on every machine
 */
export function inShard<Scenario extends { pickle: Pickle }>(
  scenarios: readonly Scenario[],
  { index, count }: Shard,
  secondsOf: SecondsOf,
): Scenario[] {
  const shards = Array.from({ length: count }, () => timed<Scenario>([], secondsOf));
  const groups = groupsOf(scenarios).map((group) => timed(group, secondsOf));
  for (const { all } of groups.sort((a, b) => b.seconds - a.seconds)) {
    const [first] = shards
      .map((shard, at) => ({ at, ...timed([...shard.all, ...all], secondsOf) }))
      .sort((a, b) => a.seconds - b.seconds);
    if (first) shards[first.at] = first;
  }
  const ours = new Set(shards[index - 1]?.all);
  return scenarios.filter((scenario) => ours.has(scenario));
}

/** Scenarios that have a broadcast in common, directly or by others. */
function groupsOf<Scenario extends { pickle: Pickle }>(
  scenarios: readonly Scenario[],
): Scenario[][] {
  let groups: { keys: Set<string>; all: Scenario[] }[] = [];
  for (const scenario of scenarios) {
    const keys = broadcastsIn([scenario]).map(({ request }) => keyOf(request));
    const isTheirs = ({ keys: theirs }: (typeof groups)[number]): boolean =>
      keys.some((key) => theirs.has(key));
    const joined = groups.filter(isTheirs);
    const one = {
      keys: new Set([...joined.flatMap((group) => [...group.keys]), ...keys]),
      all: [...joined.flatMap((group) => group.all), scenario],
    };
    groups = [...groups.filter((group) => !joined.includes(group)), one];
  }
  return groups.map(({ all }) => all);
}

/** Scenarios, and about how many seconds they take. */
interface Timed<Scenario> {
  all: Scenario[];
  seconds: number;
}

function timed<Scenario extends { pickle: Pickle }>(
  all: Scenario[],
  secondsOf: SecondsOf,
): Timed<Scenario> {
  const beside = all.filter(({ pickle }) => isMadeBeside(pickle)).length;
  const seconds = all.length * SCENARIO_SECONDS + beside * BESIDE_SECONDS;
  return { all, seconds: seconds + secondsOf(broadcastsIn(all)) };
}
