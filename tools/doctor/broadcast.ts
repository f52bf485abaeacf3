/** A short clip through all services: what a viewer gets of it, and what the services say about themselves meanwhile. */
import type { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import { judgeOutput } from '../../support/checks/output-criteria';
import { isComplete, outcomeText } from '../../support/broadcast/record';
import { requestOf } from '../../support/broadcast/request';
import type { Session } from '../../support/session/session';
import { asking, type Line, ok } from './line';

const TOPIC = '12 s broadcast';
const NEXT = 'npm run analyze -- the folder named above shows it segment by segment';

export const CLIP = '12-s-nfl';

/** What the metrics of media-service were called while it dubbed the clip, and of which type each was. */
export type SeenMetrics = ReadonlyMap<string, string>;

/** Publishes the clip, waits for the end of its output, and judges that by the default limits. */
export async function shortBroadcast(
  session: Session,
): Promise<{ lines: Line[]; metrics: SeenMetrics | undefined }> {
  let metrics: SeenMetrics | undefined;
  const lines = await asking(TOPIC, async () => {
    const broadcast = await session.dub(requestOf({ fixture: CLIP }));
    metrics = metricsSeen(broadcast);
    return linesOf(broadcast);
  });
  return { lines, metrics };
}

/** The families of the last poll of which anything was seen: many appear with the first stream only, and go with it. */
function metricsSeen({ evidence }: BroadcastFindings): SeenMetrics {
  const families = new Map<string, string>();
  for (const { samples, types = {} } of evidence.metrics) {
    for (const { name } of samples) if (!familyKnown(name, types)) families.set(name, 'untyped');
    for (const [name, type] of Object.entries(types)) families.set(name, type);
  }
  return families;
}

/** The series of a histogram are called after its family: `…_bucket`, `…_sum`, `…_count`. */
function familyKnown(series: string, types: Readonly<Record<string, string>>): boolean {
  const family = series.replace(/_(bucket|sum|count|total|created)$/, '');
  return series in types || family in types;
}

const logsOf = ({ evidence }: BroadcastFindings): string =>
  `read the services' logs in ${evidence.folder}`;

async function linesOf(broadcast: BroadcastFindings): Promise<Line[]> {
  const { fragments, evidence, record } = broadcast;
  const answered = fragments.filter(({ answer }) => answer !== undefined);
  const seen = `${outcomeText(record.outcome)}; ${evidence.folder}`;
  const lines: Line[] = [
    isComplete(record)
      ? ok(TOPIC, seen)
      : { ...{ topic: TOPIC, state: 'wrong', text: seen }, next: logsOf(broadcast) },
  ];
  const isAllAnswered = fragments.length > 0 && answered.length === fragments.length;
  lines.push({
    topic: 'fragments',
    state: isAllAnswered ? 'ok' : 'wrong',
    text: `${fragments.length} sent to the STS, ${answered.length} answered`,
    ...(isAllAnswered ? {} : { next: logsOf(broadcast) }),
  });
  for (const { state, title, what, seen, expected } of await judgeOutput(broadcast)) {
    if (state === 'not asked') continue;
    const isFine = state === 'passed';
    lines.push({
      topic: 'output',
      state: isFine ? 'ok' : 'wrong',
      text: isFine ? `${title}: ${seen}` : `${what}: ${seen}; expected: ${expected}`,
      ...(isFine ? {} : { next: NEXT }),
    });
  }
  return lines;
}
