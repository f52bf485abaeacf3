import type { Variables } from '../base/interpolate';
import type { ComposeFile } from './compose-file';

/** One composition: its compose files, the project it runs as, and the variables it is given. */
export interface Composition {
  name: 'media' | 'sts';
  /** Project name; unique among everything that runs on this host. */
  project: string;
  compose: ComposeFile;
  /** Which of its services are started; all where this is not given. */
  started?: readonly string[];
  variables: Variables;
  /** By service: an address that answers 200 when the service is healthy. */
  health: ReadonlyMap<string, string>;
}

/** How services are started. */
export interface UpOptions {
  withinMs: number;
  /** All, when not given. */
  services?: string[];
  /** False: what they say of themselves is not waited for. */
  untilHealthy?: boolean;
  /** They dub no broadcast whose times are judged: those that do get the processors first. */
  isAside?: boolean;
  /** Is told what a service that is waited for has answered last. */
  onSeen?: (seen: string) => void;
  signal?: AbortSignal;
}

/** One service of a running composition. */
export interface ServiceState {
  service: string;
  state: 'running' | 'paused' | 'exited' | 'created';
  /** When its process or container was started; milliseconds since the epoch. */
  startedAt: number;
  /** The digest of the image of its container. */
  image?: string;
  exitCode?: number;
}

/** An established TCP connection of a service; both ends are addresses as the service sees them. */
export interface Connection {
  localPort: number;
  remoteAddress: string;
  remotePort: number;
}

/** The networks that a service is attached to, as the engine calls them, with their IDs. */
export interface ServiceNetworks {
  service: string;
  networks: { name: string; id: string }[];
}

/** What can be done to one service of a running composition. `kill` is SIGKILL; `resume` ends a `pause`. */
export type Action = 'stop' | 'start' | 'kill' | 'pause' | 'resume';

/** Starts, inspects and stops compositions: as containers, or as processes of this host; or leaves those alone that run already. */
export interface Runtime {
  readonly name: 'docker' | 'host' | 'external';
  /** Where published ports are found, seen from this host: an IP address. */
  readonly servicesHost: string;
  /** The name under which services reach ports that other compositions publish. */
  readonly servicesHostForServices: string;
  /** How services reach programs of this host: by `name`, on the `address` that such a program must listen on. */
  readonly testHost: { name: string; address: string };
  /** Variables of the compose files that depend on the runtime. */
  readonly variables: Variables;

  /**
   * Reads and checks compose files; starts nothing.
   *
   * @throws PrerequisiteMissing ('compose-files') naming file, line and what is wrong
   */
  read(files: readonly string[], project: string, variables: Variables): Promise<ComposeFile>;

  /**
   * Starts services of a composition, in the order of `depends_on`, and waits until each is healthy.
   *
   * @throws SuiteError naming the service, what it last logged and the limit, when one is not healthy in time
   */
  up(composition: Composition, options: UpOptions): Promise<void>;

  /** Stops all services of a composition and removes its volumes. Stopping a composition that does not run is no error. */
  down(composition: Composition): Promise<void>;

  ps(composition: Composition): Promise<ServiceState[]>;

  /** Everything of a composition that exists now, running or not: services, networks, volumes. */
  leftovers(composition: Composition): Promise<string[]>;

  /** Everything that a service has written to its standard output and error, without colours. */
  logs(composition: Composition, service: string): Promise<string>;

  /**
   * Stops, starts, kills, pauses or resumes one service.
   *
   * @throws SuiteError when the composition has no such service running (or, to start it, stopped)
   */
  control(composition: Composition, service: string, action: Action): Promise<void>;

  /** The path under which a service sees a file of one of its volumes; `path` is the path in the container. */
  pathInService(composition: Composition, service: string, path: string): string;

  /** Copies a file or folder out of a service's volume; `path` is the path in the container. */
  copyOut(
    composition: Composition,
    service: string,
    path: string,
    destination: string,
  ): Promise<void>;

  /** The address that a host name has for a service; undefined when there is none. */
  addressOf(composition: Composition, service: string, name: string): Promise<string | undefined>;

  /** The TCP connections that a service has open. */
  connections(composition: Composition, service: string): Promise<Connection[]>;

  /** The networks that each service of a composition is attached to; undefined where services run without networks. */
  networks(composition: Composition): Promise<ServiceNetworks[] | undefined>;

  /** What listens on a TCP port of the host that services are published on; undefined when the port is free. */
  holderOf(port: number): Promise<string | undefined>;
}
