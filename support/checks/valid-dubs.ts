/** Whether what the STS has processed was processed: by each answer's content, without listening to it. */
import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { Fragment } from '../broadcast/fragment';
import { evidenceOf, streamOf } from './builders';
import { criterion } from './criterion';
import { lengthFlaw } from './dub-length';
import { assessEach, mayBeSilence } from './every-fragment';
import { SAME_AUDIO } from './output-original';
import { errorTextOf } from './quoted-errors';
import { UPSTREAM } from './upstream';

/** What an answer holds. */
interface Held {
  /** How long its dub is; or why that does not decode. */
  dub: { seconds: number } | { why: string };
  /** How unlike the original it is (Chromaprint); undefined where that cannot be told, as of silence. */
  bitErrorRate: number | undefined;
}

/** Everything that an answer needs to be a dub: of as much audio, as it also says, not the audio that was sent, and of words where there were. */
export const validDubs = criterion({
  id: 'valid-dubs',
  title: 'Every processed fragment holds a dub',
  failure: 'an answer holds no dub',
  ...{ where: streamOf, next: evidenceOf, upstream: UPSTREAM },
  measure: async (broadcast: BroadcastFindings): Promise<ReadonlyMap<Fragment, Held>> => {
    const found = new Map<Fragment, Held>();
    // One after the other: ten decoders at once need more memory than all else.
    for (const one of broadcast.fragments) {
      if (one.answer) found.set(one, await heldBy(broadcast, one));
    }
    return found;
  },
  assess: (found, { tolerancePercent }: { tolerancePercent: number }, broadcast) =>
    assessEach(
      broadcast,
      `a dub of each fragment's length ± ${tolerancePercent} %, no echo, and texts where somebody speaks`,
      (one) => {
        const held = found.get(one);
        const error = errorTextOf(one);
        if (error !== undefined) return `failed (${error})`;
        const isSpoken = isSpokenIn(broadcast, one);
        const wrong = [
          ...(held ? wrongWithDub(held, one, tolerancePercent, isSpoken) : []),
          ...(isSpoken ? missingTexts(one) : []),
        ];
        return wrong.length > 0 ? wrong.join(', ') : undefined;
      },
    ),
});

/** By the script, where somebody has written that down. */
function isSpokenIn(broadcast: BroadcastFindings, one: Fragment): boolean {
  return broadcast.fixture.script[one.segment] !== '' && !mayBeSilence(broadcast, one);
}

async function heldBy(broadcast: BroadcastFindings, one: Fragment): Promise<Held> {
  const levels = await broadcast.dubbedLevels(one);
  if (!levels.observed) return { dub: { why: levels.reason }, bitErrorRate: undefined };
  const match = await broadcast.dubbedAgainstOriginal(one);
  return {
    dub: { seconds: levels.durationSeconds },
    bitErrorRate: match.observed ? match.bitErrorRate : undefined,
  };
}

function wrongWithDub(
  { dub, bitErrorRate: rate = 1 }: Held,
  fragment: Fragment,
  tolerancePercent: number,
  isSpoken: boolean,
): string[] {
  if ('why' in dub) return [dub.why];
  const flaw = lengthFlaw(dub.seconds, fragment, tolerancePercent);
  return [
    ...(flaw === undefined ? [] : [`a dub of ${flaw}`]),
    ...(isSpoken && rate < SAME_AUDIO.below
      ? [`the audio that was sent, bit error rate ${rate.toFixed(2)}`]
      : []),
  ];
}

function missingTexts({ answer }: Fragment): string[] {
  return [
    ...(answer?.transcript.trim() ? [] : ['no transcript']),
    ...(answer?.translation.trim() ? [] : ['no translation']),
  ];
}
