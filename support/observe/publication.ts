/** How publishing ended. `exitCode` is null when the publisher was ended by a signal. */
export interface PublisherResult {
  exitCode: number | null;
  stderr: string;
}

/** A clip that is being published; `result` resolves when publishing has ended and never rejects. */
export interface Publication {
  url: string;
  result: Promise<PublisherResult>;
  stop(): void;
  /** Ends it as a crash does: the connection breaks without a TEARDOWN. */
  breakOff(): void;
}
