import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { type DataTable, Given, Then } from '@cucumber/cucumber';

import { milliseconds } from '../support/analyze/finding';
import type { SegmentAudio } from '../support/analyze/resilience-findings';
import type { BroadcastFindings } from '../support/analyze/broadcast-findings';
import {
  type ToneHeard,
  type TonesFigures,
  tonesFigures,
  withoutEdges,
} from '../support/analyze/tones';
import { isError } from '../support/analyze/service-log';
import { plannedSteps } from '../support/session/planned-scenarios';
import type { BroadcastOptions, Session } from '../support/session/session';
import type { DubbingWorld } from '../support/world';
import { expectThat, observed } from './expect';
import { broadcastOf, ON_AIR, ON_AIR_WITH_TABLE, type OnAir } from './on-air';
import { findingsOf } from './resilience';

/**
 * Starts every broadcast that scenarios of this run are going to ask for, the longest first: most of them only wait, so
 * they wait at the same time. A broadcast that cannot be started is the business of the scenario that asks for it.
 */
function startPlanned(session: Session): void {
  const planned = plannedSteps().flatMap(({ text, argument }) => {
    const found = ON_AIR.exec(text) ?? ON_AIR_WITH_TABLE.exec(text);
    if (!found) return [];
    const rows = argument?.dataTable?.rows.map(({ cells }) => cells.map(({ value }) => value));
    try {
      return [broadcastOf(found.slice(1), rows)];
    } catch {
      return [];
    }
  });
  const lasts = ({ name, seconds }: BroadcastOptions): number =>
    seconds ?? session.fixture(name).durationSeconds;
  session.startTogether(planned.sort((a, b) => lasts(b) - lasts(a)));
}

function putOnAir(world: DubbingWorld, onAir: OnAir, table?: DataTable): void {
  startPlanned(world.session);
  world.onAir.value = world.session.broadcast(broadcastOf(onAir, table?.raw()));
}

Given(ON_AIR, function (this: DubbingWorld, what: string, how: string) {
  putOnAir(this, [what, how]);
});

Given(
  ON_AIR_WITH_TABLE,
  function (this: DubbingWorld, what: string, how: string, then: string, table: DataTable) {
    putOnAir(this, [what, how, then], table);
  },
);

// -- sound and picture

async function tonesOf(
  world: DubbingWorld,
): Promise<{ run: BroadcastFindings; tones: ToneHeard[]; figures: TonesFigures }> {
  const run = world.broadcast.value;
  const all = observed(run.outputFile, 'tones', await run.output.tones()).tones;
  const tones = withoutEdges(all);
  const figures = observed(run.outputFile, 'tones', tonesFigures(tones));
  const { worstMs, driftMs, largestStepMs: step, largestStepAt } = figures;
  const table = tones.map(({ delta }) => (delta.observed ? delta.deltaMs.toFixed(1) : '-'));
  world.log(
    `${figures.measured} of ${tones.length} tones; sound minus picture: worst ${milliseconds(worstMs)}, ` +
      `drift ${milliseconds(driftMs)}, largest step ${milliseconds(step)} before second ${largestStepAt}; ` +
      `each, in ms: ${table.join(' ')}`,
  );
  return { run, tones, figures };
}

Then(
  'every tone after the first second is heard less than {duration} from its picture',
  async function (this: DubbingWorld, limitMs: number) {
    const { run, tones } = await tonesOf(this);
    const wrong = tones.flatMap(({ second, delta }) => {
      if (!delta.observed) return [`second ${second}: ${delta.reason}`];
      return Math.abs(delta.deltaMs) < limitMs
        ? []
        : [`second ${second}: ${milliseconds(delta.deltaMs)}`];
    });
    expectThat(tones.length === run.fixture.durationSeconds - 2 && wrong.length === 0, {
      what: 'tones are not heard at their pictures (sound minus picture; positive: sound is late)',
      where: run.outputFile,
      seen: wrong.join('; '),
      expected: `${run.fixture.durationSeconds - 2} tones, each less than ${limitMs} ms`,
    });
  },
);

Then(
  'sound and picture move apart by less than {duration} from the first tone to the last',
  async function (this: DubbingWorld, limitMs: number) {
    const { run, figures } = await tonesOf(this);
    expectThat(Math.abs(figures.driftMs) < limitMs, {
      what: 'sound and picture drift apart',
      where: run.outputFile,
      seen: `${milliseconds(figures.driftMs)} (least squares over ${figures.measured} tones)`,
      expected: `less than ${limitMs} ms`,
    });
  },
);

Then(
  'from one tone to the next, sound and picture move by less than {duration}',
  async function (this: DubbingWorld, limitMs: number) {
    const { run, tones, figures } = await tonesOf(this);
    const { measured, largestStepMs, largestStepAt } = figures;
    expectThat(measured === tones.length && Math.abs(largestStepMs) < limitMs, {
      what: 'the sound jumps against the picture, or a tone is missing',
      where: run.outputFile,
      seen: `${measured} tones heard; largest step ${milliseconds(largestStepMs)}, before second ${largestStepAt}`,
      expected: `${tones.length} tones, each step less than ${limitMs} ms`,
    });
  },
);

