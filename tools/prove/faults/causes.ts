import { readEvidence } from '../../../support/broadcast/evidence';
import type { EvidenceFault } from '../fault';
import { PROCESSED, withFields } from './words';

const broadcast = '021-US2-3';
const LOST = 4;
/** What is judged of every segment of the broadcast. */
const OF_EVERY_SEGMENT = [
  ...['021-US2-4', '021-US2-5', '021-US2-6', '021-US3-3'],
  '021-US4-1 The dubbed audio',
  ...['021-US4-2 The transcript', '021-US4-3 The translation'],
];

/** Faults that turn much red: each says what the cause is, and all else follows from it. */
export const CAUSES: EvidenceFault[] = [
  {
    name: 'media-service loses one segment: it is never sent',
    broadcast,
    alter: (evidence) => {
      const { fragments } = readEvidence(evidence.folder).fragments;
      const id = fragments[LOST]?.fragmentId;
      evidence.tap((events) =>
        events.filter(
          ({ payload }) => (payload as { fragment_id?: unknown } | undefined)?.fragment_id !== id,
        ),
      );
    },
    red: {
      '021-US2-3': /segment 4: not sent[\s\S]*follows from: media-service sends that many/,
      '021-US4-4 All ten': /segment 4: not sent/,
    },
    follows: OF_EVERY_SEGMENT,
  },
  {
    name: 'Half of the answers failed, as a model has no memory',
    broadcast,
    alter: (evidence) =>
      evidence.payloads(
        PROCESSED,
        [0, 1, 2, 3, 4],
        withFields({
          ...{ status: 'failed', dubbed_audio: null, transcript: '', translated_text: '' },
          error: { code: 'MODEL_ERROR', message: 'CUDA out of memory' },
        }),
      ),
    red: {
      '021-US4-4 All ten': /fragments 0 to 4: failed \(MODEL_ERROR: CUDA out of memory\)/,
    },
    follows: ['021-US2-3', ...OF_EVERY_SEGMENT],
  },
];
