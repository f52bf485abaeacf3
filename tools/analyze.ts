/**
 * `npm run analyze -- FILE [--source FIXTURE] [--dubs FOLDER]`: judges any recording by its content, offline. Findings
 * go to standard output as JSON, a table for people to standard error. Exit code 1 when a check fails, 2 for a question
 * that cannot be understood.
 *
 * FILE is a recording, or an evidence folder, which brings source and dubs. FIXTURE is the name of a YAML file in
 * fixtures/, or the path of one. FOLDER is an evidence folder, or one with files named …NNNN-dubbed.wav (and
 * …NNNN-original.wav), NNNN being the sequence number of the fragment.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { probeTool } from '../support/analyze/ffmpeg';
import { milliseconds } from '../support/analyze/finding';
import { checkOutput, type Check } from '../support/analyze/output-checks';
import { type DubFiles, OutputFindings } from '../support/analyze/output-findings';
import { BroadcastFindings } from '../support/analyze/broadcast-findings';
import { projectRoot } from '../support/config';
import { messageOf, SuiteError } from '../support/base/errors';
import { publishedFixture, readFixture, type Fixture } from '../support/broadcast/fixture';
import { evidenceFiles, readEvidence } from '../support/broadcast/evidence';
import { safeText } from '../support/base/safe-text';

const USAGE = 'usage: npm run analyze -- FILE [--source FIXTURE] [--dubs FOLDER]';

interface Question {
  /** Undefined where an evidence folder has no recording; `problem` then says so. */
  output: OutputFindings | undefined;
  problem?: string;
  /** Where an evidence folder was given. */
  run: BroadcastFindings | undefined;
}

function readQuestion(args: string[]): Question {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { source: { type: 'string' }, dubs: { type: 'string' } },
  });
  const [given, ...others] = positionals;
  if (given === undefined || others.length > 0) throw new TypeError('one FILE is needed');
  // Media tools would take "a:b.mp4" for an address.
  const file = resolve(given);
  const fixture = values.source === undefined ? undefined : fixtureOf(values.source);
  const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const folder = isFolder ? file : values.dubs;
  if (folder !== undefined && existsSync(join(folder, evidenceFiles.run))) {
    const evidence = readEvidence(folder);
    const published = publishedFixture(evidence.run);
    const run = new BroadcastFindings(evidence, fixture ?? published);
    if (isFolder) {
      try {
        return { run, output: run.output };
      } catch (error) {
        return { run, output: undefined, problem: messageOf(error) };
      }
    }
    return { run, output: new OutputFindings(file, run.fixture, run.dubFiles) };
  }
  if (isFolder) readEvidence(file);
  return {
    run: undefined,
    output: new OutputFindings(file, fixture, folder ? dubsIn(folder) : []),
  };
}

function fixtureOf(name: string): Fixture {
  return readFixture(existsSync(name) ? name : join(projectRoot, 'fixtures', `${name}.yaml`));
}

function dubsIn(folder: string): DubFiles[] {
  const names = statSync(folder, { throwIfNoEntry: false })?.isDirectory()
    ? readdirSync(folder)
    : [];
  const dubs = names.sort().flatMap((name): DubFiles[] => {
    const [, before = '', number] = /^(.*?)(\d+)-dubbed\.\w+$/.exec(name) ?? [];
    if (number === undefined) return [];
    const original = names.find((other) => other.startsWith(`${before}${number}-original.`));
    return [
      {
        sequence: Number(number),
        dubbed: join(folder, name),
        original: original && join(folder, original),
      },
    ];
  });
  if (dubs.length > 0) return dubs;
  throw new SuiteError({
    what: 'there are no dubs in this folder',
    where: folder,
    seen: names.slice(0, 5).join(', ') || 'nothing',
    expected: 'an evidence folder, or files like 0003-dubbed.wav and 0003-original.wav',
  });
}

/** A finding that cannot be worked out says why, in its place. */
async function orReason(work: () => unknown): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    return { observed: false, reason: messageOf(error) };
  }
}

async function findingsOf(output: OutputFindings): Promise<Record<string, unknown>> {
  return {
    streams: await orReason(() => output.streams()),
    packets: await orReason(() => output.span()),
    frames: await orReason(async () => {
      const { frames, ...rest } = await output.video();
      return { count: frames.length, ...rest };
    }),
    clock: await orReason(async () => {
      const clock = await output.clock();
      if (!clock.observed) return clock;
      const { runs, ...rest } = clock;
      return {
        ...rest,
        runs: runs.map(({ frames, ...run }) => ({ ...run, frames: frames.length })),
      };
    }),
    audio: await orReason(async () => {
      const { samples, ...rest } = await output.audio();
      return { ...rest, seconds: samples.length / rest.rateHz };
    }),
    placements: await orReason(() => output.placements()),
    sync: await orReason(() => output.sync()),
    splices: await orReason(() => output.splices()),
    likeOriginal: await orReason(() => output.likeOriginal()),
    likeOriginalBySegment: await orReason(() => output.likeOriginalBySegment()),
    englishHeard: await orReason(() => output.englishHeard()),
    isochrony: await orReason(() => output.isochrony()),
  };
}

