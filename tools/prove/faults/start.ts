import type { EvidenceFault } from '../fault';
import { BEGINS_LATER, BUNCHED } from './recordings';

const MISSING =
  /the beginning of the broadcast is missing[\s\S]*the first 0\.[5-9]\d s of the video/;

/** Faults of where an output begins, and of frames that are there, but not when they should be. */
export const START: EvidenceFault[] = [
  {
    name: 'The output of the minute begins 0.6 s later',
    broadcast: '021-US2-3',
    alter: (evidence) => evidence.media('output.mp4', BEGINS_LATER),
    red: { '021-US6-3': MISSING },
  },
  {
    name: 'The output of the counting begins 0.6 s later',
    broadcast: '019-US1-1',
    alter: (evidence) => evidence.media('output.mp4', BEGINS_LATER),
    red: { '019-US6-2': MISSING },
    follows: ['019-US1-6'],
  },
  {
    name: 'The output of the tones begins 0.6 s later',
    broadcast: '018-US1-1',
    alter: (evidence) => evidence.media('output.mp4', BEGINS_LATER),
    red: { '018-US1-6 Ten': MISSING },
  },
  {
    name: 'Ten frames are bunched',
    broadcast: '021-US2-3',
    alter: (evidence) => evidence.media('output.mp4', BUNCHED),
    red: { '021-US6-1': /frames are lost, frozen, bunched[\s\S]*10 frames from \d+ on bunched at/ },
    follows: ['021-US6-3'],
  },
];
