import type { Fault } from '../fault';
import { COUNTING } from './counting';
import { EDGE_CASES } from './edge-cases';
import { ONE_MINUTE } from './one-minute';
import { OUTSIDE } from './outside';
import { TONES } from './tones';

/** All faults; they are injected one at a time. */
export const FAULTS: readonly Fault[] = [
  ...ONE_MINUTE,
  ...COUNTING,
  ...TONES,
  ...EDGE_CASES,
  ...OUTSIDE,
];
