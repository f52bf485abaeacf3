import { Given, Then } from '@cucumber/cucumber';

import {
  connection,
  connectionAttempts,
  growingBackoff,
  ownConnection,
  publishedPort,
  streamAccepted,
  throughPublishedPort,
} from '../support/checks/connection';
import { acknowledged, answered } from '../support/checks/exchange';
import { plan } from '../support/session/plan';
import type { DubbingWorld } from '../support/world';

const DIRECT = 'dual without a tap';

async function judgeReached(
  world: DubbingWorld,
  manager: DubbingWorld['compose']['value'],
  { sts, tap }: { sts: string; tap: { port: number } | undefined },
): Promise<void> {
  const subject = {
    ...{ broadcast: world.analyzer.value, tap, runtime: manager.runtime },
    publishedPorts: manager.publishedPorts(),
  };
  await world.judgeOf(throughPublishedPort, subject, sts);
}

for (const pattern of [
  "media-service is configured with the STS's published port",
  "media-service connects through the STS's published port",
]) {
  plan(pattern, (draft) => draft.judges('compositions'));
}

/** The port in the variable that tells media-service where the STS is; with a tap, the port that the tap relays to. */
Given(
  "media-service is configured with the STS's published port",
  async function (this: DubbingWorld) {
    const { manager, settings, tap } = await this.session.services();
    const variable = settings.services.mediaService.stsUrlVariable;
    const configured = manager.media.variables[variable] ?? '';
    const publishedPorts = manager.publishedPorts();
    const address = { variable, configured, relayedTo: tap?.upstream, publishedPorts };
    await this.judgeOf(publishedPort, address, settings.services.sts.name);
  },
);

/** The stream's own TCP connection, in media-service's table and at the tap, and where the tap relays it to. */
Then(
  "media-service connects through the STS's published port",
  async function (this: DubbingWorld) {
    const { manager, settings, tap } = await this.session.services();
    await judgeReached(this, manager, { sts: settings.services.sts.name, tap });
  },
);

/** The STS's port is published by the STS composition, and no tap is between. */
Given(
  'a second set of services is running on other ports, with nothing between media-service and the STS',
  async function (this: DubbingWorld) {
    this.draft.throughOwn(DIRECT);
    await this.ownServices(DIRECT);
  },
);
plan(
  'a second set of services is running on other ports, with nothing between media-service and the STS',
  (draft) => draft.throughOwn(DIRECT),
);

/** TCP connections of media-service before, while and after it is dubbed: there is no other broadcast. */
Then(
  'media-service opens one connection to the STS for it, and closes it again',
  async function (this: DubbingWorld) {
    await this.judge(ownConnection, null);
  },
);

/** By the host name that media-service was told, and the port at the other end of its own TCP connection. */
Then(
  'that connection leads through the published port of that STS',
  async function (this: DubbingWorld) {
    const { name: sts } = this.settings.value.services.sts;
    await judgeReached(this, this.compose.value, { sts, tap: undefined });
  },
);

/** `stream:ready` of the STS; without a tap, the answered fragments that media-service counts. */
Then('the STS accepts the stream', async function (this: DubbingWorld) {
  await this.judge(streamAccepted, null);
});

/** From the first sign of its worker, that it reads the broadcast or that its metrics are there, to the open connection; `stream:ready` has to follow. */
Then(
  'media-service is connected to the STS within {duration} of starting to connect',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judge(connection, { withinMs });
  },
);

/** `fragment:ack` for every `fragment:data`; of an STS that acknowledges nothing, its answer. */
Then(
  'the STS receives every fragment that media-service sends',
  async function (this: DubbingWorld) {
    await this.judge(acknowledged, null);
  },
);

/** `fragment:processed` for every `fragment:data`. */
Then(
  'the STS answers every fragment that media-service sends',
  async function (this: DubbingWorld) {
    await this.judge(answered, null);
  },
);

/** Connections that the tap refused. */
Then(
  'media-service attempts to connect at least {int} times',
  async function (this: DubbingWorld, least: number) {
    await this.judge(connectionAttempts, { least });
  },
);

/** Connections that the tap refused. */
Then(
  'media-service attempts to reconnect at least {int} times',
  async function (this: DubbingWorld, least: number) {
    await this.judge(connectionAttempts, { least });
  },
);

/** The time between the connections that the tap refused. */
Then('it waits longer before each further attempt', async function (this: DubbingWorld) {
  await this.judge(growingBackoff, { leastWaits: 2 });
});
