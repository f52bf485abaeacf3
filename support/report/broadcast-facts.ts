import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, sep } from 'node:path';

import { z } from 'zod';

import { breakerChanges } from '../analyze/breaker';
import { type FragmentPlacement, syncOf } from '../analyze/dub-placement';
import { runFfprobe } from '../analyze/ffmpeg';
import { type Finding, percentile } from '../analyze/finding';
import { type FrameClock, presentationsOf } from '../analyze/frame-clock';
import { OutputFindings } from '../analyze/output-findings';
import { NotMeasured } from '../analyze/cache';
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { type LogLine, linesOf } from '../analyze/service-log';
import { tonesFigures, tonesInside, type ToneHeard } from '../analyze/tones';
import { messageOf, SuiteError } from '../base/errors';
import { jsonOf } from '../base/json';
import type { TapEvent } from '../observe/tap';
import { safeText } from '../base/safe-text';
import {
  type Mark,
  reportFiles,
  type AudioImages,
  type BroadcastFacts,
  type BroadcastFigures,
} from './facts';
import { fragmentFacts, fragmentsSeen, type SeenFragment } from './fragment-facts';
import { logOf } from './log-facts';
import { histogramsOf, seriesOf } from './metric-facts';
import { drawAudio, audioOfBroadcast } from './audio-images';

/** What services are called, as far as their evidence is read by name. */
export interface NamesInEvidence {
  /** Its log tells when segments were cut, and what the circuit breaker did. */
  mediaService: string;
}

/** As runs say that their output has ended by itself. */
const OUTPUT_ENDED = 'the output ended';

/** Where everything of a stream's page is gathered; what cannot be had is noted in `missing`, by its name. */
interface Gathering {
  run: BroadcastFindings;
  names: NamesInEvidence;
  missing: Record<string, string>;
  /** A moment in ms since the epoch as seconds since publishing. */
  secondsAt: (ms: number) => number;
  /** What `look` returns; undefined, and why in `missing`, where it throws. */
  attempt: <T>(name: string, look: () => T | Promise<T>) => Promise<T | undefined>;
}

/**
 * Everything that the page of a stream shows. What cannot be worked out is named in `missing`; within `withoutWork` that
 * is all that no scenario has looked at.
 *
 * @returns data that JSON can hold: texts can be shown, numbers are finite and rounded
 */
export async function broadcastFactsOf(
  run: BroadcastFindings,
  names: NamesInEvidence,
): Promise<BroadcastFacts> {
  const { run: record, folder } = run.evidence;
  const { fixture } = run;
  const missing: Record<string, string> = {};
  const started = record.times.published ?? Date.parse(record.startedAt);
  const gathering: Gathering = {
    ...{ run, names, missing },
    secondsAt: (ms) => (ms - started) / 1000,
    attempt: async (name, look) => {
      try {
        return await look();
      } catch (error) {
        missing[name] = whyMissing(error);
        return undefined;
      }
    },
  };
  const { attempt, secondsAt } = gathering;
  const events = (await attempt('events', () => run.evidence.tap)) ?? [];
  const log = await attempt('log', () => logOf(folder, run.stream, secondsAt));
  const logLines = await attempt('log of media-service', () =>
    linesOf(run.log(names.mediaService), run.stream),
  );
  const seen = fragmentsSeen(events);
  // The contract is judged by scenarios; what of an event can be read is shown all the same.
  await attempt('contract', () => run.fragments);
  const output = await outputFacts(gathering, seen);
  const metrics = (await attempt('metrics', () => run.evidence.metrics)) ?? [];
  const isSpoken = fixture.script.some((line) => line !== '');
  const isTranslated = isSpoken && record.asked['echo'] === undefined;
  const texts = isTranslated ? await attempt('texts', () => run.judgedTexts()) : undefined;
  const fragments = fragmentFacts(seen, {
    ...{ fixture, logLines: logLines ?? [], ingestedAt: record.times.ingested, secondsAt, texts },
    ptsZeroAtSeconds: output?.ptsZeroAtSeconds,
    ...{ clock: output?.clock, placements: output?.placements, tones: output?.tones },
    sourceStarts: output?.sourceStarts,
    isSoftened: record.plan.words.includes('every fragment: the dub is half as loud'),
  });
  const isWhole = record.outcome === OUTPUT_ENDED;
  const leftOut = log?.leftOut ?? 0;
  const facts: Omit<BroadcastFacts, 'frames'> = {
    ...{ stream: run.stream, title: fixture.title, startedAt: record.startedAt },
    ...{ durationSeconds: record.durationSeconds, segmentSeconds: record.segmentSeconds },
    audio: fixture.audio === null ? 'none' : fixture.audio.tones ? 'tones' : 'speech',
    ...{ runtime: record.runtime, monitor: record.monitor, outcome: record.outcome, isWhole },
    ...{ plan: record.plan.words, seed: record.plan.seed },
    problems: [
      ...record.problems,
      ...(leftOut > 0 ? [`the ${leftOut} oldest lines of the log are not shown`] : []),
    ],
    figures: await figuresOf(gathering, fragments, output, isWhole),
    ...(output ? { output: { file: basename(output.file), seconds: output.seconds } } : {}),
    missing,
    ...(output?.sourceAtZero === undefined ? {} : { sourceAtZero: output.sourceAtZero }),
    ...(output?.ptsZeroAtSeconds === undefined
      ? {}
      : { ptsZeroAtSeconds: output.ptsZeroAtSeconds }),
    fragments,
    checks: await checksOf(gathering, isTranslated, isWhole),
    marks: marksOf(gathering, events, seen, logLines ?? []),
    series: seriesOf(metrics, run.stream, secondsAt),
    histograms: histogramsOf(metrics, run.stream),
    log: log?.entries ?? [],
    files: (await attempt('files', () => filesIn(folder))) ?? [],
  };
  const images = output && (await attempt('images', () => imagesOf(gathering, output)));
  return { ...asShown(facts), ...(images ? { images } : {}) };
}

