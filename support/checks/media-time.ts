import { CannotBeShown } from '../base/errors';
import type { Fragment } from '../broadcast/fragment';

/**
 * When the audio of a fragment begins in the stream, in ms.
 *
 * @throws CannotBeShown where its timestamp is the time of the clock, or there is none
 */
export function mediaTimeOf({ timestampMs, fragmentId }: Fragment): number {
  if (timestampMs !== undefined) return timestampMs;
  throw new CannotBeShown({
    what: 'fragments do not say where in the stream they begin',
    where: `fragment:data ${fragmentId}`,
    seen: 'no timestamp, or the time of the clock',
    expected: 'a timestamp of the media',
  });
}
