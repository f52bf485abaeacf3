/** One process. */
export interface ProcessInfo {
  pid: number;
  parent: number;
  /** Id of its process group. */
  group: number;
  /** Digits that distinguish it from a later process of the same id: clock ticks since boot, or seconds since the epoch. */
  startTime: string;
  /** Its arguments, with blanks between them; at most 200 characters. */
  command: string;
}

/** One end of an established TCP connection; addresses as the process sees them. */
export interface TcpConnection {
  localPort: number;
  remoteAddress: string;
  remotePort: number;
}

/** What an operating system tells of processes and sockets. What this user may not see is not there. */
export interface SystemView {
  /** How much later it should be asked again at the earliest: where it takes programs, this process waits for them. */
  askAgainMs: number;
  /** When a process has started that was started this very moment, as `ProcessInfo` has it, as far as that is known without a program. */
  startTimeOfNew(pid: number): string | undefined;
  /** Processes that run, all or those of these ids; not those that have ended and whose parent has not yet waited for them. */
  processes(ids?: readonly number[]): ProcessInfo[];
  /** Processes that were started with this variable in their environment, and its value. */
  startedWith(variable: string): { process: ProcessInfo; value: string }[];
  /** Bytes of memory; 0 of a process that is gone. */
  residentBytes(pid: number): number;
  openDescriptors(pid: number): number;
  listeningPorts(): number[];
  /** The id of the process that listens on a port. */
  listenerOn(port: number): number | undefined;
  /** The established connections of processes. */
  connectionsOf(ids: readonly number[]): TcpConnection[];
  /**
   * Processor time, in seconds, of all that this process has started and that has ended, with what that had started; undefined where
   * the system does not tell.
   */
  secondsOfChildren(): number | undefined;
  /** Changes with every boot, after which a process id means another process. */
  bootId(): string;
  /** In another namespace, as in a container, a process id means another process. */
  pidNamespace(): string;
}
