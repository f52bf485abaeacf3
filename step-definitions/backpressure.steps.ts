/** How fast media-service sends: what the STS requests, and how many fragments are in flight. */
import { type DataTable, Then } from '@cucumber/cucumber';

import {
  backpressureCounts,
  nothingSentInPause,
  sentAfterPause,
  slowDownSpaces,
} from '../support/checks/backpressure';
import {
  answerFreesSlot,
  inFlightAtDisconnect,
  inFlightMetric,
  mostInFlight,
  noAnswerWithin,
  timesOut,
} from '../support/checks/in-flight';
import type { DubbingWorld } from '../support/world';

// -- backpressure

/** On the wire, from each request to pause to the next request; a fragment has to be waiting when it ends. */
Then(
  'nothing is sent during each of the {int} pauses',
  async function (this: DubbingWorld, count: number) {
    await this.judge(nothingSentInPause, { count });
  },
);

/** On the wire, from the request to go on. */
Then(
  '{int} fragments are sent within {duration} of the end of the first pause',
  async function (this: DubbingWorld, count: number, withinMs: number) {
    await this.judge(sentAfterPause, { count, withinMs });
  },
);

/** On the wire, from the request to slow down to the next one. */
Then(
  'at least {int} fragments are sent during the slow-down, each at least {duration} after the one before',
  async function (this: DubbingWorld, least: number, apartMs: number) {
    await this.judge(slowDownSpaces, { least, apartMs });
  },
);

/** The rise of the counter over the broadcast, by its label. */
Then(
  'media-service counts these backpressure requests:',
  async function (this: DubbingWorld, table: DataTable) {
    const [row = {}] = table.hashes();
    const { pause, slow_down, none } = row;
    await this.judge(backpressureCounts, {
      ...{ pause: Number(pause), slow_down: Number(slow_down), none: Number(none) },
    });
  },
);

// -- in flight

/** Fragments that are sent and have neither been answered nor timed out, on the wire. */
Then(
  'at most {int} fragments are in flight at once, and {int} are at least once',
  async function (this: DubbingWorld, most: number, reached: number) {
    await this.judge(mostInFlight, { most, reached });
  },
);

/** On the wire: sent when all slots had been taken until an answer. */
Then(
  'a waiting fragment is sent within {duration} of an answer',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judge(answerFreesSlot, { withinMs });
  },
);

/** Every poll of the metric against the wire. */
Then('the in-flight metric showed the real number throughout', async function (this: DubbingWorld) {
  await this.judge(inFlightMetric, null);
});

/** From the fragment on the wire to the fallback in the log. */
Then(
  'every fragment that is sent times out after {duration} ± {duration}',
  async function (this: DubbingWorld, afterMs: number, toleranceMs: number) {
    await this.judge(timesOut, { afterMs, toleranceMs });
  },
);

/** Sent before the end of the publisher, which a signal has ended, and answered after it. */
Then(
  'a fragment was in flight when the publisher disconnected',
  async function (this: DubbingWorld) {
    await this.judge(inFlightAtDisconnect, null);
  },
);

/** Every segment's fragment and its answer, on the wire. */
Then('no answer arrives within {duration}', async function (this: DubbingWorld, withinMs: number) {
  await this.judge(noAnswerWithin, { withinMs });
});