/** @throws SuiteError when the file cannot be written */
export function writeBroadcastFacts(folder: string, facts: BroadcastFacts): void {
  const file = join(folder, reportFiles.broadcastFacts);
  try {
    writeFileSync(file, JSON.stringify(facts));
  } catch (error) {
    throw new SuiteError(
      {
        ...{ what: 'the facts of a stream cannot be written', where: file, seen: messageOf(error) },
        expected: 'a folder that can be written to, with space on its disk',
      },
      { cause: error },
    );
  }
}

/** Lightly: whoever changes the file by hand may still break its page. */
const writtenSchema = z.looseObject({
  ...{ stream: z.string(), title: z.string(), startedAt: z.string(), outcome: z.string() },
  ...{ durationSeconds: z.number(), segmentSeconds: z.number(), isWhole: z.boolean() },
  ...{ plan: z.array(z.string()), problems: z.array(z.string()) },
  ...{ figures: z.record(z.string(), z.number()), missing: z.record(z.string(), z.string()) },
  fragments: z.array(z.looseObject({ sequence: z.number(), stages: z.array(z.looseObject({})) })),
  ...{ checks: z.array(z.looseObject({})), marks: z.array(z.looseObject({})) },
  ...{ series: z.array(z.looseObject({})), histograms: z.array(z.looseObject({})) },
  ...{ log: z.array(z.looseObject({})), files: z.array(z.looseObject({})) },
});

/**
 * The facts that lie in an evidence folder.
 *
 * @returns undefined when there are none
 * @throws SuiteError when the file is not what was written
 */
export function readBroadcastFacts(folder: string): BroadcastFacts | undefined {
  const file = join(folder, reportFiles.broadcastFacts);
  if (!existsSync(file)) return undefined;
  const parsed = writtenSchema.safeParse(jsonOf(readFileSync(file, 'utf8')));
  if (parsed.success) return parsed.data as unknown as BroadcastFacts;
  const [issue] = parsed.error.issues;
  throw new SuiteError({
    ...{ what: 'the facts of a stream cannot be read', where: file },
    seen: `${issue?.path.join('.') || 'not JSON'}: ${issue?.message}`,
    expected: 'the file as the suite has written it',
    next: 'npm run report',
  });
}

function whyMissing(error: unknown): string {
  if (error instanceof NotMeasured) return error.problem.what;
  if (error instanceof SuiteError) return `${error.problem.what}: ${error.problem.seen}`;
  return messageOf(error);
}

/** What of a finding was observed; throws with its reason where nothing was. */
function seenIn<T>(finding: Finding<T>): T {
  if (finding.observed) return finding;
  throw new Error(finding.reason);
}

/** What the recording says. */
interface OutputFacts {
  findings: OutputFindings;
  file: string;
  seconds: number;
  ptsZeroAtSeconds: number | undefined;
  sourceAtZero: number | undefined;
  clock: FrameClock | undefined;
  placements: FragmentPlacement[] | undefined;
  sourceStarts: ReadonlyMap<number, number> | undefined;
  tones: { heard: ToneHeard[]; joinedSeconds: number } | undefined;
}

