/** What media-service counts, against what was asked for, and against what was seen from outside. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { disagreeing, type MetricLine } from '../analyze/metrics-against-tap';
import { ResilienceFindings } from '../analyze/resilience-findings';
import { softensAll } from '../broadcast/fault';
import { faultText } from '../broadcast/fault-words';
import { isUndisturbed } from '../broadcast/request';
import type { MetricNames } from '../broadcast/service-names';
import { allRight, type AtLeast, type Count, observed, ofBroadcast, ofSubject } from './builders';
import { riseOf, same, seriesOf, streamOf } from './builders';
import { assessed, type Assessment, criterion } from './criterion';

const METRICS = 'metrics of media-service';

export const processedSegments = ofBroadcast<number>('processed-segments', {
  title: 'media-service counts the processed audio segments',
  failure: 'media-service counts another number of processed audio segments',
  where: (broadcast) =>
    `${broadcast.names.metrics.segmentsProcessed}{type="audio"} of ${streamOf(broadcast)}`,
  assess: (broadcast, count) => {
    const { segmentsProcessed: name } = broadcast.names.metrics;
    return same(riseOf(broadcast, name, { type: 'audio' }, name), count);
  },
});

/** Segments that are played with their original audio, as media-service counts them. */
export const fallbackCount = ofBroadcast<number | 'every segment'>('fallback-count', {
  title: 'media-service counts the fallbacks to the original audio',
  failure: 'media-service counts another number of fallbacks to the original audio',
  where: (broadcast) =>
    `${broadcast.names.metrics.audioFragments}{status="fallback"} of ${streamOf(broadcast)}`,
  assess: (broadcast, limit) => {
    const { audioFragments: name } = broadcast.names.metrics;
    const rise = riseOf(broadcast, name, { status: 'fallback' }, 'the count of fallbacks');
    return same(rise, limit === 'every segment' ? broadcast.fixture.script.length : limit);
  },
});

/** Of the segments that fall back to their original audio. */
export const fallbacksBecauseOf = ofBroadcast<Count & { reason: string }>('fallbacks-by-reason', {
  title: 'media-service counts that many fallbacks for that reason',
  failure: 'the metrics count another number of fallbacks for that reason',
  where: ({ stream, names }) => `stream ${stream}, ${names.metrics.fallbacks}`,
  assess: (broadcast, { reason, count }) => {
    const { fallbacks: name } = broadcast.names.metrics;
    const rise = riseOf(broadcast, name, { reason });
    return assessed(rise === count, `${seriesOf(name, { reason })}: ${rise}`, String(count));
  },
});

export const reconnectionCount = ofBroadcast<Count>('reconnection-count', {
  title: 'media-service counts that many reconnections',
  failure: 'the metrics count another number of reconnections',
  where: ({ stream, names }) => `stream ${stream}, ${names.metrics.reconnections}`,
  assess: (broadcast, { count }) =>
    same(riseOf(broadcast, broadcast.names.metrics.reconnections), count),
});

/** One broadcast, and others of which it is asked whether they were dubbed at the same time. */
export interface Simultaneous {
  broadcast: BroadcastFindings;
  others: readonly BroadcastFindings[];
}

/** Whether each was being published while the one was. */
export const dubbedAtSameTime = ofSubject<Simultaneous, AtLeast>('dubbed-at-same-time', {
  title: 'Enough broadcasts with faults are dubbed at the same time',
  failure: 'too few broadcasts with faults were dubbed at the same time',
  where: ({ broadcast }) => `while stream ${broadcast.stream} was`,
  assess: ({ broadcast, others }, { least }) => {
    const { published: from = 0, publisherEnded: until = 0 } = broadcast.record.times;
    const found = others.filter(({ record: { request, times } }) => {
      const { published = Infinity, publisherEnded = Infinity } = times;
      return !isUndisturbed(request) && published < until && publisherEnded > from;
    });
    const shown = found.map(({ stream, record: { request } }) => {
      const faults = request.faults.map(faultText).join('; ');
      return `${stream}: ${faults || 'otherwise disturbed'}`;
    });
    const seen = [String(found.length), ...shown].join('\n');
    return assessed(found.length >= least, seen, `${least} or more`);
  },
});

/** Of figures that were compared, at least one, none is wrong. */
function assessFigures(count: number, wrong: readonly string[], expected: string): Assessment {
  const seen = `${count} figures compared; ${wrong.join('; ') || 'all agree'}`;
  return assessed(count > 0 && wrong.length === 0, seen, expected);
}

