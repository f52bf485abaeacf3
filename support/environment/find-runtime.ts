import type { Variables } from '../interpolate';
import { engineMissing, findEngine } from './docker-engine';
import { DockerRuntime } from './docker-runtime';
import { HostRuntime } from './host-runtime';
import type { Runtime } from './runtime';
import type { SessionState } from './session-state';

/**
 * The runtime of this session: containers where a Docker engine with Compose answers, host processes otherwise.
 *
 * @param choice `auto`, or the one that it must be
 * @throws PrerequisiteMissing ('services') when it must be `docker` and no engine can be used
 */
export async function findRuntime(
  choice: 'auto' | 'docker' | 'host',
  variables: Variables,
  state: SessionState,
): Promise<Runtime> {
  if (choice === 'host') return new HostRuntime(state);
  const engine = await findEngine(variables);
  if (typeof engine !== 'string') return new DockerRuntime(engine, state);
  if (choice === 'docker') throw engineMissing(engine);
  return new HostRuntime(state);
}
