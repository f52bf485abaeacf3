/** Broadcasts that cannot be published or read, and outputs that must not be there. */
import { Given, Then, When } from '@cucumber/cucumber';

import {
  noOutput,
  publishingFails,
  publishingNamesServer,
  readsAgain,
} from '../support/checks/publishing';
import { publishingOf, stopped } from '../support/session/inquiries';
import { endOfWorker, unreadableSource } from '../support/session/overlays';
import { planNeed } from '../support/session/plan';
import type { DubbingWorld } from '../support/world';

planNeed(
  'compositions',
  'a media server that has been stopped',
  'a media composition whose RTSP source is unreadable',
);
planNeed('source', 'a media composition whose RTSP source is unreadable');

// -- a media server that has been stopped

/** Of a second set, started alone and stopped. */
Given('a media server that has been stopped', async function (this: DubbingWorld) {
  const { manager, settings } = await this.secondServices();
  const { mediaServer } = settings.services;
  await manager.start(manager.media, { services: [mediaServer.name] });
  await manager.runtime.control(manager.media, mediaServer.name, 'stop');
  this.stoppedServer.value = mediaServer;
});

/** ffmpeg is started, and its end waited for. */
When('the one-minute broadcast is published to it', async function (this: DubbingWorld) {
  const { path } = this.session.fixture(null);
  const publication = this.publisher.publish(path, this.stoppedServer.value, 'nowhere');
  this.publishing.value = await publishingOf(publication);
});

/** From the start of ffmpeg to its end. */
Then('publishing fails within {duration}', async function (this: DubbingWorld, withinMs: number) {
  await this.judgeOf(publishingFails, this.publishing.value, { withinMs });
});

/** What ffmpeg has said. */
Then(
  'the message names the host and the port of the media server',
  async function (this: DubbingWorld) {
    await this.judgeOf(publishingNamesServer, this.publishing.value, null);
  },
);

// -- a source that cannot be read

/** Of a second set: connections to its source are accepted and closed at once. */
Given('a media composition whose RTSP source is unreadable', async function (this: DubbingWorld) {
  const source = await unreadableSource(this.session);
  this.cleanups.push(source.close);
  const { manager } = await this.secondServices(source.overlays);
  await manager.start(manager.media);
  this.attempts.value = source.attempts;
});

/** Until the worker of its stream has ended. */
When('the short broadcast is published to its media server', async function (this: DubbingWorld) {
  const stream = `test_unread_${Date.now()}`;
  const { mediaServer } = this.settings.value.services;
  const { path } = this.session.fixture('12-s-nfl');
  const publication = this.publisher.publish(path, mediaServer, stream);
  this.cleanups.push(() => stopped(publication));
  this.unread.value = await endOfWorker(this.compose.value, this.settings.value, stream);
});

/** The times of connections to the source. */
Then(
  'media-service attempts to read it again after {int}, {int} and {int} seconds',
  async function (this: DubbingWorld, a: number, b: number, c: number) {
    await this.judgeOf(readsAgain, { at: this.attempts.value }, { seconds: [a, b, c] });
  },
);

// -- no output

/** Every poll of the media server. */
Then('no output is published', async function (this: DubbingWorld) {
  await this.judge(noOutput, null);
});
