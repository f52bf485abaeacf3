import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';

import { messageOf } from '../base/errors';
import { evidenceFiles } from '../broadcast/evidence';
import { reportFiles, type RunFacts, type BroadcastFacts, type BroadcastSummary } from './facts';
import { readRequirements } from './requirements';
import { runPage } from './run-page';
import { runFactsOf, type ResultsPart } from './run-report';
import { readBroadcastFacts } from './broadcast-facts';
import { broadcastPage } from './broadcast-page';
import { summaryOf } from './summary';

/** An evidence folder of a run. */
export interface EvidenceFolder {
  folder: string;
  stream: string;
  /** It was recorded by another run: that one has written its page. */
  isRecorded: boolean;
}

/** Removes the reports of an earlier run; its evidence folders stay, as their names are their own. */
export function removeReports(reportsFolder: string): void {
  for (const name of [reportFiles.index, reportFiles.summary, reportFiles.part]) {
    rmSync(join(reportsFolder, name), { force: true });
  }
}

/**
 * The evidence that a run lists; of one that could not write its list, what its scenarios name.
 */
export function evidenceOf({ folder, part, collector }: ResultsPart): EvidenceFolder[] {
  const judged = new Set(collector.results.flatMap(({ judgedBy }) => judgedBy));
  const listed = part?.evidence ?? [...judged].map((stream) => join('evidence', stream));
  return listed
    .map((one) => resolve(folder, one))
    .filter((one) => part !== undefined || existsSync(join(one, evidenceFiles.run)))
    .map((one) => ({
      folder: one,
      stream: basename(one),
      isRecorded: relative(resolve(folder), one).startsWith('..'),
    }));
}

/**
 * Writes the page of every stream into its evidence folder, and the page and the summary of the run. A page that cannot
 * be made is a problem of the run; the others are made all the same.
 *
 * @param to where the page of the run is written
 * @param parts of one run: its only one, or its shards
 * @param isShard where one shard speaks for itself, and the others are not missed
 * @returns what the page shows, and which of its problems came up here
 * @throws when the page of the run itself cannot be made or written
 */
export function writeReports(
  to: string,
  parts: readonly ResultsPart[],
  isShard = false,
): { facts: RunFacts; problems: string[] } {
  const started = performance.now();
  const specs = readRequirements();
  const results = parts.flatMap(({ collector }) => collector.results);
  const known = parts.flatMap(({ part }) => part?.problems ?? []);
  const problems: string[] = [];
  // Why there are no facts of a stream may have been said where they were to be made.
  const note = (stream: string, problem: string): void => {
    if (!known.some((one) => one.includes(stream))) problems.push(problem);
  };
  const streams = new Map<string, BroadcastSummary>();
  const seen = new Set<string>();
  for (const { folder, stream, isRecorded } of parts.flatMap(evidenceOf)) {
    seen.add(stream);
    if (streams.has(stream)) continue;
    try {
      const facts = readBroadcastFacts(folder);
      if (!facts) {
        if (!isRecorded) note(stream, `there is no page of ${stream}: it has no facts`);
        continue;
      }
      streams.set(stream, summaryOfStream(facts));
      const file = join(folder, reportFiles.broadcastPage);
      if (!isRecorded) {
        const judged = results.filter(({ judgedBy }) => judgedBy.includes(stream));
        // An earlier page must not be taken for this one.
        rmSync(file, { force: true });
        writeFileSync(
          file,
          broadcastPage(facts, judged, urlOf(folder, join(to, reportFiles.index))),
        );
      }
      if (existsSync(file)) streams.set(stream, summaryOfStream(facts, urlOf(to, file)));
    } catch (error) {
      problems.push(`there is no page of ${stream}: ${messageOf(error)}`);
    }
  }
  for (const stream of new Set(results.flatMap(({ judgedBy }) => judgedBy))) {
    if (!seen.has(stream)) note(stream, `there is no evidence of ${stream}, which was looked at`);
  }
  const facts = runFactsOf(
    parts,
    {
      ...{ streams: [...streams.values()], problems },
      seconds: (performance.now() - started) / 1000,
    },
    isShard,
  );
  writeFileSync(join(to, reportFiles.index), runPage(facts, specs));
  writeFileSync(join(to, reportFiles.summary), summaryOf(facts, specs));
  return { facts, problems };
}

function summaryOfStream(
  { stream, title, figures, isWhole, plan }: BroadcastFacts,
  page?: string,
): BroadcastSummary {
  return { stream, title, figures, isWhole, plan, ...(page === undefined ? {} : { page }) };
}

/** From a folder to a file, as a page links to it. */
function urlOf(folder: string, file: string): string {
  return relative(resolve(folder), resolve(file)).split(sep).map(encodeURIComponent).join('/');
}
