import type { ComposeFile } from './compose-file';
import type { Variables } from './interpolate';

/** One composition: a compose file, the project it runs as, and the variables it is given. */
export interface Composition {
  name: 'media' | 'sts';
  /** Project name; unique among everything that runs on this host. */
  project: string;
  compose: ComposeFile;
  variables: Variables;
}

/** One service of a running composition. */
export interface ServiceState {
  service: string;
  state: 'running' | 'exited' | 'stopped';
  exitCode?: number;
}

/** Starts, inspects and stops compositions: as containers, or as processes of this host. */
export interface Runtime {
  readonly name: 'docker' | 'host';
  /** The name under which services reach programs of the test host. */
  readonly testHostForServices: string;

  /**
   * Starts services of a composition, in the order of `depends_on`, and waits until each is healthy.
   *
   * @param services all, when not given
   * @throws SuiteError naming the service, what it last logged and the limit, when one is not healthy in time
   */
  up(
    composition: Composition,
    options: { withinMs: number; services?: string[]; signal?: AbortSignal },
  ): Promise<void>;

  /** Stops all services of a composition and removes its volumes. Stopping what does not run is no error. */
  down(composition: Composition): Promise<void>;

  ps(composition: Composition): Promise<ServiceState[]>;

  /** The volumes of a composition that exist now. */
  volumes(composition: Composition): Promise<string[]>;

  /** Everything a service has written to its standard output and error. */
  logs(composition: Composition, service: string): Promise<string>;

  /** Stops one service (SIGTERM). */
  stop(composition: Composition, service: string): Promise<void>;

  /** The path under which a service sees a file of one of its volumes; `path` is the path in the container. */
  pathInService(composition: Composition, service: string, path: string): string;

  /** Copies a file or folder out of a service's volume; `path` is the path in the container. */
  copyOut(
    composition: Composition,
    service: string,
    path: string,
    destination: string,
  ): Promise<void>;
}
