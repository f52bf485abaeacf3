/** Compositions that are started alone with values of their variables, and what is seen of them from outside. */
import { type DataTable, Given, Then, When } from '@cucumber/cucumber';

import {
  cannotServe,
  dubsHello,
  dubsOrSaysWhyNot,
  inTimeOrTimeout,
  lastOf,
  levelCalled,
  listensElsewhere,
  listensWherePublished,
  logBeginsAt,
  oneMoreIsHeldBack,
  segmentsWritten,
  takesAtOnce,
  voicesDiffer,
} from '../support/checks/variables';
import { plan } from '../support/session/plan';
import { BROADCAST, fragments, longFragment, watched } from '../support/session/trial-request';
import type { TrialRequest } from '../support/session/trial-request';
import type { DubbingWorld } from '../support/world';

type Rows = readonly (readonly string[])[];

/** Waits for trials; the last one is judged. Those that the run is going to need begin with the first. */
async function start(world: DubbingWorld, ...requests: TrialRequest[]): Promise<void> {
  world.trials.value = await Promise.all(requests.map((one) => world.session.trial(one)));
  for (const { tookMs, health } of world.trials.value) {
    world.log(`${health.status ?? 'no status'} ${health.body}\n${(tookMs / 1000).toFixed(1)} s`);
  }
}

// -- values

plan('the STS has these values where a scenario names no other:', (draft, rows: Rows) =>
  draft.usualVariables('sts', rows),
);
/** Of its variables. */
Given(
  'the STS has these values where a scenario names no other:',
  function (this: DubbingWorld, table: DataTable) {
    this.draft.usualVariables('sts', table.raw());
  },
);

plan('media-service has these values where a scenario names no other:', (draft, rows: Rows) =>
  draft.usualVariables('media', rows),
);
/** Of its variables. */
Given(
  'media-service has these values where a scenario names no other:',
  function (this: DubbingWorld, table: DataTable) {
    this.draft.usualVariables('media', table.raw());
  },
);

plan('the STS is started alone with {word} {string}', (draft, name: string, value: string) =>
  draft.addTrial('sts', { [name]: value }),
);
/** On free ports; once it is healthy, it is sent somebody saying "Hello world"; then it is stopped. */
When(
  'the STS is started alone with {word} {string}',
  async function (this: DubbingWorld, name: string, value: string) {
    await start(this, this.draft.addTrial('sts', { [name]: value }));
  },
);

plan(
  'the STS is started alone with {word} {string} and {word} {string}',
  (draft, name: string, value: string, other: string, otherValue: string) =>
    draft.addTrial('sts', { [name]: value, [other]: otherValue }),
);
/** As with one variable. */
When(
  'the STS is started alone with {word} {string} and {word} {string}',
  async function (
    this: DubbingWorld,
    name: string,
    value: string,
    other: string,
    otherValue: string,
  ) {
    await start(this, this.draft.addTrial('sts', { [name]: value, [other]: otherValue }));
  },
);

plan('the STS is started alone with each of these as {word}:', (draft, name: string, rows: Rows) =>
  rows.map(([value = '']) => draft.addTrial('sts', { [name]: value })),
);
/** Several of them, each as with one variable. */
When(
  'the STS is started alone with each of these as {word}:',
  async function (this: DubbingWorld, name: string, table: DataTable) {
    const values = table.raw().map(([value = '']) => value);
    await start(this, ...values.map((value) => this.draft.addTrial('sts', { [name]: value })));
  },
);

plan(
  'the STS is started alone with {word} {string} and watched for {duration}',
  (draft, name: string, value: string, forMs: number) =>
    draft.addTrial('sts', { [name]: value }, watched(forMs)),
);
/** It is sent nothing; it is stopped when the time is up, or when it has answered at its health address. */
When(
  'the STS is started alone with {word} {string} and watched for {duration}',
  async function (this: DubbingWorld, name: string, value: string, forMs: number) {
    await start(this, this.draft.addTrial('sts', { [name]: value }, watched(forMs)));
  },
);

