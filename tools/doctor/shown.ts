/** What the scenarios of each feature can show with a configuration. */
import { Writable } from 'node:stream';

import { loadConfiguration, runCucumber } from '@cucumber/cucumber/api';

import { projectRoot } from '../../support/config';
import { notOffered, type Offering } from '../../support/session/capabilities';
import { type PlannedScenario, plannedScenarios } from '../../support/session/plan';
import { type Line, ok, placed } from './line';

/** Has cucumber-js read all features and steps, of which the plan is made; nothing is run. */
async function readFeatures(): Promise<void> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const environment = { cwd: projectRoot, stdout: nowhere, stderr: nowhere };
  const { runConfiguration } = await loadConfiguration(
    { provided: { dryRun: true, format: ['message'] } },
    environment,
  );
  await runCucumber(runConfiguration, environment);
}

/** A line for each feature: how many of its scenarios can be shown, and why others cannot. */
export async function whatCanBeShown(offering: Offering): Promise<Line[]> {
  await readFeatures();
  const missing = notOffered(offering);
  const features = new Map<string, PlannedScenario[]>();
  for (const one of plannedScenarios()) {
    const name = one.pickle.uri.replace(/^features\/|\.feature$/g, '');
    features.set(name, [...(features.get(name) ?? []), one]);
  }
  return [...features].map(([name, scenarios]) => {
    const lacking = scenarios.flatMap(({ needs }) => {
      const [problem] = [...needs.whole, ...needs.part].flatMap((one) => missing.get(one) ?? []);
      return problem ? [problem] : [];
    });
    const text = `${name}: ${scenarios.length - lacking.length} of ${scenarios.length} scenarios`;
    if (lacking.length === 0) return ok('can be shown', text);
    const reasons = [...new Set(lacking.map(placed))];
    const next = [...new Set(lacking.flatMap((one) => one.next ?? []))].join('; ');
    return {
      ...{ topic: 'can be shown', state: 'missing', text: `${text}; ${reasons.join('; ')}` },
      ...(next ? { next } : {}),
    };
  });
}
