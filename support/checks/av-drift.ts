/** Whether audio and video drift apart, as heard. */
import type { FragmentPlacement, Sync } from '../analyze/dub-placement';
import type { Finding } from '../analyze/finding';
import { frameRateOf } from '../analyze/frame-rate';
import type { FrameClock } from '../analyze/frame-clock';
import type { VideoTrack } from '../analyze/video';
import { isSameRate } from '../base/frame-rates';
import { assessed, type Assessment, type Deviation, type Figure } from './criterion';
import { dubs } from './dub';
import { demandTimes } from './lost-by-reader';
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
import { audio } from './output-audio';
import { clockOf } from './output-clock';
import { frames } from './output-frames';
import { original, placementsOf } from './output-original';
import { outputCriterion } from './output-subject';

/** What explains that no dub is heard at its video, so that nothing can be compared there; causes first. */
export const UNHEARD = [audio, original, frames];

/** Each way less than 120 ms: specs 019 and 021. */
export const OFFSET_LIMIT_MS = 120;

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
    const placements = await placementsOf(subject);
    const { frames: shown } = await subject.output.video();
    const apartMs = shownApartMs(clock, higherRate(shown, clock));
    return withError(await subject.output.sync(), Math.max(apartMs, placedApartMs(placements)));
  },
  assess: (sync, limit: ChangeLimit): Assessment => {
    const expected = changeExpected('at most', limit);
    if (!sync.observed) return assessed(false, sync.reason, expected);
    const figure: Figure = {
      ...{ name: 'A/V drift', value: Math.abs(sync.driftMs), unit: 'ms' },
      ...{ limit: limit.limitMs, holds: 'at most' },
    };
    const drift = `${driftText(sync)} from the first to the last of ${sync.measuredFragments} fragments`;
    const jumps = jumpsText(sync, 'segment');
    const seen = jumps === '' ? drift : `${drift}; ${jumps}`;
    if (driftsBeyond(sync, limit)) return { deviations: [{ text: drift }], seen, expected, figure };
    if (Math.abs(sync.worstMs) >= OFFSET_LIMIT_MS) {
      return { deviations: [], seen, expected, figure };
    }
    const wrong = jumpsBeyond(sync, limit.limitMs).map((jump): Deviation => ({
      text: jumpText(jump, 'segment'),
      fragment: jump.after,
    }));
    return { deviations: wrong, seen, expected, figure, failure: 'the A/V offset jumps' };
  },
  explainedBy: [...UNHEARD, dubs].map((cause) => ({
    criterion: cause,
    fits: (sync: Finding<Sync>) => !sync.observed,
  })),
});

/** Below it, a rate is not told from that of a clock that goes wrong, which shows each frame once as well. */
const LEAST_HIGHER = 1.02;

/** The output's rate, where it is higher than the source's because frames are shown more than once, and no multiple of it. */
export function higherRate(
  shown: VideoTrack['frames'],
  { framesPerSecond: own, runs }: FrameClock,
): number | undefined {
  const rate = frameRateOf(shown.map(({ ptsSeconds }) => ptsSeconds)) ?? own;
  const once = runs.reduce((sum, { frames: all }) => sum + all.length, 0);
  const isRepeated = Math.abs((once * rate) / own - shown.length) <= 0.02 * shown.length;
  if (rate < LEAST_HIGHER * own || !isRepeated) return undefined;
  return isSameRate(rate, Math.round(rate / own) * own) ? undefined : rate;
}

/**
 * Where the frame rate is converted, frames of the source are shown up to one frame early or late, and from one that is left out,
 * or shown once more, to the next that becomes a line. At a multiple of the source's rate, each is shown when it should be.
 */
function shownApartMs(
  { conversion, framesPerSecond: own }: FrameClock,
  higher: number | undefined,
): number {
  const rate = conversion ? Math.min(own, conversion.framesPerSecond) : higher;
  return rate === undefined ? 0 : 1000 / rate;
}

/** What is heard at another tempo is placed to within 8 ms (findAtOtherTempo), which may be a line as well. */
function placedApartMs(placements: readonly FragmentPlacement[]): number {
  const isOther = placements.some(({ avOffset }) => avOffset.observed && avOffset.hasOtherTempo);
  return isOther ? 8 : 0;
}

/** With an error of measurement of so many ms from the first to the last. */
function withError(sync: Finding<Sync>, errorMs: number): Finding<Sync> {
  if (errorMs === 0 || !sync.observed || sync.driftMs === 0) return sync;
  return { ...sync, errorPpm: sync.errorPpm + Math.abs(sync.ppm / sync.driftMs) * errorMs };
}
