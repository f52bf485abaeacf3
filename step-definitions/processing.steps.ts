import { Then } from '@cucumber/cucumber';

import type { AudioLevels } from '../support/analyze/audio';
import type { AnsweredFragment, BroadcastFindings } from '../support/analyze/broadcast-findings';
import { askHttp } from '../support/base/http';
import { jsonOf } from '../support/base/json';
import type { DubbingWorld } from '../support/world';
import { expectThat, observed } from './expect';
import { DIFFERENT_ABOVE, SAME_BELOW } from './judgements';

/** Names each fragment that a check does not hold for; it has to hold for every segment of the broadcast. */
function expectForEach(
  world: DubbingWorld,
  what: string,
  expected: string,
  wrongWith: (fragment: AnsweredFragment) => string | undefined,
): void {
  const run = world.broadcast.value;
  expectAllSegments(run, run.fragments.length, 'fragments sent');
  const wrong = run.fragments.flatMap((fragment) => {
    const why = wrongWith(fragment);
    return why === undefined ? [] : [`fragment ${fragment.sequence}: ${why}`];
  });
  expectThat(wrong.length === 0, {
    what,
    where: `stream ${run.stream}`,
    seen: wrong.join('; '),
    expected,
    next: `read tap.ndjson and listen to audio/ in ${run.evidence.folder}`,
  });
}

/** What holds for a part of the broadcast says nothing about the rest: all segments have to be there. */
function expectAllSegments(run: BroadcastFindings, count: number, ofWhat: string): void {
  const { outcome, publisher, problems } = run.evidence.run;
  expectThat(count === run.fixture.script.length, {
    what: 'not every segment of the broadcast was seen',
    where: `stream ${run.stream}`,
    seen: [`${count} ${ofWhat}: ${outcome}`, publisher.stderr, ...problems]
      .filter(Boolean)
      .join('; '),
    expected: `${run.fixture.script.length} segments`,
    next: `read the services' logs in ${run.evidence.folder}`,
  });
}

Then('{int} processed fragments were received', function (this: DubbingWorld, count: number) {
  const run = this.broadcast.value;
  expectThat(run.answers.length === count, {
    what: 'another number of processed fragments was received',
    where: `stream ${run.stream}`,
    seen: `${run.answers.length} fragment:processed for ${run.sent.length} fragment:data (${run.evidence.run.outcome})`,
    expected: String(count),
  });
});

Then(
  'they carry the sequence numbers {int} to {int}, in order',
  function (this: DubbingWorld, first: number, last: number) {
    const run = this.broadcast.value;
    const seen = run.answers.map(({ data }) => data.sequence_number);
    const expected = Array.from({ length: last - first + 1 }, (_, index) => first + index);
    expectThat(seen.join() === expected.join(), {
      what: 'fragments are lost, repeated or out of order',
      where: `stream ${run.stream}`,
      seen: seen.join(', ') || 'none',
      expected: expected.join(', '),
    });
  },
);

Then(
  'every processed fragment has dubbed audio, a transcript and a translation',
  function (this: DubbingWorld) {
    expectForEach(
      this,
      'a processed fragment is incomplete',
      'all three, not empty',
      ({ answer }) => {
        const missing = [
          ...(answer?.data.dubbed_audio?.bytes ? [] : ['dubbed_audio']),
          ...(answer?.data.transcript?.trim() ? [] : ['transcript']),
          ...(answer?.data.translated_text?.trim() ? [] : ['translated_text']),
        ];
        return missing.length > 0 ? `no ${missing.join(', no ')}` : undefined;
      },
    );
  },
);

Then(
  'every processed fragment took time in transcription, translation and speech synthesis',
  function (this: DubbingWorld) {
    expectForEach(this, 'a stage took no time', 'more than 0 ms in each stage', ({ answer }) => {
      const timings = answer?.data.stage_timings;
      const isReal = timings && Object.values({ ...timings }).every((ms) => Number(ms) > 0);
      return isReal ? undefined : JSON.stringify(timings ?? 'no stage_timings');
    });
  },
);

Then(
  'the dubbed audio of every fragment is as long as the fragment, give or take {int} percent',
  async function (this: DubbingWorld, percent: number) {
    const lengths = await levelsOf(this);
    expectForEach(
      this,
      'the dubbed audio has another length',
      `within ${percent} percent`,
      (fragment) => {
        const wanted = fragment.sent.data.audio.duration_ms / 1000;
        const seconds = lengths.get(fragment.sequence)?.durationSeconds ?? 0;
        const isFine = Math.abs(seconds - wanted) <= (wanted * percent) / 100;
        return isFine ? undefined : `${seconds.toFixed(2)} s for ${wanted.toFixed(2)} s`;
      },
    );
  },
);

