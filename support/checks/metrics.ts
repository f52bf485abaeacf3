/** What media-service counts, against what was asked for, and against what was seen from outside. */
import { isSuccess } from '../analyze/breaker';
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { disagreeing, fallbacksOnce, type MetricLine } from '../analyze/metrics-against-tap';
import { ResilienceFindings } from '../analyze/resilience-findings';
import { refusesForGood, softensAll } from '../broadcast/fault';
import { faultText } from '../broadcast/fault-words';
import { isUndisturbed } from '../broadcast/request';
import { mappingOf, METRIC_KEYS, metricName, type MetricKey } from '../broadcast/service-names';
import { type MetricKind, SPEC_KINDS } from '../broadcast/service-names';
import { allRight, type AtLeast, type Count, observed, ofBroadcast, ofSubject } from './builders';
import { riseOf, same, seriesOf, streamOf } from './builders';
import { assessed, type Assessment, criterion } from './criterion';
import { withErrors } from './quoted-errors';
import { countDeviations, undubbed, UPSTREAM } from './upstream';

const METRICS = 'metrics of media-service';

function whereCounted(
  broadcast: BroadcastFindings,
  key: MetricKey,
  labels: Record<string, string> = {},
): string {
  const series = seriesOf(metricName(broadcast.names.metrics, key), labels);
  return `${series} of ${streamOf(broadcast)}`;
}

/** @param off by how many it deviates where segments are missing */
function sameCount(
  broadcast: BroadcastFindings,
  seen: number,
  wanted: number,
  off: number,
): Assessment {
  const deviations = seen === wanted ? [] : countDeviations(String(seen), off, undubbed(broadcast));
  return { deviations, seen: String(seen), expected: String(wanted) };
}

/** The video is passed on whatever becomes of the dub: it is counted for every segment as well, where types are told apart. */
export const processedSegments = ofBroadcast<number>('processed-segments', {
  upstream: UPSTREAM,
  title: 'media-service counts the processed audio segments, and as many of the video',
  failure: 'media-service counts another number of processed audio segments',
  where: (broadcast) => whereCounted(broadcast, 'segmentsProcessed', { type: 'audio' }),
  assess: (broadcast, count) => {
    const name = metricName(broadcast.names.metrics, 'segmentsProcessed');
    const rise = riseOf(broadcast, 'segmentsProcessed', { type: 'audio' }, name);
    const audio = sameCount(broadcast, rise, count, count - rise);
    const { labels = {} } = mappingOf(broadcast.names.metrics, 'segmentsProcessed') ?? {};
    if (audio.deviations.length > 0 || labels['type'] === 'none') return audio;
    const video = riseOf(broadcast, 'segmentsProcessed', { type: 'video' });
    return {
      ...assessed(video === count, `${rise} audio, ${video} video`, `${count} of each`),
      failure: 'media-service counts the video of other segments than the audio',
    };
  },
});

/** Segments that are played with their original audio, as media-service counts them. */
export const fallbackCount = ofBroadcast<number | 'every segment'>('fallback-count', {
  upstream: UPSTREAM,
  title: 'media-service counts the fallbacks to the original audio',
  failure: 'media-service counts another number of fallbacks to the original audio',
  where: (broadcast) => whereCounted(broadcast, 'audioFragments', { status: 'fallback' }),
  assess: (broadcast, limit) => {
    const labels = { status: 'fallback' };
    const rise = riseOf(broadcast, 'audioFragments', labels, 'the count of fallbacks');
    const wanted = limit === 'every segment' ? broadcast.fixture.script.length : limit;
    return sameCount(broadcast, rise, wanted, rise - wanted);
  },
});

