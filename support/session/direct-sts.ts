import { pcmToS16le, readAudio } from '../analyze/audio';
import { askSts, type StsAnswers } from '../observe/sts-client';
import type { Session } from './session';

const RATE_HZ = 44_100;
/** Of every spec. */
const FRAGMENT_SECONDS = 6;
const ANSWER_MS = 60_000;

/**
 * Sends the audio of the first segments of a fixture to the STS directly, as a worker would, all at once.
 *
 * @param name of a YAML file in fixtures/
 * @param listenOnMs how long answers are listened for after the last one
 */
export async function sendToSts(
  session: Session,
  name: string,
  count = 1,
  listenOnMs = 0,
): Promise<StsAnswers> {
  const { sts } = (await session.services()).settings.services;
  const samples = await readAudio(session.fixture(name).path, RATE_HZ);
  const length = FRAGMENT_SECONDS * RATE_HZ;
  const fragments = Array.from({ length: count }, (_, index) =>
    pcmToS16le(samples.slice(index * length, (index + 1) * length)),
  );
  return askSts({
    ...{ url: sts.url, stream: `test_direct_${Date.now()}`, rateHz: RATE_HZ },
    ...{ fragments, withinMs: ANSWER_MS, listenOnMs },
  });
}
