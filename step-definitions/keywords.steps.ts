/** The steps that look for the words of a broadcast that was composed for this run. */
import { Then } from '@cucumber/cucumber';

import {
  wordsDubbed,
  wordsHeard,
  wordsTranscribed,
  wordsTranslated,
} from '../support/checks/keywords';
import { planMeasured } from '../support/session/plan';
import type { DubbingWorld } from '../support/world';

// For these the dubs, or the output, are listened to.
planMeasured(
  wordsDubbed,
  'every dub says at least {int} of the {int} words composed for its segment, in Spanish',
);
planMeasured(
  wordsHeard,
  'in every segment of the output at least {int} of the {int} words composed for it are heard, in Spanish',
);

/** Numbers by value, all others word for word. */
Then(
  'every transcript has at least {int} of the {int} words composed for its segment',
  async function (this: DubbingWorld, least: number, of: number) {
    await this.judge(wordsTranscribed, { least, of });
  },
);

/** Any right translation of a word will do. */
Then(
  'every translation has at least {int} of the {int} words composed for its segment, in Spanish',
  async function (this: DubbingWorld, least: number, of: number) {
    await this.judge(wordsTranslated, { least, of });
  },
);

/** What a Spanish speech recognizer hears in every dub, as the STS returned it. */
Then(
  'every dub says at least {int} of the {int} words composed for its segment, in Spanish',
  async function (this: DubbingWorld, least: number, of: number) {
    await this.judge(wordsDubbed, { least, of });
  },
);

/** What a Spanish speech recognizer hears in the recording of the output, while each segment's video is shown. */
Then(
  'in every segment of the output at least {int} of the {int} words composed for it are heard, in Spanish',
  async function (this: DubbingWorld, least: number, of: number) {
    await this.judge(wordsHeard, { least, of });
  },
);
