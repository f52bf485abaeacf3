/** What a recording may lack because a reader has made it, in place of the media server. */
import { CannotBeShown } from '../base/errors';
import type { OutputSubject } from './output-subject';

/** How much of its beginning a recording may lack by that, in seconds; nothing where the media server has made it. */
export async function lostByReader({
  mayLackSeconds,
  output,
}: OutputSubject): Promise<{ lostSeconds?: number }> {
  if (mayLackSeconds === undefined) return {};
  const { video } = await output.span();
  // A reader gets the video from the next key frame on.
  const gop = video.observed && video.keyInterval.observed ? video.keyInterval.maxSeconds : 0;
  return { lostSeconds: mayLackSeconds + gop };
}

/** What lacks no more than that may be no fault of the system, and nothing shows that it is none. */
export function mayBeLost(seen: string, lostSeconds: number, expected: string): CannotBeShown {
  return new CannotBeShown({
    what: 'the recording may lack what is missing: a reader has made it',
    ...{ where: 'the recording of the output', expected },
    seen: `${seen}; the reader may have lost ${lostSeconds.toFixed(2)} s`,
    next: 'let the media server record the output (docs/your-own-services.md, Services that are running already)',
  });
}

/** @throws CannotBeShown where nobody knows how the times of video and audio in the recording belong together */
export function demandTimes({ areTimesKnown = true }: OutputSubject): void {
  if (areTimesKnown) return;
  throw new CannotBeShown({
    what: 'how the times of video and audio belong together is not known: a reader has made the recording',
    where: 'the recording of the output',
    seen: 'the media server has not sent the reader an RTCP sender report of each track within 15 s, or before the output ended',
    expected: 'a sender report of each track (RFC 3550, 6.4.1)',
    next: 'let the media server record the output (docs/your-own-services.md, Services that are running already)',
  });
}
