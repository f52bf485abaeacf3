import type { Fault } from '../fault';
import { COUNTING } from './counting';
import { EDGE_CASES } from './edge-cases';
import { ENVIRONMENT } from './environment';
import { FRESH_WORDS_FAULTS } from './fresh-words';
import { ONE_MINUTE } from './one-minute';
import { OUTSIDE } from './outside';
import { SPEECH } from './speech';
import { TONES } from './tones';

/** All faults; they are injected one at a time. */
export const FAULTS: readonly Fault[] = [
  ...ONE_MINUTE,
  ...COUNTING,
  ...TONES,
  ...EDGE_CASES,
  ...FRESH_WORDS_FAULTS,
  ...SPEECH,
  ...OUTSIDE,
  ...ENVIRONMENT,
];
