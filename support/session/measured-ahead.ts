import pLimit from 'p-limit';

import type { BroadcastFindings } from '../analyze/broadcast-findings';
import type { BroadcastRequest } from '../broadcast/request';
import { collectGarbage } from '../platform/memory';
import { type PlannedMeasurement, plannedMeasurements } from './plan';

/** What it takes to measure broadcasts ahead. */
export interface MeasuringHost {
  /** Settles when nothing is dubbed any more whose answers could be late. */
  quiet: () => Promise<void>;
  /** As Broadcasts.dub. */
  dub: (request: BroadcastRequest) => Promise<BroadcastFindings>;
  signal: AbortSignal;
}

/** Each takes memory. The scenario whose turn it is waits for one of them. */
const AT_ONCE = 2;

/**
 * Measures what takes long before it is the turn of the scenario that judges by it: listening takes a processor that the scenarios
 * before it leave. Once nothing is on the air any more, and in the order of the scenarios; what has been measured by then is not
 * measured again.
 */
export class MeasuredAhead {
  #begun: Promise<void> | undefined;

  constructor(
    private readonly host: MeasuringHost,
    private readonly planned: () => readonly PlannedMeasurement[] = plannedMeasurements,
  ) {}

  /** Begins what the run is going to need; once. Settles when all is measured, or the session is being closed. */
  begin(): Promise<void> {
    this.#begun ??= this.#measureAll();
    return this.#begun;
  }

  async #measureAll(): Promise<void> {
    const { host } = this;
    await host.quiet();
    const limit = pLimit(AT_ONCE);
    await limit.map(this.planned(), async (planned) => {
      if (host.signal.aborted) return;
      // What cannot be measured, or was not dubbed, is said by the scenario that asks for it.
      await this.#measure(planned).catch(() => undefined);
    });
  }

  async #measure({ request, criterion }: PlannedMeasurement): Promise<void> {
    const broadcast = await this.host.dub(request);
    try {
      await criterion.measure(broadcast);
    } finally {
      await broadcast.rest();
      collectGarbage();
    }
  }
}
