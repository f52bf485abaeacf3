/** Removes what killed sessions left, and prints what it was. The watchdog runs this; its argument is the state folder. */
import { sweepLeftovers } from './session-state';

const [stateFolder] = process.argv.slice(2);
if (stateFolder === undefined) throw new Error('usage: sweep.ts STATE_FOLDER');
console.log(JSON.stringify(sweepLeftovers(stateFolder)));
