import type { EvidenceFault } from '../fault';
import { cutAt, frozen, LATE_150_MS, ORIGINAL_KEPT } from './recordings';
import { answerMissing, broadcastFile, ofPaths } from './words';

const broadcast = '021-LIVE-1';

/** Faults of the broadcast that is published as an encoder does it. */
export const LIVE_ENCODED: EvidenceFault[] = [
  {
    name: 'The live-encoded broadcast is received by RTSP',
    broadcast,
    alter: ofPaths(() => ({ source: 'rtspSession' })),
    red: { '021-LIVE-1': /not seen to be received by that protocol[\s\S]*rtspSession/ },
  },
  {
    name: 'The output of the live-encoded broadcast ends 4 s early',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', cutAt(52)),
    red: { '021-LIVE-1': /the output has another length/ },
    follows: ['021-LIVE-2'],
  },
  {
    name: 'The video of the live-encoded broadcast freezes for 0.5 s',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', frozen(600, 15)),
    red: { '021-LIVE-1': /frames are lost, frozen/ },
  },
  {
    name: 'The audio of the live-encoded broadcast is 150 ms late',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', LATE_150_MS),
    red: { '021-LIVE-2': /1[45]\d(\.\d)? ms/ },
  },
  {
    name: 'The live-encoded broadcast has its original audio, 4 s late',
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', ORIGINAL_KEPT, [broadcastFile(evidence)]),
    red: { '021-LIVE-2': /dubs are missing[\s\S]*not heard at its video/ },
    follows: ['021-LIVE-1'],
  },
  {
    name: 'A fragment of the live-encoded broadcast is not answered',
    broadcast,
    alter: answerMissing(4),
    red: { '021-LIVE-2': /9 fragment:processed for 10 fragment:data/ },
  },
];
