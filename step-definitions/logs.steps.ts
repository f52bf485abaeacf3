/** What services log. */
import { Then } from '@cucumber/cucumber';

import {
  logsCollected,
  logsErrorAbout,
  logsErrorNaming,
  logsNoError,
  logsWarningAbout,
  reports,
} from '../support/checks/logs';
import { readingWorkerFails } from '../support/checks/publishing';
import { collectedLogs } from '../support/session/inquiries';
import { plan } from '../support/session/plan';
import type { DubbingWorld } from '../support/world';

for (const pattern of [
  'media-service logs an error about it',
  'media-service logs an error about it: {string}',
  'media-service logs a warning about it',
  'media-service logs no error about it',
  'media-service reports at least once that it corrects by {string}',
]) {
  plan(pattern, (draft) => draft.judges('logs'));
}

/** The files of every service of both compositions. */
Then('the logs of its services are collected', async function (this: DubbingWorld) {
  const logs = collectedLogs(this.compose.value, this.logFolder.value);
  await this.judgeOf(logsCollected, logs, { collected: true });
});

/** The files of every service of both compositions. */
Then('the logs of its services are not collected', async function (this: DubbingWorld) {
  const logs = collectedLogs(this.compose.value, this.logFolder.value);
  await this.judgeOf(logsCollected, logs, { collected: false });
});

/** By the level of the lines of its log that are about the stream; what they say is its own affair. */
Then('media-service logs an error about it', async function (this: DubbingWorld) {
  await this.judge(logsErrorAbout, {});
});

/** The same, in the words of the spec. */
Then(
  'media-service logs an error about it: {string}',
  async function (this: DubbingWorld, words: string) {
    await this.judge(logsErrorAbout, { words });
  },
);

/** By the level of the lines of its log that are about the stream. */
Then('media-service logs a warning about it', async function (this: DubbingWorld) {
  await this.judge(logsWarningAbout, {});
});

/** All lines of its log that name the stream. */
Then('media-service logs no error about it', async function (this: DubbingWorld) {
  await this.judge(logsNoError, null);
});

/** A line of its log that names the stream, with the spec's word for it. */
Then(
  'media-service reports at least once that it corrects by {string}',
  async function (this: DubbingWorld, text: string) {
    await this.judge(reports, { text, least: 1 });
  },
);

/** A line of its log about the stream whose source is unreadable. */
Then('it logs an error about the source', async function (this: DubbingWorld) {
  await this.judgeOf(logsErrorNaming, this.unread.value.lines, null);
});

/** The exit code in its log about the stream whose source is unreadable, or its own where it has ended. */
Then('that worker exits with a code other than 0', async function (this: DubbingWorld) {
  await this.judgeOf(readingWorkerFails, this.unread.value, null);
});
