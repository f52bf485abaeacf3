/** The steps that say which broadcast is dubbed, by which services, and what goes wrong with it. */
import { type DataTable, Given, When } from '@cucumber/cucumber';

import type { Fault } from '../support/broadcast/fault';
import { readFault } from '../support/broadcast/fault-words';
import { FRESH_WORDS } from '../support/broadcast/fresh-words';
import type { BroadcastRequest } from '../support/broadcast/request';
import { runTogether } from '../support/checks/services';
import { runningName, runningServices } from '../support/session/inquiries';
import { plan, planNeed, type RequestDraft } from '../support/session/plan';
import type { DubbingWorld } from '../support/world';

/** Of every spec. */
const SEGMENT_SECONDS = 6;
const TONES = '90-s-tones';
const REFUSED = 'the connection is lost and refused from then on';

type Rows = readonly (readonly string[])[];

const delayed = (ms: number): Fault =>
  readFault('every fragment', `the answer is delayed by ${ms / 1000} seconds`);
const taking = (ms: number): Fault =>
  readFault('every fragment', `the answer takes ${ms / 1000} seconds`);
const faultsIn = (rows: Rows): Fault[] =>
  rows.map(([place = '', event = '']) => readFault(place, event));

/** Waits until the broadcast that is complete with this has been dubbed. */
async function dub(world: DubbingWorld, request: BroadcastRequest): Promise<void> {
  world.analyzer.value = await world.publisher.dub(request);
}

// -- by which services

/** The two compositions are started, unless they run already, or recorded broadcasts are judged. */
Given('all services are running', async function (this: DubbingWorld) {
  // A step that asks a service says that there is none.
  if (!this.session.isReplay) await this.services();
});

plan('media-service is running with the Echo STS', (draft) => draft.throughEcho(SEGMENT_SECONDS));
/** The echo composition dubs; it is started with the first broadcast. */
Given('media-service is running with the Echo STS', function (this: DubbingWorld) {
  this.draft.throughEcho(SEGMENT_SECONDS);
});

plan('media-service is running with the Echo STS in segments of {duration}', (draft, ms: number) =>
  draft.throughEcho(ms / 1000),
);
/** An echo composition whose media-service cuts segments of another length. */
Given(
  'media-service is running with the Echo STS in segments of {duration}',
  function (this: DubbingWorld, ms: number) {
    this.draft.throughEcho(ms / 1000);
  },
);

const WITH_ECHO_STS = 'media with the Echo STS';
plan(
  'media-service of the media composition is running with the Echo STS, on other ports',
  (draft) => draft.throughOwn(WITH_ECHO_STS),
);
/** The media composition, and of the echo composition the Echo STS alone; which services run is asked of the runtime. */
Given(
  'media-service of the media composition is running with the Echo STS, on other ports',
  async function (this: DubbingWorld) {
    this.draft.throughOwn(WITH_ECHO_STS);
    const { manager, settings } = await this.ownServices(WITH_ECHO_STS);
    const { mediaServer, mediaService, sts } = settings.services;
    const services = [
      ...[mediaServer, mediaService].map(({ name }) => runningName(manager.media, name)),
      runningName(manager.sts, sts.name),
    ];
    await this.judgeOf(runTogether, await runningServices(manager), { services });
  },
);

plan(
  'media-service is running with the Echo STS, which takes one fragment at a time, {int} times as fast as usual',
  (draft, timeScale: number) => draft.throughSlowEcho(SEGMENT_SECONDS, timeScale),
);
/** Segments, the length of the broadcast, delays and the budget are divided by that; what is judged is multiplied by it. */
Given(
  'media-service is running with the Echo STS, which takes one fragment at a time, {int} times as fast as usual',
  function (this: DubbingWorld, timeScale: number) {
    this.draft.throughSlowEcho(SEGMENT_SECONDS, timeScale);
  },
);

// -- how it gets to the media server

plan('an encoder publishes by RTMP, without a lead-in', (draft) => draft.publishedBy('encoder'));
/** Whatever is configured. The media server drops the first 2 s of it. */
Given('an encoder publishes by RTMP, without a lead-in', function (this: DubbingWorld) {
  this.draft.publishedBy('encoder');
});

// -- what goes wrong

