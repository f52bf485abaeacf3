/** A/V offset (audio minus video, in ms: positive when the audio is late), as heard and as media-service says. */
import type { FragmentPlacement, Sync } from '../analyze/dub-placement';
import { type Finding, milliseconds, ranges } from '../analyze/finding';
import type { Measured } from '../analyze/metric-findings';
import { countAbove } from '../analyze/metrics';
import { CannotBeShown } from '../base/errors';
import { metricName } from '../broadcast/service-names';
import { observed, ofBroadcast, streamOf } from './builders';
import { avDrift, OFFSET_LIMIT_MS, UNHEARD } from './av-drift';
import { assessed, type Assessment, type Deviation } from './criterion';
import { dubs } from './dub';
import { dubSpeed } from './dub-speed';
import { demandTimes } from './lost-by-reader';
import { clockOf } from './output-clock';
import { placementsOf } from './output-original';
import { jumpText } from './offset-words';
import { outputCriterion } from './output-subject';
import { countDeviations, undubbed, UPSTREAM } from './upstream';

interface Offsets {
  /** How the time of a frame was told: by its number, or by what is seen in it. */
  kind: string;
  placements: readonly FragmentPlacement[];
  sync: Finding<Sync>;
  /** Segments of a broadcast that have no dub to look for. */
  undubbed: readonly number[];
}

export const avOffset = outputCriterion('av-offset', {
  title: 'The A/V offset of every segment is within the limit',
  failure: 'audio and video are apart (A/V offset; positive: audio is late)',
  needs: 'dubs',
  defaultLimit: { limitMs: OFFSET_LIMIT_MS },
  measure: async (subject): Promise<Offsets> => {
    demandTimes(subject);
    const { output, evidence } = subject;
    const { kind } = await clockOf(subject);
    const dubbed = new Set(output.dubs.flatMap((one) => (one.dubbed ? one.sequence : [])));
    // Of a recording that is no broadcast, only the dubs that were given are known.
    const segments = evidence ? (output.fixture?.script ?? []).map((_, segment) => segment) : [];
    const undubbed = segments.filter((segment) => !dubbed.has(segment));
    const placements = dubbed.size > 0 ? await placementsOf(subject) : [];
    return { kind, placements, sync: await output.sync(), undubbed };
  },
  assess: (measured, limit: { limitMs: number }): Assessment => {
    const late = tooLate(measured, limit);
    const deviations = [...late, ...unheard(measured)];
    return {
      deviations,
      seen: offsetsText(measured),
      expected: `every segment less than ${limit.limitMs} ms`,
      figure: measured.sync.observed
        ? {
            ...{ name: 'A/V offset, the largest', value: Math.abs(measured.sync.worstMs) },
            ...{ unit: 'ms', limit: limit.limitMs, holds: 'below' },
          }
        : undefined,
      ...(late.length === 0 && deviations.length > 0
        ? { failure: 'the dub of a segment is not heard, so that it has no A/V offset' }
        : {}),
    };
  },
  explainedBy: [
    {
      criterion: avDrift,
      fits: (measured, limit) =>
        tooLate(measured, limit).length > 0 &&
        measured.sync.observed &&
        Math.abs(measured.sync.worstWithoutDriftMs) < limit.limitMs,
    },
    { criterion: dubSpeed, fits: isBySpeed },
    ...UNHEARD.map((cause) => ({
      criterion: cause,
      fits: ({ sync, undubbed }: Offsets) => !sync.observed && undubbed.length === 0,
    })),
    {
      criterion: dubs,
      fits: (measured, limit) =>
        tooLate(measured, limit).length === 0 && measured.undubbed.length === 0,
    },
  ],
});

function tooLate({ placements, sync }: Offsets, { limitMs }: { limitMs: number }): Deviation[] {
  const jumps = sync.observed ? sync.jumps : [];
  return placements.flatMap(({ sequence, avOffset: offset }) => {
    if (!offset.observed || Math.abs(offset.offsetMs) < limitMs) return [];
    const jump = jumps.find(({ before, after }) => after === sequence || before === sequence);
    const side = jump?.after === sequence ? 'after' : 'before';
    const why = jump ? `, ${side} ${jumpText(jump, 'segment')}` : '';
    const text = `fragment ${sequence}: ${milliseconds(offset.offsetMs)}${why}`;
    return [{ text, fragment: sequence }];
  });
}

