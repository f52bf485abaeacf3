/** Compositions that stand by themselves, and how they reach each other. */
import { Given, Then, When } from '@cucumber/cucumber';

import {
  handshakeInTime,
  networksOfSameName,
  portsAreVariables,
  portsOpen,
  reachesSts,
} from '../support/checks/services';
import { everyServiceAnswers } from '../support/checks/services';
import {
  handshakeWithSts,
  healthOf,
  healthOfAll,
  knock,
  knockAtPublished,
  leftoversOf,
  networksOf,
  peersOf,
  publishedPortsOf,
  stopped,
} from '../support/session/inquiries';
import { SHARED_NETWORK, sharedNetworkOverlays } from '../support/session/overlays';
import { planNeed } from '../support/session/plan';
import type { DubbingWorld } from '../support/world';

planNeed(
  'compositions',
  'the media composition is started alone, on other ports',
  'the STS composition is started alone, on other ports',
  'a second set of services whose compose files declare a network of the same name',
);
planNeed(
  'networks',
  'a second set of services whose compose files declare a network of the same name',
);

// -- health

When('the test host asks every service for its health', async function (this: DubbingWorld) {
  this.answers.value = await healthOfAll((await this.services()).settings);
});

When('every service of that set is asked for its health', async function (this: DubbingWorld) {
  this.answers.value = await healthOfAll(this.settings.value);
});

/** From each request to the end of its answer. */
Then(
  'every service answers with status {int} within {duration}',
  async function (this: DubbingWorld, status: number, withinMs: number) {
    await this.judgeOf(everyServiceAnswers, this.answers.value, { status, withinMs });
  },
);

// -- Socket.IO

When(
  'a client on the test host connects to the STS by Socket.IO',
  async function (this: DubbingWorld) {
    this.handshakeMs.value = await handshakeWithSts((await this.services()).settings);
  },
);

/** From the client's first packet to its connection. */
Then(
  'the handshake completes within {duration}',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judgeOf(handshakeInTime, { tookMs: this.handshakeMs.value }, { withinMs });
  },
);

/** Within the 5 s after which a client gives up. */
Then(
  'a client on the test host completes the Socket.IO handshake with it',
  async function (this: DubbingWorld) {
    const tookMs = await handshakeWithSts(this.settings.value, true);
    await this.judgeOf(handshakeInTime, { tookMs }, { withinMs: 5000 });
  },
);

// -- one composition alone

When('the media composition is started alone, on other ports', async function (this: DubbingWorld) {
  const { manager, settings } = await this.secondServices();
  await manager.checkPortsFree();
  await manager.start(manager.media);
  this.answers.value = await healthOf(settings, 'media-service');
});

When('the STS composition is started alone, on other ports', async function (this: DubbingWorld) {
  const { manager, settings } = await this.secondServices();
  await manager.checkPortsFree();
  await manager.start(manager.sts);
  this.answers.value = await healthOf(settings, 'STS');
});

/** By TCP connections. */
Then('the RTSP and RTMP ports of the media server are open', async function (this: DubbingWorld) {
  const { rtsp, rtmp } = this.settings.value.services.mediaServer;
  await this.judgeOf(portsOpen, await knock([rtsp, rtmp]), { open: true });
});

/** By a TCP connection. */
Then('nothing listens on the port of the STS', async function (this: DubbingWorld) {
  const { health } = this.settings.value.services.sts;
  await this.judgeOf(portsOpen, await knock([health]), { open: false });
});

// -- a second set

/** By the compose files and acceptance.yaml, and by TCP connections. */
Then(
  'every published port can be set by a variable, and is open',
  async function (this: DubbingWorld) {
    const [manager, settings] = [this.compose.value, this.settings.value];
    await this.judgeOf(portsAreVariables, publishedPortsOf(manager, settings), null);
    await this.judgeOf(portsOpen, await knockAtPublished(manager, settings), { open: true });
  },
);

Given(
  'a second set of services whose compose files declare a network of the same name',
  async function (this: DubbingWorld) {
    await this.secondServices(await sharedNetworkOverlays(this.session));
  },
);

When(
  'every service of that set is started and asked for its health',
  async function (this: DubbingWorld) {
    await this.compose.value.startAll();
    this.log((await leftoversOf(this.compose.value)).found.flat().join('\n'));
    this.answers.value = await healthOfAll(this.settings.value);
  },
);

/** Of each container, as the engine says. */
Then(
  'each composition has a network of its own of that name, with all its services',
  async function (this: DubbingWorld) {
    const networks = await networksOf(this.compose.value, SHARED_NETWORK);
    await this.judgeOf(networksOfSameName, networks, null);
  },
);

/** Its TCP connections, while there is something to dub. */
Then('media-service of that set reaches the STS of that set', async function (this: DubbingWorld) {
  const { mediaServer } = this.settings.value.services;
  const { path } = this.session.fixture('12-s-nfl');
  const publication = this.publisher.publish(path, mediaServer, 'test_network');
  this.cleanups.push(() => stopped(publication));
  await this.judgeOf(reachesSts, await peersOf(this.compose.value, this.settings.value), null);
});
