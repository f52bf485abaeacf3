import { locateDubs, placeDubs, startsIn } from './dub-placement';
import { detectLanguage } from './language';
import { lookAtSeams } from './seams';
import { tonesHeard } from './tones';

/** What keeps a processor busy for tenths of a second and more; see `aside`. */
export const heavyWork = {
  locateDubs,
  placeDubs,
  startsIn,
  lookAtSeams,
  tonesHeard,
  detectLanguage,
};