Then(
  'the dubbed audio of every fragment has at least {duration} of sound',
  async function (this: DubbingWorld, leastMs: number) {
    const levels = await levelsOf(this);
    expectForEach(
      this,
      'the dubbed audio is silent',
      `at least ${leastMs / 1000} s of sound`,
      (fragment) => {
        const level = levels.get(fragment.sequence);
        const isLoud = level && level.nonSilentSeconds * 1000 >= leastMs;
        return isLoud
          ? undefined
          : `${level?.nonSilentSeconds.toFixed(2)} s of sound, peak ${level?.peakDbfs.toFixed(1)} dBFS`;
      },
    );
  },
);

Then(
  /^the dubbed audio of (no|every) fragment is the original audio$/,
  async function (this: DubbingWorld, which: 'no' | 'every') {
    const run = this.broadcast.value;
    const matches = await ofEach(run, (fragment) => run.dubbedAgainstOriginal(fragment));
    const rates = new Map(
      [...matches].map(([sequence, match]) => [
        sequence,
        observed(`fragment ${sequence}`, 'a fingerprint', match).bitErrorRate,
      ]),
    );
    this.log(`bit error rates: ${[...rates.values()].map((rate) => rate.toFixed(2)).join(', ')}`);
    const isFine = (rate: number): boolean =>
      which === 'no' ? rate > DIFFERENT_ABOVE : rate < SAME_BELOW;
    expectForEach(
      this,
      `the dubbed audio is ${which === 'no' ? '' : 'not '}the original`,
      `bit error rate ${which === 'no' ? `above ${DIFFERENT_ABOVE}` : `below ${SAME_BELOW}`}`,
      (fragment) => {
        const rate = rates.get(fragment.sequence) ?? NaN;
        return isFine(rate) ? undefined : `bit error rate ${rate.toFixed(2)}`;
      },
    );
  },
);

Then(
  /^the (transcript|translation)s are in (English|Spanish)$/,
  async function (this: DubbingWorld, what: 'transcript' | 'translation', language: string) {
    const run = this.broadcast.value;
    const code = language === 'English' ? 'en' : 'es';
    expectAllSegments(run, run.texts.length, `${what}s`);
    const where = `${what}s of stream ${run.stream}`;
    const found = observed(where, `the language of the ${what}s`, await run.languageOf(what));
    this.log(
      `${found.language}, score ${found.score.toFixed(2)}: ${run.texts.map((t) => t[what]).join(' ')}`,
    );
    expectThat(found.language === code, {
      what: `the ${what}s are in another language`,
      where,
      seen: `${found.language}: "${run.texts.map((text) => text[what]).join(' ')}"`,
      expected: `${code} (${language})`,
    });
  },
);

Then(
  'the transcripts differ from the script in at most {int} percent of the words on average',
  function (this: DubbingWorld, percent: number) {
    const run = this.broadcast.value;
    const rates = run.texts.map(({ words }) => words.wordErrorRate);
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    this.log(
      `word error rates: ${rates.map((rate) => rate.toFixed(2)).join(', ')}; mean ${mean.toFixed(3)}`,
    );
    const worst = [...run.texts].sort((a, b) => b.words.wordErrorRate - a.words.wordErrorRate)[0];
    // A segment without a transcript has every word wrong: the mean is over all segments of the script.
    expectThat(rates.length === run.fixture.script.length && mean * 100 <= percent, {
      what: 'the transcripts are not what was said',
      where: `stream ${run.stream}`,
      seen:
        `${rates.length} transcripts` +
        (worst
          ? `, mean word error rate ${mean.toFixed(3)}; the worst, segment ${worst.sequence}:\n${worst.words.aligned}`
          : `: ${run.evidence.run.outcome}`),
      expected: `${run.fixture.script.length} transcripts, mean at most ${percent / 100}`,
    });
  },
);

Then('no translation is the transcript unchanged', function (this: DubbingWorld) {
  expectForEach(this, 'a translation is the transcript', 'other words', ({ answer }) => {
    const { transcript, translated_text: translation } = answer?.data ?? {};
    const plain = (text?: string | null): string =>
      (text ?? '').toLowerCase().replace(/\W+/g, ' ').trim();
    return plain(translation) && plain(translation) !== plain(transcript)
      ? undefined
      : `"${translation}"`;
  });
});

Then('every processed fragment reports success and no error', function (this: DubbingWorld) {
  expectForEach(this, 'a fragment failed', 'status success, no error', ({ answer }) => {
    const { status, error } = answer?.data ?? {};
    return status === 'success' && !error
      ? undefined
      : `${status ?? 'no answer'} ${JSON.stringify(error ?? '')}`;
  });
});

Then('no segment was played with its original audio', async function (this: DubbingWorld) {
  await expectFallbacks(this, 0);
});

