/** Starting, asking and stopping the services. */
import { Given, Then, When } from '@cucumber/cucumber';

import { cpuAlone } from '../support/checks/device';
import {
  answersWithMetrics,
  answersWithStatus,
  compositionHas,
  compositionsHealthy,
  nothingLeft,
  portsFree,
  rtmpHandshakes,
  servicesHealthy,
  servicesLeaveTraces,
  stsStartsFirst,
  webRtcPage,
} from '../support/checks/services';
import {
  answerOf,
  healthOf,
  healthOfBoth,
  leftoversOf,
  metricsAndHealth,
  servedPorts,
  takenPortsOf,
  webRtcPageOf,
} from '../support/session/inquiries';
import { plan, planNeed } from '../support/session/plan';
import type { DubbingWorld } from '../support/world';

planNeed(
  'compositions',
  'they are read and checked',
  'a second set of services is running on other ports',
);
plan('the media server serves the page by which viewers watch in a browser', (draft) =>
  draft.judges('webrtc'),
);

// -- starting

Given('the media and the STS compose files', async function (this: DubbingWorld) {
  const { media, sts } = (await this.session.settings()).compositions;
  this.log([...media.files, ...sts.files].join('\n'));
});

/** Throws, with file and line, when one is missing or faulty. */
When('they are read and checked', async function (this: DubbingWorld) {
  this.compose.value = await this.session.composeManager();
});

/** By its compose files. */
Then(
  'the media composition has the media server and media-service',
  async function (this: DubbingWorld) {
    const { mediaServer, mediaService } = (await this.session.settings()).services;
    const services = [mediaServer.name, mediaService.name];
    await this.judgeOf(compositionHas, this.compose.value.media, { services });
  },
);

/** By its compose files. */
Then('the STS composition has the STS', async function (this: DubbingWorld) {
  const { sts } = (await this.session.settings()).services;
  await this.judgeOf(compositionHas, this.compose.value.sts, { services: [sts.name] });
});

plan('the STS is configured to run on the CPU alone', (draft) => draft.judges('compositions'));
/** DEVICE, and GPUs that are reserved, in its compose files as they were started. */
Then('the STS is configured to run on the CPU alone', async function (this: DubbingWorld) {
  const { manager, settings } = await this.session.services();
  const { compose } = manager.sts;
  await this.judgeOf(cpuAlone, { compose, name: settings.services.sts.name }, null);
});

When('all services are started', async function (this: DubbingWorld) {
  await this.services();
});

for (const pattern of [
  'the STS composition is healthy before the media composition starts',
  'each composition is healthy within {duration}',
  'every service is healthy within {duration} of its start',
]) {
  plan(pattern, (draft) => draft.judges('compositions'));
}

/** When its processes or containers were started, by the kernel or the engine, and when they were healthy. */
Then(
  'the STS composition is healthy before the media composition starts',
  async function (this: DubbingWorld) {
    await this.judgeOf(stsStartsFirst, this.compose.value.starts, null);
  },
);

/** From the start of each composition to the health of all its services. */
Then(
  'each composition is healthy within {duration}',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judgeOf(compositionsHealthy, this.compose.value.starts, { withinMs });
  },
);

/** From the start of each process or container to the health of its composition. */
Then(
  'every service is healthy within {duration} of its start',
  async function (this: DubbingWorld, withinMs: number) {
    const { starts, media, sts } = this.compose.value;
    await this.judgeOf(servicesHealthy, { starts, media, sts }, { withinMs });
  },
);

// -- asking

When(
  'the test host asks media-service and the STS for their health',
  async function (this: DubbingWorld) {
    this.answers.value = await healthOfBoth((await this.services()).settings);
  },
);

When('the test host asks the STS for its health', async function (this: DubbingWorld) {
  this.answers.value = await healthOf((await this.services()).settings, 'STS');
});

When(
  'the test host asks for the metrics of media-service and the health of the STS',
  async function (this: DubbingWorld) {
    this.answers.value = await metricsAndHealth((await this.services()).settings);
  },
);

/** Its HTTP answer. */
Then(
  '(the ){service} answers with status {int}',
  async function (this: DubbingWorld, service: string, status: number) {
    await this.judgeOf(answersWithStatus, answerOf(this.answers.value, service), { status });
  },
);

/** Prometheus samples in its HTTP answer. */
Then('media-service answers with metrics', async function (this: DubbingWorld) {
  const answer = answerOf(this.answers.value, 'media-service');
  await this.judgeOf(answersWithMetrics, answer, null);
});

/** The handshake of RTMP, the page of WebRTC, and the health of media-service and the STS. */
When('the test host connects to every port that it needs', async function (this: DubbingWorld) {
  const { settings } = await this.services();
  this.servedPorts.value = await servedPorts(settings);
  this.answers.value = await healthOfBoth(settings);
});

/** Version 3, and an echo of what was sent. */
Then('the media server completes the RTMP handshake', async function (this: DubbingWorld) {
  await this.judgeOf(rtmpHandshakes, this.servedPorts.value.rtmp, null);
});

/** An HTML page with a video, which is played by WebRTC. */
Then(
  'the media server serves the page by which viewers watch in a browser',
  async function (this: DubbingWorld) {
    const page = webRtcPageOf(this.servedPorts.value);
    await this.judgeOf(webRtcPage, page, null);
  },
);

// -- stopping

/** What is gone afterwards must have been there. */
Given('a second set of services is running on other ports', async function (this: DubbingWorld) {
  const { manager } = await this.secondServices();
  await manager.startAll();
  await this.judgeOf(servicesLeaveTraces, await leftoversOf(manager), null);
});

When('its services are stopped', async function (this: DubbingWorld) {
  await this.compose.value.stopAll();
});

/** What the kernel or the engine has of both projects. */
Then(
  'no process, container, network or volume of them is left',
  async function (this: DubbingWorld) {
    await this.judgeOf(nothingLeft, await leftoversOf(this.compose.value), null);
  },
);

/** Who listens on each published port. */
Then('its ports are free again', async function (this: DubbingWorld) {
  await this.judgeOf(portsFree, await takenPortsOf(this.compose.value), null);
});
