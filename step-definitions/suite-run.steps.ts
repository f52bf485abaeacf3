/** Runs of the suite inside of a scenario, with settings of which something is wrong. */
import { Then, When } from '@cucumber/cucumber';

import { nothingLeft } from '../support/checks/services';
import {
  namingOf,
  scenarioEnds,
  scenarioFails,
  scenariosSkipped,
  suiteFails,
} from '../support/checks/suite-run';
import { leftoversOf } from '../support/session/inquiries';
import {
  type End,
  resultsOf,
  runWithPortTaken,
  runWithServices,
} from '../support/session/nested-run';
import type { NestedRequest } from '../support/session/nested-request';
import { plan, planNeed } from '../support/session/plan';
import type { DubbingWorld } from '../support/world';

planNeed(
  'compositions',
  'the suite is run while another program listens on the port of the {service}',
  'the suite is run with an STS compose file with this fault: {string}',
  'the suite is run on other ports, with one scenario that {word}',
);

plan('the suite is run with a broadcast file that does not exist', (draft) =>
  draft.addNested('no broadcast'),
);

/** Its scenarios of the one-minute broadcast. */
When(
  'the suite is run with a broadcast file that does not exist',
  async function (this: DubbingWorld) {
    await runNested(this, this.draft.addNested('no broadcast'));
  },
);

plan('the suite is run with a counting broadcast that does not exist', (draft) =>
  draft.addNested('no counting broadcast'),
);

/** Its scenarios of the counting broadcast. */
When(
  'the suite is run with a counting broadcast that does not exist',
  async function (this: DubbingWorld) {
    await runNested(this, this.draft.addNested('no counting broadcast'));
  },
);

plan(
  'the suite is run while another program listens on the port of the {service}',
  (draft, service: string) => draft.addNested('port taken', service),
);

/** Its scenarios that need services. */
When(
  'the suite is run while another program listens on the port of the {service}',
  async function (this: DubbingWorld, service: string) {
    await runNested(this, this.draft.addNested('port taken', service));
  },
);

/** Its scenarios that need services. */
When("the suite is run with the port of that set's STS", async function (this: DubbingWorld) {
  const port = Number(new URL(this.settings.value.services.sts.health).port);
  this.suiteRun.value = await runWithPortTaken(this.session, 'STS', port);
});

plan(
  'the suite is run with an STS compose file with this fault: {string}',
  (draft, fault: string) => draft.addNested('compose file', fault),
);

/** Its scenarios that need services. */
When(
  'the suite is run with an STS compose file with this fault: {string}',
  async function (this: DubbingWorld, fault: string) {
    await runNested(this, this.draft.addNested('compose file', fault));
  },
);

async function runNested(world: DubbingWorld, request: NestedRequest): Promise<void> {
  world.suiteRun.value = await world.session.nestedRun(request);
}

/** Its only scenario starts services, and asks media-service for metrics: where it has them, or where it has none. */
When(
  'the suite is run on other ports, with one scenario that {word}',
  async function (this: DubbingWorld, end: End) {
    const second = await this.secondServices();
    const { run, logFolder, temporaryFolder } = await runWithServices(this.session, second, end);
    this.suiteRun.value = run;
    this.logFolder.value = logFolder;
    this.temporaryFolder.value = temporaryFolder;
  },
);

/** Its status, and the exit code of that run. */
Then(
  'the scenario {string} {word}',
  async function (this: DubbingWorld, scenario: string, ends: End) {
    await this.judgeOf(scenarioEnds, resultsOf(this.suiteRun.value), { scenario, ends });
  },
);

/** What the kernel or the engine has of both projects, and the temporary folder of that run. */
Then(
  'no process, container, network, volume or temporary file of that run is left',
  async function (this: DubbingWorld) {
    const left = await leftoversOf(this.compose.value, this.temporaryFolder.value);
    await this.judgeOf(nothingLeft, left, null);
  },
);

/** The message of the scenario that judges it. */
Then(
  'the scenario {string} fails, naming {culprit}',
  async function (this: DubbingWorld, scenario: string, culprit: string) {
    const run = resultsOf(this.suiteRun.value);
    await this.judgeOf(scenarioFails, run, { scenario, naming: namingOf(culprit) });
  },
);

/** Why each of the others was skipped. */
Then(
  'every scenario that needs the broadcast/services is skipped, naming {culprit}',
  async function (this: DubbingWorld, culprit: string) {
    const run = resultsOf(this.suiteRun.value);
    await this.judgeOf(scenariosSkipped, run, { naming: namingOf(culprit) });
  },
);

/** Its exit code. */
Then('the suite reports failure', async function (this: DubbingWorld) {
  await this.judgeOf(suiteFails, this.suiteRun.value, null);
});
