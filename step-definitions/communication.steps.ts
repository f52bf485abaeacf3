import { Given, Then } from '@cucumber/cucumber';

import {
  connection,
  connectionAttempts,
  growingBackoff,
  publishedPort,
  streamAccepted,
  throughPublishedPort,
} from '../support/checks/connection';
import { acknowledged, answered } from '../support/checks/exchange';
import type { DubbingWorld } from '../support/world';

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

/** The first TCP connection of media-service to that port, and the host that its Socket.IO requests name. */
Then(
  "media-service connects through the STS's published port",
  async function (this: DubbingWorld) {
    const { manager, tap } = await this.session.services();
    const broadcast = this.analyzer.value;
    await this.judgeOf(throughPublishedPort, { broadcast, tap, runtime: manager.runtime }, null);
  },
);

/** `stream:ready` of the STS; without a tap, the answered fragments that media-service counts. */
Then('the STS accepts the stream', async function (this: DubbingWorld) {
  await this.judge(streamAccepted, null);
});

/** From the first attempt to `stream:ready`. */
Then(
  'media-service is connected to the STS within {duration} of starting to connect',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judge(connection, { withinMs });
  },
);

/** `fragment:ack` for every `fragment:data`. */
Then(
  'the STS acknowledges every fragment that media-service sends',
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
