/** How publishing ended. `exitCode` is null when the publisher was ended by a signal. */
export interface PublisherResult {
  exitCode: number | null;
  stderr: string;
}

/** A clip that is being published; `result` resolves when publishing has ended and never rejects. */
export interface Publication {
  url: string;
  result: Promise<PublisherResult>;
  /** Lets the content begin, where it is kept back until then. */
  begin(): void;
  /** When the content began, where it was kept back; milliseconds since the epoch. */
  begunAt(): number | undefined;
  stop(): void;
  /** Ends it as a crash does: the connection breaks without a TEARDOWN. */
  breakOff(): void;
}
