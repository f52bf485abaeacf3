import { Given, Then, When } from '@cucumber/cucumber';
import { request } from 'undici';

import { parsePrometheus } from '../support/analyze/prometheus';
import { checkPortsFree } from '../support/environment/ports';
import { messageOf } from '../support/errors';
import type { DubbingWorld, HttpOutcome } from '../support/world';
import { expectThat } from './expect';

async function get(url: string): Promise<HttpOutcome> {
  try {
    const response = await request(url, { headersTimeout: 5000, bodyTimeout: 5000 });
    return { url, status: response.statusCode, body: await response.body.text() };
  } catch (error) {
    return { url, status: undefined, body: messageOf(error) };
  }
}

Given('the media and the STS compose files', function (this: DubbingWorld) {
  const { mediaComposeFile, stsComposeFile } = this.session.config;
  this.log(`${mediaComposeFile}\n${stsComposeFile}`);
});

When('they are read and checked', function (this: DubbingWorld) {
  // Throws, with file and line, when one is missing or faulty.
  this.manager.value = this.session.composeManager();
});

Then(
  /^the (media|STS) composition has the services? (.+)$/,
  function (this: DubbingWorld, composition: string, names: string) {
    const { media, sts } = this.manager.value;
    const { compose } = composition === 'media' ? media : sts;
    const found = compose.services.map((service) => service.name).sort();
    expectThat(found.join() === names.split(' and ').sort().join(), {
      what: 'the composition has other services',
      where: compose.file,
      seen: found.join(', '),
      expected: names,
    });
  },
);

async function useServices(this: DubbingWorld): Promise<void> {
  this.manager.value = (await this.session.services()).manager;
}

Given('all services are running', useServices);
When('all services are started', useServices);

Then(
  'the STS composition was healthy before the media composition was started',
  function (this: DubbingWorld) {
    const [first, second] = this.manager.value.starts;
    const isInOrder =
      first?.composition === 'sts' &&
      second?.composition === 'media' &&
      first.healthyAt <= second.startedAt;
    expectThat(isInOrder, {
      what: 'the compositions were started in another order',
      where: 'startAll',
      seen: JSON.stringify(this.manager.value.starts),
      expected: 'sts healthy, then media started',
    });
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

When(
  'the test host asks media-service and the STS for their health',
  async function (this: DubbingWorld) {
    const { mediaHealth, stsHealth } = this.session.endpoints;
    const [media, sts] = await Promise.all([get(mediaHealth), get(stsHealth)]);
    this.answers.value = new Map([
      ['media-service', media],
      ['STS', sts],
    ]);
  },
);

When('the test host asks the STS for its health', async function (this: DubbingWorld) {
  this.answers.value = new Map([['STS', await get(this.session.endpoints.stsHealth)]]);
});

When(
  'the test host asks for the metrics of media-service and the health of the STS',
  async function (this: DubbingWorld) {
    const { mediaMetrics, stsHealth } = this.session.endpoints;
    const [media, sts] = await Promise.all([get(mediaMetrics), get(stsHealth)]);
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
  const { manager } = await this.session.secondServices();
  await manager.startAll();
  this.manager.value = manager;
});

When(
  /^its services are stopped after a (successful|failed) test$/,
  async function (this: DubbingWorld, outcome: string) {
    const folder = `${this.session.config.reportsFolder}/logs`;
    this.logFolder.value = folder;
    await this.manager.value.stopAll(outcome === 'failed' ? folder : undefined);
  },
);

Then('none of its services is running', async function (this: DubbingWorld) {
  const { runtime, media, sts } = this.manager.value;
  const left = (await Promise.all([runtime.ps(media), runtime.ps(sts)])).flat();
  expectThat(left.length === 0, {
    what: 'services are left',
    where: `${sts.project}, ${media.project}`,
    seen: JSON.stringify(left),
    expected: 'none',
  });
});

Then('its volumes are removed', async function (this: DubbingWorld) {
  const { runtime, media, sts } = this.manager.value;
  const left = (await Promise.all([runtime.volumes(media), runtime.volumes(sts)])).flat();
  expectThat(left.length === 0, {
    what: 'volumes are left',
    where: `${sts.project}, ${media.project}`,
    seen: left.join(', '),
    expected: 'none',
  });
});

Then('its ports are free again', async function (this: DubbingWorld) {
  await checkPortsFree(this.manager.value.publishedPorts());
});
