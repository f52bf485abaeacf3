/** The dubs: as the STS returned them, and where each is heard in the output. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { FragmentPlacement } from '../analyze/dub-placement';
import type { Finding } from '../analyze/finding';
import type { MisplayedDub } from '../analyze/misplayed';
import type { Fragment } from '../broadcast/fragment';
import { NotObserved } from '../base/errors';
import { evidenceOf, streamOf } from './builders';
import { criterion, type Assessment, type Deviation, deviationAt } from './criterion';
import { lengthFlaw } from './dub-length';
import { assessEach } from './every-fragment';
import { audio } from './output-audio';
import { channels, isChannelLate } from './output-channels';
import { frames } from './output-frames';
import { isOriginalHeard, original, placementsOf } from './output-original';
import { outputCriterion } from './output-subject';
import { errorTextOf, withErrors } from './quoted-errors';
import { missingDubs, UPSTREAM } from './upstream';

/** `heardShare`: the least part of a dub's loud time that must be heard unaltered, 0 to 1. */
export interface DubsLimit {
  heardShare: number;
}

/** Where a dub is heard; `misplayed`: where it is heard at another speed, if it is heard nowhere else. */
type Placed = FragmentPlacement & { misplayed?: MisplayedDub };

/** Every dub is heard as often as its video is shown: once in a good output. */
export const dubs = outputCriterion('dubs', {
  title: 'Every dub is heard once, whole, with its own video',
  failure: 'dubs are missing, cut, repeated or heard with other video',
  needs: 'dubs',
  // This suite's own: wide of what a good output shows.
  defaultLimit: { heardShare: 0.85 },
  measure: async (subject): Promise<Placed[]> => {
    const [placements, found] = [await placementsOf(subject), await subject.output.misplayedDubs()];
    return placements.map((one) => {
      const misplayed = found.find(({ sequence }) => sequence === one.sequence);
      return misplayed ? { ...one, misplayed } : one;
    });
  },
  assess: (placements, limit: DubsLimit, subject): Assessment => ({
    deviations: [
      ...wrongDubs(placements, limit).map(({ placement, what }) =>
        deviationAt(placement.sequence, what),
      ),
      ...missingDubs(subject),
    ],
    seen: `${placements.length} dubs`,
    expected: 'each fragment',
    figure: {
      ...{ name: 'heard of each dub, the least', value: leastHeardPercent(placements), unit: '%' },
      ...{ limit: 100 * limit.heardShare, holds: 'at least' },
    },
  }),
  explainedBy: [
    { criterion: audio },
    {
      // Of channels that cancel each other out nothing is found in their mix, and of those of which one is late, a part.
      criterion: channels,
      fits: async (placements, limit, subject) => {
        const isLate = await isChannelLate(subject);
        return wrongDubs(placements, limit).every(
          ({ placement }) => !placement.misplayed && (isLate || !isHeardSomewhere(placement)),
        );
      },
    },
    {
      // Where the video is not shown, or the original is heard over the dub, those come first.
      criterion: frames,
      fits: (placements, limit) =>
        wrongDubs(placements, limit).every(({ placement }) => isExplained(placement)) &&
        placements.some((one) => timesShown(one) === 0),
    },
    {
      criterion: original,
      fits: (placements, limit) =>
        wrongDubs(placements, limit).every(
          ({ placement }) =>
            timesShown(placement) > 0 && isOriginalHeard(placement, original.defaultLimit),
        ),
    },
  ],
});

/** What deviates where dubs are compared as they are heard, and none is. */
export const NO_DUB_IS_HEARD: Deviation = { text: 'no dub is heard at its video' };

/** What explains it; causes first. */
export function noDubIsHeardBy<Measured>(isNone: (measured: Measured) => boolean) {
  return [audio, channels, original, frames, dubs].map((criterion) => ({
    criterion,
    fits: isNone,
  }));
}

/** 0 where one is not heard at its video. */
function leastHeardPercent(placements: readonly FragmentPlacement[]): number {
  const shares = placements.map(({ avOffset }) =>
    avOffset.observed ? 100 * avOffset.heardShare : 0,
  );
  return Math.min(...shares);
}

function isExplained(placement: FragmentPlacement): boolean {
  return timesShown(placement) === 0 || isOriginalHeard(placement, original.defaultLimit);
}

function isHeardSomewhere({ occurrences }: FragmentPlacement): boolean {
  return occurrences.observed && occurrences.occurrences.length > 0;
}

function timesShown({ presentations }: FragmentPlacement): number {
  return presentations.observed ? presentations.presentations.length : 0;
}

function wrongDubs(
  placements: readonly Placed[],
  limit: DubsLimit,
): { placement: Placed; what: string }[] {
  return placements.flatMap((placement) => {
    const what = whatIsWrong(placement, limit);
    return what === undefined ? [] : [{ placement, what }];
  });
}

/** What is wrong with where a dub is heard, in words. A fragment whose video is shown twice is heard twice. */
function whatIsWrong(placement: Placed, limit: DubsLimit): string | undefined {
  const { occurrences: found, misplayed } = placement;
  if (!found.observed) return found.reason;
  if (misplayed) return misplayedText(misplayed);
  const shown = timesShown(placement);
  if (shown === 0) return 'its video is not shown';
  const inPlace = found.occurrences.filter(({ offsetMs }) => offsetMs !== undefined);
  const elsewhere = found.occurrences.filter(({ offsetMs }) => offsetMs === undefined);
  const texts = [
    ...(inPlace.length < shown
      ? [`not heard at its video (best correlation ${found.bestScore.toFixed(2)})`]
      : []),
    ...elsewhere.map(({ ptsSeconds }) => `heard at other frames, at ${ptsSeconds.toFixed(2)} s`),
    ...inPlace
      .filter(({ heardShare }) => heardShare < limit.heardShare)
      .map(({ heardShare }) => `only ${(100 * heardShare).toFixed(0)} % of it are heard`),
  ];
  return texts.length > 0 ? texts.join(', ') : undefined;
}

