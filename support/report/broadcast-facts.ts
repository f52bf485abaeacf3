import { readdirSync, statSync } from 'node:fs';
import { basename, join, sep } from 'node:path';

import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { NotMeasured } from '../analyze/cache';
import { exchangeIn, openBreakers } from '../analyze/breaker';
import { type SegmentSpoken, spokenAgainst } from '../analyze/segments-heard';
import { linesOf } from '../analyze/service-log';
import { messageOf, problemOf } from '../base/errors';
import { safeText } from '../base/safe-text';
import { broadcastName, disturbancesOf } from '../broadcast/request-words';
import { isComplete, outcomeText } from '../broadcast/record';
import { isEcho, isUndisturbed } from '../broadcast/request';
import type { VerdictLine } from '../checks/verdict-log';
import { exchangeOf, fallbacksOf, unsentIn } from './exchange-facts';
import { drawAudio, drawOriginal } from './audio-images';
import { type BroadcastFacts, reportFiles } from './facts';
import { figuresOf } from './figures';
import { coverageOf } from './coverage';
import { fragmentFacts, type KnownOfBroadcast, unsentFacts } from './fragment-facts';
import { logOf } from './log-facts';
import { histogramsOf, seriesOf } from './metric-facts';
import {
  type Attempt,
  fragmentsIn,
  observedIn,
  outputFacts,
  type OutputFacts,
} from './output-facts';
import { timelineEvents } from './timeline-events';
import { verdictFactsOf } from './verdict-facts';

/**
 * Everything that the page of a broadcast shows. It is measured, or was; nothing is judged here. What cannot be had is
 * named in `missing`; within `cachedOnly` that is all that no scenario has measured.
 *
 * @param lines the verdicts of the run
 * @returns data that JSON can hold: texts can be shown, numbers are finite and rounded
 */
export async function broadcastFactsOf(
  broadcast: BroadcastFindings,
  lines: readonly VerdictLine[],
): Promise<BroadcastFacts> {
  const { record, fixture, stream, evidence } = broadcast;
  const missing: Record<string, string> = {};
  const attempt = attemptNoting(missing);
  const started = record.times.published ?? Date.parse(record.startedAt);
  const secondsAt = (ms: number): number => (ms - started) / 1000;
  const events = (await attempt('events', () => evidence.tap)) ?? [];
  const log = await attempt('log', () => logOf(evidence.folder, stream, secondsAt));
  const logLines = await attempt('log of media-service', () =>
    linesOf(broadcast.log(broadcast.names.mediaService), stream),
  );
  // The contract is judged by scenarios; what of an event can be read is shown all the same.
  await attempt('contract', () => broadcast.fragments);
  const sent = fragmentsIn(broadcast);
  const output = await outputFacts(broadcast, attempt);
  const metrics = (await attempt('metrics', () => evidence.metrics)) ?? [];
  const isTranslated = fixture.script.some((line) => line !== '') && !isEcho(record.request);
  const { outputReady, ingested } = record.times;
  const readyAtSeconds = outputReady === undefined ? undefined : secondsAt(outputReady);
  const ptsZeroAtSeconds = output && readyAtSeconds && readyAtSeconds - output.firstPtsSeconds;
  const verdicts = verdictFactsOf(stream, lines);
  const known = await knownOf(broadcast, output, attempt, {
    ...{ verdicts, isTranslated },
    clockOfStages: {
      ...{ secondsAt, ptsZeroAtSeconds, ingestedAt: ingested },
      segmentSeconds: fixture.segmentSeconds,
    },
  });
  const fragments = fragmentFacts(sent, known);
  const breakers = openBreakers(exchangeIn(broadcast, sent, events));
  const unsent = unsentFacts(unsentIn(broadcast, { fragments: sent, events, breakers }), known);
  const figures = await figuresOf(broadcast, fragments, output, attempt);
  const isHeard = record.monitor === 'tap';
  const coverage = coverageOf(fixture, { fragments, unsent, verdicts, isHeard });
  const facts: BroadcastFacts = {
    ...aboutBroadcast(broadcast, log?.leftOut ?? 0),
    ...{ missing, fragments, unsent, verdicts },
    translatedTo: isTranslated ? fixture.targetLanguage : undefined,
    coverage,
    exchange: {
      ...exchangeOf(breakers, events, secondsAt),
      fallbacks: (await attempt('fallbacks', () => fallbacksOf(broadcast))) ?? [],
    },
    figures: { ...figures, segmentsHeard: coverage.heard },
    output: output && { file: basename(output.file), seconds: output.seconds },
    ...{ sourceAtZero: output?.sourceAtZero, ptsZeroAtSeconds },
    events: timelineEvents({
      ...{ record, events, logLines: logLines ?? [], secondsAt },
      numbers: new Map(sent.map(({ fragmentId, index }) => [fragmentId, index])),
    }),
    series: seriesOf(metrics, stream, secondsAt),
    histograms: histogramsOf(metrics, stream),
    log: log?.entries ?? [],
    files: (await attempt('files', () => filesIn(evidence.folder))) ?? [],
  };
  const images = output && (await attempt('images', () => imagesOf(broadcast, output, attempt)));
  return { ...asShown(facts), ...(images && { images }) };
}

