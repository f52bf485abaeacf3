/** Services that end while a broadcast is dubbed: of a worker that is a service itself, nothing else tells its exit code. */

/** A service as a process or container. */
export interface ServiceStatus {
  service: string;
  state: string;
  /** Of one that has ended; not there where nobody knows it. */
  exitCode?: number;
}

/** By service. */
export type ServiceExits = Record<string, number>;

/**
 * Looks which services are running.
 *
 * @returns looks again: the exit codes of those that have ended since. One that was started again has none any more
 */
export async function watchExits(
  states: () => Promise<readonly ServiceStatus[]>,
): Promise<() => Promise<ServiceExits>> {
  const before = await states();
  const wasRunning = new Set(
    before.filter(({ state }) => state === 'running').map(({ service }) => service),
  );
  return async () => {
    const ended = (await states()).filter(
      ({ service, state }) => state === 'exited' && wasRunning.has(service),
    );
    return Object.fromEntries(
      ended.flatMap(({ service, exitCode }) =>
        exitCode === undefined ? [] : [[service, exitCode] as const],
      ),
    );
  };
}
