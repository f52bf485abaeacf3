/**
 * The life of a session. What starts is decided by what the selected scenarios need: the session itself with the first
 * step that asks for it (World.session), services and broadcasts with the first step that needs them (support/session).
 * What ends, ends here.
 */
import {
  After,
  AfterAll,
  Before,
  BeforeStep,
  type ITestCaseHookParameter,
  type ITestStepHookParameter,
  setDefinitionFunctionWrapper,
  Status,
} from '@cucumber/cucumber';

import { CannotBeShown, messageOf, PrerequisiteMissing, safeError } from './base/errors';
import { fixtureCalled } from './broadcast/fixture';
import { readVerdicts } from './checks/verdict-log';
import { collectGarbage } from './platform/memory';
import { type Attach, attachEvidence, attachLogs } from './report/attachments';
import { JUDGED_BY, NOT_SHOWN_REASON, SKIP_REASON, STREAMS } from './report/scenario-results';
import { closeSession } from './session/lifecycle';
import { checkScope } from './session/scope';
import type { DubbingWorld } from './world';

type Definition = (this: DubbingWorld, ...args: unknown[]) => unknown;

/** The tags of the scenario that runs; scenarios run one after the other. */
let tagsOfScenario: string[] = [];
/** Whether the step that runs is a Then: without it, others can still be judged. */
let isJudging = false;

Before(function (this: DubbingWorld, { pickle }: ITestCaseHookParameter) {
  tagsOfScenario = pickle.tags.map((tag) => tag.name);
  isJudging = false;
  this.pickle = pickle;
});

BeforeStep(function ({ pickleStep }: ITestStepHookParameter) {
  isJudging = (pickleStep.type as string | undefined) === 'Outcome';
});

// Before anything is started or published for it.
Before(function (this: DubbingWorld, { pickle }: ITestCaseHookParameter) {
  return checkScope(this.session, pickle);
});

// A missing broadcast, and one that is not what is said of it, is noticed before services are started for nothing.
Before({ tags: '@broadcast' }, async function (this: DubbingWorld) {
  await this.session.describedFixture();
});
Before({ tags: '@counting' }, async function (this: DubbingWorld) {
  await this.session.describedFixture(fixtureCalled('counting broadcast'));
});

/**
 * What a scenario needs may be missing. The scenario that judges it (`@judges-…`) fails; the others are skipped, and
 * say why. A run with skipped scenarios is not a passed run (scripts/verdict.ts). What this system or configuration does not
 * offer makes a scenario not shown, with the reason; the other Thens of it are judged all the same.
 */
setDefinitionFunctionWrapper((definition: Definition): Definition => {
  return async function (this: DubbingWorld, ...args: unknown[]): Promise<unknown> {
    try {
      return await definition.apply(this, args);
    } catch (error) {
      if (error instanceof CannotBeShown) {
        this.attach(error.message, { mediaType: 'text/plain', fileName: NOT_SHOWN_REASON });
        // After a skipped step, cucumber-js runs no other one: the plugin tells this one as skipped.
        return isJudging ? undefined : 'skipped';
      }
      // Reports show the whole of an error.
      if (!(error instanceof PrerequisiteMissing)) throw safeError(error);
      if (tagsOfScenario.includes(`@judges-${error.prerequisite}`)) throw error;
      if (error.prerequisite === 'configuration') throw error;
      this.attach(error.message, { mediaType: 'text/plain', fileName: SKIP_REASON });
      return 'skipped';
    }
  };
});

// After hooks run in reverse order: the evidence of a failure is collected before anything is undone.
After({ name: 'cleanup' }, async function (this: DubbingWorld) {
  for (const cleanup of this.cleanups.splice(0).reverse()) await cleanup();
});

After(
  { name: 'evidence' },
  async function (this: DubbingWorld, { result }: ITestCaseHookParameter) {
    if (result?.status === Status.PASSED || result?.status === Status.SKIPPED) return;
    this.session.noteFailure();
    const attach: Attach = (body, options) =>
      typeof body === 'string' ? this.attach(body, options) : this.attach(body, options);
    // The evidence of a broadcast has the logs of its time.
    if (this.analyzer.isSet) {
      const { value: broadcast } = this.analyzer;
      const all = readVerdicts(this.session.config.reportsFolder);
      const own = all.filter(({ stream }) => stream === broadcast.stream);
      await attachEvidence(broadcast, own, attach);
    } else attachLogs(await this.session.serviceLogs(), attach);
  },
);

// The next one may look at other recordings.
After({ name: 'rest' }, async function (this: DubbingWorld) {
  for (const broadcast of this.judgedBroadcasts) await broadcast.rest();
  collectGarbage();
});

// Which evidence a scenario was judged by.
After({ name: 'judged by' }, function (this: DubbingWorld) {
  const streams = this.judgedBroadcasts.map(({ stream }) => stream);
  if (streams.length === 0) return;
  this.attach(streams.join('\n'), { mediaType: 'text/plain', fileName: JUDGED_BY });
});

// Which streams it has used, whatever came of them.
After({ name: 'streams' }, function (this: DubbingWorld) {
  if (this.streams.size === 0) return;
  this.attach([...this.streams].join('\n'), { mediaType: 'text/plain', fileName: STREAMS });
});

AfterAll(async () => {
  try {
    await closeSession();
  } catch (error) {
    // Thrown, it would end cucumber-js before that has said which scenarios failed, and why.
    console.error(messageOf(error));
    process.on('exit', () => (process.exitCode ||= 1));
  }
});
