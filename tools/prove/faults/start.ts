import type { EvidenceFault } from '../fault';
import { BEGINS_LATER, BUNCHED } from './recordings';

const MISSING =
  /the beginning of the broadcast is missing[\s\S]*the first 0\.[5-9]\d s of the video/;

/** The broadcasts that scenarios judge by their beginning: what it is, a scenario of it, which one judges, what follows. */
const BEGINNINGS = [
  { title: 'minute', broadcast: '021-US2-3', judge: '021-US6-3', follows: [] },
  { title: 'counting', broadcast: '019-US1-1', judge: '019-US6-2', follows: ['019-US1-6'] },
  { title: 'tones', broadcast: '018-US1-1', judge: '018-US1-6 Ten', follows: [] },
];

/** Faults of where an output begins, and of frames that are there, but not when they should be. */
export const START: EvidenceFault[] = [
  ...BEGINNINGS.map(({ title, broadcast, judge, follows }): EvidenceFault => ({
    name: `The output of the ${title} begins 0.6 s later`,
    broadcast,
    alter: (evidence) => evidence.media('output.mp4', BEGINS_LATER),
    red: { [judge]: MISSING },
    follows,
  })),
  {
    name: 'Ten frames are bunched',
    broadcast: '021-US2-3',
    alter: (evidence) => evidence.media('output.mp4', BUNCHED),
    red: { '021-US6-1': /frames are lost, frozen, bunched[\s\S]*10 frames from \d+ on bunched at/ },
    follows: ['021-US6-3'],
  },
];
