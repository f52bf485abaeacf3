/** The circuit breaker, by the log and the metric of media-service and by what went over the wire. */
import { Then } from '@cucumber/cucumber';

import {
  breakerClosesWithProbe,
  breakerHalfOpens,
  breakerMetricAgrees,
  breakerNeverOpens,
  breakerOpenAtEnd,
  breakerOpensAfterErrors,
  breakerOpensAfterTimeouts,
  breakerProbes,
  dubbingResumes,
  nothingSentWhileOpen,
} from '../support/checks/breaker';
import type { DubbingWorld } from '../support/world';

/** Failed answers in a row on the wire when it opened, and what the log says of its reason. */
Then(
  'the breaker opens after exactly {int} {word} errors in a row',
  async function (this: DubbingWorld, count: number, code: string) {
    await this.judge(breakerOpensAfterErrors, { count, code });
  },
);

/** Fragments without an answer when it opened, of a broadcast in which none is answered. */
Then(
  'the breaker opens after exactly {int} timeouts in a row',
  async function (this: DubbingWorld, count: number) {
    await this.judge(breakerOpensAfterTimeouts, { count });
  },
);

/** No change in the log, and closed in every poll of the metric. */
Then('the breaker never opens', async function (this: DubbingWorld) {
  await this.judge(breakerNeverOpens, null);
});

/** Fragments on the wire between the change to open and the next. */
Then('nothing is sent while the breaker is open', async function (this: DubbingWorld) {
  await this.judge(nothingSentWhileOpen, null);
});

/** From one change in the log to the other. */
Then(
  'the breaker is half-open {duration} ± {duration} after it opened',
  async function (this: DubbingWorld, afterMs: number, toleranceMs: number) {
    await this.judge(breakerHalfOpens, { afterMs, toleranceMs });
  },
);

/** Fragments on the wire between the change to half-open and the next. */
Then(
  'exactly {int} fragment(s) is/are sent while it is half-open',
  async function (this: DubbingWorld, count: number) {
    await this.judge(breakerProbes, { count });
  },
);

/** The change in the log against the answer on the wire. */
Then('the breaker closes when its probe is answered', async function (this: DubbingWorld) {
  await this.judge(breakerClosesWithProbe, null);
});

/** On the wire, after the change to closed. */
Then(
  'fragments are sent and answered again after it has closed',
  async function (this: DubbingWorld) {
    await this.judge(dubbingResumes, null);
  },
);

/** Every poll of the metric against the log. */
Then('the breaker metric showed its real state throughout', async function (this: DubbingWorld) {
  await this.judge(breakerMetricAgrees, null);
});

/** The last change in the log. */
Then('the breaker is open at the end', async function (this: DubbingWorld) {
  await this.judge(breakerOpenAtEnd, null);
});
