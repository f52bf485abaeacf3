import { measureDubs } from './dub-damage';
import { locateDubs, placeDubs, startsIn } from './dub-placement';
import { detectLanguage } from './language';
import { matchFrames } from './matched-clock';
import { misplayedDubs } from './misplayed';
import { audioAdvance } from './pilot';
import { compareProgramme } from './programme';
import { measureSplices } from './splices';
import { tonesHeard } from './tones';

/** What keeps a processor busy for tenths of a second and more; see `inWorkerThread`. */
export const heavyWork = {
  locateDubs,
  placeDubs,
  startsIn,
  audioAdvance,
  measureSplices,
  tonesHeard,
  detectLanguage,
  matchFrames,
  compareProgramme,
  measureDubs,
  misplayedDubs,
};
