/** Audio that is sent to the STS directly, as a worker would. */
import { Then, When } from '@cucumber/cucumber';

import {
  answersHaveOwnWords,
  answersInOrder,
  dubAudible,
  fixtureNoise,
  fixtureSays,
  OWN_WORDS_RATE,
  transcriptIs,
  transcriptWords,
  translationIs,
  wordErrors,
} from '../support/checks/sts-answers';
import { directDubSpoken } from '../support/checks/sts-speech';
import type { DirectRequest } from '../support/session/direct-request';
import { plan } from '../support/session/plan';
import type { DubbingWorld } from '../support/world';

const hello: DirectRequest = { fixture: 'hello-world' };
const noise: DirectRequest = { fixture: '6-s-noise' };
const silence: DirectRequest = { fixture: '12-s-silence' };

function counting(count: number, listenOnMs: number): DirectRequest {
  return { fixture: '30s-counting-english', count, listenOnMs };
}

plan('the STS is sent somebody saying {string}', (draft) => draft.addDirect(hello));
plan('the STS is sent speech in noise that is {int} dB quieter', (draft) => draft.addDirect(noise));
plan('the STS is sent silence', (draft) => draft.addDirect(silence));
plan(
  'the STS is sent {int} fragments of the counting broadcast at once, and listened to for {duration} after the last answer',
  (draft, count: number, listenOnMs: number) => draft.addDirect(counting(count, listenOnMs)),
);

/** Sends the first segments of a fixture, and logs the answers without their audio. */
async function send(world: DubbingWorld, request: DirectRequest): Promise<void> {
  world.stsAnswers.value = await world.session.sendToSts(request);
  world.streams.add(world.stsAnswers.value.stream);
  for (const answer of world.stsAnswers.value.answers) {
    world.log(JSON.stringify({ ...answer, dubbed_audio: undefined }));
  }
}

/** The fixture has to be of somebody who says that. */
When('the STS is sent somebody saying {string}', async function (this: DubbingWorld, text: string) {
  await this.judgeOf(fixtureSays, this.session.fixture('hello-world'), { text });
  await send(this, hello);
});

/** The fixture has to have that noise. */
When(
  'the STS is sent speech in noise that is {int} dB quieter',
  async function (this: DubbingWorld, belowDb: number) {
    const fixture = this.session.fixture('6-s-noise');
    await this.judgeOf(fixtureNoise, fixture, { belowDb });
    this.said.value = fixture.script[0] ?? '';
    await send(this, noise);
  },
);

When('the STS is sent silence', async function (this: DubbingWorld) {
  await send(this, silence);
});

/** The connection stays open after the last answer: what comes then has been answered before, or was never asked. */
When(
  'the STS is sent {int} fragments of the counting broadcast at once, and listened to for {duration} after the last answer',
  async function (this: DubbingWorld, count: number, listenOnMs: number) {
    await send(this, counting(count, listenOnMs));
  },
);

/** Word by word, whatever their case and punctuation. */
Then('the transcript is {string}', async function (this: DubbingWorld, text: string) {
  await this.judgeOf(transcriptIs, this.stsAnswers.value, { text });
});

/** Against the script of the fixture. */
Then(
  'the word error rate of the transcript is at most {int} %',
  async function (this: DubbingWorld, percent: number) {
    await this.judgeOf(wordErrors, this.stsAnswers.value, { said: this.said.value, percent });
  },
);

/** Word by word, whatever their case and punctuation; or another translation that means the same. */
Then('the translation is {string}', async function (this: DubbingWorld, text: string) {
  await this.judgeOf(translationIs, this.stsAnswers.value, { text });
});

/** Of the only answer. */
Then('the transcript has at most {int} word(s)', async function (this: DubbingWorld, most: number) {
  await this.judgeOf(transcriptWords, this.stsAnswers.value, { most });
});

/** Windows of 20 ms that are louder than -50 dBFS, together. */
Then(
  'the dub has at least {duration} of audible audio',
  async function (this: DubbingWorld, leastMs: number) {
    await this.judgeOf(dubAudible, this.stsAnswers.value, { leastMs });
  },
);

/** Windows of 20 ms that are louder than -50 dBFS, together. */
Then(
  'the dub has at most {duration} of audible audio',
  async function (this: DubbingWorld, mostMs: number) {
    await this.judgeOf(dubAudible, this.stsAnswers.value, { mostMs });
  },
);

/** What a Spanish listener (multilingual Whisper) understands of the only dub, against `translated_text`. */
Then(
  'what is heard in the dub is the Spanish translation, with a word error rate of at most {int} %',
  async function (this: DubbingWorld, percent: number) {
    const dub = { said: this.stsAnswers.value, language: 'es', original: 'en' };
    await this.judgeOf(directDubSpoken, dub, { wordErrorRate: percent / 100 });
  },
);

/** By the fragments that they name; none more in the time after the last one. */
Then(
  '{int} answers come back in order, none lost, none repeated, and no other in the {duration} after the last',
  async function (this: DubbingWorld, count: number, listenMs: number) {
    await this.judgeOf(answersInOrder, this.stsAnswers.value, { count, listenMs });
  },
);

/** Against the line of the script that each was cut from. */
Then('each answer has the words of its own fragment', async function (this: DubbingWorld) {
  const { script } = this.session.fixture('30s-counting-english');
  const limit = { script, wordErrorRate: OWN_WORDS_RATE };
  await this.judgeOf(answersHaveOwnWords, this.stsAnswers.value, limit);
});