plan('these faults:', (draft, rows: Rows) => draft.addFaults(faultsIn(rows)));
/** The tap makes these faults, and no others: which fragments or which moment, and what happens. */
Given('these faults:', function (this: DubbingWorld, table: DataTable) {
  this.draft.addFaults(faultsIn(table.raw()));
});

plan('the STS is unreachable for this stream', (draft) =>
  draft.addFaults([readFault('from the start', REFUSED)]),
);
/** Every connection of the stream is refused. */
Given('the STS is unreachable for this stream', function (this: DubbingWorld) {
  this.draft.addFaults([readFault('from the start', REFUSED)]);
});

plan(
  'the STS becomes unreachable once {int} fragment(s) has/have been sent',
  (draft, sent: number) =>
    draft.addFaults([readFault(`when fragment ${sent - 1} is sent`, REFUSED)]),
);
/** The connection is lost with that fragment, and every further one is refused. */
Given(
  'the STS becomes unreachable once {int} fragment(s) has/have been sent',
  function (this: DubbingWorld, sent: number) {
    this.draft.addFaults([readFault(`when fragment ${sent - 1} is sent`, REFUSED)]);
  },
);

plan('every answer of the STS is delayed by {duration}', (draft, ms: number) =>
  draft.addFaults([delayed(ms / draft.timeScale)]),
);
/** The tap keeps each answer that long. */
Given(
  'every answer of the STS is delayed by {duration}',
  function (this: DubbingWorld, ms: number) {
    this.draft.addFaults([delayed(ms / this.draft.timeScale)]);
  },
);

plan('the STS takes {duration} for each fragment', (draft, ms: number) =>
  draft.addFaults([taking(ms / draft.timeScale)]),
);
/** The tap keeps each answer until that long after its fragment was sent. */
Given('the STS takes {duration} for each fragment', function (this: DubbingWorld, ms: number) {
  this.draft.addFaults([taking(ms / this.draft.timeScale)]);
});

/** The Echo STS counts fragments from 1. */
const errorFor = (fragment: number, code: string): Parameters<RequestDraft['addControl']>[0] => ({
  event: 'config:error_simulation',
  payload: {
    enabled: true,
    rules: [{ trigger: 'nth_fragment', value: fragment + 1, error_code: code }],
  },
});
plan(
  'the Echo STS is told to answer fragment {int} with the error {string}',
  (draft, fragment: number, code: string) => draft.addControl(errorFor(fragment, code)),
);
/** By its own control event, before the stream is published. */
Given(
  'the Echo STS is told to answer fragment {int} with the error {string}',
  function (this: DubbingWorld, fragment: number, code: string) {
    this.draft.addControl(errorFor(fragment, code));
  },
);

const disconnect = (ms: number): Parameters<RequestDraft['addControl']>[0] => ({
  event: 'simulate:disconnect',
  payload: { delay_ms: ms, reason: 'asked for by the scenario' },
});
plan('the Echo STS is told to disconnect after {duration}', (draft, ms: number) =>
  draft.addControl(disconnect(ms)),
);
/** By its own control event, before the stream is published. */
Given(
  'the Echo STS is told to disconnect after {duration}',
  function (this: DubbingWorld, ms: number) {
    this.draft.addControl(disconnect(ms));
  },
);

// -- which broadcast

plan('the {broadcast} is dubbed', (draft, fixture: string | null) => draft.complete({ fixture }));
/** Published once, and observed to the end of its output. */
When('the {broadcast} is dubbed', async function (this: DubbingWorld, fixture: string | null) {
  await dub(this, this.draft.complete({ fixture }));
});

const FRESH = { fixture: FRESH_WORDS };
plan('a broadcast of words composed for this run is dubbed', (draft) => draft.complete(FRESH));
/** Two segments, spoken while services start; FRESH_WORDS_SEED repeats them. */
When('a broadcast of words composed for this run is dubbed', async function (this: DubbingWorld) {
  await dub(this, this.draft.complete(FRESH));
});

plan('{duration} of the tone broadcast are dubbed', (draft, ms: number) =>
  draft.complete({ fixture: TONES, seconds: ms / 1000 / draft.timeScale }),
);
/** Only the beginning of it is published. */
When(
  '{duration} of the tone broadcast are dubbed',
  async function (this: DubbingWorld, ms: number) {
    const seconds = ms / 1000 / this.draft.timeScale;
    await dub(this, this.draft.complete({ fixture: TONES, seconds }));
  },
);

