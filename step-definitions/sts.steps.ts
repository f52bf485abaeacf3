import { Then, When } from '@cucumber/cucumber';

import { audioLevels, pcmFromS16le, pcmToS16le, readAudio } from '../support/analyze/audio';
import { normalizeWords, wordErrorRate } from '../support/analyze/transcript';
import type { FragmentAnswer } from '../support/contract/events';
import { NotObserved } from '../support/base/errors';
import { askSts } from '../support/observe/sts-client';
import { fixtureNames } from '../support/parameter-types';
import type { DubbingWorld } from '../support/world';
import { expectThat, observed } from './expect';

const RATE_HZ = 44_100;
const FRAGMENT_SECONDS = 6;
const ANSWER_MS = 60_000;

async function send(world: DubbingWorld, sound: Float32Array[]): Promise<void> {
  const { sts } = (await world.session.services()).settings.services;
  world.stsAnswers.value = await askSts({
    ...{ url: sts.url, stream: `test_direct_${Date.now()}`, rateHz: RATE_HZ },
    ...{ fragments: sound.map(pcmToS16le), withinMs: ANSWER_MS },
  });
  for (const answer of world.stsAnswers.value.answers) {
    world.log(JSON.stringify({ ...answer, dubbed_audio: undefined }));
  }
}

/** The sound of the first segments of a fixture. */
async function segmentsOf(world: DubbingWorld, name: string, count = 1): Promise<Float32Array[]> {
  const samples = await readAudio(world.session.fixture(name).path, RATE_HZ);
  const length = FRAGMENT_SECONDS * RATE_HZ;
  return Array.from({ length: count }, (_, index) =>
    samples.slice(index * length, (index + 1) * length),
  );
}

When('the STS is sent somebody saying {string}', async function (this: DubbingWorld, text: string) {
  const { script } = this.session.fixture('hello-world');
  expectThat(wordErrorRate(text, script[0] ?? '').wordErrorRate === 0, {
    what: 'nobody says that',
    where: 'fixtures/hello-world.yaml',
    seen: script.join(' '),
    expected: text,
  });
  await send(this, await segmentsOf(this, 'hello-world'));
});

When(
  'the STS is sent speech in noise, {int} dB below it',
  async function (this: DubbingWorld, belowDb: number) {
    const name = fixtureNames['noisy broadcast'];
    const { audio, script, yamlPath } = this.session.fixture(name);
    expectThat(audio?.noiseBelowSpeechDb === belowDb, {
      what: 'the noise is not that loud',
      where: yamlPath,
      seen: `${audio?.noiseBelowSpeechDb ?? 'no noise'}`,
      expected: `${belowDb} dB below the speech`,
    });
    this.said.value = script[0] ?? '';
    await send(this, await segmentsOf(this, name));
  },
);

When('the STS is sent silence', async function (this: DubbingWorld) {
  await send(this, await segmentsOf(this, fixtureNames['silent broadcast']));
});

When(
  'the STS is sent {int} fragments of the counting broadcast at once',
  async function (this: DubbingWorld, count: number) {
    await send(this, await segmentsOf(this, fixtureNames['counting broadcast'], count));
  },
);

/** The only answer; fails when there are none, more, or errors. */
function answerOf(world: DubbingWorld): FragmentAnswer {
  const { answers, errors, stream, url } = world.stsAnswers.value;
  const [answer] = answers;
  if (answer && answers.length === 1 && errors.length === 0 && answer.status === 'success') {
    return answer;
  }
  throw new NotObserved({
    what: 'the STS did not answer the fragment',
    where: `${url}, stream ${stream}`,
    seen: `${answers.map(({ status, error }) => `${status} ${JSON.stringify(error)}`).join(', ') || 'no answer'}; errors: ${errors.join('; ') || 'none'}`,
    expected: 'one fragment:processed with status success, no error',
  });
}

Then('it is transcribed as {string}', function (this: DubbingWorld, text: string) {
  const { transcript } = answerOf(this);
  expectThat(wordErrorRate(text, transcript ?? '').wordErrorRate === 0, {
    what: 'the transcript is not what was said',
    where: 'STS',
    seen: `"${transcript ?? ''}"`,
    expected: `"${text}"`,
  });
});

