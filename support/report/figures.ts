import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { syncOf } from '../analyze/dub-placement';
import { type Finding, percentile } from '../analyze/finding';
import { tonesFigures } from '../analyze/tones';
import type { OffsetTrend } from '../analyze/trend';
import { isComplete } from '../broadcast/record';
import type { BroadcastFigures, FragmentFacts } from './facts';
import { type Attempt, observedIn, type OutputFacts } from './output-facts';

/** The numbers of a broadcast; those that were not measured or observed are undefined, or not finite. */
export async function figuresOf(
  broadcast: BroadcastFindings,
  fragments: readonly FragmentFacts[],
  output: OutputFacts | undefined,
  attempt: Attempt,
): Promise<BroadcastFigures> {
  const { record } = broadcast;
  const { times } = record;
  const started = times.published ?? Date.parse(record.startedAt);
  const secondsUntil = (at: number | undefined): number | undefined =>
    at === undefined ? undefined : (at - started) / 1000;
  const all = (key: NumberKey): number[] => fragments.flatMap((one) => one[key] ?? []);
  const trips = all('roundTripMs');
  const loudness =
    output &&
    (await attempt('loudness', async () => observedIn((await output.findings.audio()).loudness)));
  const endToEnd =
    output &&
    (await attempt('end to end', async () => observedIn(await broadcast.endToEndLatency())));
  return {
    fragmentsSent: fragments.length,
    fragmentsAnswered: trips.length,
    tookSeconds: isComplete(record) ? secondsUntil(times.outputEnded) : undefined,
    outputReadySeconds: secondsUntil(times.outputReady),
    endToEndSeconds: endToEnd?.seconds,
    lateAtEndSeconds:
      isComplete(record) && times.publisherEnded !== undefined && times.outputEnded !== undefined
        ? (times.outputEnded - times.publisherEnded) / 1000
        : undefined,
    answerP50Ms: valueOf(percentile(trips, 50)),
    answerP95Ms: valueOf(percentile(trips, 95)),
    answerMaxMs: Math.max(...trips),
    ...offsetsOf(output),
    leastCorrelation: Math.min(...all('correlation')),
    leastHeardShare: Math.min(...all('heardShare')),
    mostOriginal: Math.max(...all('originalCorrelation')),
    wordErrorRate: meanOf(all('wordErrorRate')),
    chrf: meanOf(all('chrf')),
    spokenErrorRate: meanOf(all('spokenErrorRate')),
    leastLanguageProbability: Math.min(...all('languageProbability')),
    loudnessLufs: loudness?.integratedLufs,
  };
}

type NumberKey =
  | 'roundTripMs'
  | 'correlation'
  | 'heardShare'
  | 'originalCorrelation'
  | 'wordErrorRate'
  | 'chrf'
  | 'spokenErrorRate'
  | 'languageProbability';

function offsetsOf(output: OutputFacts | undefined): Partial<BroadcastFigures> {
  const sync = output?.placements && syncOf(output.placements);
  if (sync?.observed) {
    return {
      ...{ offsetWorstMs: sync.worstMs, driftMs: sync.driftMs, jumpMs: largestJumpMs(sync) },
      ...{ offsetP50Ms: sync.p50AbsoluteMs, offsetP95Ms: sync.p95AbsoluteMs },
    };
  }
  const tones = output?.tones?.heard ?? [];
  const figures = tonesFigures(tones);
  if (!figures.observed) return {};
  const distances = tones.flatMap(({ avOffset }) =>
    avOffset.observed ? Math.abs(avOffset.offsetMs) : [],
  );
  return {
    ...{ offsetWorstMs: figures.worstMs, driftMs: figures.driftMs, jumpMs: largestJumpMs(figures) },
    offsetP50Ms: valueOf(percentile(distances, 50)),
    offsetP95Ms: valueOf(percentile(distances, 95)),
  };
}

function largestJumpMs({ jumps }: OffsetTrend): number {
  return jumps.reduce((most, { byMs }) => (Math.abs(byMs) > Math.abs(most) ? byMs : most), 0);
}

function valueOf(finding: Finding<{ value: number }>): number | undefined {
  return finding.observed ? finding.value : undefined;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
