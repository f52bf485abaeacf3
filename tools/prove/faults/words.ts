/** What faults have in common: names of events and metrics, and small changes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Sample } from '../../../support/analyze/prometheus';
import { evidenceFiles, type BroadcastRecord } from '../../../support/broadcast/evidence';
import type { TapEvent } from '../../../support/observe/tap';
import type { AlteredEvidence, Fields } from '../altered-evidence';

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

/** All that is said of one fragment, from being sent on, is said some time later. */
export function fragmentLater(nth: number, byMs: number): (evidence: AlteredEvidence) => void {
  const idOf = ({ payload }: TapEvent): unknown =>
    (payload as { fragment_id?: unknown } | undefined)?.fragment_id;
  return (evidence) =>
    evidence.tap((events) => {
      const sent = events.filter(({ event }) => event === SENT)[nth];
      return events.map((one) =>
        sent && idOf(one) === idOf(sent) ? { ...one, at: one.at + byMs } : one,
      );
    });
}

export function answerMissing(number: number): (evidence: AlteredEvidence) => void {
  return (evidence) => evidence.payloads(PROCESSED, [number], () => undefined);
}

/** One more than was counted, in the last look only: counters are read off it. */
export function oneMore(
  evidence: AlteredEvidence,
  name: string,
  labels: Record<string, string> = {},
): void {
  evidence.metrics((looks) =>
    looks.map((look, i) => ({
      ...look,
      samples: look.samples.map((one) =>
        i === looks.length - 1 &&
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
  const text = readFileSync(join(folder, evidenceFiles.run), 'utf8');
  return (JSON.parse(text) as BroadcastRecord).fixtureFile;
}

/** A change of the log lines of the broadcast's stream that hold some text; undefined leaves them out. */
export function inLog(
  evidence: AlteredEvidence,
  text: string,
  change: (fields: Fields) => Fields | undefined,
): void {
  const stream = (
    JSON.parse(readFileSync(join(evidence.folder, evidenceFiles.run), 'utf8')) as BroadcastRecord
  ).stream;
  evidence.log('media-service', (line) => {
    if (!line.includes(text) || !line.includes(stream)) return line;
    const fields = change(JSON.parse(line) as Fields);
    return fields && JSON.stringify(fields);
  });
}

/** A log line written some time later. */
export function laterBy(ms: number): (fields: Fields) => Fields {
  return (fields) => ({
    ...fields,
    timestamp: new Date(Date.parse(String(fields['timestamp'])) + ms).toISOString(),
  });
}
