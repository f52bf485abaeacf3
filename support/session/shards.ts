/** Which scenarios of a run a machine takes, where several take it together. */
import type { Pickle } from '@cucumber/messages';

import type { Shard } from '../base/shard';
import { keyOf } from '../broadcast/request';
import { costOf } from './loads';
import { broadcastsIn, isMadeBeside } from './plan';

/** In seconds of a processor, besides broadcasts: looking at one, and what is made beside them, a run of the suite or a composition. */
const SCENARIO_SECONDS = 0.5;
const BESIDE_SECONDS = 5;

/**
 * The scenarios of a shard, in their order. All that look at the same broadcast are in the same one, so that none is published twice;
 * what costs most is dealt out first, to the shard that has least.
 *
 * @param cost of a broadcast, in seconds of a processor; the same on every machine
 */
export function inShard<Scenario extends { pickle: Pickle }>(
  scenarios: readonly Scenario[],
  { index, count }: Shard,
  cost: typeof costOf = costOf,
): Scenario[] {
  const shards = Array.from({ length: count }, () => ({ cost: 0, all: new Set<Scenario>() }));
  const groups = groupsOf(scenarios).map((group) => ({ group, cost: groupCost(group, cost) }));
  for (const { group, cost: its } of groups.sort((a, b) => b.cost - a.cost)) {
    const least = shards.reduce((a, b) => (b.cost < a.cost ? b : a));
    least.cost += its;
    group.forEach((scenario) => least.all.add(scenario));
  }
  return scenarios.filter((scenario) => shards[index - 1]?.all.has(scenario));
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

function groupCost(group: readonly { pickle: Pickle }[], cost: typeof costOf): number {
  const broadcasts = new Map(broadcastsIn(group).map((one) => [keyOf(one.request), one]));
  const beside = group.filter(({ pickle }) => isMadeBeside(pickle)).length;
  const seconds = [...broadcasts.values()].map((one) => cost(one));
  return (
    seconds.reduce((sum, one) => sum + one, 0) +
    group.length * SCENARIO_SECONDS +
    beside * BESIDE_SECONDS
  );
}
