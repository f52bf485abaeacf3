import { Then } from '@cucumber/cucumber';

import { countAbove } from '../support/analyze/prometheus';
import type { DubbingWorld } from '../support/world';
import { expectThat, observed } from './expect';
import { checkDuration, DIFFERENT_ABOVE, SAME_BELOW } from './judgements';

Then(
  'a viewer who joined live saw at least {duration} of it',
  function (this: DubbingWorld, leastMs: number) {
    const run = this.broadcast.value;
    const { viewer, outcome, problems } = run.evidence.run;
    const least = (leastMs / 1000) * run.fixture.picture.framesPerSecond;
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

Then(
  'after its first {duration}, no track of the output has a gap',
  async function (this: DubbingWorld, warmUpMs: number) {
    const run = this.broadcast.value;
    const span = await run.output.span();
    for (const kind of ['video', 'audio'] as const) {
      const track = observed(run.outputFile, `a ${kind} track`, span[kind]);
      // A worker joins at the next key picture: before it, there is sound alone.
      const from = track.firstPtsSeconds + warmUpMs / 1000;
      const gaps = track.gaps.filter(({ atSeconds }) => atSeconds > from);
      expectThat(gaps.length === 0, {
        what: `the ${kind} track has gaps`,
        where: run.outputFile,
        seen: gaps
          .map((gap) => `${gap.stepSeconds.toFixed(3)} s at ${gap.atSeconds.toFixed(3)} s`)
          .join(', '),
        expected: 'none',
      });
    }
  },
);

Then('the output decodes to its end without an error', async function (this: DubbingWorld) {
  const run = this.broadcast.value;
  for (const track of [await run.output.pictures(), await run.output.sound()]) {
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
    const { length: frames } = (await run.output.pictures()).pictures;
    const least = seconds * run.fixture.picture.framesPerSecond;
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
    const table = placements.map(({ sequence, delta }) =>
      delta.observed
        ? `segment ${sequence}: ${delta.deltaMs.toFixed(1)} ms`
        : `segment ${sequence}: not observed, ${delta.reason}`,
    );
    this.log(`audio minus video (${kind}): ${table.join('; ')}`);
    const isFine = placements.every(
      ({ delta }) => delta.observed && Math.abs(delta.deltaMs) < limitMs,
    );
    expectThat(isFine && placements.length === run.fixture.script.length, {
      what: 'sound and picture are apart (audio minus video; positive: sound is late)',
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
  /^the sound of the output is (not )?the original$/,
  async function (this: DubbingWorld, not: string | null) {
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

Then('the dub of every fragment is heard in the output', async function (this: DubbingWorld) {
  const run = this.broadcast.value;
  const placements = await run.output.placements();
  const missing = placements.flatMap(({ sequence, delta }) =>
    delta.observed ? [] : [`fragment ${sequence}: ${delta.reason}`],
  );
  expectThat(placements.length === run.fixture.script.length && missing.length === 0, {
    what: 'a dub is not heard in the output',
    where: run.outputFile,
    seen: missing.join('; ') || `${placements.length} dubs: ${run.evidence.run.outcome}`,
    expected: `${run.fixture.script.length} dubs, found by correlation`,
  });
});
