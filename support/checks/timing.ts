/** When things of a broadcast happen, and how it was published. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { type BroadcastTimes, isComplete, outcomeText } from '../broadcast/record';
import { inputOf, inTime, mediaServiceLogOf, observed, ofBroadcast } from './builders';
import { outputOf, POLLED_LATE_MS, streamOf, type Within } from './builders';
import { assessed, criterion } from './criterion';

interface Reached {
  title: string;
  failure: string;
  /** What is waited for, in words. */
  what: string;
  from: keyof BroadcastTimes;
  to: keyof BroadcastTimes;
  where: (broadcast: BroadcastFindings) => string;
}

/** From one moment of the broadcast to another. */
function reached(id: string, { what, from, to, where, ...named }: Reached) {
  return criterion({
    ...{ id, ...named, where },
    measure: (broadcast: BroadcastFindings): { seconds: number } =>
      observed(where(broadcast), what, broadcast.secondsBetween(from, to)),
    assess: ({ seconds }, limit: Within) =>
      inTime(
        Math.round(1000 * seconds),
        limit,
        'never',
        from === 'published' ? 0 : -POLLED_LATE_MS,
      ),
  });
}

export const inputListed = reached('input-listed', {
  title: 'The media server lists the broadcast as ready in time',
  failure: 'the broadcast was listed too late',
  what: 'the published broadcast',
  ...{ from: 'published', to: 'inputReady', where: inputOf },
});

export const metricsAppear = reached('metrics-appear', {
  title: "The worker's metrics appear in time",
  failure: 'the metrics appeared too late',
  what: 'the metrics of the stream',
  ...{ from: 'inputReady', to: 'metricsSeen' },
  where: (broadcast) => `metrics of media-service, ${streamOf(broadcast)}`,
});

export const ingestStarts = reached('ingest-starts', {
  title: 'The worker starts ingesting in time',
  failure: 'the worker started ingesting too late',
  what: 'a reader of the broadcast',
  ...{ from: 'published', to: 'ingested', where: inputOf },
});

export const firstFragment = ofBroadcast<Within>('first-fragment', {
  title: 'The STS receives the first fragment in time after ingest',
  failure: 'the first fragment came too late',
  next: mediaServiceLogOf,
  assess: ({ record, begunAt = -Infinity, fragments: [first] }, limit) => {
    const { ingested = NaN } = record.times;
    // Content that is kept back until it is read is not there before.
    const sinceMs = Math.max(ingested, begunAt);
    const tookMs = first && !Number.isNaN(sinceMs) ? first.sentAt - sinceMs : undefined;
    return inTime(tookMs, limit, `none: ${outcomeText(record.outcome)}`, -POLLED_LATE_MS);
  },
});

/**
 * A segment is put together after its answer, so this is at least as strict as counting from there. An output that was
 * there before is not made of it: it has another publisher, or plays something else than the dub.
 */
export const outputAvailable = ofBroadcast<Within>('output-available', {
  title: 'The output is available in time after the first answer',
  failure: 'the output was not available in time',
  where: outputOf,
  assess: ({ record, answers }, limit) => {
    const { outputReady } = record.times;
    const [first] = answers;
    const tookMs = first && outputReady !== undefined ? outputReady - first.at : undefined;
    return inTime(tookMs, limit, `answers: ${answers.length}; ${outcomeText(record.outcome)}`);
  },
});

/**
 * From publishing to the end of the output. Segments that are missing are owned by the criteria that count them. Where time is
 * compressed, every figure is the one that it stands for.
 */
export const budget = ofBroadcast<Within>('budget', {
  title: 'The broadcast is dubbed to its end in time',
  failure: 'the broadcast was not dubbed to its end in time',
  assess: ({ record, fragments, fixture }, { withinMs }) => {
    const { published = NaN, outputEnded = record.finishedAt } = record.times;
    const { timeScale } = record.request;
    const seconds = (timeScale * (outputEnded - published)) / 1000;
    const segments = fixture.script.length;
    const answered = fragments.filter(({ answer }) => answer).length;
    const trips = fragments.map(({ roundTripMs: ms }) => (ms === undefined ? '-' : `${ms} ms`));
    const { afterSeconds, ...outcome } = record.outcome;
    const waited = afterSeconds === undefined ? {} : { afterSeconds: timeScale * afterSeconds };
    const holds = isComplete(record) && seconds >= 0 && seconds * 1000 <= withinMs;
    const seen =
      `${outcomeText({ ...outcome, ...waited })}, after ${seconds.toFixed(1)} s; ${answered} of ${segments} fragments answered; ` +
      `time of each fragment sent: ${trips.join(', ') || 'none was sent'}`;
    return {
      ...assessed(holds, seen, `the end of the output within ${withinMs / 1000} s`),
      figure: {
        ...{ name: 'from publishing to the end of the output', value: seconds, unit: 's' },
        ...{ limit: withinMs / 1000, holds: 'at most' },
      },
    };
  },
});

/** ffmpeg sends at the speed of the broadcast: less time means that not all was sent, more that it was sent again. */
export const publishedOnce = ofBroadcast<{ toleranceSeconds: number }>('published-once', {
  title: 'The broadcast is published once, to its end',
  failure: 'the broadcast was not published to its end, once',
  where: inputOf,
  // This suite's own: the start of ffmpeg, and what it buffers.
  defaultLimit: { toleranceSeconds: 3 },
  assess: (broadcast, { toleranceSeconds }) => {
    const { record, fixture } = broadcast;
    const published = broadcast.secondsBetween('published', 'publisherEnded');
    const { seconds } = observed('publisher', 'the end of the broadcast', published);
    const { exitCode, stderr } = record.publisher;
    const durationSeconds = fixture.durationSeconds + (record.publishing?.leadInSeconds ?? 0);
    const isWhole = exitCode === 0 && Math.abs(seconds - durationSeconds) < toleranceSeconds;
    const seen = `exit code ${exitCode} after ${seconds} s: ${stderr || 'no message'}`;
    const expected = `exit code 0 after ${durationSeconds} s ± ${toleranceSeconds} s`;
    return assessed(isWhole, seen, expected);
  },
});

/** Somebody who joined while it was published, and watched to its end; counted in frames at the source's rate. */
export const liveViewer = ofBroadcast<{ leastMs: number }>('live-viewer', {
  title: 'A viewer who joins live can watch the output',
  failure: 'a viewer could not watch the output',
  where: (broadcast) => broadcast.record.viewer?.url ?? outputOf(broadcast),
  assess: ({ record, fixture }, { leastMs }) => {
    const { viewer, outcome, problems } = record;
    const least = (leastMs / 1000) * fixture.video.framesPerSecond;
    const nobody = [`nobody could join: ${outcomeText(outcome)}`, ...problems].join('; ');
    return assessed(
      viewer !== undefined && viewer.framesDecoded >= least && viewer.stderr === '',
      viewer ? `${viewer.framesDecoded} frames decoded; ${viewer.stderr || 'no error'}` : nobody,
      `at least ${least} frames decoded, no error`,
    );
  },
});