/** Of the segments that fall back to their original audio. */
export const fallbacksBecauseOf = ofBroadcast<Count & { reason: string }>('fallbacks-by-reason', {
  title: 'media-service counts that many fallbacks for that reason',
  failure: 'the metrics count another number of fallbacks for that reason',
  where: (broadcast) => whereCounted(broadcast, 'fallbacks'),
  assess: (broadcast, { reason, count }) => {
    const rise = riseOf(broadcast, 'fallbacks', { reason });
    const series = seriesOf(metricName(broadcast.names.metrics, 'fallbacks'), { reason });
    const seen = `${series}: ${rise}`;
    const isHeard = broadcast.record.monitor === 'tap';
    const counted = assessed(
      rise === count,
      isHeard ? withErrors(seen, broadcast) : seen,
      String(count),
    );
    const [other] = disagreeing(fallbacksOnce(broadcast.names.metrics, broadcast.metrics));
    if (rise !== count || !other) return counted;
    const fellBack = metricName(broadcast.names.metrics, 'audioFragments');
    return {
      ...assessed(
        false,
        `${seen}; ${other.metric}: ${other.seen}`,
        `${other.expected}, as many as ${seriesOf(fellBack, { status: 'fallback' })}`,
      ),
      failure: 'a fallback is counted for several reasons, or for none',
    };
  },
});

export const reconnectionCount = ofBroadcast<Count>('reconnection-count', {
  title: 'media-service counts that many reconnections',
  failure: 'the metrics count another number of reconnections',
  where: (broadcast) => whereCounted(broadcast, 'reconnections'),
  assess: (broadcast, { count }) => same(riseOf(broadcast, 'reconnections'), count),
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
  where: ([one]: readonly BroadcastFindings[]) =>
    one ? metricName(one.names.metrics, 'audioFragments') : METRICS,
  measure: async (broadcasts): Promise<CountOfBroadcast[]> => {
    const counts: CountOfBroadcast[] = [];
    for (const broadcast of broadcasts) {
      const { times, request } = broadcast.record;
      const { outputEnded = NaN, publisherEnded = NaN } = times;
      // A worker that gave up has played a part of its last segment, and its last count may be gone before it is read.
      const gaveUp =
        refusesForGood(request.faults) || outputEnded - publisherEnded < OUTPUT_LAGS_MS;
      if (softensAll(request.faults) && !gaveUp) counts.push(...(await countsOf(broadcast)));
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
  const { stream, outputFile, names, metrics } = broadcast;
  const name = metricName(names.metrics, 'audioFragments');
  const heard = await new ResilienceFindings(broadcast).segmentAudio();
  const { segments } = observed(outputFile, 'what is heard in each segment', heard);
  const kinds = [
    ['processed', 'dub'],
    ['fallback', 'original'],
  ] as const;
  return kinds.map(([status, kind]) => ({
    ...{ stream, status, heard: segments.filter((one) => one === kind).length },
    counted: observed(stream, name, metrics.counter('audioFragments', { status })).delta,
  }));
}

/**
 * The kind that the specs say, or that acceptance.yaml says instead: who declares another one knows it, and it is read as what
 * it is. What the system does not have at all is not asked for.
 */
export const metricTypes = ofSubject<readonly BroadcastFindings[]>('metric-types', {
  title: 'Every metric is there, with its type',
  failure: 'metrics are missing or of another type',
  where: () => METRICS,
  assess: (broadcasts) => {
    const found = broadcasts.flatMap(({ stream, metrics, names, fragments }) =>
      METRIC_KEYS.flatMap((key) => {
        const mapping = mappingOf(names.metrics, key);
        if (!mapping) return [];
        const [expected, seen] = [mapping.kind ?? SPEC_KINDS[key], metrics.kindOf(key)];
        // Text without TYPE lines does not tell a counter from a gauge.
        const isStates = seen === 'stateset' && mapping.labels?.['state'] !== undefined;
        const isFine = seen === expected || isStates || (seen === 'untyped' && isSingle(expected));
        if (!isFine) return [[`${stream} ${mapping.name}: ${seen}, expected ${expected}`]];
        // A counter may be made with its first count.
        const isDue = expected === 'gauge' ? fragments.length > 0 : fragments.some(isSuccess);
        const isMissing = expected !== 'counter' && isDue && !metrics.isSampled(key);
        return [isMissing ? [`${stream} ${mapping.name}: no value of this stream`] : []];
      }),
    );
    const wrong = broadcasts.length > 0 ? found.flat() : ['no broadcast was seen'];
    return allRight(wrong, `${found.length} metrics`, JSON.stringify(SPEC_KINDS));
  },
});

function isSingle(kind: MetricKind): boolean {
  return kind === 'counter' || kind === 'gauge';
}
