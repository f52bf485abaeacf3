import type { Fragment } from '../broadcast/fragment';
import type { FragmentFacts, Stage } from './facts';

/** What of a broadcast tells how long stages took; undefined: not observed. */
export interface StageClock {
  /** A moment in ms since the epoch as seconds of the broadcast. */
  secondsAt: (ms: number) => number;
  /** When media-service began to read the broadcast; ms since the epoch. */
  ingestedAt: number | undefined;
  /** When the output's PTS 0 was there, in seconds of the broadcast. */
  ptsZeroAtSeconds: number | undefined;
  /** The length of a fragment that does not say its own. */
  segmentSeconds: number;
}

/**
 * The stages of one fragment after the other. An output has to wait for an answer that comes after the moment at which it
 * should be played, and is as much later from then on: it goes on at the speed of the broadcast.
 */
export function stagesInOrder(
  clock: StageClock,
): (
  fragment: Fragment,
  heard: Pick<FragmentFacts, 'shownAtPts' | 'isHeard'>,
) => FragmentFacts['stages'] {
  let lateSeconds = 0;
  return (fragment, { shownAtPts, isHeard }) => {
    const { secondsAt, ptsZeroAtSeconds } = clock;
    const { endedAt } = fragment;
    const isAnswered = fragment.end === 'answered' && fragment.answer?.audio !== undefined;
    const ended = endedAt === undefined ? undefined : secondsAt(endedAt);
    const stages = stagesOfWait(fragment, clock);
    if (ptsZeroAtSeconds !== undefined && shownAtPts !== undefined) {
      const onTime = ptsZeroAtSeconds + shownAtPts;
      lateSeconds = Math.max(lateSeconds, (ended ?? onTime) - onTime);
      const from = onTime + lateSeconds;
      if (isAnswered && ended !== undefined) stages.push(['returned', ended, from]);
      const shown = isHeard === undefined ? 'unmeasured' : isHeard ? 'played' : 'unheard';
      stages.push([shown, from, from + secondsOf(fragment, clock)]);
    }
    // Times are kept to the millisecond.
    return stages
      .filter(([, from, to]) => to - from >= 0.0005)
      .map(([stage, fromSeconds, toSeconds]) => ({ stage, fromSeconds, toSeconds }));
  };
}

function stagesOfWait(fragment: Fragment, clock: StageClock): [Stage, number, number][] {
  const { secondsAt, ingestedAt } = clock;
  const { answer, sentAt, endedAt, timestampMs } = fragment;
  const sent = secondsAt(sentAt);
  const stages: [Stage, number, number][] = [];
  if (timestampMs !== undefined && ingestedAt !== undefined) {
    // Its audio cannot be complete before: the broadcast is published at its own speed.
    const complete = secondsAt(ingestedAt + timestampMs) + secondsOf(fragment, clock);
    stages.push(['waiting', complete, sent]);
  }
  // The STS works on, whether anybody waits for it or not.
  const doneAt = answer?.at ?? endedAt;
  if (doneAt === undefined) return stages;
  const ended = secondsAt(doneAt);
  const { asr = 0, translation = 0, tts = 0 } = answer?.timingsMs ?? {};
  const from = (...stagesMs: number[]): number =>
    Math.max(sent, ended - stagesMs.reduce((sum, ms) => sum + ms, 0) / 1000);
  const [asrFrom, translationFrom, ttsFrom] = [
    from(asr, translation, tts),
    from(translation, tts),
    from(tts),
  ];
  stages.push(
    ['queued', sent, asrFrom],
    ['asr', asrFrom, translationFrom],
    ['translation', translationFrom, ttsFrom],
    ['tts', ttsFrom, ended],
  );
  return stages;
}

function secondsOf({ audio }: Fragment, { segmentSeconds }: StageClock): number {
  return audio?.durationMs === undefined ? segmentSeconds : audio.durationMs / 1000;
}