function misplayedText({ speed, rateHz, playedAsHz }: MisplayedDub): string {
  const percent = Math.abs(100 * (speed - 1)).toFixed(1);
  const how = speed > 1 ? 'faster and higher' : 'slower and lower';
  const [from, to] = [rateHz, playedAsHz].map((hz) => `${hz / 1000} kHz`);
  return `audio of ${from} is played as if it were ${to}: ${percent} % ${how}`;
}

interface DubCriterion<Measured, Limit> {
  title: string;
  failure: string;
  /** What is measured of each dub, in words. */
  figure: string;
  measure: (broadcast: BroadcastFindings, fragment: Fragment) => Promise<Finding<Measured>>;
  expected: (limit: Limit) => string;
  /** In words; undefined where nothing is. */
  wrongWith: (measured: Measured, limit: Limit, fragment: Fragment) => string | undefined;
  seen?: (all: readonly Measured[]) => string;
}

/** The dubs of all fragments; one after the other, as ten decoders at once need more memory than all else. */
function ofEveryDub<Measured, Limit>(id: string, definition: DubCriterion<Measured, Limit>) {
  const { figure, measure, expected, wrongWith, seen, ...named } = definition;
  return criterion({
    ...{ id, ...named, where: streamOf, next: evidenceOf },
    upstream: UPSTREAM,
    measure: async (broadcast: BroadcastFindings): Promise<Found<Measured>> => {
      const found = new Map<Fragment, Finding<Measured>>();
      for (const one of broadcast.fragments) found.set(one, await measure(broadcast, one));
      if (measuredIn(found).length > 0) return found;
      throw noneOf(figure, broadcast, found);
    },
    assess: (found, limit: Limit, broadcast) => ({
      ...assessEach(broadcast, expected(limit), (fragment) => {
        const measured = found.get(fragment);
        if (!measured?.observed) return errorTextOf(fragment) ?? measured?.reason ?? 'not measured';
        return wrongWith(measured, limit, fragment);
      }),
      ...(seen ? { seen: seen(measuredIn(found)) } : {}),
    }),
  });
}

/** What was measured of each fragment. */
type Found<Measured> = ReadonlyMap<Fragment, Finding<Measured>>;

function measuredIn<Measured>(found: Found<Measured>): Measured[] {
  return [...found.values()].flatMap((one) => (one.observed ? [one] : []));
}

function noneOf<Measured>(
  figure: string,
  broadcast: BroadcastFindings,
  found: Found<Measured>,
): NotObserved {
  const reasons = [...found.values()].flatMap((one) => (one.observed ? [] : one.reason));
  return new NotObserved({
    ...{ what: `${figure} was not observed`, where: streamOf(broadcast), expected: figure },
    seen: withErrors([...new Set(reasons)].join('; ') || 'no fragment was sent', broadcast),
  });
}

const levels = {
  figure: 'dubbed audio',
  measure: (broadcast: BroadcastFindings, fragment: Fragment) => broadcast.dubbedLevels(fragment),
};

export const dubLength = ofEveryDub('dub-length', {
  title: 'Every dub is as long as its fragment, and as its answer says',
  failure: 'the dubbed audio has another length',
  ...levels,
  expected: ({ tolerancePercent }: { tolerancePercent: number }) => `within ${tolerancePercent} %`,
  wrongWith: ({ durationSeconds }, { tolerancePercent }, fragment) =>
    lengthFlaw(durationSeconds, fragment, tolerancePercent),
});

export const dubAudible = ofEveryDub('dub-audible', {
  title: 'Every dub is audible',
  failure: 'the dubbed audio is silent',
  ...levels,
  expected: ({ leastMs }: { leastMs: number }) => `at least ${leastMs / 1000} s of audible audio`,
  wrongWith: ({ nonSilentSeconds: seconds, peakDbfs }, { leastMs }) =>
    seconds * 1000 >= leastMs
      ? undefined
      : `${seconds.toFixed(2)} s of audible audio, peak ${peakDbfs.toFixed(1)} dBFS`,
});

/** Bit error rates against the original audio that was sent. */
const rates = {
  figure: 'a fingerprint',
  measure: (broadcast: BroadcastFindings, fragment: Fragment) =>
    broadcast.dubbedAgainstOriginal(fragment),
  seen: (all: readonly { bitErrorRate: number }[]) =>
    `bit error rates: ${all.map(({ bitErrorRate: rate }) => rate.toFixed(2)).join(', ')}`,
};

export const dubIsNotOriginal = ofEveryDub('dub-is-not-original', {
  title: 'No dub is the original audio',
  failure: 'the dubbed audio is the original',
  ...rates,
  expected: ({ above }: { above: number }) => `bit error rate above ${above}`,
  wrongWith: ({ bitErrorRate: rate }, { above }, { answer }) =>
    rate > above
      ? undefined
      : `bit error rate ${rate.toFixed(2)}, transcript "${answer?.transcript ?? ''}"`,
});

export const dubIsOriginal = ofEveryDub('dub-is-original', {
  title: 'Every dub is the original audio',
  failure: 'the dubbed audio is not the original',
  ...rates,
  expected: ({ below }: { below: number }) => `bit error rate below ${below}`,
  wrongWith: ({ bitErrorRate: rate }, { below }) =>
    rate < below ? undefined : `bit error rate ${rate.toFixed(2)}`,
});
