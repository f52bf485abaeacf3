import type { EvidenceFault } from '../fault';
import { fragmentsUnsent, PROCESSED, withFields } from './words';

const broadcast = '021-US2-3';
const LOST = 4;
/** What is judged of every segment of the broadcast. */
const OF_EVERY_SEGMENT = [
  ...['021-US2-4', '021-US2-5', '021-US2-6'],
  '021-US4-1 The dubbed audio',
  ...['021-US4-2 The transcript', '021-US4-3 The translation'],
];

/** Faults that turn much red: each says what the cause is, and all else follows from it. */
export const CAUSES: EvidenceFault[] = [
  {
    name: 'media-service loses one segment: it is never sent',
    broadcast,
    alter: (evidence) => fragmentsUnsent(evidence, LOST, LOST + 1),
    red: {
      '021-US3-3': /another number of fragments was sent[\s\S]*segment 4: not sent/,
      '021-US2-3': /segment 4: not sent[\s\S]*follows from: media-service sends that many/,
      '021-US4-4 All ten': /segment 4: not sent/,
    },
    follows: OF_EVERY_SEGMENT,
  },
  {
    name: 'media-service loses one segment of the counting: it is never sent',
    broadcast: '019-US1-1',
    alter: (evidence) => fragmentsUnsent(evidence, 3, 4),
    red: {
      '019-US1-2': /another number of fragments was sent[\s\S]*segment 3: not sent/,
      '019-US1-6': /segment 3: not sent[\s\S]*follows from: media-service sends that many/,
    },
    follows: ['019-US1-3', '019-US1-4 Audio and video', '019-SC The dub', '019-US4-4', '019-US6-3'],
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
    follows: ['021-US2-3', '021-US3-3', ...OF_EVERY_SEGMENT],
  },
];
