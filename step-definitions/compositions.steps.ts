import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { Given, Then, When } from '@cucumber/cucumber';
import { stringify } from 'yaml';

import type { Settings } from '../support/config';
import { acceptsConnections } from '../support/environment/ports';
import type { Composition } from '../support/environment/runtime';
import { messageOf } from '../support/base/errors';
import { eventually } from '../support/base/eventually';
import { publish } from '../support/observe/publisher';
import { SocketIOMonitor } from '../support/observe/socket-io-monitor';
import { fixtureNames } from '../support/parameter-types';
import type { DubbingWorld } from '../support/world';
import { expectThat } from './expect';
import { get } from './http';

async function askAll({ services }: Settings): Promise<DubbingWorld['answers']['value']> {
  const { mediaServer, mediaService, sts } = services;
  const asked = [mediaServer, mediaService, sts].map(async ({ name, health }) => {
    return [name, await get(health)] as const;
  });
  return new Map(await Promise.all(asked));
}

When('the test host asks every service for its health', async function (this: DubbingWorld) {
  this.answers.value = await askAll((await this.session.services()).settings);
});

When('every service of that set is asked for its health', async function (this: DubbingWorld) {
  this.answers.value = await askAll(this.settings.value);
});

Then(
  'every service answers with status 200 within {duration}',
  function (this: DubbingWorld, withinMs: number) {
    const answers = [...this.answers.value];
    const table = answers.map(
      ([name, { status, tookMs }]) =>
        `${name}: ${status ?? 'no answer'} after ${tookMs.toFixed(0)} ms`,
    );
    this.log(table.join('\n'));
    const isFine = answers.every(([, { status, tookMs }]) => status === 200 && tookMs <= withinMs);
    expectThat(answers.length === 3 && isFine, {
      what: 'a service is not healthy, or slow to say so',
      where: answers.map(([, { url }]) => url).join(', '),
      seen: table.join('; '),
      expected: `three services, status 200 within ${withinMs} ms`,
    });
  },
);

/** Completes the Socket.IO handshake as a client of nobody's acquaintance; how long it took, in ms. */
async function handshake(url: string): Promise<number> {
  const client = new SocketIOMonitor(url);
  const started = performance.now();
  try {
    await client.connect();
    return performance.now() - started;
  } finally {
    client.disconnect();
  }
}

When(
  'a client on the test host connects to the STS by Socket.IO',
  async function (this: DubbingWorld) {
    const { settings } = await this.session.services();
    this.handshakeMs.value = await handshake(settings.services.sts.url);
  },
);

Then('it was connected within {duration}', function (this: DubbingWorld, withinMs: number) {
  expectThat(this.handshakeMs.value <= withinMs, {
    what: 'the Socket.IO handshake took too long',
    where: 'STS',
    seen: `${this.handshakeMs.value.toFixed(0)} ms`,
    expected: `at most ${withinMs} ms`,
  });
});

Then(
  'a client on the test host completes the Socket.IO handshake with it',
  async function (this: DubbingWorld) {
    const tookMs = await handshake(
      `http://${new URL(this.settings.value.services.sts.health).host}`,
    );
    this.log(`${tookMs.toFixed(0)} ms`);
  },
);

When(
  /^the (media|STS) composition is started alone, on other ports$/,
  async function (this: DubbingWorld, which: 'media' | 'STS') {
    const { manager, settings } = await this.secondServices();
    await manager.checkPortsFree();
    await manager.start(which === 'media' ? manager.media : manager.sts);
    const { mediaService, sts } = settings.services;
    const [name, { health }] =
      which === 'media' ? (['media-service', mediaService] as const) : (['STS', sts] as const);
    this.answers.value = new Map([[name, await get(health)]]);
  },
);

/** @param addresses http://…, rtsp://…, with a port */
async function expectOpen(addresses: string[], wanted: boolean): Promise<void> {
  const seen = await Promise.all(
    addresses.map(async (address) => {
      const { hostname, port } = new URL(address);
      return { address, open: await acceptsConnections(hostname, Number(port)) };
    }),
  );
  expectThat(
    seen.every(({ open }) => open === wanted),
    {
      what: wanted ? 'a port is not open' : 'a port is open',
      where: addresses.join(', '),
      seen: seen.map(({ address, open }) => `${address}: ${open ? 'open' : 'closed'}`).join(', '),
      expected: wanted ? 'all open' : 'all closed',
    },
  );
}

Then(
  'the ports of the media server for RTSP and RTMP are open',
  async function (this: DubbingWorld) {
    const { rtsp, rtmp } = this.settings.value.services.mediaServer;
    await expectOpen([rtsp, rtmp], true);
  },
);

