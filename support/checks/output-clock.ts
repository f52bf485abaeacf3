/** When the frames of the source are shown in an output, for criteria that need to know. */
import type { FrameClock } from '../analyze/frame-clock';
import { CannotBeShown } from '../base/errors';
import { observed } from './builders';
import { type OutputSubject, recordingOf } from './output-subject';

/**
 * @throws CannotBeShown where nothing moves in the source, so that its frames cannot be told apart
 * @throws NotObserved where there is no clock for another reason: no frame of the output is one of the source
 */
export async function clockOf(subject: OutputSubject): Promise<FrameClock> {
  const { output, fixture } = subject;
  const clock = await output.clock();
  const matched = clock.observed || fixture?.video.frameStrip ? undefined : await output.matched();
  if (!clock.observed && matched?.observed && matched.isStatic) {
    throw new CannotBeShown({
      what: 'nothing tells when which frame of the source is shown',
      where: recordingOf(subject),
      seen: clock.reason,
      expected: 'frames with a number, or something that moves',
      next: 'put numbers into the frames of the clip: npm run fixtures -- stamp CLIP',
    });
  }
  return observed(recordingOf(subject), 'when frames are shown', clock);
}
