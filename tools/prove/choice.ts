/** Which faults are tried: those that the command line asks for, and that the baseline has the scenarios of. */
import { SuiteError } from '../../support/base/errors';
import { outcomeOf } from '../../support/report/scenario-results';
import {
  type Fault,
  isQuiet,
  type NamedScenario,
  namedBy,
  scenarioOf,
  scenariosCalled,
  turnsRed,
} from './fault';

/** What the command line asks for. */
export interface Wanted {
  /** Parts of faults' names, or beginnings of scenarios that they turn red; undefined: all faults. */
  only: readonly string[] | undefined;
  /** Without the faults for which services are started. */
  recorded: boolean;
  /** No more faults than it takes to turn each scenario red once that the others would. */
  fewest: boolean;
}

/** No fault is like what was asked for. */
export class NoFaultMeant extends Error {}

/** @throws NoFaultMeant */
export function chosenFaults(
  faults: readonly Fault[],
  { only, recorded, fewest }: Wanted,
): Fault[] {
  const isMeant = (fault: Fault): boolean =>
    !only || isAskedFor(fault, only) || only.some((text) => fault.name.includes(text));
  const chosen = faults.filter((fault) => isMeant(fault) && (isQuiet(fault) || !recorded));
  if (chosen.length === 0) throw new NoFaultMeant(`there is no fault like ${only?.join(', ')}`);
  return fewest ? coverOf(chosen) : chosen;
}

/** Faults that turn the same scenarios red for their own reasons as all of them do: first those that do so to most. */
function coverOf(faults: readonly Fault[]): Fault[] {
  const missing = new Set(faults.flatMap(({ red }) => Object.keys(red)));
  const cover: Fault[] = [];
  const gain = ({ red }: Fault): number =>
    Object.keys(red).filter((name) => missing.has(name)).length;
  while (missing.size > 0) {
    const best = faults.reduce((most, one) => (gain(one) > gain(most) ? one : most));
    cover.push(best);
    for (const name of Object.keys(best.red)) missing.delete(name);
  }
  return cover;
}

/** Whether the beginning of a scenario is given that a fault turns red. */
function isAskedFor(fault: Fault, only: readonly string[]): boolean {
  return turnsRed(fault).some((name) => only.some((text) => name.startsWith(text)));
}

/**
 * Makes sure that each name in each fault means one scenario.
 *
 * @throws SuiteError when it means none, or several
 */
export function checkNames(faults: readonly Fault[], scenarios: readonly NamedScenario[]): void {
  for (const fault of faults) {
    namedBy(fault).forEach((name) => scenarioOf(scenarios, name, fault.name));
  }
}

/**
 * Divides faults by what the baseline has. Only those are left out that a part of their own name has chosen: a scenario that
 * is asked for has to be tried by all its faults.
 *
 * @param folder of the baseline
 * @param scenarios of the baseline
 * @throws SuiteError with all that is missing, and the command that makes a baseline which has it
 */
export function inBaseline(
  chosen: readonly Fault[],
  only: readonly string[] | undefined,
  { folder, scenarios }: { folder: string; scenarios: readonly NamedScenario[] },
): { faults: Fault[]; leftOut: Fault[] } {
  const isThere = (name: string): boolean => scenariosCalled(scenarios, name).length > 0;
  const faults = chosen.filter((fault) => namedBy(fault).every(isThere));
  const leftOut = chosen.filter((fault) => !faults.includes(fault));
  const canBeLeftOut =
    only !== undefined && faults.length > 0 && leftOut.every((fault) => !isAskedFor(fault, only));
  if (leftOut.length === 0 || canBeLeftOut) return { faults, leftOut };
  const missing = namesIn(leftOut).filter((name) => !isThere(name));
  throw new SuiteError({
    what: 'the baseline lacks scenarios',
    where: folder,
    seen: `${scenarios.length} scenarios, without ${missing.join('; ')}`,
    expected: 'every scenario that the chosen faults name',
    next: `${commandFor(only ? chosen : [])}; then prove with --baseline ${NEW_BASELINE}`,
  });
}

/**
 * Divides faults by whether the baseline shows what they turn red: of a scenario that its runtime cannot show, none can.
 *
 * @param scenarios of the baseline
 */
export function shownIn(
  faults: readonly Fault[],
  scenarios: readonly (NamedScenario & Parameters<typeof outcomeOf>[0])[],
): { faults: Fault[]; unable: Fault[] } {
  const isShown = (name: string): boolean =>
    scenariosCalled(scenarios, name).some((one) => outcomeOf(one) !== 'not shown');
  const able = faults.filter(({ red }) => Object.keys(red).every(isShown));
  return { faults: able, unable: faults.filter((fault) => !able.includes(fault)) };
}

const NEW_BASELINE = 'reports/baseline';

/** Makes a baseline for some faults; of all scenarios where none is given. */
function commandFor(faults: readonly Fault[]): string {
  const tags = new Set(namesIn(faults).map((name) => `@${name.split(' ')[0]}`));
  const selection = tags.size > 0 ? ` -- --tags '${[...tags].join(' or ')}'` : '';
  return `REPORTS_DIR=${NEW_BASELINE} npm run acceptance${selection}`;
}

function namesIn(faults: readonly Fault[]): string[] {
  return [...new Set(faults.flatMap(namedBy))].sort();
}
