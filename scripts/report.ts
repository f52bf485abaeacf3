/**
 * `npm run report -- [FOLDER …] [--to FOLDER] [--soak FILE]`: makes the pages of a run again from the results that lie in its folder
 * (REPORTS_DIR when none is given). Several folders are the shards of one run; `--to` says where their one report is
 * written, with links to their evidence. `--soak` names the record of `npm run soak`, by which requirements are shown that need
 * several runs. What has not been measured of a broadcast is measured now, but nothing is judged. Exit code 0 when
 * the run passed, 1 when it did not or there are no results, 2 for a usage error.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { BroadcastFindings } from '../support/analyze/broadcast-findings';
import { listenBy } from '../support/analyze/listening';
import { readConfig, serviceNames } from '../support/config';
import { readCommandLine, usageError } from '../support/base/command-line';
import { messageOf } from '../support/base/errors';
import { publishedFixture } from '../support/broadcast/fixture';
import { readEvidence } from '../support/broadcast/evidence';
import type { VerdictLine } from '../support/checks/verdict-log';
import { remembering } from '../support/history/remember';
import { reportFiles } from '../support/report/facts';
import { readPart, type ResultsPart, verdictOf } from '../support/report/run-report';
import { broadcastFactsOf } from '../support/report/broadcast-facts';
import { readSoakRecord } from '../support/report/soak-record';
import { writeBroadcastFacts } from '../support/report/facts-file';
import { broadcastsOf, writeReports, type RunBroadcast } from '../support/report/write-reports';
import { shownPath } from '../support/base/yaml-file';

const USAGE = 'usage: npm run report -- [FOLDER …] [--to FOLDER] [--soak FILE]';

interface Arguments {
  folders: string[];
  to: string;
  soak: string | undefined;
}

function readArguments(): Arguments {
  const options = { to: { type: 'string' }, soak: { type: 'string' } } as const;
  const { values, positionals } = readCommandLine(USAGE, options, Infinity);
  const folders = positionals.length > 0 ? positionals : [readConfig().reportsFolder];
  const to = values.to ?? (folders.length === 1 ? folders[0] : undefined);
  if (to === undefined) usageError(USAGE, '--to FOLDER is needed for the report of several');
  return { folders: folders.map((folder) => resolve(folder)), to: resolve(to), soak: values.soak };
}

/** Measures what a page shows, where the run has not. */
async function addFacts(broadcast: RunBroadcast, lines: readonly VerdictLine[]): Promise<void> {
  const { evidenceFolder, pageFolder, stream } = broadcast;
  if (existsSync(join(pageFolder, reportFiles.broadcastFacts))) return;
  console.error(`measuring ${stream}`);
  listenBy(readConfig().listenerModel);
  const evidence = readEvidence(evidenceFolder);
  const names = serviceNames(readConfig().settings('127.0.0.1'));
  const findings = new BroadcastFindings(
    evidence,
    publishedFixture(evidence.record, evidence.folder),
    names,
  );
  writeBroadcastFacts(pageFolder, await broadcastFactsOf(findings, lines));
}

/** Of a broadcast whose facts cannot be had there is no page: the page of the run says so. */
async function addAllFacts(part: ResultsPart): Promise<void> {
  for (const broadcast of broadcastsOf(part)) {
    try {
      await addFacts(broadcast, part.verdicts);
    } catch (error) {
      console.error(messageOf(error));
    }
  }
}

async function main(): Promise<void> {
  const { folders, to, soak } = readArguments();
  const shown = soak === undefined ? undefined : readSoakRecord(soak);
  const parts = folders.map(readPart);
  for (const part of parts) await addAllFacts(part);
  mkdirSync(to, { recursive: true });
  const { facts } = await writeReports(to, parts, { repeated: shown ?? remembering(readConfig()) });
  const { text, outcome } = verdictOf(facts);
  console.log(`${text} ${shownPath(join(to, reportFiles.index))}`);
  process.exitCode = outcome === 'passed' ? 0 : 1;
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
