import { ResilienceFindings } from '../support/analyze/resilience-findings';
import type { BroadcastFindings } from '../support/analyze/broadcast-findings';
import type { DubbingWorld } from '../support/world';

/** What media-service does at once takes it some milliseconds, more on a busy machine. */
export const AT_ONCE_MS = 1000;

/** What the evidence of the scenario's broadcast says of an STS that misbehaves. */
export async function findingsOf(
  world: DubbingWorld,
  run: BroadcastFindings = world.broadcast.value,
): Promise<ResilienceFindings> {
  const { services, metrics } = await world.session.settings();
  return new ResilienceFindings(run, services.mediaService.name, metrics);
}
