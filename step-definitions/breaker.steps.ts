/** The circuit breaker, by what goes over the wire (support/analyze/breaker.ts). */
import { Then } from '@cucumber/cucumber';

import {
  breakerClosesWithProbe,
  breakerConfirmed,
  breakerHalfOpens,
  breakerNeverOpens,
  breakerOpenAtEnd,
  breakerOpensAfterErrors,
  breakerOpensAfterTimeouts,
  breakerProbes,
  dubbingResumes,
  nothingSentWhileOpen,
} from '../support/checks/breaker';
import type { DubbingWorld } from '../support/world';

/** Failed answers in a row after which nothing was sent any more. */
Then(
  'the breaker opens after exactly {int} {word} errors in a row',
  async function (this: DubbingWorld, count: number, code: string) {
    await this.judge(breakerOpensAfterErrors, { count, code });
  },
);

/** Fragments without an answer after which nothing was sent, of a broadcast in which none is answered. */
Then(
  'the breaker opens after exactly {int} timeouts in a row',
  async function (this: DubbingWorld, count: number) {
    await this.judge(breakerOpensAfterTimeouts, { count });
  },
);

/** No segment was held back after failures. */
Then('the breaker never opens', async function (this: DubbingWorld) {
  await this.judge(breakerNeverOpens, null);
});

/** Fragments on the wire from the last failure on. */
Then(
  'nothing is sent for {duration} after the breaker has opened',
  async function (this: DubbingWorld, forMs: number) {
    await this.judge(nothingSentWhileOpen, { forMs });
  },
);

/** From the last failure to the probe, as far as segments and the metric tell it. */
Then(
  'the breaker is half-open {duration} ± {duration} after it opened',
  async function (this: DubbingWorld, afterMs: number, toleranceMs: number) {
    await this.judge(breakerHalfOpens, { afterMs, toleranceMs });
  },
);

/** Fragments on the wire from the first one after the break to its answer. */
Then(
  'exactly {int} fragment(s) is/are sent while it is half-open',
  async function (this: DubbingWorld, count: number) {
    await this.judge(breakerProbes, { count });
  },
);

/** The next segment's fragment is sent again. */
Then('the breaker closes when its probe is answered', async function (this: DubbingWorld) {
  await this.judge(breakerClosesWithProbe, null);
});

/** On the wire, after the answer to the probe. */
Then(
  'fragments are sent and answered again after it has closed',
  async function (this: DubbingWorld) {
    await this.judge(dubbingResumes, null);
  },
);

/** Every poll of the metric and every change in the log against the wire, as far as there are any. */
Then(
  'what media-service says of its breaker is what was seen from outside',
  async function (this: DubbingWorld) {
    await this.judge(breakerConfirmed, null);
  },
);

/** On the wire: segments were due, and nothing was sent. */
Then('the breaker is open at the end', async function (this: DubbingWorld) {
  await this.judge(breakerOpenAtEnd, null);
});
