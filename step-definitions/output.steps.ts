import { Then } from '@cucumber/cucumber';

import { milliseconds, ranges } from '../support/analyze/finding';
import { countAbove } from '../support/analyze/prometheus';
import type { DubbingWorld } from '../support/world';
import { expectThat, observed } from './expect';
import { checkDuration, DIFFERENT_ABOVE, SAME_BELOW } from './judgements';

Then(
  'a viewer who joined live saw at least {duration} of it',
  function (this: DubbingWorld, leastMs: number) {
    const run = this.broadcast.value;
    const { viewer, outcome, problems } = run.evidence.run;
    const least = (leastMs / 1000) * run.fixture.video.framesPerSecond;
    expectThat(viewer !== undefined && viewer.framesDecoded >= least && viewer.stderr === '', {
      what: 'a viewer could not watch the output',
      where: viewer?.url ?? `live/${run.stream}/out`,
      seen: viewer
        ? `${viewer.framesDecoded} pictures decoded; ${viewer.stderr || 'no error'}`
        : [`nobody could join: ${outcome}`, ...problems].join('; '),
      expected: `at least ${least} pictures decoded, no error`,
    });
    this.log(`${viewer?.framesDecoded} pictures decoded live`);
  },
);

Then(
  'the output has one H.264 picture and one AAC sound track',
  async function (this: DubbingWorld) {
    const run = this.broadcast.value;
    const codecs = (await run.output.streams()).map(({ kind, codec }) => `${kind} ${codec}`).sort();
    expectThat(codecs.join() === 'audio aac,video h264', {
      what: 'the output has other tracks',
      where: run.outputFile,
      seen: codecs.join(', ') || 'none',
      expected: 'audio aac, video h264',
    });
  },
);

Then(
  'the output lasts {duration}, give or take {duration}',
  async function (this: DubbingWorld, wantedMs: number, toleranceMs: number) {
    const [from, to] = [(wantedMs - toleranceMs) / 1000, (wantedMs + toleranceMs) / 1000];
    this.log(await checkDuration(this.broadcast.value, from, to));
  },
);

Then(
  'the output lasts between {int} and {int} seconds',
  async function (this: DubbingWorld, from: number, to: number) {
    this.log(await checkDuration(this.broadcast.value, from, to));
  },
);

Then('the output decodes to its end without an error', async function (this: DubbingWorld) {
  const run = this.broadcast.value;
  for (const track of [await run.output.video(), await run.output.audio()]) {
    const { errorLines, exitCode } = track;
    expectThat(exitCode === 0 && errorLines.length === 0, {
      what: 'the output does not decode',
      where: run.outputFile,
      seen: `exit code ${exitCode}, ${errorLines.length} errors: ${errorLines.slice(0, 5).join('; ')}`,
      expected: 'no error',
    });
  }
});

Then(
  'at least {int} seconds of pictures are decoded',
  async function (this: DubbingWorld, seconds: number) {
    const run = this.broadcast.value;
    const { length: frames } = (await run.output.video()).frames;
    const least = seconds * run.fixture.video.framesPerSecond;
    this.log(`${frames} pictures`);
    expectThat(frames >= least, {
      what: 'too few pictures decode',
      where: run.outputFile,
      seen: `${frames} pictures`,
      expected: `at least ${least}`,
    });
  },
);

Then(
  'the metrics count {int} processed audio segments',
  async function (this: DubbingWorld, count: number) {
    const run = this.broadcast.value;
    const { segmentsProcessed: name } = (await this.session.settings()).metrics;
    const finding = run.counter(name, { type: 'audio' });
    const { delta } = observed('metrics of media-service', name, finding);
    expectThat(delta === count, {
      what: 'the metrics count another number of audio segments',
      where: `${name}{type="audio"} of stream ${run.stream}`,
      seen: String(delta),
      expected: String(count),
    });
  },
);

Then(
  'in every segment the dub plays less than {duration} from its pictures',
  async function (this: DubbingWorld, limitMs: number) {
    const run = this.broadcast.value;
    const placements = await run.output.placements();
    const { kind } = observed(run.outputFile, 'a clock', await run.output.clock());
    const said = new Map<string, number[]>();
    for (const { sequence, delta } of placements) {
      const text = delta.observed ? milliseconds(delta.deltaMs) : delta.reason;
      said.set(text, [...(said.get(text) ?? []), sequence]);
    }
    const table = [...said].map(
      ([text, segments]) => `segment${segments.length > 1 ? 's' : ''} ${ranges(segments)}: ${text}`,
    );
    this.log(`audio minus video (${kind}): ${table.join('; ')}`);
    const isApart = placements.some(
      ({ delta }) => delta.observed && Math.abs(delta.deltaMs) >= limitMs,
    );
    const isHeard = placements.every(({ delta }) => delta.observed);
    expectThat(isHeard && !isApart && placements.length === run.fixture.script.length, {
      what: isApart
        ? 'sound and picture are apart (audio minus video; positive: sound is late)'
        : 'the dub of a segment is not heard, so that sound and picture cannot be compared there',
      where: run.outputFile,
      seen: table.join('; ') || `no dubbed segment: ${run.evidence.run.outcome}`,
      expected: `${run.fixture.script.length} segments, each less than ${limitMs} ms`,
    });
  },
);

