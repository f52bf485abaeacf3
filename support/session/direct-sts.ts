import { pcmToS16le, readAudio } from '../analyze/audio';
import type { Fixture } from '../broadcast/fixture';
import { askSts, type StsAnswers, type StsConversation } from '../observe/sts-client';
import type { Session } from './session';

const RATE_HZ = 44_100;
/** Of every spec. */
const FRAGMENT_SECONDS = 6;
const ANSWER_MS = 60_000;
/** An answer that is sent twice follows itself at once. */
const REPEATED_MS = 500;

/**
 * Sends the audio of the first segments of a fixture to the STS directly, as a worker would, all at once.
 *
 * @param name of a YAML file in fixtures/
 * @param listenOnMs how long answers are listened for after the last one
 */
export async function sendToSts(
  session: Session,
  name: string,
  count?: number,
  listenOnMs?: number,
): Promise<StsAnswers> {
  const { sts } = (await session.services()).settings.services;
  return sendSpeech(sts.url, session.fixture(name), count, listenOnMs);
}

/** The same of an STS at an address, http://… */
export async function sendSpeech(
  url: string,
  { path }: Fixture,
  count = 1,
  listenOnMs = REPEATED_MS,
): Promise<StsConversation> {
  const samples = await readAudio(path, RATE_HZ);
  const length = FRAGMENT_SECONDS * RATE_HZ;
  const fragments = Array.from({ length: count }, (_, index) =>
    pcmToS16le(samples.slice(index * length, (index + 1) * length)),
  );
  return askSts({
    ...{ url, stream: `test_direct_${Date.now()}`, rateHz: RATE_HZ },
    ...{ fragments, withinMs: ANSWER_MS, listenOnMs },
  });
}
