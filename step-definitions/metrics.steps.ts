/** The metrics of media-service, of one broadcast and of many at the same time. */
import { Then } from '@cucumber/cucumber';

import {
  dubbedAtSameTime,
  fallbacksBecauseOf,
  metricsAgree,
  metricTypes,
  segmentCountsAgree,
} from '../support/checks/metrics';
import { plan } from '../support/session/plan';
import { demand } from '../support/session/scope';
import type { DubbingWorld } from '../support/world';

/** The rise of the counter over the broadcast, by its label. */
Then(
  'media-service counts {int} fallback(s) because of {string}',
  async function (this: DubbingWorld, count: number, reason: string) {
    await this.judge(fallbacksBecauseOf, { count, reason });
  },
);

plan('at least {int} broadcasts with faults are dubbed at the same time as it', (draft) =>
  draft.judges('many streams'),
);
/** Whether each was being published while this one was. */
Then(
  'at least {int} broadcasts with faults are dubbed at the same time as it',
  async function (this: DubbingWorld, least: number) {
    await demand(this.session, 'many streams');
    const subject = { broadcast: this.analyzer.value, others: this.broadcasts.value };
    await this.judgeOf(dubbedAtSameTime, subject, { least });
  },
);

/** The TYPE lines of the last poll of each broadcast. */
Then('every metric is there, with its type', async function (this: DubbingWorld) {
  await this.judgeOf(metricTypes, this.judgedBroadcasts, null);
});

/** Counters, gauges and histograms against what the tap has seen. */
Then(
  'for every broadcast each metric is what was seen from outside',
  async function (this: DubbingWorld) {
    await this.judgeOf(metricsAgree, this.judgedBroadcasts, null);
  },
);

/** The counter by its label against the level of the tones in each segment. */
Then(
  'for every broadcast the metrics count as many dubbed and original segments as a viewer hears',
  async function (this: DubbingWorld) {
    await this.judgeOf(segmentCountsAgree, this.judgedBroadcasts, null);
  },
);
