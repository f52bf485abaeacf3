/**
 * `npm run analyze -- FILE [--source FIXTURE] [--dubs FOLDER] [--without-listener]`: judges any recording by its content,
 * offline. Verdicts and findings go to standard output as JSON, a table for people to standard error. Exit code 1 when a
 * criterion fails or cannot be shown, 2 for a usage error, and where there is nothing to judge: what was given is not there or
 * cannot be read.
 *
 * FILE is a recording, or an evidence folder, which brings source and dubs. FIXTURE is the name of a YAML file in
 * fixtures/, or the path of one; its media file has to be what it says. FOLDER is an evidence folder, or one with files named
 * …NNNN-dubbed.wav (and …NNNN-original.wav), NNNN being the sequence number of the fragment, and then needs a FIXTURE.
 * Without the listener, what a speech recognizer has to listen for is not asked: it takes longer than all the rest.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';

import { BroadcastFindings } from '../support/analyze/broadcast-findings';
import { probeTool } from '../support/analyze/ffmpeg';
import { milliseconds } from '../support/analyze/finding';
import { probeStreams } from '../support/analyze/media';
import { listenBy } from '../support/analyze/listening';
import { type DubFiles, OutputFindings } from '../support/analyze/output-findings';
import { spokenAgainst } from '../support/analyze/segments-heard';
import { THUMBNAIL_BYTES } from '../support/analyze/thumbnails';
import type { FragmentText } from '../support/analyze/translation';
import { readCommandLine, usageError } from '../support/base/command-line';
import { messageOf, SuiteError } from '../support/base/errors';
import { safeText } from '../support/base/safe-text';
import { evidenceFiles, readEvidence } from '../support/broadcast/evidence';
import {
  type Fixture,
  isScriptKnown,
  publishedFixture,
  readFixture,
} from '../support/broadcast/fixture';
import { requireAsDescribed } from '../support/checks/fixture-door';
import { judgeOutput, type OutputVerdict } from '../support/checks/output-criteria';
import { type OutputSubject, recordingSubject } from '../support/checks/output-subject';
import { projectRoot, readConfig, serviceNames } from '../support/config';

const USAGE =
  'usage: npm run analyze -- FILE [--source FIXTURE] [--dubs FOLDER] [--without-listener]';

interface Question {
  /** Whether a speech recognizer listens. */
  listens: boolean;
  /** Not there where an evidence folder has no recording; `problem` then says so. */
  output?: OutputFindings;
  problem?: string;
  /** What is judged. */
  subject?: OutputSubject;
  /** Where an evidence folder was given. */
  broadcast?: BroadcastFindings;
}

const OPTIONS = {
  source: { type: 'string' },
  dubs: { type: 'string' },
  'without-listener': { type: 'boolean' },
} as const;

async function readQuestion(): Promise<Question> {
  const { values, positionals } = readCommandLine(USAGE, OPTIONS, 1);
  const listens = !values['without-listener'];
  const [given = usageError(USAGE, 'one FILE is needed')] = positionals;
  // Media tools would take "a:b.mp4" for an address.
  const file = resolve(given);
  const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false;
  if (isFolder && values.dubs !== undefined) {
    usageError(USAGE, 'an evidence folder has its own dubs: leave out --dubs');
  }
  const folder = isFolder ? file : values.dubs;
  const isEvidence = folder !== undefined && existsSync(join(folder, evidenceFiles.record));
  if (folder !== undefined && !isEvidence && !isFolder && values.source === undefined) {
    usageError(USAGE, '--dubs needs --source: where a dub belongs is told by its source');
  }
  // Said once: every criterion would say it again.
  if (!isFolder) await probeStreams(file);
  const fixture = values.source === undefined ? undefined : await fixtureOf(values.source);
  if (folder !== undefined && isEvidence) {
    const evidence = readEvidence(folder);
    const names = serviceNames(readConfig().settings('127.0.0.1'));
    const source = fixture ?? publishedFixture(evidence.record, evidence.folder);
    const broadcast = new BroadcastFindings(evidence, source, names);
    if (isFolder) return { listens, ...(await ofBroadcast(broadcast)) };
    const output = new OutputFindings(file, source, broadcast.dubFiles);
    const subject = recordingSubject(output, await broadcast.judgedTexts());
    return { listens, broadcast, output, subject };
  }
  if (isFolder) readEvidence(file);
  const output = new OutputFindings(file, fixture, folder ? dubsIn(folder) : []);
  return { listens, output, subject: recordingSubject(output) };
}

async function ofBroadcast(broadcast: BroadcastFindings): Promise<Omit<Question, 'listens'>> {
  try {
    const { output } = broadcast;
    await probeStreams(output.file);
    return { broadcast, output, subject: broadcast };
  } catch (error) {
    return { broadcast, problem: messageOf(error) };
  }
}