Then(
  'at most {int} percent of its words are transcribed wrongly',
  function (this: DubbingWorld, percent: number) {
    const { transcript } = answerOf(this);
    const { wordErrorRate: rate, aligned } = wordErrorRate(this.said.value, transcript ?? '');
    expectThat(rate * 100 <= percent, {
      what: 'the transcript is not what was said',
      where: 'STS',
      seen: `word error rate ${rate.toFixed(2)}:\n${aligned}`,
      expected: `at most ${percent / 100}`,
    });
  },
);

Then('it is translated as {string}', function (this: DubbingWorld, text: string) {
  const { translated_text: translation } = answerOf(this);
  const plain = (one: string): string => normalizeWords(one).join(' ');
  expectThat(plain(translation ?? '') === plain(text), {
    what: 'the translation is another one',
    where: 'STS',
    seen: `"${translation ?? ''}"`,
    expected: `"${text}"`,
  });
});

Then('the transcript has at most {int} words', function (this: DubbingWorld, most: number) {
  const { transcript } = answerOf(this);
  const words = normalizeWords(transcript ?? '');
  expectThat(words.length <= most, {
    what: 'the STS has heard words that nobody said',
    where: 'STS',
    seen: `"${transcript ?? ''}"`,
    expected: `at most ${most} words`,
  });
});

Then(
  /^its dub has (at least|at most) (\d+(?:\.\d+)?) seconds? of sound$/,
  function (this: DubbingWorld, which: string, text: string) {
    const { dubbed_audio: audio } = answerOf(this);
    if (typeof audio !== 'object' || audio?.format !== 'pcm_s16le') {
      throw new NotObserved({
        what: 'the answer has no audio that can be measured',
        where: 'STS',
        seen: JSON.stringify(audio ?? null).slice(0, 200),
        expected: 'dubbed_audio in format pcm_s16le',
      });
    }
    const pcm = pcmFromS16le(Buffer.from(audio.data_base64, 'base64'), audio.channels);
    const levels = audioLevels(pcm, audio.sample_rate_hz);
    const { nonSilentSeconds: seconds } = observed('STS', 'the loudness of the dub', levels);
    const limit = Number(text);
    this.log(`${seconds.toFixed(2)} s of sound`);
    expectThat(which === 'at least' ? seconds >= limit : seconds <= limit, {
      what: 'the dub has more or less sound',
      where: 'STS',
      seen: `${seconds.toFixed(2)} s`,
      expected: `${which} ${limit} s`,
    });
  },
);

Then(
  '{int} answers come back in order, none lost, none twice',
  function (this: DubbingWorld, count: number) {
    const { answers, errors, stream, url } = this.stsAnswers.value;
    const numbers = answers.map(({ sequence_number: number }) => number);
    const wanted = Array.from({ length: count }, (_, index) => index);
    expectThat(numbers.join() === wanted.join() && errors.length === 0, {
      what: 'answers are lost, repeated or out of order',
      where: `${url}, stream ${stream}`,
      seen: `${numbers.join(', ') || 'none'}; errors: ${errors.join('; ') || 'none'}`,
      expected: wanted.join(', '),
    });
  },
);

Then('each answer has the words of its own fragment', function (this: DubbingWorld) {
  const { script } = this.session.fixture(fixtureNames['counting broadcast']);
  const { answers } = this.stsAnswers.value;
  const wrong = answers.filter(({ transcript, sequence_number: number }) => {
    return (
      wordErrorRate(script[number ?? -1] ?? 'no such fragment', transcript ?? '').wordErrorRate >
      0.25
    );
  });
  expectThat(answers.length > 0 && wrong.length === 0, {
    what: 'an answer has the words of another fragment',
    where: 'STS',
    seen: wrong.map(({ transcript, sequence_number: n }) => `${n}: "${transcript}"`).join('; '),
    expected: 'the numbers of its own six seconds',
  });
});