plan(
  'the STS is started alone with {word} {string} and sent {int} fragments at once',
  (draft, name: string, value: string, count: number) =>
    draft.addTrial('sts', { [name]: value }, fragments(count)),
);
/** In each of them somebody says "Hello world". */
When(
  'the STS is started alone with {word} {string} and sent {int} fragments at once',
  async function (this: DubbingWorld, name: string, value: string, count: number) {
    await start(this, this.draft.addTrial('sts', { [name]: value }, fragments(count)));
  },
);

plan(
  'the STS is started alone with {word} {string} and sent {duration} of speech as one fragment',
  (draft, name: string, value: string, ms: number) =>
    draft.addTrial('sts', { [name]: value }, longFragment(ms)),
);
/** The beginning of the counting broadcast, which is more than anything dubs in a second. */
When(
  'the STS is started alone with {word} {string} and sent {duration} of speech as one fragment',
  async function (this: DubbingWorld, name: string, value: string, ms: number) {
    await start(this, this.draft.addTrial('sts', { [name]: value }, longFragment(ms)));
  },
);

plan(
  'the media composition is started alone with {word} {string} and a broadcast is published',
  (draft, name: string, value: string) => draft.addTrial('media', { [name]: value }, BROADCAST),
);
/** On free ports; there is no STS. It is stopped when what is left of the broadcast has been written. */
When(
  'the media composition is started alone with {word} {string} and a broadcast is published',
  async function (this: DubbingWorld, name: string, value: string) {
    await start(this, this.draft.addTrial('media', { [name]: value }, BROADCAST));
  },
);

// -- what is seen

/** Every fragment that it was sent is answered with a transcript and a dub. */
Then('it dubs what it is sent', async function (this: DubbingWorld) {
  await this.judgeOf(dubsHello, lastOf(this.trials.value), null);
});

/** A status of 500 or more, and a body that names a value of this scenario, whatever its case. */
Then(
  'it says at its health address that it cannot have what was named',
  async function (this: DubbingWorld) {
    await this.judgeOf(cannotServe, lastOf(this.trials.value), null);
  },
);

/** One of the two: which of them depends on what is at hand here. */
Then(
  'it dubs what it is sent, or says at its health address that it cannot have what was named',
  async function (this: DubbingWorld) {
    await this.judgeOf(dubsOrSaysWhyNot, lastOf(this.trials.value), null);
  },
);

/** Any HTTP answer: while it loads its models that is not 200 yet. */
Then('it answers where it is published', async function (this: DubbingWorld) {
  await this.judgeOf(listensWherePublished, lastOf(this.trials.value), null);
});

/** Its process or container at the end of the time, and HTTP. */
Then('it runs, and nothing answers where it is published', async function (this: DubbingWorld) {
  await this.judgeOf(listensElsewhere, lastOf(this.trials.value), null);
});

/** The level that lines say themselves. There have to be lines of it, but for warnings and errors, which need not happen. */
Then('its log begins at the level {string}', async function (this: DubbingWorld, level: string) {
  await this.judgeOf(logBeginsAt, lastOf(this.trials.value), { level: levelCalled(level) });
});

/** Of each whole dub, as samples. */
Then('no two of them that dub speak with the same voice', async function (this: DubbingWorld) {
  await this.judgeOf(voicesDiffer, this.trials.value, null);
});

/** By `max_inflight` of its `stream:ready`; where that is not said, by what becomes of one more, if that was sent. */
Then('it says that it takes {int} at once', async function (this: DubbingWorld, count: number) {
  await this.judgeOf(takesAtOnce, lastOf(this.trials.value), { count });
});

/** By the error QUEUE_FULL, or by backpressure (slow_down, pause). */
Then('it refuses what is more, or asks to wait', async function (this: DubbingWorld) {
  await this.judgeOf(oneMoreIsHeldBack, lastOf(this.trials.value), null);
});

/** From sending to the answer; the error is retryable, and comes at most a second after the time is up. */
Then(
  'every fragment is dubbed within {duration}, or answered with TIMEOUT then',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judgeOf(inTimeOrTimeout, lastOf(this.trials.value), { withinMs });
  },
);

/** The files that media-service has written there, as its volume shows them. */
Then(
  'video and audio of its segments are in {string}',
  async function (this: DubbingWorld, folder: string) {
    await this.judgeOf(segmentsWritten, lastOf(this.trials.value), { folder });
  },
);
