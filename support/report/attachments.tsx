import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { VNode } from 'preact';

import { cachedOnly } from '../analyze/cache';
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { messageOf } from '../base/errors';
import { evidenceFiles } from '../broadcast/evidence';
import { safeText } from '../base/safe-text';
import { FragmentTimeLine, OffsetChart, AudioChart, svgText } from './charts';
import { type NamesInEvidence, broadcastFactsOf } from './broadcast-facts';

/** More than this of a log is not read in a report; the whole of it is in the evidence folder. */
const LAST_LINES = 200;

export type Attach = (
  body: string | Buffer,
  options: { mediaType: string; fileName: string },
) => unknown;

/**
 * Attaches what was seen of a broadcast: its summary, events, service logs, what ffprobe says of the output, and charts
 * of what scenarios have looked at.
 */
export async function attachEvidence(
  findings: BroadcastFindings,
  names: NamesInEvidence,
  attach: Attach,
): Promise<void> {
  const { folder } = findings.evidence;
  const text = (fileName: string, body: string): void =>
    void attach(body, { mediaType: 'text/plain', fileName });
  text('evidence-folder.txt', safeText(folder));
  for (const name of [evidenceFiles.run, evidenceFiles.tap]) {
    if (existsSync(join(folder, name))) text(name, lastLinesOf(join(folder, name)));
  }
  for (const log of readdirSync(folder).filter((name) => name.endsWith('.log'))) {
    text(log, lastLinesOf(join(folder, log)));
  }
  // A report on a failure is made even where there is no output to look at: it then says so.
  const look = async (): Promise<unknown> =>
    Promise.all([findings.output.streams(), findings.output.span()]);
  const probed = await look().catch(messageOf);
  text('ffprobe-output.txt', JSON.stringify(probed, null, 2));
  const facts = await cachedOnly(() => broadcastFactsOf(findings, names));
  const { images, fragments } = facts;
  const chart = (fileName: string, drawn: VNode): void =>
    // Cucumber's HTML report shows images that are attached as bytes only.
    void attach(Buffer.from(svgText(drawn)), { mediaType: 'image/svg+xml', fileName });
  if (fragments.length > 0) {
    chart('fragments.svg', <FragmentTimeLine facts={facts} />);
    chart('offset.svg', <OffsetChart facts={facts} />);
  }
  if (images) chart('audio.svg', <AudioChart images={images} fragments={fragments} />);
}

/** Attaches what services have logged; by service name. */
export function attachLogs(logs: ReadonlyMap<string, string>, attach: Attach): void {
  for (const [service, log] of logs) {
    const fileName = `${service}.log`;
    const text = lastLines(log, 'reports/logs') || 'nothing was logged';
    attach(text, { mediaType: 'text/plain', fileName });
  }
}

function lastLinesOf(file: string): string {
  return lastLines(readFileSync(file, 'utf8'), file);
}

/** The end of a long text; `where` the whole of it is. */
function lastLines(whole: string, where: string): string {
  const lines = safeText(whole).trimEnd().split('\n');
  const left = lines.length - LAST_LINES;
  return [
    ...(left > 0 ? [`… ${left} earlier lines in ${where}`] : []),
    ...lines.slice(-LAST_LINES),
  ].join('\n');
}
