/**
 * `npm run report -- [FOLDER …] [--to FOLDER]`: makes the pages of a run again from the results that lie in its folder
 * (REPORTS_DIR when none is given). Several folders are the shards of one run; `--to` says where their one report is
 * written, with links to their evidence. What has not been worked out of a broadcast is worked out now. Exit code 0 when
 * the run passed, 1 when it did not or there are no results, 2 for a question that cannot be understood.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { BroadcastFindings } from '../support/analyze/broadcast-findings';
import { readConfig } from '../support/config';
import { messageOf } from '../support/base/errors';
import { publishedFixture } from '../support/broadcast/fixture';
import { readEvidence } from '../support/broadcast/evidence';
import { reportFiles } from '../support/report/facts';
import { readPart, verdictOf } from '../support/report/run-report';
import { broadcastFactsOf, writeBroadcastFacts } from '../support/report/broadcast-facts';
import { evidenceOf, writeReports, type EvidenceFolder } from '../support/report/write-reports';
import { shownPath } from '../support/base/yaml-file';

const USAGE = 'usage: npm run report -- [FOLDER …] [--to FOLDER]';

function readQuestion(args: string[]): { folders: string[]; to: string } {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { to: { type: 'string' } },
  });
  const folders = positionals.length > 0 ? positionals : [readConfig().reportsFolder];
  const to = values.to ?? (folders.length === 1 ? folders[0] : undefined);
  if (to === undefined) throw new TypeError('--to FOLDER is needed for the report of several');
  return { folders: folders.map((folder) => resolve(folder)), to: resolve(to) };
}

/** Works out what a page is made of, where the run has not. */
async function addFacts({ folder, isRecorded, stream }: EvidenceFolder): Promise<void> {
  if (isRecorded || existsSync(join(folder, reportFiles.broadcastFacts))) return;
  console.error(`working out ${stream}`);
  const evidence = readEvidence(folder);
  const { mediaService } = readConfig().settings('127.0.0.1').services;
  const findings = new BroadcastFindings(evidence, publishedFixture(evidence.run));
  writeBroadcastFacts(
    folder,
    await broadcastFactsOf(findings, { mediaService: mediaService.name }),
  );
}

async function main(): Promise<void> {
  const { folders, to } = readQuestion(process.argv.slice(2));
  const parts = folders.map(readPart);
  for (const evidence of parts.flatMap(evidenceOf)) {
    try {
      await addFacts(evidence);
    } catch (error) {
      // The page of the run names the stream.
      console.error(messageOf(error));
    }
  }
  mkdirSync(to, { recursive: true });
  const { facts } = writeReports(to, parts);
  const { text, outcome } = verdictOf(facts);
  console.log(`${text} ${shownPath(join(to, reportFiles.index))}`);
  process.exitCode = outcome === 'passed' ? 0 : 1;
}

main().catch((error: unknown) => {
  const isUsage = error instanceof TypeError;
  console.error(isUsage ? `${error.message}\n${USAGE}` : messageOf(error));
  process.exitCode = isUsage ? 2 : 1;
});