async function expectSounds(
  world: DubbingWorld,
  wantedOf: (sounds: readonly SegmentAudio[]) => SegmentAudio[],
): Promise<void> {
  const run = world.broadcast.value;
  const found = await (await findingsOf(world)).segmentAudio();
  const { segments: sounds } = observed(run.outputFile, 'what is heard in each segment', found);
  const wanted = wantedOf(sounds);
  world.log(sounds.join(', '));
  expectThat(sounds.length > 0 && sounds.join() === wanted.join(), {
    what: 'other segments have the original sound',
    where: run.outputFile,
    seen: sounds.map((sound, i) => `${i}: ${sound}`).join(', '),
    expected: wanted.map((sound, i) => `${i}: ${sound}`).join(', '),
    next: `read media-service.log in ${run.evidence.folder}`,
  });
}

Then(
  /^the original sound is heard in (no segment|every segment|segments? [\d, toand]+), and the echo in (no|every) other$/,
  async function (this: DubbingWorld, where: string, others: string) {
    await expectSounds(this, (sounds) => {
      const original = where === 'every segment' ? sounds.map((_, i) => i) : numbersIn(where);
      return sounds.map((_, i) =>
        original.includes(i) ? 'original' : others === 'every' ? 'echo' : 'nothing',
      );
    });
  },
);

Then(
  'the original sound is heard from segment {int} until it was connected again, and the echo before and after',
  async function (this: DubbingWorld, first: number) {
    const { sent, fixture, stream } = this.broadcast.value;
    const [before, again] = new Set(sent.map(({ connection }) => connection));
    const [next] = sent.filter(({ connection }) => connection === again);
    const after = (next?.data.timestamp ?? NaN) / 1000 / fixture.segmentSeconds;
    expectThat(after > first, {
      what: 'no fragment was sent when it was connected again',
      where: `stream ${stream}`,
      seen: `${sent.filter(({ connection }) => connection === before).length} on the first connection, then none`,
      expected: `those of segment ${first + 1} or later on the second`,
    });
    await expectSounds(this, (sounds) =>
      sounds.map((_, i) => (i >= first && i < after ? 'original' : 'echo')),
    );
  },
);

/** "segments 0 to 3 and 5": 0, 1, 2, 3, 5. */
function numbersIn(words: string): number[] {
  return [...words.matchAll(/(\d+)(?: to (\d+))?/g)].flatMap(([, first, last = first]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i),
  );
}

// -- segments and fragments

Then('media-service sent {int} fragments', function (this: DubbingWorld, count: number) {
  const run = this.broadcast.value;
  expectThat(run.sent.length === count, {
    what: 'another number of fragments was sent',
    where: `stream ${run.stream}`,
    seen: `${run.sent.length}: ${run.evidence.run.outcome}`,
    expected: String(count),
  });
});

Then(
  '{int} segments were written to disk, each with {duration} of pictures and of sound, give or take {duration}',
  async function (this: DubbingWorld, count: number, wantedMs: number, toleranceMs: number) {
    const run = this.broadcast.value;
    const found = await (await findingsOf(this)).segmentFiles();
    const { files } = observed(run.evidence.folder, 'segments on disk', found);
    const table = files.map(
      ({ file, kind, seconds }) => `${file}: ${kind}, ${seconds.toFixed(2)} s`,
    );
    const isRight = ['video', 'audio'].every((kind) => {
      const ours = files.filter((one) => one.kind === kind);
      // The worker may have joined a little late: that is missing from the last segment.
      const whole = ours.filter(
        ({ seconds }) => Math.abs(1000 * seconds - wantedMs) <= toleranceMs,
      );
      return ours.length === count && whole.length >= count - 1;
    });
    this.log(table.join('\n'));
    expectThat(isRight, {
      what: 'the segments on disk are others',
      where: `${run.evidence.folder}/segments`,
      seen: table.join('; ') || 'none',
      expected: `${count} files with pictures and ${count} with sound, ${wantedMs / 1000} s each but the last`,
    });
  },
);

Then('every answer holds the very sound that was sent', function (this: DubbingWorld) {
  const run = this.broadcast.value;
  const { folder } = run.evidence;
  const wrong = run.fragments.filter(({ sent, answer }) => {
    const file = answer?.data.dubbed_audio?.file;
    const read = (name: string): Buffer => readFileSync(join(folder, name));
    return file === undefined || !read(file).equals(read(sent.data.audio.file));
  });
  expectThat(run.fragments.length > 0 && wrong.length === 0, {
    what: 'an answer is no echo',
    where: `${folder}/audio`,
    seen: `${run.fragments.length} fragments; others: ${wrong.map(({ fragmentId }) => fragmentId).join(', ') || 'none'}`,
    expected: 'the same sound, byte by byte',
  });
});

Then('media-service logged no error about it', async function (this: DubbingWorld) {
  const run = this.broadcast.value;
  const { logLines } = await findingsOf(this);
  const errors = logLines.filter(isError);
  expectThat(logLines.length > 0 && errors.length === 0, {
    what: 'media-service logged errors, or nothing at all',
    where: `stream ${run.stream}`,
    seen: `${logLines.length} lines; errors: ${errors.map(({ fields }) => JSON.stringify(fields)).join('; ') || 'none'}`,
    expected: 'lines of which none is an error',
  });
});

Then(
  'media-service logged {string} about it {int} times or more',
  async function (this: DubbingWorld, text: string, least: number) {
    const { logLines, run } = await findingsOf(this);
    const found = logLines.filter(({ message }) => message.includes(text));
    this.log(found.map(({ fields }) => JSON.stringify(fields)).join('\n'));
    expectThat(found.length >= least, {
      what: 'media-service did not log that',
      where: `stream ${run.stream}`,
      seen: `${found.length} times among ${logLines.length} lines`,
      expected: `"${text}" at least ${least} times`,
    });
  },
);
