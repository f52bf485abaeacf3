import { Then } from '@cucumber/cucumber';

import { dubAudible, dubIsNotOriginal, dubIsOriginal, dubLength } from '../support/checks/dub';
import {
  answerTime,
  completeAnswers,
  fragmentLength,
  sequenceNumbers,
  processingTime,
  targetLanguage,
} from '../support/checks/exchange';
import { fallbackCount } from '../support/checks/metrics';
import { DIFFERENT_AUDIO, SAME_AUDIO } from '../support/checks/output-original';
import { dubLanguage, dubSpoken } from '../support/checks/speech';
import {
  textsLogged,
  transcriptLanguage,
  transcripts,
  translated,
  translationLanguage,
} from '../support/checks/texts';
import { firstFragment } from '../support/checks/timing';
import { answerCount, success } from '../support/checks/upstream';
import { validDubs } from '../support/checks/valid-dubs';
import { plan, planMeasured } from '../support/session/plan';
import type { DubbingWorld } from '../support/world';

// For these the dubs are listened to.
planMeasured(
  dubLanguage,
  'Spanish is heard in every dub, with a probability of at least {int} % in every 30 seconds, and in no dub English',
);
planMeasured(
  dubSpoken,
  'what is heard in every dub is its translation, with a word error rate of at most {int} % each and {int} % on average',
);

/** `fragment:processed` of the STS. */
Then('{int} processed fragments are received', async function (this: DubbingWorld, count: number) {
  await this.judge(answerCount, count);
});

/** The decoded dub of each answer against its fragment's length and audio (Chromaprint), and its texts. */
Then(
  'every processed fragment holds a dub as long as the fragment ± {int} %',
  async function (this: DubbingWorld, tolerancePercent: number) {
    await this.judge(validDubs, { tolerancePercent });
  },
);

/** In the order in which the answers were received. */
Then(
  'their sequence numbers are {int} to {int}, in order',
  async function (this: DubbingWorld, first: number, last: number) {
    await this.judge(sequenceNumbers, { first, last });
  },
);

/** The fields of every `fragment:processed`. */
Then(
  'every processed fragment has dubbed audio, a transcript and a translation',
  async function (this: DubbingWorld) {
    await this.judge(completeAnswers, null);
  },
);

/** `processing_time_ms` or `stage_timings` of every `fragment:processed`. */
Then('every processed fragment took time to process', async function (this: DubbingWorld) {
  await this.judge(processingTime, null);
});

/** The decoded length of every dub against that of its fragment. */
Then(
  "every fragment's dubbed audio is as long as the fragment ± {int} %",
  async function (this: DubbingWorld, tolerancePercent: number) {
    await this.judge(dubLength, { tolerancePercent });
  },
);

/** The time in which every dub is not silent. */
Then(
  "every fragment's dubbed audio has at least {duration} of audible audio",
  async function (this: DubbingWorld, leastMs: number) {
    await this.judge(dubAudible, { leastMs });
  },
);

/** Chromaprint fingerprints of every dub and of the audio that was sent. */
Then("no fragment's dubbed audio is the original audio", async function (this: DubbingWorld) {
  await this.judge(dubIsNotOriginal, DIFFERENT_AUDIO);
});

/** Chromaprint fingerprints of every dub and of the audio that was sent. */
Then("every fragment's dubbed audio is the original audio", async function (this: DubbingWorld) {
  await this.judge(dubIsOriginal, SAME_AUDIO);
});

/** What a multilingual speech recognizer (Whisper) itself takes for the language, by dubs and by 30 s of them. */
Then(
  'Spanish is heard in every dub, with a probability of at least {int} % in every 30 seconds, and in no dub English',
  async function (this: DubbingWorld, percent: number) {
    await this.judge(dubLanguage, { language: 'es', other: 'en', probability: percent / 100 });
  },
);

/** What somebody hears in every dub of the STS who speaks the target language (Whisper), against `translated_text`. */
Then(
  'what is heard in every dub is its translation, with a word error rate of at most {int} % each and {int} % on average',
  async function (this: DubbingWorld, each: number, average: number) {
    await this.judge(dubSpoken, { wordErrorRate: each / 100, meanAtMost: average / 100 });
  },
);

/** The language that is detected in all transcripts together. */
Then('the transcripts are in English', async function (this: DubbingWorld) {
  await this.judge(transcriptLanguage, 'en');
});

/** The language that is detected in all translations together. */
Then('the translations are in Spanish', async function (this: DubbingWorld) {
  await this.judge(translationLanguage, 'es');
});

/** Against the script, of all segments in which somebody speaks. */
Then(
  'the word error rate of the transcripts is at most {int} % on average, and {int} % in each segment',
  async function (this: DubbingWorld, average: number, each: number) {
    await this.judge(transcripts, { meanAtMost: average / 100, eachAtMost: each / 100 });
  },
);

/** Case and punctuation left out. */
Then('no translation is the transcript unchanged', async function (this: DubbingWorld) {
  await this.judge(translated, null);
});

/** `status` and `error` of every `fragment:processed`. */
Then('every processed fragment reports success and no error', async function (this: DubbingWorld) {
  await this.judge(success, null);
});

/** By how much the counter of media-service rose during the broadcast. */
Then('media-service counts no fallback to the original audio', async function (this: DubbingWorld) {
  await this.judge(fallbackCount, 0);
});

/** By how much the counter of media-service rose during the broadcast. */
Then(
  'media-service counts a fallback to the original audio for every segment',
  async function (this: DubbingWorld) {
    await this.judge(fallbackCount, 'every segment');
  },
);

/** From the first reader of the input to the first `fragment:data`. */
Then(
  'the STS receives the first fragment within {duration} of ingest',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judge(firstFragment, { withinMs });
  },
);

/** `duration_ms` of every `fragment:data`. */
Then(
  'every fragment but the last holds {duration} ± {duration} of audio',
  async function (this: DubbingWorld, ms: number, toleranceMs: number) {
    await this.judge(fragmentLength, { ms, toleranceMs });
  },
);

/** From `fragment:data` to `fragment:processed`. */
Then(
  'every fragment is answered within {duration}',
  async function (this: DubbingWorld, withinMs: number) {
    await this.judge(answerTime, { withinMs });
  },
);

/** `target_language` of every `fragment:processed`. */
Then(
  'every answer has the target language {string}',
  async function (this: DubbingWorld, code: string) {
    await this.judge(targetLanguage, code);
  },
);

plan('the STS logs every transcript and every translation', (draft) => draft.judges('logs'));
/** The texts of every `fragment:processed` in what the STS has logged by the end of the broadcast. */
Then('the STS logs every transcript and every translation', async function (this: DubbingWorld) {
  await this.judge(textsLogged, null);
});
