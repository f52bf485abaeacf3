/** What holds where an event says nothing (spec 016), and the bounds of specs 017 and 021. */

/** How many fragments are in flight at most. */
export const DEFAULT_MAX_INFLIGHT = 3;

/** After which time a worker gives up a fragment, in ms. */
export const DEFAULT_TIMEOUT_MS = 8000;

/** Which timeouts a worker may announce, in ms. */
export const TIMEOUT_RANGE_MS = { least: 1000, most: 30_000 } as const;
