/** A short clip through all services: what a viewer gets of it, and what the services say about themselves meanwhile. */
import type { BroadcastFindings } from '../../support/analyze/broadcast-findings';
import { CannotBeShown, problemOf } from '../../support/base/errors';
import { shownPath } from '../../support/base/yaml-file';
import type { TapEvent } from '../../support/broadcast/events';
import { isComplete, outcomeText } from '../../support/broadcast/record';
import { requestOf } from '../../support/broadcast/request';
import { judge, type Verdict } from '../../support/checks/criterion';
import { OUTPUT_CRITERIA } from '../../support/checks/output-criteria';
import { fingerprint, original } from '../../support/checks/output-original';
import { type AnyOutputCriterion, notAskedBecause } from '../../support/checks/output-subject';
import { dubLanguage, language, originalUnderstood } from '../../support/checks/speech';
import { EXTERNAL, isEchoSts, USUAL_SEGMENT_SECONDS } from '../../support/session/capabilities';
import type { Session } from '../../support/session/session';
import type { Seen } from './draft';
import { asking, type Line, ok } from './line';
import { seenIn } from './seen-metrics';

const TOPIC = '12 s broadcast';

export const CLIP = '12-s-nfl';

/** Publishes the clip, waits for the end of its output, and judges that by the default limits. */
export async function shortBroadcast(
  session: Session,
): Promise<{ lines: Line[]; seen: Seen | undefined }> {
  let seen: Seen | undefined;
  const lines = await asking(TOPIC, async () => {
    const settings = await session.settings();
    const isEcho = isEchoSts(settings, session.config.runtime);
    const composition = { echoSegmentSeconds: USUAL_SEGMENT_SECONDS };
    const broadcast = await session.dub(
      requestOf({ fixture: CLIP, ...(isEcho ? { composition } : {}) }),
    );
    const { evidence, stream } = broadcast;
    seen = { metrics: seenIn(evidence.metrics), stream };
    const isElsewhere = session.config.runtime === 'external';
    const { host, port } = settings.services.sts.tap;
    const at = isElsewhere ? `${host}:${port}` : undefined;
    return broadcastLines(broadcast, { isEcho, tapAt: at });
  });
  return { lines, seen };
}

/**
 * What is said of a broadcast of the clip.
 *
 * @param options.isEcho an Echo STS has dubbed it: what is asked of translations is left out
 * @param options.tapAt where the tap listens, where media-service had to be pointed at it by somebody else
 */
export async function broadcastLines(
  broadcast: BroadcastFindings,
  { isEcho, tapAt }: { isEcho: boolean; tapAt: string | undefined },
): Promise<Line[]> {
  return [...wireLines(broadcast, tapAt), ...(await outputLines(broadcast, isEcho))];
}

const logsOf = ({ evidence }: BroadcastFindings): string =>
  `read the services' logs in ${shownPath(evidence.folder)}`;

/** @param tapAt where the tap listens, where media-service had to be pointed at it by somebody else */
function wireLines(broadcast: BroadcastFindings, tapAt: string | undefined): Line[] {
  const { evidence, record } = broadcast;
  const seen = `${outcomeText(record.outcome)}; ${shownPath(evidence.folder)}`;
  const outcome: Line = isComplete(record)
    ? ok(TOPIC, seen)
    : { ...{ topic: TOPIC, state: 'wrong', text: seen }, next: logsOf(broadcast) };
  if (record.monitor !== 'tap') {
    const text = 'there is none: what media-service and the STS say to each other is not heard';
    return [{ topic: 'tap', state: 'missing', text, next: NO_TAP }, outcome];
  }
  const tap = tapLine(evidence, tapAt);
  if (tap.state === 'ok') return [tap, outcome, fragmentsLine(broadcast)];
  const text = `0 sent to the STS through the tap; follows from: ${tap.text}`;
  return [tap, outcome, { topic: 'fragments', state: 'follows', text }];
}

const NO_TAP = `unset STS_MONITOR; with ${EXTERNAL}, set TAP_PORT, and point media-service at it`;

/**
 * Whether media-service speaks to the STS through the tap.
 *
 * @param at where the tap listens, where media-service had to be pointed at it by somebody else
 */
export function tapLine(
  { tap, unmatched }: { tap: readonly TapEvent[]; unmatched: readonly TapEvent[] },
  at: string | undefined,
): Line {
  const where = at === undefined ? '' : `${at}: `;
  if (tap.length > 0) return ok('tap', `${where}media-service has connected`);
  if (unmatched.length > 0) {
    return {
      ...{
        topic: 'tap',
        state: 'wrong',
        text: `${where}nobody can tell for which stream it was used`,
      },
      next: 'docs/contract.md says how a connection is recognised: X-Stream-ID, or stream_id of its first event',
    };
  }
  return {
    ...{ topic: 'tap', state: 'wrong', text: `${where}media-service has not connected` },
    next:
      at === undefined
        ? 'services.mediaService.stsUrlVariable has to be the variable that tells media-service where the STS is'
        : `set the STS's address of media-service to this host and port ${at.split(':').at(-1)}; from another host, TAP_HOST=0.0.0.0`,
  };
}

function fragmentsLine(broadcast: BroadcastFindings): Line {
  const { fragments } = broadcast;
  const answered = fragments.filter(({ answer }) => answer !== undefined).length;
  const isFine = fragments.length > 0 && answered === fragments.length;
  return {
    ...{ topic: 'fragments', state: isFine ? 'ok' : 'wrong' },
    text: `${fragments.length} sent to the STS, ${answered} answered`,
    ...(isFine ? {} : { next: logsOf(broadcast) }),
  };
}

/** Of the audio that was sent, the dub is the same: language, and what is like the original, say nothing. */
const OF_TRANSLATIONS = new Set<AnyOutputCriterion>([
  ...[original, fingerprint, dubLanguage, language, originalUnderstood],
]);

/** Where an Echo STS dubs, what is asked of translations is left out. */
async function outputLines(broadcast: BroadcastFindings, isEcho: boolean): Promise<Line[]> {
  const lines: Line[] = [];
  for (const one of OUTPUT_CRITERIA) {
    if (isEcho && (one.needs === 'texts' || OF_TRANSLATIONS.has(one))) continue;
    if (notAskedBecause(one.needs, broadcast) !== undefined) continue;
    lines.push(await outputLine(one, broadcast));
  }
  const first = lines.find(({ state }) => state === 'wrong');
  if (first) {
    first.next = `npm run analyze -- ${shownPath(broadcast.evidence.folder)} shows it segment by segment`;
  }
  return lines;
}

async function outputLine(one: AnyOutputCriterion, broadcast: BroadcastFindings): Promise<Line> {
  try {
    return verdictLine(await judge(one, broadcast, one.defaultLimit as unknown));
  } catch (error) {
    const problem = error instanceof CannotBeShown ? problemOf(error) : undefined;
    if (!problem) throw error;
    const text = `${one.title}: not shown: ${problem.what}: ${problem.seen}`;
    return { topic: 'output', state: 'missing', text };
  }
}

/** What follows from another verdict is no cause of its own. */
export function verdictLine({ state, title, what, seen, expected, because }: Verdict): Line {
  if (state === 'passed') return ok('output', `${title}: ${seen}`);
  const text = `${what}: ${seen}; expected: ${expected}`;
  if (!because) return { topic: 'output', state: 'wrong', text };
  return { topic: 'output', state: 'follows', text: `${text}\nfollows from: ${because.title}` };
}