plan(
  '{duration} of the tone broadcast are dubbed and the media server refuses the output',
  (draft, ms: number) =>
    draft.complete({ fixture: TONES, seconds: ms / 1000, refusesOutput: true }),
);
/** The media server lets nobody publish the output's path. */
When(
  '{duration} of the tone broadcast are dubbed and the media server refuses the output',
  async function (this: DubbingWorld, ms: number) {
    await dub(
      this,
      this.draft.complete({ fixture: TONES, seconds: ms / 1000, refusesOutput: true }),
    );
  },
);

plan(
  'the {broadcast} is dubbed and its publisher disconnects after {duration}',
  (draft, fixture: string | null, ms: number) =>
    draft.complete({ fixture, cutOffAfterSeconds: ms / 1000 }),
);
/** The publisher is killed that long after the media server has the broadcast. */
When(
  'the {broadcast} is dubbed and its publisher disconnects after {duration}',
  async function (this: DubbingWorld, fixture: string | null, ms: number) {
    await dub(this, this.draft.complete({ fixture, cutOffAfterSeconds: ms / 1000 }));
  },
);

plan(
  'the {broadcast} is dubbed and the media server refuses its output',
  (draft, fixture: string | null) => draft.complete({ fixture, refusesOutput: true }),
);
/** The media server lets nobody publish the output's path. */
When(
  'the {broadcast} is dubbed and the media server refuses its output',
  async function (this: DubbingWorld, fixture: string | null) {
    await dub(this, this.draft.complete({ fixture, refusesOutput: true }));
  },
);

planNeed('streams', 'the {broadcast} is dubbed twice at the same time');
/** Tells them apart, and from the one that all other scenarios look at. */
const USES = [1, 2];
plan('the {broadcast} is dubbed twice at the same time', (draft, fixture: string | null) =>
  USES.map((use) => draft.complete({ fixture, use })),
);
/** Two streams of the same file, published at the same time. */
When(
  'the {broadcast} is dubbed twice at the same time',
  async function (this: DubbingWorld, fixture: string | null) {
    const requests = USES.map((use) => this.draft.complete({ fixture, use }));
    this.broadcasts.value = await Promise.all(requests.map((one) => this.publisher.dub(one)));
  },
);

plan(
  'the {broadcast} is being dubbed with every answer delayed by {duration}',
  (draft, fixture: string | null, ms: number) => draft.addOther({ fixture, faults: [delayed(ms)] }),
);
/** It goes on while the scenario does other things. */
Given(
  'the {broadcast} is being dubbed with every answer delayed by {duration}',
  function (this: DubbingWorld, fixture: string | null, ms: number) {
    const request = this.draft.addOther({ fixture, faults: [delayed(ms)] });
    this.inBackground.value = this.publisher.dub(request);
  },
);

/** Waits for the broadcast that is being dubbed in the background. */
When(
  'the broadcast with the delayed answers has been dubbed to its end',
  async function (this: DubbingWorld) {
    this.analyzer.value = await this.inBackground.value;
  },
);

/** Each row with a length begins a broadcast; the rows below it without one are its further faults. */
function requestsIn(draft: RequestDraft, rows: Rows): BroadcastRequest[] {
  const broadcasts: { seconds: number; faults: Fault[] }[] = [];
  for (const [length = '', place = '', event = ''] of rows) {
    if (length !== '') broadcasts.push({ seconds: Number(/^\d+/.exec(length)?.[0]), faults: [] });
    broadcasts.at(-1)?.faults.push(readFault(place, event));
  }
  return broadcasts.map((one) => draft.addOther({ fixture: TONES, ...one }));
}

plan('these broadcasts with faults are dubbed at the same time:', requestsIn);
/** They begin together with the others of this run that the Echo STS answers. */
Given(
  'these broadcasts with faults are dubbed at the same time:',
  async function (this: DubbingWorld, table: DataTable) {
    const requests = requestsIn(this.draft, table.raw());
    this.broadcasts.value = await Promise.all(requests.map((one) => this.publisher.dub(one)));
  },
);

plan('the {broadcast} is dubbed meanwhile', (draft, fixture: string | null) =>
  draft.complete({ fixture }),
);
/** It has begun together with the others: planned broadcasts do. */
When(
  'the {broadcast} is dubbed meanwhile',
  async function (this: DubbingWorld, fixture: string | null) {
    await dub(this, this.draft.complete({ fixture }));
  },
);
