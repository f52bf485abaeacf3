/** Whether dubs are heard at the speed at which the STS returned them. */
import type { FragmentPlacement } from '../analyze/dub-placement';
import type { OffsetTrend } from '../analyze/trend';
import { avDrift } from './av-drift';
import { type Assessment, deviationAt } from './criterion';
import { NO_DUB_IS_HEARD, noDubIsHeardBy } from './dub';
import { channels, isChannelLate } from './output-channels';
import { placementsOf } from './output-original';
import { outputCriterion } from './output-subject';

/** With which the speed of one dub is measured: at the same pitch it is made of pieces of some ms. */
const RESAMPLED_ERROR_PPM = 100;
const TEMPO_ERROR_PPM = 6000;

/** Exclusive. */
export interface DubSpeedLimit {
  /** How much faster or slower a dub may be than it is, or than it has to be to be as long as its fragment. */
  percent: number;
  /** How much faster or slower it may be made to be as long as its fragment. */
  fittedPercent: number;
}

export const dubSpeed = outputCriterion('dub-speed', {
  title: 'Every dub is heard at the speed at which the STS returned it',
  failure: 'dubs are heard faster or slower than the STS returned them',
  needs: 'dubs',
  /*
   * This suite's own. A worker that catches up with a clock changes the speed by up to 0.5 %, which nobody hears. A speed at which
   * the pitch has changed as well is measured to within 0.01 %, one at the same pitch to within 0.6 %, as that is made of pieces
   * of some ms; where the speed is the STS's, neither is found. 018-E2 has a dub of another length fitted up to 10 %.
   */
  defaultLimit: { percent: 0.7, fittedPercent: 10.5 },
  measure: placementsOf,
  assess: (placements, limit: DubSpeedLimit): Assessment => {
    const heard = heardOf(placements);
    return {
      deviations:
        heard.length === 0
          ? [NO_DUB_IS_HEARD]
          : wrongSpeeds(heard, limit).map(({ sequence, text }) =>
              deviationAt(sequence, `heard ${text}`),
            ),
      seen: [
        `${heard.length} dubs heard`,
        ...heard.flatMap(({ sequence, avOffset: one }) =>
          one.observed && one.speed !== 1 ? [`fragment ${sequence} ${speedText(one)}`] : [],
        ),
      ].join(', '),
      expected: `within ${limit.percent} %, or as long as their fragments`,
    };
  },
  explainedBy: [
    ...noDubIsHeardBy((all: readonly FragmentPlacement[]) => heardOf(all).length === 0),
    {
      // What is heard twice, from one channel after the other, is placed at either: its tempo cannot be told.
      criterion: channels,
      fits: async (placements, limit, subject) =>
        wrongSpeeds(placements, limit).every(({ hasOtherTempo }) => hasOtherTempo) &&
        (await isChannelLate(subject)),
    },
    {
      // Where the whole audio is as much faster, it is its clock.
      criterion: avDrift,
      fits: async (placements, limit, { output }) => {
        const sync = await output.sync();
        return sync.observed && isAllOfDrift(wrongSpeeds(placements, limit), sync);
      },
    },
  ],
});

function heardOf(placements: readonly FragmentPlacement[]): FragmentPlacement[] {
  return placements.filter(({ avOffset }) => avOffset.observed);
}

type Heard = { speed: number; hasOtherTempo?: true };

function wrongSpeeds(
  placements: readonly FragmentPlacement[],
  { percent, fittedPercent }: DubSpeedLimit,
): (Heard & { sequence: number; text: string })[] {
  return placements.flatMap(({ sequence, avOffset, fittingSpeed = 1 }) => {
    if (!avOffset.observed) return [];
    const isNear = (speed: number): boolean => percentOf(avOffset.speed / speed) < percent;
    const isFitted = isNear(fittingSpeed) && percentOf(avOffset.speed) < fittedPercent;
    if (isNear(1) || isFitted) return [];
    return [{ sequence, ...avOffset, text: speedText(avOffset) }];
  });
}

function percentOf(speed: number): number {
  return 100 * Math.abs(Math.max(speed, 1 / speed) - 1);
}

/** A change of speed by resampling changes the pitch with it. */
function speedText({ speed, hasOtherTempo }: Heard): string {
  const [how, pitch] = speed > 1 ? ['faster', 'higher'] : ['slower', 'lower'];
  const percent = Math.abs(100 * (speed - 1));
  return hasOtherTempo
    ? `about ${percent.toFixed(1)} % ${how} at the same pitch`
    : `${percent.toFixed(2)} % ${how} and ${pitch}`;
}

/**
 * Faster audio is early, and more so with each dub. The speed of resampled dubs is known to within 0.01 %, so each one has to be
 * that of the drift; a tempo at the same pitch to within 0.6 %, so their mean has to.
 */
function isAllOfDrift(wrong: readonly Heard[], { ppm, errorPpm }: OffsetTrend): boolean {
  const isDrift = (speed: number, knownToPpm: number): boolean =>
    Math.abs(1e6 * (1 / speed - 1) - ppm) <= errorPpm + knownToPpm;
  const tempos = wrong.filter(({ hasOtherTempo }) => hasOtherTempo);
  const mean = tempos.reduce((sum, { speed }) => sum + speed / tempos.length, 0);
  return wrong.every(({ speed, hasOtherTempo }) =>
    hasOtherTempo ? isDrift(mean, TEMPO_ERROR_PPM) : isDrift(speed, RESAMPLED_ERROR_PPM),
  );
}
