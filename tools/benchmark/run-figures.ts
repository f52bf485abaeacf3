/** What a run took, as ratios to what it cannot take less than. */
import { median } from '../../support/base/median';
import { type Evidence, readEvidence, recordedBroadcasts } from '../../support/broadcast/evidence';
import type { BroadcastRecord } from '../../support/broadcast/record';
import { isUndisturbed } from '../../support/broadcast/request';
import { factsAlone, readPart } from '../../support/report/run-report';
import type { BenchmarkFigure as Figure } from '../../support/report/benchmark-file';
import { longestWait } from './figure';

/** @param results folder of a run */
export function runFigures(results: string, evidence: string): Figure[] {
  const all = [...recordedBroadcasts(evidence).values()].map((folder) => readEvidence(folder));
  return figuresOfRun(all, factsAlone(readPart(results)).seconds);
}

/**
 * The floor of a run is its longest broadcast, which has prescribed pauses in it: all others can be on the air at the same time.
 *
 * @param seconds of the whole run; undefined where it has no end
 */
export function figuresOfRun(
  all: readonly Pick<Evidence, 'record' | 'fragments'>[],
  seconds: number | undefined,
): Figure[] {
  const records = all.map(({ record }) => record);
  // Of those that ended; nothing where none has.
  const longest = records
    .map(onTheAir)
    .filter(Number.isFinite)
    .sort((a, b) => b - a)
    .slice(0, 1);
  const busy = records.flatMap(({ busyShare }) => busyShare ?? []);
  const atOnce = Math.max(0, ...records.map(({ alongside }) => alongside?.length ?? 0)) + 1;
  const ratio = (name: string, value: number): Figure => ({ name, value, unit: '' });
  // Nothing is said of what was not seen.
  const middle = (name: string, values: readonly number[]): Figure[] =>
    values.length === 0 ? [] : [ratio(name, median(values))];
  return [
    ...(seconds === undefined
      ? []
      : longest.map((floor) => ratio('run / its longest broadcast', seconds / floor))),
    ...longest.map((value): Figure => {
      return { name: 'its longest broadcast, from publishing to its end', value, unit: 's' };
    }),
    ...middle('answer of the STS / its fragment, median', all.flatMap(answers)),
    ratio('broadcasts beside one another, at most', atOnce),
    ...middle('part of the processors that was busy, median of broadcasts', busy),
    {
      name: 'the longest that the suite was kept waiting',
      value: longestWait(records),
      unit: 'ms',
    },
  ];
}

/** Of fragments that the STS itself has answered, with nothing going wrong: how long it took, in lengths of the fragment. */
function answers(evidence: Pick<Evidence, 'record' | 'fragments'>): number[] {
  const { request, segmentSeconds, monitor } = evidence.record;
  const isOfSts = request.composition === 'dual' && monitor === 'tap';
  if (!isOfSts || !isUndisturbed(request)) return [];
  // Of others, reading what was said fails.
  return evidence.fragments.fragments.flatMap(({ roundTripMs }) =>
    roundTripMs === undefined ? [] : roundTripMs / 1000 / segmentSeconds,
  );
}

function onTheAir({ times }: BroadcastRecord): number {
  return ((times.outputEnded ?? NaN) - (times.published ?? NaN)) / 1000;
}