async function outputFacts(
  gathering: Gathering,
  fragments: readonly SeenFragment[],
): Promise<OutputFacts | undefined> {
  const { run, attempt, secondsAt } = gathering;
  const { outputReady } = run.evidence.run.times;
  const file = await attempt('output', () => run.outputFile);
  if (file === undefined) return undefined;
  const lies = await attempt('output', () => formatOf(file));
  if (!lies) return undefined;
  const findings = findingsOf(run, file, fragments);
  const clock = await attempt('clock', async () => seenIn(await findings.clock()));
  const isTones = run.fixture.audio?.tones ?? false;
  const shown = clock && presentationsOf(clock, 0, run.fixture.durationSeconds / 2);
  return {
    ...{ findings, file, seconds: lies.seconds, clock },
    ptsZeroAtSeconds:
      outputReady === undefined ? undefined : secondsAt(outputReady) - lies.firstPtsSeconds,
    sourceAtZero: shown?.observed ? shown.showings[0]?.ptsSeconds : undefined,
    placements: isTones ? undefined : await attempt('offsets', () => findings.placements()),
    sourceStarts: isTones ? undefined : await attempt('offsets', () => findings.sourceStarts()),
    tones: isTones ? await attempt('offsets', () => tonesOf(run, findings, fragments)) : undefined,
  };
}

/**
 * The findings that scenarios have shared. Where the events do not fit the contract, or nobody has heard them, there are
 * none: then those of the dubs that can be told.
 */
function findingsOf(
  run: BroadcastFindings,
  file: string,
  fragments: readonly SeenFragment[],
): OutputFindings {
  try {
    return run.output;
  } catch {
    const path = (name: string | undefined): string | undefined =>
      name === undefined ? undefined : join(run.evidence.folder, name);
    const dubs = fragments.map(({ answer, original }, i) => ({
      ...{ sequence: fragments[i]?.sequenceNumber ?? i, dubbed: path(answer?.dubbed) },
      original: path(original),
    }));
    return new OutputFindings(file, run.fixture, dubs);
  }
}

const formatSchema = z.object({
  format: z.object({ start_time: z.string(), duration: z.string() }),
});

/** As the container says it: nothing is decoded. */
async function formatOf(file: string): Promise<{ firstPtsSeconds: number; seconds: number }> {
  const json = await runFfprobe(file, ['-show_entries', 'format=start_time,duration']);
  const { format } = formatSchema.parse(jsonOf(json));
  return { firstPtsSeconds: Number(format.start_time), seconds: Number(format.duration) };
}

/** The tones that are whole in the output. */
async function tonesOf(
  run: BroadcastFindings,
  findings: OutputFindings,
  fragments: readonly SeenFragment[],
): Promise<OutputFacts['tones']> {
  const clock = seenIn(await findings.clock());
  const { tones } = seenIn(await findings.tones());
  const audio = await findings.audio();
  const durationSeconds = audio.samples.length / audio.rateHz;
  const heard = tonesInside(tones, clock, { ...audio, durationSeconds });
  const known = fragments.find(
    ({ original, timestampSeconds }) => original && timestampSeconds !== undefined,
  );
  const byPicture = (clock.runs[0]?.firstFrame ?? 0) / clock.framesPerSecond;
  if (!known?.original) return { heard, joinedSeconds: byPicture };
  try {
    const start = seenIn(await findings.sourceStart(join(run.evidence.folder, known.original)));
    return { heard, joinedSeconds: start.seconds - (known.timestampSeconds ?? 0) };
  } catch {
    // By the first frame it is right to within some tenths of a second, and tones are in the middle of theirs.
    return { heard, joinedSeconds: byPicture };
  }
}

