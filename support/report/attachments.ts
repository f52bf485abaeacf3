import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { RunFindings } from '../analyze/run-findings';
import { messageOf } from '../errors';
import { evidenceFiles } from '../observe/evidence';

/** More than this of a log is not read in a report; the whole of it is in the evidence folder. */
const LAST_LINES = 200;

type Attach = (body: string, options: { mediaType: string; fileName: string }) => unknown;

/** Attaches what was seen of a broadcast: its summary, events, service logs and what ffprobe says of the output. */
export async function attachEvidence(findings: RunFindings, attach: Attach): Promise<void> {
  const { folder } = findings.evidence;
  const text = (fileName: string, body: string): void =>
    void attach(body, { mediaType: 'text/plain', fileName });
  text('evidence-folder.txt', folder);
  for (const name of [evidenceFiles.run, evidenceFiles.tap]) {
    if (existsSync(join(folder, name))) text(name, lastLines(join(folder, name)));
  }
  for (const log of readdirSync(folder).filter((name) => name.endsWith('.log'))) {
    text(log, lastLines(join(folder, log)));
  }
  // A report on a failure is made even where there is no output to look at: it then says so.
  const probed = await Promise.all([findings.outputStreams(), findings.outputSpan()]).catch(
    messageOf,
  );
  text('ffprobe-output.txt', JSON.stringify(probed, null, 2));
}

function lastLines(file: string): string {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const left = lines.length - LAST_LINES;
  return [
    ...(left > 0 ? [`… ${left} earlier lines in ${file}`] : []),
    ...lines.slice(-LAST_LINES),
  ].join('\n');
}
