import { Then, When } from '@cucumber/cucumber';

import { fileAudio, fileDuration, fileExists, fileVideo } from '../support/checks/fixture-file';
import { inspect } from '../support/session/inquiries';
import type { DubbingWorld } from '../support/world';

When(
  'the file of the {broadcast} is looked up',
  function (this: DubbingWorld, name: string | null) {
    this.lookedUp.value = this.session.fixture(name);
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