/** Whether dubs are early or late by as much as all before them were too fast or too slow, to within the error of their speed. */
function isBySpeed({ placements }: Offsets, { limitMs }: { limitMs: number }): boolean {
  const heard = placements.flatMap(({ startSeconds, avOffset: offset }) =>
    offset.observed ? [{ startSeconds, ...offset }] : [],
  );
  const [first] = heard;
  if (!first || Math.abs(first.offsetMs) >= limitMs || heard.length < placements.length)
    return false;
  return heard.every(({ startSeconds, offsetMs, speed }) => {
    const sinceMs = 1000 * (startSeconds - first.startSeconds);
    const error = offsetMs - first.offsetMs - sinceMs * (1 / speed - 1);
    return Math.abs(error) <= (sinceMs * dubSpeed.defaultLimit.percent) / 100;
  });
}

function unheard({ placements, undubbed }: Offsets): Deviation[] {
  return [
    ...placements.flatMap(({ sequence, avOffset: offset }) =>
      offset.observed
        ? []
        : [{ text: `fragment ${sequence}: ${offset.reason}`, fragment: sequence }],
    ),
    ...undubbed.map((segment) => ({ text: `segment ${segment}: no dub`, fragment: segment })),
  ];
}

/** The offsets of all segments; those that are the same stand together. */
function offsetsText({ kind, placements, sync }: Offsets): string {
  const said = new Map<string, number[]>();
  for (const { sequence, avOffset: offset } of placements) {
    const text = offset.observed ? milliseconds(offset.offsetMs) : offset.reason;
    said.set(text, [...(said.get(text) ?? []), sequence]);
  }
  const table = [...said].map(
    ([text, segments]) => `segment${segments.length > 1 ? 's' : ''} ${ranges(segments)}: ${text}`,
  );
  const worst = sync.observed
    ? `worst ${milliseconds(sync.worstMs)}, p95 ${milliseconds(sync.p95AbsoluteMs)}`
    : sync.reason;
  return `${worst} (clock: ${kind}); ${table.join('; ')}`;
}

/** What is asked of media-service's own metric; `ifAvailable`: one that it does not export says nothing (021-US6-4). */
interface OwnOffsets {
  limitMs: number;
  ifAvailable: boolean;
}

/** By the buckets of a histogram, as far as these tell, by every value of a gauge, or by what a summary has summed up. */
export const measuredOffset = ofBroadcast<OwnOffsets>('measured-offset', {
  upstream: UPSTREAM,
  title: 'media-service measures an A/V delta within the limit for every segment',
  failure: 'media-service measures larger A/V deltas, or not for every segment',
  where: (broadcast) =>
    `${metricName(broadcast.names.metrics, 'avSyncDelta')} of ${streamOf(broadcast)}`,
  assess: (broadcast, { limitMs, ifAvailable }) => {
    const { metrics, names, fixture } = broadcast;
    const name = metricName(names.metrics, 'avSyncDelta');
    if (ifAvailable && !metrics.has('avSyncDelta')) throw notExported(name);
    const found = metrics.measured('avSyncDelta');
    return assessMeasured(
      observed('metrics of media-service', name, found),
      limitMs,
      fixture.script.length,
      undubbed(broadcast),
    );
  },
});

function assessMeasured(
  measured: Measured,
  limitMs: number,
  segments: number,
  missing: readonly Deviation[],
): Assessment {
  const expected = `${segments} measured, all below ${limitMs} ms`;
  if (measured.kind === 'histogram') {
    const { provenAtMost, maybeAbove } = countAbove(measured.histogram, limitMs);
    const { count, sumMs } = measured;
    const seen = `${count} measured, ${provenAtMost} of them at most ${limitMs} ms, mean ${count > 0 ? (sumMs / count).toFixed(1) : '-'} ms`;
    // Buckets have no lower edge: values far below 0 are all in the lowest one.
    const isSmall = count === 0 || Math.abs(sumMs / count) < limitMs;
    const isRight = isSmall && maybeAbove === 0 && provenAtMost === segments;
    const off = isSmall && maybeAbove === 0 ? segments - provenAtMost : 0;
    return { deviations: isRight ? [] : countDeviations(seen, off, missing), seen, expected };
  }
  const { kind, values } = measured;
  const largest = values.reduce((most, one) => (Math.abs(one) > Math.abs(most) ? one : most), 0);
  const isSmall = Math.abs(largest) < limitMs;
  const seen = `largest of ${values.length} values of a ${kind}: ${milliseconds(largest)}`;
  if (kind === 'gauge') return assessed(isSmall, seen, `all below ${limitMs} ms`);
  return assessed(
    isSmall && measured.count === segments,
    `${seen}, ${measured.count} measured`,
    expected,
  );
}

function notExported(name: string): CannotBeShown {
  return new CannotBeShown({
    ...{ what: 'media-service does not say what A/V delta it measures', where: name },
    ...{ seen: 'no such metric', expected: 'the metric, if it is available (021-US6-4)' },
  });
}
