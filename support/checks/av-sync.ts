/** A/V offset (audio minus video, in ms: positive when the audio is late) and drift, as heard and as media-service says. */
import type { FragmentPlacement, Sync } from '../analyze/dub-placement';
import { type Finding, milliseconds, ranges } from '../analyze/finding';
import type { FrameClock } from '../analyze/frame-clock';
import type { Measured } from '../analyze/metric-findings';
import { countAbove } from '../analyze/metrics';
import { CannotBeShown } from '../base/errors';
import { metricName } from '../broadcast/service-names';
import { observed, ofBroadcast, streamOf } from './builders';
import { assessed, type Assessment, type Deviation } from './criterion';
import { dubs } from './dub';
import { demandTimes } from './lost-by-reader';
import { audio } from './output-audio';
import { clockOf } from './output-clock';
import { frames } from './output-frames';
import { original, placementsOf } from './output-original';
import {
  type ChangeLimit,
  changeExpected,
  CLOCKS_APART_PPM,
  driftsBeyond,
  driftText,
  jumpsBeyond,
  jumpsText,
  jumpText,
} from './offset-words';
import { outputCriterion } from './output-subject';
import { countDeviations, undubbed, UPSTREAM } from './upstream';

/** What explains that no dub is heard at its video, so that nothing can be compared there; causes first. */
const UNHEARD = [audio, original, frames];

/** Each way less than 120 ms: specs 019 and 021. */
const OFFSET_LIMIT_MS = 120;

/**
 * By the least-squares line through the offsets, with the jumps taken out. A jump is no drift: it is named as one, here where all
 * offsets are within their own limit, otherwise with these (av-offset).
 */
export const avDrift = outputCriterion('av-drift', {
  title: 'Audio and video do not drift apart',
  failure: 'audio and video drift apart',
  needs: 'dubs',
  // Half of the limit of the offset, over the whole broadcast: one twice as long would otherwise reach it.
  defaultLimit: { limitMs: OFFSET_LIMIT_MS / 2, limitPpm: CLOCKS_APART_PPM },
  measure: async (subject): Promise<Finding<Sync>> => {
    demandTimes(subject);
    const clock = await clockOf(subject);
    await placementsOf(subject);
    return withConversion(await subject.output.sync(), clock);
  },
  assess: (sync, limit: ChangeLimit): Assessment => {
    const expected = changeExpected('at most', limit);
    if (!sync.observed) return assessed(false, sync.reason, expected);
    const drift = `${driftText(sync)} from the first to the last of ${sync.measuredFragments} fragments`;
    const jumps = jumpsText(sync, 'segment');
    const seen = jumps === '' ? drift : `${drift}; ${jumps}`;
    if (driftsBeyond(sync, limit)) return { deviations: [{ text: drift }], seen, expected };
    if (Math.abs(sync.worstMs) >= OFFSET_LIMIT_MS) return { deviations: [], seen, expected };
    const wrong = jumpsBeyond(sync, limit.limitMs).map((jump): Deviation => ({
      text: jumpText(jump, 'segment'),
      fragment: jump.after,
    }));
    return { deviations: wrong, seen, expected, failure: 'the A/V offset jumps' };
  },
  explainedBy: [...UNHEARD, dubs].map((cause) => ({
    criterion: cause,
    fits: (sync: Finding<Sync>) => !sync.observed,
  })),
});

/**
 * Where the frame rate is converted, frames of the source are shown up to one frame early or late, and from one that is left out
 * to the next that becomes a line: an error of measurement.
 */
function withConversion(
  sync: Finding<Sync>,
  { conversion, framesPerSecond: own }: FrameClock,
): Finding<Sync> {
  if (!conversion || !sync.observed || sync.driftMs === 0) return sync;
  const frameMs = 1000 / Math.min(own, conversion.framesPerSecond);
  const ppmOfFrame = Math.abs(sync.ppm / sync.driftMs) * frameMs;
  return { ...sync, errorPpm: sync.errorPpm + ppmOfFrame };
}

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
