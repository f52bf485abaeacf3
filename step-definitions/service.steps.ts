import { Given, Then, When } from '@cucumber/cucumber';

import { parsePrometheus } from '../support/analyze/prometheus';
import type { StartRecord } from '../support/environment/dual-compose-manager';
import type { Composition } from '../support/environment/runtime';
import type { DubbingWorld } from '../support/world';
import { expectThat } from './expect';
import { get } from './http';

/** 12:34:56.789 */
function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}

Given('the media and the STS compose files', async function (this: DubbingWorld) {
  const { media, sts } = (await this.session.settings()).compositions;
  this.log([...media.files, ...sts.files].join('\n'));
});

When('they are read and checked', async function (this: DubbingWorld) {
  // Throws, with file and line, when one is missing or faulty.
  this.manager.value = await this.session.composeManager();
});

Then(
  'the media composition has the media server and media-service',
  async function (this: DubbingWorld) {
    const { mediaServer, mediaService } = (await this.session.settings()).services;
    expectServices(this, this.manager.value.media, [mediaServer.name, mediaService.name]);
  },
);

Then('the STS composition has the STS', async function (this: DubbingWorld) {
  const { sts } = (await this.session.settings()).services;
  expectServices(this, this.manager.value.sts, [sts.name]);
});

function expectServices(
  world: DubbingWorld,
  { name, compose }: Composition,
  expected: string[],
): void {
  const found = compose.services.map((service) => service.name);
  world.log(`${name}: ${found.join(', ')}`);
  expectThat(
    expected.every((service) => found.includes(service)),
    {
      what: 'the composition has other services',
      where: compose.files.join(', '),
      seen: found.join(', '),
      expected: expected.join(', '),
    },
  );
}

Given('all services are running', async function (this: DubbingWorld) {
  // Recorded broadcasts are judged without; a step that asks a service says that there is none.
  if (!this.session.isReplay) await this.session.services();
});

When('all services are started', async function (this: DubbingWorld) {
  this.manager.value = (await this.session.services()).manager;
});

Then(
  'the STS composition was healthy before the media composition was started',
  function (this: DubbingWorld) {
    const { starts } = this.manager.value;
    const sts = starts.find(({ composition }) => composition === 'sts');
    const media = starts.find(({ composition }) => composition === 'media');
    // When processes and containers were started is what the kernel or the engine says, not the suite.
    const startOf = (start?: StartRecord): number[] =>
      (start?.services ?? []).map(({ startedAt }) => startedAt);
    const startedLater = (at: number): boolean => startOf(media).every((start) => start >= at);
    const isInOrder =
      sts !== undefined &&
      startOf(sts).length > 0 &&
      startOf(media).length > 1 &&
      startedLater(Math.max(...startOf(sts))) &&
      startedLater(sts.healthyAt);
    const table = starts.map(
      ({ composition, services, healthyAt }) =>
        `${composition}: ${services.map((one) => `${one.service} started ${clock(one.startedAt)}`).join(', ')}, healthy ${clock(healthyAt)}`,
    );
    expectThat(isInOrder, {
      what: 'the compositions were started in another order',
      where: 'startAll',
      seen: table.join('; ') || 'nothing was started',
      expected: 'the STS started and healthy, then each service of the media composition started',
    });
    this.log(table.join('\n'));
  },
);

Then(
  'each composition was healthy within {duration}',
  function (this: DubbingWorld, withinMs: number) {
    const { starts } = this.manager.value;
    const slow = starts.filter((start) => start.healthyAt - start.startedAt > withinMs);
    expectThat(starts.length === 2 && slow.length === 0, {
      what: 'a composition was not healthy in time',
      where: 'startAll',
      seen: starts.map((s) => `${s.composition} after ${s.healthyAt - s.startedAt} ms`).join(', '),
      expected: `both within ${withinMs} ms`,
    });
    this.log(starts.map((s) => `${s.composition}: ${s.healthyAt - s.startedAt} ms`).join(', '));
  },
);

