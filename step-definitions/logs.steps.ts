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
import type { DubbingWorld } from '../support/world';

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

/** A line of its log that names the stream. */
Then(
  'media-service logs an error about it: {string}',
  async function (this: DubbingWorld, text: string) {
    await this.judge(logsErrorAbout, { text });
  },
);

/** A line of its log that names the stream. */
Then(
  'media-service logs a warning about it: {string}',
  async function (this: DubbingWorld, text: string) {
    await this.judge(logsWarningAbout, { text });
  },
);

/** All lines of its log that name the stream. */
Then('media-service logs no error about it', async function (this: DubbingWorld) {
  await this.judge(logsNoError, null);
});

/** Lines of its log that name the stream. */
Then(
  'media-service reports at least {int} time(s) that it( is) {string}',
  async function (this: DubbingWorld, least: number, text: string) {
    await this.judge(reports, { text, least });
  },
);

/** A line of its log that names the stream, with the spec's word for it. */
Then(
  'media-service reports at least once that it corrects by {string}',
  async function (this: DubbingWorld, text: string) {
    await this.judge(reports, { text, least: 1 });
  },
);

/** A line of its log about the stream whose source is unreadable. */
Then('it logs an error that names {string}', async function (this: DubbingWorld, text: string) {
  await this.judgeOf(logsErrorNaming, this.unread.value, { text });
});

/** The exit code in its log about the stream whose source is unreadable. */
Then('that worker exits with a code other than 0', async function (this: DubbingWorld) {
  await this.judgeOf(readingWorkerFails, this.unread.value, null);
});