Then('nothing listens where the STS would be', async function (this: DubbingWorld) {
  await expectOpen([this.settings.value.services.sts.health], false);
});

Then(
  'every port that it publishes is one that a variable names, and is open',
  async function (this: DubbingWorld) {
    const { ports, services } = this.settings.value;
    const named = new Set(Object.values(ports));
    const published = [...this.manager.value.publishedPorts().keys()];
    expectThat(published.length > 0 && published.every((port) => named.has(port)), {
      what: 'a published port is not one of the variables',
      where: this.manager.value.media.project,
      seen: published.join(', '),
      expected: JSON.stringify(ports),
    });
    const { hostname } = new URL(services.sts.health);
    await expectOpen(
      published.map((port) => `http://${hostname}:${port}`),
      true,
    );
  },
);

const SHARED_NETWORK = 'dubbing';
/** Of every spec. */
const SEGMENT_SECONDS = 6;

/** A compose file by which all services of a composition join a network of that name as well. */
function writeNetworkOverlay(file: string, services: string[]): string {
  const joined = services.map((name) => [name, { networks: [SHARED_NETWORK] }] as const);
  const networks = { [SHARED_NETWORK]: { driver: 'bridge' } };
  writeFileSync(file, stringify({ services: Object.fromEntries(joined), networks }));
  return file;
}

Given(
  'a second set of services whose compose files declare a network of the same name',
  async function (this: DubbingWorld) {
    const { manager } = await this.session.services();
    const folder = join(this.session.config.reportsFolder, 'nested');
    mkdirSync(folder, { recursive: true });
    const overlay = ({ name, compose }: Composition): string =>
      writeNetworkOverlay(
        join(folder, `${name}-network.yml`),
        compose.services.map((service) => service.name),
      );
    await this.secondServices({ media: overlay(manager.media), sts: overlay(manager.sts) });
  },
);

When(
  'every service of that set is started and asked for its health',
  async function (this: DubbingWorld) {
    const { runtime, media, sts } = this.manager.value;
    await this.manager.value.startAll();
    const there = await Promise.all([runtime.leftovers(media), runtime.leftovers(sts)]);
    this.log(there.flat().join('\n'));
    this.answers.value = await askAll(this.settings.value);
  },
);

Then('media-service of that set reaches the STS of that set', async function (this: DubbingWorld) {
  const { runtime, media } = this.manager.value;
  const { mediaServer, mediaService, sts } = this.settings.value.services;
  const port = Number(new URL(sts.health).port);
  // media-service connects when there is something to dub.
  const { path } = this.session.fixture(fixtureNames['short broadcast']);
  const url = `${mediaServer.rtsp}/live/test_network/in`;
  const publication = publish(path, url, this.session.track);
  this.cleanups.push(async () => {
    publication.stop();
    await publication.result;
  });
  const peers = async (): Promise<string> => {
    const open = await runtime.connections(media, mediaService.name);
    const seen = open.map(({ remoteAddress, remotePort }) => `${remoteAddress}:${remotePort}`);
    if (!open.some(({ remotePort }) => remotePort === port)) throw new Error(seen.join(', '));
    return seen.join(', ');
  };
  const reached = await eventually('a connection to the STS', peers, { withinMs: 10_000 }).then(
    (seen) => ({ isThere: true, seen }),
    (error: unknown) => ({ isThere: false, seen: messageOf(error) }),
  );
  this.log(reached.seen);
  expectThat(reached.isThere, {
    what: 'media-service does not reach the STS',
    where: `${media.project}/${mediaService.name}, its TCP connections`,
    seen: reached.seen,
    expected: `one to port ${port}, on which the STS of its set is published`,
  });
});

Given(
  'a media composition is running with the Echo STS in place of the STS composition',
  async function (this: DubbingWorld) {
    const { manager, settings } = await this.session.echoServices(SEGMENT_SECONDS);
    const { services } = await this.session.settings();
    const names = (await manager.runtime.ps(manager.sts)).map(({ service }) => service);
    this.log(`instead of ${services.sts.name}: ${names.join(', ')}`);
    const isThere = names.includes(settings.services.sts.name);
    expectThat(isThere && !names.includes(services.sts.name), {
      what: 'another STS than the Echo STS is running',
      where: manager.sts.project,
      seen: names.join(', ') || 'none',
      expected: `${settings.services.sts.name}, without ${services.sts.name}`,
    });
    this.echo = { segmentSeconds: SEGMENT_SECONDS };
  },
);