async function figuresOf(
  { run, attempt, secondsAt }: Gathering,
  fragments: BroadcastFacts['fragments'],
  output: OutputFacts | undefined,
  isWhole: boolean,
): Promise<BroadcastFigures> {
  const { outputReady, outputEnded } = run.evidence.run.times;
  const trips = fragments.flatMap(({ roundTripMs }) => roundTripMs ?? []);
  const { placements, tones, findings } = output ?? {};
  const sync = placements && syncOf(placements);
  const toned = tones && tonesFigures(tones.heard);
  const toneDeltas = tones?.heard.flatMap(({ delta }) =>
    delta.observed ? Math.abs(delta.deltaMs) : [],
  );
  const all = (pick: (one: (typeof fragments)[number]) => number | undefined): number[] =>
    fragments.flatMap((one) => pick(one) ?? []);
  const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const loudness =
    findings && (await attempt('loudness', async () => seenIn((await findings.audio()).loudness)));
  const endToEnd =
    output && (await attempt('end to end', async () => seenIn(await run.endToEndLatency())));
  const figures: { [K in keyof BroadcastFigures]: BroadcastFigures[K] | undefined } = {
    fragmentsSent: fragments.length,
    fragmentsAnswered: trips.length,
    tookSeconds: isWhole && outputEnded !== undefined ? secondsAt(outputEnded) : undefined,
    outputReadySeconds: outputReady === undefined ? undefined : secondsAt(outputReady),
    endToEndSeconds: endToEnd?.seconds,
    answerP50Ms: valueOf(percentile(trips, 50)),
    answerP95Ms: valueOf(percentile(trips, 95)),
    answerMaxMs: Math.max(...trips),
    ...(sync?.observed
      ? {
          ...{ offsetWorstMs: sync.worstMs, driftMs: sync.driftMs },
          ...{ offsetP50Ms: sync.p50AbsoluteMs, offsetP95Ms: sync.p95AbsoluteMs },
        }
      : {}),
    ...(toned?.observed && toneDeltas
      ? {
          ...{ offsetWorstMs: toned.worstMs, driftMs: toned.driftMs },
          offsetP50Ms: valueOf(percentile(toneDeltas, 50)),
          offsetP95Ms: valueOf(percentile(toneDeltas, 95)),
        }
      : {}),
    leastCorrelation: Math.min(...all(({ correlation }) => correlation)),
    leastHeardShare: Math.min(...all(({ heardShare }) => heardShare)),
    mostOriginal: Math.max(...all(({ originalCorrelation }) => originalCorrelation)),
    wordErrorRate: mean(all(({ wordErrorRate }) => wordErrorRate)),
    chrf: mean(all(({ chrf }) => chrf)),
    loudnessLufs: loudness?.integratedLufs,
  };
  return Object.fromEntries(
    Object.entries(figures).filter(([, value]) => Number.isFinite(value)),
  ) as unknown as BroadcastFigures;
}

function valueOf(finding: Finding<{ value: number }>): number | undefined {
  return finding.observed ? finding.value : undefined;
}

/** Checks are for broadcasts that are spoken, translated, and dubbed to their end with nothing made to go wrong. */
async function checksOf(
  { run, missing, attempt }: Gathering,
  isTranslated: boolean,
  isWhole: boolean,
): Promise<BroadcastFacts['checks']> {
  const { plan, asked } = run.evidence.run;
  if (!isTranslated) {
    missing['checks'] = 'the checks are for broadcasts that are translated';
  } else if (!isWhole || plan.words.length > 0 || asked['faults'] !== undefined) {
    missing['checks'] = 'the checks are for broadcasts with which nothing goes wrong';
  } else {
    return (await attempt('checks', () => run.checks())) ?? [];
  }
  return [];
}

const PIPELINE: [keyof BroadcastFindings['evidence']['run']['times'], string][] = [
  ['published', 'the publisher is started'],
  ['inputReady', 'the broadcast is ready'],
  ['ingested', 'media-service reads the broadcast'],
  ['outputReady', 'the output is ready'],
  ['publisherEnded', 'the publisher has ended'],
  ['outputEnded', 'the output has ended'],
];

function marksOf(
  { run, secondsAt }: Gathering,
  events: readonly TapEvent[],
  fragments: readonly SeenFragment[],
  logLines: readonly LogLine[],
): Mark[] {
  const { times, outcome } = run.evidence.run;
  const marks: Mark[] = PIPELINE.flatMap(([name, words]) => {
    const at = times[name];
    // Where the output has not ended by itself, that is when it was given up.
    const isGivenUp = name === 'outputEnded' && outcome !== OUTPUT_ENDED;
    const text = isGivenUp ? outcome : words;
    return at === undefined ? [] : [{ atSeconds: secondsAt(at), kind: 'pipeline', text }];
  });
  const numbers = new Map(fragments.map(({ id }, i) => [id, i]));
  const firstOpen = events.find(({ kind }) => kind === 'open');
  // Both sides see the end of a connection, and what lasts is noted with each message that it concerns.
  const known = new Set<string>();
  for (const event of events) {
    const found = event === firstOpen ? undefined : markOf(event, numbers);
    if (!found || (found.once !== undefined && known.has(found.once))) continue;
    if (found.once !== undefined) known.add(found.once);
    marks.push({ atSeconds: secondsAt(event.at), kind: found.kind, text: found.text });
  }
  for (const { at, state } of breakerChanges(logLines)) {
    const text = `the circuit breaker is ${state}`;
    marks.push({ atSeconds: secondsAt(at), kind: 'connection', text });
  }
  return marks.sort((a, b) => a.atSeconds - b.atSeconds);
}

