/**
 * Says whether a run of the suite counts: cucumber-js exits 0 when no scenario ran, or all were skipped.
 * Argument: the messages file of the run.
 */
import { messageOf } from '../support/errors';
import { faultsOf, readScenarioResults } from '../support/report/scenario-results';

const [messagesFile = 'reports/messages.ndjson'] = process.argv.slice(2);
try {
  const results = readScenarioResults(messagesFile);
  const count = (status: string): number =>
    results.filter((result) => result.status === status).length;
  const [passed, skipped] = [count('PASSED'), count('SKIPPED')];
  const failed = results.length - passed - skipped;
  faultsOf(results).forEach((fault) => console.log(`  ${fault}`));
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = faultsOf(results).length > 0 ? 1 : 0;
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
