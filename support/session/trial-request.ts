/** What a trial is for: one composition, started alone with other values of its variables than usual. */

/** What is asked of it once it is healthy. */
export type Asked =
  /** Nothing; it is watched for some seconds, whatever its health. */
  | { kind: 'nothing'; forMs: number }
  /** Somebody who says "Hello world" is dubbed by the STS; so many at once. */
  | { kind: 'words'; atOnce: number }
  /** So many seconds of speech are dubbed by the STS as one fragment. */
  | { kind: 'long fragment'; seconds: number }
  /** Something is published to the media composition. */
  | { kind: 'broadcast' };

export interface TrialRequest {
  composition: 'media' | 'sts';
  variables: Readonly<Record<string, string>>;
  /** The values that the trial is about. */
  values: readonly string[];
  asked: Asked;
}

/** What is to be dubbed in trials: the usual question. */
export const HELLO: Asked = { kind: 'words', atOnce: 1 };
export const BROADCAST: Asked = { kind: 'broadcast' };
export const watched = (forMs: number): Asked => ({ kind: 'nothing', forMs });
export const fragments = (atOnce: number): Asked => ({ kind: 'words', atOnce });
export const longFragment = (ms: number): Asked => ({
  kind: 'long fragment',
  seconds: ms / 1000,
});

/** Equal for requests that one trial answers. */
export function keyOf({ composition, variables, asked }: TrialRequest): string {
  const sorted = Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([composition, sorted, asked]);
}
