/** What faults have in common: names of events and metrics, and small changes. */
import { matching, type Sample } from '../../../support/base/prometheus';
import { type Evidence, readEvidence } from '../../../support/broadcast/evidence';
import type { TapEvent } from '../../../support/broadcast/events';
import { type AlteredEvidence, type Fields, shifted } from '../altered-evidence';

export const SENT = 'fragment:data';
export const PROCESSED = 'fragment:processed';
export const SEGMENTS = 'media_service_worker_segments_processed_total';
export const FRAGMENTS = 'worker_audio_fragments_total';
export const FALLBACKS = 'worker_fallback_total';
export const DELTA = 'worker_av_sync_delta_ms';
export const RECONNECTIONS = 'worker_reconnection_total';
export const BREAKER = 'worker_sts_breaker_state';
export const INFLIGHT = 'worker_inflight_fragments';
export const PRESSURE = 'worker_backpressure_events_total';

/** Whether a bucket of a histogram counts no more than 120 ms. */
export function BUCKET_OF_120_MS({ labels }: Sample): boolean {
  return Number(labels['le']) <= 120;
}

export function withFields(fields: Fields): (payload: Fields) => Fields {
  return (payload) => ({ ...payload, ...fields });
}

/** The fragment that an event is about; undefined where it is about none. */
export function idOf({ payload }: TapEvent): unknown {
  return (payload as Fields | undefined)?.['fragment_id'];
}

/** All events of one fragment, from being sent on, happen some time later; earlier for a negative time. */
export function fragmentLater(nth: number, byMs: number): (evidence: AlteredEvidence) => void {
  return fragmentMoved(nth, () => byMs);
}

/** The same as if it had been sent some time after the fragment before it, whenever that was. */
export function fragmentSentAfter(nth: number, ms: number): (evidence: AlteredEvidence) => void {
  const begun = ({ at, begunAt = at }: TapEvent): number => begunAt;
  return fragmentMoved(nth, (sent, before) => (before ? begun(before) + ms - begun(sent) : NaN));
}

function fragmentMoved(
  nth: number,
  byMs: (sent: TapEvent, before: TapEvent | undefined) => number,
): (evidence: AlteredEvidence) => void {
  return (evidence) =>
    evidence.tap((events) => {
      const all = events.filter(({ event }) => event === SENT);
      const sent = all[nth];
      if (!sent) return events;
      const moved = byMs(sent, all[nth - 1]);
      return events.map((one) => (idOf(one) === idOf(sent) ? shifted(one, moved) : one));
    });
}

/** The output is available some time after the first answer, whenever that came. */
export function outputAfterAnswer(ms: number): (evidence: AlteredEvidence) => void {
  return (evidence) => {
    const [first] = readEvidence(evidence.folder).fragments.answers;
    evidence.timeAfter('outputReady', first?.at ?? NaN, ms);
  };
}

/**
 * As if some fragments had never been sent: none of what was said of them.
 *
 * @param from the index of the first of them, from 0
 * @param before that of the first after them; all where not given
 */
export function fragmentsUnsent(evidence: AlteredEvidence, from: number, before?: number): void {
  const { fragments } = readEvidence(evidence.folder).fragments;
  const ids = new Set<unknown>(fragments.slice(from, before).map(({ fragmentId }) => fragmentId));
  evidence.tap((events) => events.filter((one) => !ids.has(idOf(one))));
}

/** A counter is exported some polls (one a second) late. */
export function countedLater(evidence: AlteredEvidence, name: string, polls: number): void {
  evidence.metrics((all) =>
    all.map((poll, i) => {
      const earlier = all[Math.max(0, i - polls)]?.samples ?? [];
      const samples = poll.samples.map((one) => {
        if (one.name !== name) return one;
        const then = matching(earlier, name, one.labels)[0]?.value ?? 0;
        return { ...one, value: then };
      });
      return { ...poll, samples };
    }),
  );
}

/** What media-service has logged about the broadcast as an error is no error. */
export function withoutErrors(evidence: AlteredEvidence): void {
  inLog(evidence, '"ERROR"', withFields({ level: 'INFO' }));
}

/** Alters every answer. @param fields of the answer for that segment */
export function answers(evidence: AlteredEvidence, fields: (segment: number) => Fields): void {
  let segment = -1;
  evidence.payloads(PROCESSED, undefined, (payload) => {
    segment += 1;
    return { ...payload, ...fields(segment) };
  });
}

/** One answer's texts. */
export function textsOf(evidence: AlteredEvidence, segment: number): Fields {
  const { fragments } = readEvidence(evidence.folder).fragments;
  const answer = fragments[segment]?.answer;
  return { transcript: answer?.transcript, translated_text: answer?.translation };
}

export function answerMissing(number: number): (evidence: AlteredEvidence) => void {
  return (evidence) => evidence.payloads(PROCESSED, [number], () => undefined);
}

/** One more than was counted, in the last poll only, from which counters are read. */
export function oneMore(
  evidence: AlteredEvidence,
  name: string,
  labels: Record<string, string> = {},
): void {
  evidence.metrics((polls) =>
    polls.map((poll, i) => ({
      ...poll,
      samples: poll.samples.map((one) =>
        i === polls.length - 1 &&
        one.name === name &&
        Object.entries(labels).every(([label, value]) => one.labels[label] === value)
          ? { ...one, value: one.value + 1 }
          : one,
      ),
    })),
  );
}

/** The file that was published. */
export function broadcastFile({ folder }: AlteredEvidence): string {
  return readEvidence(folder).record.fixtureFile;
}

/** A change of the log lines of the broadcast's stream that hold some text; undefined leaves them out. */
export function inLog(
  evidence: AlteredEvidence,
  text: string,
  change: (fields: Fields) => Fields | undefined,
): void {
  const { stream } = readEvidence(evidence.folder).record;
  evidence.log('media-service', (line) => {
    return line.includes(text) && line.includes(stream) ? changedLine(line, change) : line;
  });
}

/** A changed line of a log in JSON. Containers' logs have the engine's own time before it. */
function changedLine(
  line: string,
  change: (fields: Fields) => Fields | undefined,
): string | undefined {
  const at = line.indexOf('{');
  const fields = change(JSON.parse(line.slice(at)) as Fields);
  return fields && `${line.slice(0, at)}${JSON.stringify(fields)}`;
}

type Path = Evidence['mediamtx'][number]['paths'][number];

/** What the media server says of its paths, in each poll. */
export function ofPaths(
  change: (path: Path, poll: number) => Partial<Path>,
): (evidence: AlteredEvidence) => void {
  return (evidence) =>
    evidence.mediamtx((polls) =>
      polls.map((poll, i) => ({
        ...poll,
        paths: poll.paths.map((path) => ({ ...path, ...change(path, i) })),
      })),
    );
}

/** The output is listed as ready for a moment. */
export const publishedAfterAll = ofPaths(({ name }, poll) =>
  poll > 10 && name.endsWith('/out') ? { ready: true } : {},
);