const faultSchema = z.looseObject({ fault: z.string(), fragment: z.string().optional() });
const closeSchema = z.looseObject({ code: z.number() });
const pressureSchema = z.looseObject({
  action: z.string(),
  recommended_delay_ms: z.number().optional(),
});

/** `once`: of all events with that key the first one is marked. */
function markOf(
  { kind, event, connection, payload }: TapEvent,
  numbers: ReadonlyMap<string, number>,
): { kind: Mark['kind']; text: string; once?: string } | undefined {
  if (kind === 'fault') {
    const parsed = faultSchema.safeParse(payload);
    if (!parsed.success) return undefined;
    const { fault, fragment } = parsed.data;
    const number = numbers.get(fragment ?? '');
    const about =
      number === undefined || !/^(every|fragments) /.test(fault) ? '' : `, fragment ${number}`;
    return { kind: 'fault', text: `${fault}${about}`, once: `${fault} ${fragment ?? ''}` };
  }
  if (kind === 'open')
    return { kind: 'connection', text: 'media-service is connected to the STS again' };
  if (kind === 'refused')
    return { kind: 'connection', text: 'a connection to the STS was refused' };
  if (kind === 'close') {
    const parsed = closeSchema.safeParse(payload);
    const isOrderly = parsed.success && parsed.data.code === 1000;
    const text = `the connection to the STS was ${isOrderly ? 'closed' : 'lost'}`;
    return { kind: 'connection', text, once: `close ${connection}` };
  }
  if (event !== 'backpressure') return undefined;
  const parsed = pressureSchema.safeParse(payload);
  if (!parsed.success) return undefined;
  const { action, recommended_delay_ms: delay = 0 } = parsed.data;
  const asked =
    action === 'pause'
      ? 'for a pause'
      : action === 'slow_down'
        ? `for ${delay} ms between fragments`
        : action === 'none'
          ? 'to go on as usual'
          : `for "${action}"`;
  return { kind: 'connection', text: `the STS asked ${asked}` };
}

/** Output and original over the same span of the output's timeline; without the original where that is not known. */
async function imagesOf(
  { run, attempt }: Gathering,
  { findings, sourceAtZero }: OutputFacts,
): Promise<BroadcastFacts['images']> {
  const dubbed = await findings.audio();
  const fromPts = dubbed.firstPtsSeconds;
  const toPts = fromPts + dubbed.samples.length / dubbed.rateHz;
  const { folder } = run.evidence;
  const output = await drawAudio(dubbed, fromPts, toPts, folder);
  const { path, audio } = run.fixture;
  const drawOriginal = async (zero: number): Promise<AudioImages> =>
    drawAudio(await audioOfBroadcast(path), fromPts - zero, toPts - zero, folder);
  const original =
    audio === null || sourceAtZero === undefined
      ? undefined
      : await attempt('image of the original', () => drawOriginal(sourceAtZero));
  return { fromPts, toPts, output, ...(original ? { original } : {}) };
}

/** Everything in a folder but the reports' own files; the audio of fragments, which is many files, as one. */
function filesIn(folder: string): BroadcastFacts['files'] {
  const own: readonly string[] = [reportFiles.broadcastPage, reportFiles.broadcastFacts];
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => ({ name, stat: statSync(join(folder, name), { throwIfNoEntry: false }) }))
    .flatMap(({ name, stat }) => (stat?.isFile() ? [{ name, bytes: stat.size }] : []))
    .filter(({ name }) => !own.includes(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const isSound = ({ name }: { name: string }): boolean => name.startsWith(`audio${sep}`);
  const audio = files.filter(isSound);
  const bytes = audio.reduce((sum, one) => sum + one.bytes, 0);
  const others = files.filter((one) => !isSound(one));
  return audio.length > 0 ? [{ name: 'audio/', bytes }, ...others] : others;
}

/** As it can be shown and written as JSON: texts without secrets, numbers to three digits after the point. */
function asShown<T>(facts: T): T {
  return JSON.parse(
    JSON.stringify(facts, (_key, value: unknown) => {
      if (typeof value === 'string') return safeText(value);
      return typeof value === 'number' ? rounded(value) : value;
    }),
  ) as T;
}

/** Small ones to three significant digits; undefined for what is no number. */
function rounded(value: number): number | undefined {
  if (!Number.isFinite(value)) return undefined;
  // What is left over where something is calculated to be 0.
  if (Math.abs(value) < 1e-9) return 0;
  return Number(Math.abs(value) < 1 ? value.toPrecision(3) : value.toFixed(3));
}
