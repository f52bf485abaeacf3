/**
 * `npm run analyze -- <evidence folder | media file>`: works out all findings again, offline, and prints them as JSON.
 */
import { statSync } from 'node:fs';

import { probeTool } from '../support/analyze/ffmpeg';
import { decodeWhole, packetSpan, probeStreams } from '../support/analyze/media';
import { RunFindings } from '../support/analyze/run-findings';
import { messageOf } from '../support/errors';
import { readFixture } from '../support/fixture';
import { readEvidence } from '../support/observe/evidence';

async function analyzeMedia(file: string): Promise<unknown> {
  const [streams, packets, decoded] = [
    await probeStreams(file),
    await packetSpan(file),
    await decodeWhole(file),
  ];
  return { file, streams, packets, decoded };
}

/** A finding that cannot be worked out says why, in its place. */
async function orReason(work: () => unknown): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    return { observed: false, reason: messageOf(error) };
  }
}

async function analyzeRun(folder: string): Promise<unknown> {
  const evidence = readEvidence(folder);
  const { fixtureScript, fixtureFile } = evidence.run;
  const run = new RunFindings(evidence, readFixture(fixtureScript, fixtureFile));
  const fragments = [];
  for (const fragment of run.fragments) {
    fragments.push({
      sequence: fragment.sequence,
      roundTripMs: fragment.roundTripMs,
      status: fragment.answer?.data.status,
      dubbedLevels: await orReason(() => run.dubbedLevels(fragment)),
      dubbedAgainstOriginal: await orReason(() => run.dubbedAgainstOriginal(fragment)),
    });
  }
  return {
    run: evidence.run,
    secondsToInputReady: run.secondsBetween('published', 'inputReady'),
    secondsToMetrics: run.secondsBetween('published', 'metricsSeen'),
    secondsToFirstAnswer:
      run.answers[0] && evidence.run.times.published
        ? (run.answers[0].at - evidence.run.times.published) / 1000
        : null,
    secondsToOutputReady: run.secondsBetween('published', 'outputReady'),
    roundTrip: run.roundTrip,
    fragments,
    texts: run.texts,
    transcriptLanguage: await orReason(() => run.languageOf('transcript')),
    translationLanguage: await orReason(() => run.languageOf('translation')),
    output: await orReason(() => analyzeMedia(run.outputFile)),
    outputAgainstOriginal: await orReason(() => run.outputAgainstOriginal()),
    sourceStarts: await orReason(async () => Object.fromEntries(await run.sourceStarts())),
    avDeltas: await orReason(() => run.avDeltas()),
    audioSegments: await orReason(() =>
      run.counter('media_service_worker_segments_processed_total', { type: 'audio' }),
    ),
    fallbacks: await orReason(() =>
      run.counter('worker_audio_fragments_total', { status: 'fallback' }),
    ),
    measuredDeltas: await orReason(() => run.histogram('worker_av_sync_delta_ms')),
  };
}

async function main([path]: string[]): Promise<void> {
  if (!path) {
    console.error('usage: npm run analyze -- <evidence folder | media file>');
    process.exitCode = 2;
    return;
  }
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const findings = isFolder ? await analyzeRun(path) : await analyzeMedia(path);
  console.log(JSON.stringify({ tool: await probeTool(), ...(findings as object) }, null, 2));
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(messageOf(error));
  process.exitCode = 1;
});
