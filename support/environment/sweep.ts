/** Removes what killed sessions left. The watchdog runs this; its argument is the state folder. */
import { sweepLeftovers } from './session-state';

const [stateFolder] = process.argv.slice(2);
if (stateFolder) sweepLeftovers(stateFolder);
