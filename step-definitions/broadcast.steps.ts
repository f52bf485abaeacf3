import { Then } from '@cucumber/cucumber';

import { pathsGone, publishedBy, readBy, receivedBy } from '../support/checks/connection';
import { ownAnswers } from '../support/checks/exchange';
import { publishedBytes, publishedFile } from '../support/checks/fixture-file';
import {
  budget,
  ingestStarts,
  inputListed,
  metricsAppear,
  publishedOnce,
} from '../support/checks/timing';
import { configuredProtocol } from '../support/session/publish-broadcast';
import type { DubbingWorld } from '../support/world';

/** From the start of the publisher to the first poll in which the media server lists the path as ready. */
Then(
  'the media server lists the broadcast as ready within {duration} of publishing',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judge(inputListed, { withinMs });
  },
);

/** From the path being ready to the first poll of the metrics that has a sample of the stream. */
Then(
  "the worker's metrics appear within {duration} of the stream being active",
  async function (this: DubbingWorld, withinMs: number) {
    await this.judge(metricsAppear, { withinMs });
  },
);

/** From the start of the publisher to the first poll in which the media server lists a reader. */
Then(
  'the worker starts ingesting within {duration} of publishing',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judge(ingestStarts, { withinMs });
  },
);

/** From the start of the publisher to the end of the output; every segment must be answered. */
Then(
  'the broadcast is dubbed to its end within {duration}',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judge(budget, { withinMs });
  },
);

/** The path in the record of the broadcast against that of the configured one-minute broadcast. */
Then('the published file is the inspected one', async function (this: DubbingWorld) {
  await this.judge(publishedFile, this.session.fixture().path);
});

/** The hash of every packet that another reader of the broadcast got from the media server, against those of the file. */
Then(
  'the media server received it packet by packet, but for at most {duration} at its start and {duration} at its end',
  async function (this: DubbingWorld, atStartMs: number, atEndMs: number) {
    await this.judge(publishedBytes, { atStartMs, atEndMs });
  },
);

/** How long the publisher took, which sends at the speed of the broadcast, and its exit code. */
Then('it is published once, to its end', async function (this: DubbingWorld) {
  await this.judge(publishedOnce, { toleranceSeconds: 3 });
});

/** The kinds of connections that the media server lists as readers of the input. */
Then(
  'the media server has the broadcast read by RTSP, or by the protocol that is configured',
  async function (this: DubbingWorld) {
    const { ingest } = (await this.session.settings()).services.mediaService;
    await this.judge(readBy, ingest.toUpperCase());
  },
);

/** The kind of connection that the media server lists as the source of the input. */
Then(
  'the media server receives the broadcast by {word}, or by the protocol that is configured',
  async function (this: DubbingWorld, protocol: string) {
    const configured = configuredProtocol(await this.session.settings(), this.session.config);
    await this.judge(receivedBy, (configured ?? protocol).toUpperCase());
  },
);

/** The kind of connection that the media server lists as the source of the input. */
Then(
  'the media server receives the broadcast by {word}',
  async function (this: DubbingWorld, protocol: string) {
    await this.judge(receivedBy, protocol);
  },
);

/** The kind of connection that the media server lists as the source of the output. */
Then(
  'the media server has the output published by {word}',
  async function (this: DubbingWorld, protocol: string) {
    await this.judge(publishedBy, protocol);
  },
);

/** The paths that the media server lists now. */
Then(
  'the media server no longer lists the broadcast or its output',
  async function (this: DubbingWorld) {
    const { api, settings } = await this.session.services();
    const { stream } = this.analyzer.value;
    const address = settings.services.mediaServer.api;
    await this.judgeOf(pathsGone, { stream, api, address }, null);
  },
);

/** The sequence numbers of each one's answers, and the stream that their fragments name. */
Then('each is a stream of its own, with answers of its own', async function (this: DubbingWorld) {
  await this.judgeOf(ownAnswers, this.broadcasts.value, null);
});
