import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { execa } from 'execa';

import { busyShareFromNow } from '../base/processors';
import type { Track } from '../base/track';
import { ASIDE_PRIORITY, prioritizeSession, yieldToServices } from '../platform/priority';

/** A run of this suite as a program, as a user would start it. */
export interface SuiteRun {
  exitCode: number | undefined;
  /** Its standard output and error. */
  output: string;
  /** Cucumber's messages, one JSON object a line; missing when the run has ended before its first scenario. */
  messagesFile: string;
  /** What was wrong with the run's settings: its messages must name it. */
  culprit: string;
  /** With which part of the time of all processors was taken meanwhile, 0 to 1; undefined where the system does not tell. */
  busyShare: number | undefined;
}

/**
 * Runs the suite with other settings and waits for its end.
 *
 * @param options.reportsFolder absolute; emptied first
 * @param options.tags which scenarios, as a tag expression
 * @param options.environment replaces environment variables
 * @param options.hasReports whether it makes its pages, as a user's run does; its messages it writes in any case
 */
export async function runSuite(options: {
  projectRoot: string;
  reportsFolder: string;
  tags: string;
  environment: Record<string, string>;
  culprit: string;
  hasReports: boolean;
  track: Track;
}): Promise<SuiteRun> {
  const { projectRoot, reportsFolder } = options;
  const profile = options.hasReports ? [] : ['--profile', 'messages'];
  const busyShare = busyShareFromNow();
  rmSync(reportsFolder, { recursive: true, force: true });
  mkdirSync(reportsFolder, { recursive: true });
  const child = execa(
    process.execPath,
    [join(projectRoot, 'scripts/cucumber.mjs'), '--tags', options.tags, ...profile],
    {
      cwd: projectRoot,
      // In its own folder, which is emptied: the history of the run around it does not have it.
      env: { ...options.environment, REPORTS_DIR: reportsFolder, HISTORY_FILE: '' },
      reject: false,
      all: true,
      stdin: 'ignore',
      detached: true,
      cleanup: false,
    },
  );
  yieldToServices(child.pid, ASIDE_PRIORITY);
  prioritizeSession(child.pid, ASIDE_PRIORITY);
  const ended = options.track('nested suite', child.pid);
  const { exitCode, all } = await child;
  ended();
  return {
    exitCode,
    output: all,
    messagesFile: join(reportsFolder, 'messages.ndjson'),
    culprit: options.culprit,
    busyShare: busyShare(),
  };
}
