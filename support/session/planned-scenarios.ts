import type { Envelope, Pickle, PickleStep } from '@cucumber/messages';

const pickles = new Map<string, Pickle>();
const planned: Pickle[] = [];

/** Notes what cucumber-js says before a run begins: the scenarios that are going to run, in their order. */
export function noteEnvelope({ pickle, testCase }: Envelope): void {
  if (pickle) pickles.set(pickle.id, pickle);
  const known = testCase && pickles.get(testCase.pickleId);
  if (known) planned.push(known);
}

/** The steps of all scenarios of this run. Empty where the suite's own formatter is not used. */
export function plannedSteps(): PickleStep[] {
  return planned.flatMap(({ steps }) => steps);
}

/** The scenarios of this run with that tag. Empty where the suite's own formatter is not used. */
export function plannedScenarios(tag: string): Pickle[] {
  return planned.filter(({ tags }) => tags.some(({ name }) => name === tag));
}
