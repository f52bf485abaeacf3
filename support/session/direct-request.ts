/** What is sent to the STS directly, as a worker would, all at once. */
export interface DirectRequest {
  /** Name of a YAML file in fixtures/. */
  fixture: string;
  /** How many of its segments, from the first one on; 1 where it is not given. */
  count?: number;
  /** How long answers are listened for after the last one. */
  listenOnMs?: number;
}
