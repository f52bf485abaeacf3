import type { CauseFacts } from './facts';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { release, totalmem, type } from 'node:os';
import { join, relative } from 'node:path';

import { version } from '../../package.json';
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { cachedOnly } from '../analyze/cache';
import { messageOf } from '../base/errors';
import { processorCount } from '../base/processors';
import { hidingSecrets, safeText } from '../base/safe-text';
import { readShard, SHARD_VARIABLE, takeShard } from '../base/shard';
import { readVerdicts, type VerdictLine } from '../checks/verdict-log';
import { projectRoot } from '../config';
import { collectGarbage } from '../platform/memory';
import { measuredSpeed } from '../platform/speed';
import { broadcastFactsOf } from './broadcast-facts';
import { reportFiles, type RunEnvironment, type RunPart, type Scope } from './facts';
import { writeBroadcastFacts } from './facts-file';
import type { ScenarioCollector } from './scenario-results';
import { type Remember, runBroadcast, writeReports } from './write-reports';

/** What a session that has been closed leaves to the reports. */
export interface EndedSession {
  /** What the services ran as, for people. */
  runtime: string;
  /** host, docker or external; undefined where no services were needed. */
  runsOn: string | undefined;
  /** By service: the digest of its image, where they are containers. */
  images: Record<string, string>;
  /** All broadcasts that were observed to their end, or replayed. */
  broadcasts: readonly BroadcastFindings[];
  /** Whether another run has recorded them. */
  isReplay: boolean;
  /** What went wrong besides the scenarios. */
  problems: readonly string[];
}

/** What of the configuration concerns reports. */
export interface ReportConfig {
  reportsFolder: string;
  /** Every variable that differs from its default. */
  differing: Record<string, string>;
}

/**
 * Writes the pages of a run that has ended: of what scenarios have measured; nothing is decoded for them. What cannot be
 * written is a problem of the run, and leaves the rest as it is.
 *
 * @param session undefined where no scenario needed one
 * @param scope what the run can show, where that is known
 * @param remember adds it to the history
 * @returns what went wrong besides the scenarios, and what failures have in common
 */
export async function makeReports(
  collector: ScenarioCollector,
  session: EndedSession | undefined,
  { reportsFolder: folder, differing }: ReportConfig,
  scope?: Scope,
  remember?: Remember,
): Promise<{ problems: string[]; causes: CauseFacts[] }> {
  const started = performance.now();
  const { broadcasts = [], isReplay = false } = session ?? {};
  const { verdicts, problem } = verdictsIn(folder);
  const ofPages = await writeFacts(folder, broadcasts, { isReplay, verdicts });
  const problems = [...(session?.problems ?? []), ...problem, ...ofPages];
  const part: RunPart = {
    environment: environmentOf(session, differing),
    ...(scope ? { scope } : {}),
    evidence: broadcasts.map(({ evidence }) => relative(folder, evidence.folder)),
    ...{ isReplay, problems },
    reportSeconds: (performance.now() - started) / 1000,
  };
  const isShard = part.environment.shard !== undefined;
  const written = await writeReports(folder, [{ folder, collector, part, verdicts }], {
    ...{ isShard, repeated: remember },
  });
  part.reportSeconds = (performance.now() - started) / 1000;
  writeFileSync(join(folder, reportFiles.part), JSON.stringify(part, hidingSecrets, 2));
  return { problems: written.facts.problems, causes: written.facts.causes ?? [] };
}

/** None, and why, where they cannot be read. */
function verdictsIn(reportsFolder: string): { verdicts: VerdictLine[]; problem: string[] } {
  try {
    return { verdicts: readVerdicts(reportsFolder), problem: [] };
  } catch (error) {
    return { verdicts: [], problem: [`pages are without verdicts: ${messageOf(error)}`] };
  }
}

/** @returns what went wrong */
async function writeFacts(
  reportsFolder: string,
  broadcasts: readonly BroadcastFindings[],
  { isReplay, verdicts: lines }: { isReplay: boolean; verdicts: readonly VerdictLine[] },
): Promise<string[]> {
  const problems: string[] = [];
  const queue = [...broadcasts];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      try {
        const broadcast = next;
        const facts = await cachedOnly(() => broadcastFactsOf(broadcast, lines));
        const { folder } = broadcast.evidence;
        writeBroadcastFacts(runBroadcast(reportsFolder, folder, isReplay).pageFolder, facts);
      } catch (error) {
        problems.push(`no page of ${next.stream}: ${messageOf(error)}`);
      }
      collectGarbage();
    }
  };
  await Promise.all(Array.from({ length: processorCount() }, work));
  return problems;
}

/** @param session undefined where none was needed, or is still open */
export function environmentOf(
  session: Pick<EndedSession, 'runtime' | 'runsOn' | 'images'> | undefined,
  settings: Record<string, string>,
): RunEnvironment {
  const { runtime = 'no services were started', runsOn, images } = session ?? {};
  const speed = measuredSpeed();
  return {
    ...{ runtime, node: process.version, system: `${type()} ${release()}` },
    ...(runsOn === undefined ? {} : { runsOn }),
    ...(images === undefined ? {} : { images }),
    ...{ processors: processorCount(), memoryBytes: totalmem() },
    ...(speed === undefined ? {} : { speed }),
    ...{ suite: version, commit: commitOf(projectRoot), shard: shardOf(process) },
    settings: Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [name, safeText(value)]),
    ),
  };
}

/** `--shard 1/3`, of `npm run acceptance` or as cucumber-js takes it. */
function shardOf({ env, argv }: NodeJS.Process): RunEnvironment['shard'] {
  return readShard(env[SHARD_VARIABLE] ?? takeShard(argv).text);
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
