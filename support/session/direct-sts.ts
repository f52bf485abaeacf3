import { pcmToS16le, readAudio } from '../analyze/audio';
import { busyShareFromNow } from '../base/processors';
import type { Fixture } from '../broadcast/fixture';
import type { Config } from '../config';
import { askSts, type StsAnswers, type StsConversation } from '../observe/sts-client';
import { BegunAhead } from './begun-ahead';
import type { DirectRequest } from './direct-request';
import { loadOfDirect } from './loads';
import { plannedDirect } from './plan';
import type { Schedule } from './schedule';
import type { Services } from './services';

const RATE_HZ = 44_100;
/** Of every spec. */
const FRAGMENT_SECONDS = 6;
const ANSWER_MS = 60_000;
/** An answer that is sent twice follows itself at once. */
const REPEATED_MS = 500;

/** With which part of the time of all processors was taken meanwhile, 0 to 1; undefined where the system does not tell. */
export interface DirectAnswers extends StsAnswers {
  busyShare: number | undefined;
}

/** What it takes to send something to the STS directly. */
export interface DirectHost {
  config: Config;
  /** Started on first use. */
  services: () => Promise<Services>;
  fixture: (name: string) => Fixture;
  schedule: Schedule;
}

/**
 * All that a run sends to the STS directly: an equal request is sent once, and what the run is going to need follows its broadcasts.
 * While one of these is dubbed, the STS would be late with both.
 */
export class DirectRequests {
  readonly #made: BegunAhead<DirectRequest, DirectAnswers>;

  constructor(
    host: DirectHost,
    send: (...about: Parameters<typeof sendSpeech>) => Promise<StsAnswers> = sendSpeech,
  ) {
    this.#made = new BegunAhead(JSON.stringify, plannedDirect, (request) =>
      host.schedule.take(
        loadOfDirect(host.config),
        host.services(),
        async ({ settings: { services } }, { onIngested }) => {
          onIngested();
          const busyShare = busyShareFromNow();
          const { fixture, count, listenOnMs } = request;
          const clip = host.fixture(fixture);
          const answers = await send(services.sts.url, clip, count, listenOnMs);
          return { ...answers, busyShare: busyShare() };
        },
      ),
    );
  }

  /** Begins what the run is going to ask for. */
  begin(): void {
    this.#made.begin();
  }

  /** When no answer is waited for of what has begun. */
  answered(): Promise<void> {
    return this.#made.settled();
  }

  /** @throws PrerequisiteMissing where the services cannot be started; as {@link sendSpeech} */
  of(request: DirectRequest): Promise<DirectAnswers> {
    return this.#made.of(request);
  }
}

/** Sends the first segments of a fixture to an STS at an address, http://…, all at once. Throws as `askSts`. */
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