async function runFindingsOf(run: BroadcastFindings): Promise<Record<string, unknown>> {
  return {
    run: run.evidence.run,
    secondsToInputReady: run.secondsBetween('published', 'inputReady'),
    secondsToMetrics: run.secondsBetween('published', 'metricsSeen'),
    secondsToOutputReady: run.secondsBetween('published', 'outputReady'),
    roundTrip: run.roundTrip,
    endToEndLatency: await orReason(() => run.endToEndLatency()),
    texts: await run.judgedTexts(),
    transcriptLanguage: await orReason(() => run.languageOf('transcript')),
    translationLanguage: await orReason(() => run.languageOf('translation')),
    measuredDeltas: await orReason(() => run.histogram('worker_av_sync_delta_ms')),
  };
}

function printChecks(checks: readonly Check[]): void {
  const marks = {
    passed: 'ok',
    failed: 'FAILED',
    follows: 'follows',
    'not observed': 'UNSEEN',
    'not asked': '–',
  };
  for (const { id, title, state, seen, expected, because } of checks) {
    console.error(`${marks[state].padEnd(8)} ${id.padEnd(12)} ${title}: ${safeText(seen)}`);
    if (state === 'failed') console.error(`${' '.repeat(22)}expected: ${expected}`);
    if (because) console.error(`${' '.repeat(22)}follows from: ${because}`);
  }
}

/** A line for each fragment: where its dub plays, and what was said in it. */
async function printFragments(
  output: OutputFindings,
  run: BroadcastFindings | undefined,
): Promise<void> {
  const texts = await run?.judgedTexts();
  const isochrony = await output.isochrony();
  const speech = isochrony.observed ? isochrony.segments : [];
  console.error(
    '\nfragment      A-V   dub  heard  original  latency   WER  chrF  speech s     transcript → translation',
  );
  for (const { sequence, delta, original } of await output.placements()) {
    const text = texts?.find((one) => one.sequence === sequence);
    const story = run?.fragments.find((one) => one.sequence === sequence);
    const said = speech.find((one) => one.sequence === sequence);
    const cell = (value: string | undefined, width: number): string =>
      (value ?? '–').padStart(width);
    console.error(
      [
        cell(String(sequence), 8),
        cell(delta.observed ? milliseconds(delta.deltaMs) : undefined, 8),
        cell(delta.observed ? delta.score.toFixed(2) : undefined, 5),
        cell(delta.observed ? `${(100 * delta.heardShare).toFixed(0)} %` : undefined, 6),
        cell(original.observed ? original.score.toFixed(2) : undefined, 9),
        cell(story?.roundTripMs === undefined ? undefined : `${story.roundTripMs} ms`, 8),
        cell(text?.words.wordErrorRate.toFixed(2), 5),
        cell(text?.match?.chrf.toFixed(2), 5),
        cell(
          said &&
            `${said.originalSpeechSeconds.toFixed(1)} → ${said.dubbedSpeechSeconds.toFixed(1)}`,
          9,
        ),
        `    ${text ? safeText(`${text.transcript} → ${text.translation}`) : ''}`,
      ].join(' '),
    );
  }
}

async function main(): Promise<void> {
  const { run, output, problem } = readQuestion(process.argv.slice(2));
  const texts = await run?.judgedTexts();
  // The checks first: they begin all that takes long at the same time.
  const [checks, ofRun] = await Promise.all([
    output ? checkOutput(output, texts) : [],
    run ? runFindingsOf(run) : {},
  ]);
  if (!output) {
    console.log(
      JSON.stringify({ output: { observed: false, reason: problem }, ...ofRun }, null, 2),
    );
    throw new Error(problem);
  }
  const findings = { ...ofRun, ...(await findingsOf(output)) };
  const tool = await probeTool();
  console.log(JSON.stringify({ file: output.file, tool, checks, ...findings }, null, 2));
  printChecks(checks);
  if (output.dubs.length > 0) await printFragments(output, run);
  if (run?.roundTrip.observed) {
    const { p50Ms, p95Ms, maxMs } = run.roundTrip;
    const latency = await run.endToEndLatency();
    console.error(
      `\nanswers: p50 ${p50Ms} ms, p95 ${p95Ms} ms, max ${maxMs} ms; end to end: ` +
        (latency.observed ? `${latency.seconds.toFixed(1)} s` : latency.reason),
    );
  }
  if (checks.some(({ state }) => state === 'failed' || state === 'not observed')) {
    process.exitCode = 1;
  }
}

main().catch((error: unknown) => {
  const isUsage = error instanceof TypeError;
  console.error(isUsage ? `${error.message}\n${USAGE}` : messageOf(error));
  process.exitCode = isUsage ? 2 : 1;
});
