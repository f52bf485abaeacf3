import { PassThrough } from 'node:stream';

import { runCucumber } from '@cucumber/cucumber/api';
import type { Pickle } from '@cucumber/messages';

import { projectRoot } from '../../support/config';
import type { ScenarioResult } from '../../support/report/scenario-results';

/** A scenario that has not been run. */
export type ScenarioOfFeature = Pick<ScenarioResult, 'name' | 'tags' | 'place'>;

/**
 * The scenarios of `features/`, one for each row of an outline, as product wrote them: nothing is run.
 *
 * @param tagExpression as cucumber-js takes it; all when it is not given
 */
export async function scenariosOfFeatures(tagExpression = ''): Promise<ScenarioOfFeature[]> {
  const scenarios: ScenarioOfFeature[] = [];
  const pickles = new Map<string, Pickle>();
  await runCucumber(
    {
      sources: {
        ...{ paths: ['features/**/*.feature'], defaultDialect: 'en', order: 'defined' },
        ...{ names: [], tagExpression },
      },
      // Steps are not needed for names.
      support: { requireModules: [], requirePaths: [], importPaths: [], loaders: [] },
      runtime: {
        ...{ dryRun: true, failFast: false, filterStacktraces: true, strict: false },
        ...{ parallel: 0, retry: 0, retryTagFilter: '', worldParameters: {} },
      },
      formats: { stdout: 'message', files: {}, publish: false, options: {} },
    },
    // Nobody reads what is printed.
    { cwd: projectRoot, stdout: new PassThrough().resume() },
    ({ pickle, testCase }) => {
      if (pickle) pickles.set(pickle.id, pickle);
      // Pickles are of all scenarios, test cases of those that are asked for.
      const asked = pickles.get(testCase?.pickleId ?? '');
      if (!asked) return;
      const { name, tags, uri, location } = asked;
      scenarios.push({
        ...{ name, tags: tags.map((tag) => tag.name) },
        place: `${uri}:${location?.line ?? ''}`,
      });
    },
  );
  return scenarios;
}
