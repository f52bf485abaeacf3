/**
 * Says whether a run of the suite counts: cucumber-js exits 0 when some scenarios were skipped or not shown. What failed, and
 * why something was skipped or not shown, the run itself has printed (support/report/end-of-run.ts). Which scenarios may be
 * not shown is said by acceptance.yaml (notShown); the run has noted it in part.json, beside its messages.
 * Argument: the messages file of the run. Exit code 1: it does not count.
 */
import { dirname } from 'node:path';

import { messageOf } from '../support/base/errors';
import { readRunPart } from '../support/report/facts-file';
import { missedBy, policyOf } from '../support/report/not-shown';
import { faultsOf } from '../support/report/run-report';
import { outcomeOf, readScenarioResults } from '../support/report/scenario-results';
import { counted } from '../support/report/wording';

const [messagesFile = 'reports/messages.ndjson'] = process.argv.slice(2);
try {
  const results = readScenarioResults(messagesFile);
  const scope = readRunPart(dirname(messagesFile))?.scope;
  const policy = policyOf(scope ? [scope] : []);
  const faults = faultsOf(results, policy);
  const outcomes = results.map(outcomeOf);
  const skipped = outcomes.filter((outcome) => outcome === 'skipped').length;
  const { length: missed } = missedBy(results, policy);
  const says = (what: string): void => console.log(`The run does not count as passed: ${what}.`);
  // Failures speak for themselves.
  if (outcomes.every((outcome) => outcome === 'not shown')) says(faults.join());
  else if (skipped > 0 && !outcomes.includes('failed'))
    says(`${counted(skipped, 'scenario')} skipped`);
  else if (missed > 0 && !outcomes.includes('failed')) {
    says(`${counted(missed, 'required scenario')} not shown`);
  }
  process.exitCode = faults.length > 0 ? 1 : 0;
} catch (error) {
  console.error(messageOf(error));
  process.exitCode = 1;
}