/** What of a broadcast its fragments are described by, as far as it was measured. */
async function knownOf(
  broadcast: BroadcastFindings,
  output: OutputFacts | undefined,
  attempt: Attempt,
  about: Pick<KnownOfBroadcast, 'verdicts' | 'isTranslated' | 'clockOfStages'>,
): Promise<KnownOfBroadcast> {
  const { isTranslated } = about;
  const speech = async (): Promise<SegmentSpoken[] | undefined> =>
    output && attempt('speech', () => spokenIn(broadcast, output.findings));
  return {
    ...{ ...about, fixture: broadcast.fixture, faults: broadcast.record.request.faults },
    texts: isTranslated ? await attempt('texts', () => broadcast.judgedTexts()) : undefined,
    spoken: isTranslated ? await speech() : undefined,
    ...{ clock: output?.clock, placements: output?.placements, tones: output?.tones },
    sourceStarts: output?.sourceStarts,
  };
}

async function spokenIn(
  { texts, fixture }: BroadcastFindings,
  output: OutputFacts['findings'],
): Promise<SegmentSpoken[]> {
  const { segments } = observedIn(await output.segmentsHeard());
  return spokenAgainst(fixture.script, texts, segments, fixture.targetLanguage);
}

/** What its record says. */
function aboutBroadcast({ record, fixture }: BroadcastFindings, leftOut: number) {
  const { stream, startedAt, durationSeconds, segmentSeconds, runtime, monitor } = record;
  const { times, finishedAt, busyShare, waits = [] } = record;
  return {
    ...{ stream, startedAt, durationSeconds, segmentSeconds, runtime, monitor },
    ...{ title: fixture.title, language: fixture.language, clip: fixture.path },
    name: broadcastName(fixture.title, record.request),
    ...{ endedAt: new Date(times.outputEnded ?? finishedAt).toISOString(), busyShare },
    waits: { count: waits.length, longestMs: Math.max(0, ...waits.map(({ ms }) => ms)) },
    framesPerSecond: fixture.video.framesPerSecond,
    audio: fixture.audio === null ? 'none' : fixture.audio.tones ? 'tones' : 'speech',
    ...{ outcome: outcomeText(record.outcome), isComplete: isComplete(record) },
    faults: disturbancesOf(record.request),
    ...{ isDisturbed: !isUndisturbed(record.request), seed: record.faultSeed },
    problems: [
      ...record.problems,
      ...(leftOut > 0 ? [`the ${leftOut} oldest lines of the log are not shown`] : []),
    ],
  } satisfies Partial<BroadcastFacts>;
}

/** Notes under its name why something is missing. */
function attemptNoting(missing: Record<string, string>): Attempt {
  return async (name, measure) => {
    try {
      return await measure();
    } catch (error) {
      const { what, seen } = problemOf(error) ?? {};
      const isKnown = what === undefined || error instanceof NotMeasured;
      missing[name] = isKnown ? (what ?? messageOf(error)) : `${what}: ${seen}`;
      return undefined;
    }
  };
}

/** Output and original, with their spans of the output's timeline; without the original where that is unknown. */
async function imagesOf(
  { fixture: { path, audio, durationSeconds } }: BroadcastFindings,
  { findings, sourceAtZero }: OutputFacts,
  attempt: Attempt,
): Promise<BroadcastFacts['images']> {
  const dubbed = await findings.audio();
  const fromPts = dubbed.firstPtsSeconds;
  const toPts = fromPts + dubbed.samples.length / dubbed.rateHz;
  const output = await drawAudio(dubbed, fromPts, toPts);
  const original =
    audio === null || sourceAtZero === undefined
      ? undefined
      : await attempt('image of the original', () => drawOriginal(path, durationSeconds));
  const span = { fromPts: sourceAtZero ?? 0, toPts: (sourceAtZero ?? 0) + durationSeconds };
  return { fromPts, toPts, output, ...(original && { original: { ...original, ...span } }) };
}

/** Everything in a folder but the reports' own files; the audio of fragments, which is many files, as one. */
function filesIn(folder: string): BroadcastFacts['files'] {
  const own: readonly string[] = [reportFiles.broadcastPage, reportFiles.broadcastFacts];
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => ({ name, stat: statSync(join(folder, name), { throwIfNoEntry: false }) }))
    .flatMap(({ name, stat }) => (stat?.isFile() ? [{ name, bytes: stat.size }] : []))
    .filter(({ name }) => !own.includes(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const isAudio = ({ name }: { name: string }): boolean => name.startsWith(`audio${sep}`);
  const audio = files.filter(isAudio);
  const bytes = audio.reduce((sum, one) => sum + one.bytes, 0);
  const others = files.filter((one) => !isAudio(one));
  return audio.length > 0 ? [{ name: 'audio/', bytes }, ...others] : others;
}

/** More than are shown, as what is rounded twice is another number. */
const DIGITS = 5;

/** As it can be shown and written as JSON: texts without secrets, numbers to DIGITS after the point. */
function asShown<T>(facts: T): T {
  return JSON.parse(
    JSON.stringify(facts, (_key, value: unknown) => {
      if (typeof value === 'string') return safeText(value);
      return typeof value === 'number' ? rounded(value) : value;
    }),
  ) as T;
}

/** Small ones to as many significant digits; undefined for what is no number. */
function rounded(value: number): number | undefined {
  if (!Number.isFinite(value)) return undefined;
  // What is left over where something is calculated to be 0.
  if (Math.abs(value) < 1e-9) return 0;
  return Number(Math.abs(value) < 1 ? value.toPrecision(DIGITS) : value.toFixed(DIGITS));
}
