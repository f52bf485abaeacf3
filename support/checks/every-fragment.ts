/** What is judged of every fragment of a broadcast: those that are there by themselves, and none may be missing. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import { isScriptKnown } from '../broadcast/fixture';
import type { Fragment } from '../broadcast/fragment';
import { evidenceOf, ofBroadcast } from './builders';
import { type Assessment, type Criterion, deviationAt, type Figure } from './criterion';
import { missingAnswers, missingFragments, UPSTREAM } from './upstream';

/** What is wrong with a fragment, in words; undefined where nothing is. */
type WrongWith<Limit> = (
  fragment: Fragment,
  limit: Limit,
  broadcast: BroadcastFindings,
) => string | undefined;

/** Whether fragments have to be answered to be judged, or only to be sent. */
type Judged = 'answered' | 'sent';

/** A criterion of every fragment of a broadcast. */
export function ofEveryFragment<Limit = null>(
  id: string,
  definition: {
    title: string;
    failure: string;
    expected: (limit: Limit) => string;
    wrongWith: WrongWith<Limit>;
    judged?: Judged;
    figure?: (fragments: readonly Fragment[], limit: Limit) => Figure;
  },
): Criterion<BroadcastFindings, BroadcastFindings, Limit> {
  const { expected, wrongWith, judged, figure, ...named } = definition;
  return ofBroadcast<Limit>(id, {
    ...{ ...named, next: evidenceOf, upstream: UPSTREAM },
    assess: (broadcast, limit) => ({
      ...assessEach(broadcast, expected(limit), (one) => wrongWith(one, limit, broadcast), judged),
      figure: figure?.(broadcast.fragments, limit),
    }),
  });
}

/**
 * Whether an answer without texts may be right: where nobody has written down what is said, nobody may have spoken there, unless
 * the STS has heard nobody at all.
 */
export function mayBeSilence({ fixture, fragments }: BroadcastFindings, one: Fragment): boolean {
  const hasText = ({ answer }: Fragment): boolean =>
    ((answer?.transcript ?? '') + (answer?.translation ?? '')).trim() !== '';
  return !isScriptKnown(fixture) && !hasText(one) && fragments.some(hasText);
}

/**
 * What is wrong with the fragments that are there comes first. What is missing deviates as well, as what holds for a part of
 * the broadcast says nothing about the rest; alone, it follows from the criterion that counts (support/checks/upstream.ts).
 */
export function assessEach(
  broadcast: BroadcastFindings,
  expected: string,
  wrongWith: (fragment: Fragment) => string | undefined,
  judged: Judged = 'answered',
): Assessment {
  const { fragments, fixture } = broadcast;
  const missing = judged === 'answered' ? missingAnswers(broadcast) : missingFragments(broadcast);
  const there = fragments.filter(({ answer }) => judged === 'sent' || answer);
  const wrong = there.flatMap((one) => {
    const why = wrongWith(one);
    return why === undefined ? [] : [deviationAt(one.segment, why)];
  });
  const more = fragments.length - fixture.script.length;
  const tooMany = more > 0 ? [{ text: `${more} more fragments than segments` }] : [];
  return {
    deviations: [...wrong, ...tooMany, ...missing],
    ...{ seen: `${there.length} fragments`, expected },
    ...(wrong.length === 0 ? { failure: 'not every segment of the broadcast was seen' } : {}),
  };
}