async function fixtureOf(name: string): Promise<Fixture> {
  const isPath = statSync(name, { throwIfNoEntry: false })?.isFile() ?? false;
  const yaml = isPath ? name : join(projectRoot, 'fixtures', `${name}.yaml`);
  if (!/\.ya?ml$/.test(yaml)) throw notDescribed(yaml);
  const fixture = readFixture(yaml);
  await requireAsDescribed(fixture);
  return fixture;
}

function notDescribed(file: string): SuiteError {
  return new SuiteError({
    ...{ what: 'the source is not a description', where: file, seen: extname(file) || 'no ending' },
    expected:
      'the name of a YAML file in fixtures/, or the path of one, which names the media file',
    next: 'name the YAML file beside the clip; `npm run fixtures -- stamp CLIP` makes a copy that has one',
  });
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
      const { frames, thumbnails, ...rest } = await output.video();
      return { count: frames.length, thumbnailBytes: THUMBNAIL_BYTES * thumbnails.count, ...rest };
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
      const { samples, listened, searched, ...rest } = await output.audio();
      const rates = { listenedAtHz: listened.rateHz, searchedAtHz: searched.rateHz };
      return { ...rest, ...rates, seconds: samples.length / rest.rateHz };
    }),
    placements: await orReason(() => output.placements()),
    dubConditions: await orReason(() => output.dubConditions()),
    sync: await orReason(() => output.sync()),
    splices: await orReason(() => output.splices()),
    likeOriginal: await orReason(() => output.likeOriginal()),
    likeOriginalBySegment: await orReason(() => output.likeOriginalBySegment()),
    isochrony: await orReason(() => output.isochrony()),
  };
}

async function findingsOfListener(output: OutputFindings): Promise<Record<string, unknown>> {
  return {
    englishHeard: await orReason(() => output.englishHeard()),
    segmentsHeard: await orReason(() => output.segmentsHeard()),
    dubsHeard: await orReason(() => output.dubsHeard()),
  };
}

async function findingsOfBroadcast(broadcast: BroadcastFindings): Promise<Record<string, unknown>> {
  // They need no recording: begun first, they are there when the video has been decoded.
  const languages = Promise.all([
    orReason(() => broadcast.languageOf('transcript')),
    orReason(() => broadcast.languageOf('translation')),
  ]);
  const found = {
    broadcast: broadcast.record,
    secondsToInputReady: broadcast.secondsBetween('published', 'inputReady'),
    secondsToMetrics: broadcast.secondsBetween('published', 'metricsSeen'),
    secondsToOutputReady: broadcast.secondsBetween('published', 'outputReady'),
    roundTrip: await orReason(() => broadcast.roundTrip),
    endToEndLatency: await orReason(() => broadcast.endToEndLatency()),
    texts: await orReason(() => broadcast.judgedTexts()),
    measuredOffsets: await orReason(() => broadcast.metrics.measured('avSyncDelta')),
  };
  const [transcriptLanguage, translationLanguage] = await languages;
  return { ...found, transcriptLanguage, translationLanguage };
}

const STATES: Record<OutputVerdict['state'], string> = {
  passed: 'ok',
  failed: 'FAILED',
  follows: 'follows',
  'not shown': 'NOT SHOWN',
  'not asked': '–',
};

function printVerdicts(verdicts: readonly OutputVerdict[]): void {
  for (const { criterion, title, state, what, seen, expected, because } of verdicts) {
    const isShown = state === 'passed' || state === 'not asked';
    const text = safeText(isShown ? seen : `${what}: ${seen}`);
    console.error(`${STATES[state].padEnd(10)} ${criterion.padEnd(19)} ${title}: ${text}`);
    if (state === 'failed') console.error(`${' '.repeat(31)}expected: ${expected}`);
    if (because) console.error(`${' '.repeat(31)}follows from: ${because.criterion}`);
  }
}

/** Word error rate of a transcript; undefined where nobody has written down what was said. */
function transcriptErrors(
  broadcast: BroadcastFindings | undefined,
  text: FragmentText | undefined,
): string | undefined {
  if (!broadcast || !isScriptKnown(broadcast.fixture)) return undefined;
  return text?.words.wordErrorRate.toFixed(2);
}

