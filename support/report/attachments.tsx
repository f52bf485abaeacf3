import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { VNode } from 'preact';

import { cachedOnly } from '../analyze/cache';
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { messageOf } from '../base/errors';
import { evidenceFiles } from '../broadcast/evidence';
import type { VerdictLine } from '../checks/verdict-log';
import { safeText } from '../base/safe-text';
import { broadcastFactsOf } from './broadcast-facts';
import { AudioChart } from './charts/audio-chart';
import { svgText } from './charts/chart';
import { OffsetChart } from './charts/offset-chart';
import { FragmentTimeline } from './charts/timeline-chart';

/** More than this of a log is not read in a report; the whole of it is in the evidence folder. */
const LAST_LINES = 200;

export type Attach = (
  body: string | Buffer,
  options: { mediaType: string; fileName: string },
) => unknown;

/**
 * Attaches what was seen of a broadcast: its record, events, service logs, what ffprobe says of the output, and charts of
 * what scenarios have measured.
 *
 * @param verdicts of this broadcast, so far
 */
export async function attachEvidence(
  findings: BroadcastFindings,
  verdicts: readonly VerdictLine[],
  attach: Attach,
): Promise<void> {
  const { folder } = findings.evidence;
  const text = (fileName: string, body: string): void =>
    void attach(body, { mediaType: 'text/plain', fileName });
  text('evidence-folder.txt', safeText(folder));
  for (const name of [evidenceFiles.record, evidenceFiles.tap]) {
    if (existsSync(join(folder, name))) text(name, lastLinesOf(join(folder, name)));
  }
  for (const log of readdirSync(folder).filter((name) => name.endsWith('.log'))) {
    text(log, lastLinesOf(join(folder, log)));
  }
  // The evidence of a failure is attached even where there is no output: it then says so.
  const probe = async (): Promise<unknown> =>
    Promise.all([findings.output.streams(), findings.output.span()]);
  const probed = await probe().catch(messageOf);
  text('ffprobe-output.txt', JSON.stringify(probed, null, 2));
  const facts = await cachedOnly(() => broadcastFactsOf(findings, verdicts));
  const { images, fragments } = facts;
  const chart = (fileName: string, drawn: VNode): void =>
    // Cucumber's HTML report shows images that are attached as bytes only.
    void attach(Buffer.from(svgText(drawn)), { mediaType: 'image/svg+xml', fileName });
  if (fragments.length > 0) {
    chart('fragments.svg', <FragmentTimeline facts={facts} />);
    chart('offset.svg', <OffsetChart facts={facts} />);
  }
  if (images) chart('audio.svg', <AudioChart images={images} fragments={fragments} />);
}

/** Attaches what services have logged; by service name. */
export function attachLogs(logs: ReadonlyMap<string, string>, attach: Attach): void {
  for (const [service, log] of logs) {
    const text = lastLines(log, 'reports/logs') || 'nothing was logged';
    attach(text, { mediaType: 'text/plain', fileName: `${service}.log` });
  }
}

function lastLinesOf(file: string): string {
  return lastLines(readFileSync(file, 'utf8'), file);
}

/** The end of a long text; `where` the whole of it is. */
function lastLines(whole: string, where: string): string {
  const lines = safeText(whole).trimEnd().split('\n');
  const left = lines.length - LAST_LINES;
  const earlier = left > 0 ? [`… ${left} earlier lines in ${where}`] : [];
  return [...earlier, ...lines.slice(-LAST_LINES)].join('\n');
}