/** Of broadcasts of which anything was sent to the STS. */
export const metricsAgree = criterion({
  id: 'metrics-agree',
  title: 'For every broadcast each metric is what was seen from outside',
  failure: 'metrics do not say what was seen between the services',
  where: () => METRICS,
  measure: (broadcasts: readonly BroadcastFindings[]): (MetricLine & { stream: string })[] =>
    broadcasts
      .filter(({ fragments }) => fragments.length > 0)
      .flatMap((broadcast) =>
        new ResilienceFindings(broadcast).metricLines.map((line) => ({
          ...{ ...line, stream: broadcast.stream },
        })),
      ),
  assess: (lines) => {
    const wrong = lines.filter((line) => disagreeing([line]).length > 0);
    const shown = wrong.map(
      ({ stream, metric, seen, expected }) =>
        `${stream} ${metric}: ${seen ?? 'missing'}, seen from outside ${expected}`,
    );
    return assessFigures(lines.length, shown, 'the same');
  },
});

/** The output of a worker ends at least that long after its broadcast: a segment is dubbed when all of it is there. */
const OUTPUT_LAGS_MS = 1000;

/** A count of segments beside how many of them are heard. */
interface CountOfBroadcast {
  stream: string;
  status: string;
  counted: number;
  heard: number;
}

/** Only where every dub is softer can it be told from the original. */
export const segmentCountsAgree = criterion({
  id: 'segment-counts-agree',
  title:
    'For every broadcast the metrics count as many dubbed and original segments as a viewer hears',
  failure: 'metrics count other segments than are heard',
  where: ([one]: readonly BroadcastFindings[]) => one?.names.metrics.audioFragments ?? METRICS,
  measure: async (broadcasts): Promise<CountOfBroadcast[]> => {
    const counts: CountOfBroadcast[] = [];
    for (const broadcast of broadcasts) {
      const { times, request } = broadcast.record;
      // A worker that gave up before the broadcast was over has played a part of its last segment.
      const { outputEnded = NaN, publisherEnded = NaN } = times;
      const isPartial = outputEnded - publisherEnded < OUTPUT_LAGS_MS;
      if (softensAll(request.faults) && !isPartial) counts.push(...(await countsOf(broadcast)));
    }
    return counts;
  },
  assess: (counts) => {
    const wrong = counts.filter(({ counted, heard }) => counted !== heard);
    const shown = wrong.map(
      ({ stream, status, counted, heard }) => `${stream} ${status}: ${counted}, heard ${heard}`,
    );
    const expected = 'as many processed as dubs are heard, as many fallbacks as originals';
    return assessFigures(counts.length, shown, expected);
  },
});

async function countsOf(broadcast: BroadcastFindings): Promise<CountOfBroadcast[]> {
  const { stream, outputFile, names } = broadcast;
  const { audioFragments: name } = names.metrics;
  const heard = await new ResilienceFindings(broadcast).segmentAudio();
  const { segments } = observed(outputFile, 'what is heard in each segment', heard);
  const kinds = [
    ['processed', 'dub'],
    ['fallback', 'original'],
  ] as const;
  return kinds.map(([status, kind]) => ({
    ...{ stream, status, heard: segments.filter((one) => one === kind).length },
    counted: observed(stream, name, broadcast.counter(name, { status })).delta,
  }));
}

/** The type of each metric (specs 018, 019, 021). */
const TYPES: Record<keyof MetricNames, 'counter' | 'gauge' | 'histogram'> = {
  segmentsProcessed: 'counter',
  audioFragments: 'counter',
  fallbacks: 'counter',
  backpressureEvents: 'counter',
  reconnections: 'counter',
  inflight: 'gauge',
  breakerState: 'gauge',
  avSyncDelta: 'histogram',
  stsProcessingTime: 'histogram',
};

export const metricTypes = ofSubject<readonly BroadcastFindings[]>('metric-types', {
  title: 'Every metric is there, with its type',
  failure: 'metrics are missing or of another type',
  where: () => METRICS,
  assess: (broadcasts) => {
    const found = broadcasts.flatMap(({ stream, evidence, names }) => {
      const types = evidence.metrics.at(-1)?.types ?? {};
      return Object.entries(TYPES).map(([key, expected]) => {
        const name = names.metrics[key as keyof MetricNames];
        // In the older text format a counter's family has the name of its series, in OpenMetrics not.
        const seen = types[name] ?? types[name.replace(/_total$/, '')] ?? 'not there';
        return seen === expected ? [] : [`${stream} ${name}: ${seen}, expected ${expected}`];
      });
    });
    const wrong = found.length > 0 ? found.flat() : ['no broadcast was seen'];
    return allRight(wrong, `${found.length} metrics`, JSON.stringify(TYPES));
  },
});
