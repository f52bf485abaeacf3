/** How runs get into the history, and what it says of them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { reportFiles } from '../report/facts';
import { environmentOf, type ReportConfig } from '../report/make-reports';
import { readRequirements } from '../report/requirements';
import { factsAlone, type ResultsPart } from '../report/run-report';
import type { ScenarioCollector } from '../report/scenario-results';
import type { SoakVerdict } from '../report/soak-record';
import type { Remember } from '../report/write-reports';
import { historyPage } from './history-page';
import { recordOf } from './record-of-run';
import { judgeRepeated } from './repeated-runs';
import { momentOf } from './run-record';
import { appendRun, type History, historyFileOf, readHistory } from './store';

/** What of the configuration concerns the history. */
interface HistoryConfig extends ReportConfig {
  historyFile: string | undefined;
  /** Where recorded broadcasts are judged in place of new ones. */
  evidenceFolder: string | undefined;
}

/** Adds a run that has ended, and makes the page of the history anew. */
export function remembering(config: Pick<HistoryConfig, 'historyFile'>): Remember {
  return async (to, parts, facts) => {
    if (!isRun(parts)) return undefined;
    const file = historyFileOf(config, to);
    appendRun(file, recordOf(parts, facts, readRequirements()));
    return writeHistory(to, readHistory([file]), { isBesideRun: true });
  };
}

/** A shard alone is no run, what is judged again has been one, and what has not begun, or was killed then, has no name. */
function isRun(parts: readonly Pick<ResultsPart, 'part' | 'collector'>[]): boolean {
  const isAlone = parts.length === 1 && parts[0]?.part?.environment.shard !== undefined;
  const hasBegun = parts.every(({ collector }) => collector.times.startedAtMs !== undefined);
  return !isAlone && hasBegun && parts.every(({ part }) => !part?.isReplay);
}

/** Adds a run that begins; its line with an end takes the place of this one. */
export function rememberBegin(collector: ScenarioCollector, config: HistoryConfig): void {
  const { reportsFolder: folder, differing, evidenceFolder } = config;
  const part = {
    ...{ folder, collector, verdicts: [] },
    part: {
      ...{ environment: environmentOf(undefined, differing), evidence: [] },
      ...{ isReplay: evidenceFolder !== undefined, problems: [], reportSeconds: 0 },
    },
  };
  if (!isRun([part])) return;
  appendRun(historyFileOf(config, folder), recordOf([part], factsAlone(part), readRequirements()));
}

/**
 * Writes the page of a history. Runs in another runtime than the last one are of other services: they are left out.
 *
 * @param options.runtime in place of that of the last run
 * @param options.isBesideRun whether the page of a run lies beside it
 * @returns what its runs show of requirements that need several
 */
export async function writeHistory(
  to: string,
  { runs: all, leftOut }: History,
  options: { runtime?: string | undefined; isBesideRun: boolean },
): Promise<SoakVerdict[]> {
  const runtime = options.runtime ?? all.flatMap((run) => run.runtime ?? []).at(-1);
  // One that was interrupted, or needed no services, does not know where they would have run.
  const runs = all.filter((run) => run.runtime === undefined || run.runtime === runtime);
  const named = runs.map((run) => ({ ...run, name: momentOf(run) }));
  const judged = await judgeRepeated(readRequirements(), named, true);
  const others = new Set(
    all.flatMap(({ runtime: one = runtime }) => (one === runtime ? [] : [one ?? ''])),
  );
  const shown = { runs, judged, leftOut, others: [...others], isBesideRun: options.isBesideRun };
  writeFileSync(join(to, reportFiles.historyPage), historyPage(shown));
  return judged;
}
