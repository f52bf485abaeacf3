import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { join, relative } from 'node:path';

import { version } from '../../package.json';
import { cachedOnly } from '../analyze/cache';
import { projectRoot, readConfig } from '../config';
import { messageOf } from '../base/errors';
import { hidingSecrets, safeText } from '../base/safe-text';
import { closedSession, type SessionRecord } from '../session/session';
import { reportFiles, type RunEnvironment, type RunPart } from './facts';
import type { ScenarioCollector } from './scenario-results';
import { broadcastFactsOf, writeBroadcastFacts } from './broadcast-facts';
import { writeReports } from './write-reports';

/**
 * Writes the pages of a run that has ended: of what scenarios have looked at; nothing is decoded for them. What cannot be
 * written is a problem of the run, and leaves the rest as it is.
 *
 * @returns what went wrong besides the scenarios
 */
export async function makeReports(collector: ScenarioCollector): Promise<{ problems: string[] }> {
  const started = performance.now();
  const config = readConfig();
  const folder = config.reportsFolder;
  const session = closedSession();
  const problems = [...(session?.problems ?? [])];
  const broadcasts = session?.broadcasts ?? [];
  if (session && !session.isReplay) problems.push(...(await writeFacts(session)));
  const part: RunPart = {
    environment: environmentOf(session?.runtime ?? 'no services were started', config.given),
    evidence: broadcasts.map(({ evidence }) => relative(folder, evidence.folder)),
    problems,
    reportSeconds: (performance.now() - started) / 1000,
  };
  const written = writeReports(
    folder,
    [{ folder, collector, part }],
    part.environment.shard !== undefined,
  );
  part.reportSeconds = (performance.now() - started) / 1000;
  writeFileSync(join(folder, reportFiles.part), JSON.stringify(part, hidingSecrets, 2));
  return { problems: written.facts.problems };
}

/** @returns what went wrong */
async function writeFacts({ broadcasts, settings }: SessionRecord): Promise<string[]> {
  const problems: string[] = [];
  if (!settings) return problems;
  const { name: mediaService } = settings.services.mediaService;
  const queue = [...broadcasts];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      try {
        const run = next;
        const facts = await cachedOnly(() => broadcastFactsOf(run, { mediaService }));
        writeBroadcastFacts(run.evidence.folder, facts);
      } catch (error) {
        problems.push(`no page of ${next.stream}: ${messageOf(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return problems;
}

function environmentOf(runtime: string, settings: Record<string, string>): RunEnvironment {
  const shard = shardOf(process.argv);
  return {
    runtime,
    node: process.version,
    system: `${type()} ${release()}`,
    processors: cpus().length,
    memoryBytes: totalmem(),
    suite: version,
    commit: commitOf(projectRoot),
    settings: Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [name, safeText(value)]),
    ),
    ...(shard ? { shard } : {}),
  };
}

/** `--shard 1/3` as cucumber-js takes it. */
function shardOf(args: readonly string[]): RunEnvironment['shard'] {
  const at = args.findIndex((one) => one === '--shard' || one.startsWith('--shard='));
  const [, index, count] =
    /(\d+)\/(\d+)$/.exec(args[at + (args[at] === '--shard' ? 1 : 0)] ?? '') ?? [];
  return at < 0 || !index || !count ? undefined : { index: Number(index), count: Number(count) };
}

function commitOf(root: string): string {
  try {
    const args = ['describe', '--always', '--dirty', '--abbrev=10'];
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    // An archive of the project has no history.
    return 'unknown';
  }
}