Then(
  'media-service measured an A\\/V delta of less than {duration} for every segment',
  async function (this: DubbingWorld, limitMs: number) {
    const run = this.broadcast.value;
    const { avSyncDelta: name } = (await this.session.settings()).metrics;
    const seen = observed('metrics of media-service', name, run.histogram(name));
    const { provenAtMost, maybeAbove } = countAbove(seen, limitMs);
    const segments = run.fixture.script.length;
    expectThat(maybeAbove === 0 && provenAtMost === segments, {
      what: 'media-service measured larger A/V deltas, or not for every segment',
      where: `${name} of stream ${run.stream}`,
      seen: `${seen.count} measured, ${provenAtMost} of them at most ${limitMs} ms, mean ${(seen.sum / seen.count).toFixed(1)} ms`,
      expected: `${segments} measured, all below ${limitMs} ms`,
    });
  },
);

Then(
  /^the sound of the output is (the|not the) original$/,
  async function (this: DubbingWorld, which: string) {
    const not = which.startsWith('not');
    const run = this.broadcast.value;
    const match = observed(run.outputFile, 'a fingerprint', await run.output.likeOriginal());
    const rate = match.bitErrorRate;
    this.log(`bit error rate ${rate.toFixed(2)}`);
    expectThat(not ? rate > DIFFERENT_ABOVE : rate < SAME_BELOW, {
      what: `the sound of the output is ${not ? '' : 'not '}the original`,
      where: run.outputFile,
      seen: `bit error rate ${rate.toFixed(2)}`,
      expected: not
        ? `above ${DIFFERENT_ABOVE} (another sound)`
        : `below ${SAME_BELOW} (the same, encoded again)`,
    });
  },
);

Then(
  'the output was available within {duration} of the first answer',
  function (this: DubbingWorld, withinMs: number) {
    const run = this.broadcast.value;
    const { outputReady } = run.evidence.run.times;
    const [first] = run.answers;
    // A segment is put together after its answer, so this is at least as strict as counting from there.
    const tookMs = first && outputReady !== undefined ? outputReady - first.at : undefined;
    this.log(`${tookMs} ms`);
    expectThat(tookMs !== undefined && tookMs <= withinMs, {
      what: 'the output was not available in time',
      where: `live/${run.stream}/out`,
      seen:
        tookMs === undefined
          ? `answers: ${run.answers.length}; ${run.evidence.run.outcome}`
          : `${tookMs} ms`,
      expected: `at most ${withinMs} ms`,
    });
  },
);

/** What product people call the checks of support/analyze/output-checks.ts, which has their limits. */
const CHECKS = {
  'every dub is heard once, whole, at its pictures': 'fragments',
  'there is sound in the output': 'sound',
  'sound and picture do not drift apart': 'drift',
  'the original sound is not heard': 'original',
  'nobody speaks English in the output': 'language',
  'every picture of the broadcast is shown once, in order': 'pictures',
  'the timestamps of the output go on without gaps': 'timestamps',
  'nothing is heard where segments meet': 'seams',
  'the transcripts are what was said and the translations what they mean': 'texts',
} as const;

for (const [words, id] of Object.entries(CHECKS)) {
  Then(words, async function (this: DubbingWorld) {
    const run = this.broadcast.value;
    const checks = await run.checks();
    const check = checks.find((one) => one.id === id);
    const cause = checks.find((one) => one.id === check?.because);
    this.log(`${check?.title}: ${check?.seen}`);
    expectThat(check?.state === 'passed', {
      what: `this does not hold: ${words}`,
      where: run.outputFile,
      seen: [check?.seen, cause && `follows from: ${cause.title}: ${cause.seen}`, check?.state]
        .filter(Boolean)
        .join('; '),
      expected: check?.expected ?? `a check named ${id}`,
      next: `npm run analyze -- ${run.evidence.folder}`,
    });
  });
}
