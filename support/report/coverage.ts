/** How many segments of a broadcast viewers hear dubbed, of all that they should. */
import { bySegments, ranges } from '../analyze/finding';
import type { Fixture } from '../broadcast/fixture';
import type { Coverage, FragmentFacts, UnsentFacts, VerdictFacts } from './facts';
import { firstDeviationAt } from './verdict-facts';

/** What is known of a broadcast's segments. */
interface SegmentsKnown {
  fragments: readonly FragmentFacts[];
  unsent: readonly UnsentFacts[];
  verdicts: readonly VerdictFacts[];
  /** Whether what media-service and the STS say to each other was heard. */
  isHeard: boolean;
}

export function coverageOf(fixture: Fixture, known: SegmentsKnown): Coverage {
  const { script, audio } = fixture;
  const all = audio === null ? [] : script.map((_, segment) => segment);
  const spoken = all.filter((segment) => script[segment] !== '');
  const wanted = new Set(spoken.length > 0 ? spoken : all);
  const fragments = known.fragments.filter(({ segment }) => wanted.has(segment));
  const count = (fits: (fragment: FragmentFacts) => boolean): number =>
    new Set(fragments.filter(fits).map(({ segment }) => segment)).size;
  // Of a fragment that was never dubbed, no dub can be heard.
  const isMeasured =
    fragments.some(({ isHeard }) => isHeard !== undefined) ||
    fragments.every(({ withoutDub }) => withoutDub !== undefined);
  const lost = new Map<string, Set<number>>();
  const lose = (segment: number, why: string): void => {
    if (wanted.has(segment)) lost.set(why, (lost.get(why) ?? new Set()).add(segment));
  };
  for (const { segment, why } of known.unsent) lose(segment, `not sent (${why})`);
  const isVideoKnown = fragments.some(({ shownAtPts }) => shownAtPts !== undefined);
  for (const { segment, state, isHeard, withoutDub, shownAtPts } of fragments) {
    if (isHeard !== true && withoutDub !== undefined) lose(segment, withoutDub);
    else if (state === 'unheard' && isVideoKnown && shownAtPts === undefined) {
      lose(segment, 'neither its video nor its dub is in the output');
    } else if (state === 'unheard') lose(segment, 'the dub is not heard');
    else if (state === 'wrong') lose(segment, firstDeviationAt(segment, known.verdicts));
  }
  return {
    segments: wanted.size,
    heard: known.isHeard && isMeasured ? count(({ state }) => state === 'heard') : undefined,
    audible: known.isHeard && isMeasured ? count(({ isHeard }) => isHeard === true) : undefined,
    dubbed: known.isHeard ? count(({ withoutDub }) => withoutDub === undefined) : undefined,
    lost: [...lost]
      .map(([why, segments]) => ({ why, segments: [...segments].sort((a, b) => a - b) }))
      .sort((a, b) => (a.segments[0] ?? 0) - (b.segments[0] ?? 0))
      .map((one) => ({
        ...one,
        fromSeconds: beginsInSource(one.segments[0] ?? 0, known.fragments, fixture.segmentSeconds),
      })),
  };
}

/**
 * Where a segment begins in the source, in seconds: as measured, or by the nearest one that was. media-service counts segments
 * from where it has joined, which may be later than the source's beginning.
 */
export function beginsInSource(
  segment: number,
  fragments: readonly FragmentFacts[],
  segmentSeconds: number,
): number {
  const measured = fragments.flatMap(({ segment: of, sourceSeconds: at }) =>
    at === undefined ? [] : [{ segment: of, at }],
  );
  return bySegments(measured, segment, segmentSeconds) ?? segment * segmentSeconds;
}

/** `5 of 10`; where nobody has measured what is heard, how many were dubbed: `5 of 10 answered`. */
export function coverageText({ segments, heard, dubbed }: Coverage): string {
  if (segments === 0) return '–';
  if (heard !== undefined) return `${heard} of ${segments}`;
  return dubbed === undefined ? `– of ${segments}` : `${dubbed} of ${segments} answered`;
}

/** `segments 5 to 9, from second 30 of the clip: not sent (the breaker was open)`, a line for each reason. */
export function lostTexts({ lost }: Pick<Coverage, 'lost'>): string[] {
  return lost.map(({ why, segments, fromSeconds }) => {
    const shown = `segment${segments.length === 1 ? '' : 's'} ${ranges(segments)}`;
    const from =
      fromSeconds === undefined ? '' : `, from second ${Math.round(fromSeconds)} of the clip`;
    return `${shown}${from}: ${why}`;
  });
}
