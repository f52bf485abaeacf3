/** What media-service does when its connection to the STS is lost, as the tap sees it. */
import { Then } from '@cucumber/cucumber';

import { reconnectionCount } from '../support/checks/metrics';
import {
  backsOff,
  fallsBackAtLoss,
  initialisedAgain,
  numberingAtBoundary,
  reconnectsAfterSilence,
  reconnectsAtFirstAttempt,
  workerFails,
} from '../support/checks/reconnection';
import { plan } from '../support/session/plan';
import type { DubbingWorld } from '../support/world';

/** From the loss to the first attempt, and from each attempt to the next. */
Then(
  'media-service attempts to reconnect after {int}, {int}, {int}, {int} and {int} seconds ± {int} %',
  // prettier-ignore
  async function (this: DubbingWorld, a: number, b: number, c: number, d: number, e: number, percent: number) {
    await this.judge(backsOff, { seconds: [a, b, c, d, e], percent });
  },
);

/** From the loss to the attempt, which is accepted. */
Then(
  'media-service is reconnected at its first attempt, {duration} ± {int} % after the loss',
  async function (this: DubbingWorld, afterMs: number, percent: number) {
    await this.judge(reconnectsAtFirstAttempt, { afterMs, percent });
  },
);

/** A second stream:init, and the fragments on its connection. */
Then(
  'the stream is initialised again, with sequence numbers from 0',
  async function (this: DubbingWorld) {
    await this.judge(initialisedAgain, null);
  },
);

/** The timestamps of fragments, in segments. */
Then('numbering restarts at the next segment boundary', async function (this: DubbingWorld) {
  await this.judge(numberingAtBoundary, null);
});

/** From the loss on the wire to the fallback in the log. */
Then(
  'the fragment in flight falls back within {duration} of the loss',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judge(fallsBackAtLoss, { withinMs });
  },
);

/** The rise of the counter over the broadcast. */
Then(
  'media-service counts {int} reconnection(s)',
  async function (this: DubbingWorld, count: number) {
    await this.judge(reconnectionCount, { count });
  },
);

/** From the moment after which nothing got through to the next connection. */
Then(
  'media-service is reconnected within {duration} of the silence',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judge(reconnectsAfterSilence, { withinMs });
  },
);

plan('its worker exits with a code other than 0', (draft) => draft.judges('logs'));
/** The exit code in the log, or of media-service itself where it has ended. */
Then('its worker exits with a code other than 0', async function (this: DubbingWorld) {
  await this.judge(workerFails, null);
});
