/**
 * Says whether a run of the suite counts: cucumber-js exits 0 when some scenarios were skipped. What failed, and why
 * something was skipped or cannot be shown, the run itself has printed (support/report/end-of-run.ts). What cannot be shown
 * in the runtime of the run, and says why, is no reason against it.
 * Argument: the messages file of the run. Exit code 1: it does not count.
 */
import { messageOf } from '../support/base/errors';
import { faultsOf, outcomeOf, readScenarioResults } from '../support/report/scenario-results';
import { counted } from '../support/report/wording';

const [messagesFile = 'reports/messages.ndjson'] = process.argv.slice(2);
try {
  const results = readScenarioResults(messagesFile);
  const outcomes = results.map(outcomeOf);
  const skipped = outcomes.filter((outcome) => outcome === 'skipped').length;
  if (outcomes.length === 0) {
    console.log('The run does not count as passed: no scenario ran.');
  } else if (outcomes.every((outcome) => outcome === 'not shown')) {
    console.log('The run does not count as passed: no scenario can be shown in this runtime.');
  } else if (skipped > 0 && !outcomes.includes('failed')) {
    console.log(`The run does not count as passed: ${counted(skipped, 'scenario')} skipped.`);
  }
  process.exitCode = faultsOf(results).length > 0 ? 1 : 0;
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
