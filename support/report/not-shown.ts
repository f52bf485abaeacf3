/** Scenarios that are not shown: why, and which of them fail the run. Every report says the same of them by this. */
import type { Scope } from './facts';
import { idsOf, outcomeOf, type ScenarioResult } from './scenario-results';
import { counted } from './wording';

/** Which scenarios that are not shown fail the run: `notShown` of acceptance.yaml, as it holds in the runtime of the run. */
export type NotShownPolicy = Scope['policy'];

/** What holds where a run has not said which. */
export const USUAL_POLICY: NotShownPolicy = { fails: 'required', excluded: [] };

/** What holds for a run; for the shards of one, what is excluded in any of them. */
export function policyOf(scopes: readonly Scope[]): NotShownPolicy {
  return {
    fails: scopes[0]?.policy.fails ?? USUAL_POLICY.fails,
    excluded: scopes.flatMap(({ policy }) => policy.excluded),
  };
}

/**
 * Why the run does not fail by a scenario that is not shown.
 *
 * @returns undefined where it does: it is required, and not all of its requirements are excluded
 */
export function excuseOf(
  scenario: Pick<ScenarioResult, 'tags'>,
  { fails, excluded }: NotShownPolicy,
): string | undefined {
  const ids = idsOf(scenario);
  const reasons = excluded.flatMap(({ id, because }) => (ids.includes(id) ? because : []));
  const isExcluded = ids.every((id) => excluded.some((one) => one.id === id));
  if (ids.length > 0 && isExcluded) return `excluded: ${[...new Set(reasons)].join('; ')}`;
  if (fails === 'none') return 'none of them fails the run';
  const priority = ['P2', 'P3'].find((one) => scenario.tags.includes(`@${one}`));
  return fails === 'required' && priority ? `not required: ${priority}` : undefined;
}

/** Scenarios that are not shown, and by which the run fails. */
export function missedBy(
  scenarios: readonly ScenarioResult[],
  policy: NotShownPolicy,
): ScenarioResult[] {
  return scenarios.filter(
    (one) => outcomeOf(one) === 'not shown' && excuseOf(one, policy) === undefined,
  );
}

/** What is excluded although all of its scenarios have passed: a line each. */
export function needlesslyExcluded(
  scenarios: readonly ScenarioResult[],
  { excluded }: NotShownPolicy,
): string[] {
  return [...new Set(excluded.map(({ id }) => id))].flatMap((id) => {
    const own = scenarios.filter((one) => idsOf(one).includes(id));
    const isShown = own.length > 0 && own.every((one) => outcomeOf(one) === 'passed');
    return isShown
      ? `${id} is excluded by acceptance.yaml (notShown), but shown: remove it there`
      : [];
  });
}

/** Scenarios that are not shown for one reason, each with why the run does not fail by it; undefined where it does. */
export interface NotShownGroup {
  /** Several lines; the first one says it in short. */
  reason: string;
  scenarios: { scenario: ScenarioResult; excuse: string | undefined }[];
}

/** All that are not shown, by the first line of the reason. */
export function notShownByReason(
  scenarios: readonly ScenarioResult[],
  policy: NotShownPolicy,
): NotShownGroup[] {
  const groups = new Map<string, NotShownGroup>();
  for (const scenario of scenarios) {
    if (outcomeOf(scenario) !== 'not shown') continue;
    // The stream differs, the reason does not.
    const key = reasonOf(scenario).replace(/^stream \S+: /, '');
    const group = groups.get(key) ?? { reason: scenario.notShown ?? '', scenarios: [] };
    group.scenarios.push({ scenario, excuse: excuseOf(scenario, policy) });
    groups.set(key, group);
  }
  // Those that fail the run are read first.
  const rank = ({ excuse }: NotShownGroup['scenarios'][number]): number => (excuse ? 1 : 0);
  for (const { scenarios: own } of groups.values()) own.sort((a, b) => rank(a) - rank(b));
  return [...groups.values()];
}

/** `Not shown: 3 scenarios, 1 of which fails the run`. */
export function notShownTitle(groups: readonly NotShownGroup[]): string {
  const all = groups.flatMap(({ scenarios }) => scenarios);
  const missed = all.filter(({ excuse }) => excuse === undefined).length;
  const fails =
    missed === 0 ? '' : `, ${missed} of which ${missed === 1 ? 'fails' : 'fail'} the run`;
  return `Not shown: ${counted(all.length, 'scenario')}${fails}`;
}

/** The first line of why a scenario is not shown. */
export function reasonOf({ notShown = '' }: Pick<ScenarioResult, 'notShown'>): string {
  return notShown.split('\n')[0] ?? '';
}

/** What a configuration can show, as lines: how many scenarios, and for each reason which it cannot. */
export function scopeInWords({ scenarios, notShown, untold }: Scope): string[] {
  const missing = notShown.reduce((sum, { titles }) => sum + titles.length, 0);
  const all = scenarios === 1 ? 'the scenario' : `all ${scenarios} scenarios`;
  const shown = missing === 0 ? all : `${scenarios - missing} of ${scenarios} scenarios`;
  const rest = [
    ...notShown.map(({ reason, titles }) => `  ${some(titles)}: ${reason}`),
    ...untold.map((what) => `  of any scenario ${what}`),
  ];
  return [`This configuration can show ${shown}${rest.length > 0 ? '; not shown:' : ''}`, ...rest];
}

const MOST_NAMED = 3;

/** Each name once: the rows of an outline have the same. */
function some(all: readonly string[]): string {
  const names = [...new Set(all)];
  const more = names.length - MOST_NAMED;
  const first = names.slice(0, MOST_NAMED).join(', ');
  return more > 0 ? `${first} and ${more} more` : first;
}
