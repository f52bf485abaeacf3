import type { Variables } from '../base/interpolate';
import { engineMissing, findEngine } from './docker-engine';
import { DockerRuntime } from './docker-runtime';
import { ExternalRuntime } from './external-runtime';
import { HostRuntime } from './host-runtime';
import type { Runtime } from './runtime';
import type { SessionState } from './session-state';

/**
 * The runtime of this session: containers where a Docker engine with Compose answers, host processes otherwise; nothing is
 * started where the services run already.
 *
 * @param choice `auto`, or the one that is forced
 * @returns the runtime, and why it was chosen, as text
 * @throws PrerequisiteMissing ('services') when it must be `docker` and no engine can be used
 */
export async function findRuntime(
  choice: 'auto' | Runtime['name'],
  variables: Variables,
  state: SessionState,
): Promise<{ runtime: Runtime; why: string }> {
  if (choice === 'host')
    return { runtime: new HostRuntime(state), why: 'host processes (RUNTIME)' };
  if (choice === 'external') {
    const runtime = new ExternalRuntime(variables);
    return { runtime, why: 'external services, which are left as they are (RUNTIME)' };
  }
  const engine = await findEngine(variables, state);
  if (typeof engine !== 'string') {
    const why = `containers, engine at ${engine.endpoint}`;
    return { runtime: new DockerRuntime(engine, state), why };
  }
  if (choice === 'docker') throw engineMissing(engine);
  return { runtime: new HostRuntime(state), why: `host processes (${engine.split('\n')[0]})` };
}
