import type { Fault } from '../fault';
import { CAUSES } from './causes';
import { COUNTING } from './counting';
import { EDGE_CASES } from './edge-cases';
import { ENVIRONMENT } from './environment';
import { FRESH_WORDS_FAULTS } from './fresh-words';
import { NOT_DONE } from './not-done';
import { LIVE_ENCODED } from './live-encoded';
import { METRICS } from './metrics';
import { ONE_MINUTE } from './one-minute';
import { OUTSIDE } from './outside';
import { SPEECH } from './speech';
import { START } from './start';
import { TONES } from './tones';

/** All faults; they are injected one at a time. */
export const FAULTS: readonly Fault[] = [
  ...ONE_MINUTE,
  ...CAUSES,
  ...COUNTING,
  ...LIVE_ENCODED,
  ...TONES,
  ...METRICS,
  ...EDGE_CASES,
  ...FRESH_WORDS_FAULTS,
  ...SPEECH,
  ...START,
  ...NOT_DONE,
  ...OUTSIDE,
  ...ENVIRONMENT,
];