/** A line for each fragment: where its dub is heard, and what was said in it. */
async function printFragments(
  output: OutputFindings,
  broadcast: BroadcastFindings | undefined,
): Promise<void> {
  const texts = await broadcast?.judgedTexts();
  const isochrony = await output.isochrony();
  const speech = isochrony.observed ? isochrony.segments : [];
  console.error(
    '\nfragment      A/V   dub  heard  original  latency   WER  chrF  speech s     transcript → translation',
  );
  for (const { sequence, avOffset: offset, original } of await output.placements()) {
    const text = texts?.find((one) => one.sequence === sequence);
    const fragment = broadcast?.fragments.find((one) => one.segment === sequence);
    const said = speech.find((one) => one.sequence === sequence);
    const spoken =
      said && `${said.originalSpeechSeconds.toFixed(1)} → ${said.dubbedSpeechSeconds.toFixed(1)}`;
    const cells: [value: string | undefined, width: number][] = [
      [String(sequence), 8],
      [offset.observed ? milliseconds(offset.offsetMs) : undefined, 8],
      [offset.observed ? offset.score.toFixed(2) : undefined, 5],
      [offset.observed ? `${(100 * offset.heardShare).toFixed(0)} %` : undefined, 6],
      [original.observed ? original.score.toFixed(2) : undefined, 9],
      [fragment?.roundTripMs === undefined ? undefined : `${fragment.roundTripMs} ms`, 8],
      [transcriptErrors(broadcast, text), 5],
      [text?.match?.chrf.toFixed(2), 5],
      [spoken, 9],
    ];
    const line = cells.map(([value = '–', width]) => value.padStart(width)).join(' ');
    const texted = text ? safeText(`${text.transcript} → ${text.translation}`) : '';
    console.error(`${line}     ${texted}`);
  }
}

/** A line for each segment: from what was said to what a viewer hears. */
async function printSpeech(output: OutputFindings, broadcast: BroadcastFindings): Promise<void> {
  const { script, targetLanguage } = broadcast.fixture;
  const found = await output.segmentsHeard();
  if (!found.observed) {
    console.error(`\nwhat is heard: ${found.reason}`);
    return;
  }
  const texts = broadcast.texts;
  const spoken = await spokenAgainst(script, texts, found.segments, targetLanguage);
  console.error(
    '\nsegment  WER of transcript  WER of what is heard  p(language)     said → transcript → translation → heard',
  );
  for (const { sequence, heard, words } of spoken) {
    const text = texts.find((one) => one.sequence === sequence);
    const probability = heard.observed ? heard.language?.probability : undefined;
    const cells: [value: string | undefined, width: number][] = [
      [String(sequence), 7],
      [transcriptErrors(broadcast, text), 18],
      [words?.wordErrorRate.toFixed(2), 21],
      [probability?.toFixed(2), 12],
    ];
    const line = cells.map(([value = '–', width]) => value.padStart(width)).join(' ');
    const said = [script[sequence], text?.transcript, text?.translation];
    const way = [...said, heard.observed ? (heard.other ?? heard.text) : heard.reason].map(
      (one) => one || '–',
    );
    console.error(`${line}     ${safeText(way.join(' → '))}`);
  }
}

async function printLatencies(broadcast: BroadcastFindings): Promise<void> {
  const { roundTrip } = broadcast;
  if (!roundTrip.observed) return;
  const { p50Ms, p95Ms, maxMs } = roundTrip;
  const latency = await broadcast.endToEndLatency();
  console.error(
    `\nanswers: p50 ${p50Ms} ms, p95 ${p95Ms} ms, max ${maxMs} ms; end to end: ` +
      (latency.observed ? `${latency.seconds.toFixed(1)} s` : latency.reason),
  );
}

/** There is nothing to judge: what was given cannot be read. */
class NoQuestion extends Error {}

async function askedQuestion(): Promise<Question> {
  try {
    return await readQuestion();
  } catch (error) {
    throw new NoQuestion(messageOf(error));
  }
}

async function main(): Promise<void> {
  const { listens, broadcast, output, problem, subject } = await askedQuestion();
  listenBy(readConfig().listenerModel);
  // The verdicts first: they begin all that takes long at the same time.
  const [verdicts, ofBroadcast] = await Promise.all([
    subject ? judgeOutput(subject, { listens }) : [],
    broadcast ? findingsOfBroadcast(broadcast) : {},
  ]);
  if (!output) {
    const missing = { output: { observed: false, reason: problem }, ...ofBroadcast };
    console.log(JSON.stringify(missing, null, 2));
    throw new Error(problem);
  }
  const heard = listens ? await findingsOfListener(output) : {};
  const findings = { ...ofBroadcast, ...(await findingsOf(output)), ...heard };
  const tool = await probeTool();
  console.log(JSON.stringify({ file: output.file, tool, verdicts, ...findings }, null, 2));
  printVerdicts(verdicts);
  if (output.dubs.length > 0) await printFragments(output, broadcast);
  if (listens && broadcast && broadcast.texts.length > 0) await printSpeech(output, broadcast);
  if (broadcast) await printLatencies(broadcast);
  if (verdicts.some(({ state }) => state === 'failed' || state === 'not shown')) {
    process.exitCode = 1;
  }
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = error instanceof NoQuestion ? 2 : 1;
});
