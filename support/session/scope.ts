/** What this run can show: worked out once, from the configuration, before anything is started for a scenario. */
import type { Pickle } from '@cucumber/messages';

import { CannotBeShown, type Problem, PrerequisiteMissing } from '../base/errors';
import { shownPath } from '../base/yaml-file';
import type { Config, Settings } from '../config';
import type { Scope } from '../report/facts';
import { reasonOf, scopeInWords } from '../report/not-shown';
import { showLine } from '../report/progress';
import { readRequirements } from '../report/requirements';
import { idsOf } from '../report/scenario-results';
import { type Capability, type Needs, notOffered, type Offering, untold } from './capabilities';
import { knownTags, leaveOut, plannedScenarios } from './plan';
import type { Session } from './session';

interface RunScope {
  told: Scope;
  offering: Offering;
  /** By the scenario: why nothing of it can be shown. */
  unable: ReadonlyMap<string, Problem>;
}

let known: Promise<RunScope> | undefined;
let told: Scope | undefined;

/** Says, the first time, what this run can show. What cannot be shown is not published. */
function scopeOf(session: Session): Promise<RunScope> {
  known ??= workOut(session);
  return known;
}

/** What of it is noted for the reports; undefined where no scenario has begun that the hooks know of. */
export function toldScope(): Scope | undefined {
  return told;
}

/** @throws CannotBeShown where nothing of the scenario can be shown */
export async function checkScope(session: Session, { id }: Pickle): Promise<void> {
  const problem = (await scopeOf(session)).unable.get(id);
  if (problem) throw new CannotBeShown(problem);
}

/** @throws CannotBeShown where this system or configuration does not offer it */
export async function demand(session: Session, capability: Capability): Promise<void> {
  const problem = notOffered((await scopeOf(session)).offering).get(capability);
  if (problem) throw new CannotBeShown(problem);
}

/**
 * Whether every ID that acceptance.yaml excludes is one of a requirement, or of a scenario.
 *
 * @throws PrerequisiteMissing ('configuration'), also where acceptance.yaml is not valid
 */
export function checkExcluded(config: Config): void {
  const ids = readRequirements().flatMap(({ requirements }) => requirements.map(({ id }) => id));
  const isKnown = new Set([...ids, ...idsOf({ tags: [...knownTags()] })]);
  const unknown = config.settings('127.0.0.1').notShown.excluded.find(({ id }) => !isKnown.has(id));
  if (!unknown) return;
  throw new PrerequisiteMissing(
    {
      ...{
        what: 'an unknown requirement is excluded',
        where: `${shownPath(config.settingsFile)}, notShown.excluded`,
      },
      ...{ seen: unknown.id, expected: 'an ID of support/report/requirements.yaml: 019-E7' },
      next: 'correct it, or remove it',
    },
    'configuration',
  );
}

async function workOut(session: Session): Promise<RunScope> {
  const { config, isReplay } = session;
  const settings = config.settings('127.0.0.1');
  const scenarios = plannedScenarios();
  const tags = scenarios.flatMap(({ pickle }) => pickle.tags.map(({ name }) => name));
  const asksRuntime =
    scenarios.some(({ needs }) => needs.whole.has('networks')) ||
    settings.notShown.excluded.some((one) => one.runtime && tags.includes(`@${one.id}`));
  const runtime = await runtimeOf(session, asksRuntime);
  const offering = { config, settings, runtime };
  const missing = notOffered(offering);
  const unable = new Map<string, Problem>();
  const notShown = new Map<string, string[]>();
  for (const { pickle, needs } of scenarios) {
    // Recorded broadcasts need nothing that is running.
    const whole = isReplay ? undefined : lacking(needs.whole, missing);
    if (whole) {
      unable.set(pickle.id, whole);
      leaveOut(pickle);
    }
    const problem = whole ?? lacking(needs.part, missing);
    if (!problem) continue;
    const reason = reasonOf({ notShown: new CannotBeShown(problem).message });
    const ids = idsOf({ tags: pickle.tags.map(({ name }) => name) });
    notShown.set(reason, [...(notShown.get(reason) ?? []), ids.join(' ') || pickle.name]);
  }
  told = {
    scenarios: scenarios.length,
    notShown: [...notShown].map(([reason, titles]) => ({ reason, titles })),
    untold: untold(offering),
    policy: policyIn(settings, runtime),
  };
  showLine(scopeInWords(told).join('\n  '));
  return { told, offering, unable };
}

/** Asking the runtime takes its time: only where something depends on it. */
async function runtimeOf(session: Session, isAsked: boolean): Promise<Offering['runtime']> {
  const { config, isReplay } = session;
  if (config.runtime !== 'auto') return config.runtime;
  if (!isAsked || isReplay) return undefined;
  try {
    return (await session.runtime()).name;
  } catch (error) {
    // The scenarios that need it say so.
    if (error instanceof PrerequisiteMissing) return undefined;
    throw error;
  }
}

function lacking(
  needs: Needs['whole'],
  missing: ReadonlyMap<Capability, Problem>,
): Problem | undefined {
  return [...needs].flatMap((one) => missing.get(one) ?? [])[0];
}

/** What holds in this runtime; where it is not known, nothing depends on it. */
function policyIn({ notShown }: Settings, runtime: Offering['runtime']): Scope['policy'] {
  const { fails, excluded } = notShown;
  const own = excluded.filter((one) => one.runtime === undefined || one.runtime === runtime);
  return { fails, excluded: own.map(({ id, because }) => ({ id, because })) };
}