Then(
  'every service was healthy within {duration} of its start',
  async function (this: DubbingWorld, withinMs: number) {
    const { starts, media, sts } = (await this.session.services()).manager;
    // A service was healthy when its composition was, or before.
    const times = starts.flatMap(({ services, healthyAt }) =>
      services.map(({ service, startedAt }) => ({ service, tookMs: healthyAt - startedAt })),
    );
    const all = [...media.compose.services, ...sts.compose.services].map(({ name }) => name);
    const table = times.map(({ service, tookMs }) => `${service}: ${tookMs} ms`).join(', ');
    this.log(table);
    const isFine = all.every((name) => times.some(({ service }) => service === name));
    expectThat(isFine && times.every(({ tookMs }) => tookMs <= withinMs), {
      what: 'a service was not healthy in time',
      where: [sts.project, media.project].join(', '),
      seen: table || 'nothing was started',
      expected: `${all.join(', ')}: each within ${withinMs} ms`,
    });
  },
);

When(
  'the test host asks media-service and the STS for their health',
  async function (this: DubbingWorld) {
    const { mediaService, sts: server } = (await this.session.services()).settings.services;
    const [media, sts] = await Promise.all([get(mediaService.health), get(server.health)]);
    this.answers.value = new Map([
      ['media-service', media],
      ['STS', sts],
    ]);
  },
);

When('the test host asks the STS for its health', async function (this: DubbingWorld) {
  const { sts } = (await this.session.services()).settings.services;
  this.answers.value = new Map([['STS', await get(sts.health)]]);
});

When(
  'the test host asks for the metrics of media-service and the health of the STS',
  async function (this: DubbingWorld) {
    const { mediaService, sts: server } = (await this.session.services()).settings.services;
    const [media, sts] = await Promise.all([get(mediaService.metrics), get(server.health)]);
    this.answers.value = new Map([
      ['media-service', media],
      ['STS', sts],
    ]);
  },
);

Then(
  /^(?:the )?(media-service|STS) answers with status (\d+)$/,
  function (this: DubbingWorld, service: string, status: string) {
    const answer = this.answers.value.get(service);
    expectThat(answer?.status === Number(status), {
      what: `${service} is not healthy`,
      where: answer?.url ?? service,
      seen: `${answer?.status ?? 'no answer'}: ${answer?.body.slice(0, 300)}`,
      expected: `status ${status}`,
    });
  },
);

Then('media-service answers with metrics', function (this: DubbingWorld) {
  const answer = this.answers.value.get('media-service');
  const { samples } = parsePrometheus(answer?.status === 200 ? answer.body : '', answer?.url);
  expectThat(samples.length > 0, {
    what: 'media-service does not show metrics',
    where: answer?.url ?? 'media-service',
    seen: `${answer?.status ?? 'no answer'}: ${answer?.body.slice(0, 300) || 'nothing'}`,
    expected: 'status 200 and at least one Prometheus sample',
  });
});

Given('a second set of services is running on other ports', async function (this: DubbingWorld) {
  const { manager } = await this.secondServices();
  await manager.startAll();
  // What is gone afterwards must have been there.
  const { runtime, media, sts } = manager;
  const there = await Promise.all([runtime.leftovers(media), runtime.leftovers(sts)]);
  expectThat(
    there.every((found) => found.length > 1),
    {
      what: 'the services have no trace by which one could see that they are gone',
      where: `${sts.project}, ${media.project}`,
      seen: there.flat().join(', ') || 'nothing',
      expected: 'services and volumes of both',
    },
  );
  this.log(there.flat().join('\n'));
});

When(
  /^its services are stopped after a (successful|failed) test$/,
  async function (this: DubbingWorld, outcome: string) {
    const folder = `${this.session.config.reportsFolder}/logs`;
    this.logFolder.value = folder;
    await this.manager.value.stopAll(outcome === 'failed' ? folder : undefined);
  },
);

Then(
  'no process or container, no network and no volume of them is left',
  async function (this: DubbingWorld) {
    const { runtime, media, sts } = this.manager.value;
    const left = (await Promise.all([runtime.leftovers(media), runtime.leftovers(sts)])).flat();
    expectThat(left.length === 0, {
      what: 'something is left',
      where: `${sts.project}, ${media.project}`,
      seen: left.join(', '),
      expected: 'nothing',
    });
  },
);

Then('its ports are free again', async function (this: DubbingWorld) {
  const { sts, media } = this.manager.value;
  const taken = await this.manager.value.takenPorts();
  expectThat(taken.length === 0, {
    what: 'a port is still taken',
    where: `${sts.project}, ${media.project}`,
    seen: taken.join('; '),
    expected: 'all ports free',
  });
});