Then('every segment was played with its original audio', async function (this: DubbingWorld) {
  await expectFallbacks(this, this.broadcast.value.fixture.script.length);
});

async function expectFallbacks(world: DubbingWorld, count: number): Promise<void> {
  const run = world.broadcast.value;
  const { audioFragments: name } = (await world.session.settings()).metrics;
  const fallbacks = run.counter(name, { status: 'fallback' });
  const { delta } = observed('metrics of media-service', 'the count of fallbacks', fallbacks);
  expectThat(delta === count, {
    what: 'another number of segments was played with their original audio',
    where: `stream ${run.stream}, ${name}{status="fallback"}`,
    seen: String(delta),
    expected: String(count),
  });
}

Then('the STS says that it runs on the CPU', async function (this: DubbingWorld) {
  const { health: url } = (await this.session.services()).settings.services.sts;
  const { text } = await askHttp(url);
  const health = jsonOf(text) as { device?: unknown } | null | undefined;
  expectThat(health?.device === 'cpu', {
    what: 'the STS runs on another device',
    where: url,
    seen: text,
    expected: 'device: cpu',
  });
});

async function levelsOf(world: DubbingWorld): Promise<Map<number, AudioLevels>> {
  const run = world.broadcast.value;
  const levels = await ofEach(run, (fragment) => run.dubbedLevels(fragment));
  return new Map(
    [...levels].map(([sequence, found]) => [
      sequence,
      observed(`fragment ${sequence}`, 'dubbed audio', found),
    ]),
  );
}

/** By sequence number; one after the other, as ten decoders at once need more memory than all else. */
async function ofEach<T>(
  run: BroadcastFindings,
  look: (fragment: AnsweredFragment) => Promise<T>,
): Promise<Map<number, T>> {
  const found = new Map<number, T>();
  for (const fragment of run.fragments) found.set(fragment.sequence, await look(fragment));
  return found;
}

Then(
  'the STS received the first fragment within {duration} of the worker reading the broadcast',
  function (this: DubbingWorld, withinMs: number) {
    const run = this.broadcast.value;
    const { ingested } = run.evidence.run.times;
    const [first] = run.sent;
    const where = `stream ${run.stream}`;
    const tookMs = first && ingested !== undefined ? first.at - ingested : undefined;
    this.log(`${tookMs} ms`);
    expectThat(tookMs !== undefined && tookMs <= withinMs, {
      what: 'the first fragment came too late',
      where,
      seen: tookMs === undefined ? `none: ${run.evidence.run.outcome}` : `${tookMs} ms`,
      expected: `at most ${withinMs} ms`,
      next: `read media-service.log in ${run.evidence.folder}`,
    });
  },
);

Then(
  'every fragment but the last holds {duration} of sound, give or take {duration}',
  function (this: DubbingWorld, wantedMs: number, toleranceMs: number) {
    const last = this.broadcast.value.fragments.length - 1;
    expectForEach(
      this,
      'a fragment holds more or less sound',
      `${wantedMs} ms, give or take ${toleranceMs} ms`,
      ({ sequence, sent }) => {
        const { duration_ms: ms } = sent.data.audio;
        const isFine = sequence === last || Math.abs(ms - wantedMs) <= toleranceMs;
        return isFine ? undefined : `${ms} ms`;
      },
    );
  },
);

Then(
  'every fragment was answered within {duration}',
  function (this: DubbingWorld, withinMs: number) {
    const { roundTrip } = this.broadcast.value;
    if (roundTrip.observed) {
      this.log(`p50 ${roundTrip.p50Ms} ms, p95 ${roundTrip.p95Ms} ms`);
    }
    expectForEach(
      this,
      'an answer took too long',
      `at most ${withinMs} ms`,
      ({ roundTripMs: ms }) => (ms !== undefined && ms <= withinMs ? undefined : `${ms} ms`),
    );
  },
);

Then('every answer says that its language is Spanish', function (this: DubbingWorld) {
  expectForEach(this, 'an answer is in another language', 'target_language es', ({ answer }) => {
    const language = answer?.data.target_language;
    return language === 'es' ? undefined : String(language);
  });
});

Then(
  'the log of the STS has every transcript and every translation',
  async function (this: DubbingWorld) {
    const run = this.broadcast.value;
    const { name } = (await this.session.settings()).services.sts;
    const log = run.log(name);
    // Logs may be JSON, in which texts are escaped.
    const has = (text?: string | null): boolean =>
      Boolean(text) &&
      (log.includes(String(text)) || log.includes(JSON.stringify(text).slice(1, -1)));
    expectForEach(this, 'the log lacks a text', `both texts in ${name}.log`, ({ answer }) => {
      const { transcript, translated_text: translation } = answer?.data ?? {};
      return has(transcript) && has(translation) ? undefined : `"${transcript}", "${translation}"`;
    });
  },
);
