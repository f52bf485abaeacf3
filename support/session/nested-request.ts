/** A run of the suite inside of a scenario, in whose settings something is wrong. */
export interface NestedRequest {
  /** `port taken`: another program listens on it; `compose file`: that of the STS has a fault. */
  wrong: 'no broadcast' | 'no counting broadcast' | 'port taken' | 'compose file';
  /** The service whose port is taken, or the fault of the compose file; empty for the others. */
  of: string;
}
