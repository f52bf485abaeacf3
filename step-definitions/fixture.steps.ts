import { Then, When } from '@cucumber/cucumber';

import {
  fileAudio,
  fileChannels,
  fileDuration,
  fileExists,
  fileFrames,
  fileSize,
  fileVideo,
} from '../support/checks/fixture-file';
import { inspect } from '../support/session/inquiries';
import type { DubbingWorld } from '../support/world';

When(
  'the file of the {broadcast} is looked up',
  async function (this: DubbingWorld, name: string | null) {
    this.lookedUp.value = await this.session.describedFixture(name);
  },
);

/** Whether there is a file at the path that is configured. */
Then('the file exists', async function (this: DubbingWorld) {
  await this.judgeOf(fileExists, this.lookedUp.value, null);
});

When(
  'the file of the {broadcast} is inspected',
  async function (this: DubbingWorld, name: string | null) {
    this.inspected.value = await inspect(this.session.fixture(name));
  },
);

/** The packets of its video. */
Then(
  'it lasts between {int} and {int} seconds',
  async function (this: DubbingWorld, fromSeconds: number, toSeconds: number) {
    await this.judgeOf(fileDuration, this.inspected.value, { fromSeconds, toSeconds });
  },
);

/** The packets of its video, to the millisecond. */
Then('it lasts exactly {duration}', async function (this: DubbingWorld, ms: number) {
  const limit = { fromSeconds: ms / 1000, toSeconds: ms / 1000 };
  await this.judgeOf(fileDuration, this.inspected.value, limit);
});

/** The tracks of the file. */
Then('it has one H.264 video track', async function (this: DubbingWorld) {
  await this.judgeOf(fileVideo, this.inspected.value, 'h264');
});

/** The tracks of the file. */
Then(
  'it has one AAC audio track of {float} kHz',
  async function (this: DubbingWorld, kilohertz: number) {
    const limit = { codec: 'aac', rateHz: kilohertz * 1000 };
    await this.judgeOf(fileAudio, this.inspected.value, limit);
  },
);

/** As the file says of its only video track. */
Then(
  'its video has {int} x {int} pixels and {int} frames per second',
  async function (this: DubbingWorld, width: number, height: number, framesPerSecond: number) {
    await this.judgeOf(fileFrames, this.inspected.value, { width, height, framesPerSecond });
  },
);

/** As the file says of its only audio track. */
Then('its audio has {int} channels', async function (this: DubbingWorld, count: number) {
  await this.judgeOf(fileChannels, this.inspected.value, { count });
});

/** Megabytes of a million bytes. */
Then('it is smaller than {int} MB', async function (this: DubbingWorld, belowMegabytes: number) {
  await this.judgeOf(fileSize, this.inspected.value, { belowMegabytes });
});
