import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { execa } from 'execa';

import { readScenarioResults, type ScenarioResult } from '../report/scenario-results';
import type { Track } from '../observe/track';

/** A run of this suite as a program, as a user would start it. */
export interface SuiteRun {
  exitCode: number | undefined;
  output: string;
  scenarios: ScenarioResult[];
  /** What the run was given that is not as it should be: must be named in its messages. */
  culprit: string;
}

/**
 * Runs the suite with other settings and waits for its end.
 *
 * @param options.tags which scenarios, as a tag expression
 * @param options.environment replaces environment variables
 */
export async function runSuite(options: {
  projectRoot: string;
  reportsFolder: string;
  tags: string;
  environment: Record<string, string>;
  culprit: string;
  track: Track;
}): Promise<SuiteRun> {
  const { projectRoot, reportsFolder } = options;
  rmSync(reportsFolder, { recursive: true, force: true });
  mkdirSync(reportsFolder, { recursive: true });
  const child = execa(
    process.execPath,
    [join(projectRoot, 'scripts/cucumber.mjs'), '--tags', options.tags],
    {
      cwd: projectRoot,
      env: { ...options.environment, REPORTS_DIR: reportsFolder },
      reject: false,
      all: true,
      stdin: 'ignore',
      detached: true,
      cleanup: false,
    },
  );
  const ended = options.track('nested suite', child.pid);
  const { exitCode, all } = await child;
  ended();
  return {
    exitCode,
    output: all,
    scenarios: readScenarioResults(join(reportsFolder, 'messages.ndjson')),
    culprit: options.culprit,
  };
}
